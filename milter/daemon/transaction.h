/*
 * transaction: one message, from MAIL to the answer. The callbacks hand it what they hear; at the end it
 * waits for the people and the inspector, asks decide, and has the store keep what was decided. It knows
 * nothing of libmilter.
 *
 * Belongs to one connection and is used by one thread at a time (libmilter moves sessions between threads, so
 * nothing may hang on the thread). It keeps the snapshot it began with.
 */
#ifndef MILTER_DAEMON_TRANSACTION_H
#define MILTER_DAEMON_TRANSACTION_H

#include "milter/daemon/service.h"
#include "milter/daemon/spool.h"
#include "milter/decide/decision.h"

struct transaction;

/* At MAIL. session is borrowed and must outlive the transaction; given is the MAIL argument, parameters what
 * follows it (NULL none). */
struct transaction *transaction_new(struct service *service, const struct session *session, const char *given,
                                    const char *parameters);
/* Counts it as aborted unless transaction_decide was called. */
void transaction_free(struct transaction *transaction);

/* A recipient's own macros and DSN parameters; any may be NULL. */
struct rcpt {
    const char *given, *address, *host, *mailer, *notify, *orcpt;
};
void transaction_add_recipient(struct transaction *transaction, const struct rcpt *rcpt);

/* All recipients are known: the directory is asked for those that the cache does not know. Never waits. */
void transaction_begin_data(struct transaction *transaction, const char *queue_id);
void transaction_add_field(struct transaction *transaction, const char *name, const char *value,
                           gboolean leading_space);
void transaction_end_header(struct transaction *transaction);
/* FALSE: nothing more of the body is needed (too large, busy, failed). */
gboolean transaction_add_body(struct transaction *transaction, const void *octets, gsize length);

/*
 * The end of message: waits within its deadlines, calling progress about every ten seconds, decides, keeps
 * what the decision promises (durable when this returns, semantics.md 7.3) and logs. The decision is owned by
 * the transaction. NULL when nothing was decided or it could not be kept (busy, disk full): *refusal then
 * says with which reply the message is put off.
 */
const struct decision *transaction_decide(struct transaction *transaction, const char *queue_id,
                                          void (*progress)(gpointer), gpointer data, struct reply *refusal);
const struct envelope *transaction_envelope(const struct transaction *transaction);
/* X-Miji-Release fields in the message. */
guint transaction_release_fields(const struct transaction *transaction);
/* The queue id for the log, "NOQUEUE" without one. */
const char *transaction_queue_id(const struct transaction *transaction);

#endif
