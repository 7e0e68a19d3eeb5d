/* What persons and time do to a hold (semantics.md 10, rows 2, 3, 7, 13, 14; case 57). */
#include "milter/store/hold.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/stored.h"

static const char *const AN = "an@agency.gov.cn", *const NI = "ni@agency.gov.cn";

#define THOUSAND 1000

static gboolean approve(struct stored *stored, const struct hold *hold, GError **error)
{
    return store_hold_approve(stored->store, hold, AN, NULL, NULL, error);
}

static GPtrArray *list(struct stored *stored, const struct hold_filter *filter)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *holds = store_holds(stored->store, stored->world->schemes, filter, &error);

    g_assert_no_error(error);
    return holds;
}

/* ---------------------------------------------------------------- names and lists */
static void expect_absent(struct stored *stored, const char *name)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(store_hold(stored->store, stored->world->schemes, name, &error));
    assert_store_error(error, ABSENT);
}

static void expect_several(struct stored *stored, const char *name)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(store_hold(stored->store, stored->world->schemes, name, &error));
    assert_store_error(error, SEVERAL);
}

static void test_names(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(hold) one = stored_hold(stored, "an");
    g_autoptr(hold) two = stored_hold(stored, "ni");
    g_autofree char *shortened = g_strndup(one->id, HOLD_SHORT_CHARACTERS);
    const char *names[] = {one->id, shortened, one->reference, one->reference + strlen("MIJI-")};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(hold) found = stored_find(stored, names[i]);
        g_assert_cmpstr(found->id, ==, one->id);
    }
    g_autofree char *three = g_strndup(one->id, 3);
    expect_absent(stored, three);
    expect_absent(stored, "");
    expect_absent(stored, "%");
    expect_absent(stored, "____");
    expect_absent(stored, "no such hold");
    stored_change(stored, "UPDATE hold SET id = 'bcdf' || number");
    expect_several(stored, "bcdf"); /* two begin so */
    stored_change(stored, "UPDATE hold SET reference = 'MIJI-twice2'");
    expect_several(stored, "MIJI-twice2");
}

static void test_filter(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) one = stored_hold(stored, "an");
    g_autoptr(hold) two = stored_hold(stored, "ni");
    g_autoptr(hold) three = stored_hold(stored, "an ni");

    stored_change(stored, "UPDATE slip SET queue = 'other' WHERE number = 2");
    stored_change(stored, "UPDATE hold SET at_ms = 1000 WHERE number = 1");
    g_assert_true(store_hold_refuse(stored->store, three, AN, NULL, NULL, &error));
    static const struct {
        struct hold_filter filter;
        guint count;
        const char *last;
    } rows[] = {{{.closed = FALSE}, 2, "ni"},  {{.closed = TRUE}, 3, "an"},
                {{.queue = "other"}, 1, "ni"}, {{.queue = "office"}, 1, "an"},
                {{.queue = "none"}, 0, NULL},  {{.since_ms = 2000}, 1, "ni"},
                {{.limit = 1}, 1, "ni"},       {{.limit = 2, .closed = TRUE}, 2, "an"}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) holds = list(stored, &rows[i].filter);
        g_test_message("row %u", i);
        g_assert_cmpuint(holds->len, ==, rows[i].count);
        if (holds->len == 0 || rows[i].last == NULL)
            continue;
        const struct hold *last = g_ptr_array_index(holds, holds->len - 1);
        const struct hold_recipient *recipient = g_ptr_array_index(last->recipients, 0);
        g_assert_true(g_str_has_prefix(recipient->canonical, rows[i].last));
        for (guint h = 1; h < holds->len; h++)
            g_assert_cmpint(((struct hold *)g_ptr_array_index(holds, h - 1))->number, <,
                            ((struct hold *)g_ptr_array_index(holds, h))->number);
    }
}

