/*
 * bench_store FOLDER [options]: holds a message durably, encrypted, with all its rows (store_keep), against
 * the plainest durable way: a file of its own, written, synced, renamed, its folder synced. Both in FOLDER,
 * which must lie on a disk: in memory a sync costs nothing. For each number of threads the two take turns;
 * each pair gives one ratio of rates. One line for each number of threads: rates (medians), ratios, the 99th
 * percentile of our latency in ms, our CPU a message in ms.
 */
#include "tests/bench/text.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/stored.h"

#define MOST_THREADS 16

static int rounds = 5, messages = 600, size_bytes = 51200, just_threads = 0;
static char **arguments;

static GOptionEntry entries[] = {
    {"rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "pairs (5)", "N"},
    {"messages", 0, 0, G_OPTION_ARG_INT, &messages, "of each way in a pair (600)", "N"},
    {"size", 0, 0, G_OPTION_ARG_INT, &size_bytes, "of a message (51200)", "BYTES"},
    {"threads", 0, 0, G_OPTION_ARG_INT, &just_threads, "only so many (1, 4 and 16)", "N"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments, NULL, "FOLDER"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

/* Half text, half an attachment that hardly compresses. Only read while the threads run. */
static GString *octets;
static struct stored *stored;
static struct inputs inputs;
static struct decision *decision;
static int plain_fd; /* of the folder of the plain way */

static gint next_number; /* atomic: of the message */

struct worker {
    pthread_t thread;
    gboolean (*keep)(gint number);
    int count, failed;
    GArray *latencies; /* double, ms */
};

/* ---- the two ways */

static gboolean write_all(int fd, const char *text, gsize length)
{
    for (gsize at = 0; at < length;) {
        gssize n = write(fd, text + at, length - at);
        if (n <= 0)
            return FALSE;
        at += (gsize)n;
    }
    return TRUE;
}

static gboolean keep_plainly(gint number)
{
    char name[32], temporary[32];

    snprintf(name, sizeof name, "%d", number);
    snprintf(temporary, sizeof temporary, ".%d", number);
    int fd = openat(plain_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    gboolean done = fd >= 0 && write_all(fd, octets->str, octets->len) && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return done && renameat(plain_fd, temporary, plain_fd, name) == 0 && fsync(plain_fd) == 0;
}

static gboolean keep_stored(gint number)
{
    guint8 digest[32] = {0};
    g_autoptr(GError) error = NULL;
    struct store_message message = {.inputs = &inputs,
                                    .decision = decision,
                                    .digest = digest,
                                    .octets = octets->str,
                                    .length = octets->len,
                                    .fd = -1};

    memcpy(digest, &number, sizeof number);
    if (store_keep(stored->store, &message, NULL, &error))
        return TRUE;
    fprintf(stderr, "bench_store: %s\n", error->message);
    return FALSE;
}

/* ---- measuring */

static void *work(void *data)
{
    struct worker *worker = data;

    for (int i = 0; i < worker->count; i++) {
        gint64 start_us = g_get_monotonic_time();
        worker->failed += !worker->keep(g_atomic_int_add(&next_number, 1));
        double ms = (double)(g_get_monotonic_time() - start_us) / 1000;
        g_array_append_val(worker->latencies, ms);
    }
    return NULL;
}

static double cpu_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

struct measure {
    double rate, cpu_ms; /* a second; a message */
};

static struct measure measure(gboolean (*keep)(gint number), int threads, GArray *latencies)
{
    struct worker workers[MOST_THREADS];
    int count = MAX(messages / threads, 1), failed = 0;
    double cpu = cpu_ms();
    gint64 start_us = g_get_monotonic_time();

    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){.keep = keep, .count = count};
        workers[i].latencies = g_array_new(FALSE, FALSE, sizeof(double));
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            g_error("no thread");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        failed += workers[i].failed;
        g_array_append_vals(latencies, workers[i].latencies->data, workers[i].latencies->len);
        g_array_unref(workers[i].latencies);
    }
    double seconds = (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
    if (failed > 0) {
        fprintf(stderr, "bench_store: %d of %d could not be kept\n", failed, count * threads);
        exit(1);
    }
    return (struct measure){.rate = count * threads / seconds,
                            .cpu_ms = (cpu_ms() - cpu) / (count * threads)};
}

static int compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of sorted values: 0.5 is the median. */
static double part(GArray *values, double share)
{
    g_array_sort(values, compare);
    return g_array_index(values, double, (guint)((values->len - 1) * share + 0.5));
}

/* A new folder for each pair: a large one is slower. None is removed before the end: ext4 slows down the
 * making of files for seconds after many were removed. */
static void begin_plain(const char *folder)
{
    g_autofree char *name = g_build_filename(folder, "plain-XXXXXX", NULL);

    if (plain_fd > 0)
        close(plain_fd);
    if (g_mkdtemp(name) == NULL || (plain_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        g_error("%s cannot be made", name);
    sync();
}

static void compare_ways(const char *folder, int threads)
{
    g_autoptr(GArray) plain = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) ours = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) ratios = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) cpu = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) plain_latencies = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) latencies = g_array_new(FALSE, FALSE, sizeof(double));

    for (int round = 0; round < rounds; round++) {
        begin_plain(folder);
        struct measure base = measure(keep_plainly, threads, plain_latencies);
        struct measure store = measure(keep_stored, threads, latencies);
        double ratio = store.rate / base.rate;
        g_array_append_val(plain, base.rate);
        g_array_append_val(ours, store.rate);
        g_array_append_val(ratios, ratio);
        g_array_append_val(cpu, store.cpu_ms);
    }
    printf("threads=%d plain=%.0f stored=%.0f min=%.2f median=%.2f max=%.2f plain_p99_ms=%.1f p99_ms=%.1f "
           "cpu_ms=%.3f\n",
           threads, part(plain, 0.5), part(ours, 0.5), part(ratios, 0), part(ratios, 0.5), part(ratios, 1),
           part(plain_latencies, 0.99), part(latencies, 0.99), part(cpu, 0.5));
    fflush(stdout);
}

