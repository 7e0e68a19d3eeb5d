/*
 * What the answer promises is on disk before it is given (semantics.md 7.3): a store that cannot be written
 * puts off what needs it and nothing else; a client that is gone before its answer hears none, and comes
 * again.
 */
#include "tests/wire/scene.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAL_WRITE_LOCK \
    120 /* sqlite.org/walformat.html, 2.3: who has this octet of the -shm file is the writer */

/* Locks out the writer of the daemon's database, as another program could. */
static int lock_store(void)
{
    g_autofree char *state = g_build_filename(daemon_directory(scene_daemon()), "state", NULL);
    GDir *dir = g_dir_open(state, 0, NULL);
    const char *name;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WAL_WRITE_LOCK, .l_len = 1};
    int fd = -1;

    while (dir != NULL && fd < 0 && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, "-shm")) {
            g_autofree char *path = g_build_filename(state, name, NULL);
            fd = open(path, O_RDWR | O_CLOEXEC);
        }
    g_dir_close(dir);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(fcntl(fd, F_SETLKW, &lock), ==, 0);
    return fd;
}

static struct mta_message held_message(const char *id, const char *queue_id)
{
    struct mta_message message = scene_fine;
    static const char *fields[8][6];
    static int used;
    const char **own = fields[used++ % 8];

    own[0] = "From: bo@agency.gov.cn";
    own[1] = id;
    own[2] = "X-Classification: confidential";
    own[3] = "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures";
    own[4] = NULL;
    message.fields = own;
    message.queue_id = queue_id;
    return message;
}

static char *status_word(const char *word)
{
    g_autoptr(control_request) request = control_request_new("status", TRUE, LANGUAGE_EN);
    gboolean ok = FALSE;
    g_autofree char *text = scene_ask(request, &ok), *key = g_strdup_printf("\"%s\":", word);
    const char *at = strstr(text, key);

    g_assert_nonnull(at);
    at += strlen(key);
    return g_strndup(at, strcspn(at, ",}"));
}

static void test_store_fails(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message held = held_message("Message-ID: <keep-1@pc7>", "4KeepQ1");
    struct mta_message split = scene_fine;
    g_autoptr(GError) error = NULL;
    int lock = lock_store();
    g_autofree char *fails = scene_edits(mta, &held), *available = NULL, *later = NULL, *line = NULL;
    g_autofree char *refused = scene_edits(mta, &scene_refused), *fine = scene_edits(mta, &scene_fine);

    g_assert_cmpstr(fails, ==, "452 4.3.1 Out of storage, try again later");
    g_assert_cmpstr(refused, ==, "452 4.3.1 Out of storage, try again later");
    /* Plain deliveries need no record (case 60). */
    g_assert_cmpstr(fine, ==, "chgfrom <bo@agency.gov.cn> RET=HDRS; accept");
    split.recipients = TEXTS("<an@agency.gov.cn>", "<mi@agency.gov.cn>");
    g_autofree char *mixed = scene_edits(mta, &split);
    g_assert_cmpstr(mixed, ==, "452 4.3.1 Out of storage, try again later");
    line = daemon_wait_line(scene_daemon(),
                            TEXTS("4KeepQ1: verdict=defer reason=store-unavailable", "problem="), &error);
    g_assert_no_error(error);
    available = status_word("available");
    g_assert_cmpstr(available, ==, "false");
    close(lock);
    later = scene_edits(mta, &held);
    g_assert_cmpstr(later, ==, "discard");
    g_clear_pointer(&available, g_free);
    available = status_word("available");
    g_assert_cmpstr(available, ==, "true");
    scene_quit(mta);
}

static void await_inspected(const char *before)
{
    gint64 deadline_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    gboolean more = FALSE;

    while (!more && g_get_monotonic_time() < deadline_us) {
        g_autofree char *now = status_word("inspected");
        more = strcmp(now, before) != 0;
    }
    g_assert_true(more);
}

