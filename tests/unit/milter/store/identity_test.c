#include "milter/store/identity.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "milter/store/limits.h"
#include "milter/store/schema.h"
#include "tests/support/temp_folder.h"

static const guint8 SECRET[SECRET_BYTES] = "a secret of thirty-two octets..";

static struct store *store_of(const guint8 secret[SECRET_BYTES])
{
    struct store *store = g_new0(struct store, 1);
    store->hasher = hasher_new(secret);
    return store;
}

static void store_free(struct store *store)
{
    hasher_free(store->hasher);
    g_free(store);
}

/* Against OpenSSL's own HMAC of the same octets. */
static void test_is_the_hmac(void)
{
    struct store *store = store_of(SECRET);
    guint8 digest[32], key[IDENTITY_BYTES], expected[32];
    static const char identity[] = "person\nbo\nbo@x.example";
    for (int with = 0; with < 2; with++) {
        g_autoptr(GByteArray) octets = g_byte_array_new();
        unsigned int length = 0;
        memset(digest, 7, sizeof digest);
        g_byte_array_append(octets, (const guint8 *)identity, sizeof identity);
        if (with)
            g_byte_array_append(octets, (const guint8 *)"ann@x.example", sizeof "ann@x.example");
        g_byte_array_append(octets, digest, sizeof digest);
        HMAC(EVP_sha256(), SECRET, SECRET_BYTES, octets->data, octets->len, expected, &length);
        identity_key(store, identity, with ? "ann@x.example" : NULL, digest, key);
        g_assert_cmpmem(key, sizeof key, expected, IDENTITY_BYTES);
    }
    store_free(store);
}

static gboolean differ(const struct store *a, const struct store *b, const char *const texts[4], guint8 octet)
{
    guint8 one[32] = {0}, two[32] = {octet}, first[IDENTITY_BYTES], second[IDENTITY_BYTES];
    identity_key(a, texts[0], texts[1], one, first);
    identity_key(b, texts[2], texts[3], two, second);
    return memcmp(first, second, IDENTITY_BYTES) != 0;
}

static void test_every_part_counts(void)
{
    static const guint8 other[SECRET_BYTES] = "another of thirty-two octets....";
    struct store *a = store_of(SECRET), *b = store_of(other);
    static const char *const same[] = {"i", "r", "i", "r"}, *const identity[] = {"i", "r", "j", "r"},
                             *const recipient[] = {"i", "r", "i", "s"},
                             *const shifted[] = {"ir", "", "i", "r"}, *const none[] = {"i", NULL, "i", ""};
    g_assert_false(differ(a, a, same, 0));
    g_assert_true(differ(a, b, same, 0));
    g_assert_true(differ(a, a, same, 1));
    g_assert_true(differ(a, a, identity, 0));
    g_assert_true(differ(a, a, recipient, 0));
    g_assert_true(differ(a, a, shifted, 0));
    g_assert_true(differ(a, a, none, 0));
    store_free(a);
    store_free(b);
}

static void make_key(guint8 key[IDENTITY_BYTES], guint32 number)
{
    guint8 hash[32];
    EVP_Digest(&number, sizeof number, hash, NULL, EVP_sha256(), NULL);
    memcpy(key, hash, IDENTITY_BYTES);
}

static void test_set(void)
{
    struct attempts *attempts = attempts_new();
    guint8 key[IDENTITY_BYTES];
    guint wrong = 0;
    for (guint32 i = 0; i < 20000; i += 2) {
        make_key(key, i);
        attempts_add(attempts, key);
        attempts_add(attempts, key);
    }
    for (guint32 i = 0; i < 20000; i++) {
        make_key(key, i);
        wrong += attempts_has(attempts, key) != (i % 2 == 0);
    }
    g_assert_cmpuint(wrong, ==, 0);
    attempts_free(attempts);
}

