/*
 * lines: which lines of the message's own text are looked at for a label. The first and last LIMIT_OWN_LINES
 * lines that are not blank become candidates PLACE_LINE; lines that begin with > or follow a reply separator
 * become PLACE_QUOTED, the first LIMIT_QUOTED_LINES of each block of them. A reply separator is
 * "-----Original Message-----", 发件人：/From: with Sent:/主题： … below it, "On … wrote:", 在 … 写道：, in
 * any program's form.
 */
#ifndef MILTER_INSPECT_LINES_H
#define MILTER_INSPECT_LINES_H

#include "milter/inspect/answer.h"

struct lines;

struct lines *lines_new(struct answer *answer);
/* The next text of the message (valid UTF-8); line numbers go on. The text must live until lines_finish. */
void lines_add(struct lines *lines, const char *text, gsize length);

/* Where the next text begins. lines_return goes back there: what is added then is another form of what was
 * added since, with its own first and last lines. */
struct lines_place {
    guint number, own;
};
struct lines_place lines_here(const struct lines *lines);
void lines_return(struct lines *lines, struct lines_place place);
/* Gives the last lines and frees everything. */
void lines_finish(struct lines *lines);

#endif