/* The client dies while its message is being kept: it must not be told that all is well. */
static void test_peer_gone(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message held = held_message("Message-ID: <keep-2@pc7>", "4KeepQ2");
    g_autoptr(GError) error = NULL;
    int lock = lock_store();
    g_autofree char *before = status_word("holds_open"), *after = NULL, *again = NULL, *line = NULL;
    g_autofree char *inspected = status_word("inspected");

    g_assert_true(mta_mail(mta, &held, NULL, &error));
    g_assert_true(mta_rcpt(mta, held.recipients[0], NULL, &error));
    g_assert_true(mta_data(mta, NULL, &error));
    for (const char *const *field = held.fields; *field != NULL; field++)
        g_assert_true(mta_field(mta, *field, NULL, &error));
    g_assert_true(mta_eoh(mta, NULL, &error));
    g_assert_true(mta_body(mta, &held, NULL, &error));
    g_assert_true(mta_send_packet(mta, SMFIC_BODYEOB, NULL, 0, &error));
    g_assert_true(mta_flush(mta, &error));
    await_inspected(inspected);
    /* Now it waits for the lock: its client is gone when it has been kept. */
    mta_close(mta);
    close(lock);
    line = daemon_wait_line(scene_daemon(), TEXTS("4KeepQ2: the client is gone before the answer"), &error);
    g_assert_no_error(error);
    mta = scene_session(&scene_bo);
    again = scene_edits(mta, &held);
    g_assert_cmpstr(again, ==, "discard");
    after = status_word("holds_open");
    g_assert_cmpint(atoi(after), ==, atoi(before) + 1);
    scene_quit(mta);
}

/* In words, too. */
static void test_status(void)
{
    g_autoptr(control_request) english = control_request_new("status", FALSE, LANGUAGE_EN);
    g_autoptr(control_request) chinese = control_request_new("status", FALSE, LANGUAGE_ZH);
    g_autofree char *holds = status_word("holds_open"), *expected = NULL, *text = NULL, *other = NULL;
    gboolean ok = FALSE;

    expected = g_strdup_printf("\nstore                 available\nholds open            %s\n"
                               "notices waiting       ",
                               holds);
    text = scene_ask(english, &ok);
    g_assert_true(ok);
    g_assert_nonnull(strstr(text, expected));
    g_assert_nonnull(strstr(text, "\nof them failing       "));
    g_assert_nonnull(strstr(text, "\njournal rows lost     0\n"));
    other = scene_ask(chinese, &ok);
    g_assert_true(ok);
    g_assert_nonnull(strstr(other, "\n存储                  可用\n待审邮件              "));
}

/* Everything is there again after a restart, and the same message is known. */
static void test_restart(void)
{
    struct mta_message held = held_message("Message-ID: <keep-3@pc7>", "4KeepQ3");
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(GError) error = NULL;
    g_autofree char *first = scene_edits(mta, &held), *second = NULL, *before = status_word("holds_open");
    g_autofree char *after = NULL;

    g_assert_cmpstr(first, ==, "discard");
    scene_quit(mta);
    g_assert_true(daemon_stop(scene_daemon(), &error));
    g_assert_true(daemon_run(scene_daemon(), &error));
    g_assert_no_error(error);
    mta = scene_session(&scene_bo);
    second = scene_edits(mta, &held);
    g_assert_cmpstr(second, ==, "discard");
    after = status_word("holds_open");
    g_assert_cmpstr(after, ==, before);
    scene_quit(mta);
}

