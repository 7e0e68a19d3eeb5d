/*
 * store: where holds, archive copies, memory of threads and the journal will live. Callers know only this
 * header. Today there is one implementation, `none`: it keeps nothing and says so, and whatever must be kept
 * before it can be answered is not answered with success.
 */
#ifndef MILTER_STORE_STORE_H
#define MILTER_STORE_STORE_H

#include "policy/autoptr.h"
#include <glib.h>

enum store_result {
    STORE_DURABLE,     /* on disk, synced; may be promised to the client */
    STORE_UNAVAILABLE, /* cannot be kept now or at all: 452, nothing was edited */
};

struct store;

/* The store that keeps nothing. */
struct store *store_none_new(void);
void store_free(struct store *store);
DEFINE_AUTOPTR(store, store_free)

/* Keeps a message as presented (fd or octets) with its record before anything is answered. */
enum store_result store_put(struct store *store, const void *octets, gsize length, int fd,
                            const char *record);
/* May the store keep messages at all? */
gboolean store_can_keep(const struct store *store);

#endif
