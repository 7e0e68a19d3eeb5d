#include "milter/daemon/service.h"

#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/decide/json.h"
#include "policy/version.h"

/* What `miji status` tells, taken at one moment. */
struct status {
    struct snapshot *snapshot;
    struct inspector_status inspector;
    struct directory_status directory;
    struct store_status store; /* all zero while it is closed */
    gint64 up_seconds;
};

static const struct {
    enum counter counter;
    const char *key;
    enum message_id label;
} counters[] = {
    {COUNT_DELIVERED, "accepted", MSG_STATUS_ACCEPTED},
    {COUNT_REFUSED, "refused", MSG_STATUS_REFUSED},
    {COUNT_DISCARDED, "discarded", MSG_STATUS_DISCARDED},
    {COUNT_DEFERRED, "deferred", MSG_STATUS_DEFERRED},
    {COUNT_BUSY, "busy", MSG_STATUS_BUSY},
    {COUNT_ABORTED, "given_up_by_client", MSG_STATUS_ABORTED},
    {COUNT_INSPECTOR_FAILED, "inspector_failed", MSG_STATUS_INSPECTOR_FAILED},
    {COUNT_RELOADS, "reloads", MSG_STATUS_RELOADS},
};

static void append_store_json(GString *out, const struct store_status *store)
{
    struct json json = {.text = out, .follows = TRUE};
    json_open(&json, "store", '{');
    json_boolean(&json, "available", store->available);
    json_string(&json, "problem", store->available ? NULL : store->problem);
    json_number(&json, "holds_open", (gint64)store->open_holds);
    json_number(&json, "notices_waiting", (gint64)store->outbox);
    json_number(&json, "notices_failing", (gint64)store->outbox_failing);
    json_number(&json, "journal_dropped", (gint64)store->journal_dropped);
    json_number(&json, "commits", (gint64)store->commits);
    json_number(&json, "failures", (gint64)store->failures);
    json_close(&json, '}');
}

static char *as_json(struct service *service, const struct status *s)
{
    GString *out = g_string_new("{");
    g_string_append_printf(out, "\"version\": \"%s\", \"pid\": %d, \"up_seconds\": %" G_GINT64_FORMAT,
                           MIJI_VERSION, (int)getpid(), s->up_seconds);
    g_string_append_printf(out, ", \"generation\": %u, \"hash\": \"%s\"", s->snapshot->generation,
                           s->snapshot->hash);
    g_string_append_printf(out, ", \"draining\": %s",
                           g_atomic_int_get(&service->draining) ? "true" : "false");
    g_string_append_printf(
        out, ", \"sessions\": %d, \"most_sessions\": %d, \"messages\": %d, \"most_messages\": %d",
        g_atomic_int_get(&service->sessions), service->most_sessions, g_atomic_int_get(&service->messages),
        service->most_messages);
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        g_string_append_printf(out, ", \"%s\": %u", counters[i].key,
                               service_counted(service, counters[i].counter));
    g_string_append_printf(
        out,
        ", \"inspector\": {\"workers\": %u, \"busy\": %u, \"inspected\": %" G_GUINT64_FORMAT
        ", \"died\": %" G_GUINT64_FORMAT ", \"timed_out\": %" G_GUINT64_FORMAT "}",
        s->inspector.workers, s->inspector.busy, s->inspector.inspected, s->inspector.died,
        s->inspector.timed_out);
    g_string_append_printf(out,
                           ", \"directory\": {\"connected\": %s, \"cached\": %u, \"hits\": %" G_GUINT64_FORMAT
                           ", \"misses\": %" G_GUINT64_FORMAT ", \"searches\": %" G_GUINT64_FORMAT
                           ", \"failures\": %" G_GUINT64_FORMAT "}",
                           s->directory.connected ? "true" : "false", s->directory.cached, s->directory.hits,
                           s->directory.misses, s->directory.searches, s->directory.failures);
    append_store_json(out, &s->store);
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}

