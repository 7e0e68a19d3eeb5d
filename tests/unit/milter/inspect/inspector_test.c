/* The real parent and real workers: good mail, and everything that can go wrong with a process. */
#include "milter/inspect/inspector.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "milter/inspect/limits.h"
#include "milter/inspect/packet.h"
#include "milter/inspect/reader.h"
#include "tests/support/inspecting.h"

/* ---------------------------------------------------------------- all is well */

static void test_normal(void)
{
    struct setting setting;

    setting_begin(&setting, 2);
    for (guint i = 0; i < 20; i++)
        expect_well(&setting);
    g_assert_cmpuint(setting_status(&setting).inspected, ==, 20);
    g_assert_cmpuint(setting_status(&setting).died + setting_status(&setting).timed_out, ==, 0);
    WAIT_FOR(setting_status(&setting).workers == 2 && setting_status(&setting).busy == 0)
    setting_end(&setting);
}

/* The charsets that must be open before the sandbox closes, inside of it. */
static void test_charsets(void)
{
    static const char *const table[][2] = {
        {"=?big5?B?vvexSw==?=", "機密"},
        {"=?utf-7?Q?+ZzpbxiYF-?=", "机密★"},
        {"=?utf-16be?B?ZzpbxiYF?=", "机密★"},
        {"=?hz-gb-2312?Q?~{;zC\\~}?=", "机密"},
        {"=?iso-2022-jp?B?GyRCNSFMKRsoQg==?=", "機密"},
        {"=?windows-1252?Q?=80?=", "€"},
        {"=?koi8-r?Q?=D3?=", "с"},
        {"=?euc-kr?Q?=B0=A1?=", "가"},
    };
    struct setting setting;

    setting_begin(&setting, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *message = g_strdup_printf("Subject: %s\n\n", table[i][0]);
        enum inspect_failure failure;
        g_autoptr(facts) facts = inspect_within(&setting, message, PATIENCE, &failure);
        expect_subject(facts, table[i][1]);
        g_assert_cmpuint(facts->finding_count, ==, 0);
    }
    setting_end(&setting);
}

static void test_empty_message(void)
{
    struct setting setting;
    enum inspect_failure failure;

    setting_begin(&setting, 1);
    g_autoptr(facts) facts = inspect_within(&setting, "", PATIENCE, &failure);
    g_assert_cmpint(failure, ==, INSPECT_OK);
    g_assert_cmpuint(facts->field_count, ==, 0);
    setting_end(&setting);
}

static GString *large_message(gsize size)
{
    GString *message =
        g_string_new("Subject: large\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
                     "text/plain; charset=utf-8\n\n机密\n--b\n"
                     "Content-Type: application/pdf; name=x.pdf\nContent-Transfer-Encoding: base64\n\n");

    while (message->len < size)
        g_string_append(message, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\n");
    g_string_append(message, "\n--b--\n");
    return message;
}

static void expect_large(struct setting *setting, const void *data, gsize length, int fd)
{
    enum inspect_failure failure;
    g_autoptr(facts) facts = inspector_inspect(setting->inspector, data, length, fd,
                                               g_get_monotonic_time() + PATIENCE, NULL, NULL, &failure);

    g_assert_cmpint(failure, ==, INSPECT_OK);
    expect_subject(facts, "large");
    g_assert_cmpuint(facts->size_bytes, ==, length);
    g_assert_cmpuint(facts->part_count, ==, 3);
    g_assert_cmpuint(facts->parts[2].size_bytes, >, length / 2);
    g_assert_cmpuint(facts->finding_count, ==, 0);
}

/* Every way in: in the datagram, at its limit and beyond, in memory, as a sealed memfd, as a file. */
static void test_sizes(void)
{
    static const gsize sizes[] = {1000, LIMIT_DATAGRAM_BYTES - 200, LIMIT_DATAGRAM_BYTES + 1, 20 << 20};
    struct setting setting;

    setting_begin(&setting, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GString) message = large_message(sizes[i]);
        g_autofree char *path = NULL;
        int memory = packet_seal(message->str, message->len), file = g_file_open_tmp(NULL, &path, NULL),
            reading;
        expect_large(&setting, message->str, message->len, -1);
        expect_large(&setting, message->str, message->len, memory);
        g_assert_cmpint(write(file, message->str, message->len), ==, message->len);
        reading = open(path, O_RDONLY | O_CLOEXEC);
        expect_large(&setting, NULL, message->len, reading);
        close(memory);
        close(file);
        close(reading);
        unlink(path);
    }
    setting_end(&setting);
}

