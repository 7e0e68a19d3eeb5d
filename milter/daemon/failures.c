#include "milter/daemon/failures.h"

#include <pthread.h>
#include <string.h>

struct failure {
    guint8 digest[32];
    guint count;
};

struct failures {
    pthread_mutex_t lock; /* guards everything below */
    GHashTable *known;    /* digest -> its link in age */
    GQueue age;           /* struct failure *, oldest first */
    guint most;
};

static guint digest_hash(gconstpointer key)
{
    guint hash;
    memcpy(&hash, key, sizeof hash); /* SHA-256: any part of it is as good as a hash */
    return hash;
}

static gboolean digest_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, 32) == 0;
}

struct failures *failures_new(guint most)
{
    struct failures *failures = g_new0(struct failures, 1);
    pthread_mutex_init(&failures->lock, NULL);
    failures->known = g_hash_table_new(digest_hash, digest_equal);
    g_queue_init(&failures->age);
    failures->most = most;
    return failures;
}

void failures_free(struct failures *failures)
{
    if (!failures)
        return;
    g_hash_table_unref(failures->known);
    g_queue_clear_full(&failures->age, g_free);
    pthread_mutex_destroy(&failures->lock);
    g_free(failures);
}

guint failures_note(struct failures *failures, const guint8 digest[32])
{
    pthread_mutex_lock(&failures->lock);
    GList *link = g_hash_table_lookup(failures->known, digest);
    if (!link) {
        struct failure *failure = g_new0(struct failure, 1);
        memcpy(failure->digest, digest, 32);
        g_queue_push_tail(&failures->age, failure);
        link = failures->age.tail;
        g_hash_table_insert(failures->known, failure->digest, link);
    }
    guint count = ++((struct failure *)link->data)->count;
    while (g_queue_get_length(&failures->age) > failures->most) {
        struct failure *oldest = g_queue_pop_head(&failures->age);
        g_hash_table_remove(failures->known, oldest->digest);
        g_free(oldest);
    }
    pthread_mutex_unlock(&failures->lock);
    return count;
}