/* A queue that holds mail stays, whatever the configuration says (language.md 3). */
static void test_queue_stays(void)
{
    g_autoptr(control_request) request = control_request_new("reload", FALSE, LANGUAGE_EN);
    g_autofree char *path = g_build_filename(daemon_directory(scene_daemon()), "miji.conf", NULL);
    g_autofree char *before = NULL, *answer = NULL, *again = NULL;
    g_autoptr(GError) error = NULL;
    gboolean ok = TRUE;

    g_assert_true(g_file_get_contents(path, &before, NULL, &error));
    g_autoptr(GString) renamed = g_string_new(before);
    g_string_replace(renamed, "\"labels\"", "\"others\"", 0);
    g_assert_true(g_file_set_contents(path, renamed->str, -1, &error));
    answer = scene_ask(request, &ok);
    g_assert_false(ok);
    g_assert_cmpstr(answer, ==,
                    "the queue \"labels\" still holds mail: decide on it first "
                    "(miji held --queue \"labels\"), or keep the queue\n");
    g_assert_true(g_file_set_contents(path, before, -1, &error));
    again = scene_ask(request, &ok);
    g_assert_true(ok);
}

/* Without its key the store would not open again: such a configuration is refused while the daemon runs. */
static void test_key_stays(void)
{
    g_autoptr(control_request) request = control_request_new("reload", FALSE, LANGUAGE_ZH);
    g_autofree char *path = g_build_filename(daemon_directory(scene_daemon()), "miji.conf", NULL);
    g_autofree char *expected = g_strdup_printf("“%s/state”中保存的内容已用存储密钥密封，而配置中没有"
                                                "“密钥文件”或“密钥凭据”：请重新写上；配置未作任何更改\n",
                                                daemon_directory(scene_daemon()));
    g_autofree char *before = NULL, *answer = NULL, *again = NULL;
    gboolean ok = FALSE;

    g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
    g_autoptr(GString) keyless = g_string_new(before);
    const char *from = strstr(keyless->str, "key file"), *to = strstr(keyless->str, "role administrator");
    g_string_erase(keyless, from - keyless->str, to - from);
    g_string_replace(keyless, "hold in \"labels\"", "refuse", 0);
    g_assert_true(g_file_set_contents(path, keyless->str, -1, NULL));
    answer = scene_ask(request, &ok);
    g_assert_false(ok);
    g_assert_cmpstr(answer, ==, expected);
    g_assert_true(g_file_set_contents(path, before, -1, NULL));
    again = scene_ask(request, &ok);
    g_assert_cmpstr(again, ==, "");
    g_assert_true(ok);
}

/* A new key serves from now on; a bad one changes nothing. */
static void test_key_changes(void)
{
    g_autoptr(control_request) request = control_request_new("reload", FALSE, LANGUAGE_EN);
    g_autofree char *path = g_build_filename(daemon_directory(scene_daemon()), "key", NULL),
                    *short_one = NULL;
    g_autofree char *answer = NULL;
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message held = held_message("Message-ID: <keep-4@pc7>", "4KeepQ4");
    gboolean ok = FALSE;
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    g_assert_cmpint(write(fd, "short", 5), ==, 5);
    short_one = scene_ask(request, &ok);
    g_assert_false(ok);
    g_assert_cmpint(pwrite(fd, "another key of thirty-two octets", 32, 0), ==, 32);
    close(fd);
    answer = scene_ask(request, &ok);
    g_assert_cmpstr(answer, ==, "");
    g_assert_true(ok);
    g_autofree char *outcome = scene_edits(mta, &held);
    g_assert_cmpstr(outcome, ==, "discard");
    scene_quit(mta);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open_keeping("inet:9@127.0.0.1", NULL);
    g_test_add_func("/wire/keep/key-stays", test_key_stays);
    g_test_add_func("/wire/keep/store-fails", test_store_fails);
    g_test_add_func("/wire/keep/peer-gone", test_peer_gone);
    g_test_add_func("/wire/keep/status", test_status);
    g_test_add_func("/wire/keep/queue-stays", test_queue_stays);
    g_test_add_func("/wire/keep/key-changes", test_key_changes);
    g_test_add_func("/wire/keep/restart", test_restart);
    return scene_run("/wire/keep");
}
