/*
 * mark: how markings are found in text: 机密★10年, 【机密】, 密级：机密, a line that is nothing but a level.
 * The names, signs and forms come from the schemes; the grammar around them is that of
 * facts/label-formats.md 8.2 and 8.4, tiers A to D. A level in the middle of a sentence is no mark.
 *
 * A table is compiled once when schemes are loaded and never changed; any thread may search with it.
 * Searching takes one pass over the folded text and allocates nothing until a mark is found.
 */
#ifndef POLICY_LABEL_MARK_H
#define POLICY_LABEL_MARK_H

#include "policy/label/label.h"
#include "policy/text/fold.h"

struct mark_table;

struct mark {
    const struct scheme *scheme;
    const struct level *level;
    gsize start, end;         /* in the folded text */
    struct duration duration; /* NONE: no term was written; whoever takes the mark takes its text over */
    gboolean has_sign;        /* with the scheme's sign for terms */
    gboolean near;            /* not quite in form: may raise, never lower */
    gboolean ambiguous;       /* a later scheme reads the same mark */
};

enum mark_place {
    MARK_SUBJECT,   /* A, B in the scheme's forms, C anywhere; D with a term, else near */
    MARK_LINE,      /* A and C anywhere, B and D if nothing else is in the line */
    MARK_FILE_NAME, /* A, and B in the scheme's forms */
};

/* schemes: struct scheme *, in order; borrowed, they must outlive the table. */
struct mark_table *mark_table_new(const GPtrArray *schemes);
void mark_table_free(struct mark_table *table);

/* Can a line, not folded, hold a mark at all? Most lines cannot, and that is seen several times faster than
 * by folding them. FALSE is sure, TRUE is a guess. */
gboolean mark_table_may_hold(const struct mark_table *table, const char *line, gsize length);

/*
 * Finds the marks of a text folded with FOLD_MARK, in its order, those that an exception of their scheme
 * touches left out, and gives each to `found`, which owns its duration. line: for MARK_LINE, from 1: only
 * schemes that read so far; 0 reads all that read lines.
 */
void mark_table_search(const struct mark_table *table, enum mark_place place, guint line,
                       const struct folded *text, void (*found)(struct mark *mark, gpointer data),
                       gpointer data);

/*
 * The mark that a whole value begins with, for one scheme (fields in format plain): [key：] LEVEL [sign]
 * [term], also in brackets. What follows, if anything (categories), stands from mark->end, behind the space,
 * to *rest_end, before a bracket around all. FALSE if the value begins with no level.
 */
gboolean mark_table_value(const struct mark_table *table, const struct scheme *scheme,
                          const struct folded *text, struct mark *mark, gsize *rest_end);
/* Is the whole text one of the scheme's exceptions (非密)? */
gboolean mark_table_is_except(const struct mark_table *table, const struct scheme *scheme,
                              const struct folded *text);

/* A name as marks are compared: folded, and without the spaces that typesetting puts between Han characters.
 * New string. */
char *mark_key(const char *name);

#endif
