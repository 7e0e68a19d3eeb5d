/* The way out (semantics.md 10, rows 4 and 8 to 11). */
#include "milter/store/attempt.h"

#include <pthread.h>
#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/stored.h"

static const char *const AN = "an@agency.gov.cn", *const NI = "ni@agency.gov.cn";

static struct attempt *begin(struct stored *stored, const struct hold *hold, const char *first,
                             const char *second, GError **error)
{
    g_autoptr(GPtrArray) canonical = g_ptr_array_new(), given = g_ptr_array_new_with_free_func(g_free);
    const char *const both[] = {first, second};
    guint8 digest[32] = "digest of what is sent";

    for (guint i = 0; i < 2; i++) {
        if (both[i] == NULL)
            continue;
        g_ptr_array_add(canonical, (gpointer)both[i]);
        g_ptr_array_add(given, g_strdup_printf("<%s>", both[i]));
    }
    return store_attempt_begin(stored->store, hold, canonical, given, digest,
                               clock_wall_ms() + 10 * 60 * 1000, error);
}

/* An approved hold of an and ni, as it is now. */
static struct hold *approved_hold(struct stored *stored)
{
    g_autoptr(GError) error = NULL;
    struct hold *hold = stored_hold(stored, "an ni");

    g_assert_true(store_hold_approve(stored->store, hold, AN, NULL, NULL, &error));
    stored_again(stored, &hold);
    return hold;
}

static enum hold_state state_of(const struct hold *hold, const char *canonical)
{
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        if (strcmp(recipient->canonical, canonical) == 0)
            return recipient->state;
    }
    g_error("no recipient %s", canonical);
}

/* The attempt as the store has it now. */
static void look_again(struct stored *stored, struct attempt **attempt)
{
    g_autoptr(GError) error = NULL;
    struct attempt *again = store_attempt(stored->store, (*attempt)->id, &error);

    g_assert_no_error(error);
    attempt_free(*attempt);
    *attempt = again;
}

/* ---------------------------------------------------------------- row 4 */
static void test_begin(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an ni");

    g_assert_null(begin(stored, hold, AN, NULL, &error)); /* without a vote */
    assert_store_error(error, CHANGED);
    g_assert_true(store_hold_approve(stored->store, hold, AN, NULL, NULL, &error));
    g_assert_null(begin(stored, hold, AN, NULL, &error)); /* the version before the vote */
    assert_store_error(error, CHANGED);
    stored_again(stored, &hold);
    g_assert_null(
        begin(stored, hold, AN, "gu@agency.gov.cn", &error)); /* one who is not in it: none of them */
    assert_store_error(error, CHANGED);
    g_autoptr(attempt) attempt = begin(stored, hold, AN, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(attempt->id), ==, 27);
    g_assert_cmpint(attempt->state, ==, ATTEMPT_OPEN);
    g_assert_cmpint(attempt->hold, ==, hold->number);
    g_assert_cmpint(attempt->notice, ==, 0);
    g_assert_cmpstr((char *)attempt->digest, ==, "digest of what is sent");
    g_assert_cmpuint(attempt->recipients->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(attempt->recipients, 0), ==, "<an@agency.gov.cn>");
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_HELD); /* the least finished: ni */
    g_assert_cmpint(state_of(hold, AN), ==, HOLD_RELEASING);
    g_assert_null(begin(stored, hold, AN, NULL, &error)); /* it is on its way */
    assert_store_error(error, CHANGED);
    g_assert_cmpint(hold->slip.next_try_ms, >, 0); /* ni is looked at again */
    g_autoptr(attempt) other = begin(stored, hold, NI, NULL, &error);
    g_assert_no_error(error);
    stored_again(stored, &hold);
    g_assert_cmpint(hold->slip.next_try_ms, ==, 0);
    g_autoptr(GPtrArray) open = store_attempts_open(stored->store, &error);
    g_assert_cmpuint(open->len, ==, 2);
    g_assert_null(store_attempt(stored->store, "no such attempt", &error));
    assert_store_error(error, ABSENT);
}

/* 7.3: not before the client has had its answer, came again, or an hour has passed. */
static void test_unanswered(void)
{
    for (guint how = 0; how < 4; how++) {
        g_autoptr(stored) stored = stored_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(hold) hold = approved_hold(stored);
        stored_change(stored, "UPDATE hold SET answered = 0");
        g_autoptr(GPtrArray) none =
            store_holds_due(stored->store, stored->world->schemes, clock_wall_ms(), &error);
        g_assert_cmpuint(none->len, ==, 0);
        g_assert_null(begin(stored, hold, AN, NI, &error));
        assert_store_error(error, CHANGED);
        if (how == 0)
            continue;
        if (how == 1)
            store_answered(stored->store, hold->reference);
        if (how == 2) {
            g_autoptr(decision) again = stored_decide(stored, "hh");
            g_assert_true(stored_keep(stored, again, NULL, NULL, &error));
        }
        if (how == 3)
            clock_advance(STORED_HOUR_MS);
        writer_flush(stored->store->writer);
        g_autoptr(GPtrArray) due =
            store_holds_due(stored->store, stored->world->schemes, clock_wall_ms(), &error);
        g_assert_cmpuint(due->len, ==, 1);
        g_autoptr(attempt) attempt = begin(stored, hold, AN, NI, &error);
        g_assert_no_error(error);
    }
}

