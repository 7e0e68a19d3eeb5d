/*
 * seal: octets at rest: compressed (zstd), then encrypted in chunks of 64 KB with AES-256-GCM, each chunk
 * bound to its place and the last one marked (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár
 * 2015), by a key of their own, which is wrapped by the store key. Reading never hands out octets that were
 * not verified, and never more than it was told to. Internal to milter/store; any thread, but a sealer
 * belongs to one at a time.
 *
 * Sealed octets: one or more chunks, all but the last of SEAL_CHUNK_BYTES, each followed by its tag of 16.
 * Nonce: seven zeros, the number of the chunk (big endian, 4 octets), 1 for the last chunk, else 0. What is
 * bound in beside it: "miji seal 1 " and what the octets are. No key seals two different things.
 */
#ifndef MILTER_STORE_SEAL_H
#define MILTER_STORE_SEAL_H

#include "milter/store/store_private.h"

#define KEY_MARK_BYTES 8     /* tells store keys apart: the beginning of HMAC(key, "miji store key") */
#define WRAPPED_KEY_BYTES 60 /* nonce 12, key 32, tag 16 */
#define SEAL_CHUNK_BYTES 65536
#define SEAL_TAG_BYTES 16

/* ---- store keys: those that are known, one of them in use for what is new. Wiped when freed. */
struct keys *keys_new(const guint8 *key_or_null);
void keys_free(struct keys *keys);
/* Known from now on, and in use if it is the first. mark (may be NULL): its own. */
void keys_add(struct keys *keys, const guint8 key[STORE_KEY_BYTES], guint8 mark[KEY_MARK_BYTES]);
void keys_use(struct keys *keys, const guint8 mark[KEY_MARK_BYTES]); /* a known one */
/* The mark of the one in use; FALSE when there is none: nothing can be sealed. mark may be NULL. */
gboolean keys_in_use(struct keys *keys, guint8 mark[KEY_MARK_BYTES]);
gboolean keys_can_seal(struct keys *keys);
/* 32 octets under the store key of that mark; what: bound in, so that one wrapped thing cannot stand for
 * another. DAMAGED when it does not open or the key is not known. */
gboolean keys_wrap(struct keys *keys, const guint8 mark[KEY_MARK_BYTES], const char *what,
                   const guint8 octets[32], guint8 wrapped[WRAPPED_KEY_BYTES], GError **error);
/* The store key of the mark `of` under that of the mark `by`, as "store key". */
gboolean keys_wrap_key(struct keys *keys, const guint8 by[KEY_MARK_BYTES], const guint8 of[KEY_MARK_BYTES],
                       guint8 wrapped[WRAPPED_KEY_BYTES], GError **error);
gboolean keys_unwrap(struct keys *keys, const guint8 mark[KEY_MARK_BYTES], const char *what,
                     const guint8 wrapped[WRAPPED_KEY_BYTES], guint8 octets[32], GError **error);

/* ---- a key for one message, and how it is stored. The caller wipes it: message_key_wipe. */
struct message_key {
    guint8 key[32];
    guint8 mark[KEY_MARK_BYTES]; /* of the store key that wrapped it */
    guint8 wrapped[WRAPPED_KEY_BYTES];
};
/* FALSE and UNAVAILABLE without a store key. */
gboolean message_key_new(struct keys *keys, struct message_key *key, GError **error);
/* DAMAGED when no known key opens it. */
gboolean message_key_open(struct keys *keys, const guint8 mark[KEY_MARK_BYTES],
                          const guint8 wrapped[WRAPPED_KEY_BYTES], struct message_key *key, GError **error);
void message_key_wipe(struct message_key *key);

/*
 * Sealing piece by piece: give octets, take what is ready: it is appended to out. what: bound into every
 * chunk
 * ("content", "record"), so that one cannot stand for another; borrowed. total: how much will be given;
 * anything else is an error at the end.
 */
struct sealer;
struct sealer *sealer_new(struct keys *keys, const struct message_key *key, const char *what, gsize total);
gboolean sealer_add(struct sealer *sealer, const void *octets, gsize length, GByteArray *out, GError **error);
gboolean sealer_finish(struct sealer *sealer, GByteArray *out, GError **error);
void sealer_free(struct sealer *sealer);
DEFINE_AUTOPTR(sealer, sealer_free)

/* The whole at once: appended to out. */
gboolean seal_whole(struct keys *keys, const struct message_key *key, const char *what, const void *octets,
                    gsize length, GByteArray *out, GError **error);
/* At most `most` octets when opened; NULL and DAMAGED. New, with a NUL behind it. */
guint8 *seal_open(struct keys *keys, const struct message_key *key, const char *what, const void *sealed,
                  gsize length, gsize most, gsize *opened, GError **error);

/* Small things (records): a key of their own in front. At most LIMIT_RECORD_BYTES. New; NULL and error. */
GByteArray *seal_record(struct keys *keys, const void *octets, gsize length, GError **error);
guint8 *seal_record_open(struct keys *keys, const void *sealed, gsize length, gsize *opened, GError **error);

#endif
