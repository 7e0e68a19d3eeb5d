/*
 * sender: which class a sender has, and whether the identity in the message is its own (semantics.md section
 * 3). Facts of the session decide, never the message. Part of decide.
 */
#ifndef MILTER_DECIDE_SENDER_H
#define MILTER_DECIDE_SENDER_H

#include "milter/decide/hearing.h"

/* Class, zone of origin, person: fills decision->sender and what is in doubt about it. */
void sender_find(struct hearing *hearing);

/* Check 3: identity findings (3.5, 3.6). */
void identity_check(struct hearing *hearing);

#endif
