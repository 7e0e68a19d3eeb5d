/*
 * store: what Miji keeps: holds, archive copies, attempts, notices to be sent, journal, audit. One SQLite
 * database (WAL, synchronous FULL) in the state directory, and files beside it for large contents. Callers
 * know only the headers hold.h, archive.h, outbox.h, trace.h, audit.h and this one; none of them knows SQL.
 *
 * Every change goes through one writer thread that commits what has come together (group commit); a call that
 * changes something returns when it is durable, or FALSE with an error and nothing changed. Reads use a
 * connection of their own and see what was committed. Every function may be called from any thread.
 *
 * Errors are of STORE_ERROR: UNAVAILABLE (disk full, read only, locked, damaged: try again later, 452),
 * ABSENT (no such hold), CHANGED (somebody was quicker: look again), DAMAGED (digest or seal of contents
 * wrong).
 */
#ifndef MILTER_STORE_STORE_H
#define MILTER_STORE_STORE_H

#include "milter/decide/decision.h"
#include "milter/conf/key_file.h"

#define STORE_ERROR store_error_quark()
GQuark store_error_quark(void);
enum store_error {
    STORE_ERROR_UNAVAILABLE,
    STORE_ERROR_ABSENT,
    STORE_ERROR_SEVERAL, /* the beginning of an id that several have */
    STORE_ERROR_CHANGED,
    STORE_ERROR_DAMAGED
};

struct store;

/* Opens or makes the store in a directory (0700, the caller's) and checks it: version, the database's own
 * check, the key, contents without a row and rows without contents. key: STORE_KEY_BYTES or NULL (then
 * nothing that needs contents can be kept); copied. Starts the writer thread. NULL and error when anything is
 * wrong: a daemon must not serve over a store that it cannot trust. *said (may be NULL): what was put right,
 * for the log; new or NULL. */
struct store *store_open(const char *directory, const guint8 *key, char **said, GError **error);
/* Ends the writer when all that was asked is durable. */
void store_close(struct store *store);
DEFINE_AUTOPTR(store, store_close)

/* Another key for new contents from now on (a reload of `key file`); what was kept stays readable: the old
 * key is kept wrapped by the new one. */
gboolean store_change_key(struct store *store, const guint8 key[STORE_KEY_BYTES], GError **error);
/* It has a key from now on until its end: without one it does not open again. */
gboolean store_has_key(struct store *store);

/* ---- before the decision */
/* What was decided for the identity keys of this message (7.4); remember_ms: older attempts count as
 * forgotten. Never waits for the disk when nothing is known of them. */
struct past *store_past(struct store *store, const struct inputs *inputs, const guint8 digest[32],
                        gint64 remember_ms, GError **error);
/* Time of the newest audit record in ms; 0 none. */
gint64 store_newest_audit_ms(struct store *store);

/* ---- the one transaction (7.3) */
struct store_message {
    const struct inputs *inputs;
    const struct decision *decision;
    const guint8 *digest; /* of semantics.md 7.4, 32 octets */
    const void *octets;   /* as presented; NULL when they are in fd */
    gsize length;
    int fd;                   /* readable from offset 0 by pread, or -1 */
    const GPtrArray *notices; /* struct notice *: N1, stored with it; NULL none */
};
/* Keeps what the decision promises: hold, kept copy, archive copies, closed older holds, notices, audit
 * records, journal of all its recipients. Returns when durable. *hold_id (may be NULL): id of the new hold,
 * new; NULL if there is none. */
gboolean store_keep(struct store *store, const struct store_message *message, char **hold_id, GError **error);
/* For what is not decision_is_recorded: journal row and, for a deferral, the attempt; copied and written with
 * others within a second, never waited for. What cannot be written in time is dropped and counted. */
void store_keep_later(struct store *store, const struct store_message *message);
/* The client has had the answer to this message (7.3: `answered`). Never waits. */
void store_answered(struct store *store, const char *reference);

struct store_status {
    guint64 commits, jobs, journal_dropped, failures; /* since the start */
    guint64 open_holds, outbox, outbox_failing;
    gboolean available; /* the last commit went well */
    char *problem;      /* of the last failure; owned by the caller (g_free) */
};
void store_get_status(struct store *store, struct store_status *status);

/* Removes what is over: closed holds older than keep_closed_ms, attempts older than remember_ms, files of no
 * row. Rows only when they were over at two calls 10 min of monotonic time apart, and at all between: a clock
 * that jumped for a moment removes nothing. Undecided contents are never removed. */
gboolean store_tidy(struct store *store, gint64 now_ms, gint64 keep_closed_ms, gint64 remember_ms,
                    GError **error);

#endif
