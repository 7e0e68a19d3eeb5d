/*
 * Whatever is done, in whatever order, by votes, time, the way out and the client that comes again, over new
 * and over old looks at a hold: what holds of its states (semantics.md 13.12, 13.14, 13.15).
 */
#include "milter/store/attempt.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/stored.h"

static const char *const AN = "an@agency.gov.cn";

static struct attempt *begin(struct stored *stored, const struct hold *hold, const char *first,
                             const char *second)
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
                               clock_wall_ms() + 10 * 60 * 1000, NULL);
}

#define PEOPLE 3
static const char *const people[PEOPLE] = {"an@agency.gov.cn", "mi@agency.gov.cn", "ni@agency.gov.cn"};

struct play {
    struct stored *stored;
    GHashTable *ends; /* "hold position" -> state that it may not leave */
    GPtrArray *seen;  /* struct hold *: old looks are acted upon, too */
    GPtrArray *attempts;
    guint releases[PEOPLE], agains;
    gboolean is_time; /* the last deed was one of time alone */
};

static struct hold *any_look(struct play *play)
{
    guint back = (guint)g_test_rand_int_range(0, 3);

    return play->seen->len == 0
               ? NULL
               : g_ptr_array_index(play->seen, play->seen->len - 1 - MIN(back, play->seen->len - 1));
}

static struct attempt *any_attempt(struct play *play)
{
    if (play->attempts->len == 0)
        return NULL;
    return g_ptr_array_index(play->attempts, (guint)g_test_rand_int_range(0, (gint32)play->attempts->len));
}

static void look(struct play *play)
{
    g_autoptr(GPtrArray) holds = store_holds(play->stored->store, play->stored->world->schemes,
                                             &(struct hold_filter){.closed = g_test_rand_bit()}, NULL);

    while (holds->len > 0)
        g_ptr_array_add(play->seen, g_ptr_array_steal_index(holds, 0));
}

/* The client comes again with the same message; now and then it was decided before something else was done.
 */
static void come(struct play *play)
{
    char verdicts[PEOPLE + 1] = "";
    g_autoptr(GError) error = NULL;
    g_autoptr(decision) decision = NULL;

    for (guint i = 0; i < PEOPLE; i++)
        verdicts[i] = "hhhhhhhhhhhhhhhhdfr"[g_test_rand_int_range(0, 19)];
    if (g_test_rand_int_range(0, 4) == 0)
        decision = stored_decide_blindly(play->stored, verdicts);
    else
        decision = stored_decide(play->stored, verdicts);
    if (decision->act == ACT_DEFER)
        stored_keep_later(play->stored, decision);
    else if (stored_keep(play->stored, decision, NULL, NULL, &error))
        store_answered(play->stored->store, decision->reference);
    else
        g_assert_error(error, STORE_ERROR, STORE_ERROR_CHANGED);
}

static void start(struct play *play, const struct hold *hold)
{
    guint first = (guint)g_test_rand_int_range(0, PEOPLE), second = (guint)g_test_rand_int_range(0, PEOPLE);
    struct attempt *attempt = begin(play->stored, hold, people[first],
                                    first != second && g_test_rand_bit() ? people[second] : NULL);

    if (attempt != NULL)
        g_ptr_array_add(play->attempts, attempt);
}

static void count_release(struct play *play, const struct attempt *attempt)
{
    for (guint i = 0; i < PEOPLE; i++)
        for (guint r = 0; r < attempt->recipients->len; r++)
            if (strstr(g_ptr_array_index(attempt->recipients, r), people[i]) != NULL)
                play->releases[i]++;
}

static void do_to_attempt(struct play *play, gint deed)
{
    struct attempt *old = any_attempt(play);
    struct store *store = play->stored->store;

    if (old == NULL)
        return;
    g_autoptr(attempt) now = store_attempt(store, old->id, NULL);
    const struct attempt *attempt = g_test_rand_int_range(0, 4) == 0 ? old : now;
    if (deed == 0)
        store_attempt_offered(store, attempt, "4R1", NULL);
    else if (deed == 1)
        store_attempt_failed(store, attempt, "lost", g_test_rand_bit(), clock_wall_ms(), NULL);
    else if (deed == 2)
        store_attempt_doubt(store, attempt, NULL);
    else if (deed == 3 && store_attempt_again(store, attempt, AN, NULL))
        play->agains++;
    else if (deed == 4 && store_attempt_released(store, attempt, "4R1", NULL, NULL, NULL))
        count_release(play, attempt);
}

static void do_to_hold(struct play *play, gint deed)
{
    struct hold *hold = any_look(play);
    struct store *store = play->stored->store;

    if (hold == NULL)
        return;
    play->is_time = deed == 2 || deed == 3;
    if (deed == 0)
        store_hold_approve(store, hold, AN, NULL, NULL, NULL);
    else if (deed == 1 && g_test_rand_int_range(0, 10) == 0)
        store_hold_refuse(store, hold, AN, NULL, NULL, NULL);
    else if (deed == 2)
        store_hold_expire(store, hold, NULL, NULL);
    else if (deed == 3)
        store_hold_requeue(store, hold, "other", clock_wall_ms() + STORED_HOUR_MS, NULL);
    else if (deed == 4)
        store_hold_waits(store, hold, "recheck-failed", g_test_rand_bit() ? 0 : clock_wall_ms(), NULL);
    else
        start(play, hold);
}

