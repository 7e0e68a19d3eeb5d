#include "milter/inspect/worker.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "milter/inspect/packet.h"
#include "milter/inspect/limits.h"
#include "milter/inspect/reader.h"

#define SOCKET 3 /* the only descriptor of a worker that leads anywhere */

struct worker {
    const struct inspect_limits *limits;
    struct answer *answer;
    char *room; /* for a message inside its datagram */
    guint messages;
    rlim_t cpu_limit, cpu_used; /* the soft limit, and what was used before this message; seconds */
};

void worker_sandbox(const struct inspect_limits *limits, struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){
        .memory_bytes = limits->memory_bytes,
        .file_bytes = FLAT_MAX_BYTES,
        .cpu_seconds = LIMIT_WORKER_CPU_SECONDS + (guint64)(limits->cpu_ms + 999) / 1000 + 1,
        .parent = getpid(),
    };
}

static guint64 cpu_seconds_used(void)
{
    struct timespec used;

    return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 ? (guint64)used.tv_sec : 0;
}

/*
 * The processor time of one message: the soft limit is moved ahead, which ends a parser that spins. A worker
 * that was taken over can move it itself, up to the hard limit of its whole life; what holds it then is the
 * daemon's deadline and the parent's SIGKILL.
 */
static void allow_time(struct worker *worker)
{
    rlim_t limit;
    struct rlimit now;

    worker->cpu_used = cpu_seconds_used();
    limit = worker->cpu_used + (rlim_t)(worker->limits->cpu_ms + 999) / 1000 + 1;
    if (limit <= worker->cpu_limit)
        return;
    if (getrlimit(RLIMIT_CPU, &now) != 0)
        return;
    now.rlim_cur = MIN(limit, now.rlim_max);
    if (setrlimit(RLIMIT_CPU, &now) == 0)
        worker->cpu_limit = limit;
}

/* Whether it is time for a fresh process. Small messages leave little behind: those that came as a file are
 * asked for. */
static gboolean is_worn(const struct worker *worker, gboolean was_large)
{
    struct rusage usage;

    if (worker->messages >= LIMIT_WORKER_MESSAGES || worker->cpu_used >= LIMIT_WORKER_CPU_SECONDS)
        return TRUE;
    return was_large && getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > LIMIT_WORKER_RESIDENT_KB;
}

static gboolean send_answer(const struct worker *worker, const GByteArray *flat, gboolean is_last)
{
    struct reply reply = {PACKET_MAGIC, is_last ? REPLY_IS_LAST : 0, flat->len};
    int fd, error;

    if (flat->len <= LIMIT_DATAGRAM_BYTES) {
        error = packet_send(SOCKET, &(struct packet){&reply, sizeof reply, flat->data, flat->len, -1}, 0);
        if (error != EMSGSIZE)
            return error == 0;
    }
    fd = packet_seal(flat->data, flat->len);
    if (fd < 0)
        return FALSE;
    error = packet_send(SOCKET, &(struct packet){&reply, sizeof reply, NULL, 0, fd}, 0);
    close(fd);
    return error == 0;
}

/* Reads and answers one message; FALSE ends the worker. */
static gboolean serve_message(struct worker *worker, gconstpointer octets, gsize length, gboolean is_file)
{
    gboolean is_last;

    allow_time(worker);
    inspect_message(octets, length, worker->limits, worker->answer);
    worker->messages++;
    is_last = is_worn(worker, is_file);
    return send_answer(worker, answer_finish(worker->answer, length), is_last) && !is_last;
}

/* The message is in a file of at least that length, which nobody writes to any more. */
static gboolean serve_file(struct worker *worker, int fd, gsize length)
{
    off_t size = lseek(fd, 0, SEEK_END);
    gpointer map = MAP_FAILED;
    gboolean goes_on;

    if (size >= 0 && (guint64)size >= length && length > 0)
        map = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return FALSE;
    goes_on = serve_message(worker, map, length, TRUE);
    munmap(map, length);
    return goes_on;
}

static gboolean serve_one(struct worker *worker)
{
    struct request request;
    struct packet_room room = {&request, sizeof request, worker->room, LIMIT_DATAGRAM_BYTES, -1};
    gssize got = packet_receive(SOCKET, &room, 0);

    if (got < (gssize)sizeof request || request.magic != PACKET_MAGIC)
        return FALSE;
    if (room.passed >= 0)
        return serve_file(worker, room.passed, request.length);
    if (request.length != (guint64)got - sizeof request)
        return FALSE;
    return serve_message(worker, worker->room, request.length, FALSE);
}

/* Nobody may be there to read it. */
static G_GNUC_NORETURN void end_with(const char *message)
{
    dprintf(STDERR_FILENO, "miji-inspect: %s\n", message);
    _exit(1);
}

void worker_run(int fd, const struct sandbox *sandbox, const struct inspect_limits *limits)
{
    struct worker worker = {.limits = limits, .answer = answer_new(), .room = g_malloc(LIMIT_DATAGRAM_BYTES)};
    g_autoptr(GError) error = NULL;

    if (dup2(fd, SOCKET) != SOCKET || !sandbox_enter(SOCKET, sandbox, &error))
        end_with(error != NULL ? error->message : "a worker cannot set its descriptors");
    while (serve_one(&worker))
        ;
    _exit(0);
}
