/* What happened to a message, by whatever people know of it (semantics.md 12). */
#include "milter/store/trace.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "tests/support/stored.h"

static GPtrArray *trace(struct stored *stored, const char *what)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *lines = store_trace(stored->store, what, 100, &error);

    g_assert_no_error(error);
    return lines;
}

static const struct trace_line *last(const GPtrArray *lines)
{
    g_assert_cmpuint(lines->len, >, 0);
    return lines->len > 0 ? g_ptr_array_index(lines, lines->len - 1) : NULL;
}

static const struct trace_recipient *recipient_of(const struct trace_line *line, guint i)
{
    return g_ptr_array_index(line->recipients, i);
}

static char *send(struct stored *stored, const char *names, const char *verdicts)
{
    g_autoptr(GError) error = NULL;

    stored_message(stored, names);
    g_autoptr(decision) decision = stored_decide(stored, verdicts);
    char *reference = g_strdup(decision->reference);
    gboolean plain = strspn(verdicts, "d") == strlen(verdicts) || decision->act == ACT_DEFER;
    if (plain)
        stored_keep_later(stored, decision);
    else
        stored_keep(stored, decision, NULL, NULL, &error);
    g_assert_no_error(error);
    return reference;
}

static void test_names(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autofree char *other = send(stored, "mi", "d");
    g_autofree char *reference = send(stored, "an ni", "dd");
    const char *queue_id = stored->world->envelope->queue_id;
    g_autofree char *shouted = g_ascii_strup(reference, -1);
    g_autoptr(GPtrArray) one = trace(stored, reference); /* waits for what is still in memory */
    const struct trace_line *line = last(one);

    g_assert_cmpuint(one->len, ==, 1);
    g_assert_cmpstr(line->reference, ==, reference);
    g_assert_cmpstr(line->queue_id, ==, queue_id);
    g_assert_cmpstr(line->sender, ==, "bo@agency.gov.cn");
    g_assert_cmpstr(line->class, ==, "person");
    g_assert_cmpstr(line->zone, ==, "office");
    g_assert_cmpstr(line->label, ==, "机密");
    g_assert_cmpstr(line->act, ==, "accept");
    g_assert_null(line->hold);
    g_assert_cmpuint(line->count, ==, 1);
    g_assert_cmpuint(line->recipients->len, ==, 2);
    g_assert_cmpstr(recipient_of(line, 0)->canonical, ==, "an@agency.gov.cn");
    g_assert_cmpstr(recipient_of(line, 0)->verdict, ==, "deliver");
    g_autofree char *bracketed = g_strdup_printf("<%s>", line->message_id);
    const char *names[] = {reference + 5,       shouted,   queue_id,
                           line->message_id,    bracketed, "an@agency.gov.cn",
                           "<NI@Agency.gov.cn>"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GPtrArray) lines = trace(stored, names[i]);
        g_test_message("%s", names[i]);
        g_assert_cmpuint(lines->len, ==, 1);
        g_assert_cmpstr(last(lines)->reference, ==, reference);
    }
    g_autoptr(GPtrArray) both = trace(stored, "bo@agency.gov.cn"); /* newest last */
    g_assert_cmpuint(both->len, ==, 2);
    g_assert_cmpstr(last(both)->reference, ==, reference);
    g_autoptr(GPtrArray) few = store_trace(stored->store, "bo@agency.gov.cn", 1, NULL);
    g_assert_cmpuint(few->len, ==, 1);
    g_assert_cmpstr(last(few)->reference, ==, reference);
    static const char *const strangers[] = {"", "<>", "%", "gu@agency.gov.cn", "MIJI-", "no such thing"};
    for (guint i = 0; i < G_N_ELEMENTS(strangers); i++) {
        g_autoptr(GPtrArray) none = trace(stored, strangers[i]);
        g_test_message("%s", strangers[i]);
        g_assert_cmpuint(none->len, ==, 0);
    }
}

/* As it is now, not as it was. */
static void test_states(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *reference = send(stored, "an mi ni", "dhh");
    g_autoptr(hold) hold = stored_find(stored, reference);

    store_answered(stored->store, reference);
    g_autoptr(GPtrArray) held = trace(stored, hold->id);
    g_assert_cmpstr(last(held)->hold, ==, hold->id);
    g_assert_cmpstr(recipient_of(last(held), 0)->verdict, ==, "deliver");
    g_assert_cmpstr(recipient_of(last(held), 1)->verdict, ==, "held");
    g_assert_nonnull(recipient_of(last(held), 1)->reason);
    stored_again(stored, &hold);
    g_assert_true(store_hold_approve(stored->store, hold, "an@agency.gov.cn", NULL, NULL, &error));
    stored_again(stored, &hold);
    g_autoptr(GPtrArray) who = g_ptr_array_new();
    g_ptr_array_add(who, (gpointer) "mi@agency.gov.cn");
    guint8 digest[32] = "x";
    g_autoptr(attempt) attempt =
        store_attempt_begin(stored->store, hold, who, who, digest, clock_wall_ms() + STORED_HOUR_MS, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) on_the_way = trace(stored, reference);
    g_assert_cmpstr(recipient_of(last(on_the_way), 1)->verdict, ==, "releasing");
    g_assert_true(store_attempt_offered(stored->store, attempt, "4RELEASED", &error));
    g_autoptr(GPtrArray) offered = trace(stored, "4RELEASED");
    g_assert_cmpuint(offered->len, ==, 1);
    g_autoptr(attempt) now = store_attempt(stored->store, attempt->id, &error);
    g_assert_true(store_attempt_released(stored->store, now, "4RELEASED", NULL, NULL, &error));
    stored_again(stored, &hold);
    g_assert_true(store_hold_refuse(stored->store, hold, "an@agency.gov.cn", NULL, NULL, &error));
    g_autoptr(GPtrArray) done = trace(stored, "4RELEASED"); /* under which it went out */
    g_assert_cmpuint(done->len, ==, 1);
    g_assert_cmpstr(recipient_of(last(done), 1)->verdict, ==, "released");
    g_assert_cmpstr(recipient_of(last(done), 1)->queue_id, ==, "4RELEASED");
    g_assert_cmpstr(recipient_of(last(done), 2)->verdict, ==, "refused");
    g_assert_cmpint(recipient_of(last(done), 2)->changed_ms, >=, hold->at_ms);
}

