/*
 * mark_table: the compiled names, signs and forms of all schemes, folded; what mark.c searches with. Not for
 * other modules.
 */
#ifndef POLICY_LABEL_MARK_TABLE_H
#define POLICY_LABEL_MARK_TABLE_H

#include "policy/label/mark.h"

struct mark_string {
    char *text;
    gsize length;
};

struct mark_name {
    struct mark_string key;
    const struct level *level;
};

struct mark_form {
    struct mark_string before, after;
};

/* One scheme. */
struct mark_reader {
    const struct scheme *scheme;
    GArray *names;                           /* struct mark_name, the longest first */
    GArray *signs;                           /* struct mark_string */
    GArray *excepts;                         /* struct mark_string */
    GArray *subject_forms, *file_name_forms; /* struct mark_form */
    gboolean asterisk;                       /* the sign is ★, for which people also write an asterisk */
};

/* What may begin at an octet. */
enum mark_trigger {
    TRIGGER_SIGN = 1 << 0,
    TRIGGER_COLON = 1 << 1,
    TRIGGER_SUBJECT_FORM = 1 << 2,
    TRIGGER_FILE_NAME_FORM = 1 << 3,
};
#define LINE_TRIGGERS (TRIGGER_SIGN | TRIGGER_COLON)

/* The first two characters, folded; second 0: any. */
struct mark_beginning {
    gunichar first, second;
};

struct mark_table {
    GPtrArray *readers; /* struct mark_reader *, in order of the schemes */
    guint8 trigger[256];
    guint8 quiet[256];  /* 1: an octet that says nothing in a line: of ASCII, or of U+4000–9FFF */
    GArray *beginnings; /* struct mark_beginning: how a line that is a mark as a whole can begin */
};

/* ---------------------------------------------------------------- matching (octets of folded text) */
#define NO_MATCH G_MAXSIZE

/* Where the key that begins at `at` ends, where the one that ends at `end` begins; NO_MATCH. One space may
 * stand between two of its characters outside ASCII (typesetting: 机 密). */
gsize mark_match(const struct folded *text, gsize at, const struct mark_string *key);
gsize mark_match_back(const struct folded *text, gsize end, const struct mark_string *key);

/* The scheme's reader; NULL if the table has none. */
const struct mark_reader *mark_table_reader(const struct mark_table *table, const struct scheme *scheme);

#endif
