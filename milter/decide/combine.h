/*
 * combine: from the verdicts of the recipients to one act on the message and a fate for each of them
 * (semantics.md 7.2). Part of decide.
 */
#ifndef MILTER_DECIDE_COMBINE_H
#define MILTER_DECIDE_COMBINE_H

#include "milter/decide/hearing.h"

/* Verdict, queue, leading reason and fate of each recipient; act, verdict and leading reason of the message;
 * holds, keeps_copy, own_trouble. */
void combine(struct hearing *hearing);

#endif
