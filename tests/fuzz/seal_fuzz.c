/*
 * Attack surface: somebody who can write to the store's files, with or without the key: sealed octets are
 * cut, changed, exchanged, or packed by the right key around anything (a bomb, broken zstd). The first octet
 * chooses; the rest is the material. Beyond not crashing: what opens is what was sealed, and never more than
 * was allowed.
 */
#include "milter/store/seal.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/stream.h"

#define MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const guint8 STORE_KEY[STORE_KEY_BYTES] = "the key of a fuzzed store, 32 o";

static struct keys *ring(void)
{
    static struct keys *keys;
    if (keys == NULL)
        keys = keys_new(STORE_KEY);
    return keys;
}

/* Any octets as they are: with no key there is nothing that opens. */
static void open_foreign(const uint8_t *data, size_t size)
{
    static const struct message_key key = {.key = "k"};
    gsize opened = 0;
    g_assert_null(seal_record_open(ring(), data, size, &opened, NULL));
    g_assert_null(seal_open(ring(), &key, "content", data, size, MOST, &opened, NULL));
}

/* Well sealed, but what is inside was not packed by us. */
static void open_packed(const uint8_t *data, size_t size)
{
    static const struct message_key key = {.key = "k"};
    gsize opened = 0;
    if (size == 0)
        return;
    g_autoptr(GByteArray) sealed = stream_seal(key.key, "content", data, size);
    g_autofree guint8 *octets =
        seal_open(ring(), &key, "content", sealed->data, sealed->len, MOST, &opened, NULL);
    g_assert_true(octets == NULL || opened <= MOST);
}

/* Sealed by us; then three octets of the material say where and how it is changed. */
static void open_changed(const uint8_t *data, size_t size)
{
    gsize opened = 0;
    if (size < 3)
        return;
    g_autoptr(GByteArray) sealed = seal_record(ring(), data + 3, size - 3, NULL);
    g_autofree guint8 *before = g_memdup2(sealed->data, sealed->len);
    gsize at = (data[0] * 256u + data[1]) % sealed->len, whole = sealed->len;
    if (data[2] == 0)
        g_byte_array_set_size(sealed, (guint)at);
    else
        sealed->data[at] ^= data[2];
    g_assert_null(seal_record_open(ring(), sealed->data, sealed->len, &opened, NULL));
    g_autofree guint8 *octets = seal_record_open(ring(), before, whole, &opened, NULL);
    g_assert_true(octets != NULL && opened == size - 3 && memcmp(octets, data + 3, opened) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MOST)
        return 0;
    if (data[0] % 3 == 0)
        open_foreign(data + 1, size - 1);
    else if (data[0] % 3 == 1)
        open_packed(data + 1, size - 1);
    else
        open_changed(data + 1, size - 1);
    return 0;
}
