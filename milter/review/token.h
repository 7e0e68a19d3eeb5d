/*
 * token: proves that a message on the release socket was sent by us (semantics.md 12.4): the value of the
 * field X-Miji-Release, "v1 ATTEMPT EXPIRY MAC", where MAC is HMAC-SHA-256 by the store's secret over attempt,
 * digest of the octets behind the field, recipients, expiry. Pure.
 */
#ifndef MILTER_REVIEW_TOKEN_H
#define MILTER_REVIEW_TOKEN_H

#include "milter/store/attempt.h"

#define TOKEN_FIELD "X-Miji-Release"
#define TOKEN_MINUTES 10

char *token_make(const guint8 *key, const struct attempt *attempt);
/* The attempt's id that a token claims, new; NULL: not even the form is right. */
char *token_attempt(const char *token);
/* Is it the token of this attempt, for this digest and these recipients (as given, in order), at this time? */
gboolean token_is_good(const guint8 *key, const struct attempt *attempt, const char *token,
                       const guint8 digest[32], const GPtrArray *given, gint64 now_ms);

/*
 * The release socket's question at the end of a message: may this pass? TRUE: `offered` is durable and the
 * message may be let in with the field taken off. FALSE: 5.7.1, audited. why (may be NULL): for the log,
 * static.
 */
gboolean release_admit(struct store *store, const char *token, const guint8 digest[32],
                       const GPtrArray *given, const char *queue_id, const char **why);

#endif
