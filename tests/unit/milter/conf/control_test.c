/* What a command makes of a daemon's answers, and of none. */
#include "milter/conf/control.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LONG_MS 20000
#define SHORT_MS 50

/* A daemon that gives one answer and hangs up. */
struct answerer {
    char *address; /* with "unix:" */
    int listen_fd;
    pthread_t thread;
    const char *answer; /* NULL: none, and no hanging up before it is told to */
    char asked[100];
};

static void *give_answer(void *data)
{
    struct answerer *answerer = data;
    int client = accept(answerer->listen_fd, NULL, NULL);
    ssize_t n = read(client, answerer->asked, sizeof answerer->asked - 1);

    g_assert_cmpint(n, >, 0);
    for (gsize left = strlen(answerer->answer); left > 0;) {
        ssize_t sent = send(client, answerer->answer + strlen(answerer->answer) - left, left, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        left -= (gsize)sent;
    }
    close(client);
    return NULL;
}

static void begin(struct answerer *answerer, const char *answer)
{
    g_autofree char *folder = g_dir_make_tmp("miji-control-XXXXXX", NULL);
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    *answerer = (struct answerer){.address = g_strdup_printf("unix:%s/s", folder), .answer = answer};
    g_strlcpy(at.sun_path, answerer->address + 5, sizeof at.sun_path);
    answerer->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(answerer->listen_fd, (struct sockaddr *)&at, sizeof at), ==, 0);
    g_assert_cmpint(listen(answerer->listen_fd, 1), ==, 0);
    if (answer != NULL)
        g_assert_cmpint(pthread_create(&answerer->thread, NULL, give_answer, answerer), ==, 0);
}

static void end(struct answerer *answerer)
{
    g_autofree char *folder = g_path_get_dirname(answerer->address + 5);

    if (answerer->answer != NULL)
        pthread_join(answerer->thread, NULL);
    close(answerer->listen_fd);
    g_unlink(answerer->address + 5);
    g_rmdir(folder);
    g_free(answerer->address);
}

/* What comes of it: "ok: text", "failed: text", or the error. */
static char *ask(const struct answerer *answerer, gint64 timeout_ms)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = FALSE;
    g_autoptr(control_request) request = control_request_new("status", FALSE, LANGUAGE_EN);
    g_autofree char *text = control_ask(answerer->address, request, timeout_ms, NULL, &ok, &error);

    g_assert_cmpint(text == NULL, ==, error != NULL);
    return text != NULL ? g_strdup_printf("%s: %s", ok ? "ok" : "failed", text) : g_strdup(error->message);
}

static void test_answers(void)
{
    static const char *const table[][2] = {
        {"ok\nall is well\n", "ok: all is well\n"},
        {"ok\n", "ok: "},
        {"failed\nno\n", "failed: no\n"},
        {"ok 12\nall is well\n", "ok: all is well\n"},
        {"failed 3\nno\n", "failed: no\n"},
        {"okay\n", "failed: "},
        {"ok", NULL}, /* no answer */
        {"", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        struct answerer answerer;

        begin(&answerer, table[i][0]);
        g_autofree char *outcome = ask(&answerer, LONG_MS);
        if (table[i][1] != NULL)
            g_assert_cmpstr(outcome, ==, table[i][1]);
        else
            g_assert_true(g_str_has_suffix(outcome, ": an answer that is none"));
        end(&answerer);
        g_assert_cmpstr(answerer.asked, ==, "status text en\n");
    }
}

/* What was cut is no answer: an exported message would be a part of one. */
static void test_cut(void)
{
    static const char *const answers[] = {"ok 12\nall is wel", "ok 12\nall is well\nx", "ok x\nx", "ok \n"};

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        struct answerer answerer;

        begin(&answerer, answers[i]);
        g_autofree char *outcome = ask(&answerer, LONG_MS);
        g_assert_true(g_str_has_suffix(outcome, ": the answer was cut"));
        end(&answerer);
    }
}

static void test_endless(void)
{
    g_autofree char *answer = g_strnfill(2 * CONTROL_ANSWER_MAX, 'x');
    struct answerer answerer;

    begin(&answerer, answer);
    g_autofree char *outcome = ask(&answerer, LONG_MS);
    g_assert_cmpuint(strlen(outcome), <, 1000);
    end(&answerer);
}

/* A daemon that was stopped: first nobody answers, then there is not even room to ask. */
static void test_stopped(void)
{
    struct answerer answerer;

    begin(&answerer, NULL);
    for (guint i = 0; i < 4; i++) {
        g_autofree char *outcome = ask(&answerer, SHORT_MS);
        g_assert_true(g_str_has_suffix(outcome, g_strerror(ETIMEDOUT)) ||
                      g_str_has_suffix(outcome, g_strerror(EAGAIN)));
        g_assert_true(i < 3 || g_str_has_suffix(outcome, g_strerror(EAGAIN)));
    }
    end(&answerer);
}

static void test_nobody(void)
{
    struct answerer answerer = {.address = (char *)"unix:/nowhere/at/all"};
    g_autofree char *outcome = ask(&answerer, LONG_MS);

    g_assert_true(g_str_has_suffix(outcome, g_strerror(ENOENT)));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/conf/control/answers", test_answers);
    g_test_add_func("/conf/control/cut", test_cut);
    g_test_add_func("/conf/control/endless", test_endless);
    g_test_add_func("/conf/control/stopped", test_stopped);
    g_test_add_func("/conf/control/nobody", test_nobody);
    return g_test_run();
}
