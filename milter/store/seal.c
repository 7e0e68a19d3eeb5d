#include "milter/store/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <zstd.h>

#include "milter/store/keys.h"
#include "milter/store/limits.h"

/* ---- chunks */

/* One chunk, encrypted or opened, with the key that the engine has. tag: written or checked. */
static gboolean code_chunk(struct engine *engine, const char *what, guint32 number, gboolean is_last,
                           const guint8 *in, int length, guint8 *out, guint8 tag[SEAL_TAG_BYTES])
{
    static const char label[] = "miji seal 1 ";
    guint8 nonce[12] = {
        [7] = number >> 24, [8] = number >> 16, [9] = number >> 8, [10] = number, [11] = is_last};
    EVP_CIPHER_CTX *cipher = engine->cipher;
    gboolean is_sealing = EVP_CIPHER_CTX_is_encrypting(cipher) != 0;
    int done = 0;

    return EVP_CipherInit_ex2(cipher, NULL, NULL, nonce, -1, NULL) == 1 &&
           EVP_CipherUpdate(cipher, NULL, &done, (const guint8 *)label, sizeof label - 1) == 1 &&
           EVP_CipherUpdate(cipher, NULL, &done, (const guint8 *)what, (int)strlen(what)) == 1 &&
           EVP_CipherUpdate(cipher, out, &done, in, length) == 1 && done == length &&
           (is_sealing || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1) &&
           EVP_CipherFinal_ex(cipher, out + length, &done) == 1 && done == 0 &&
           (!is_sealing || EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, tag) == 1);
}

static gboolean fail_sealing(GError **error, const char *why)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "cannot be sealed: %s", why);
    return FALSE;
}

static gboolean append_chunk(struct engine *engine, const char *what, guint32 number, gboolean is_last,
                             const guint8 *plain, gsize length, GByteArray *out, GError **error)
{
    guint at = out->len;

    if (length + SEAL_TAG_BYTES > G_MAXUINT - 64 - at)
        return fail_sealing(error, "it is too large");
    g_byte_array_set_size(out, at + (guint)length + SEAL_TAG_BYTES);
    if (code_chunk(engine, what, number, is_last, plain, (int)length, out->data + at,
                   out->data + at + length))
        return TRUE;
    g_byte_array_set_size(out, at);
    return fail_sealing(error, "the cipher failed");
}

/* ---- piece by piece */

struct sealer {
    struct keys *keys;
    struct engine *engine;
    const char *what;
    guint64 number; /* of the next chunk */
    gboolean has_failed, has_ended;
    gsize filled;
    guint8 chunk[SEAL_CHUNK_BYTES]; /* a full one waits: it may be the last */
    guint8 packed[SEAL_CHUNK_BYTES];
};

static gboolean begin(struct engine *engine, const struct message_key *key, gsize total)
{
    return engine_set_key(engine, key->key, TRUE) &&
           !ZSTD_isError(ZSTD_CCtx_reset(engine->packer, ZSTD_reset_session_and_parameters)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(engine->packer, ZSTD_c_compressionLevel, SEAL_COMPRESSION)) &&
           !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(engine->packer, total));
}

struct sealer *sealer_new(struct keys *keys, const struct message_key *key, const char *what, gsize total)
{
    struct sealer *sealer = g_new(struct sealer, 1);

    sealer->keys = keys;
    sealer->engine = keys_engine(keys);
    sealer->what = what;
    sealer->number = sealer->filled = 0;
    sealer->has_ended = FALSE;
    sealer->has_failed = !begin(sealer->engine, key, total);
    return sealer;
}

static gboolean give_chunk(struct sealer *sealer, gboolean is_last, GByteArray *out, GError **error)
{
    if (sealer->number > G_MAXUINT32)
        return fail_sealing(error, "it is too large");
    guint32 number = (guint32)sealer->number++;
    gsize length = sealer->filled;
    sealer->filled = 0;
    return append_chunk(sealer->engine, sealer->what, number, is_last, sealer->chunk, length, out, error);
}

