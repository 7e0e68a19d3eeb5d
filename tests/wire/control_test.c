/* The control socket under every kind of client: what is no request gets a short answer or none, and nobody
 * holds up the others, the mail, or the end. */
#include "milter/conf/control.h"
#include "tests/wire/scene.h"

#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE_BYTES (49 * 1024 * 1024)
#define MORE_BYTES (2 * 1024 * 1024) /* than the kernel keeps for a client that does not read */
#define SERVED 8                     /* LIMIT_CONTROL_SERVED */
#define CLIENTS 24                   /* LIMIT_CONTROL_CLIENTS */
#define BUSY "failed 56\nthe daemon serves as many commands as it can; try again\n"

static char *control_address(void)
{
    g_autofree char *directory = g_path_get_dirname(daemon_address(scene_daemon()));

    return g_build_filename(directory, "control.sock", NULL);
}

static int open_control(void)
{
    g_autofree char *address = control_address();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(at.sun_path, address + strlen("unix:"), sizeof at.sun_path);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
    return fd;
}

/* Everything that comes back until the daemon hangs up. */
static GString *read_all(int fd)
{
    GString *all = g_string_new(NULL);
    char octets[4096];
    ssize_t n;

    while ((n = read(fd, octets, sizeof octets)) > 0)
        g_string_append_len(all, octets, n);
    return all;
}

static void expect_status(void)
{
    g_autofree char *address = control_address();
    g_autoptr(GError) error = NULL;
    gboolean ok = FALSE;
    g_autoptr(control_request) request = control_request_new("status", TRUE, LANGUAGE_EN);
    g_autofree char *text = control_ask(address, request, 20000, NULL, &ok, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_true(g_str_has_prefix(text, "{\"version\": "));
}

/* For people, in their language to the last word. */
static void test_status_in_chinese(void)
{
    g_autofree char *address = control_address();
    gboolean ok = FALSE;
    g_autoptr(control_request) request = control_request_new("status", FALSE, LANGUAGE_ZH);
    g_autofree char *text = control_ask(address, request, 20000, NULL, &ok, NULL);

    g_assert_true(ok && strstr(text, "进程号 ") != NULL && strstr(text, "，命中 ") != NULL);
    g_assert_true(strstr(text, "pid") == NULL && strstr(text, "hits") == NULL &&
                  strstr(text, " s\n") == NULL);
}

static void test_requests(void)
{
    static const struct {
        const char *octets;
        gsize length;
        gboolean is_answered;
    } table[] = {
        {"", 0, FALSE},
        {"\n", 1, TRUE},
        {"status", 6, FALSE},
        {"status\n", 7, TRUE},
        {"status text\n", 12, TRUE},
        {"status text en more and more\n", 29, TRUE},
        {"reload\n", 7, TRUE},
        {"reload en now\n", 14, TRUE},
        {"STATUS text en\n", 15, TRUE},
        {"%s%n%s%n en\n", 12, TRUE},
        {"\x1b[31mstatus\xff\xfe en\n", 17, TRUE},
        {"\0\0status json en\n", 17, FALSE}, /* no line before the NUL */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        int fd = open_control();
        g_assert_cmpint(send(fd, table[i].octets, table[i].length, MSG_NOSIGNAL), ==, table[i].length);
        shutdown(fd, SHUT_WR);
        GString *answer = read_all(fd);
        g_assert_cmpint(answer->len > 0, ==, table[i].is_answered);
        g_assert_true(answer->len == 0 || g_str_has_prefix(answer->str, "failed "));
        g_assert_cmpuint(answer->len, <, 200);
        g_string_free(answer, TRUE);
        close(fd);
    }
    expect_status();
}

static void test_too_long(void)
{
    g_autofree char *line = g_strnfill(100000, 'x');
    int fd = open_control();
    GString *answer;

    send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
    answer = read_all(fd);
    g_assert_cmpuint(answer->len, ==, 0);
    g_string_free(answer, TRUE);
    close(fd);
    expect_status();
}

/* Clients that say nothing cost nobody anything until there are too many of them, and then two seconds. */
static void test_silent(void)
{
    int silent[CLIENTS + 4];
    gint64 start_us = g_get_monotonic_time();

    for (gsize i = 0; i < CLIENTS - 1; i++)
        silent[i] = open_control();
    expect_status();
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, G_USEC_PER_SEC);
    for (gsize i = CLIENTS - 1; i < G_N_ELEMENTS(silent); i++)
        silent[i] = open_control();
    expect_status();
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 10 * G_USEC_PER_SEC);
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++)
        close(silent[i]);
}

