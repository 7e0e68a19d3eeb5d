#include "milter/store/keys.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "milter/store/limits.h"

struct store_key {
    guint8 mark[KEY_MARK_BYTES];
    guint8 key[STORE_KEY_BYTES];
};

struct keys {
    EVP_CIPHER *gcm;
    pthread_mutex_t lock;
    /* all that follows: guarded by lock */
    struct store_key *known; /* of OPENSSL_malloc: wiped when it grows */
    guint count, used;       /* used: place of the one in use */
    struct engine *spare[LIMIT_SPARE_ENGINES];
    guint spares;
};

/* ---- engines */

static struct engine *engine_new(EVP_CIPHER *gcm)
{
    struct engine *engine = g_new0(struct engine, 1);

    EVP_CIPHER_up_ref(gcm);
    engine->gcm = gcm;
    engine->cipher = EVP_CIPHER_CTX_new();
    engine->packer = ZSTD_createCCtx();
    engine->unpacker = ZSTD_createDCtx();
    g_assert(engine->cipher != NULL && engine->packer != NULL &&
             engine->unpacker != NULL); /* memory is out */
    return engine;
}

static void engine_free(struct engine *engine)
{
    EVP_CIPHER_CTX_free(engine->cipher);
    EVP_CIPHER_free(engine->gcm);
    ZSTD_freeCCtx(engine->packer);
    ZSTD_freeDCtx(engine->unpacker);
    g_free(engine->room);
    g_free(engine);
}

struct engine *keys_engine(struct keys *keys)
{
    struct engine *engine = NULL;

    pthread_mutex_lock(&keys->lock);
    if (keys->spares > 0)
        engine = keys->spare[--keys->spares];
    pthread_mutex_unlock(&keys->lock);
    return engine != NULL ? engine : engine_new(keys->gcm);
}

void keys_engine_back(struct keys *keys, struct engine *engine)
{
    EVP_CIPHER_CTX_reset(engine->cipher);
    if (engine->room_bytes > ENGINE_ROOM_BYTES) {
        g_clear_pointer(&engine->room, g_free);
        engine->room_bytes = 0;
    }
    pthread_mutex_lock(&keys->lock);
    if (keys->spares < LIMIT_SPARE_ENGINES)
        keys->spare[keys->spares++] = g_steal_pointer(&engine);
    pthread_mutex_unlock(&keys->lock);
    if (engine != NULL)
        engine_free(engine);
}

guint8 *engine_room(struct engine *engine, gsize length)
{
    if (length > engine->room_bytes) {
        g_free(engine->room);
        engine->room = g_try_malloc(length);
        engine->room_bytes = engine->room != NULL ? length : 0;
    }
    return engine->room;
}

gboolean engine_set_key(struct engine *engine, const guint8 key[32], gboolean is_sealing)
{
    return EVP_CipherInit_ex2(engine->cipher, engine->gcm, key, NULL, is_sealing, NULL) == 1;
}

/* ---- the ring */

struct keys *keys_new(const guint8 *key_or_null)
{
    struct keys *keys = g_new0(struct keys, 1);

    keys->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    g_assert(keys->gcm != NULL); /* the library is not there */
    pthread_mutex_init(&keys->lock, NULL);
    if (key_or_null != NULL)
        keys_add(keys, key_or_null, NULL);
    return keys;
}

void keys_free(struct keys *keys)
{
    if (keys == NULL)
        return;
    while (keys->spares > 0)
        engine_free(keys->spare[--keys->spares]);
    OPENSSL_clear_free(keys->known, keys->count * sizeof *keys->known);
    EVP_CIPHER_free(keys->gcm);
    pthread_mutex_destroy(&keys->lock);
    g_free(keys);
}

/* The place of this key, or count; with the lock held. */
static guint place_of(const struct keys *keys, const guint8 mark[KEY_MARK_BYTES])
{
    guint at = 0;

    while (at < keys->count && memcmp(keys->known[at].mark, mark, KEY_MARK_BYTES) != 0)
        at++;
    return at;
}