static gboolean take_packed(struct sealer *sealer, gsize length, GByteArray *out, GError **error)
{
    for (gsize at = 0, piece; at < length; at += piece) {
        if (sealer->filled == SEAL_CHUNK_BYTES && !give_chunk(sealer, FALSE, out, error))
            return FALSE;
        piece = MIN(length - at, SEAL_CHUNK_BYTES - sealer->filled);
        memcpy(sealer->chunk + sealer->filled, sealer->packed + at, piece);
        sealer->filled += piece;
    }
    return TRUE;
}

/* FALSE with its error once, then always: what was begun cannot be mended. */
static gboolean pack(struct sealer *sealer, ZSTD_inBuffer *in, ZSTD_EndDirective end, GByteArray *out,
                     GError **error)
{
    size_t left;

    if (sealer->has_failed || sealer->has_ended)
        return fail_sealing(error, "an earlier step failed");
    do {
        ZSTD_outBuffer packed = {sealer->packed, sizeof sealer->packed, 0};
        left = ZSTD_compressStream2(sealer->engine->packer, &packed, in, end);
        sealer->has_failed = ZSTD_isError(left);
        if (sealer->has_failed)
            return fail_sealing(error, ZSTD_getErrorName(left));
        sealer->has_failed = !take_packed(sealer, packed.pos, out, error);
    } while (!sealer->has_failed && (end == ZSTD_e_end ? left > 0 : in->pos < in->size));
    return !sealer->has_failed;
}

gboolean sealer_add(struct sealer *sealer, const void *octets, gsize length, GByteArray *out, GError **error)
{
    ZSTD_inBuffer in = {octets, length, 0};

    return length == 0 || pack(sealer, &in, ZSTD_e_continue, out, error);
}

gboolean sealer_finish(struct sealer *sealer, GByteArray *out, GError **error)
{
    ZSTD_inBuffer in = {"", 0, 0};

    if (!pack(sealer, &in, ZSTD_e_end, out, error))
        return FALSE;
    sealer->has_ended = TRUE;
    sealer->has_failed = !give_chunk(sealer, TRUE, out, error);
    return !sealer->has_failed;
}

void sealer_free(struct sealer *sealer)
{
    keys_engine_back(sealer->keys, sealer->engine);
    g_free(sealer);
}

/* ---- the whole */

static gboolean append_chunks(struct engine *engine, const char *what, const guint8 *plain, gsize length,
                              GByteArray *out, GError **error)
{
    guint32 number = 0;

    for (gsize at = 0, piece; at < length; at += piece) {
        piece = MIN(length - at, SEAL_CHUNK_BYTES);
        if (!append_chunk(engine, what, number++, at + piece == length, plain + at, piece, out, error))
            return FALSE;
    }
    return TRUE;
}

gboolean seal_whole(struct keys *keys, const struct message_key *key, const char *what, const void *octets,
                    gsize length, GByteArray *out, GError **error)
{
    struct engine *engine = keys_engine(keys);
    gsize room = ZSTD_compressBound(length);
    guint8 *packed = ZSTD_isError(room) ? NULL : engine_room(engine, room);
    guint before = out->len;
    size_t size = packed != NULL && begin(engine, key, length)
                      ? ZSTD_compress2(engine->packer, packed, room, octets, length)
                      : 0;
    gboolean done = size > 0 && !ZSTD_isError(size) ? append_chunks(engine, what, packed, size, out, error)
                                                    : fail_sealing(error, "the compression failed");
    keys_engine_back(keys, engine);
    if (!done)
        g_byte_array_set_size(out, before);
    return done;
}

static guint8 *fail_opening(GError **error, const char *what, const char *why)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "the sealed %s is damaged: %s", what, why);
    return NULL;
}

