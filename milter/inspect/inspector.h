/*
 * inspector: the daemon's side of the sandboxed readers (design.md 3). It holds a set of sockets to workers;
 * a message goes to a free one and comes back as facts. A worker that dies, hangs or answers nonsense costs
 * its message `inspector-failed` and nothing else; the parent (miji-inspect) replaces it and sends the new
 * socket over the control channel.
 *
 * One inspector for the process; inspector_inspect may be called by any number of threads at once (they wait
 * for a free worker within their deadline). No lock is held while waiting for a worker.
 */
#ifndef MILTER_INSPECT_INSPECTOR_H
#define MILTER_INSPECT_INSPECTOR_H

#include "policy/autoptr.h"
#include "rules/facts.h"

/* Limits of miji.conf `limits` and `sandbox` that concern a worker. */
struct inspect_limits {
    guint64 text_size_bytes, unpacked_bytes, memory_bytes;
    guint parts, depth, helpers;
    gint64 time_ms; /* for one message, whole */
    gint64 cpu_ms;  /* sandbox time: processor time of a worker for one message */
};

struct inspector;

/* Starts the parent `program` (path of miji-inspect) by fork and exec: only before any thread exists, or from
 * a process without threads. The parent makes the workers with the limits. Returns the control channel
 * (SEQPACKET, close-on-exec) and its pid. -1 and error if it cannot start. */
int inspector_start_parent(const char *program, const struct inspect_limits *limits, GPid *pid,
                           GError **error);

/* Takes the control channel over; workers arrive on it. */
struct inspector *inspector_new(int control_fd, const struct inspect_limits *limits);
/* A new parent after the old one died, or with other limits after a reload: its workers serve from now on.
 * Takes the fd over. */
void inspector_replace_parent(struct inspector *inspector, int control_fd,
                              const struct inspect_limits *limits);
void inspector_free(struct inspector *inspector);
DEFINE_AUTOPTR(inspector, inspector_free)

/* Why there are no facts. */
enum inspect_failure { INSPECT_OK, INSPECT_DIED, INSPECT_TIMEOUT, INSPECT_BUSY, INSPECT_NONSENSE };

/*
 * Inspects one message. data/length: the octets, when they are in memory (fd is then -1 or its sealed memfd);
 * else fd of a spool file, reopened read-only by the caller, and length the octets in it, never 0. Waits at
 * most until deadline_us (monotonic); while waiting it calls progress (may be NULL) about every 10 s. Facts
 * come without digest. NULL and *failure otherwise. NONSENSE and TIMEOUT end the worker. A worker that died
 * before it read the message is no failure: the next one gets it, within the deadline. BUSY: nobody has read
 * it.
 */
struct facts *inspector_inspect(struct inspector *inspector, const void *data, gsize length, int fd,
                                gint64 deadline_us, void (*progress)(gpointer), gpointer progress_data,
                                enum inspect_failure *failure);

struct inspector_status {
    guint workers, busy;
    guint64 inspected, died, timed_out;
};
void inspector_get_status(struct inspector *inspector, struct inspector_status *status);

#endif
