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
/* The next text of the message (valid UTF-8); line numbers go on. The text must live until lines_finish.
 * Returns whether it has a line that is not blank. */
gboolean lines_add(struct lines *lines, const char *text, gsize length);
/* Gives the last lines and frees everything. */
void lines_finish(struct lines *lines);

#endif
