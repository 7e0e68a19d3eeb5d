/* The processes themselves: a second daemon, an inspector that cannot be started for a while, a start without
 * -f. */
#include "tests/wire/scene.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_US (30 * G_USEC_PER_SEC)

/* A file in the daemon's directory. */
static char *path_of(const char *name)
{
    g_autofree char *directory = g_path_get_dirname(daemon_address(scene_daemon()) + strlen("unix:"));

    return g_build_filename(directory, name, NULL);
}

/* The daemon's configuration with some names in it changed: old, new, … NULL. New file `name`; its path. */
static char *write_variant(const char *name, const char *const *changes)
{
    g_autofree char *from = path_of("miji.conf");
    char *to = path_of(name), *text = NULL;
    GString *changed;

    g_assert_true(g_file_get_contents(from, &text, NULL, NULL));
    changed = g_string_new(text);
    for (; *changes != NULL; changes += 2)
        g_assert_cmpuint(g_string_replace(changed, changes[0], changes[1], 0), >, 0);
    g_assert_true(g_file_set_contents(to, changed->str, -1, NULL));
    g_assert_cmpint(g_chmod(to, 0644), ==, 0);
    g_string_free(changed, TRUE);
    g_free(text);
    return to;
}

/* Runs miji-milter until it and whoever holds its output have ended; its exit status, what it said in *said.
 */
static int run_milter(const char *conf, const char *option, char **said)
{
    g_autofree char *program = path_of("miji-milter");
    const char *argv[] = {program, "-c", conf, option, NULL};
    g_autoptr(GError) error = NULL;
    int status = -1;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, said, &status,
                 &error);
    g_assert_no_error(error);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* As the daemon's own: for the same user. */
static void make_state(const char *path)
{
    g_autofree char *own = path_of("state");
    struct stat st;

    g_assert_cmpint(stat(own, &st), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    g_assert_cmpint(chown(path, st.st_uid, st.st_gid), ==, 0);
}

/* Other sockets, but the same state directory: two would write into one store. */
static void test_second_store(void)
{
    g_autofree char *conf =
        write_variant("fourth.conf", TEXTS("milter.sock", "fourth.sock", "local.sock", "fourth-local.sock",
                                           "control.sock", "fourth-control.sock"));
    g_autofree char *said = NULL;

    g_assert_cmpint(run_milter(conf, "-f", &said), ==, 2);
    g_assert_nonnull(strstr(said, "error: store: "));
    scene_check();
}

/* Whichever of the sockets both have in common. */
static void test_second_daemon(void)
{
    const char *const *const others[] = {
        TEXTS(NULL),
        TEXTS("control.sock", "second-control.sock"),
        TEXTS("control.sock", "second-control.sock", "local.sock", "second-local.sock"),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *conf = write_variant("second.conf", others[i]);
        g_autofree char *said = NULL;

        g_assert_cmpint(run_milter(conf, "-f", &said), ==, 2);
        g_assert_nonnull(strstr(said, "cannot listen on unix:"));
        g_assert_nonnull(strstr(said, "Address already in use"));
        scene_check();
    }
}

/* The inspector's parent: the child of the supervisor that has children. */
static pid_t inspector(void)
{
    g_autoptr(GArray) children = daemon_children(scene_daemon());
    pid_t found = 0;

    for (unsigned i = 0; i < children->len && found == 0; i++) {
        g_autofree char *file = g_strdup_printf("/proc/%d/comm", (int)g_array_index(children, pid_t, i));
        g_autofree char *name = NULL;

        if (g_file_get_contents(file, &name, NULL, NULL) && strcmp(name, "miji-inspect\n") == 0)
            found = g_array_index(children, pid_t, i);
    }
    return found;
}

static unsigned lines_with(const char *words)
{
    g_autofree char *log = daemon_log(scene_daemon());
    unsigned count = 0;

    for (const char *at = log; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

static void wait_for_lines(const char *words, unsigned count)
{
    gint64 deadline_us = g_get_monotonic_time() + PATIENCE_US;

    while (lines_with(words) < count && g_get_monotonic_time() < deadline_us)
        g_usleep(10000);
    g_assert_cmpuint(lines_with(words), >=, count);
}

/* As during an upgrade: the program is away, or one that ends at once. It is tried again, with pauses, and
 * comes back. */
static void inspector_is_away(const char *in_its_place, const char *line, unsigned tries)
{
    g_autofree char *program = path_of("miji-inspect"), *away = path_of("miji-inspect.away");
    unsigned before = lines_with(line), ends;
    gint64 start_us;

    g_assert_cmpint(g_rename(program, away), ==, 0);
    if (in_its_place != NULL)
        g_assert_cmpint(symlink(in_its_place, program), ==, 0);
    ends = lines_with("the inspector's parent ended");
    start_us = g_get_monotonic_time();
    kill(inspector(), SIGKILL);
    wait_for_lines(line, before + tries);
    /* the pauses are 250 ms and longer */
    g_assert_cmpint(lines_with("the inspector's parent ended") - ends, <=,
                    1 + (g_get_monotonic_time() - start_us) / (250 * 1000));
    g_unlink(program);
    g_assert_cmpint(g_rename(away, program), ==, 0);
    scene_check();
}

static void test_inspector_is_away(void)
{
    inspector_is_away("/bin/false", "a new inspector serves", 2);
    inspector_is_away(NULL, "the inspector does not start", 1);
}

/* A pipe of this program that nobody told them of. */
static int open_to_heirs[2];

static void expect_not_inherited(pid_t pid, const char *ours)
{
    g_autofree char *folder = g_strdup_printf("/proc/%d/fd", (int)pid);
    GDir *fds = g_dir_open(folder, 0, NULL); /* NULL: a worker's, and we are not root */
    const char *name;

    while (fds != NULL && (name = g_dir_read_name(fds)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *where = g_file_read_link(path, NULL);
        g_assert_cmpstr(where, !=, ours);
    }
    if (fds != NULL)
        g_dir_close(fds);
}

static void test_inherits_nothing(void)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", open_to_heirs[0]);
    g_autofree char *ours = g_file_read_link(path, NULL);
    g_autoptr(GArray) children = daemon_children(scene_daemon());

    g_assert_true(g_str_has_prefix(ours, "pipe:["));
    g_assert_cmpuint(children->len, >=, 2);
    expect_not_inherited(daemon_pid(scene_daemon()), ours);
    for (unsigned i = 0; i < children->len; i++)
        expect_not_inherited(g_array_index(children, pid_t, i), ours);
}

/* A child of ours but for the daemon of the scene, or 0: what lost its parent comes to us. */
static pid_t orphan(void)
{
    g_autofree char *file = g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        pid_t pid = (pid_t)g_ascii_strtoll(*word, NULL, 10);
        if (pid > 0 && pid != daemon_pid(scene_daemon()))
            return pid;
    }
    return 0;
}

static void stop_orphan(void)
{
    pid_t pid = orphan();
    int status = -1;

    g_assert_cmpint(pid, >, 0);
    g_assert_cmpint(kill(pid, SIGTERM), ==, 0);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
}

/* The reason, then that it is not started. */
static void expect_why(const char *said, const char *why)
{
    g_test_message("%s", said);
    g_assert_true(g_str_has_prefix(said, "miji-milter: error: "));
    g_assert_nonnull(strstr(said, why));
    g_assert_true(g_str_has_suffix(said, "\nmiji-milter: error: not started: see the line before\n"));
}

/* Without -f the command ends when the daemon serves, and so does what waits for its output. */
static void test_detached(void)
{
    g_autofree char *conf =
        write_variant("third.conf", TEXTS("milter.sock", "third.sock", "local.sock", "third-local.sock",
                                          "control.sock", "third-control.sock", "log      \"stderr\"",
                                          "log      \"syslog:mail\"", "/state\"", "/third-state\""));
    g_autofree char *state = path_of("third-state");
    g_autofree char *socket = path_of("third.sock");
    g_autofree char *said = NULL, *said_again = NULL;

    make_state(state);
    g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), ==, 0);
    g_assert_cmpint(run_milter(conf, NULL, &said), ==, 0);
    g_assert_cmpstr(said, ==, "");
    g_assert_true(g_file_test(socket, G_FILE_TEST_EXISTS));
    g_assert_cmpint(run_milter(conf, NULL, &said_again), ==, 2);
    expect_why(said_again, "cannot listen on unix:");
    stop_orphan();
}

