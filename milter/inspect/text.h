/*
 * text: the message's own text: its text parts decoded, converted to UTF-8, HTML made text, given to lines.
 */
#ifndef MILTER_INSPECT_TEXT_H
#define MILTER_INSPECT_TEXT_H

#include "milter/inspect/answer.h"
#include "milter/inspect/inspector.h"
#include "milter/inspect/transfer.h"

/* A text part that a reader of the message sees as its text. Points into the message. */
struct own_text {
    guint part;
    const char *octets;
    gsize length;
    enum transfer_encoding encoding;
    char charset[64]; /* as declared; "" none */
    gboolean is_html;
    guint alternative; /* number of the outermost multipart/alternative that it is a form of, 0 none: programs
                          show one of its forms, so each is read from where they all begin */
};

/* The texts as people read them, each behind a line "[2]" or "[html 3]" with its part's number (a single one
 * without), valid UTF-8. HTML whole: with what it hides from those who see it. */
void texts_write(const GArray *texts, const struct inspect_limits *limits, struct answer *answer,
                 GString *out);
void texts_report(const GArray *texts, const struct inspect_limits *limits, struct answer *answer);

#endif
