#include "policy/person/cache.h"

#include <pthread.h>

#define SHARDS 16

/* All fields are guarded by lock. */
struct shard {
    pthread_rwlock_t lock;
    GHashTable *entries;  /* struct slot * (held) -> GList * in one of the queues */
    GQueue found, others; /* struct slot *, oldest first; borrowed from entries */
};

struct cache {
    guint max_found, max_others; /* of one shard */
    struct shard shards[SHARDS];
};

static void release_slot(gpointer slot)
{
    slot_unref(slot);
}

struct cache *cache_new(guint max_found, guint max_others)
{
    struct cache *cache = g_new0(struct cache, 1);

    cache->max_found = MAX(max_found / SHARDS, 1);
    cache->max_others = MAX(max_others / SHARDS, 1);
    for (guint i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        pthread_rwlock_init(&shard->lock, NULL);
        shard->entries = g_hash_table_new_full(slot_hash, slot_equal, release_slot, NULL);
        g_queue_init(&shard->found);
        g_queue_init(&shard->others);
    }
    return cache;
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    for (guint i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        g_queue_clear(&shard->found);
        g_queue_clear(&shard->others);
        g_hash_table_unref(shard->entries);
        pthread_rwlock_destroy(&shard->lock);
    }
    g_free(cache);
}

static struct shard *shard_of(struct cache *cache, const struct slot *slot)
{
    return &cache->shards[slot->hash >> 16 & (SHARDS - 1)]; /* the tables inside use the low bits */
}

static GQueue *queue_of(struct shard *shard, const struct slot *slot)
{
    return slot->state == ANSWER_FOUND ? &shard->found : &shard->others;
}

struct slot *cache_find(struct cache *cache, enum question_kind kind, const char *value, gint64 now_us)
{
    struct slot probe = slot_probe(kind, value);
    struct shard *shard = shard_of(cache, &probe);
    gpointer key;
    struct slot *found = NULL;

    pthread_rwlock_rdlock(&shard->lock);
    if (g_hash_table_lookup_extended(shard->entries, &probe, &key, NULL) &&
        ((struct slot *)key)->fresh_until_us > now_us)
        found = slot_ref(key);
    pthread_rwlock_unlock(&shard->lock);
    return found;
}

/* With the lock held for writing. */
static void remove_entry(struct shard *shard, struct slot *slot, GList *link)
{
    g_queue_delete_link(queue_of(shard, slot), link);
    g_hash_table_remove(shard->entries, slot);
}

void cache_put(struct cache *cache, struct slot *slot, gint64 now_us)
{
    struct shard *shard = shard_of(cache, slot);
    GQueue *queue = queue_of(shard, slot);
    guint max = slot->state == ANSWER_FOUND ? cache->max_found : cache->max_others;
    gpointer old, link;

    pthread_rwlock_wrlock(&shard->lock);
    if (g_hash_table_lookup_extended(shard->entries, slot, &old, &link))
        remove_entry(shard, old, link);
    while (queue->head != NULL &&
           (queue->length >= max || ((struct slot *)queue->head->data)->fresh_until_us <= now_us))
        remove_entry(shard, queue->head->data, queue->head);
    g_queue_push_tail(queue, slot);
    g_hash_table_insert(shard->entries, slot_ref(slot), queue->tail);
    pthread_rwlock_unlock(&shard->lock);
}

guint cache_count(struct cache *cache)
{
    guint count = 0;

    for (guint i = 0; i < SHARDS; i++) {
        pthread_rwlock_rdlock(&cache->shards[i].lock);
        count += g_hash_table_size(cache->shards[i].entries);
        pthread_rwlock_unlock(&cache->shards[i].lock);
    }
    return count;
}
