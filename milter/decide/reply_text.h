/*
 * reply_text: the words of a reply, in ASCII, which is all that SMTP allows before SMTPUTF8 (semantics.md 8,
 * language.md 5.8). Pure; part of decide.
 */
#ifndef MILTER_DECIDE_REPLY_TEXT_H
#define MILTER_DECIDE_REPLY_TEXT_H

#include "milter/decide/hearing.h"

/* Printable ASCII of a text, at most `room` octets: what is not becomes '?'. New. */
char *reply_text_ascii(const char *text, gsize room);

/* The row's English sentence with address, level (by its ASCII name) and detail. New. */
char *reply_text_of(const struct reason *reason);

/* The text that the configuration gives for the refusal, its places filled in, in any script. New; NULL if
 * there is none. */
char *reply_text_words(const struct hearing *hearing, const struct reason *reason);

/* The same for SMTP. New; NULL if there is none, or
 * it cannot be said in ASCII: then the row's own sentence stands for it. */
char *reply_text_configured(const struct hearing *hearing, const struct reason *reason);

/* The configuration has words for it that SMTP cannot carry: a notice has to. */
gboolean reply_text_is_lost(const struct hearing *hearing, const struct reason *reason);

#endif
