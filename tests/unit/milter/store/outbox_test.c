/* Notices wait until Postfix has them, each once (semantics.md 9.4, 9.5; 13.12). */
#include "milter/store/outbox.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "tests/support/stored.h"

static const char *const BO = "bo@agency.gov.cn";

static GPtrArray *due(struct stored *stored)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *entries = store_outbox_due(stored->store, clock_wall_ms(), 100, &error);

    g_assert_no_error(error);
    return entries;
}

static guint count_due(struct stored *stored)
{
    g_autoptr(GPtrArray) entries = due(stored);

    return entries->len;
}

static gint64 add(struct stored *stored, const char *addressee, const char *about)
{
    g_autoptr(GError) error = NULL;
    struct notice *notice = stored_notice(NOTICE_DIGEST, addressee);

    notice->about = g_strdup(about);
    g_assert_true(store_outbox_add(stored->store, notice, NULL, &error));
    notice_free(notice);
    return stored_number(stored, "SELECT max(number) FROM notice");
}

static void test_waits(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    struct notice *notice = stored_notice(NOTICE_END, BO);
    static const char octets[] = "two\0parts";

    g_free(notice->text);
    notice->text = g_memdup2(octets, sizeof octets);
    notice->length = sizeof octets;
    notice->is_failure = TRUE;
    g_assert_true(store_outbox_add(stored->store, notice, NULL, &error));
    notice_free(notice);
    stored_reopen(stored);
    g_autoptr(GPtrArray) entries = due(stored);
    g_assert_cmpuint(entries->len, ==, 1);
    const struct outbox_entry *entry = g_ptr_array_index(entries, 0);
    g_assert_cmpint(entry->notice.kind, ==, NOTICE_END);
    g_assert_cmpstr(entry->notice.addressee, ==, BO);
    g_assert_cmpstr(entry->notice.reference, ==, "MIJI-abc234");
    g_assert_cmpmem(entry->notice.text, entry->notice.length, octets, sizeof octets);
    g_assert_true(entry->notice.is_failure);
    g_assert_cmpuint(entry->tries, ==, 0);
    g_assert_cmpint(entry->next_ms, ==, entry->created_ms);
}

static void test_unique(void)
{
    g_autoptr(stored) stored = stored_new();

    add(stored, BO, "one thing");
    add(stored, BO, "one thing"); /* silently the same */
    g_assert_cmpuint(count_due(stored), ==, 1);
    add(stored, BO, "another");
    add(stored, BO, NULL); /* of their own */
    add(stored, BO, NULL);
    g_assert_cmpuint(count_due(stored), ==, 4);
    g_autoptr(GPtrArray) two = store_outbox_due(stored->store, clock_wall_ms(), 2, NULL);
    g_assert_cmpuint(two->len, ==, 2);
    g_assert_cmpint(((struct outbox_entry *)g_ptr_array_index(two, 0))->number, ==, 1); /* oldest first */
}

static void test_sent(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gint64 number = add(stored, BO, "x"), before_ms = clock_wall_ms();

    g_assert_true(store_outbox_failed(stored->store, number, "451", clock_wall_ms() + 1000, &error));
    g_assert_cmpuint(count_due(stored), ==, 0);
    clock_advance(1000);
    g_autoptr(GPtrArray) entries = due(stored);
    g_assert_cmpuint(((struct outbox_entry *)g_ptr_array_index(entries, 0))->tries, ==, 1);
    g_assert_cmpuint(store_outbox_sent(stored->store, BO, before_ms), ==, 0);
    g_assert_true(store_outbox_sent_one(stored->store, number, "4N1", &error));
    g_assert_true(store_outbox_sent_one(stored->store, number, "4N2", &error)); /* was said already */
    g_assert_true(store_outbox_failed(stored->store, number, "451", 0, &error));
    g_assert_true(store_outbox_drop(stored->store, number, "too old", &error));
    g_assert_cmpuint(count_due(stored), ==, 0);
    g_assert_cmpuint(store_outbox_sent(stored->store, BO, before_ms), ==, 1);
    g_assert_cmpuint(store_outbox_sent(stored->store, BO, clock_wall_ms() + 1), ==, 0);
    g_assert_cmpuint(store_outbox_sent(stored->store, "an@agency.gov.cn", before_ms), ==, 0);
    g_assert_cmpint(
        stored_number(stored, "SELECT count(*) FROM notice WHERE queue_id = '4N1' AND text IS NULL"), ==, 1);
    add(stored, BO, "x"); /* sent is sent */
    g_assert_cmpuint(count_due(stored), ==, 0);
}

