/* apply: carries a decision out on libmilter's context: edits in one burst, then one reply
 * (semantics.md 7.3). */
#ifndef MILTER_DAEMON_APPLY_H
#define MILTER_DAEMON_APPLY_H

#include <libmilter/mfapi.h>

#include "milter/decide/decision.h"
#include "milter/decide/reply.h"

/* The macro by which the relay of the `local` socket tells its connections apart (role_relay.h). */
#define ROLE_SYMBOL "{miji_role}"

/* At the end of message only. What cannot be carried out (a reply that libmilter does not take) becomes a
 * plain 4xx, never an accept. */
sfsistat apply_decision(SMFICTX *context, const struct decision *decision);
sfsistat apply_reply(SMFICTX *context, const struct reply *reply);

#endif
