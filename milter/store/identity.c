#include "milter/store/identity.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "milter/store/limits.h"

/* ---- keys (RFC 2104) */

#define BLOCK_BYTES 64
#define HASH_BYTES 32

struct hasher {
    EVP_MD *sha256;
    EVP_MD_CTX *inner, *outer; /* behind the block with the key: copied for each use, never changed */
};

static EVP_MD_CTX *begin_with(EVP_MD *sha256, const guint8 secret[SECRET_BYTES], guint8 pad)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    guint8 block[BLOCK_BYTES];
    gboolean done;

    memset(block, pad, sizeof block);
    for (int i = 0; i < SECRET_BYTES; i++)
        block[i] ^= secret[i];
    done =
        EVP_DigestInit_ex2(context, sha256, NULL) == 1 && EVP_DigestUpdate(context, block, sizeof block) == 1;
    OPENSSL_cleanse(block, sizeof block);
    g_assert(done); /* memory is out */
    return context;
}

struct hasher *hasher_new(const guint8 secret[SECRET_BYTES])
{
    struct hasher *hasher = g_new0(struct hasher, 1);

    hasher->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    g_assert(hasher->sha256 != NULL); /* the library is not there */
    hasher->inner = begin_with(hasher->sha256, secret, 0x36);
    hasher->outer = begin_with(hasher->sha256, secret, 0x5c);
    return hasher;
}

void hasher_free(struct hasher *hasher)
{
    if (hasher == NULL)
        return;
    EVP_MD_CTX_free(hasher->inner);
    EVP_MD_CTX_free(hasher->outer);
    EVP_MD_free(hasher->sha256);
    g_free(hasher);
}

/* Parts are divided by NUL, which stands in none of them; a message has no part for the recipient. */
void identity_key(const struct store *store, const char *identity, const char *canonical,
                  const guint8 digest[32], guint8 key[IDENTITY_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    guint8 hash[HASH_BYTES];
    gboolean done;

    done = EVP_MD_CTX_copy_ex(context, store->hasher->inner) == 1 &&
           EVP_DigestUpdate(context, identity, strlen(identity) + 1) == 1 &&
           (canonical == NULL || EVP_DigestUpdate(context, canonical, strlen(canonical) + 1) == 1) &&
           EVP_DigestUpdate(context, digest, 32) == 1 && EVP_DigestFinal_ex(context, hash, NULL) == 1 &&
           EVP_MD_CTX_copy_ex(context, store->hasher->outer) == 1 &&
           EVP_DigestUpdate(context, hash, sizeof hash) == 1 && EVP_DigestFinal_ex(context, hash, NULL) == 1;
    EVP_MD_CTX_free(context);
    g_assert(done); /* memory is out */
    memcpy(key, hash, IDENTITY_BYTES);
}

/* ---- the set: open addressing; a key is its own hash. A key of zeros is none: its chance is that of a
 * guess. */

struct table {
    guint8 (*keys)[IDENTITY_BYTES];
    gsize size, count; /* size: a power of two */
};

struct attempts {
    pthread_rwlock_t lock;
    struct table table;     /* guarded by lock */
    gboolean is_everything; /* guarded by lock: there are too many to keep */
};

static const guint8 none[IDENTITY_BYTES];

static void table_init(struct table *table)
{
    table->size = 1024;
    table->count = 0;
    table->keys = g_malloc0_n(table->size, IDENTITY_BYTES);
}

static guint8 *table_place(const struct table *table, const guint8 key[IDENTITY_BYTES])
{
    guint64 hash;

    memcpy(&hash, key, sizeof hash);
    for (gsize at = hash & (table->size - 1);; at = (at + 1) & (table->size - 1))
        if (memcmp(table->keys[at], none, IDENTITY_BYTES) == 0 ||
            memcmp(table->keys[at], key, IDENTITY_BYTES) == 0)
            return table->keys[at];
}

static gboolean table_has(const struct table *table, const guint8 key[IDENTITY_BYTES])
{
    return memcmp(table_place(table, key), none, IDENTITY_BYTES) != 0;
}

static void table_add(struct table *table, const guint8 key[IDENTITY_BYTES])
{
    if (table_has(table, key))
        return;
    if (2 * (table->count + 1) > table->size) {
        struct table larger = {.size = 2 * table->size, .count = table->count};
        larger.keys = g_malloc0_n(larger.size, IDENTITY_BYTES);
        for (gsize at = 0; at < table->size; at++)
            if (memcmp(table->keys[at], none, IDENTITY_BYTES) != 0)
                memcpy(table_place(&larger, table->keys[at]), table->keys[at], IDENTITY_BYTES);
        g_free(table->keys);
        *table = larger;
    }
    memcpy(table_place(table, key), key, IDENTITY_BYTES);
    table->count++;
}

struct attempts *attempts_new(void)
{
    struct attempts *attempts = g_new0(struct attempts, 1);

    pthread_rwlock_init(&attempts->lock, NULL);
    table_init(&attempts->table);
    return attempts;
}

void attempts_free(struct attempts *attempts)
{
    if (attempts == NULL)
        return;
    pthread_rwlock_destroy(&attempts->lock);
    g_free(attempts->table.keys);
    g_free(attempts);
}

/* Keys of one statement; FALSE when it failed. */
static gboolean read_keys(struct database *database, const char *sql, struct table *table, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, sql, "");
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW && table->count <= LIMIT_ATTEMPTS) {
        gsize length = 0;
        const guint8 *key = rows_octets(rows, 0, &length);
        if (length == IDENTITY_BYTES)
            table_add(table, key);
    }
    return answer != ROWS_FAILED;
}

gboolean attempts_load(struct attempts *attempts, struct database *database, GError **error)
{
    struct table table, before;

    table_init(&table);
    if (!read_keys(database, "SELECT key FROM hold_recipient", &table, error) ||
        !read_keys(database, "SELECT key FROM deferred", &table, error)) {
        g_free(table.keys);
        return FALSE;
    }
    pthread_rwlock_wrlock(&attempts->lock);
    before = attempts->table;
    attempts->table = table;
    attempts->is_everything = table.count > LIMIT_ATTEMPTS;
    pthread_rwlock_unlock(&attempts->lock);
    g_free(before.keys);
    return TRUE;
}

gboolean attempts_has(struct attempts *attempts, const guint8 key[IDENTITY_BYTES])
{
    pthread_rwlock_rdlock(&attempts->lock);
    gboolean has = attempts->is_everything || table_has(&attempts->table, key);
    pthread_rwlock_unlock(&attempts->lock);
    return has;
}

void attempts_add(struct attempts *attempts, const guint8 key[IDENTITY_BYTES])
{
    pthread_rwlock_wrlock(&attempts->lock);
    if (attempts->table.count < LIMIT_ATTEMPTS)
        table_add(&attempts->table, key);
    else
        attempts->is_everything = TRUE;
    pthread_rwlock_unlock(&attempts->lock);
}