/* Keys that fall on one place still differ. */
static void test_set_with_collisions(void)
{
    struct attempts *attempts = attempts_new();
    guint8 key[IDENTITY_BYTES] = {0};
    guint wrong = 0;
    for (guint i = 1; i < 600; i++) {
        key[8] = i & 0xff;
        key[9] = i >> 8;
        wrong += attempts_has(attempts, key);
        attempts_add(attempts, key);
        wrong += !attempts_has(attempts, key);
    }
    g_assert_cmpuint(wrong, ==, 0);
    attempts_free(attempts);
}

static struct database *open_with_keys(const char *folder, guint32 count)
{
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    struct database *database = database_open(path, FALSE, NULL);
    guint8 key[IDENTITY_BYTES];
    g_assert_true(schema_prepare(database, NULL));
    g_assert_true(database_script(database, "BEGIN", NULL));
    for (guint32 i = 0; i < count; i++) {
        make_key(key, i);
        g_assert_true(database_run(
            database, NULL,
            i % 2 == 0 ? "INSERT INTO deferred (key, first_ms, last_ms, count) VALUES (?1, 1, 1, 1)"
                       : "INSERT INTO hold_recipient (hold, position, canonical, key, state, "
                         "changed_ms, leading, reasons) VALUES (abs(random()), 0, '', ?1, 0, 1, '', '')",
            "b", key, (gsize)IDENTITY_BYTES));
    }
    g_assert_true(database_script(database, "COMMIT", NULL));
    return database;
}

static void test_load(void)
{
    g_autofree char *folder = temp_folder_new();
    struct database *database = open_with_keys(folder, 1000);
    struct attempts *attempts = attempts_new();
    guint8 key[IDENTITY_BYTES];
    g_autoptr(GError) error = NULL;
    guint wrong = 0;
    make_key(key, 5000);
    attempts_add(attempts, key);
    attempts_load(attempts, database, &error);
    g_assert_no_error(error);
    g_assert_false(attempts_has(attempts, key)); /* of no row */
    for (guint32 i = 0; i < 2000; i++) {
        make_key(key, i);
        wrong += attempts_has(attempts, key) != (i < 1000);
    }
    g_assert_cmpuint(wrong, ==, 0);
    g_assert_true(database_script(database, "DROP TABLE deferred", NULL));
    g_assert_false(attempts_load(attempts, database, &error));
    make_key(key, 1);
    g_assert_true(attempts_has(attempts, key)); /* as it was */
    attempts_free(attempts);
    database_close(database);
}

/* Too many for memory: every message costs a look at the rows, and none is forgotten. */
static void test_too_many(void)
{
    struct attempts *attempts = attempts_new();
    guint8 key[IDENTITY_BYTES] = {0};
    for (guint32 i = 1; i <= LIMIT_ATTEMPTS; i++) {
        memcpy(key, &i, sizeof i);
        attempts_add(attempts, key);
    }
    make_key(key, 1);
    g_assert_false(attempts_has(attempts, key));
    attempts_add(attempts, key);
    g_assert_true(attempts_has(attempts, key));
    make_key(key, 2);
    g_assert_true(attempts_has(attempts, key));
    attempts_free(attempts);
}

static void *add_and_look(void *data)
{
    struct attempts *attempts = data;
    guint8 key[IDENTITY_BYTES];
    gsize wrong = 0;

    for (guint32 i = 0; i < 2000; i++) {
        make_key(key, i);
        attempts_add(attempts, key);
        wrong += !attempts_has(attempts, key);
    }
    return GSIZE_TO_POINTER(wrong);
}

static void test_many_threads(void)
{
    struct attempts *attempts = attempts_new();
    pthread_t threads[16];
    for (int i = 0; i < 16; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, add_and_look, attempts), ==, 0);
    for (int i = 0; i < 16; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        g_assert_null(wrong);
    }
    attempts_free(attempts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/identity/hmac", test_is_the_hmac);
    g_test_add_func("/identity/every-part", test_every_part_counts);
    g_test_add_func("/identity/set", test_set);
    g_test_add_func("/identity/collisions", test_set_with_collisions);
    g_test_add_func("/identity/load", test_load);
    g_test_add_func("/identity/too-many", test_too_many);
    g_test_add_func("/identity/many-threads", test_many_threads);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
