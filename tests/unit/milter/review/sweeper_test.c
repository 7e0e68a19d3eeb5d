/* Deadlines: what time ends, what it leaves alone, and that it lets nothing out (semantics.md 13.15). */
#include "milter/conf/clock.h"
#include "milter/review/limits.h"
#include "milter/store/audit.h"
#include "milter/store/outbox.h"
#include "tests/support/releasing.h"

#define MINUTE_MS ((gint64)60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static void sweep(struct releasing *releasing)
{
    sweep_look(releasing->review);
}

/* Two looks ten minutes apart. */
static void sweep_twice(struct releasing *releasing)
{
    sweep(releasing);
    clock_advance(10 * MINUTE_MS + 1000);
    sweep(releasing);
}

static guint notices(struct releasing *releasing)
{
    g_autoptr(GPtrArray) due = store_outbox_due(releasing->store, clock_wall_ms(), 100, NULL);

    return due->len;
}

static void test_expires(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an an2", NULL);

    clock_advance(3 * DAY_MS - MINUTE_MS);
    sweep_twice(releasing); /* the first look is before the deadline */
    expect_state(releasing, &hold, "an held, an2 held");
    sweep(releasing);
    clock_advance(9 * MINUTE_MS);
    sweep(releasing);
    expect_state(releasing, &hold, "an held, an2 held");
    g_assert_cmpuint(notices(releasing), ==, 0);
    clock_advance(2 * MINUTE_MS);
    sweep(releasing);
    expect_state(releasing, &hold, "an expired, an2 expired");
    g_assert_cmpuint(notices(releasing), ==, 1);
    sweep_twice(releasing);
    g_assert_cmpuint(notices(releasing), ==, 1);
    hold_free(hold);
    releasing_free(releasing);
}

/* An approval before the deadline stops it; `release within` begins. */
static void test_approved(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    clock_advance(2 * DAY_MS);
    releasing_approve(releasing, &hold);
    releasing_directory_down(releasing);
    for (guint i = 0; i < 12; i++) {
        releasing_look(releasing, 1);
        sweep_twice(releasing);
        clock_advance(12 * HOUR_MS);
    }
    expect_state(releasing, &hold, "an held | recheck-put-off directory-unavailable");
    clock_advance(2 * DAY_MS);
    sweep_twice(releasing);
    releasing_again(releasing, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_EXPIRED);
    releasing_configure(releasing, NULL, NULL);
    releasing_look(releasing, 3);
    g_assert_cmpuint(smtp_server_sessions(releasing->server), ==, 0);
    hold_free(hold);
    releasing_free(releasing);
}

/* Mail from outside does not end while nobody can say who is to be told of it. */
static void test_nobody_to_tell(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    releasing_change(releasing, "UPDATE hold SET class = 3, person = NULL, login = NULL");
    clock_advance(3 * DAY_MS + MINUTE_MS);
    releasing_directory_down(releasing);
    sweep_twice(releasing);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an held");
    releasing_configure(releasing, NULL, NULL);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an expired");
    g_assert_cmpuint(notices(releasing), ==, 1);
    hold_free(hold);
    releasing_free(releasing);
}

/* What is on its way, or in doubt, does not expire. */
static void test_releasing(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing->silent = TRUE;
    smtp_server_plan(releasing->server, STEP_TAKEN, NULL);
    releasing_look(releasing, 1);
    clock_advance(30 * DAY_MS);
    sweep_twice(releasing);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an releasing");
    hold_free(hold);
    releasing_free(releasing);
}

