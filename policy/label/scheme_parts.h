/*
 * scheme_parts: what the files that read a scheme share: scheme_read.c (the file, scheme, level, duration),
 * scheme_category.c (category set, combination), scheme_marking.c (what is read), scheme_write.c (what is
 * written, other schemes). Not for other modules.
 */
#ifndef POLICY_LABEL_SCHEME_PARTS_H
#define POLICY_LABEL_SCHEME_PARTS_H

#include "policy/label/scheme.h"
#include "policy/text/reader.h"

struct scheme *scheme_new(void);
void scheme_free(struct scheme *scheme);
void level_free(struct level *level);
void category_value_free(struct category_value *value);
void category_set_free(struct category_set *set);
void combination_free(struct combination *combination);

/* Takes the scheme over, behind those that are there. */
void schemes_add(struct schemes *schemes, struct scheme *scheme);

/* Adds "did you mean …?", or all names when they are few, to the report of a level that none of the schemes
 * has. */
void level_unknown_help(struct diagnostic *diagnostic, const GPtrArray *schemes, const char *text);

/* ---------------------------------------------------------------- one run of scheme_read */
/* Where a name, rank or number was given; a name may stand twice only with one owner (a level and its `also`
 * names). */
struct given {
    const char *kind; /* names of different kinds do not meet; compared as a pointer */
    gconstpointer within, owner;
    char *key;
    struct span span;
};

struct scheme_reading {
    const struct schemes *schemes; /* those that were read before */
    struct scheme *scheme;
    const struct block *file;
    GArray *given;
    GPtrArray *later; /* const struct statement *: those that name levels and sets, whatever the order */
    gboolean has_scheme, has_level;
};

/* FALSE and [duplicate] if somebody else has the key; else it is kept. `say` has the name as {0}. */
gboolean give_name(struct scheme_reading *reading, struct reader *reader, struct given given,
                   const char *shown, enum message_id say);

/* TEXT,… as const struct item * in order; NULL and reported if one is missing. */
GPtrArray *read_texts(struct reader *reader, enum message_id what);
/* `also TEXT,…`, `display LANG TEXT,…`, `number N` when they are here. FALSE if reported. The arrays and
 * tables come new, or stay NULL. */
gboolean read_also(struct reader *reader, GPtrArray **also);
gboolean read_display(struct reader *reader, GHashTable **display);
gboolean read_integer(struct reader *reader, gint *number);

/* A LEVEL of the scheme that is being read: name, else `also` name. NULL and [unknown-level] or [expected].
 */
const struct level *read_own_level(struct scheme_reading *reading, struct reader *reader);

/* At the end of a statement that is right but whose work this version does not do: [not-available-yet] at the
 * items from `first` on (their words are quoted), up to but not with `end`. Silent when the reader is broken.
 */
void not_yet(struct reader *reader, guint first, guint end);

/* reader_end and reader_no_block in one. */
gboolean statement_ends(struct reader *reader);

/* ---------------------------------------------------------------- statements (context: struct scheme_reading
 * *) */
void read_category_set(struct reader *reader, gpointer context);
void read_combination(struct reader *reader, gpointer context);
void read_marking_field(struct reader *reader, gpointer context);
void read_marking_subject(struct reader *reader, gpointer context);
void read_marking_first(struct reader *reader, gpointer context);
void read_marking_last(struct reader *reader, gpointer context);
void read_marking_document_property(struct reader *reader, gpointer context);
void read_marking_document_first_page(struct reader *reader, gpointer context);
void read_marking_file_name(struct reader *reader, gpointer context);
void read_marking_signature(struct reader *reader, gpointer context);
void read_marking_address(struct reader *reader, gpointer context);
void read_marking_duration(struct reader *reader, gpointer context);
void read_marking_except(struct reader *reader, gpointer context);
void read_write_field(struct reader *reader, gpointer context);
void read_write_subject(struct reader *reader, gpointer context);
void read_regrade_field(struct reader *reader, gpointer context);
void read_equivalent(struct reader *reader, gpointer context);

/* Reads [format F] if it is here: *format, and the items of it as [*first, *end) for not_yet (both the same
 * when there is none). FALSE if reported. */
gboolean read_format(struct reader *reader, enum marking_format *format, guint *first, guint *end);

/* Places that a template may have. */
enum template_place { TEMPLATE_LEVEL = 1 << 0, TEMPLATE_DURATION = 1 << 1, TEMPLATE_CATEGORIES = 1 << 2 };
/* FALSE and [template] unless the text has {level} exactly once, and no other places than those. */
gboolean check_template(struct reader *reader, const struct item *item, guint places);
/* FALSE and [field] unless it is a name that a header field can have (RFC 5322, 3.6.8). */
gboolean check_field_name(struct reader *reader, const struct item *item, const char *name);

#endif
