#include "milter/store/seal.h"

#include <pthread.h>
#include <string.h>
#include <zstd.h>

#include "milter/store/limits.h"
#include "tests/support/stream.h"

#define MOST (4 << 20)

static const guint8 KEY_A[STORE_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const guint8 KEY_B[STORE_KEY_BYTES] = "another key, another key, anothe";

static struct message_key new_key(struct keys *keys)
{
    struct message_key key;
    g_autoptr(GError) error = NULL;
    message_key_new(keys, &key, &error);
    g_assert_no_error(error);
    return key;
}

/* Octets that compress as mail does, or not at all. */
static guint8 *draw(gsize length, gboolean is_dense)
{
    guint8 *octets = g_malloc(length + 1);
    for (gsize i = 0; i < length; i++)
        octets[i] =
            (guint8)(is_dense ? g_test_rand_int() : "the quick brown fox\r\n"[g_test_rand_int_range(0, 21)]);
    return octets;
}

static GByteArray *seal_in_pieces(struct keys *keys, const struct message_key *key, const guint8 *octets,
                                  gsize length)
{
    g_autoptr(sealer) sealer = sealer_new(keys, key, "content", length);
    GByteArray *out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    for (gsize at = 0, piece; at < length; at += piece) {
        gsize drawn = (gsize)g_test_rand_int_range(0, 200000);
        piece = MIN(drawn, length - at);
        sealer_add(sealer, octets + at, piece, out, &error);
        g_assert_no_error(error);
    }
    sealer_finish(sealer, out, &error);
    g_assert_no_error(error);
    return out;
}

static GByteArray *seal_at_once(struct keys *keys, const struct message_key *key, const guint8 *octets,
                                gsize length)
{
    GByteArray *out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    seal_whole(keys, key, "content", octets, length, out, &error);
    g_assert_no_error(error);
    return out;
}

static void expect_same(struct keys *keys, const struct message_key *key, const GByteArray *sealed,
                        const guint8 *octets, gsize length)
{
    g_autoptr(GError) error = NULL;
    gsize opened = 0;
    g_autofree guint8 *back =
        seal_open(keys, key, "content", sealed->data, sealed->len, length, &opened, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(back, opened, octets, length);
}

static void expect_damaged(struct keys *keys, const struct message_key *key, const char *what,
                           const guint8 *sealed, gsize length)
{
    g_autoptr(GError) error = NULL;
    gsize opened = 77;
    g_assert_null(seal_open(keys, key, what, sealed, length, MOST, &opened, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
    g_assert_cmpuint(opened, ==, 77);
}

static const gsize edges[] = {0,      1,      2,      100,    65519,  65520,  65535,   65536,   65537,
                              131054, 131071, 131072, 131073, 196608, 262144, 1048576, 1048577, MOST};

static void test_comes_back(void)
{
    struct keys *keys = keys_new(KEY_A);
    for (guint i = 0; i < 2 * G_N_ELEMENTS(edges); i++) {
        gsize length = edges[i / 2];
        g_autofree guint8 *octets = draw(length, i % 2);
        struct message_key key = new_key(keys);
        g_autoptr(GByteArray) pieces = seal_in_pieces(keys, &key, octets, length);
        g_autoptr(GByteArray) whole = seal_at_once(keys, &key, octets, length);
        expect_same(keys, &key, pieces, octets, length);
        expect_same(keys, &key, whole, octets, length);
        g_assert_cmpuint(whole->len, <=, ZSTD_compressBound(length) + 16 * (length / 65536 + 2));
    }
    keys_free(keys);
}

/* What is in the chunks is of any length here: so the last one is full, or one octet, exactly. */
static void test_the_format_is_the_written_one(void)
{
    static const gsize lengths[] = {65518, 65519, 65536, 131072, 131073};
    struct keys *keys = keys_new(KEY_A);
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree guint8 *octets = draw(lengths[i], TRUE);
        g_autofree guint8 *packed = g_malloc(ZSTD_compressBound(lengths[i]));
        struct message_key key = new_key(keys);
        gsize size = ZSTD_compress(packed, ZSTD_compressBound(lengths[i]), octets, lengths[i], 3);
        g_autoptr(GByteArray) sealed = stream_seal(key.key, "content", packed, size);
        expect_same(keys, &key, sealed, octets, lengths[i]);
    }
    keys_free(keys);
}

/* Property: whatever is done to sealed octets, they open as they were or not at all. */
static void change(GByteArray *sealed)
{
    guint chunk = SEAL_CHUNK_BYTES + SEAL_TAG_BYTES, at = (guint)g_test_rand_int_range(0, (gint)sealed->len);
    switch (g_test_rand_int_range(0, 5)) {
    case 0:
        sealed->data[at] ^= (guint8)(1u << g_test_rand_int_range(0, 8));
        break;
    case 1:
        g_byte_array_set_size(sealed, at);
        break;
    case 2: /* without its last chunk, or chunks */
        g_byte_array_set_size(sealed, sealed->len > chunk ? at / chunk * chunk : 0);
        break;
    case 3: { /* two chunks in each other's place */
        guint count = sealed->len / chunk;
        guint8 kept[SEAL_CHUNK_BYTES + SEAL_TAG_BYTES];
        if (count < 2)
            break;
        guint a = (guint)g_test_rand_int_range(0, (gint)count) * chunk;
        guint b = (guint)g_test_rand_int_range(0, (gint)count) * chunk;
        memcpy(kept, sealed->data + a, chunk);
        memmove(sealed->data + a, sealed->data + b, chunk);
        memcpy(sealed->data + b, kept, chunk);
        break;
    }
    default: { /* its own beginning behind it */
        guint length = (guint)g_test_rand_int_range(1, (gint)MIN(sealed->len, 70000) + 1);
        g_autofree guint8 *beginning = g_memdup2(sealed->data, length);
        g_byte_array_append(sealed, beginning, length);
    }
    }
}

static void test_changed(void)
{
    struct keys *keys = keys_new(KEY_A);
    for (int i = 0; i < 150; i++) {
        gsize length = (gsize)g_test_rand_int_range(0, 400000);
        g_autofree guint8 *octets = draw(length, TRUE);
        struct message_key key = new_key(keys);
        g_autoptr(GByteArray) sealed = seal_in_pieces(keys, &key, octets, length);
        g_autofree guint8 *before = g_memdup2(sealed->data, sealed->len);
        guint before_length = sealed->len;
        change(sealed);
        if (sealed->len == before_length && memcmp(before, sealed->data, before_length) == 0)
            expect_same(keys, &key, sealed, octets, length);
        else
            expect_damaged(keys, &key, "content", sealed->data, sealed->len);
    }
    keys_free(keys);
}

/* Every bit of a short one, its key and its mark included. */
static void test_every_bit(void)
{
    struct keys *keys = keys_new(KEY_A);
    g_autoptr(GByteArray) sealed = seal_record(keys, "secret", 6, NULL);
    gsize opened = 0;
    for (guint bit = 0; bit < 8 * sealed->len; bit++) {
        g_autoptr(GError) error = NULL;
        sealed->data[bit / 8] ^= (guint8)(1u << bit % 8);
        g_assert_null(seal_record_open(keys, sealed->data, sealed->len, &opened, &error));
        g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
        sealed->data[bit / 8] ^= (guint8)(1u << bit % 8);
    }
    for (guint length = 0; length < sealed->len; length++)
        g_assert_null(seal_record_open(keys, sealed->data, length, &opened, NULL));
    g_autofree guint8 *back = seal_record_open(keys, sealed->data, sealed->len, &opened, NULL);
    g_assert_cmpmem(back, opened, "secret", 6);
    g_assert_cmpint(back[6], ==, 0);
    keys_free(keys);
}

static void test_is_what_it_is(void)
{
    struct keys *keys = keys_new(KEY_A);
    struct message_key key = new_key(keys), other = new_key(keys);
    g_autoptr(GByteArray) sealed = seal_at_once(keys, &key, (const guint8 *)"text", 4);
    expect_damaged(keys, &key, "record", sealed->data, sealed->len);
    expect_damaged(keys, &key, "conten", sealed->data, sealed->len);
    expect_damaged(keys, &other, "content", sealed->data, sealed->len);
    /* the wrapped key of a message is no other wrapped thing */
    guint8 octets[32];
    g_assert_false(keys_unwrap(keys, key.mark, "secret", key.wrapped, octets, NULL));
    keys_free(keys);
}

static void expect_refused(struct keys *keys, const void *packed, gsize length, gsize most,
                           const char *message)
{
    struct message_key key = new_key(keys);
    g_autoptr(GByteArray) sealed = stream_seal(key.key, "content", packed, length);
    g_autoptr(GError) error = NULL;
    gsize opened = 0;
    g_assert_null(seal_open(keys, &key, "content", sealed->data, sealed->len, most, &opened, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, message);
}

/* Sealed by the right key, but none of ours: a bomb, one that lies about its size, one that says nothing. */
static void test_bombs(void)
{
    struct keys *keys = keys_new(KEY_A);
    g_autofree guint8 *zeros = g_malloc0(64 << 20);
    g_autofree guint8 *packed = g_malloc(1 << 20);
    gsize size = ZSTD_compress(packed, 1 << 20, zeros, 64 << 20, 1);
    g_assert_false(ZSTD_isError(size));
    expect_refused(keys, packed, size, MOST, "the sealed content is damaged: it is larger than it may be");
    expect_refused(keys, packed, size / 2, 64 << 20, "the sealed content is damaged: it does not unpack");
    expect_refused(keys, "no zstd at all", 14, MOST,
                   "the sealed content is damaged: it does not say how large it is");
    size = ZSTD_compress(packed, 1 << 20, "small", 5, 1);
    size += ZSTD_compress(packed + size, (1 << 20) - size, zeros, 8 << 20, 1); /* another frame behind it */
    expect_refused(keys, packed, size, MOST, "the sealed content is damaged: it does not unpack");
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    size = ZSTD_compress2(context, packed, 1 << 20, zeros, 32 << 20);
    expect_refused(keys, packed, size, MOST,
                   "the sealed content is damaged: it does not say how large it is");
    ZSTD_freeCCtx(context);
    keys_free(keys);
}

static void test_total_is_kept_to(void)
{
    struct keys *keys = keys_new(KEY_A);
    struct message_key key = new_key(keys);
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    struct sealer *sealer = sealer_new(keys, &key, "content", 5);
    gboolean done = sealer_add(sealer, "four", 4, out, NULL) && sealer_finish(sealer, out, &error);
    g_assert_false(done);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_false(sealer_finish(sealer, out, NULL));
    g_assert_cmpuint(out->len, ==, 0);
    sealer_free(sealer);
    sealer = sealer_new(keys, &key, "content", 5);
    g_assert_true(sealer_add(sealer, "fives", 5, out, NULL) && sealer_finish(sealer, out, NULL));
    g_assert_false(sealer_add(sealer, "more", 4, out, NULL)); /* it has ended */
    sealer_free(sealer);
    keys_free(keys);
}

static void test_keys(void)
{
    struct keys *none = keys_new(NULL), *a = keys_new(KEY_A), *b = keys_new(KEY_B);
    struct message_key key;
    guint8 mark_a[KEY_MARK_BYTES], mark_b[KEY_MARK_BYTES];
    g_autoptr(GError) error = NULL;
    gsize opened = 0;
    g_assert_false(keys_can_seal(none));
    g_assert_false(message_key_new(none, &key, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_clear_error(&error);
    g_assert_null(seal_record(none, "x", 1, NULL));
    g_assert_true(keys_in_use(a, mark_a) && keys_in_use(b, mark_b));
    g_assert_cmpint(memcmp(mark_a, mark_b, KEY_MARK_BYTES), !=, 0);
    g_autoptr(GByteArray) sealed = seal_record(a, "of a", 4, NULL);
    g_assert_null(seal_record_open(b, sealed->data, sealed->len, &opened, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, "the key of a message was wrapped by a store key that is not known");
    /* another key for what is new, the older one still opens */
    keys_add(b, KEY_A, mark_a);
    keys_add(b, KEY_A, NULL); /* twice is once */
    g_autofree guint8 *back = seal_record_open(b, sealed->data, sealed->len, &opened, NULL);
    g_assert_cmpmem(back, opened, "of a", 4);
    g_assert_true(message_key_new(b, &key, NULL));
    g_assert_cmpmem(key.mark, KEY_MARK_BYTES, mark_b, KEY_MARK_BYTES);
    keys_use(b, mark_a);
    g_assert_true(message_key_new(b, &key, NULL));
    g_assert_cmpmem(key.mark, KEY_MARK_BYTES, mark_a, KEY_MARK_BYTES);
    keys_free(none);
    keys_free(a);
    keys_free(b);
}

static void test_large_record(void)
{
    struct keys *keys = keys_new(KEY_A);
    g_autofree guint8 *octets = g_malloc0(LIMIT_RECORD_BYTES + 1);
    g_autoptr(GByteArray) sealed = seal_record(keys, octets, LIMIT_RECORD_BYTES, NULL);
    gsize opened = 0;
    g_autofree guint8 *back = seal_record_open(keys, sealed->data, sealed->len, &opened, NULL);
    g_assert_cmpmem(back, opened, octets, LIMIT_RECORD_BYTES);
    g_assert_null(seal_record(keys, octets, LIMIT_RECORD_BYTES + 1, NULL));
    keys_free(keys);
}

/* ---- sixteen at once, while the key changes */

static void *seal_much(void *data)
{
    struct keys *keys = data;
    gsize wrong = 0;

    for (int i = 0; i < 100; i++) {
        gsize opened = 0;
        g_autofree char *text = g_strdup_printf("text %d of %p", i, (void *)&opened);
        g_autoptr(GByteArray) sealed = seal_record(keys, text, strlen(text), NULL);
        g_autofree guint8 *back =
            sealed != NULL ? seal_record_open(keys, sealed->data, sealed->len, &opened, NULL) : NULL;
        wrong += back == NULL || opened != strlen(text) || memcmp(back, text, opened) != 0;
    }
    return GSIZE_TO_POINTER(wrong);
}

static void test_many_threads(void)
{
    struct keys *keys = keys_new(KEY_A);
    pthread_t threads[16];
    guint8 mark[KEY_MARK_BYTES];
    for (int i = 0; i < 16; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, seal_much, keys), ==, 0);
    keys_add(keys, KEY_B, mark);
    keys_use(keys, mark);
    for (int i = 0; i < 16; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        g_assert_null(wrong);
    }
    keys_free(keys);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/seal/comes-back", test_comes_back);
    g_test_add_func("/seal/format", test_the_format_is_the_written_one);
    g_test_add_func("/seal/changed", test_changed);
    g_test_add_func("/seal/every-bit", test_every_bit);
    g_test_add_func("/seal/is-what-it-is", test_is_what_it_is);
    g_test_add_func("/seal/bombs", test_bombs);
    g_test_add_func("/seal/total", test_total_is_kept_to);
    g_test_add_func("/seal/keys", test_keys);
    g_test_add_func("/seal/large-record", test_large_record);
    g_test_add_func("/seal/many-threads", test_many_threads);
    return g_test_run();
}