/* Labels stand in a column of 18 cells; Chinese characters take two. */
static void line(GString *out, enum message_id label, enum language language, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static void line(GString *out, enum message_id label, enum language language, const char *format, ...)
{
    const char *text = message_text(label, language);
    guint cells = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        cells += g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1;
    g_string_append_printf(out, "%s%*s", text, (int)(cells < 22 ? 22 - cells : 1), "");
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(out, format, arguments);
    va_end(arguments);
    g_string_append_c(out, '\n');
}

/* Takes the value over. */
static void line_of(GString *out, enum message_id label, enum language language, struct message value)
{
    g_autofree char *text = message_format(&value, language);
    line(out, label, language, "%s", text);
    message_clear(&value);
}

static struct message program(void)
{
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    return message_make(MSG_STATUS_PROGRAM, MIJI_VERSION, pid, NULL);
}

/* In the largest unit of which there are two. */
static struct message time_up(gint64 seconds)
{
    static const struct {
        enum message_id id;
        gint64 seconds;
    } units[] = {{MSG_STATUS_DAYS, 86400}, {MSG_STATUS_HOURS, 3600}, {MSG_STATUS_MINUTES, 60}};
    enum message_id id = MSG_STATUS_SECONDS;
    gint64 count = seconds;
    for (gsize i = 0; i < G_N_ELEMENTS(units) && id == MSG_STATUS_SECONDS; i++)
        if (seconds >= 2 * units[i].seconds) {
            id = units[i].id;
            count = seconds / units[i].seconds;
        }
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, count);
    return message_make(id, number, NULL);
}

static struct message people(const struct directory_status *directory)
{
    g_autofree char *cached = g_strdup_printf("%u", directory->cached);
    g_autofree char *hits = g_strdup_printf("%" G_GUINT64_FORMAT, directory->hits);
    g_autofree char *searches = g_strdup_printf("%" G_GUINT64_FORMAT, directory->searches);
    g_autofree char *failures = g_strdup_printf("%" G_GUINT64_FORMAT, directory->failures);
    return message_make(MSG_STATUS_PEOPLE_ARE, cached, hits, searches, failures, NULL);
}

static void append_store_text(GString *out, const struct store_status *store, enum language language)
{
    if (store->available)
        line(out, MSG_STATUS_STORE, language, "%s", message_text(MSG_STATUS_AVAILABLE, language));
    else
        line(out, MSG_STATUS_STORE, language, "%s%s%s", message_text(MSG_STATUS_UNAVAILABLE, language),
             store->problem ? ": " : "", store->problem ? store->problem : "");
    line(out, MSG_STATUS_HOLDS, language, "%" G_GUINT64_FORMAT, store->open_holds);
    line(out, MSG_STATUS_NOTICES, language, "%" G_GUINT64_FORMAT, store->outbox);
    line(out, MSG_STATUS_NOTICES_FAILING, language, "%" G_GUINT64_FORMAT, store->outbox_failing);
    line(out, MSG_STATUS_JOURNAL_DROPPED, language, "%" G_GUINT64_FORMAT, store->journal_dropped);
}

static char *as_text(struct service *service, const struct status *s, enum language language)
{
    GString *out = g_string_new(NULL);
    gint draining = g_atomic_int_get(&service->draining);
    line(out, MSG_STATUS_DAEMON, language, "%s",
         message_text(draining ? MSG_STATUS_DRAINING : MSG_STATUS_SERVING, language));
    line_of(out, MSG_STATUS_VERSION, language, program());
    line_of(out, MSG_STATUS_UP, language, time_up(s->up_seconds));
    line(out, MSG_STATUS_SNAPSHOT, language, "%u, %.12s", s->snapshot->generation, s->snapshot->hash);
    line(out, MSG_STATUS_SESSIONS, language, "%d / %d", g_atomic_int_get(&service->sessions),
         service->most_sessions);
    line(out, MSG_STATUS_MESSAGES, language, "%d / %d", g_atomic_int_get(&service->messages),
         service->most_messages);
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        line(out, counters[i].label, language, "%u", service_counted(service, counters[i].counter));
    line(out, MSG_STATUS_INSPECTOR, language, "%u / %u", s->inspector.busy, s->inspector.workers);
    line(out, MSG_STATUS_DIRECTORY, language, "%s",
         s->directory.where
             ? s->directory.where
             : message_text(s->directory.connected ? MSG_STATUS_CONNECTED : MSG_STATUS_NOT_ASKED, language));
    line_of(out, MSG_STATUS_PEOPLE, language, people(&s->directory));
    append_store_text(out, &s->store, language);
    return g_string_free(out, FALSE);
}

char *service_status(struct service *service, gboolean json, enum language language)
{
    struct status s = {.snapshot = service_snapshot(service),
                       .up_seconds = (clock_monotonic_us() - service->started_us) / G_USEC_PER_SEC};
    struct store *store = service_borrow_store(service);
    if (store) {
        store_get_status(store, &s.store);
        service_return_store(service);
    }
    inspector_get_status(service->inspector, &s.inspector);
    directory_get_status(s.snapshot->directory, &s.directory);
    char *text = json ? as_json(service, &s) : as_text(service, &s, language);
    directory_status_clear(&s.directory);
    g_free(s.store.problem);
    snapshot_unref(s.snapshot);
    return text;
}