/* Copies of rows: what is listed is what counts here. */
static void multiply(struct stored *stored)
{
    static const char *const tables[][2] = {
        {"hold", "id, kind, at_ms, reference, queue_id, class, login, sender, zone, person, owner_address,"
                 " authors, size, digest, about, content, record, display, label, system_high, courtesy,"
                 " answered, seen_again, generation, snapshot_hash, closed_ms"},
        {"hold_recipient", "hold, position, canonical, key, state, via_later, changed_ms, queue_id, leading,"
                           " reasons"},
        {"slip", "hold, queue, version, approved_ms, failing, trouble, stated, deadline_ms, next_try_ms,"
                 " passed_us"},
        {"vote", "hold, slip, at_ms, person, what, label, note, digest, snapshot_hash"}};
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autoptr(GString) values = g_string_new(tables[i][1]);
        if (i == 0)
            g_string_replace(values, "id, kind", "id || '-' || value, kind", 1);
        else
            g_string_replace(values, "hold,", "hold + value,", 1);
        g_autofree char *sql = g_strdup_printf(
            "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < %d)"
            " INSERT INTO %s (%s) SELECT %s FROM %s, n",
            THOUSAND - 1, tables[i][0], tables[i][1], values->str, tables[i][0]);
        stored_change(stored, sql);
    }
}

/* Of this thread, which reads: whatever else the machine does. */
static gint64 processor_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* A thousand holds of five recipients each: in 100 ms at the most, and as many questions as for one. The
 * sanitizers take ten times as long. */
static void test_thousand(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an mi ni gu nobody");
    gint64 best_us = G_MAXINT64;

    g_assert_true(store_hold_note(stored->store, hold, AN, "note", &error));
    multiply(stored);
    for (guint i = 0; i < 5; i++) {
        gint64 start = processor_us();
        g_autoptr(GPtrArray) holds = list(stored, &(struct hold_filter){0});
        best_us = MIN(best_us, processor_us() - start);
        g_assert_cmpuint(holds->len, ==, THOUSAND);
        for (guint h = 0; h < holds->len; h++) {
            const struct hold *one = g_ptr_array_index(holds, h);
            g_assert_cmpuint(one->recipients->len, ==, 5);
            g_assert_cmpuint(one->votes->len, ==, 1);
            g_assert_nonnull(one->label);
        }
    }
    g_test_message("%d holds in %.1f ms", THOUSAND, (double)best_us / 1000);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    best_us /= 10;
#endif
    g_assert_cmpint(best_us, <, 100000);
}