/* An answer that does not fit into a datagram. */
static void test_large_answer(void)
{
    g_autoptr(GString) message = g_string_new(NULL);
    struct setting setting;
    enum inspect_failure failure;

    setting_begin(&setting, 1);
    for (guint i = 0; i < 1900; i++)
        g_string_append_printf(message, "X-%u: %0400u\n", i, i);
    g_string_append(message, "Subject: many\n\n");
    g_autoptr(facts) facts = inspect_within(&setting, message->str, PATIENCE, &failure);
    g_assert_cmpint(failure, ==, INSPECT_OK);
    g_assert_cmpuint(facts->field_count, ==, 1901);
    g_assert_cmpuint(facts->fields[1899].decoded.length, ==, 400);
    expect_subject(facts, "many");
    setting_end(&setting);
}

static void *inspect_many(void *data)
{
    struct setting *setting = data;

    for (guint i = 0; i < 100; i++) {
        g_autofree char *subject = g_strdup_printf("%p %u", (void *)pthread_self(), i);
        g_autofree char *message =
            g_strdup_printf("Subject: %s\n\n%*s\n", subject, i == 50 ? 100000 : 10, "x");
        enum inspect_failure failure;
        g_autoptr(facts) facts = inspect_within(setting, message, PATIENCE, &failure);
        g_assert_cmpint(failure, ==, INSPECT_OK);
        expect_subject(facts, subject); /* its own */
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[16];
    struct setting setting;

    setting_begin(&setting, 3);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, inspect_many, &setting), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpuint(setting_status(&setting).inspected, ==, 1600);
    g_assert_cmpuint(setting_status(&setting).busy, ==, 0);
    setting_end(&setting);
}

/* A worker is replaced after so many messages, without one that fails. */
static void test_recycling(void)
{
    struct setting setting;
    GPid first;

    setting_begin(&setting, 1);
    first = setting_only_worker(&setting);
    for (guint i = 0; i < LIMIT_WORKER_MESSAGES + 10; i++) {
        enum inspect_failure failure;
        g_autoptr(facts) facts = inspect_within(&setting, "Subject: x\n\n", PATIENCE, &failure);
        g_assert_cmpint(failure, ==, INSPECT_OK);
    }
    g_assert_cmpint(setting_only_worker(&setting), !=, first);
    g_assert_cmpuint(setting_status(&setting).died, ==, 0);
    setting_end(&setting);
}

/* ---------------------------------------------------------------- all is not well */

static void test_worker_killed(void)
{
    g_autoptr(GString) message = slow_message();
    struct setting setting;
    struct job job;
    guint64 before;
    GPid worker;

    setting_begin(&setting, 1);
    worker = setting_only_worker(&setting);
    before = ticks_of(worker);
    job_start(&job, &setting, message->str, PATIENCE);
    WAIT_FOR(ticks_of(worker) >= before + 3)
    kill(worker, SIGKILL);
    pthread_join(job.thread, NULL);
    g_assert_cmpint(job.failure, ==, INSPECT_DIED);
    g_assert_null(job.facts);
    expect_well(&setting);
    g_assert_cmpuint(setting_status(&setting).died, ==, 1);
    setting_end(&setting);
}

/* One that dies while nobody uses it costs nothing. */
static void test_idle_worker_killed(void)
{
    struct setting setting;

    setting_begin(&setting, 1);
    for (guint i = 0; i < 5; i++) {
        GPid worker = setting_only_worker(&setting);
        kill(worker, SIGKILL);
        WAIT_FOR(kill(worker, 0) != 0) /* else it may still read the message */
        expect_well(&setting);
    }
    g_assert_cmpuint(setting_status(&setting).died, ==, 0);
    setting_end(&setting);
}

