#include "policy/person/slot.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

static guint64 hash_key[2];

static void make_key(void)
{
    if (getrandom(hash_key, sizeof hash_key, 0) != (ssize_t)sizeof hash_key) {
        hash_key[0] = (guint64)g_get_monotonic_time();
        hash_key[1] = (guint64)g_get_real_time();
    }
}

static guint64 rotate(guint64 x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(guint64 v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: SipHash, 2012): a stranger who does not know the key cannot make values
 * collide. */
static guint64 sip_hash(const char *text, gsize length)
{
    guint64 v[4] = {hash_key[0] ^ 0x736f6d6570736575, hash_key[1] ^ 0x646f72616e646f6d,
                    hash_key[0] ^ 0x6c7967656e657261, hash_key[1] ^ 0x7465646279746573};
    guint64 word, last = (guint64)length << 56;
    gsize whole = length / 8 * 8;

    for (gsize i = 0; i < whole; i += 8) {
        memcpy(&word, text + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (gsize i = whole; i < length; i++)
        last |= (guint64)(guchar)text[i] << 8 * (i - whole);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct slot slot_probe(enum question_kind kind, const char *value)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct slot probe = {.kind = kind, .value = (char *)value};

    pthread_once(&once, make_key);
    probe.hash = (guint)sip_hash(value, strlen(value)) + kind;
    return probe;
}

struct slot *slot_new(enum question_kind kind, const char *value)
{
    struct slot *slot = g_new(struct slot, 1);

    *slot = slot_probe(kind, value);
    slot->refs = 1;
    slot->value = g_strdup(value);
    return slot;
}

struct slot *slot_ref(struct slot *slot)
{
    g_atomic_int_inc(&slot->refs);
    return slot;
}

void slot_unref(struct slot *slot)
{
    if (!g_atomic_int_dec_and_test(&slot->refs))
        return;
    g_clear_pointer(&slot->person, person_unref);
    g_free(slot->value);
    g_free(slot);
}

guint slot_hash(gconstpointer slot)
{
    return ((const struct slot *)slot)->hash;
}

gboolean slot_equal(gconstpointer a, gconstpointer b)
{
    const struct slot *left = a, *right = b;

    return left->kind == right->kind && strcmp(left->value, right->value) == 0;
}
