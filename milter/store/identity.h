/*
 * identity: keys by which the same message for the same recipient is known again (semantics.md 7.4): HMAC
 * (K, identity ‖ recipient ‖ digest), 16 octets; and the set of those of which something is known, in memory,
 * so that a message of which nothing is known costs no look at the disk. Internal to milter/store; any thread.
 */
#ifndef MILTER_STORE_IDENTITY_H
#define MILTER_STORE_IDENTITY_H

#include "milter/store/store_private.h"

/* HMAC-SHA-256 with a key that is worked in once. */
struct hasher *hasher_new(const guint8 secret[SECRET_BYTES]);
void hasher_free(struct hasher *hasher);

/* of one recipient; canonical NULL: of the message (notices, archive envelopes). identity: inputs_identity. */
void identity_key(const struct store *store, const char *identity, const char *canonical,
                  const guint8 digest[32], guint8 key[IDENTITY_BYTES]);

/* A key that was removed from the rows may still be in the set: then the rows say that nothing is known. */
struct attempts *attempts_new(void);
void attempts_free(struct attempts *attempts);
/* Reads all keys of holds and deferrals: at the start, and in a writer's job, so that no commit comes between.
 * What was in the set before is forgotten. Beyond LIMIT_ATTEMPTS every key counts as known. */
gboolean attempts_load(struct attempts *attempts, struct database *database, GError **error);
gboolean attempts_has(struct attempts *attempts, const guint8 key[IDENTITY_BYTES]);
/* After the commit that wrote the row. */
void attempts_add(struct attempts *attempts, const guint8 key[IDENTITY_BYTES]);

#endif