/* Who starts it at a terminal reads there why it does not start, also where the log is syslog; in the
 * foreground, too. */
static void test_says_why(void)
{
    g_autofree char *conf =
        write_variant("fifth.conf", TEXTS("milter.sock", "fifth.sock", "local.sock", "fifth-local.sock",
                                          "control.sock", "fifth-control.sock", "log      \"stderr\"",
                                          "log      \"syslog:mail\"", "/state\"", "/fifth-state\""));
    g_autofree char *state = path_of("fifth-state"), *store = path_of("fifth-state/store.db");
    g_autofree char *detached = NULL, *foreground = NULL;
    struct stat st;

    make_state(state);
    g_assert_true(
        g_file_set_contents(store, "what is no database, and long enough to be seen as none", -1, NULL));
    g_assert_cmpint(stat(state, &st), ==, 0);
    g_assert_cmpint(chown(store, st.st_uid, st.st_gid), ==, 0);
    g_autofree char *bad = path_of("bad.conf"), *errors = NULL;
    g_assert_true(g_file_set_contents(bad, "nonsense\n", -1, NULL));
    g_assert_cmpint(run_milter(bad, "-f", &errors), ==, 1);
    g_assert_true(g_str_has_prefix(errors, bad));
    g_assert_true(g_str_has_suffix(errors, "\nmiji-milter: not started: the configuration has errors\n"));
    g_assert_cmpint(run_milter(conf, NULL, &detached), ==, 2);
    expect_why(detached, "store.db: the file is no database");
    g_assert_cmpint(run_milter(conf, "-f", &foreground), ==, 2);
    expect_why(foreground, "store.db: the file is no database");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_assert_cmpint(pipe(open_to_heirs), ==, 0);
    scene_open(NULL);
    g_test_add_func("/wire/process/inherits-nothing", test_inherits_nothing);
    g_test_add_func("/wire/process/second-daemon", test_second_daemon);
    g_test_add_func("/wire/process/second-store", test_second_store);
    g_test_add_func("/wire/process/inspector-is-away", test_inspector_is_away);
    g_test_add_func("/wire/process/detached", test_detached);
    g_test_add_func("/wire/process/says-why", test_says_why);
    return scene_run("/wire/process");
}
