/*
 * seal: octets at rest: compressed (zstd), then encrypted in chunks of 64 KB with AES-256-GCM, each chunk
 * bound to its place and the last one marked (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár
 * 2015), by a key of their own, which is wrapped by the store key (RFC 3394 AES key wrap, or GCM). Reading
 * never hands out octets that were not verified. Internal to milter/store; any thread.
 */
#ifndef MILTER_STORE_SEAL_H
#define MILTER_STORE_SEAL_H

#include "milter/store/store_private.h"

#define KEY_MARK_BYTES 8 /* tells store keys apart: the beginning of HMAC(key, "miji store key") */
#define WRAPPED_KEY_BYTES 60 /* nonce 12, key 32, tag 16 */

struct keys *keys_new(const guint8 *key_or_null);
void keys_free(struct keys *keys);
gboolean keys_can_seal(const struct keys *keys);

/* A key for one message, and how it is stored. The caller wipes it. FALSE and error without a store key. */
struct message_key {
    guint8 key[32];
    guint8 mark[KEY_MARK_BYTES]; /* of the store key that wrapped it */
    guint8 wrapped[WRAPPED_KEY_BYTES];
};
gboolean message_key_new(struct keys *keys, struct message_key *key, GError **error);
/* DAMAGED when no known key opens it. */
gboolean message_key_open(struct keys *keys, const guint8 mark[KEY_MARK_BYTES],
                          const guint8 wrapped[WRAPPED_KEY_BYTES], struct message_key *key, GError **error);

/* Sealing chunk by chunk: give octets, take what is ready. what: bound into every chunk ("content", "record"),
 * so that one cannot stand for another. */
struct sealer;
struct sealer *sealer_new(const struct message_key *key, const char *what);
gboolean sealer_add(struct sealer *sealer, const void *octets, gsize length, GByteArray *out, GError **error);
gboolean sealer_finish(struct sealer *sealer, GByteArray *out, GError **error);
void sealer_free(struct sealer *sealer);
/* The whole at once, at most `most` octets when opened; NULL and DAMAGED. New. */
guint8 *seal_open(const struct message_key *key, const char *what, const void *sealed, gsize length,
                  gsize most, gsize *opened, GError **error);

/* Small things (records): a key of their own in front. New; NULL and error. */
GByteArray *seal_record(struct keys *keys, const void *octets, gsize length, GError **error);
guint8 *seal_record_open(struct keys *keys, const void *sealed, gsize length, gsize *opened, GError **error);

#endif