/* ---------------------------------------------------------------- rows 8 and 9 */
static void test_released(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = approved_hold(stored);
    g_autoptr(attempt) attempt = begin(stored, hold, AN, NI, &error);
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);

    g_ptr_array_add(notices, stored_notice(NOTICE_END, "bo@agency.gov.cn"));
    g_assert_true(store_attempt_offered(stored->store, attempt, "4R1", &error));
    g_assert_false(store_attempt_offered(stored->store, attempt, "4R2", &error)); /* once */
    assert_store_error(error, CHANGED);
    look_again(stored, &attempt);
    g_assert_cmpint(attempt->state, ==, ATTEMPT_OFFERED);
    g_assert_cmpstr(attempt->queue_id, ==, "4R1");
    g_assert_true(store_attempt_released(stored->store, attempt, NULL, NULL, notices, &error));
    g_assert_false(store_attempt_released(stored->store, attempt, NULL, NULL, notices, &error));
    assert_store_error(error, CHANGED);
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_RELEASED);
    for (guint i = 0; i < 2; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        g_assert_cmpstr(recipient->queue_id, ==, "4R1");
        g_assert_false(recipient->via_later);
    }
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 1);
    g_autoptr(GPtrArray) open = store_attempts_open(stored->store, &error);
    g_assert_cmpuint(open->len, ==, 0);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit WHERE event IN ('approve', 'releasing',"
                                          " 'offered', 'released')"),
                    ==, 4);
    look_again(stored, &attempt);
    g_assert_false(store_attempt_failed(stored->store, attempt, "4xx", FALSE, 1, &error));
    assert_store_error(error, CHANGED);
    g_assert_false(store_attempt_again(stored->store, attempt, AN, &error));
    assert_store_error(error, CHANGED);
}

/* The token is good for ten minutes. */
static void test_offered_too_late(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = approved_hold(stored);
    g_autoptr(attempt) attempt = begin(stored, hold, AN, NI, &error);

    clock_advance(10 * 60 * 1000);
    g_assert_false(store_attempt_offered(stored->store, attempt, "4R1", &error));
    assert_store_error(error, CHANGED);
}

/* ---------------------------------------------------------------- row 10 */
static void test_failed(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = approved_hold(stored);
    gint64 next_ms = clock_wall_ms() + 60000;
    g_autoptr(attempt) first = begin(stored, hold, AN, NI, &error);

    g_assert_true(store_attempt_failed(stored->store, first, "451 busy", FALSE, next_ms, &error));
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    g_assert_true(hold->slip.approved); /* votes stand */
    g_assert_false(hold->slip.failing);
    g_assert_cmpstr(hold->slip.trouble, ==, "451 busy");
    g_assert_cmpint(hold->slip.next_try_ms, ==, next_ms);
    g_assert_false(store_attempt_offered(stored->store, first, "4R1", &error)); /* too late for the socket */
    assert_store_error(error, CHANGED);
    g_autoptr(attempt) second = begin(stored, hold, AN, NI, &error);
    g_assert_true(store_attempt_offered(stored->store, second, "4R2", &error));
    /* whoever lost the connection before, thinks that nothing was offered */
    g_assert_false(store_attempt_failed(stored->store, second, "lost", FALSE, next_ms, &error));
    assert_store_error(error, CHANGED);
    look_again(stored, &second);
    g_assert_true(store_attempt_failed(stored->store, second, "release-failed 550", TRUE, next_ms, &error));
    stored_again(stored, &hold);
    g_assert_true(hold->slip.failing);
    g_assert_cmpint(hold->slip.next_try_ms, ==, 0);
    g_autoptr(GPtrArray) due = store_holds_due(stored->store, stored->world->schemes, G_MAXINT64 / 2, &error);
    g_assert_cmpuint(due->len, ==, 0);
}