/* ---------------------------------------------------------------- votes */
static void test_approve(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an ni");
    g_autoptr(label_set) stated = label_set_new();
    g_autoptr(label) label =
        label_new(schemes_home(stored->world->schemes), world_level(stored->world, "绝密"));

    label_set_join(stated, label);
    g_autoptr(GPtrArray) none =
        store_holds_due(stored->store, stored->world->schemes, clock_wall_ms(), &error);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_null(store_hold_stated(stored->store, hold, stored->world->schemes));
    g_assert_true(store_hold_approve(stored->store, hold, AN, stated, "seen", &error));
    g_assert_no_error(error);
    g_assert_false(approve(stored, hold, &error)); /* the version that was looked at is gone */
    assert_store_error(error, CHANGED);
    stored_again(stored, &hold);
    g_assert_true(hold->slip.approved);
    g_assert_cmpint(hold->state, ==, HOLD_HELD); /* a vote is not the way out */
    g_assert_cmpuint(hold->votes->len, ==, 1);
    const struct hold_vote *vote = g_ptr_array_index(hold->votes, 0);
    g_assert_cmpstr(vote->person, ==, AN);
    g_assert_cmpstr(vote->what, ==, "approve");
    g_assert_cmpstr(vote->label, ==, "绝密");
    g_assert_cmpstr(vote->note, ==, "seen");
    g_autoptr(label_set) back = store_hold_stated(stored->store, hold, stored->world->schemes);
    g_assert_true(back != NULL && label_set_equal(back, stated));
    g_assert_false(approve(stored, hold, &error)); /* once is enough */
    assert_store_error(error, CHANGED);
    g_autoptr(GPtrArray) due =
        store_holds_due(stored->store, stored->world->schemes, clock_wall_ms(), &error);
    g_assert_cmpuint(due->len, ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit WHERE event = 'approve'"), ==, 1);
    g_assert_cmpint(
        stored_number(stored, "SELECT vote.digest = hold.digest FROM vote JOIN hold ON hold.number = hold"),
        ==, 1);
}

/* After a release that was refused, it may be approved anew, stating another label. */
static void test_approve_again(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an");

    g_assert_false(store_hold_waits(stored->store, hold, "recheck-failed not-cleared", 0, &error));
    assert_store_error(error, CHANGED); /* nobody approved it */
    g_assert_true(approve(stored, hold, &error));
    stored_again(stored, &hold);
    g_assert_true(
        store_hold_waits(stored->store, hold, "directory-unavailable", clock_wall_ms() + 1000, &error));
    stored_again(stored, &hold);
    g_assert_false(hold->slip.failing);
    g_assert_false(approve(stored, hold, &error));
    assert_store_error(error, CHANGED);
    g_assert_true(store_hold_waits(stored->store, hold, "recheck-failed not-cleared", 0, &error));
    stored_again(stored, &hold);
    g_assert_true(hold->slip.approved && hold->slip.failing);
    g_assert_cmpint(hold->slip.next_try_ms, ==, 0);
    g_assert_cmpstr(hold->slip.trouble, ==, "recheck-failed not-cleared");
    g_autoptr(GPtrArray) none =
        store_holds_due(stored->store, stored->world->schemes, G_MAXINT64 / 2, &error);
    g_assert_cmpuint(none->len, ==, 0); /* never by itself */
    g_assert_true(approve(stored, hold, &error));
    stored_again(stored, &hold);
    g_assert_false(hold->slip.failing);
    g_assert_null(hold->slip.trouble);
    g_assert_cmpuint(hold->votes->len, ==, 2);
}

static void test_refuse(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an ni");
    g_autoptr(hold) before = stored_find(stored, hold->id);
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);

    g_ptr_array_add(notices, stored_notice(NOTICE_END, "bo@agency.gov.cn"));
    g_ptr_array_add(notices, stored_notice(NOTICE_END, "gu@agency.gov.cn")); /* one for each addressee */
    g_assert_true(store_hold_refuse(stored->store, hold, AN, "no", notices, &error));
    g_assert_no_error(error);
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_REFUSED);
    g_assert_false(((struct hold_recipient *)g_ptr_array_index(hold->recipients, 0))->via_later);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 2);
    /* no way leads out of it */
    for (guint i = 0; i < 2; i++) {
        const struct hold *seen = i == 0 ? before : hold;
        g_assert_false(approve(stored, seen, &error));
        assert_store_error(error, CHANGED);
        g_assert_false(store_hold_refuse(stored->store, seen, AN, "no", notices, &error));
        assert_store_error(error, CHANGED);
        clock_advance(73 * STORED_HOUR_MS);
        g_assert_false(store_hold_expire(stored->store, seen, NULL, &error));
        assert_store_error(error, CHANGED);
        g_assert_false(store_hold_requeue(stored->store, seen, "other", 1, &error));
        assert_store_error(error, CHANGED);
    }
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 2);
    g_assert_true(store_hold_note(stored->store, hold, NI, "why was that", &error));
    stored_again(stored, &hold);
    g_assert_cmpuint(hold->votes->len, ==, 2);
    g_assert_cmpint(hold->state, ==, HOLD_REFUSED);
}

