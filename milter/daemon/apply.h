/* apply: carries a decision out on libmilter's context: edits in one burst, then one reply
 * (semantics.md 7.3). */
#ifndef MILTER_DAEMON_APPLY_H
#define MILTER_DAEMON_APPLY_H

#include <libmilter/mfapi.h>

#include "milter/decide/decision.h"
#include "milter/decide/reply.h"

/* The macro by which the relay of the other sockets tells its connections apart (role_relay.h). */
#define ROLE_SYMBOL "{miji_role}"

/* What is to be carried out. Everything that it promises is durable already. */
struct application {
    const struct decision *decision;
    const struct envelope *envelope;
    guint release_fields; /* X-Miji-Release fields in the message */
    const char *queue_id; /* for the log */
};

/*
 * At the end of message only. What cannot be carried out (an edit or a reply that libmilter does not take, a
 * peer that is gone, a decision that would leave nobody) becomes a plain 4xx, never an accept; *done is then
 * FALSE.
 */
sfsistat apply_decision(SMFICTX *context, const struct application *application, gboolean *done);
sfsistat apply_reply(SMFICTX *context, const struct reply *reply);
/* Takes the count X-Miji-Release fields off. FALSE: the message must not be accepted. */
gboolean apply_strip(SMFICTX *context, guint count);

#endif
