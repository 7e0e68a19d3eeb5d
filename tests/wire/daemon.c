#include "tests/wire/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_SECONDS 60 /* a sanitized build on a busy machine */
#define STOP_SECONDS 60
#define LINE_SECONDS 20
#define POLL_US 10000

struct daemon {
    char *directory;
    char *address, *local_address, *release_address; /* with "unix:" */
    const char *out;                                 /* where released mail goes; NULL: nothing is kept */
    pid_t pid;                                       /* 0 when it does not run */
};

/* The first zones of language.md 3: people inside by login from 10/8, everybody else outside. */
static const char conf_text[] = "listen   \"unix:@DIR@/milter.sock\"  mode 0666\n"
                                "listen   \"unix:@DIR@/local.sock\"  role local  mode 0666\n"
                                "control  \"unix:@DIR@/control.sock\"  mode 0666\n"
                                "state    \"@DIR@/state\"\n"
                                "@RUNAS@"
                                "log      \"stderr\"\n"
                                "scheme   \"@DIR@/cn.scheme\"\n"
                                "directory \"file:@DIR@/people.ldif\" {\n"
                                "    base    \"dc=agency,dc=gov,dc=cn\"\n"
                                "    groups  keep closed\n"
                                "}\n"
                                "zone \"office\" {\n"
                                "    inside\n"
                                "    client         10.0.0.0/8, 2001:db8:10::/48\n"
                                "    recipient      agency.gov.cn\n"
                                "    carries up to  绝密\n"
                                "}\n"
                                "@MORE@"
                                "zone \"internet\" {\n"
                                "    otherwise\n"
                                "    carries up to  公开\n"
                                "}\n"
                                "unlabelled {\n"
                                "    from inside   refuse \"Choose a classification for this message.\"\n"
                                "    from outside  treat as 公开\n"
                                "}\n";

/* Nothing is kept. */
static const char bare_text[] = "label conflict  refuse\n";

/* A queue, an archive, a way out. gao, an officer cleared for everything, logs in as the system's user games.
 */
static const char storing_text[] =
    "label conflict  hold in \"labels\"\n"
    "listen   \"unix:@DIR@/release.sock\"  role release  mode 0666\n"
    "release through  \"@OUT@\"\n"
    "key file  \"@DIR@/key\"\n"
    "queue \"labels\" {\n"
    "    reviewers  members of \"cn=baomi,ou=groups,dc=agency,dc=gov,dc=cn\"\n"
    "    deadline   24h then refuse\n"
    "}\n"
    "archive \"highest\"  { takes 绝密 and above; keep 1y }\n"
    "role administrator  members of \"cn=postmasters,ou=groups,dc=agency,dc=gov,dc=cn\"\n"
    "role officer        members of \"cn=baomi,ou=groups,dc=agency,dc=gov,dc=cn\"\n"
    "role auditor        members of \"cn=shenji,ou=groups,dc=agency,dc=gov,dc=cn\"\n";

/* ---- directory */

static char *path_in(const struct daemon *miji, const char *name)
{
    return g_build_filename(miji->directory, name, NULL);
}

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = g_getenv(name);

    return value != NULL ? value : otherwise;
}

/* Copied, because nobody may not be able to read the source tree and the build. */
static bool copy_file(const char *from, const char *to, mode_t mode, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;

    return g_file_get_contents(from, &text, &length, error) &&
           g_file_set_contents(to, text, (gssize)length, error) && g_chmod(to, mode) == 0;
}

static bool copy_parts(const struct daemon *miji, GError **error)
{
    static const struct {
        const char *root, *otherwise, *from, *to;
        mode_t mode;
    } parts[] = {
        {"MIJI_BUILD", ".build", "bin/miji-milter", "miji-milter", 0755},
        {"MIJI_BUILD", ".build", "bin/miji-inspect", "miji-inspect", 0755},
        {"MIJI_TOP", ".", "policy/schemes/cn.scheme", "cn.scheme", 0644},
        {"MIJI_TOP", ".", "ldap-schema/example.ldif", "people.ldif", 0644},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *from =
            g_build_filename(setting(parts[i].root, parts[i].otherwise), parts[i].from, NULL);
        g_autofree char *to = path_in(miji, parts[i].to);

        if (!copy_file(from, to, parts[i].mode, error))
            return false;
    }
    return true;
}

/* The user as whom the daemon runs; NULL: who runs the test. */
static const struct passwd *daemon_user(void)
{
    return getuid() == 0 ? getpwnam("nobody") : NULL;
}

static bool give(const char *path)
{
    const struct passwd *user = daemon_user();

    return user == NULL || chown(path, user->pw_uid, user->pw_gid) == 0;
}