static void test_worker_hangs(void)
{
    struct setting setting;
    struct job job;
    GPid worker;

    setting_begin(&setting, 1);
    worker = setting_only_worker(&setting);
    kill(worker, SIGSTOP);
    job_start(&job, &setting, "Subject: x\n\n", SECOND / 5);
    pthread_join(job.thread, NULL);
    g_assert_cmpint(job.failure, ==, INSPECT_TIMEOUT);
    g_assert_cmpint(job.took_us, >=, SECOND / 5);
    g_assert_cmpint(job.took_us, <, 5 * SECOND);
    expect_well(&setting);
    g_assert_cmpint(setting_only_worker(&setting), !=, worker);
    g_assert_cmpuint(setting_status(&setting).timed_out, ==, 1);
    setting_end(&setting);
}

/* `time` of the limits holds even where the caller has more of it. */
static void test_time_of_one_message(void)
{
    struct setting setting;
    struct job job;

    inspect_limits_init(&setting.limits);
    setting.limits.helpers = 1;
    setting.limits.time_ms = 200;
    setting.inspector = inspector_new(setting_start_parent(&setting), &setting.limits);
    kill(setting_only_worker(&setting), SIGSTOP);
    job_start(&job, &setting, "Subject: x\n\n", PATIENCE);
    pthread_join(job.thread, NULL);
    g_assert_cmpint(job.failure, ==, INSPECT_TIMEOUT);
    g_assert_cmpint(job.took_us, <, 5 * SECOND);
    setting_end(&setting);
}

static void test_all_busy(void)
{
    struct setting setting;
    struct job job;
    enum inspect_failure failure;
    GPid worker;

    setting_begin(&setting, 1);
    worker = setting_only_worker(&setting);
    kill(worker, SIGSTOP);
    job_start(&job, &setting, "Subject: x\n\n", PATIENCE);
    WAIT_FOR(setting_status(&setting).busy == 1)
    g_assert_null(inspect_within(&setting, "Subject: x\n\n", SECOND / 10, &failure));
    g_assert_cmpint(failure, ==, INSPECT_BUSY);
    kill(worker, SIGCONT);
    pthread_join(job.thread, NULL);
    g_assert_cmpint(job.failure, ==, INSPECT_OK);
    facts_free(job.facts);
    setting_end(&setting);
}

static void test_parent_killed(void)
{
    g_autoptr(GString) message = slow_message();
    struct setting setting;
    struct job job;
    enum inspect_failure failure;
    guint64 before;
    GPid worker;

    setting_begin(&setting, 1);
    worker = setting_only_worker(&setting);
    before = ticks_of(worker);
    job_start(&job, &setting, message->str, PATIENCE);
    WAIT_FOR(ticks_of(worker) >= before + 3)
    kill(setting.parent, SIGKILL); /* the worker dies with it */
    pthread_join(job.thread, NULL);
    g_assert_cmpint(job.failure, ==, INSPECT_DIED);
    WAIT_FOR(child_is_gone(setting.parent))
    WAIT_FOR(setting_status(&setting).workers == 0)
    g_assert_null(inspect_within(&setting, "Subject: y\n\n", SECOND / 10, &failure));
    g_assert_cmpint(failure, ==, INSPECT_BUSY);

    inspector_replace_parent(setting.inspector, setting_start_parent(&setting), &setting.limits);
    expect_well(&setting);
    setting_end(&setting);
}

static void count_call(gpointer calls)
{
    g_atomic_int_inc((gint *)calls);
}

/* progress is for waits of many seconds: never in a short one. */
static void test_progress(void)
{
    struct setting setting;
    enum inspect_failure failure;
    gint calls = 0;

    setting_begin(&setting, 1);
    g_autoptr(facts) facts =
        inspector_inspect(setting.inspector, "A: b\n\n", 6, -1, g_get_monotonic_time() + PATIENCE, count_call,
                          &calls, &failure);
    g_assert_cmpint(failure, ==, INSPECT_OK);
    g_assert_cmpint(calls, ==, 0);
    setting_end(&setting);
}

static void test_no_program(void)
{
    struct setting setting;
    g_autoptr(GError) error = NULL;
    GPid pid;

    inspect_limits_init(&setting.limits);
    g_assert_cmpint(inspector_start_parent("/nowhere/miji-inspect", &setting.limits, &pid, &error), ==, -1);
    g_assert_cmpstr(error->message, ==, "/nowhere/miji-inspect: No such file or directory");
}

