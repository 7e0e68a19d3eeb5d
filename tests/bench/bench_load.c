/*
 * bench_load ADDRESS [options]: sends messages to a filter as Postfix does, with several sessions at once,
 * and prints one line: messages, how many of them were not taken, seconds, rate, latency of a message from
 * MAIL to the answer, CPU of the filter a message. Ends with 1 if one was not taken.
 */
#include "tests/bench/cpu.h"
#include "tests/bench/text.h"
#include "tests/wire/mta_message.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static int sessions = 4, messages = 2000, recipients = 1, size_bytes = 4096, filter_pid, warm_up = 20;
static gboolean is_kept, is_terse;
static char *login = NULL, *from = NULL, *to = NULL;

static GOptionEntry entries[] = {
    {"sessions", 0, 0, G_OPTION_ARG_INT, &sessions, "at once (4)", "N"},
    {"messages", 0, 0, G_OPTION_ARG_INT, &messages, "in all (2000)", "N"},
    {"size", 0, 0, G_OPTION_ARG_INT, &size_bytes, "of the body (4096)", "BYTES"},
    {"recipients", 0, 0, G_OPTION_ARG_INT, &recipients, "of each message (1)", "N"},
    {"kept", 0, 0, G_OPTION_ARG_NONE, &is_kept, "one connection a session, not one a message", NULL},
    {"terse", 0, 0, G_OPTION_ARG_NONE, &is_terse, "macros as Sendmail sends them: none before single fields",
     NULL},
    {"warm-up", 0, 0, G_OPTION_ARG_INT, &warm_up, "messages that are not counted (20)", "N"},
    {"pid", 0, 0, G_OPTION_ARG_INT, &filter_pid, "the filter: prints its CPU, children included", "PID"},
    {"login", 0, 0, G_OPTION_ARG_STRING, &login, "SASL login (none)", "NAME"},
    {"from", 0, 0, G_OPTION_ARG_STRING, &from, "(bo@inside.example)", "ADDRESS"},
    {"to", 0, 0, G_OPTION_ARG_STRING, &to, "domain of the recipients user1, user2 … (inside.example)",
     "DOMAIN"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

/* What all sessions send; only read while they run. */
static struct {
    char *address;
    char *body;
    char *sender;
    char **recipients;
} load;

struct session {
    pthread_t thread;
    int count, number; /* messages to send; of the first */
    GArray *latencies; /* double, ms */
    int failed;
    char *problem; /* of the first that failed */
};

static void fail(struct session *session, const char *text)
{
    session->failed++;
    if (session->problem == NULL)
        session->problem = g_strdup(text);
}

static bool send_one(struct mta *mta, struct session *session, int number, GError **error)
{
    g_auto(GStrv) fields = bench_fields(from, load.recipients[0], (guint)number);
    struct mta_message message = {
        .sender = load.sender,
        .recipients = (const char *const *)load.recipients,
        .fields = (const char *const *)fields,
        .body = load.body,
    };
    g_autoptr(mta_reply) reply = NULL;
    gint64 start_us = g_get_monotonic_time();
    double latency_ms;

    if (!mta_send_message(mta, &message, &reply, error))
        return false;
    latency_ms = (double)(g_get_monotonic_time() - start_us) / 1000;
    g_array_append_val(session->latencies, latency_ms);
    if (reply->refused->len > 0 || reply->kind == MTA_DISCARD || !mta_reply_is_positive(reply)) {
        g_autofree char *outcome = mta_reply_format(reply);

        fail(session, outcome);
    }
    return true;
}

static void *run_session(void *data)
{
    struct session *session = data;
    struct mta_client client = {.login = login, .is_terse = is_terse};
    g_autoptr(mta) mta = NULL;

    for (int i = 0; i < session->count; i++) {
        g_autoptr(GError) error = NULL;

        if (mta == NULL)
            mta = mta_open_session(load.address, &client, &error);
        if (mta == NULL || !send_one(mta, session, session->number + i, &error) ||
            ((!is_kept || i == session->count - 1) && !mta_quit(mta, &error))) {
            fail(session, error->message);
            g_clear_pointer(&mta, mta_close);
        }
        if (!is_kept)
            g_clear_pointer(&mta, mta_close);
    }
    return NULL;
}

/* All sessions side by side; returns their latencies, sorted. */
static GArray *run_sessions(int count, int first_number, int *failed)
{
    g_autofree struct session *all = g_new0(struct session, sessions);
    GArray *latencies = g_array_new(FALSE, FALSE, sizeof(double));

    for (int i = 0; i < sessions; i++) {
        all[i].count = count / sessions + (i < count % sessions ? 1 : 0);
        all[i].number = first_number + i * (count / sessions + 1);
        all[i].latencies = g_array_new(FALSE, FALSE, sizeof(double));
        if (pthread_create(&all[i].thread, NULL, run_session, &all[i]) != 0)
            g_error("no thread");
    }
    for (int i = 0; i < sessions; i++) {
        pthread_join(all[i].thread, NULL);
        g_array_append_vals(latencies, all[i].latencies->data, all[i].latencies->len);
        g_array_unref(all[i].latencies);
        *failed += all[i].failed;
        if (all[i].problem != NULL)
            fprintf(stderr, "bench_load: %d messages of session %d failed: %s\n", all[i].failed, i,
                    all[i].problem);
        g_free(all[i].problem);
    }
    return latencies;
}

static int compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double percentile(GArray *sorted, double share)
{
    return sorted->len == 0 ? 0 : g_array_index(sorted, double, (guint)(share * (sorted->len - 1)));
}

static void prepare(const char *address)
{
    load.address = g_strdup(address);
    load.body = bench_text((gsize)size_bytes);
    from = from != NULL ? from : g_strdup("bo@inside.example");
    to = to != NULL ? to : g_strdup("inside.example");
    load.sender = g_strdup_printf("<%s>", from);
    load.recipients = g_new0(char *, recipients + 1);
    for (int i = 0; i < recipients; i++)
        load.recipients[i] = g_strdup_printf("<user%d@%s>", i + 1, to);
}

static int measure(void)
{
    int failed = 0;
    double cpu_ms, seconds;
    gint64 start_us;
    g_autoptr(GArray) latencies = NULL;

    g_array_unref(run_sessions(warm_up, 0, &failed));
    cpu_ms = filter_pid > 0 ? cpu_tree_ms(filter_pid) : 0;
    start_us = g_get_monotonic_time();
    latencies = run_sessions(messages, 1000000, &failed);
    seconds = (double)(g_get_monotonic_time() - start_us) / 1e6;
    cpu_ms = filter_pid > 0 ? cpu_tree_ms(filter_pid) - cpu_ms : 0;
    g_array_sort(latencies, compare_doubles);
    printf("messages=%d failed=%d seconds=%.3f rate=%.1f p50_ms=%.3f p99_ms=%.3f cpu_ms=%.5f\n", messages,
           failed, seconds, messages / seconds, percentile(latencies, 0.5), percentile(latencies, 0.99),
           cpu_ms / messages);
    return failed > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("ADDRESS");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 || sessions < 1 || messages < 1 ||
        recipients < 1 || size_bytes < 1) {
        g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);

        fprintf(stderr, "%s%s", error != NULL ? error->message : "", help);
        return 2;
    }
    prepare(argv[1]);
    if (filter_pid > 0 && cpu_tree_ms(filter_pid) < 0) {
        fprintf(stderr, "bench_load: there is no process %d\n", filter_pid);
        return 2;
    }
    return measure();
}
