#include "milter/inspect/inspector.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/inspect/limits.h"
#include "milter/inspect/packet.h"
#include "milter/inspect/pool.h"
#include "rules/facts_layout.h"

#define PROGRESS_US (10 * G_USEC_PER_SEC)

struct inspector {
    struct pool *pool;
    pthread_mutex_t lock;
    /* Guarded by lock: */
    gint64 time_ms; /* for one message */
    struct inspector_status status;
};

/* One message on its way through a worker. */
struct errand {
    gconstpointer data;
    gsize length;
    int fd;             /* with the octets, or -1 */
    gint64 deadline_us; /* monotonic; the caller's */
    gint64 answer_us;   /* when the worker that has it must have answered */
    void (*progress)(gpointer);
    gpointer progress_data;
    gint64 progress_us; /* when it is next to be called */
};

struct inspector *inspector_new(int control_fd, const struct inspect_limits *limits)
{
    struct inspector *inspector = g_new0(struct inspector, 1);

    inspector->pool = pool_new(control_fd);
    if (inspector->pool == NULL)
        g_error("the inspector cannot have a thread: %s", g_strerror(errno));
    pthread_mutex_init(&inspector->lock, NULL);
    inspector->time_ms = limits->time_ms;
    return inspector;
}

void inspector_replace_parent(struct inspector *inspector, int control_fd,
                              const struct inspect_limits *limits)
{
    pthread_mutex_lock(&inspector->lock);
    inspector->time_ms = limits->time_ms;
    pthread_mutex_unlock(&inspector->lock);
    pool_replace_parent(inspector->pool, control_fd);
}

void inspector_free(struct inspector *inspector)
{
    if (inspector == NULL)
        return;
    pool_free(inspector->pool);
    pthread_mutex_destroy(&inspector->lock);
    g_free(inspector);
}

/* Calls progress when it is time; returns until when to wait now, at most until_us. */
static gint64 next_stop(struct errand *errand, gint64 until_us)
{
    gint64 now = g_get_monotonic_time();

    if (errand->progress == NULL)
        return until_us;
    if (now >= errand->progress_us) {
        errand->progress(errand->progress_data);
        errand->progress_us = now + PROGRESS_US;
    }
    return MIN(until_us, errand->progress_us);
}

/* ---------------------------------------------------------------- to the worker */

/* Large ones as a sealed memfd, which is made once for all tries. */
static int send_as_file(int fd, struct errand *errand, int *made_fd)
{
    struct request request = {PACKET_MAGIC, 0, errand->length};

    if (errand->fd < 0) {
        errand->fd = *made_fd = packet_seal(errand->data, errand->length);
        if (errand->fd < 0)
            return errno;
    }
    return packet_send(fd, &(struct packet){&request, sizeof request, NULL, 0, errand->fd}, MSG_DONTWAIT);
}

/* 0, or an errno. */
static int send_message(int fd, struct errand *errand, int *made_fd)
{
    struct request request = {PACKET_MAGIC, 0, errand->length};
    const struct packet packet = {&request, sizeof request, errand->data, errand->length, -1};
    int error = EMSGSIZE;

    if ((errand->data != NULL || errand->length == 0) && errand->length <= LIMIT_DATAGRAM_BYTES)
        error = packet_send(fd, &packet, MSG_DONTWAIT);
    return error == EMSGSIZE ? send_as_file(fd, errand, made_fd) : error;
}

/* ---------------------------------------------------------------- and back */

/* Whether something can be read in time. */
static gboolean wait_for_answer(int fd, struct errand *errand)
{
    struct pollfd polled = {fd, POLLIN, 0};

    for (;;) {
        gint64 left_us = next_stop(errand, errand->answer_us) - g_get_monotonic_time();
        int ready = poll(&polled, 1, (int)MIN(MAX(left_us, 0) / 1000 + 1, G_MAXINT));
        if (ready > 0)
            return TRUE;
        if (g_get_monotonic_time() >= errand->answer_us)
            return FALSE;
    }
}

static struct facts *read_facts(gconstpointer octets, gsize length, const struct errand *errand)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(facts) facts = facts_read(octets, length, &error);

    return facts != NULL && facts->size_bytes == errand->length ? g_steal_pointer(&facts) : NULL;
}

static struct facts *read_file(int fd, gsize length, const struct errand *errand)
{
    gpointer map = length <= FLAT_MAX_BYTES ? packet_map_sealed(fd, length) : NULL;
    struct facts *facts = NULL;

    close(fd);
    if (map != NULL) {
        facts = read_facts(map, length, errand);
        munmap(map, length);
    }
    return facts;
}

static enum inspect_failure receive_answer(const struct pooled *worker, const struct errand *errand,
                                           struct facts **facts, gboolean *is_last)
{
    struct reply reply;
    struct packet_room room = {&reply, sizeof reply, worker->room, LIMIT_DATAGRAM_BYTES, -1};
    gssize got = packet_receive(worker->fd, &room, MSG_DONTWAIT);
    int passed = room.passed;