/* Workers that cannot live do not keep the machine busy. */
static void test_back_off(void)
{
    struct setting setting;
    gint64 until = g_get_monotonic_time() + SECOND;
    guint made = 0;

    inspect_limits_init(&setting.limits);
    setting.limits.helpers = 1;
    int control_fd = setting_start_parent(&setting);
    while (g_get_monotonic_time() < until) {
        struct pollfd polled = {control_fd, POLLIN, 0};
        struct control control;
        struct packet_room room = {&control, sizeof control, NULL, 0, -1};
        if (poll(&polled, 1, (int)((until - g_get_monotonic_time()) / 1000 + 1)) <= 0)
            break;
        g_assert_cmpint(packet_receive(control_fd, &room, 0), ==, sizeof control);
        made += control.kind == CONTROL_WORKER;
        if (room.passed >= 0)
            close(room.passed); /* it ends at once */
    }
    g_assert_cmpuint(made, >=, 3);
    g_assert_cmpuint(made, <=, 10);
    close(control_fd);
    WAIT_FOR(child_is_gone(setting.parent))
}

/* ---------------------------------------------------------------- what a worker really has */

static char *proc_line(GPid pid, const char *file, const char *begin)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, file), *content = NULL;

    g_file_get_contents(path, &content, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(content != NULL ? content : "", "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (g_str_has_prefix(lines[i], begin))
            return g_strdup(lines[i]);
    }
    return g_strdup("");
}

static void expect_line(GPid pid, const char *file, const char *begin, const char *pattern)
{
    g_autofree char *line = proc_line(pid, file, begin);

    g_test_message("%s: %s", file, line);
    g_assert_true(g_pattern_match_simple(pattern, line));
}

static void test_worker_is_sandboxed(void)
{
    struct setting setting;
    GPid worker;
    guint descriptors = 0;

    setting_begin(&setting, 1);
    expect_well(&setting);
    worker = setting_only_worker(&setting);
    expect_line(worker, "status", "Seccomp:", "Seccomp:\t2");
    expect_line(worker, "status", "NoNewPrivs:", "NoNewPrivs:\t1");
    expect_line(worker, "status", "CapEff:", "CapEff:\t0000000000000000");
    expect_line(worker, "status", "CapPrm:", "CapPrm:\t0000000000000000");
    if (getuid() == 0) {
        g_autofree char *uid = proc_line(worker, "status", "Uid:");
        g_assert_false(g_pattern_match_simple("*\t0*", uid));
    }
    expect_line(worker, "limits", "Max cpu time", "Max cpu time *21*81*seconds*");
    expect_line(worker, "limits", "Max core file size", "Max core file size *0 *0 *");
    expect_line(worker, "limits", "Max processes", "Max processes *0 *0 *");
    expect_line(worker, "limits", "Max open files", "Max open files *16 *16 *");
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", worker);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    while (dir != NULL && g_dir_read_name(dir) != NULL)
        descriptors++;
    if (getuid() == 0)                        /* nobody else may look */
        g_assert_cmpuint(descriptors, ==, 4); /* three that lead nowhere, and the socket */
    setting_end(&setting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/inspector/normal", test_normal);
    g_test_add_func("/inspect/inspector/charsets", test_charsets);
    g_test_add_func("/inspect/inspector/empty-message", test_empty_message);
    g_test_add_func("/inspect/inspector/sizes", test_sizes);
    g_test_add_func("/inspect/inspector/large-answer", test_large_answer);
    g_test_add_func("/inspect/inspector/threads", test_threads);
    g_test_add_func("/inspect/inspector/recycling", test_recycling);
    g_test_add_func("/inspect/inspector/worker-killed", test_worker_killed);
    g_test_add_func("/inspect/inspector/idle-worker-killed", test_idle_worker_killed);
    g_test_add_func("/inspect/inspector/worker-hangs", test_worker_hangs);
    g_test_add_func("/inspect/inspector/time-of-one-message", test_time_of_one_message);
    g_test_add_func("/inspect/inspector/all-busy", test_all_busy);
    g_test_add_func("/inspect/inspector/parent-killed", test_parent_killed);
    g_test_add_func("/inspect/inspector/progress", test_progress);
    g_test_add_func("/inspect/inspector/no-program", test_no_program);
    g_test_add_func("/inspect/inspector/back-off", test_back_off);
    g_test_add_func("/inspect/inspector/worker-is-sandboxed", test_worker_is_sandboxed);
    return g_test_run();
}
