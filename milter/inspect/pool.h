/*
 * pool: the sockets to workers that the daemon has: which are free, who waits for one, and the thread that takes new ones from the parent's control
 * channel and tells it which to kill. For inspector.c only.
 *
 * One lock, held for lines; nothing is sent, received or closed under it. Any thread may call.
 */
#ifndef MILTER_INSPECT_POOL_H
#define MILTER_INSPECT_POOL_H

#include <glib.h>

struct pool;

/* Takes the control channel over and starts the thread; NULL if there can be none. */
struct pool *pool_new(int control_fd);
/* Nobody may use or wait any more. */
void pool_free(struct pool *pool);
/* The workers of the old parent are not used again. Takes the fd over. */
void pool_replace_parent(struct pool *pool, int control_fd);

/* A worker's socket while somebody uses it. */
struct pooled {
    int fd;
    guint64 worker;
    guint generation; /* of the parent that made it */
    char *room;       /* LIMIT_DATAGRAM_BYTES, for an answer */
    struct pooled *next;
};

/* A free worker; NULL when until_us (monotonic) has passed. */
struct pooled *pool_take(struct pool *pool, gint64 until_us);
/* What becomes of it afterwards. */
enum pool_return { POOL_AGAIN, POOL_ENDED, POOL_KILL };
void pool_give_back(struct pool *pool, struct pooled *worker, enum pool_return what);

void pool_count(struct pool *pool, guint *workers, guint *busy);

#endif