/* Many at once: each has its answer in the end. */
static void test_many(void)
{
    int clients[3 * CLIENTS];

    for (gsize i = 0; i < G_N_ELEMENTS(clients); i++) {
        clients[i] = open_control();
        g_assert_cmpint(send(clients[i], "status text zh\n", 15, MSG_NOSIGNAL), ==, 15);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(clients); i++) {
        GString *answer = read_all(clients[i]);
        g_assert_true(g_str_has_prefix(answer->str, "ok "));
        g_string_free(answer, TRUE);
        close(clients[i]);
    }
}

/* ---- an officer: the system's user games (tests/wire/daemon.c) */

static void become_officer(void)
{
    const struct passwd *games = getpwnam("games");

    if (games == NULL || setgid(games->pw_gid) != 0 || setuid(games->pw_uid) != 0)
        _exit(99);
}

/* What is asked once; the answer's octets are compared with the message's in the child, which tells how many
 * there were: 0 for another answer. */
static void compare_export(const char *line, const GString *body, int out)
{
    int fd = open_control();
    GString *answer;
    gsize found = 0;

    send(fd, line, strlen(line), MSG_NOSIGNAL);
    answer = read_all(fd);
    if (g_str_has_prefix(answer->str, "ok ") && answer->len > body->len &&
        memcmp(answer->str + answer->len - body->len, body->str, body->len) == 0)
        found = answer->len;
    _exit(write(out, &found, sizeof found) == sizeof found ? 0 : 1);
}

