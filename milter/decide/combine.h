/*
 * combine: from the answers to one verdict for each recipient and one act on the message
 * (semantics.md 7.1, 7.2). Part of decide.
 */
#ifndef MILTER_DECIDE_COMBINE_H
#define MILTER_DECIDE_COMBINE_H

#include "milter/decide/hearing.h"

/* Verdict, queue and leading reason of each recipient; act, what is carried out of it, and the leading reason
 * of the message. */
void combine(struct hearing *hearing);

#endif
