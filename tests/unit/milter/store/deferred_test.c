/* What a deferral leaves: the clock of 7.2.4, one journal row for all that follow the first, one audit record. */
#include "milter/store/store_private.h"
#include "tests/support/stored.h"
#include "tests/support/temp_folder.h"

static const char *const AN = "an@agency.gov.cn", *const NI = "ni@agency.gov.cn";

static void defer(struct stored *stored, gboolean own, const char *verdicts)
{
    g_autoptr(decision) decision = stored_decide(stored, verdicts);

    g_assert_cmpint(decision->act, ==, ACT_DEFER);
    decision->own_trouble = own;
    stored_keep_later(stored, decision);
    writer_flush(stored->store->writer);
}

static struct past_entry entry_of(struct stored *stored, const char *canonical)
{
    g_autoptr(GError) error = NULL;
    struct inputs inputs = world_inputs(stored->world);
    g_autoptr(past) past = store_past(stored->store, &inputs, stored->digest, 7 * STORED_DAY_MS, &error);

    g_assert_no_error(error);
    return *past_of(past, canonical);
}

static gint64 clock_of(struct stored *stored, const char *canonical)
{
    return entry_of(stored, canonical).own_since_s;
}

/* The clock of 7.2.4 runs while the trouble is the message's own, and begins anew after everybody's
 * (case 26). */
static void test_deferred(void)
{
    g_autoptr(stored) stored = stored_new();
    gint64 start = stored->world->now;

    stored_message(stored, "an ni");
    g_assert_cmpint(entry_of(stored, NI).state, ==, PAST_NOTHING);
    defer(stored, FALSE, "df");
    g_assert_cmpint(entry_of(stored, NI).state, ==, PAST_DEFERRED);
    g_assert_cmpint(clock_of(stored, NI), ==, 0);
    defer(stored, TRUE, "df");
    g_assert_cmpint(clock_of(stored, NI), ==, start);
    g_assert_cmpint(clock_of(stored, AN), ==, 0); /* no trouble of an's */
    stored->world->now += 3600;
    defer(stored, TRUE, "df");
    stored_reopen(stored);
    g_assert_cmpint(clock_of(stored, NI), ==, start);
    defer(stored, FALSE, "df");
    g_assert_cmpint(clock_of(stored, NI), ==, 0);
    stored->world->now += 3600;
    defer(stored, TRUE, "df");
    g_assert_cmpint(clock_of(stored, NI), ==, start + 7200);
    /* the first keeps its row, the others share one; audited once */
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM journal"), ==, 2);
    g_assert_cmpint(stored_number(stored, "SELECT max(count) FROM journal"), ==, 4);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit WHERE event = 'defer'"), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/keep/deferred", test_deferred);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
