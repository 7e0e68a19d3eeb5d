/* Records are only ever added (semantics.md 12.1). */
#include "milter/store/audit.h"

#include <pthread.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/stored.h"

static GPtrArray *records(struct stored *stored, gint64 from, guint limit)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *list = store_audit_records(stored->store, from, limit, &error);

    g_assert_no_error(error);
    return list;
}

static void test_add(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    struct audit_entry view = {.event = "view", .who = "an@agency.gov.cn", .object = "id", .detail = "--raw"};
    struct audit_entry bare = {.event = "reload", .who = "root"};
    gint64 before_ms = clock_wall_ms();

    g_assert_cmpint(store_newest_audit_ms(stored->store), ==, 0);
    g_assert_true(store_audit(stored->store, &view, &error));
    store_audit_later(stored->store, &bare);
    writer_flush(stored->store->writer);
    g_assert_cmpint(store_newest_audit_ms(stored->store), >=, before_ms);
    stored_reopen(stored);
    g_assert_cmpint(store_newest_audit_ms(stored->store), >=, before_ms);
    g_autoptr(GPtrArray) list = records(stored, 0, 100);
    g_assert_cmpuint(list->len, ==, 2);
    const struct audit_record *first = g_ptr_array_index(list, 0), *second = g_ptr_array_index(list, 1);
    g_assert_cmpstr(first->event, ==, "view");
    g_assert_cmpstr(first->who, ==, "an@agency.gov.cn");
    g_assert_cmpstr(first->object, ==, "id");
    g_assert_cmpstr(first->detail, ==, "--raw");
    g_assert_cmpint(first->at_ms, >=, before_ms);
    g_assert_cmpstr(second->event, ==, "reload");
    g_assert_null(second->object);
    g_assert_null(second->detail);
    g_autoptr(GPtrArray) from = records(stored, second->number, 100);
    g_assert_cmpuint(from->len, ==, 1);
    g_autoptr(GPtrArray) few = records(stored, 0, 1);
    g_assert_cmpuint(few->len, ==, 1);
}

static gboolean change(struct database *database, gpointer data, GError **error)
{
    return database_run(database, error, data, "");
}

static void test_only_added(void)
{
    static const char *const tries[] = {"UPDATE audit SET who = 'nobody'", "DELETE FROM audit",
                                        "DELETE FROM audit WHERE number = 1"};
    g_autoptr(stored) stored = stored_new();
    struct audit_entry entry = {.event = "view", .who = "an@agency.gov.cn"};

    g_assert_true(store_audit(stored->store, &entry, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(tries); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(writer_run(stored->store->writer, change, (gpointer)tries[i], &error));
        g_assert_nonnull(error);
    }
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit WHERE who = 'an@agency.gov.cn'"), ==,
                    1);
}

/* What is told by a decision and its record are one: neither without the other. */
static void test_with_decision(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;

    stored_message(stored, "an ni");
    g_autoptr(decision) plain = stored_decide(stored, "dd");
    g_assert_true(stored_keep(stored, plain, NULL, NULL, &error));
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit"), ==, 0);
    stored_message(stored, "an ni");
    g_autoptr(decision) decision = stored_decide(stored, "dr");
    g_assert_true(stored_keep(stored, decision, NULL, NULL, &error));
    g_autoptr(GPtrArray) list = records(stored, 0, 10);
    g_assert_cmpuint(list->len, ==, 1);
    const struct audit_record *record = g_ptr_array_index(list, 0);
    g_assert_cmpstr(record->event, ==, "refuse");
    g_assert_cmpstr(record->who, ==, "bo@agency.gov.cn");
    g_assert_cmpstr(record->object, ==, decision->reference);
    g_autofree char *detail =
        g_strdup_printf("%s refused <ni@agency.gov.cn> not-cleared", decision->reference);
    g_assert_cmpstr(record->detail, ==, detail);
    stored_message(stored, "an");
    g_autoptr(decision) forged = stored_decide(stored, "d");
    forged->forged_token = TRUE;
    g_assert_true(stored_keep(stored, forged, NULL, NULL, &error));
    g_autoptr(GPtrArray) more = records(stored, record->number + 1, 10);
    g_assert_cmpuint(more->len, ==, 1);
    g_assert_cmpstr(((struct audit_record *)g_ptr_array_index(more, 0))->event, ==, "forged-token");
}

static void *add_some(void *data)
{
    struct stored *stored = data;
    struct audit_entry entry = {.event = "view", .who = "an@agency.gov.cn"};

    for (guint i = 0; i < 50; i++) {
        store_audit(stored->store, &entry, NULL);
        store_audit_later(stored->store, &entry);
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(stored) stored = stored_new();
    pthread_t threads[4];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, add_some, stored);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit"), ==, 400);
    g_assert_cmpint(stored_number(stored, "SELECT max(number) - min(number) FROM audit"), ==, 399);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/audit/add", test_add);
    g_test_add_func("/audit/only-added", test_only_added);
    g_test_add_func("/audit/with-decision", test_with_decision);
    g_test_add_func("/audit/threads", test_threads);
    return g_test_run();
}
