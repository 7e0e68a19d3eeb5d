/* What is not known to have arrived: answers lost, lives ended, and what Postfix and people say of it. */
#include "milter/review/release.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "tests/support/releasing.h"

#define HOUR_MS ((gint64)3600 * 1000)

static void expect_taken(struct releasing *releasing, guint count)
{
    g_assert_cmpuint(smtp_server_count(releasing->server), ==, count);
}

/* ---------------------------------------------------------------- losses */

/* Taken, and nobody heard it: Postfix knows (case 58). */
static void test_lost_answer(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    smtp_server_plan(releasing->server, STEP_TAKEN, NULL);
    releasing->silent = TRUE;
    releasing_look(releasing, 3);
    expect_state(releasing, &hold, "an releasing");
    g_assert_cmpuint(releasing->asked, ==, 2);
    releasing->silent = FALSE;
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1");
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

/* Where Postfix can never be asked (its log is in the journal, its queue is closed to us), a person is. */
static void test_nobody_to_ask(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");
    g_autoptr(GError) error = NULL;

    smtp_server_plan(releasing->server, STEP_TAKEN, NULL);
    releasing->silent = TRUE;
    releasing_look(releasing, 10); /* it may be starting */
    expect_state(releasing, &hold, "an releasing");
    releasing_look(releasing, 100);
    expect_state(releasing, &hold, "an releasing | release-doubt 4Q1");
    g_assert_true(release_done(releasing->review, hold, "boss@agency.gov.cn", &error));
    expect_state(releasing, &hold, "an released 4Q1");
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

/* Before the release socket had it: it never was there. */
static void test_lost_before(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    smtp_server_plan(releasing->server, STEP_DOT, NULL);
    releasing_look(releasing, 1);
    smtp_server_plan_none(releasing->server);
    releasing_look(releasing, 3);
    expect_state(releasing, &hold, "an released 4Q2");
    g_assert_cmpuint(releasing->asked, ==, 0);
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

/* Let in, and lost before it was taken. */
static struct hold *in_doubt(struct releasing *releasing)
{
    struct hold *hold = releasing_approved(releasing, "an");

    releasing_filter(releasing, "");
    releasing_look(releasing, 2);
    expect_state(releasing, &hold, "an releasing");
    releasing_filter(releasing, NULL);
    releasing_look(releasing, 1);
    return hold;
}

static void test_doubt_again(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = in_doubt(releasing);

    expect_state(releasing, &hold, "an releasing | release-doubt 4Q1");
    releasing_look(releasing, 100); /* time alone does nothing */
    expect_taken(releasing, 0);
    g_assert_true(release_again(releasing->review, hold, "boss@agency.gov.cn", NULL));
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q2");
    const struct hold_vote *vote = g_ptr_array_index(hold->votes, hold->votes->len - 1);
    g_assert_cmpstr(vote->what, ==, "again");
    g_assert_cmpstr(vote->person, ==, "boss@agency.gov.cn");
    g_assert_false(release_again(releasing->review, hold, "boss@agency.gov.cn", NULL));
    hold_free(hold);
    releasing_free(releasing);
}

static void test_doubt_done(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = in_doubt(releasing);
    g_autoptr(GError) error = NULL;

    g_assert_true(release_done(releasing->review, hold, "boss@agency.gov.cn", &error));
    expect_state(releasing, &hold, "an released 4Q1");
    const struct hold_vote *vote = g_ptr_array_index(hold->votes, hold->votes->len - 1);
    g_assert_cmpstr(vote->what, ==, "done");
    releasing_look(releasing, 3);
    expect_taken(releasing, 0);
    g_assert_false(release_done(releasing->review, hold, "boss@agency.gov.cn", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_ABSENT);
    hold_free(hold);
    releasing_free(releasing);
}

static void test_doubt_resend(void)
{
    struct releasing *releasing = releasing_new();

    releasing_configure(releasing, "release doubt resend\n", NULL);
    struct hold *hold = in_doubt(releasing);
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q2");
    hold_free(hold);
    releasing_free(releasing);
}

/* Nothing is in doubt: nothing to be said about it. */
static void test_no_doubt(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(release_again(releasing->review, hold, "boss@agency.gov.cn", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_ABSENT);
    g_clear_error(&error);
    g_assert_false(release_done(releasing->review, hold, "boss@agency.gov.cn", &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_ABSENT);
    releasing_look(releasing, 2);
    expect_taken(releasing, 0);
    hold_free(hold);
    releasing_free(releasing);
}

/* A listener that asks nobody: it is out, whatever the attempt says, and goes out once. */
static void test_unguarded(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing->guarded = FALSE;
    releasing_look(releasing, 3);
    expect_taken(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1");
    hold_free(hold);
    releasing_free(releasing);
}

/* … and never says that it took it: what nobody can know is not tried again and again without a pause. */
static void test_unguarded_and_lost(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing->guarded = FALSE;
    smtp_server_plan(releasing->server, STEP_TAKEN, NULL);
    releasing_look(releasing, 60);
    g_assert_cmpuint(smtp_server_count(releasing->server), <=, 8);
    hold_free(hold);
    releasing_free(releasing);
}

/* An earlier life ended behind row 4. */
static void test_restart(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");
    g_autoptr(GPtrArray) canonical = g_ptr_array_new(), given = g_ptr_array_new();
    guint8 digest[32] = {0};

    g_ptr_array_add(canonical, (gpointer) "an@agency.gov.cn");
    g_ptr_array_add(given, (gpointer) "<an@agency.gov.cn>");
    g_autoptr(attempt) attempt = store_attempt_begin(releasing->store, hold, canonical, given, digest,
                                                     clock_wall_ms() + HOUR_MS, NULL);
    g_assert_nonnull(attempt);
    releasing_restart(releasing);
    releasing_look(releasing, 2);
    expect_taken(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1");
    hold_free(hold);
    releasing_free(releasing);
}

/* ---------------------------------------------------------------- threads */

static void test_threads(void)
{
    struct releasing *releasing = releasing_new();
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&releasing->review, review_free);
    struct review *review = review_start(&releasing->host, &error);
    g_assert_no_error(error);
    struct hold *hold = releasing_approved(releasing, "an");
    review_wake(review);
    WAIT_FOR(smtp_server_count(releasing->server) == 1)
    WAIT_FOR((releasing_again(releasing, &hold), hold->state == HOLD_RELEASED))
    review_stop(review);
    hold_free(hold);
    releasing_free(releasing);
}

/* Told to stop while a neighbour hangs: at once, and the next life finds out. */
static void test_stop(void)
{
    struct releasing *releasing = releasing_new();

    smtp_server_plan(releasing->server, STEP_TAKEN, "");
    g_clear_pointer(&releasing->review, review_free);
    struct review *review = review_start(&releasing->host, NULL);
    struct hold *hold = releasing_approved(releasing, "an");
    review_wake(review);
    WAIT_FOR(smtp_server_hangs(releasing->server))
    gint64 begun_us = g_get_monotonic_time();
    review_stop(review);
    g_assert_cmpint(g_get_monotonic_time() - begun_us, <, 5 * G_USEC_PER_SEC);
    expect_state(releasing, &hold, "an releasing");
    releasing->review = review_new(&releasing->host);
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1");
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/doubt/lost-answer", test_lost_answer);
    g_test_add_func("/review/doubt/nobody-to-ask", test_nobody_to_ask);
    g_test_add_func("/review/doubt/lost-before", test_lost_before);
    g_test_add_func("/review/doubt/doubt-again", test_doubt_again);
    g_test_add_func("/review/doubt/doubt-done", test_doubt_done);
    g_test_add_func("/review/doubt/doubt-resend", test_doubt_resend);
    g_test_add_func("/review/doubt/no-doubt", test_no_doubt);
    g_test_add_func("/review/doubt/unguarded", test_unguarded);
    g_test_add_func("/review/doubt/unguarded-and-lost", test_unguarded_and_lost);
    g_test_add_func("/review/doubt/restart", test_restart);
    g_test_add_func("/review/doubt/threads", test_threads);
    g_test_add_func("/review/doubt/stop", test_stop);
    return g_test_run();
}