/* One message, several attempts: a line each where something is new, a count where nothing is. */
static void test_attempts(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *first = send(stored, "an", "f");
    g_autofree char *latest = NULL;

    for (guint i = 0; i < 4; i++) {
        g_autoptr(decision) decision = stored_decide(stored, "f");
        stored_keep_later(stored, decision);
        g_free(latest);
        latest = g_strdup(decision->reference);
    }
    g_autoptr(GPtrArray) deferred = trace(stored, "an@agency.gov.cn");
    g_assert_cmpuint(deferred->len, ==, 2);
    g_assert_cmpstr(((struct trace_line *)g_ptr_array_index(deferred, 0))->reference, ==, first);
    g_assert_cmpstr(last(deferred)->reference, ==, latest);
    g_assert_cmpuint(last(deferred)->count, ==, 4);
    g_assert_cmpstr(recipient_of(last(deferred), 0)->verdict, ==, "defer");
    for (guint i = 0; i < 3; i++) {
        g_autoptr(decision) decision = stored_decide(stored, "h");
        stored_keep(stored, decision, NULL, NULL, &error);
        g_assert_no_error(error);
    }
    g_autoptr(GPtrArray) held = trace(stored, "an@agency.gov.cn");
    g_assert_cmpuint(held->len, ==, 3);
    g_assert_cmpuint(last(held)->count, ==, 3);
    {
        g_autoptr(decision) decision = stored_decide(stored, "d");
        stored_keep(stored, decision, NULL, NULL, &error);
        g_assert_no_error(error);
    }
    g_autoptr(GPtrArray) delivered = trace(stored, "an@agency.gov.cn");
    g_assert_cmpuint(delivered->len, ==, 4);
    g_assert_cmpstr(recipient_of(last(delivered), 0)->verdict, ==, "deliver");
    const struct trace_line *before = g_ptr_array_index(delivered, 2);
    g_assert_cmpstr(recipient_of(before, 0)->verdict, ==, "released"); /* by the later attempt */
}

/* A Message-ID is what somebody wrote. */
static void test_message_id(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autofree char *much = g_strnfill(5000, 'x');
    static const char *const ids[] = {"", "<>", "<a\xff@b>", "a b", NULL};

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        stored_message(stored, "an");
        stored->world->facts->fields[stored->world->facts->field_count - 1].raw =
            (struct bytes){ids[i] != NULL ? ids[i] : much, strlen(ids[i] != NULL ? ids[i] : much)};
        g_autoptr(decision) decision = stored_decide(stored, "d");
        stored_keep_later(stored, decision);
        g_autoptr(GPtrArray) lines = trace(stored, decision->reference);
        const char *id = last(lines)->message_id;
        g_assert_true(id == NULL || (strlen(id) < 3000 && g_utf8_validate(id, -1, NULL)));
        g_assert_true(i > 0 || id == NULL);
    }
}

/* The number of a hold that is gone is nobody else's: journal and archive outlive it. */
static void test_after_tidying(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;

    world_add_archive(stored->world, "all", TAKES_EVERYTHING, NULL);
    g_autoptr(hold) gone = stored_hold(stored, "an");
    g_assert_true(store_hold_refuse(stored->store, gone, "boss@agency.gov.cn", NULL, NULL, &error));
    for (guint i = 0; i < 2; i++) {
        clock_advance(STORED_HOUR_MS);
        g_assert_true(store_tidy(stored->store, clock_wall_ms() + 40 * STORED_DAY_MS, 30 * STORED_DAY_MS,
                                 7 * STORED_DAY_MS, &error));
        g_assert_no_error(error);
    }
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM hold"), ==, 0);
    g_autoptr(hold) hold = stored_hold(stored, "ni");
    g_autoptr(GPtrArray) lines = trace(stored, hold->id);
    g_assert_cmpuint(lines->len, ==, 1);
    g_assert_cmpstr(last(lines)->reference, ==, hold->reference);
    stored_change(stored, "UPDATE slip SET approved_ms = 1");
    g_autoptr(GPtrArray) canonical = g_ptr_array_new(), given = g_ptr_array_new();
    guint8 digest[32] = {0};
    g_ptr_array_add(canonical, (gpointer) "ni@agency.gov.cn");
    g_ptr_array_add(given, (gpointer) "<ni@agency.gov.cn>");
    g_autoptr(attempt) attempt = store_attempt_begin(stored->store, hold, canonical, given, digest,
                                                     clock_wall_ms() + STORED_HOUR_MS, &error);
    g_assert_no_error(error);
    g_assert_true(store_attempt_released(stored->store, attempt, "4Q1", NULL, NULL, &error));
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_envelope WHERE outcome = 'refused'"),
                    ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/trace/names", test_names);
    g_test_add_func("/trace/states", test_states);
    g_test_add_func("/trace/attempts", test_attempts);
    g_test_add_func("/trace/message-id", test_message_id);
    g_test_add_func("/trace/after-tidying", test_after_tidying);
    return g_test_run();
}