/* A recipient that is on its way neither expires nor is refused. */
static void test_no_end_on_the_way(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = approved_hold(stored);
    g_autoptr(attempt) attempt = begin(stored, hold, AN, NULL, &error);

    clock_advance(80 * STORED_HOUR_MS);
    stored_again(stored, &hold);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error));
    clock_advance(STORED_HOUR_MS);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error)); /* release within has passed */
    stored_again(stored, &hold);
    g_assert_cmpint(state_of(hold, AN), ==, HOLD_RELEASING);
    g_assert_cmpint(state_of(hold, NI), ==, HOLD_EXPIRED);
    g_assert_cmpint(hold->state, ==, HOLD_RELEASING);
    g_assert_false(store_hold_refuse(stored->store, hold, NI, NULL, NULL, &error));
    assert_store_error(error, CHANGED);
    g_assert_false(store_hold_expire(stored->store, hold, NULL, &error));
    assert_store_error(error, CHANGED);
    g_assert_true(store_attempt_released(stored->store, attempt, "4R1", NULL, NULL, &error));
    stored_again(stored, &hold);
    g_assert_cmpint(state_of(hold, AN), ==, HOLD_RELEASED);
    g_assert_cmpint(state_of(hold, NI), ==, HOLD_EXPIRED);
}

/* ---------------------------------------------------------------- row 11 */
static struct attempt *doubtful(struct stored *stored, struct hold *hold)
{
    g_autoptr(GError) error = NULL;
    struct attempt *attempt = begin(stored, hold, AN, NI, &error);

    g_assert_false(store_attempt_doubt(stored->store, attempt, &error)); /* nothing was offered: no doubt */
    assert_store_error(error, CHANGED);
    g_assert_true(store_attempt_offered(stored->store, attempt, "4R1", &error));
    look_again(stored, &attempt);
    g_assert_true(store_attempt_doubt(stored->store, attempt, &error));
    look_again(stored, &attempt);
    g_assert_cmpint(attempt->state, ==, ATTEMPT_DOUBT);
    return attempt;
}

static void test_doubt(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = approved_hold(stored);
    g_autoptr(attempt) attempt = doubtful(stored, hold);

    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_RELEASING);
    g_assert_cmpstr(hold->slip.trouble, ==, "release-doubt 4R1");
    g_assert_false(
        store_attempt_failed(stored->store, attempt, "again", FALSE, 1, &error)); /* not by itself */
    assert_store_error(error, CHANGED);
    stored_reopen(stored);
    g_autoptr(GPtrArray) open = store_attempts_open(stored->store, &error);
    g_assert_cmpuint(open->len, ==, 1);
    g_assert_true(store_attempt_again(stored->store, attempt, AN, &error));
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    g_assert_cmpstr(((struct hold_vote *)g_ptr_array_index(hold->votes, 1))->what, ==, "again");
    g_assert_null(hold->slip.trouble);
    g_assert_cmpint(hold->slip.next_try_ms, <=, clock_wall_ms());
    g_autoptr(attempt) second = doubtful(stored, hold);
    g_assert_true(store_attempt_released(stored->store, second, NULL, NI, NULL, &error)); /* --done */
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_RELEASED);
    g_assert_cmpstr(((struct hold_recipient *)g_ptr_array_index(hold->recipients, 0))->queue_id, ==, "4R1");
    const struct hold_vote *done = g_ptr_array_index(hold->votes, 2);
    g_assert_cmpstr(done->what, ==, "done");
    g_assert_cmpstr(done->person, ==, NI);
}

/* ---------------------------------------------------------------- the socket against the releaser */
struct race {
    struct stored *stored;
    const struct attempt *attempt;
    pthread_barrier_t barrier;
    gboolean offered;
};

static void *offer(void *data)
{
    struct race *race = data;
    g_autoptr(GError) error = NULL;

    pthread_barrier_wait(&race->barrier);
    race->offered = store_attempt_offered(race->stored->store, race->attempt, "4R1", &error);
    return NULL;
}

/* Offered or failed: never both, so that nothing is sent a second time. */
static void test_race(void)
{
    g_autoptr(stored) stored = stored_new();

    for (guint round = 0; round < 30; round++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(hold) hold = approved_hold(stored);
        g_autoptr(attempt) attempt = begin(stored, hold, AN, NI, &error);
        struct race race = {.stored = stored, .attempt = attempt};
        pthread_t thread;
        pthread_barrier_init(&race.barrier, NULL, 2);
        pthread_create(&thread, NULL, offer, &race);
        pthread_barrier_wait(&race.barrier);
        gboolean failed = store_attempt_failed(stored->store, attempt, "lost", FALSE, 1, &error);
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&race.barrier);
        g_assert_true(failed != race.offered);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/attempt/begin", test_begin);
    g_test_add_func("/attempt/unanswered", test_unanswered);
    g_test_add_func("/attempt/released", test_released);
    g_test_add_func("/attempt/offered-too-late", test_offered_too_late);
    g_test_add_func("/attempt/failed", test_failed);
    g_test_add_func("/attempt/no-end-on-the-way", test_no_end_on_the_way);
    g_test_add_func("/attempt/doubt", test_doubt);
    g_test_add_func("/attempt/race", test_race);
    return g_test_run();
}
