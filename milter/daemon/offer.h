/*
 * offer: a message on the release socket (semantics.md 12.4): nothing is decided of it, it must be one that
 * this process sends itself. It carries one X-Miji-Release field, whose token names an open attempt with
 * these recipients and this digest; everything else is answered 5.7.1. Octets are not kept: only their digest
 * is taken.
 *
 * Belongs to one connection, as a transaction does, and is used by one thread at a time.
 */
#ifndef MILTER_DAEMON_OFFER_H
#define MILTER_DAEMON_OFFER_H

#include "milter/daemon/service.h"
#include "milter/decide/decision.h"

struct offer;
struct offer *offer_new(struct service *service);
void offer_free(struct offer *offer);
DEFINE_AUTOPTR(offer, offer_free)

/* As the MTA gives them; beyond LIMIT_OFFERED_RECIPIENTS the offer is refused. */
void offer_add_recipient(struct offer *offer, const char *given);
/*
 * The digest is SHA-256 over the message as spool.h builds it: every field but those called X-Miji-Release,
 * in order, the empty line, the body. The MTA's own Received field is not presented to a filter, ours is.
 */
void offer_add_field(struct offer *offer, const char *name, const char *value, gboolean leading_space);
void offer_end_header(struct offer *offer);
void offer_add_body(struct offer *offer, const void *octets, gsize length);

/* The end of message. TRUE: `offered` is durable, the message passes when its token field is taken off.
 * FALSE: *refusal says how it is answered; the log has the reason. */
gboolean offer_is_admitted(struct offer *offer, const char *queue_id, struct reply *refusal);

#endif
