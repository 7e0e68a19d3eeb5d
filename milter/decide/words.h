/*
 * words: what the configuration itself says to somebody who is refused, for notices, which unlike replies
 * carry every script (semantics.md case 61). Pure.
 */
#ifndef MILTER_DECIDE_WORDS_H
#define MILTER_DECIDE_WORDS_H

#include "milter/decide/decision.h"

/* The configured text behind the recipient's leading reason, its places filled in; new. NULL: there is none.
 */
char *decision_words(const struct inputs *inputs, const struct decision *decision,
                     const struct decided_recipient *recipient);

#endif