bool daemon_write_conf(const struct daemon *miji, const char *more, GError **error)
{
    g_autofree char *path = path_in(miji, "miji.conf");
    g_autoptr(GString) text = g_string_new(conf_text);

    g_string_append(text, miji->out != NULL ? storing_text : bare_text);
    g_string_replace(text, "@MORE@", more != NULL ? more : "", 0);
    g_string_replace(text, "@DIR@", miji->directory, 0);
    g_string_replace(text, "@OUT@", miji->out != NULL ? miji->out : "", 0);
    g_string_replace(text, "@RUNAS@", daemon_user() != NULL ? "run as   \"nobody\"\n" : "", 0);
    return g_file_set_contents(path, text->str, -1, error) && g_chmod(path, 0644) == 0;
}

static bool name_officer(const struct daemon *miji, GError **error)
{
    g_autofree char *path = path_in(miji, "people.ldif"), *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    g_autoptr(GString) people = g_string_new(text);
    g_string_replace(people, "uid: gao\n", "uid: games\n", 0);
    return g_file_set_contents(path, people->str, -1, error) && g_chmod(path, 0644) == 0;
}

static bool write_files(const struct daemon *miji, const char *more, GError **error)
{
    g_autofree char *spy_file = path_in(miji, "syslog"), *state = path_in(miji, "state");
    g_autofree char *key = path_in(miji, "key");

    return daemon_write_conf(miji, more, error) && name_officer(miji, error) &&
           g_file_set_contents(spy_file, "", 0, error) && g_chmod(spy_file, 0666) == 0 &&
           g_mkdir(state, 0700) == 0 && give(state) &&
           g_file_set_contents(key, "0123456789abcdef0123456789ABCDEF", 32, error) && give(key) &&
           g_chmod(key, 0400) == 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    return remove(path);
}

/* ---- process */

void daemon_preload_spy(const char *file)
{
    g_autofree char *built =
        g_build_filename(setting("MIJI_BUILD", ".build"), "tests/wire/syslog_spy.so", NULL);
    g_autofree char *spy = g_strconcat(file, ".so", NULL); /* LD_PRELOAD ends a name at blanks and colons */
    g_autoptr(GError) error = NULL;
    g_autofree char *asan = g_strconcat(setting("ASAN_OPTIONS", ""), ":verify_asan_link_order=0", NULL);

    if (!copy_file(built, spy, 0755, &error))
        fprintf(stderr, "%s\n", error->message); /* then the test does not find the spy's first line */
    g_setenv("ASAN_OPTIONS", asan, TRUE);
    g_setenv("LD_PRELOAD", spy, TRUE);
    g_setenv("MIJI_SYSLOG_SPY", file, TRUE);
}

G_GNUC_NORETURN
static void run(const struct daemon *miji)
{
    g_autofree char *program = path_in(miji, "miji-milter");
    g_autofree char *conf = path_in(miji, "miji.conf");
    g_autofree char *log = path_in(miji, "log");
    g_autofree char *spy_file = path_in(miji, "syslog");
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    daemon_preload_spy(spy_file);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    execl(program, "miji-milter", "-c", conf, "-f", (char *)NULL);
    fprintf(stderr, "%s: %s\n", program, g_strerror(errno));
    _exit(127);
}

static bool accepts(const char *address)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    g_strlcpy(where.sun_path, address + strlen("unix:"), sizeof where.sun_path);
    ok = connect(fd, (struct sockaddr *)&where, sizeof where) == 0;
    close(fd);
    return ok;
}

static bool wait_ready(struct daemon *miji, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + START_SECONDS * G_USEC_PER_SEC;
    int status = 0;

    for (;;) {
        if (accepts(miji->address) && accepts(miji->local_address))
            return true;
        if (waitpid(miji->pid, &status, WNOHANG) == miji->pid) {
            g_autofree char *log = daemon_log(miji);

            miji->pid = 0;
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "miji-milter ended with %#x:\n%s", status,
                        log);
            return false;
        }
        if (g_get_monotonic_time() > deadline_us) {
            g_autofree char *log = daemon_log(miji);

            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "miji-milter does not listen:\n%s", log);
            return false;
        }
        g_usleep(POLL_US);
    }
}

struct daemon *daemon_start(const char *more, GError **error)
{
    return daemon_start_keeping(NULL, more, error);
}

bool daemon_run(struct daemon *miji, GError **error)
{
    miji->pid = fork();
    if (miji->pid == 0)
        run(miji);
    return miji->pid > 0 && wait_ready(miji, error);
}

struct daemon *daemon_start_keeping(const char *out, const char *more, GError **error)
{
    g_autoptr(daemon) miji = g_new0(struct daemon, 1);

    miji->out = out;

    miji->directory = g_dir_make_tmp("miji-wire-XXXXXX", error);
    if (miji->directory == NULL)
        return NULL;
    miji->address = g_strdup_printf("unix:%s/milter.sock", miji->directory);
    miji->local_address = g_strdup_printf("unix:%s/local.sock", miji->directory);
    miji->release_address = g_strdup_printf("unix:%s/release.sock", miji->directory);
    if (g_chmod(miji->directory, 0755) != 0 || !copy_parts(miji, error) || !write_files(miji, more, error) ||
        !daemon_run(miji, error))
        return NULL;
    return g_steal_pointer(&miji);
}