static gsize export_as_officer(const char *line, const GString *body)
{
    int ends[2], status;
    gsize found = 0;
    pid_t pid;

    g_assert_cmpint(pipe(ends), ==, 0);
    pid = fork();
    if (pid == 0) {
        become_officer();
        compare_export(line, body, ends[1]);
    }
    close(ends[1]);
    g_assert_cmpint(read(ends[0], &found, sizeof found), ==, sizeof found);
    close(ends[0]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return found;
}

/* bo to an, 机密, a public subject: waits as label-conflict does. Its id, from the log. */
static char *hold_one(const char *id, const GString *body)
{
    g_autofree char *field = g_strdup_printf("Message-ID: <%s@pc7>", id);
    g_autofree char *verdict = g_strdup_printf("%s: verdict=hold", id);
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;
    g_autoptr(GError) error = NULL;
    g_autofree char *outcome = NULL, *line = NULL;

    message.fields = TEXTS("From: bo@agency.gov.cn", "Message-ID: <large@pc7>",
                           "X-Classification: confidential", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    message.queue_id = id;
    message.body = body->str;
    message.body_length = body->len;
    mta_set_timeout(mta, 120000);
    outcome = scene_send(mta, &message);
    g_assert_cmpstr(outcome, ==, "discard");
    scene_quit(mta);
    line = daemon_wait_line(scene_daemon(), TEXTS(verdict, " hold="), &error);
    g_assert_no_error(error);
    const char *found = strstr(line, " hold=") + strlen(" hold=");
    return g_strndup(found, strcspn(found, " "));
}

/* Clients that ask for a large answer and read nothing of it: as many as are served at once. */
static pid_t start_slow_readers(const char *line)
{
    pid_t pid = fork();
    int clients[SERVED];

    if (pid != 0)
        return pid;
    become_officer();
    for (gsize i = 0; i < G_N_ELEMENTS(clients); i++) {
        clients[i] = open_control();
        send(clients[i], line, strlen(line), MSG_NOSIGNAL);
    }
    pause();
    _exit(0);
}

static char *ask_as_officer(const char *line)
{
    int ends[2], status;
    char octets[512] = "";
    ssize_t n;
    pid_t pid;

    g_assert_cmpint(pipe(ends), ==, 0);
    pid = fork();
    if (pid == 0) {
        become_officer();
        int fd = open_control();
        send(fd, line, strlen(line), MSG_NOSIGNAL);
        GString *answer = read_all(fd);
        _exit(write(ends[1], answer->str, MIN(answer->len, sizeof octets - 1)) >= 0 ? 0 : 1);
    }
    close(ends[1]);
    n = read(ends[0], octets, sizeof octets - 1);
    close(ends[0]);
    g_assert_cmpint(n, >=, 0);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return g_strdup(octets);
}

static GString *figures(gsize least)
{
    GString *body = g_string_sized_new(least + 100);

    while (body->len < least)
        g_string_append_printf(body, "%" G_GSIZE_FORMAT " of the figures, and what they mean\r\n", body->len);
    return body;
}

static void test_large(void)
{
    GString *body = figures(LARGE_BYTES);
    g_autofree char *id = hold_one("4LargeQ1", body);
    g_autofree char *line = g_strdup_printf("show text en %s view=raw\n", id);

    g_assert_cmpuint(export_as_officer(line, body), >, body->len);
    g_string_free(body, TRUE);
}

/* Eight whom nobody can make read keep commands out, and nothing else:
 * status, mail and reload go on; when they are gone, or have had their time, commands are served again. */
static void test_slow(void)
{
    GString *body = figures(MORE_BYTES);
    g_autofree char *id = hold_one("4SlowQ1", body);
    g_autofree char *line = g_strdup_printf("show text en %s view=raw\n", id);
    g_autofree char *busy = NULL, *served = NULL;
    gint64 deadline_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    pid_t slow;
    int status;

    g_string_free(body, TRUE);
    slow = start_slow_readers(line);
    do {
        g_free(busy);
        busy = ask_as_officer("held text en\n");
    } while (strcmp(busy, BUSY) != 0 && g_get_monotonic_time() < deadline_us);
    g_assert_cmpstr(busy, ==, BUSY);
    expect_status();
    scene_check();
    kill(slow, SIGKILL);
    g_assert_cmpint(waitpid(slow, &status, 0), ==, slow);
    deadline_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    do {
        g_free(served);
        served = ask_as_officer("held text en\n");
    } while (strcmp(served, BUSY) == 0 && g_get_monotonic_time() < deadline_us);
    g_assert_true(g_str_has_prefix(served, "ok "));
}

/* The end of the daemon does not wait for who does not read. */
static void test_stop_with_slow_readers(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *held = ask_as_officer("held json en\n");
    const char *id = strstr(held, "\"id\":\"");
    g_assert_nonnull(id);
    g_autofree char *name = g_strndup(id + 6, strcspn(id + 6, "\"")),
                    *line = g_strdup_printf("show text en %s view=raw\n", name);
    pid_t slow = start_slow_readers(line);
    gint64 start_us;
    int status;

    expect_status();
    start_us = g_get_monotonic_time();
    g_assert_true(daemon_stop(scene_daemon(), &error));
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 30 * G_USEC_PER_SEC);
    kill(slow, SIGKILL);
    g_assert_cmpint(waitpid(slow, &status, 0), ==, slow);
    g_assert_true(daemon_run(scene_daemon(), &error));
    g_assert_no_error(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open_keeping("inet:9@127.0.0.1", NULL);
    g_test_add_func("/wire/control/requests", test_requests);
    g_test_add_func("/wire/control/status-in-chinese", test_status_in_chinese);
    g_test_add_func("/wire/control/too-long", test_too_long);
    g_test_add_func("/wire/control/silent", test_silent);
    g_test_add_func("/wire/control/many", test_many);
    g_test_add_func("/wire/control/large", test_large);
    g_test_add_func("/wire/control/slow", test_slow);
    g_test_add_func("/wire/control/stop-with-slow-readers", test_stop_with_slow_readers);
    return scene_run("/wire/control");
}