static void test_dropped(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gint64 number = add(stored, BO, "x");

    g_assert_true(store_outbox_drop(stored->store, number, "in a digest", &error));
    g_assert_true(store_outbox_sent_one(stored->store, number, "4N1", &error));
    g_assert_cmpuint(count_due(stored), ==, 0);
    g_assert_cmpuint(store_outbox_sent(stored->store, BO, 0), ==, 0);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice WHERE why = 'in a digest'"), ==, 1);
}

/* What one notice lists is not sent any more: both or neither. */
static void test_instead(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 numbers[] = {add(stored, BO, "x"), add(stored, BO, "y")};
    struct notice digest = {.kind = NOTICE_DIGEST,
                            .addressee = (char *)BO,
                            .reference = (char *)"",
                            .text = (char *)"two",
                            .length = 3};

    g_array_append_vals(listed, numbers, 2);
    g_assert_true(store_outbox_add(stored->store, &digest, listed, &error));
    g_autoptr(GPtrArray) entries = due(stored);
    g_assert_cmpuint(entries->len, ==, 1);
    g_assert_cmpint(((struct outbox_entry *)g_ptr_array_index(entries, 0))->notice.kind, ==, NOTICE_DIGEST);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice WHERE state = 2 AND text IS NULL"), ==,
                    2);
}

/* ---------------------------------------------------------------- with attempts */
static struct attempt *begin(struct stored *stored, gint64 notice, GError **error)
{
    guint8 digest[32] = "x";

    return store_attempt_begin_notice(stored->store, notice, "<bo@agency.gov.cn>", digest,
                                      clock_wall_ms() + 600000, error);
}

/* An attempt that is open keeps the notice from being sent a second time, over a crash, too. */
static void test_attempt(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gint64 number = add(stored, BO, "x");
    g_autoptr(attempt) first = begin(stored, number, &error);

    g_assert_cmpint(first->notice, ==, number);
    g_assert_cmpint(first->hold, ==, 0);
    g_assert_cmpstr(g_ptr_array_index(first->recipients, 0), ==, "<bo@agency.gov.cn>");
    stored_reopen(stored);
    g_assert_cmpuint(count_due(stored), ==, 0);
    g_assert_null(begin(stored, number, &error));
    assert_store_error(error, CHANGED);
    g_assert_true(store_attempt_failed(stored->store, first, "lost", FALSE, 0, &error));
    g_assert_cmpuint(count_due(stored), ==, 1);
    g_autoptr(attempt) second = begin(stored, number, &error);
    g_assert_true(store_outbox_failed(stored->store, number, "451", clock_wall_ms(), &error)); /* ends it */
    g_assert_cmpuint(count_due(stored), ==, 1);
    g_assert_false(store_attempt_offered(stored->store, second, "4N1", &error));
    assert_store_error(error, CHANGED);
    g_autoptr(attempt) third = begin(stored, number, &error);
    g_assert_true(store_attempt_offered(stored->store, third, "4N2", &error));
    g_autoptr(attempt) now = store_attempt(stored->store, third->id, &error);
    g_assert_true(store_attempt_doubt(stored->store, now, &error));
    g_assert_cmpuint(count_due(stored), ==, 0); /* in doubt */
    g_assert_true(
        store_attempt_released(stored->store, now, "4N2", NULL, NULL, &error)); /* and sent, in one */
    g_assert_null(begin(stored, number, &error));
    assert_store_error(error, CHANGED);
    g_assert_cmpuint(store_outbox_sent(stored->store, BO, 0), ==, 1);
    g_autoptr(GPtrArray) open = store_attempts_open(stored->store, &error);
    g_assert_cmpuint(open->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/outbox/waits", test_waits);
    g_test_add_func("/outbox/unique", test_unique);
    g_test_add_func("/outbox/sent", test_sent);
    g_test_add_func("/outbox/dropped", test_dropped);
    g_test_add_func("/outbox/instead", test_instead);
    g_test_add_func("/outbox/attempt", test_attempt);
    return g_test_run();
}