/* ---------------------------------------------------------------- time */
static void test_expire(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an ni");
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);

    g_ptr_array_add(notices, stored_notice(NOTICE_END, "bo@agency.gov.cn"));
    g_assert_false(store_hold_expire(stored->store, hold, notices, &error));
    assert_store_error(error, CHANGED); /* before the deadline */
    clock_advance(73 * STORED_HOUR_MS);
    g_assert_false(approve(stored, hold, &error)); /* whether or not anybody looked: it has passed */
    assert_store_error(error, CHANGED);
    for (guint minutes = 0; minutes < 10; minutes += 5) {
        g_assert_true(store_hold_expire(stored->store, hold, notices, &error));
        stored_again(stored, &hold);
        g_assert_cmpint(hold->state, ==, HOLD_HELD); /* a first look, and one too soon */
        clock_advance(5 * 60 * 1000);
    }
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 0);
    g_assert_true(store_hold_expire(stored->store, hold, notices, &error));
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_EXPIRED);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit WHERE event = 'expire'"), ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM content"), ==, 1); /* nothing is deleted */
}

/* A look of another life of the machine, whose clock ran further, is none. */
static void test_first_look_elsewhere(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an");

    clock_advance(73 * STORED_HOUR_MS);
    stored_change(stored, "UPDATE slip SET passed_us = 9000000000000000000");
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error));
    clock_advance(9 * 60 * 1000);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error));
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    clock_advance(60 * 1000);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error));
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_EXPIRED);
}

static void test_requeue(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an");
    gint64 deadline_ms;

    g_assert_false(store_hold_requeue(stored->store, hold, "other", 1, &error));
    assert_store_error(error, CHANGED); /* time has not come */
    clock_advance(73 * STORED_HOUR_MS);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error)); /* a first look */
    deadline_ms = clock_wall_ms() + STORED_HOUR_MS;
    g_assert_true(store_hold_requeue(stored->store, hold, "other", deadline_ms, &error));
    g_assert_false(store_hold_requeue(stored->store, hold, "other", deadline_ms, &error));
    assert_store_error(error, CHANGED);
    stored_again(stored, &hold);
    g_assert_cmpstr(hold->slip.queue, ==, "other");
    g_assert_cmpint(hold->slip.deadline_ms, ==, deadline_ms);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    clock_advance(2 * STORED_HOUR_MS);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error)); /* a first look anew */
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
}

/* ---------------------------------------------------------------- row 14 */
static void test_damaged(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) hold = stored_hold(stored, "an");
    gsize length;

    stored_change(stored, "UPDATE content SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00'");
    g_assert_null(store_hold_contents(stored->store, hold, &length, &error));
    assert_store_error(error, DAMAGED);
    clock_advance(73 * STORED_HOUR_MS);
    g_assert_true(store_hold_expire(stored->store, hold, NULL, &error));
    clock_advance(STORED_HOUR_MS);
    g_assert_false(store_hold_expire(stored->store, hold, NULL, &error));
    assert_store_error(error, DAMAGED);
    stored_again(stored, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    stored_change(stored, "UPDATE hold SET record = substr(record, 1, length(record) - 1) || x'00'");
    g_assert_null(store_hold_recorded(stored->store, hold, &error));
    assert_store_error(error, DAMAGED);
    /* what is damaged is listed all the same, with a label that nobody dominates who is not system high */
    stored_change(stored, "UPDATE hold_recipient SET reasons = x'ff00ff'");
    stored_change(stored, "UPDATE hold SET label = 'cn/no such level'");
    stored_again(stored, &hold);
    g_assert_null(hold->label);
    g_assert_cmpstr(hold->label_text, ==, "cn/no such level");
    g_assert_cmpuint(((struct hold_recipient *)g_ptr_array_index(hold->recipients, 0))->reasons->len, ==, 0);
    stored_change(stored, "UPDATE hold SET label = 'cn/机密', system_high = 1");
    stored_again(stored, &hold);
    g_assert_null(hold->label);
}

/* ---------------------------------------------------------------- two at once (case 57) */
enum deed { APPROVE, REFUSE, EXPIRE, REQUEUE, DEEDS };

struct actor {
    struct stored *stored;
    const struct hold *hold;
    enum deed deed;
    pthread_barrier_t *barrier;
    gboolean done;
    GError *error;
};

