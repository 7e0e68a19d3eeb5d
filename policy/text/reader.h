/*
 * reader: reads one statement item by item for a grammar, with one voice for what was expected after what.
 *
 *     struct reader r = reader_start(statement, diagnostics);
 *     reader_keyword(&r, KW_LISTEN);                        -- takes it if it is there, English or Chinese
 * twin const struct item *path = reader_text(&r, MSG_A_SOCKET);  -- reports "expected a socket in quotes
 * after …" if not reader_end(&r);                                       -- reports what is left over
 *
 * After the first report a reader is broken: every further take answers NULL/FALSE and stays silent, so that
 * there are no consequences of earlier errors. Keywords are in keyword.def: KEYWORD(id, "english words",
 * "中文|second twin"). A keyword of several words is matched word by word; English in any case.
 */
#ifndef POLICY_TEXT_READER_H
#define POLICY_TEXT_READER_H

#include "policy/text/keyword.h"

struct reader {
    const struct statement *statement;
    struct diagnostics *diagnostics;
    guint next; /* index of the item that is looked at */
    guint list; /* index + 1 at which a comma was asked for and not found: the grammar has a list there */
    gboolean broken; /* something was reported; the rest is not looked at */
};

struct reader reader_start(const struct statement *statement, struct diagnostics *diagnostics);

/* The item now, or NULL at the end or when broken; taking it; where that is: the item's span, or, length 0,
 * the place behind the last one. */
const struct item *reader_peek(const struct reader *reader);
const struct item *reader_take(struct reader *reader);
struct span reader_here(const struct reader *reader);

/* Is the keyword here / take it when it is here. A text in quotes is no keyword, nor a word that begins
 * with a digit. */
gboolean reader_at(const struct reader *reader, enum keyword keyword);
gboolean reader_keyword(struct reader *reader, enum keyword keyword);
/* The longest of the given keywords that is here, taken; KW_COUNT if none (nothing reported). The list
 * ends with KW_COUNT. */
enum keyword reader_one_of(struct reader *reader, const enum keyword *keywords);
/* As above without taking. */
enum keyword reader_look(const struct reader *reader, const enum keyword *keywords);

/* Take what must be there, or report [expected] "expected WHAT after "before", but found …" and answer
 * NULL/FALSE. `what` names it in a message ("a time", "the name of a queue in quotes"). A pattern or path
 * where a text belongs is [bare-path]. reader_name is a text of at most 80 characters [range]; reader_regex
 * reports [unclosed-pattern] and [pattern-flag] too. */
gboolean reader_need(struct reader *reader, enum keyword keyword);
const struct item *reader_text(struct reader *reader, enum message_id what);
const struct item *reader_name(struct reader *reader, enum message_id what);
const struct item *reader_word(struct reader *reader, enum message_id what);
const struct item *reader_word_or_text(struct reader *reader, enum message_id what);
const struct item *reader_regex(struct reader *reader, enum message_id what);

/* A comma, taken when it is here; nothing is reported when it is not. Every list asks with it, do { … } while
 * (reader_comma(r)): so reader_end knows that a comma was possible, and says [missing-comma]. */
gboolean reader_comma(struct reader *reader);

/* Reports [expected] WHAT at the present place, for a grammar that has looked at several possibilities
 * itself. The names in `more` (NULL, or NULL-terminated) are those of levels, for "write the words apart".
 * The result is for a better help; NULL when the reader was broken before. */
struct diagnostic *reader_expected(struct reader *reader, enum message_id what, const char *const *more);

/* Numbers with units (language.md 1); number and unit may stand apart. Report [unit], [range], [date],
 * [expected]. A year has 365 days, a KB 1024 octets. reader_term is the time as written: a number and one of
 * s m h d w y. */
gboolean reader_time(struct reader *reader, gint64 *seconds);
gboolean reader_term(struct reader *reader, guint *number, char *unit);
gboolean reader_size(struct reader *reader, guint64 *bytes);
gboolean reader_number(struct reader *reader, guint minimum, guint maximum, guint *number);
/* 2026-12-31 as year*10000+month*100+day; only days that exist. */
gboolean reader_date(struct reader *reader, guint *date);

/* Everything has been read: reports what is left over ([missing-comma] between two values of a list, else
 * [expected] the end). FALSE if broken. A block is not looked at: reader_need_block, reader_no_block. */
gboolean reader_end(struct reader *reader);
/* There must be / must not be a block. */
gboolean reader_need_block(struct reader *reader);
gboolean reader_no_block(struct reader *reader);

/* Reports at a span and breaks the reader. */
struct diagnostic *reader_fail(struct reader *reader, enum diagnostic_id id, struct span span,
                               struct message message);

/* One kind of statement in a block and what reads it; `context` is the grammar's own. */
struct statement_kind {
    enum keyword keyword;
    gboolean once; /* given twice is [duplicate], both places shown */
    void (*read)(struct reader *reader, gpointer context);
};

/* Reads every statement of a block by the longest fitting keyword of the table (ends with KW_COUNT); the
 * keyword is taken, `read` goes on behind it and ends with reader_end. An unknown one is [unknown-statement]
 * "… is not a statement of WHAT" with the nearest name, or all when there are few. A statement whose spelling
 * is bad reaches `read` with a broken reader, so that the grammar knows that it was there. `include` is read
 * before (include.h) and passed over. */
void block_read(const struct block *block, const struct statement_kind *kinds, enum message_id what,
                struct diagnostics *diagnostics, gpointer context);

#endif
