/*
 * Whatever the other side does at whatever step, and whenever this side ends and comes again: what was
 * approved arrives exactly once, or is in doubt and says so; never twice (semantics.md 13.12, 13.13). In a
 * build with faults steps of our own fail as well.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "milter/conf/clock.h"
#include "tests/support/releasing.h"

#define ROUNDS 40
#define TROUBLES 6

/* Steps of ours, and of the store's, that can fail. */
static const char *const points[] = {
    "attempt.begin",     "attempt.begun",     "attempt.offer",        "attempt.offered",  "attempt.fail",
    "attempt.failed",    "attempt.release",   "attempt.released",     "attempt.doubt",    "release.rechecked",
    "release.connected", "release.attempted", "release.dotted",       "release.offering", "release.sent",
    "release.recording", "release.failing",   "writer.before-commit", "writer.committed"};

static guint draw(guint count)
{
    return (guint)g_test_rand_int_range(0, (gint32)count);
}

static void plan_fault(struct releasing *releasing)
{
    g_autofree char *path = g_build_filename(releasing->folder->path, "fault", NULL);
    g_autofree char *line = g_strdup_printf("%s fail %u", points[draw(G_N_ELEMENTS(points))], 1 + draw(2));

    g_file_set_contents(path, line, -1, NULL);
    g_setenv("MIJI_FAULT", path, TRUE);
}

static void no_fault(struct releasing *releasing)
{
    g_autofree char *path = g_build_filename(releasing->folder->path, "fault", NULL);

    g_unlink(path);
}

static void trouble(struct releasing *releasing)
{
    static const char *const replies[] = {"451 4.3.0 later", "550 5.7.1 no", "421 4.3.2 bye", NULL};
    static const char *const filters[] = {NULL, NULL, "451 4.7.1 signer", "554 5.6.0 signer", ""};

    enum server_step step = draw(STEP_COUNT);
    smtp_server_plan_none(releasing->server);
    /* Who has taken it and says otherwise cannot be helped. */
    if (draw(4) > 0)
        smtp_server_plan(releasing->server, step,
                         step == STEP_TAKEN ? NULL : replies[draw(G_N_ELEMENTS(replies))]);
    releasing_filter(releasing, filters[draw(G_N_ELEMENTS(filters))]);
    pthread_mutex_lock(&releasing->lock);
    releasing->silent = draw(3) == 0;
    pthread_mutex_unlock(&releasing->lock);
    no_fault(releasing);
    if (draw(2) == 0)
        plan_fault(releasing);
    if (draw(4) == 0)
        releasing_directory_down(releasing);
    else if (draw(2) == 0)
        releasing_configure(releasing, NULL, NULL);
}

static void all_is_well(struct releasing *releasing)
{
    no_fault(releasing);
    smtp_server_plan_none(releasing->server);
    releasing_filter(releasing, NULL);
    pthread_mutex_lock(&releasing->lock);
    releasing->silent = FALSE;
    pthread_mutex_unlock(&releasing->lock);
    releasing_configure(releasing, NULL, NULL);
}

/* How often this recipient has been sent this message. */
static guint deliveries(struct releasing *releasing, const struct hold *hold, const char *name)
{
    g_autofree char *path = g_strdup_printf("<%s@", name);
    gsize length = 0;
    g_autofree guint8 *contents = store_hold_contents(releasing->store, hold, &length, NULL);
    guint count = 0;

    g_assert_nonnull(contents);
    for (guint i = 0; i < smtp_server_count(releasing->server); i++) {
        const struct server_message *message = smtp_server_message(releasing->server, i);
        gsize more = message->octets->len - length;
        if (message->octets->len < length || memcmp(message->octets->data + more, contents, length) != 0)
            continue;
        for (guint j = 0; j < message->rcpts->len; j++)
            count += strstr(message->rcpts->pdata[j], path) != NULL;
    }
    return count;
}

/* What is released has arrived once; what is not has not arrived; Postfix never lies here, so that nothing
 * that arrived stays in doubt. */
static void judge(struct releasing *releasing, const struct hold *hold, gboolean at_end)
{
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        g_auto(GStrv) halves = g_strsplit(recipient->canonical, "@", 2);
        guint count = deliveries(releasing, hold, halves[0]);
        g_assert_cmpuint(count, <=, 1);
        if (recipient->state == HOLD_RELEASED)
            g_assert_cmpuint(count, ==, 1);
        if (recipient->state == HOLD_HELD)
            g_assert_cmpuint(count, ==, 0);
        if (!at_end)
            continue;
        if (recipient->state == HOLD_RELEASING) {
            g_assert_cmpuint(count, ==, 0);
            g_assert_true(g_str_has_prefix(hold->slip.trouble, "release-doubt "));
        } else {
            g_assert_cmpint(recipient->state, ==, HOLD_RELEASED);
        }
    }
}

/* Looks, and what a person would do about what waits for one. */
static void come_to_an_end(struct releasing *releasing, struct hold **hold)
{
    all_is_well(releasing);
    for (guint i = 0; i < 5; i++) {
        clock_advance(3600 * 1000);
        releasing_look(releasing, 3);
        releasing_again(releasing, hold);
        if ((*hold)->state == HOLD_HELD)
            release_again(releasing->review, *hold, "boss@agency.gov.cn", NULL);
    }
    judge(releasing, *hold, TRUE);
}

static void test_once(void)
{
    struct releasing *releasing = releasing_new();
    guint doubts = 0, released = 0;

    for (guint round = 0; round < ROUNDS && !g_test_failed(); round++) {
        all_is_well(releasing);
        struct hold *hold = releasing_approved(releasing, draw(2) == 0 ? "an" : "an an2");
        for (guint i = 0; i <= draw(TROUBLES); i++) {
            trouble(releasing);
            releasing_look(releasing, 1 + draw(3));
            if (draw(3) == 0) {
                no_fault(releasing); /* a store that cannot be opened is another test's */
                releasing_restart(releasing);
            }
            releasing_again(releasing, &hold);
            judge(releasing, hold, FALSE);
        }
        come_to_an_end(releasing, &hold);
        doubts += hold->state == HOLD_RELEASING;
        released += hold->state == HOLD_RELEASED;
        hold_free(hold);
    }
    /* Else nothing was shown. */
    g_assert_cmpuint(doubts, >, 0);
    g_assert_cmpuint(released, >, ROUNDS / 4);
    releasing_free(releasing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/once", test_once);
    return g_test_run();
}