static void *act(void *data)
{
    struct actor *actor = data;
    struct store *store = actor->stored->store;
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);

    g_ptr_array_add(notices, stored_notice(NOTICE_END, "bo@agency.gov.cn"));
    pthread_barrier_wait(actor->barrier);
    switch (actor->deed) {
    case APPROVE:
        actor->done = store_hold_approve(store, actor->hold, AN, NULL, NULL, &actor->error);
        break;
    case REFUSE:
        actor->done = store_hold_refuse(store, actor->hold, NI, NULL, notices, &actor->error);
        break;
    case EXPIRE:
        actor->done = store_hold_expire(store, actor->hold, notices, &actor->error);
        break;
    case REQUEUE:
        actor->done = store_hold_requeue(store, actor->hold, "other", G_MAXINT64, &actor->error);
        break;
    case DEEDS:
        break;
    }
    return NULL;
}

/* Whoever votes looked a moment before the deadline, whoever acts for time a moment after it. */
static struct actor actor_new(struct stored *stored, struct hold *hold, enum deed deed,
                              pthread_barrier_t *barrier)
{
    hold->slip.deadline_ms = deed == APPROVE || deed == REFUSE ? G_MAXINT64 : 0;
    return (struct actor){.stored = stored, .hold = hold, .deed = deed, .barrier = barrier};
}

static void expect_won(const struct hold *hold, enum deed deed)
{
    static const enum hold_state states[] = {
        [APPROVE] = HOLD_HELD, [REFUSE] = HOLD_REFUSED, [EXPIRE] = HOLD_EXPIRED, [REQUEUE] = HOLD_HELD};

    g_assert_cmpint(hold->state, ==, states[deed]);
    g_assert_true(hold->slip.approved == (deed == APPROVE));
    g_assert_cmpstr(hold->slip.queue, ==, deed == REQUEUE ? "other" : "office");
}

/* Exactly one of the two wins, and the other one hears so; who wrote it hears of one end at most (case 57).
 */
static void race(struct stored *stored, enum deed one, enum deed two)
{
    pthread_barrier_t barrier;
    pthread_t threads[2];
    g_autoptr(hold) hold = stored_hold(stored, "an ni");
    g_autoptr(hold) other = stored_find(stored, hold->id);
    struct actor actors[] = {actor_new(stored, hold, one, &barrier), actor_new(stored, other, two, &barrier)};
    gint64 told = stored_number(stored, "SELECT count(*) FROM notice");

    stored_change(stored, "UPDATE slip SET passed_us = 1"); /* a first look long ago */
    pthread_barrier_init(&barrier, NULL, 2);
    for (guint i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, act, &actors[i]);
    for (guint i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    g_assert_true(actors[0].done != actors[1].done);
    assert_store_error(actors[actors[0].done ? 1 : 0].error, CHANGED);
    stored_again(stored, &hold);
    expect_won(hold, actors[0].done ? one : two);
    told = stored_number(stored, "SELECT count(*) FROM notice") - told;
    g_assert_cmpint(told, ==, hold->state == HOLD_HELD ? 0 : 1);
}

static void test_races(void)
{
    g_autoptr(stored) stored = stored_new();

    for (guint round = 0; round < 5; round++)
        for (guint one = 0; one < DEEDS; one++)
            for (guint two = 0; two < DEEDS; two++)
                race(stored, (enum deed)one, (enum deed)two);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/hold/names", test_names);
    g_test_add_func("/hold/filter", test_filter);
    g_test_add_func("/hold/thousand", test_thousand);
    g_test_add_func("/hold/approve", test_approve);
    g_test_add_func("/hold/approve-again", test_approve_again);
    g_test_add_func("/hold/refuse", test_refuse);
    g_test_add_func("/hold/races", test_races);
    g_test_add_func("/hold/expire", test_expire);
    g_test_add_func("/hold/first-look-elsewhere", test_first_look_elsewhere);
    g_test_add_func("/hold/requeue", test_requeue);
    g_test_add_func("/hold/damaged", test_damaged);
    return g_test_run();
}
