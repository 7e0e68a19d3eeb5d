/* The control socket under every kind of client: what is no request gets a short answer or none, and holds
 * nobody up for long. */
#include "milter/conf/control.h"
#include "tests/wire/scene.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
        g_assert_true(answer->len == 0 || g_str_has_prefix(answer->str, "failed\n"));
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

/* Clients that say nothing cost the others, and the supervisor's word, a few seconds, not more. */
static void test_silent(void)
{
    int silent[2] = {open_control(), open_control()};
    gint64 start_us = g_get_monotonic_time();

    expect_status();
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 10 * G_USEC_PER_SEC);
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++)
        close(silent[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open(NULL);
    g_test_add_func("/wire/control/requests", test_requests);
    g_test_add_func("/wire/control/too-long", test_too_long);
    g_test_add_func("/wire/control/silent", test_silent);
    return scene_run("/wire/control");
}
