#include "policy/person/cache.h"

#define ROOM 1600 /* a hundred in each of the sixteen shards */

static struct slot *answered(const char *value, enum answer_state state, gint64 fresh_until_us)
{
    struct slot *slot = slot_new(ASK_ADDRESS, value);

    slot->state = state;
    slot->answered = TRUE;
    slot->fresh_until_us = fresh_until_us;
    return slot;
}

static void put(struct cache *cache, const char *value, enum answer_state state, gint64 fresh_until_us,
                gint64 now_us)
{
    g_autoptr(slot) slot = answered(value, state, fresh_until_us);

    cache_put(cache, slot, now_us);
}

/* ANSWER_UNAVAILABLE: not there. */
static enum answer_state find(struct cache *cache, enum question_kind kind, const char *value, gint64 now_us)
{
    struct slot *slot = cache_find(cache, kind, value, now_us);
    enum answer_state state = slot != NULL ? slot->state : ANSWER_UNAVAILABLE;

    if (slot != NULL)
        slot_unref(slot);
    return state;
}

static void test_fresh(void)
{
    struct cache *cache = cache_new(ROOM, ROOM);

    put(cache, "bo", ANSWER_ABSENT, 100, 0);
    g_assert_cmpint(find(cache, ASK_ADDRESS, "bo", 99), ==, ANSWER_ABSENT);
    g_assert_cmpint(find(cache, ASK_ADDRESS, "bo", 100), ==, ANSWER_UNAVAILABLE);
    g_assert_cmpint(find(cache, ASK_LOGIN, "bo", 0), ==, ANSWER_UNAVAILABLE);
    put(cache, "bo", ANSWER_FOUND, 200, 100); /* from one queue to the other */
    g_assert_cmpint(find(cache, ASK_ADDRESS, "bo", 150), ==, ANSWER_FOUND);
    put(cache, "bo", ANSWER_AMBIGUOUS, 300, 150);
    g_assert_cmpint(find(cache, ASK_ADDRESS, "bo", 250), ==, ANSWER_AMBIGUOUS);
    g_assert_cmpuint(cache_count(cache), ==, 1);
    cache_free(cache);
}

/* A slot outlives the cache for whoever has it. */
static void test_held(void)
{
    struct cache *cache = cache_new(ROOM, ROOM);
    struct slot *slot;

    put(cache, "bo", ANSWER_ABSENT, 100, 0);
    slot = cache_find(cache, ASK_ADDRESS, "bo", 0);
    cache_free(cache);
    g_assert_cmpstr(slot->value, ==, "bo");
    slot_unref(slot);
}

/* However many strangers are asked for, the cache stays in its bounds and the people found stay in it. */
static void test_bounded(void)
{
    struct cache *cache = cache_new(ROOM, ROOM);

    put(cache, "bo", ANSWER_FOUND, 1000000, 0);
    for (guint i = 0; i < 4 * ROOM; i++) {
        g_autofree char *value = g_strdup_printf("stranger%u", i);

        put(cache, value, ANSWER_ABSENT, 1000000, i);
        g_assert_cmpint(find(cache, ASK_ADDRESS, value, i), ==, ANSWER_ABSENT);
    }
    g_assert_cmpuint(cache_count(cache), <=, ROOM + 1);
    g_assert_cmpuint(cache_count(cache), >=, ROOM / 2);
    g_assert_cmpint(find(cache, ASK_ADDRESS, "bo", 0), ==, ANSWER_FOUND);
    g_assert_cmpint(find(cache, ASK_ADDRESS, "stranger0", 0), ==, ANSWER_UNAVAILABLE);
    cache_free(cache);
}

/* What is stale makes room by itself. */
static void test_swept(void)
{
    struct cache *cache = cache_new(ROOM, ROOM);

    for (guint i = 0; i < ROOM; i++) {
        g_autofree char *value = g_strdup_printf("early%u", i);

        put(cache, value, ANSWER_ABSENT, 10, 0);
    }
    for (guint i = 0; i < ROOM; i++) {
        g_autofree char *value = g_strdup_printf("late%u", i);

        put(cache, value, ANSWER_ABSENT, 1000, 10);
    }
    g_assert_cmpuint(cache_count(cache), <=, ROOM);
    g_assert_cmpint(find(cache, ASK_ADDRESS, "early0", 9), ==, ANSWER_UNAVAILABLE);
    cache_free(cache);
}

/* Values that collide under the usual multiply-by-33 hash are spread. */
static void test_hash(void)
{
    g_autoptr(GHashTable) hashes = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < 256; i++) {
        char value[17];
        struct slot probe;

        for (guint bit = 0; bit < 8; bit++) {
            value[2 * bit] = i >> bit & 1 ? 'F' : 'E';
            value[2 * bit + 1] = i >> bit & 1 ? 'Y' : 'z';
        }
        value[16] = '\0';
        probe = slot_probe(ASK_ADDRESS, value);
        g_hash_table_add(hashes, GUINT_TO_POINTER(probe.hash));
        if (i == 255)
            g_assert_cmpuint(g_str_hash(value), ==, g_str_hash("EzEzEzEzEzEzEzEz"));
    }
    g_assert_cmpuint(g_hash_table_size(hashes), >, 250);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/cache/fresh", test_fresh);
    g_test_add_func("/person/cache/held", test_held);
    g_test_add_func("/person/cache/bounded", test_bounded);
    g_test_add_func("/person/cache/swept", test_swept);
    g_test_add_func("/person/cache/hash", test_hash);
    return g_test_run();
}
