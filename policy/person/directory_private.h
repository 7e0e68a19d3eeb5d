/*
 * directory_private: the inside of a directory, for directory.c and query.c only.
 */
#ifndef POLICY_PERSON_DIRECTORY_PRIVATE_H
#define POLICY_PERSON_DIRECTORY_PRIVATE_H

#include <pthread.h>

#include "policy/person/backend.h"
#include "policy/person/cache.h"

struct directory {
    gint refs; /* g_atomic_int */
    struct directory_settings *settings;
    struct schemes *schemes; /* held */
    struct backend *backend;
    struct cache *cache;
    pthread_mutex_t lock;    /* guards under_way, and what a slot says of itself until it is answered */
    pthread_cond_t answered; /* CLOCK_MONOTONIC; something of under_way was answered */
    GHashTable *under_way;   /* struct slot * (held) */
    guint64 hits, misses, searches, failures; /* __atomic */
};

void directory_count(guint64 *counter, guint64 n);

#endif
