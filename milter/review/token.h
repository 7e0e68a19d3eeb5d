/*
 * token: proves that a message on the release socket was sent by us (semantics.md 12.4): the value of the
 * field X-Miji-Release, "v1 ATTEMPT EXPIRY MAC", where MAC is HMAC-SHA-256 by the store's secret over
 * attempt, digest of the message, recipients, expiry. Pure.
 *
 * The digest is SHA-256 over the message in the form that the spool gives it: each field as NAME, colon,
 * value with its leading blanks, CRLF (folded lines end in CRLF as well), in the order presented; the empty
 * line; the body; but no X-Miji-Release field. Postfix presents to the release socket exactly the octets that
 * it was sent if they were presented by Postfix before (contrib/decisions/release-digest.md).
 */
#ifndef MILTER_REVIEW_TOKEN_H
#define MILTER_REVIEW_TOKEN_H

#include "milter/store/attempt.h"

#define TOKEN_FIELD "X-Miji-Release"
#define TOKEN_MINUTES 10

/* The digest of a whole message in that form: what the spool of the release socket has to come to. */
void token_digest(const void *octets, gsize length, guint8 digest[32]);
/* The next X-Miji-Release field of a message's header from *start on: *start and *end are then its octets,
 * line end included. FALSE: there is none; *start is length. */
gboolean token_find_field(const guint8 *octets, gsize length, gsize *start, gsize *end);

/* key: 32 octets. The field's value, new. */
char *token_make(const guint8 *key, const struct attempt *attempt);
/* The attempt's id that a token claims, new; NULL: not even the form is right. */
char *token_attempt(const char *token);
/* Is it the token of this attempt, for this digest and these recipients (as given, in order), at this time?
 */
gboolean token_is_good(const guint8 *key, const struct attempt *attempt, const char *token,
                       const guint8 digest[32], const GPtrArray *given, gint64 now_ms);

/*
 * The release socket's question at the end of a message: may this pass? TRUE: `offered` is durable and the
 * message may be let in with the field taken off. FALSE: 5.7.1, audited. why (may be NULL): for the log,
 * static.
 */
gboolean release_admit(struct store *store, const char *token, const guint8 digest[32],
                       const GPtrArray *given, const char *queue_id, const char **why);
/* Of a FALSE: the store could not be asked or written now, so it is nobody's forgery; 451 4.3.0 instead. */
gboolean release_admit_later(const char *why);

#endif
