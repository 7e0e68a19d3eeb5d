/*
 * inspecting: a real miji-inspect with its workers, for tests: started, asked, watched through /proc.
 * Everything is asserted where it happens.
 */
#ifndef TESTS_SUPPORT_INSPECTING_H
#define TESTS_SUPPORT_INSPECTING_H

#include <pthread.h>

#include "milter/inspect/inspector.h"

#define SECOND G_USEC_PER_SEC
#define PATIENCE (20 * SECOND)

struct setting {
    struct inspect_limits limits;
    GPid parent;
    struct inspector *inspector;
};

/* A parent of the limits; its control channel. */
int setting_start_parent(struct setting *setting);
/* The limits of language.md with so many helpers, a parent, an inspector. */
void setting_begin(struct setting *setting, guint helpers);
/* The control channel ends, and the parent must end with it. */
void setting_end(struct setting *setting);

gboolean child_is_gone(GPid child);
/* The living children of a process. */
GArray *children_of(GPid parent);
/* The only worker, once it has arrived. */
GPid setting_only_worker(struct setting *setting);
/* Processor time that a process has used, in ticks: one that reads a slow message uses some, one that waits
 * uses none. */
guint64 ticks_of(GPid pid);
struct inspector_status setting_status(struct setting *setting);

struct facts *inspect_within(struct setting *setting, const char *message, gint64 time_us,
                             enum inspect_failure *failure);
void expect_subject(const struct facts *facts, const char *subject);
/* HTML that takes a worker a second or more. */
GString *slow_message(void);
/* An ordinary message is read: all is well (again). */
void expect_well(struct setting *setting);

/* An inspection in a thread of its own; facts are whose who joins it. */
struct job {
    struct setting *setting;
    pthread_t thread;
    enum inspect_failure failure;
    const char *message;
    gint64 time_us, took_us;
    struct facts *facts;
};
void job_start(struct job *job, struct setting *setting, const char *message, gint64 time_us);

#define WAIT_FOR(condition)                                            \
    for (gint64 patience_ends = g_get_monotonic_time() + PATIENCE;;) { \
        if (condition)                                                 \
            break;                                                     \
        g_assert_cmpint(g_get_monotonic_time(), <, patience_ends);     \
        if (g_get_monotonic_time() >= patience_ends)                   \
            break;                                                     \
        g_usleep(2000);                                                \
    }

#endif