/* True once the supervisor has ended; its status is then known. */
static bool wait_end(struct daemon *miji, int seconds, int *status)
{
    gint64 deadline_us = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;

    while (miji->pid > 0) {
        pid_t ended = waitpid(miji->pid, status, WNOHANG);

        if (ended == miji->pid || (ended < 0 && errno == ECHILD)) {
            miji->pid = 0;
            return true;
        }
        if (g_get_monotonic_time() > deadline_us)
            return false;
        g_usleep(POLL_US);
    }
    return true;
}

/* A zombie has ended: in a container nobody may wait for what lost its parent. */
static bool is_alive(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    const char *behind;

    return g_file_get_contents(path, &text, NULL, NULL) && (behind = strrchr(text, ')')) != NULL &&
           !g_str_has_prefix(behind, ") Z");
}

static bool are_gone(GArray *processes, int seconds)
{
    gint64 deadline_us = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;

    for (guint i = 0; i < processes->len; i++)
        while (is_alive(g_array_index(processes, pid_t, i))) {
            if (g_get_monotonic_time() > deadline_us)
                return false;
            g_usleep(POLL_US);
        }
    return true;
}

bool daemon_stop(struct daemon *miji, GError **error)
{
    g_autoptr(GArray) children = daemon_children(miji);
    g_autofree char *log = NULL;
    int status = 0;

    daemon_signal(miji, SIGTERM);
    if (wait_end(miji, STOP_SECONDS, &status) && status == 0 && are_gone(children, 5))
        return true;
    log = daemon_log(miji);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "miji-milter does not stop well (status %#x):\n%s",
                status, log);
    return false;
}

void daemon_free(struct daemon *miji)
{
    if (miji == NULL)
        return;
    if (miji->pid > 0) {
        g_autoptr(GArray) children = daemon_children(miji);
        int status;

        daemon_signal(miji, SIGKILL);
        wait_end(miji, STOP_SECONDS, &status);
        for (guint i = 0; i < children->len; i++)
            kill(g_array_index(children, pid_t, i), SIGKILL);
    }
    nftw(miji->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    g_free(miji->directory);
    g_free(miji->address);
    g_free(miji->local_address);
    g_free(miji->release_address);
    g_free(miji);
}

const char *daemon_address(const struct daemon *miji)
{
    return miji->address;
}

const char *daemon_local_address(const struct daemon *miji)
{
    return miji->local_address;
}

const char *daemon_release_address(const struct daemon *miji)
{
    return miji->release_address;
}

const char *daemon_directory(const struct daemon *miji)
{
    return miji->directory;
}

pid_t daemon_pid(const struct daemon *miji)
{
    return miji->pid;
}

void daemon_signal(struct daemon *miji, int signal)
{
    if (miji->pid > 0)
        kill(miji->pid, signal);
}

/* /proc/PID/task/TID/children of every thread, and so on down. */
static void add_children(GArray *found, pid_t pid)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)pid);
    GDir *dir = g_dir_open(tasks, 0, NULL);
    const char *task;

    while (dir != NULL && (task = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_strdup_printf("%s/%s/children", tasks, task);
        g_autofree char *text = NULL;
        g_auto(GStrv) words = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
            continue;
        words = g_strsplit(text, " ", -1);
        for (char **word = words; *word != NULL; word++) {
            pid_t child = (pid_t)atoi(*word);

            if (child > 0) {
                g_array_append_val(found, child);
                add_children(found, child);
            }
        }
    }
    if (dir != NULL)
        g_dir_close(dir);
}

GArray *daemon_children(const struct daemon *miji)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(pid_t));

    if (miji->pid > 0)
        add_children(found, miji->pid);
    return found;
}

/* ---- logs */

static char *read_file(const struct daemon *miji, const char *name)
{
    g_autofree char *path = path_in(miji, name);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

char *daemon_log(const struct daemon *miji)
{
    return read_file(miji, "log");
}

char *daemon_syslog(const struct daemon *miji)
{
    return read_file(miji, "syslog");
}

static bool has_all(const char *line, const char *const *words)
{
    while (*words != NULL && strstr(line, *words) != NULL)
        words++;
    return *words == NULL;
}

char *daemon_wait_line(const struct daemon *miji, const char *const *words, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + LINE_SECONDS * G_USEC_PER_SEC;

    for (;;) {
        g_autofree char *log = daemon_log(miji);
        g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

        for (char **line = lines; *line != NULL; line++)
            if (has_all(*line, words))
                return g_strdup(*line);
        if (g_get_monotonic_time() > deadline_us) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "no line with \"%s\" in:\n%s", words[0],
                        log);
            return NULL;
        }
        g_usleep(POLL_US);
    }
}
