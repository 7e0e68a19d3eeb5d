#include "tests/support/inspecting.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "milter/inspect/reader.h"

static char *program(void)
{
    const char *build = g_getenv("MIJI_BUILD");

    return g_build_filename(build != NULL ? build : ".build", "bin", "miji-inspect", NULL);
}

/* ---------------------------------------------------------------- a parent and what it has */

int setting_start_parent(struct setting *setting)
{
    g_autofree char *path = program();
    g_autoptr(GError) error = NULL;
    int fd = inspector_start_parent(path, &setting->limits, &setting->parent, &error);

    g_assert_no_error(error);
    g_assert_cmpint(fd, >=, 0);
    g_assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    return fd;
}

void setting_begin(struct setting *setting, guint helpers)
{
    inspect_limits_init(&setting->limits);
    setting->limits.helpers = helpers;
    setting->inspector = inspector_new(setting_start_parent(setting), &setting->limits);
}

gboolean child_is_gone(GPid pid)
{
    return waitpid(pid, NULL, WNOHANG) == pid;
}

/* The control channel ends: so does the parent. */
void setting_end(struct setting *setting)
{
    inspector_free(setting->inspector);
    WAIT_FOR(child_is_gone(setting->parent))
}

/* The living children of a process. */
GArray *children_of(GPid parent)
{
    GArray *children = g_array_new(FALSE, FALSE, sizeof(GPid));
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);

    for (const char *name; (name = g_dir_read_name(proc)) != NULL;) {
        g_autofree char *path = g_build_filename("/proc", name, "stat", NULL), *stat = NULL;
        const char *behind;
        char state;
        int ppid;
        if (!g_ascii_isdigit(name[0]) || !g_file_get_contents(path, &stat, NULL, NULL) ||
            (behind = strrchr(stat, ')')) == NULL)
            continue;
        if (sscanf(behind, ") %c %d", &state, &ppid) == 2 && ppid == parent && state != 'Z') {
            GPid pid = atoi(name);
            g_array_append_val(children, pid);
        }
    }
    return children;
}

static guint count_children(GPid parent)
{
    g_autoptr(GArray) children = children_of(parent);

    return children->len;
}

struct inspector_status setting_status(struct setting *setting)
{
    struct inspector_status status;

    inspector_get_status(setting->inspector, &status);
    return status;
}

/* The only worker, once it has arrived. */
GPid setting_only_worker(struct setting *setting)
{
    WAIT_FOR(setting_status(setting).workers == 1 && count_children(setting->parent) == 1)
    g_autoptr(GArray) children = children_of(setting->parent);
    return children->len == 1 ? g_array_index(children, GPid, 0) : 0;
}

struct facts *inspect_within(struct setting *setting, const char *message, gint64 time_us,
                             enum inspect_failure *failure)
{
    return inspector_inspect(setting->inspector, message, strlen(message), -1,
                             g_get_monotonic_time() + time_us, NULL, NULL, failure);
}

void expect_subject(const struct facts *facts, const char *subject)
{
    g_assert_nonnull(facts);
    for (guint i = 0; facts != NULL && i < facts->candidate_count; i++) {
        if (facts->candidates[i].place.kind == PLACE_SUBJECT) {
            g_assert_cmpstr(facts->candidates[i].text.data, ==, subject);
            return;
        }
    }
    g_assert_not_reached();
}

/* An ordinary message is read: all is well (again). */
void expect_well(struct setting *setting)
{
    enum inspect_failure failure;
    g_autoptr(facts) facts =
        inspect_within(setting, "Subject: =?gbk?B?u/rD3A==?=\n\ntext\n", PATIENCE, &failure);

    g_assert_cmpint(failure, ==, INSPECT_OK);
    expect_subject(facts, "机密");
}

static void *run_job(void *data)
{
    struct job *job = data;
    gint64 began = g_get_monotonic_time();

    job->facts = inspect_within(job->setting, job->message, job->time_us, &job->failure);
    job->took_us = g_get_monotonic_time() - began;
    return NULL;
}

void job_start(struct job *job, struct setting *setting, const char *message, gint64 time_us)
{
    *job = (struct job){.setting = setting, .message = message, .time_us = time_us};
    g_assert_cmpint(pthread_create(&job->thread, NULL, run_job, job), ==, 0);
}

guint64 ticks_of(GPid pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *stat = NULL;
    guint64 user = 0, system = 0;
    const char *behind;

    if (!g_file_get_contents(path, &stat, NULL, NULL) || (behind = strrchr(stat, ')')) == NULL)
        return 0;
    /* fields 14 and 15 of proc(5), counted from the state, which is the third */
    if (sscanf(behind,
               ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
               &user, &system) != 2)
        return 0;
    return user + system;
}

GString *slow_message(void)
{
    GString *message = g_string_new("Content-Type: text/html\n\n");

    while (message->len < 19 << 20)
        g_string_append(message, "<p>some <b>words</b> of text<p>");
    return message;
}