static void step(struct play *play)
{
    gint kind = g_test_rand_int_range(0, 20);

    play->is_time = FALSE;
    if (kind < 2) {
        come(play);
    } else if (kind < 10) {
        do_to_hold(play, g_test_rand_int_range(0, 7));
    } else if (kind < 17) {
        do_to_attempt(play, g_test_rand_int_range(0, 5));
    } else if (g_test_rand_int_range(0, 3) == 0) {
        clock_advance(g_test_rand_bit() ? 11 * 60 * 1000 : 73 * STORED_HOUR_MS);
        look(play);
        do_to_hold(play, 2);
        play->is_time = TRUE;
    } else if (g_test_rand_int_range(0, 6) == 0) {
        stored_reopen(play->stored);
    }
    look(play);
}

/* 13.14: no end is left; 13.15: no deed of time leads on to the way out. */
static void check_states(struct play *play, gint64 on_the_way)
{
    static const char sql[] = "SELECT hold, position, state FROM hold_recipient";
    struct rows *rows = rows_begin(store_read_begin(play->stored->store), sql, "");

    while (rows_next(rows, NULL) == ROWS_ROW) {
        g_autofree char *who = g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                                               rows_integer(rows, 0), rows_integer(rows, 1));
        gpointer before = NULL;
        gint64 state = rows_integer(rows, 2);
        if (g_hash_table_lookup_extended(play->ends, who, NULL, &before))
            g_assert_cmpint(state, ==, GPOINTER_TO_INT(before));
        else if (state > HOLD_RELEASING)
            g_hash_table_insert(play->ends, g_steal_pointer(&who), GINT_TO_POINTER((gint)state));
    }
    rows_end(rows);
    store_read_end(play->stored->store);
    if (play->is_time)
        g_assert_cmpint(
            on_the_way, >=,
            stored_number(play->stored, "SELECT count(*) FROM hold_recipient WHERE state IN (1, 2)"));
}

static void check(struct play *play, gint64 on_the_way)
{
    /* 13.12: one open hold for a key; and never a second one beside what went out */
    g_assert_cmpint(stored_number(play->stored,
                                  "SELECT count(*) FROM (SELECT 1 FROM hold_recipient WHERE state <= 1 OR"
                                  " (state = 2 AND via_later = 0) GROUP BY key HAVING count(*) > 1)"),
                    ==, 0);
    /* a hold is closed when and only when nothing of it is open */
    g_assert_cmpint(stored_number(play->stored,
                                  "SELECT count(*) FROM hold WHERE (closed_ms IS NULL) <> EXISTS"
                                  " (SELECT 1 FROM hold_recipient WHERE hold = number"
                                  " AND state <= 1)"),
                    ==, 0);
    /* who is on the way has an attempt that is not over, and no attempt is open for anybody else */
    g_assert_cmpint(
        stored_number(play->stored,
                      "SELECT count(*) FROM hold_recipient WHERE state = 1 AND NOT EXISTS"
                      " (SELECT 1 FROM attempt WHERE attempt.hold = hold_recipient.hold AND"
                      " attempt.state < 3 AND instr(attempt.canonical, hold_recipient.canonical))"),
        ==, 0);
    /* nobody is on the way without a vote */
    g_assert_cmpint(stored_number(play->stored,
                                  "SELECT count(*) FROM attempt WHERE hold IS NOT NULL AND NOT EXISTS"
                                  " (SELECT 1 FROM vote WHERE vote.hold = attempt.hold"
                                  " AND what = 'approve')"),
                    ==, 0);
    check_states(play, on_the_way);
}

static void test_whatever(void)
{
    guint releases = 0, agains = 0;
    gint64 ends[HOLD_EXPIRED + 1] = {0};

    for (guint round = 0; round < 20 && !g_test_failed(); round++) {
        struct play play = {.stored = stored_new(),
                            .ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                            .seen = g_ptr_array_new_with_free_func((GDestroyNotify)hold_free),
                            .attempts = g_ptr_array_new_with_free_func((GDestroyNotify)attempt_free)};
        stored_message(play.stored, "an mi ni");
        for (guint i = 0; i < 120 && !g_test_failed(); i++) {
            gint64 on_the_way =
                stored_number(play.stored, "SELECT count(*) FROM hold_recipient WHERE state IN (1, 2)");
            step(&play);
            check(&play, on_the_way);
        }
        for (guint i = 0; i < PEOPLE; i++) { /* one copy, and the store never told of a second one */
            g_assert_cmpuint(play.releases[i], <=, 1);
            releases += play.releases[i];
        }
        agains += play.agains;
        for (gint state = HOLD_RELEASED; state <= HOLD_EXPIRED; state++) {
            g_autofree char *sql =
                g_strdup_printf("SELECT count(*) FROM hold_recipient WHERE state = %d", state);
            ends[state] += stored_number(play.stored, sql);
        }
        g_hash_table_unref(play.ends);
        g_ptr_array_unref(play.seen);
        g_ptr_array_unref(play.attempts);
        stored_free(play.stored);
    }
    g_test_message("%u went out (%u times again), ended: %" G_GINT64_FORMAT " released, %" G_GINT64_FORMAT
                   " refused, %" G_GINT64_FORMAT " expired",
                   releases, agains, ends[HOLD_RELEASED], ends[HOLD_REFUSED], ends[HOLD_EXPIRED]);
    if (!g_test_failed()) /* all of it was tried */
        g_assert_true(releases > 0 && ends[HOLD_REFUSED] > 0 && ends[HOLD_EXPIRED] > 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/hold-states/whatever", test_whatever);
    return g_test_run();
}
