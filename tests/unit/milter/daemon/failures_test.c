#include "milter/daemon/failures.h"

#include <pthread.h>

static void digest_of(guint number, guint8 digest[32])
{
    for (guint i = 0; i < 32; i++)
        digest[i] = (guint8)(number >> (8 * (i % 4)));
}

static guint note(struct failures *failures, guint number)
{
    guint8 digest[32];
    digest_of(number, digest);
    return failures_note(failures, digest);
}

static void test_second_death_is_told(void)
{
    struct failures *failures = failures_new(10);
    g_assert_cmpuint(note(failures, 1), ==, 1);
    g_assert_cmpuint(note(failures, 2), ==, 1);
    g_assert_cmpuint(note(failures, 1), ==, 2);
    failures_free(failures);
}

static void test_oldest_is_forgotten(void)
{
    struct failures *failures = failures_new(10);
    for (guint i = 0; i < 11; i++)
        g_assert_cmpuint(note(failures, i), ==, 1);
    g_assert_cmpuint(note(failures, 0), ==, 1);
    g_assert_cmpuint(note(failures, 10), ==, 2);
    failures_free(failures);
}

static void *hammer(void *failures)
{
    for (guint i = 0; i < 20000; i++)
        note(failures, i % 37);
    return NULL;
}

static void test_threads(void)
{
    struct failures *failures = failures_new(20);
    pthread_t threads[4];
    for (guint i = 0; i < 4; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, hammer, failures), ==, 0);
    for (guint i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    failures_free(failures);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/failures/second", test_second_death_is_told);
    g_test_add_func("/failures/bounded", test_oldest_is_forgotten);
    g_test_add_func("/failures/threads", test_threads);
    return g_test_run();
}
