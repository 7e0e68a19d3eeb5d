#include "tests/bench/cpu.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct process {
    pid_t pid, parent;
    double own_ms, waited_ms;
    gboolean is_counted;
};

/* Fields 4 (ppid), 16 and 17 (cutime, cstime) of proc(5), counted behind the name, which may hold anything.
 */
static gboolean read_stat(struct process *process)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)process->pid);
    g_autofree char *text = NULL;
    const char *behind;
    int parent;
    long cutime, cstime;

    if (!g_file_get_contents(path, &text, NULL, NULL) || (behind = strrchr(text, ')')) == NULL ||
        sscanf(behind + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld", &parent, &cutime,
               &cstime) != 3)
        return FALSE;
    process->parent = parent;
    process->waited_ms = 1000.0 * (double)(cutime + cstime) / (double)sysconf(_SC_CLK_TCK);
    return TRUE;
}

static gboolean read_clock(struct process *process)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(process->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return FALSE;
    process->own_ms = (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
    return TRUE;
}

/* Threads do not appear in /proc's listing: each entry is a process. */
static GArray *read_processes(void)
{
    GArray *processes = g_array_new(FALSE, TRUE, sizeof(struct process));
    GDir *dir = g_dir_open("/proc", 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        struct process process = {.pid = (pid_t)atoi(name)};

        if (process.pid > 0 && read_stat(&process) && read_clock(&process))
            g_array_append_val(processes, process);
    }
    if (dir != NULL)
        g_dir_close(dir);
    return processes;
}

static double add_tree(GArray *processes, pid_t root)
{
    double sum = 0;

    for (guint i = 0; i < processes->len; i++) {
        struct process *process = &g_array_index(processes, struct process, i);

        if (process->is_counted || (process->pid != root && process->parent != root))
            continue;
        if (process->pid == root) {
            process->is_counted = TRUE;
            sum += process->own_ms + process->waited_ms;
        } else {
            sum += add_tree(processes, process->pid);
        }
    }
    return sum;
}

double cpu_tree_ms(pid_t root)
{
    g_autoptr(GArray) processes = read_processes();

    for (guint i = 0; i < processes->len; i++)
        if (g_array_index(processes, struct process, i).pid == root)
            return add_tree(processes, root);
    return -1;
}
