/*
 * connection: one milter connection: what was negotiated, the client's session, the message under way. It
 * hangs on libmilter's context pointer and on nothing else.
 */
#ifndef MILTER_DAEMON_CONNECTION_H
#define MILTER_DAEMON_CONNECTION_H

#include "milter/daemon/offer.h"
#include "milter/daemon/transaction.h"

struct connection {
    struct service *service;
    struct session session;
    struct transaction *transaction; /* NULL between messages */
    struct offer *offer;             /* in its place on the release socket */
    char *answered;                  /* reference of a hold whose answer was given to libmilter; NULL */
    unsigned long no_reply;          /* SMFIP_NR_* that were negotiated */
    gboolean leading_space, skip;    /* SMFIP_HDR_LEADSPC, SMFIP_SKIP */
    gboolean role_known;             /* the relay's word was looked for at the first CONNECT */
};

struct connection *connection_new(struct service *service);
/* FALSE when so many are open that the descriptors would run out: it is to be closed, and the MTA answers for
 * us. Says so in the log. */
gboolean connection_is_admitted(const struct connection *connection);
void connection_free(struct connection *connection);

/* Something was heard of the client behind the answer: it has it, as far as can be known (semantics.md 7.3).
 */
void connection_tell_answered(struct connection *connection);
/* A new message begins, or the old one is given up. */
void connection_drop_message(struct connection *connection);

#endif