/* All chunks, each verified, behind each other, in the engine's room; NULL when one is not. */
static const guint8 *open_chunks(struct engine *engine, const char *what, const guint8 *sealed, gsize length,
                                 gsize *packed_length)
{
    static const gsize whole = SEAL_CHUNK_BYTES + SEAL_TAG_BYTES;
    guint64 count = length / whole + (length % whole != 0);
    guint8 tag[SEAL_TAG_BYTES];
    gsize at = 0;

    if (count == 0 || count > G_MAXUINT32 || length - (count - 1) * whole <= SEAL_TAG_BYTES)
        return NULL;
    guint8 *packed = engine_room(engine, length);
    if (packed == NULL)
        return NULL;
    for (guint64 number = 0; number < count; number++) {
        gboolean is_last = number == count - 1;
        gsize piece = (is_last ? length - number * whole : whole) - SEAL_TAG_BYTES;
        memcpy(tag, sealed + number * whole + piece, sizeof tag);
        if (!code_chunk(engine, what, (guint32)number, is_last, sealed + number * whole, (int)piece,
                        packed + at, tag))
            return NULL;
        at += piece;
    }
    *packed_length = at;
    return packed;
}

/* packed was verified: only who has the key can have made it. It is bounded all the same. */
static guint8 *unpack(struct engine *engine, const char *what, const guint8 *packed, gsize length, gsize most,
                      gsize *opened, GError **error)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed, length);

    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        return fail_opening(error, what, "it does not say how large it is");
    if (size > most)
        return fail_opening(error, what, "it is larger than it may be");
    g_autofree guint8 *octets = g_try_malloc((gsize)size + 1);
    if (octets == NULL)
        return fail_opening(error, what, "there is not so much memory");
    size_t done = ZSTD_decompressDCtx(engine->unpacker, octets, (gsize)size, packed, length);
    if (ZSTD_isError(done) || done != size)
        return fail_opening(error, what, "it does not unpack");
    octets[size] = '\0';
    *opened = (gsize)size;
    return g_steal_pointer(&octets);
}

guint8 *seal_open(struct keys *keys, const struct message_key *key, const char *what, const void *sealed,
                  gsize length, gsize most, gsize *opened, GError **error)
{
    struct engine *engine = keys_engine(keys);
    gsize packed_length = 0;
    const guint8 *packed = NULL;
    guint8 *octets;

    if (engine_set_key(engine, key->key, FALSE))
        packed = open_chunks(engine, what, sealed, length, &packed_length);
    if (packed != NULL)
        octets = unpack(engine, what, packed, packed_length, most, opened, error);
    else
        octets = fail_opening(error, what, "it was changed, cut, or sealed as something else");
    keys_engine_back(keys, engine);
    return octets;
}

/* ---- records: mark, wrapped key, sealed octets */

GByteArray *seal_record(struct keys *keys, const void *octets, gsize length, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    struct message_key key;

    if (length > LIMIT_RECORD_BYTES) {
        fail_sealing(error, "the record is too large");
        return NULL;
    }
    if (!message_key_new(keys, &key, error))
        return NULL;
    g_byte_array_append(out, key.mark, sizeof key.mark);
    g_byte_array_append(out, key.wrapped, sizeof key.wrapped);
    gboolean done = seal_whole(keys, &key, "record", octets, length, out, error);
    message_key_wipe(&key);
    return done ? g_steal_pointer(&out) : NULL;
}

guint8 *seal_record_open(struct keys *keys, const void *sealed, gsize length, gsize *opened, GError **error)
{
    static const gsize head = KEY_MARK_BYTES + WRAPPED_KEY_BYTES;
    const guint8 *octets = sealed;
    struct message_key key;

    if (length < head)
        return fail_opening(error, "record", "it was cut");
    if (!message_key_open(keys, octets, octets + KEY_MARK_BYTES, &key, error))
        return NULL;
    guint8 *record =
        seal_open(keys, &key, "record", octets + head, length - head, LIMIT_RECORD_BYTES, opened, error);
    message_key_wipe(&key);
    return record;
}
