/*
 * scheme: one classification system, read from a *.scheme file (language.md section 4): ordered levels,
 * category sets, the markings that are read, the fields that are written. Nothing about a level's name is in
 * the program.
 *
 * A scheme is made by scheme_read, never changed, and owned by a struct schemes (which the snapshot holds).
 * Any thread may read.
 */
#ifndef POLICY_LABEL_SCHEME_H
#define POLICY_LABEL_SCHEME_H

#include "policy/autoptr.h"
#include "policy/text/tree.h"

enum category_kind { CATEGORY_RESTRICTIVE, CATEGORY_PERMISSIVE, CATEGORY_INFORMATIVE };

struct level {
    char *name;          /* NFC, as written: 机密 */
    guint rank;          /* from the file; unique in the scheme */
    gint number;         /* the integer in ESS and binary labels; -1 none */
    GPtrArray *also;     /* char *, other names */
    char *ascii;         /* name if ASCII, else the first ASCII `also`, else "level-RANK": for SMTP replies
                            (semantics.md 8) */
    GHashTable *display; /* language code -> text; NULL none */
    gint64 lasts;        /* longest term in seconds; 0 not given, -1 no limit */
    char *lasts_text;    /* as written ("20y") for display; NULL */
};

struct category_value {
    char *name;          /* NFC */
    GPtrArray *also;     /* char * */
    gint number;         /* -1 none */
    GHashTable *display; /* language code -> text; NULL none */
};

struct category_set {
    char *name;
    enum category_kind kind;
    gboolean open;     /* values not listed are allowed */
    GPtrArray *also;   /* char * */
    GPtrArray *values; /* struct category_value * */
    guint index;       /* position in scheme->sets */
};

/* One clause about one set or value; a line for a value beats the lines of the same kind for its set. */
struct combination {
    const struct category_set *set;     /* of the set, or … */
    const struct category_value *value; /* … of one of its values; NULL */
    gint from_rank, up_to_rank;         /* inclusive; -1 open; both -1: no clause about levels */
    GPtrArray *not_with, *needs; /* char *, names of sets or values, none of which / all of which; or NULL */
};

enum marking_format {
    FORMAT_PLAIN,
    FORMAT_EPMS,
    FORMAT_SIO,
    FORMAT_MSIP,
    FORMAT_XML_LABEL,
    FORMAT_KEY_VALUE
};

struct marking_field {
    char *name; /* field name, compared in any case */
    enum marking_format format;
};

struct marker_address {
    char *address;
    const struct level *level;
};

struct scheme {
    char *name, *title;
    struct span defined;      /* where its name is given; only as long as the sources that it was read from */
    gboolean home;            /* the first of its struct schemes: its labels are written without "name/" */
    GPtrArray *levels;        /* struct level *, rising rank */
    GPtrArray *sets;          /* struct category_set * */
    GPtrArray *combinations;  /* struct combination * */
    GPtrArray *fields;        /* struct marking_field *, in order */
    GPtrArray *subject_forms; /* char *, templates with {level} */
    guint first_lines, last_lines;
    GPtrArray *file_name_forms;     /* char * */
    GPtrArray *document_properties; /* char * */
    gboolean document_first_page;
    GPtrArray *duration_signs;            /* char * */
    GPtrArray *except;                    /* char *, texts that cancel a mark they touch */
    GPtrArray *marker_addresses;          /* struct marker_address * */
    gint64 duration_default;              /* seconds; 0 none */
    const struct level *expired_drops_to; /* NULL: counts unchanged */
};

/* Borrowed lookups; NULL when there is none. By name exactly (after NFC); by `also` in any case. */
const struct level *scheme_level_named(const struct scheme *scheme, const char *name);
const struct level *scheme_level_also(const struct scheme *scheme, const char *name);
const struct level *scheme_lowest(const struct scheme *scheme);
const struct level *scheme_highest(const struct scheme *scheme);
const struct category_set *scheme_set(const struct scheme *scheme, const char *name);
/* The value in a set, by name or also (any case); NULL if not listed (allowed all the same in an open set).
 */
const struct category_value *category_set_value(const struct category_set *set, const char *name);

/* All schemes of a snapshot, the home scheme first. Reference counted: the directory's people point into it.
 */
struct schemes {
    gint refs;                /* g_atomic_int */
    GPtrArray *list;          /* struct scheme * */
    struct mark_table *marks; /* how marks are found in text, made anew with each scheme (mark.h) */
};

struct schemes *schemes_new(void);
struct schemes *schemes_ref(struct schemes *schemes);
void schemes_unref(struct schemes *schemes);
DEFINE_AUTOPTR(schemes, schemes_unref)
const struct scheme *schemes_home(const struct schemes *schemes);
const struct scheme *schemes_find(const struct schemes *schemes, const char *name);

/* Reads one file's statements into the set. Reports every mistake; FALSE if there was an error (the set is
 * then not to be used). */
gboolean scheme_read(struct schemes *schemes, const struct block *file, struct diagnostics *diagnostics);

/* A level as people write it in configuration: 机密, au/SECRET, "top-secret". Exact name in the home scheme,
 * then in the others, then `also` names in the same order; two hits in one step are ambiguous (language.md 1,
 * [ambiguous-level]). */
enum level_found { LEVEL_FOUND, LEVEL_UNKNOWN, LEVEL_AMBIGUOUS };
enum level_found schemes_level(const struct schemes *schemes, const char *text, const struct scheme **scheme,
                               const struct level **level);
/* As above from an item, with [unknown-level] (nearest name) and [ambiguous-level]. FALSE and reported if
 * not. */
gboolean schemes_level_item(const struct schemes *schemes, const struct item *item,
                            struct diagnostics *diagnostics, const struct scheme **scheme,
                            const struct level **level);

#endif