void keys_add(struct keys *keys, const guint8 key[STORE_KEY_BYTES], guint8 mark[KEY_MARK_BYTES])
{
    static const char text[] = "miji store key";
    guint8 hash[32];
    unsigned int length = sizeof hash;

    gboolean is_done = HMAC(EVP_sha256(), key, STORE_KEY_BYTES, (const guint8 *)text, sizeof text - 1, hash,
                            &length) != NULL;
    g_assert(is_done);
    pthread_mutex_lock(&keys->lock);
    if (place_of(keys, hash) == keys->count) {
        struct store_key *known = OPENSSL_clear_realloc(keys->known, keys->count * sizeof *known,
                                                        (keys->count + 1) * sizeof *known);
        g_assert(known != NULL); /* memory is out */
        memcpy(known[keys->count].mark, hash, KEY_MARK_BYTES);
        memcpy(known[keys->count].key, key, STORE_KEY_BYTES);
        keys->known = known;
        keys->count++;
    }
    pthread_mutex_unlock(&keys->lock);
    if (mark != NULL)
        memcpy(mark, hash, KEY_MARK_BYTES);
    OPENSSL_cleanse(hash, sizeof hash);
}

void keys_use(struct keys *keys, const guint8 mark[KEY_MARK_BYTES])
{
    pthread_mutex_lock(&keys->lock);
    guint at = place_of(keys, mark);
    g_assert(at < keys->count);
    keys->used = at;
    pthread_mutex_unlock(&keys->lock);
}

gboolean keys_in_use(struct keys *keys, guint8 mark[KEY_MARK_BYTES])
{
    pthread_mutex_lock(&keys->lock);
    gboolean is_one = keys->count > 0;
    if (is_one && mark != NULL)
        memcpy(mark, keys->known[keys->used].mark, KEY_MARK_BYTES);
    pthread_mutex_unlock(&keys->lock);
    return is_one;
}

gboolean keys_can_seal(struct keys *keys)
{
    return keys_in_use(keys, NULL);
}

/* A copy, to be wiped; FALSE when it is not known. */
static gboolean copy_key(struct keys *keys, const guint8 mark[KEY_MARK_BYTES], guint8 key[STORE_KEY_BYTES])
{
    pthread_mutex_lock(&keys->lock);
    guint at = place_of(keys, mark);
    gboolean is_known = at < keys->count;
    if (is_known)
        memcpy(key, keys->known[at].key, STORE_KEY_BYTES);
    pthread_mutex_unlock(&keys->lock);
    return is_known;
}

/* An engine with the store key of that mark; NULL when it is not known. */
static struct engine *engine_of(struct keys *keys, const guint8 mark[KEY_MARK_BYTES], gboolean is_sealing)
{
    struct engine *engine = keys_engine(keys);
    guint8 key[STORE_KEY_BYTES];
    gboolean is_ready = copy_key(keys, mark, key) && engine_set_key(engine, key, is_sealing);

    OPENSSL_cleanse(key, sizeof key);
    if (is_ready)
        return engine;
    keys_engine_back(keys, engine);
    return NULL;
}

/* ---- wrapping: nonce, 32 octets, tag */

static gboolean wrap(EVP_CIPHER_CTX *cipher, const char *what, const guint8 octets[32],
                     guint8 wrapped[WRAPPED_KEY_BYTES])
{
    int done = 0;

    return RAND_bytes(wrapped, 12) == 1 && EVP_EncryptInit_ex2(cipher, NULL, NULL, wrapped, NULL) == 1 &&
           EVP_EncryptUpdate(cipher, NULL, &done, (const guint8 *)what, (int)strlen(what)) == 1 &&
           EVP_EncryptUpdate(cipher, wrapped + 12, &done, octets, 32) == 1 && done == 32 &&
           EVP_EncryptFinal_ex(cipher, wrapped + 44, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, wrapped + 44) == 1;
}

