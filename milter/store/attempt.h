/*
 * attempt: one try to release a hold to some of its recipients (semantics.md 10, rows 4 to 11; 12.4). An
 * attempt is written before anything is sent; the release socket writes `offered` with the queue id before it
 * lets the message in; the end is written when Postfix has answered. What a crash leaves open tells at the
 * next start how far it came.
 */
#ifndef MILTER_STORE_ATTEMPT_H
#define MILTER_STORE_ATTEMPT_H

#include "milter/store/hold.h"

enum attempt_state {
    ATTEMPT_OPEN,    /* nothing was offered: may be tried again */
    ATTEMPT_OFFERED, /* Postfix was let take it: it may have */
    ATTEMPT_DOUBT,   /* offered, and Postfix does not know the queue id: a person says what is to be done */
    ATTEMPT_OVER
};

struct attempt {
    gint64 number;
    char *id; /* of the token: 27 characters */
    enum attempt_state state;
    gint64 hold;         /* 0: a notice */
    gint64 notice;       /* number in the outbox; 0: a hold */
    gboolean of_failure; /* of a notice: it tells of a failure, and nothing else does */
    gint64 at_ms, expires_ms;
    char *queue_id;        /* OFFERED; NULL */
    guint8 digest[32];     /* SHA-256 of the octets to be sent behind the release field */
    GPtrArray *recipients; /* char *, as given in RCPT */
};
void attempt_free(struct attempt *attempt);
DEFINE_AUTOPTR(attempt, attempt_free)

/* Row 4: the recipients (canonical) go from held to releasing, if the slip is approved and still what the
 * caller saw, and the client has had its answer (or came again, or an hour has passed: 7.3). given: as RCPT
 * will have them. New attempt. */
struct attempt *store_attempt_begin(struct store *store, const struct hold *hold, const GPtrArray *canonical,
                                    const GPtrArray *given, const guint8 digest[32], gint64 expires_ms,
                                    GError **error);
/* CHANGED when the notice waits no longer, or another attempt for it is open. */
struct attempt *store_attempt_begin_notice(struct store *store, gint64 notice, const char *given,
                                           const guint8 digest[32], gint64 expires_ms, GError **error);
/* By the token's id; ABSENT for a stranger. */
struct attempt *store_attempt(struct store *store, const char *id, GError **error);
/* Row 8: once; CHANGED when it was offered before or is over. */
gboolean store_attempt_offered(struct store *store, const struct attempt *attempt, const char *queue_id,
                               GError **error);
/* Row 9: delivered to Postfix; with N2 in the same transaction. by: who said so (`--done`), NULL: Postfix. Of
 * a notice: it is sent, as by store_outbox_sent_one. */
gboolean store_attempt_released(struct store *store, const struct attempt *attempt, const char *queue_id,
                                const char *by, const GPtrArray *notices, GError **error);
/* Row 10: back to held, tried again at next_try_ms; trouble: "release-failed 550 …" or "4xx …", for
 * reviewers; permanent: not again by itself. CHANGED when it is in doubt, or its state is no longer that of
 * `attempt` (it was offered meanwhile: whoever lost the connection has to look again). Of a notice: only the
 * attempt is over, see store_outbox_failed. */
gboolean store_attempt_failed(struct store *store, const struct attempt *attempt, const char *trouble,
                              gboolean permanent, gint64 next_try_ms, GError **error);
/* A person says that a doubtful one did not arrive (`release --again`, "" by `release doubt resend`): back to
 * held, tried again at once, recorded as that person's. CHANGED when it is not in doubt. */
gboolean store_attempt_again(struct store *store, const struct attempt *attempt, const char *who,
                             GError **error);
/* Row 11. */
gboolean store_attempt_doubt(struct store *store, const struct attempt *attempt, GError **error);
/* Those not over, oldest first: what a start has to look at. */
GPtrArray *store_attempts_open(struct store *store, GError **error);
/* A recheck that did not permit (rows 5, 6): the slip says why and when it is tried again (0: never by
 * itself). */
gboolean store_hold_waits(struct store *store, const struct hold *hold, const char *trouble,
                          gint64 next_try_ms, GError **error);
/* What a recheck found of the label, before anything else comes of it: joined into the recorded one, which
 * never goes down. */
gboolean store_hold_raise(struct store *store, const struct hold *hold, const struct decision *decision,
                          GError **error);
/* A recheck that holds anew (row 5): of what they are held for today nobody has approved anything, so the
 * slip waits for a vote again. decided: const struct decided_recipient *, those with verdict HOLD. */
gboolean store_hold_anew(struct store *store, const struct hold *hold, const GPtrArray *decided,
                         const char *trouble, gint64 deadline_ms, GError **error);
/* Approved slips whose time to try has come, and whose client has had its answer (or came again, or an hour
 * has passed: 7.3). */
GPtrArray *store_holds_due(struct store *store, const struct schemes *schemes, gint64 now_ms, GError **error);
/* K of this store for tokens (HMAC), 32 octets; borrowed. Never leaves the process. */
const guint8 *store_token_key(const struct store *store);

#endif
