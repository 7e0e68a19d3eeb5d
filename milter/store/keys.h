/* keys: what the files of seal share: the ring of store keys and the contexts that work with them, which are
 * dear to make and so kept for the next. Internal to seal.c and keys.c. */
#ifndef MILTER_STORE_KEYS_H
#define MILTER_STORE_KEYS_H

#include <openssl/evp.h>
#include <zstd.h>

#include "milter/store/seal.h"

struct engine {
    EVP_CIPHER *gcm; /* AES-256-GCM, fetched once; a reference of the engine's own */
    EVP_CIPHER_CTX *cipher;
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    guint8
        *room; /* for what is packed and not yet sealed; as large as it was needed, up to ENGINE_ROOM_BYTES */
    gsize room_bytes;
};

/* One for the caller alone, until it is given back, which wipes the key. */
struct engine *keys_engine(struct keys *keys);
void keys_engine_back(struct keys *keys, struct engine *engine);
/* Room for so much; NULL: there is not so much memory. */
guint8 *engine_room(struct engine *engine, gsize length);
/* For all that follows; a nonce of 12 octets comes with each use. */
gboolean engine_set_key(struct engine *engine, const guint8 key[32], gboolean is_sealing);

#endif
