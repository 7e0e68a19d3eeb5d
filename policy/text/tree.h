/*
 * tree: a text as statements, blocks and items, each with its span; the common syntax of miji.conf, *.scheme
 * and *.rules (language.md sections 1 and 2). It knows no keywords: those are asked for by the grammar that
 * reads it (reader.h).
 *
 * Owned by whoever parsed it, immutable afterwards; points into its source. Errors of spelling (quotes,
 * braces, hidden characters, encoding …) are reported while parsing; a tree comes back all the same, of what
 * could be read.
 */
#ifndef POLICY_TEXT_TREE_H
#define POLICY_TEXT_TREE_H

#include "policy/autoptr.h"
#include "policy/text/diagnostic.h"

enum item_kind { ITEM_WORD, ITEM_TEXT, ITEM_REGEX, ITEM_COMMA, ITEM_OPEN, ITEM_CLOSE };

/* What is wrong with a REGEX; reported by reader_regex only, since it may be a path without quotes. */
enum item_fault { ITEM_SOUND, ITEM_UNCLOSED, ITEM_FLAGS };

struct item {
    enum item_kind kind;
    enum item_fault fault;
    struct span span; /* in the source, quotes and slashes included */
    /* WORD: full-width ASCII folded, final colon taken off; TEXT: escapes resolved; REGEX: between the
     * slashes */
    char *text;
    const char *flags; /* REGEX: the letters behind it, in the order i m s; else "" */
};

struct statement {
    GPtrArray *items;    /* struct item *, at least one, the first is a WORD in a right file */
    struct block *block; /* or NULL */
    struct span span;    /* first item … last item (not the block) */
    gboolean bad;        /* an error in its spelling was reported: readers stay silent about it */
};

struct block {
    GPtrArray *statements;   /* struct statement * */
    struct span open, close; /* the braces; length 0 for the file itself */
};

/* The whole file; NULL never. Free with block_free. */
struct block *tree_parse(const struct source *source, struct diagnostics *diagnostics);
void block_free(struct block *block);
DEFINE_AUTOPTR(block, block_free)

#define statement_item(statement, n) ((const struct item *)g_ptr_array_index((statement)->items, (n)))
#define block_statement(block, n) ((const struct statement *)g_ptr_array_index((block)->statements, (n)))

/* One line per node for golden tests: kind, position, text. New string. */
char *tree_dump(const struct block *block);

/* Backslash, line feed and tab of a text as escapes, as the dumps print it. New string. */
char *text_escape(const char *text);

/* An argument for message_make: a word as "word", a text as text "…", NULL as the end of the line; long ones
 * cut. New string, which is translated when the message is formatted and is of no use outside of one. */
char *item_describe(const struct item *item_or_null);

#endif