static gboolean unwrap(EVP_CIPHER_CTX *cipher, const char *what, const guint8 wrapped[WRAPPED_KEY_BYTES],
                       guint8 octets[32])
{
    guint8 tag[16];
    int done = 0;

    memcpy(tag, wrapped + 44, sizeof tag);
    return EVP_DecryptInit_ex2(cipher, NULL, NULL, wrapped, NULL) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &done, (const guint8 *)what, (int)strlen(what)) == 1 &&
           EVP_DecryptUpdate(cipher, octets, &done, wrapped + 12, 32) == 1 && done == 32 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1 &&
           EVP_DecryptFinal_ex(cipher, octets + 32, &done) == 1;
}

gboolean keys_wrap(struct keys *keys, const guint8 mark[KEY_MARK_BYTES], const char *what,
                   const guint8 octets[32], guint8 wrapped[WRAPPED_KEY_BYTES], GError **error)
{
    struct engine *engine = engine_of(keys, mark, TRUE);
    gboolean done = engine != NULL && wrap(engine->cipher, what, octets, wrapped);

    if (engine != NULL)
        keys_engine_back(keys, engine);
    if (!done)
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "the key of a %s cannot be wrapped", what);
    return done;
}

gboolean keys_unwrap(struct keys *keys, const guint8 mark[KEY_MARK_BYTES], const char *what,
                     const guint8 wrapped[WRAPPED_KEY_BYTES], guint8 octets[32], GError **error)
{
    struct engine *engine = engine_of(keys, mark, FALSE);
    gboolean is_known = engine != NULL;
    gboolean done = is_known && unwrap(engine->cipher, what, wrapped, octets);

    if (is_known)
        keys_engine_back(keys, engine);
    if (done)
        return TRUE;
    OPENSSL_cleanse(octets, 32);
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED,
                is_known ? "the key of a %s is damaged"
                         : "the key of a %s was wrapped by a store key that is not known",
                what);
    return FALSE;
}

gboolean keys_wrap_key(struct keys *keys, const guint8 by[KEY_MARK_BYTES], const guint8 of[KEY_MARK_BYTES],
                       guint8 wrapped[WRAPPED_KEY_BYTES], GError **error)
{
    guint8 key[STORE_KEY_BYTES] = {0};

    gboolean is_known = copy_key(keys, of, key);
    g_assert(is_known);
    gboolean done = keys_wrap(keys, by, "store key", key, wrapped, error);
    OPENSSL_cleanse(key, sizeof key);
    return done;
}

/* ---- keys of messages */

gboolean message_key_new(struct keys *keys, struct message_key *key, GError **error)
{
    if (!keys_in_use(keys, key->mark)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    "there is no store key, so no contents can be kept: write one with \"miji store new-key "
                    "FILE\" and "
                    "name it in \"key file\"");
        return FALSE;
    }
    if (RAND_priv_bytes(key->key, sizeof key->key) != 1) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "there are no random numbers for a key");
        return FALSE;
    }
    if (keys_wrap(keys, key->mark, "message", key->key, key->wrapped, error))
        return TRUE;
    message_key_wipe(key);
    return FALSE;
}

gboolean message_key_open(struct keys *keys, const guint8 mark[KEY_MARK_BYTES],
                          const guint8 wrapped[WRAPPED_KEY_BYTES], struct message_key *key, GError **error)
{
    memcpy(key->mark, mark, KEY_MARK_BYTES);
    memcpy(key->wrapped, wrapped, WRAPPED_KEY_BYTES);
    return keys_unwrap(keys, mark, "message", wrapped, key->key, error);
}

void message_key_wipe(struct message_key *key)
{
    OPENSSL_cleanse(key->key, sizeof key->key);
}
