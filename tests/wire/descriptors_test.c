/* Few descriptors and many connections: some are put off, some are closed, none waits for ever, and then all
 * is well again. */
#include "tests/wire/scene.h"

#include <string.h>
#include <sys/resource.h>

#define DESCRIPTORS 100 /* of the daemon, and of this program */
#define CONNECTIONS 80
#define PATIENCE_US (20 * G_USEC_PER_SEC)

/* A connection that was negotiated, or NULL if the filter closed it. */
static struct mta *negotiated(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open(daemon_address(scene_daemon()), &error);

    g_assert_no_error(error);
    if (mta_negotiate(mta, &mta_offer_postfix, &error))
        return g_steal_pointer(&mta);
    g_assert_error(error, MTA_ERROR, MTA_ERROR_CLOSED);
    return NULL;
}

static char *sent_over(struct mta *mta)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mta_start(mta, &scene_bo, NULL, &error));
    g_assert_no_error(error);
    return scene_send(mta, &scene_fine);
}

static void test_more_than_there_is_room_for(void)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new_with_free_func((GDestroyNotify)mta_close);
    g_autofree char *first = NULL, *last = NULL, *line = NULL;
    unsigned closed = 0;

    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct mta *mta = negotiated();

        if (mta != NULL)
            g_ptr_array_add(open, mta);
        else
            closed++;
    }
    g_assert_cmpuint(closed, >, 0);
    g_assert_cmpuint(open->len, >=, 16);
    first = sent_over(open->pdata[0]);
    last = sent_over(open->pdata[open->len - 1]);
    g_assert_cmpstr(first, ==, "451 4.3.2");
    g_assert_cmpstr(last, ==, "451 4.3.2");
    line = daemon_wait_line(scene_daemon(), TEXTS("a connection is closed"), NULL);
    g_assert_nonnull(line);
}

/* The daemon learns of their end one after the other. */
static void test_afterwards(void)
{
    gint64 deadline_us = g_get_monotonic_time() + PATIENCE_US;
    g_autofree char *outcome = NULL;

    while (g_strcmp0(outcome, "accept") != 0 && g_get_monotonic_time() < deadline_us) {
        struct mta *mta = negotiated();

        if (mta == NULL)
            continue;
        g_free(outcome);
        outcome = sent_over(mta);
        mta_close(mta);
    }
    scene_check();
}

int main(int argc, char **argv)
{
    const struct rlimit few = {DESCRIPTORS, DESCRIPTORS};

    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    scene_open("sandbox { helpers 2 }\n");
    g_test_add_func("/wire/descriptors/more", test_more_than_there_is_room_for);
    g_test_add_func("/wire/descriptors/afterwards", test_afterwards);
    return scene_run("/wire/descriptors");
}