    if (got < 0 && errno == ECONNRESET) /* it died with the message unread: not of it */
        return INSPECT_BUSY;
    if (got == 0 || (got < 0 && errno != EMSGSIZE))
        return INSPECT_DIED;
    if (got < (gssize)sizeof reply || reply.magic != PACKET_MAGIC) {
        if (passed >= 0)
            close(passed);
        return INSPECT_NONSENSE;
    }
    *is_last = (reply.flags & REPLY_IS_LAST) != 0;
    if (passed >= 0)
        *facts = read_file(passed, reply.length, errand);
    else if (reply.length == (guint64)got - sizeof reply)
        *facts = read_facts(worker->room, reply.length, errand);
    return *facts != NULL ? INSPECT_OK : INSPECT_NONSENSE;
}

/* ---------------------------------------------------------------- the whole way */

/* A worker that took the message; NULL and the reason if there is none in time. */
static struct pooled *find_worker(struct inspector *inspector, struct errand *errand, int *made_fd,
                                  enum inspect_failure *failure)
{
    for (;;) {
        struct pooled *worker = pool_take(inspector->pool, next_stop(errand, errand->deadline_us));
        int error;
        if (worker == NULL && g_get_monotonic_time() < errand->deadline_us)
            continue;
        *failure = INSPECT_BUSY;
        if (worker == NULL)
            return NULL;
        error = send_message(worker->fd, errand, made_fd);
        if (error == 0)
            return worker;
        if (error != EPIPE && error != ECONNRESET &&
            error != EAGAIN) { /* memory, descriptors: not the worker's fault */
            pool_give_back(inspector->pool, worker, POOL_AGAIN);
            return NULL;
        }
        pool_give_back(inspector->pool, worker, POOL_KILL); /* it ended while it was free: the next one */
    }
}

static void count(struct inspector *inspector, enum inspect_failure failure)
{
    pthread_mutex_lock(&inspector->lock);
    inspector->status.inspected += failure == INSPECT_OK;
    inspector->status.died += failure == INSPECT_DIED || failure == INSPECT_NONSENSE;
    inspector->status.timed_out += failure == INSPECT_TIMEOUT;
    pthread_mutex_unlock(&inspector->lock);
}

static gint64 time_of_one(struct inspector *inspector)
{
    gint64 time_ms;

    pthread_mutex_lock(&inspector->lock);
    time_ms = inspector->time_ms;
    pthread_mutex_unlock(&inspector->lock);
    return time_ms * 1000;
}

/* One try. TRUE if there must be another one: the worker died before it read anything. */
static gboolean use_worker(struct inspector *inspector, struct errand *errand, int *made_fd,
                           struct facts **facts, enum inspect_failure *failure)
{
    gboolean is_last = FALSE;
    struct pooled *worker = find_worker(inspector, errand, made_fd, failure);

    if (worker == NULL)
        return FALSE;
    errand->answer_us = MIN(errand->deadline_us, g_get_monotonic_time() + time_of_one(inspector));
    *failure = INSPECT_TIMEOUT;
    if (wait_for_answer(worker->fd, errand))
        *failure = receive_answer(worker, errand, facts, &is_last);
    if (*failure != INSPECT_OK)
        pool_give_back(inspector->pool, worker, POOL_KILL);
    else
        pool_give_back(inspector->pool, worker, is_last ? POOL_ENDED : POOL_AGAIN);
    return *failure == INSPECT_BUSY;
}

struct facts *inspector_inspect(struct inspector *inspector, const void *data, gsize length, int fd,
                                gint64 deadline_us, void (*progress)(gpointer), gpointer progress_data,
                                enum inspect_failure *failure)
{
    struct errand errand = {.data = data,
                            .length = length,
                            .fd = fd,
                            .deadline_us = deadline_us,
                            .progress = progress,
                            .progress_data = progress_data,
                            .progress_us = g_get_monotonic_time() + PROGRESS_US};
    struct facts *facts = NULL;
    int made_fd = -1;

    /* A file of nothing would be read as a message without a label. */
    if (fd >= 0 && length == 0) {
        *failure = INSPECT_NONSENSE;
        count(inspector, *failure);
        return NULL;
    }
    while (use_worker(inspector, &errand, &made_fd, &facts, failure))
        ;
    if (made_fd >= 0)
        close(made_fd);
    count(inspector, *failure);
    return facts;
}

void inspector_get_status(struct inspector *inspector, struct inspector_status *status)
{
    pthread_mutex_lock(&inspector->lock);
    *status = inspector->status;
    pthread_mutex_unlock(&inspector->lock);
    pool_count(inspector->pool, &status->workers, &status->busy);
}
