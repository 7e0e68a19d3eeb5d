/*
 * cache: answers of a directory that are still fresh. Sixteen shards with a read-write lock each, so that
 * hits of many threads do not meet; a hit takes one read lock and one count. Bounded: when a shard is full
 * its oldest answer goes. Answers other than "found" have room of their own, since strangers can cause as
 * many of them as they like. Private to policy/person.
 */
#ifndef POLICY_PERSON_CACHE_H
#define POLICY_PERSON_CACHE_H

#include "policy/person/slot.h"

struct cache;

struct cache *cache_new(guint max_found, guint max_others);
void cache_free(struct cache *cache);

/* The answered slot if it is fresh at now_us, with a reference for the caller; else NULL. */
struct slot *cache_find(struct cache *cache, enum question_kind kind, const char *value, gint64 now_us);
/* Keeps an answered slot (takes a reference of its own) in place of an older one for the same question. */
void cache_put(struct cache *cache, struct slot *slot, gint64 now_us);
/* How many answers are kept, stale ones included that nobody has come across yet. */
guint cache_count(struct cache *cache);

#endif