/* ---- what is kept */

static void make_octets(void)
{
    g_autofree char *text = bench_text((gsize)size_bytes / 2);
    g_autofree guint8 *random = g_malloc((gsize)size_bytes);

    octets = g_string_new("Message-ID: <1.x@agency.gov.cn>\r\nFrom: bo@agency.gov.cn\r\n\r\n");
    g_string_append(octets, text);
    for (int i = 0; i < size_bytes; i++)
        random[i] = (guint8)g_test_rand_int();
    for (gsize at = 0; octets->len < (gsize)size_bytes; at += 57) {
        g_autofree char *line = g_base64_encode(random + at, 57);
        g_string_append(octets, line);
        g_string_append(octets, "\r\n");
    }
    g_string_truncate(octets, (gsize)size_bytes);
}

int main(int argc, char **argv)
{
    static const int all[] = {1, 4, MOST_THREADS};
    char *none[] = {argv[0], NULL};
    char **name = none;
    int one = 1;
    g_autoptr(GOptionContext) context = g_option_context_new("FOLDER");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || arguments == NULL || just_threads < 0 ||
        just_threads > MOST_THREADS || rounds < 1 || messages < 1 || size_bytes < 200) {
        fprintf(stderr, "bench_store: %s\n",
                error != NULL ? error->message : "usage: bench_store FOLDER [options]");
        return 2;
    }
    g_autofree char *folder = g_build_filename(arguments[0], "bench-store-XXXXXX", NULL);
    if (g_mkdtemp(folder) == NULL) {
        fprintf(stderr, "bench_store: %s cannot be made\n", folder);
        return 1;
    }
    g_setenv("TMPDIR", folder, TRUE);
    g_test_init(&one, &name, NULL);
    make_octets();
    stored = stored_new();
    stored_message(stored, "an");
    decision = stored_decide(stored, "h");
    inputs = world_inputs(stored->world);
    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        if (just_threads == 0 || just_threads == all[i])
            compare_ways(folder, all[i]);
    decision_free(decision);
    stored_free(stored);
    return 0;
}
