/*
 * verdict: what is to become of each recipient: by its reasons, what approvals have answered of them, and
 * what was decided before (semantics.md 7.1, 7.2.4, 7.4, 10.4). Part of decide.
 */
#ifndef MILTER_DECIDE_VERDICT_H
#define MILTER_DECIDE_VERDICT_H

#include "milter/decide/hearing.h"

/* Verdict, queue and leading reason of every recipient, each by itself; hearing->general_trouble. Without
 * recipients the leading reason of the message is returned; else NULL. */
const struct reason *verdicts_find(struct hearing *hearing);

/* The way out has taken care of it, or does so now: there is nothing to decide. */
gboolean recipient_is_settled(const struct decided_recipient *recipient);

#endif