static void test_then_hold_in(void)
{
    struct releasing *releasing = releasing_new();

    releasing_configure(
        releasing,
        "queue \"first\" { reviewers \"boss@agency.gov.cn\"; deadline 1d then hold in \"office\" }\n"
        "label conflict hold in \"first\"\n",
        NULL);
    struct hold *hold = releasing_hold(releasing, "an", NULL);
    g_autofree char *queue = g_strdup(hold->slip.queue);
    clock_advance(3 * DAY_MS + MINUTE_MS);
    sweep(releasing);
    clock_advance(9 * MINUTE_MS);
    sweep(releasing);
    releasing_again(releasing, &hold);
    g_assert_cmpstr(hold->slip.queue, ==, queue);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    clock_advance(2 * MINUTE_MS);
    sweep(releasing);
    releasing_again(releasing, &hold);
    g_assert_cmpstr(queue, ==, "first");
    g_assert_cmpstr(hold->slip.queue, ==, "office");
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    g_assert_cmpint(hold->slip.deadline_ms - clock_wall_ms(), >, 3 * DAY_MS - MINUTE_MS);
    clock_advance(3 * DAY_MS);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an expired");
    hold_free(hold);
    releasing_free(releasing);
}

/* A clock that was wrong for a moment, seen from it: the deadline had passed, and has not. Two looks are two
 * looks at the same end. */
static void test_passed_and_not(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    clock_advance(3 * DAY_MS + MINUTE_MS);
    sweep(releasing);
    releasing_change(releasing, "UPDATE slip SET deadline_ms = deadline_ms + 86400000");
    sweep(releasing);
    clock_advance(DAY_MS);
    sweep(releasing);
    expect_state(releasing, &hold, "an held");
    clock_advance(10 * MINUTE_MS + 1000);
    sweep(releasing);
    expect_state(releasing, &hold, "an expired");
    hold_free(hold);
    releasing_free(releasing);
}

/* A wall clock that stands before what was recorded says nothing of deadlines. */
static void test_doubtful_clock(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    clock_advance(30 * DAY_MS);
    struct audit_entry entry = {.event = "view", .who = "boss@agency.gov.cn"};
    g_assert_true(store_audit(releasing->store, &entry, NULL));
    clock_advance(-20 * DAY_MS);
    sweep_twice(releasing);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an held");
    clock_advance(20 * DAY_MS);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an expired");
    hold_free(hold);
    releasing_free(releasing);
}

/* Row 14: nobody decides by time about what nobody can read. */
static void test_damaged(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    releasing_change(releasing, "UPDATE content SET digest = zeroblob(32)");
    clock_advance(30 * DAY_MS);
    sweep_twice(releasing);
    sweep_twice(releasing);
    expect_state(releasing, &hold, "an held");
    hold_free(hold);
    releasing_free(releasing);
}

static void expect_kept(struct releasing *releasing, guint count)
{
    struct hold_filter all = {.closed = TRUE};
    g_autoptr(GPtrArray) holds = store_holds(releasing->store, releasing->snapshot->schemes, &all, NULL);

    g_assert_cmpuint(holds->len, ==, count);
}

/* What is closed goes after `keep closed holds`, at the hourly look; what waits never does. */
static void test_tidy(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an"), *waits = NULL;

    sweep(releasing);
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1");
    clock_advance(29 * DAY_MS);
    waits = releasing_hold(releasing, "an", NULL);
    sweep(releasing);
    expect_kept(releasing, 2);
    clock_advance(2 * DAY_MS);
    sweep(releasing);
    expect_kept(releasing, 2); /* one look is none: the clock may have jumped */
    clock_advance(DAY_MS / 24);
    sweep(releasing);
    expect_kept(releasing, 1);
    expect_state(releasing, &waits, "an held");
    hold_free(hold);
    hold_free(waits);
    releasing_free(releasing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/sweeper/expires", test_expires);
    g_test_add_func("/review/sweeper/approved", test_approved);
    g_test_add_func("/review/sweeper/releasing", test_releasing);
    g_test_add_func("/review/sweeper/nobody-to-tell", test_nobody_to_tell);
    g_test_add_func("/review/sweeper/then-hold-in", test_then_hold_in);
    g_test_add_func("/review/sweeper/passed-and-not", test_passed_and_not);
    g_test_add_func("/review/sweeper/doubtful-clock", test_doubtful_clock);
    g_test_add_func("/review/sweeper/damaged", test_damaged);
    g_test_add_func("/review/sweeper/tidy", test_tidy);
    return g_test_run();
}
