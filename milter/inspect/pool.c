#include "milter/inspect/pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "milter/inspect/limits.h"
#include "milter/inspect/packet.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a worker came free */
    /* Guarded by lock: */
    struct pooled *free_workers; /* the one used last comes first: its memory is warm */
    struct pooled *to_kill;      /* only their numbers; the sockets are closed */
    guint free_count, busy_count;
    guint generation;
    int next_control_fd; /* of a new parent, until the thread takes it; -1 */
    gboolean is_ending;
    /* Constant: */
    int wake_fd;
    pthread_t thread;
    /* The thread's own: */
    int control_fd;
    guint control_generation;
};

static void wake(struct pool *pool)
{
    static const guint64 one = 1;

    while (write(pool->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void close_list(struct pooled *list)
{
    while (list != NULL) {
        struct pooled *next = list->next;
        if (list->fd >= 0)
            close(list->fd);
        g_free(list->room);
        g_free(list);
        list = next;
    }
}

/* ---------------------------------------------------------------- the thread */

static void add_worker(struct pool *pool, guint64 number, int fd)
{
    struct pooled *worker = g_new(struct pooled, 1);
    gboolean is_wanted;

    *worker = (struct pooled){fd, number, pool->control_generation, g_malloc(LIMIT_DATAGRAM_BYTES), NULL};
    pthread_mutex_lock(&pool->lock);
    is_wanted = worker->generation == pool->generation;
    if (is_wanted) {
        worker->next = pool->free_workers;
        pool->free_workers = worker;
        pool->free_count++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!is_wanted)
        close_list(worker);
}

/* A worker ended while it was free; one in use is noticed by its user. */
static void remove_worker(struct pool *pool, guint64 number)
{
    struct pooled *found = NULL;

    pthread_mutex_lock(&pool->lock);
    for (struct pooled **at = &pool->free_workers; *at != NULL; at = &(*at)->next) {
        if ((*at)->worker == number && (*at)->generation == pool->control_generation) {
            found = *at;
            *at = found->next;
            found->next = NULL;
            pool->free_count--;
            break;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    close_list(found);
}

/* The parent is gone, and its workers die with it. */
static void forget_parent(struct pool *pool)
{
    struct pooled *list = NULL;

    close(pool->control_fd);
    pool->control_fd = -1;
    pthread_mutex_lock(&pool->lock);
    if (pool->generation == pool->control_generation) {
        list = pool->free_workers;
        pool->free_workers = NULL;
        pool->free_count = 0;
    }
    pthread_mutex_unlock(&pool->lock);
    close_list(list);
}

static void read_control(struct pool *pool)
{
    struct control control;
    struct packet_room room = {&control, sizeof control, NULL, 0, -1};
    gssize got = packet_receive(pool->control_fd, &room, MSG_DONTWAIT);
    int fd = room.passed;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got != sizeof control || control.magic != PACKET_MAGIC) {
        if (fd >= 0)
            close(fd);
        forget_parent(pool);
        return;
    }
    if (control.kind == CONTROL_WORKER && fd >= 0)
        add_worker(pool, control.worker, fd);
    else if (fd >= 0)
        close(fd);
    if (control.kind == CONTROL_GONE)
        remove_worker(pool, control.worker);
}

static void tell_parent(const struct pool *pool, enum control_kind kind, guint64 worker)
{
    struct control control = {PACKET_MAGIC, kind, worker};
    const struct packet packet = {&control, sizeof control, NULL, 0, -1};

    if (pool->control_fd >= 0)
        packet_send(pool->control_fd, &packet, MSG_DONTWAIT);
}

/* What others left for the thread; FALSE when it has to end. */
static gboolean read_wishes(struct pool *pool)
{
    struct pooled *to_kill;
    guint64 ignored;
    gboolean is_ending;
    int fd;

    while (read(pool->wake_fd, &ignored, sizeof ignored) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&pool->lock);
    to_kill = pool->to_kill;
    pool->to_kill = NULL;
    is_ending = pool->is_ending;
    fd = pool->next_control_fd;
    pool->next_control_fd = -1;
    pthread_mutex_unlock(&pool->lock);

    for (struct pooled *worker = to_kill; worker != NULL; worker = worker->next) {
        if (worker->generation == pool->control_generation)
            tell_parent(pool, CONTROL_KILL, worker->worker);
    }
    close_list(to_kill);
    if (fd >= 0) {
        tell_parent(pool, CONTROL_DRAIN, 0);
        if (pool->control_fd >= 0)
            close(pool->control_fd);
        pool->control_fd = fd;
        pool->control_generation++;
    }
    return !is_ending;
}

static void *run(void *data)
{
    struct pool *pool = data;
    gboolean goes_on = TRUE;

    while (goes_on) {
        struct pollfd polled[2] = {{pool->wake_fd, POLLIN, 0},
                                   {pool->control_fd, POLLIN, 0}}; /* a negative one is passed over */
        if (poll(polled, G_N_ELEMENTS(polled), -1) < 0)
            continue;
        if (polled[1].revents != 0)
            read_control(pool);
        if (polled[0].revents != 0)
            goes_on = read_wishes(pool);
    }
    return NULL;
}

/* ---------------------------------------------------------------- everybody */

struct pool *pool_new(int control_fd)
{
    struct pool *pool = g_new0(struct pool, 1);
    pthread_condattr_t attributes;

    pool->control_fd = control_fd;
    pool->next_control_fd = -1;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pool->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (pool->wake_fd >= 0 && pthread_create(&pool->thread, NULL, run, pool) == 0)
        return pool;
    if (pool->wake_fd >= 0)
        close(pool->wake_fd);
    close(control_fd);
    g_free(pool);
    return NULL;
}

void pool_free(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = TRUE;
    pthread_mutex_unlock(&pool->lock);
    wake(pool);
    pthread_join(pool->thread, NULL);
    close_list(pool->free_workers);
    close_list(pool->to_kill);
    if (pool->control_fd >= 0)
        close(pool->control_fd);
    close(pool->wake_fd);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    g_free(pool);
}

void pool_replace_parent(struct pool *pool, int control_fd)
{
    struct pooled *list;
    int unused_fd;

    pthread_mutex_lock(&pool->lock);
    list = pool->free_workers;
    pool->free_workers = NULL;
    pool->free_count = 0;
    unused_fd = pool->next_control_fd;
    pool->next_control_fd = control_fd;
    pool->generation += unused_fd < 0; /* the thread counts what it takes */
    pthread_mutex_unlock(&pool->lock);
    wake(pool);
    close_list(list);
    if (unused_fd >= 0)
        close(unused_fd);
}

struct pooled *pool_take(struct pool *pool, gint64 until_us)
{
    struct timespec until = {until_us / G_USEC_PER_SEC, until_us % G_USEC_PER_SEC * 1000};
    struct pooled *worker;
    int error = 0;

    pthread_mutex_lock(&pool->lock);
    while (pool->free_workers == NULL && error == 0)
        error = pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    worker = pool->free_workers;
    if (worker != NULL) {
        pool->free_workers = worker->next;
        pool->free_count--;
        pool->busy_count++;
    }
    pthread_mutex_unlock(&pool->lock);
    return worker;
}

void pool_give_back(struct pool *pool, struct pooled *worker, enum pool_return what)
{
    gboolean is_kept = FALSE, is_killed = FALSE;

    if (what != POOL_AGAIN) {
        close(worker->fd);
        worker->fd = -1;
    }
    pthread_mutex_lock(&pool->lock);
    pool->busy_count--;
    if (what == POOL_AGAIN && worker->generation == pool->generation) {
        worker->next = pool->free_workers;
        pool->free_workers = worker;
        pool->free_count++;
        is_kept = TRUE;
        pthread_cond_signal(&pool->changed);
    } else if (what == POOL_KILL) {
        worker->next = pool->to_kill;
        pool->to_kill = worker;
        is_killed = TRUE;
    }
    pthread_mutex_unlock(&pool->lock);
    if (is_killed)
        wake(pool);
    else if (!is_kept) {
        worker->next = NULL;
        close_list(worker);
    }
}

void pool_count(struct pool *pool, guint *workers, guint *busy)
{
    pthread_mutex_lock(&pool->lock);
    *busy = pool->busy_count;
    *workers = pool->busy_count + pool->free_count;
    pthread_mutex_unlock(&pool->lock);
}
