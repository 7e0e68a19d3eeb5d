#include "milter/daemon/service.h"

#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "milter/conf/clock.h"
#include "milter/daemon/limits.h"

/* Descriptors that one message may need at once: its connection, its spool, the reader's copy. */
#define DESCRIPTORS_PER_MESSAGE 3

/* How many we may have. Where they are out, libmilter spins without a word (facts 3.3). */
static gint64 take_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return LIMIT_DESCRIPTORS_SPARE;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = MAX(before, MIN(limit.rlim_max, LIMIT_DESCRIPTORS));
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = before;
    return (gint64)MIN(limit.rlim_cur, 1 << 20);
}

static void admit(struct service *service, guint helpers)
{
    gint64 free = take_descriptors() - LIMIT_DESCRIPTORS_SPARE - 2 * (gint64)helpers;
    service->most_messages = (gint)CLAMP(free / (DESCRIPTORS_PER_MESSAGE + 1), 1, LIMIT_MESSAGES);
    gint64 sessions = free - (DESCRIPTORS_PER_MESSAGE - 1) * service->most_messages;
    service->most_sessions = (gint)CLAMP(sessions, 1, LIMIT_SESSIONS);
    service->most_open = (gint)CLAMP(sessions + LIMIT_DESCRIPTORS_SPARE / 2, 1, 2 * LIMIT_SESSIONS);
}

static void draw_word(char word[33])
{
    guint8 random[16];
    if (getentropy(random, sizeof random) != 0)
        g_error("the system gives no random numbers");
    for (gsize i = 0; i < sizeof random; i++)
        g_snprintf(word + 2 * i, 3, "%02x", random[i]);
}

struct service *service_new(struct snapshot *snapshot, struct inspector *inspector)
{
    struct service *service = g_new0(struct service, 1);
    pthread_mutex_init(&service->lock, NULL);
    service->snapshot = snapshot;
    service->inspector = inspector;
    service->failures = failures_new(LIMIT_FAILURES);
    trouble_init(&service->trouble);
    service->started_us = clock_monotonic_us();
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&service->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    admit(service, snapshot->conf->inspect.helpers);
    draw_word(service->role_words[ROLE_LOCAL]);
    draw_word(service->role_words[ROLE_RELEASE]);
    return service;
}

void service_open_store(struct service *service, struct store *store)
{
    pthread_mutex_lock(&service->lock);
    service->store = store;
    pthread_mutex_unlock(&service->lock);
}

struct store *service_borrow_store(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct store *store = service->store;
    if (store)
        service->borrowers++;
    pthread_mutex_unlock(&service->lock);
    return store;
}

void service_return_store(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    if (--service->borrowers == 0)
        pthread_cond_broadcast(&service->returned);
    pthread_mutex_unlock(&service->lock);
}

gboolean service_close_store(struct service *service, gint64 timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&service->lock);
    struct store *store = service->store;
    service->store = NULL;
    int problem = 0;
    while (service->borrowers > 0 && problem == 0)
        problem = pthread_cond_timedwait(&service->returned, &service->lock, &until);
    gboolean free = service->borrowers == 0;
    pthread_mutex_unlock(&service->lock);
    if (free)
        store_close(store);
    return free;
}

struct snapshot *service_snapshot(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct snapshot *snapshot = snapshot_ref(service->snapshot);
    pthread_mutex_unlock(&service->lock);
    return snapshot;
}

void service_swap(struct service *service, struct snapshot *snapshot)
{
    pthread_mutex_lock(&service->lock);
    struct snapshot *old = service->snapshot;
    service->snapshot = snapshot;
    pthread_mutex_unlock(&service->lock);
    snapshot_unref(old);
}

void service_count(struct service *service, enum counter counter)
{
    g_atomic_int_inc(&service->counters[counter]);
}

guint service_counted(const struct service *service, enum counter counter)
{
    return (guint)g_atomic_int_get(&service->counters[counter]);
}

void service_reference(char reference[7])
{
    /* No vowels and no look-alikes: references are read out on the telephone, and must not form words. */
    static const char letters[] = "23456789bcdfghjkmnpqrstvwxyz";
    guint8 random[6];
    if (getentropy(random, sizeof random) != 0)
        g_error("the system gives no random numbers");
    for (gsize i = 0; i < sizeof random; i++)
        reference[i] = letters[random[i] % (sizeof letters - 1)];
    reference[6] = '\0';
}
