#include "policy/person/directory.h"

#include <string.h>

#include "policy/person/directory_private.h"
#include "policy/person/limits.h"

/* Strangers, and people whom two entries claim, are asked for again soon: somebody may just be entering them.
 */
#define OTHERS_SHARE_OF_REFRESH 4
#define OTHERS_MAX_MS 15000

GQuark directory_error_quark(void)
{
    return g_quark_from_static_string("miji-directory-error");
}

static void release_slot(gpointer slot)
{
    slot_unref(slot);
}

struct directory *directory_over(struct directory_settings *settings, struct schemes *schemes,
                                 struct backend *backend)
{
    struct directory *directory = g_new0(struct directory, 1);
    pthread_condattr_t attributes;

    directory->refs = 1;
    directory->settings = settings;
    directory->schemes = schemes_ref(schemes);
    directory->backend = backend;
    directory->cache = cache_new(CACHE_MAX_FOUND, CACHE_MAX_OTHERS);
    directory->under_way = g_hash_table_new_full(slot_hash, slot_equal, release_slot, NULL);
    pthread_mutex_init(&directory->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&directory->answered, &attributes);
    pthread_condattr_destroy(&attributes);
    backend->directory = directory;
    return directory;
}

struct directory *directory_ref(struct directory *directory)
{
    g_atomic_int_inc(&directory->refs);
    return directory;
}

void directory_unref(struct directory *directory)
{
    if (directory == NULL || !g_atomic_int_dec_and_test(&directory->refs))
        return;
    directory->backend->kind->close(directory->backend);
    g_hash_table_unref(directory->under_way);
    cache_free(directory->cache);
    pthread_cond_destroy(&directory->answered);
    pthread_mutex_destroy(&directory->lock);
    schemes_unref(directory->schemes);
    directory_settings_free(directory->settings);
    g_free(directory);
}

void directory_count(guint64 *counter, guint64 n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

void directory_count_search(struct directory *directory)
{
    directory_count(&directory->searches, 1);
}

/* An answer is as old as its question: what the server read, it read after that. */
static gint64 fresh_until(const struct directory *directory, const struct slot *slot)
{
    gint64 refresh_ms = directory->settings->refresh_ms;

    switch (slot->state) {
    case ANSWER_FOUND:
        return slot->asked_us + refresh_ms * 1000;
    case ANSWER_ABSENT:
    case ANSWER_AMBIGUOUS:
        return slot->asked_us + MIN(refresh_ms / OTHERS_SHARE_OF_REFRESH, OTHERS_MAX_MS) * 1000;
    case ANSWER_UNAVAILABLE:
        return 0;
    }
    return 0;
}

void directory_answer(struct directory *directory, struct search *search)
{
    gint64 now_us = g_get_monotonic_time();
    guint64 failed = 0;

    pthread_mutex_lock(&directory->lock);
    for (guint i = 0; i < search->length; i++) {
        struct search_question *question = &search->questions[i];
        struct slot *slot = question->slot;

        slot->state = question->state;
        slot->person = g_steal_pointer(&question->person);
        slot->fresh_until_us = fresh_until(directory, slot);
        slot->answered = TRUE;
        failed += slot->state == ANSWER_UNAVAILABLE;
        if (slot->fresh_until_us > now_us)
            cache_put(directory->cache, slot, now_us);
        g_hash_table_remove(directory->under_way, slot);
    }
    pthread_cond_broadcast(&directory->answered);
    pthread_mutex_unlock(&directory->lock);
    if (failed > 0)
        directory_count(&directory->failures, 1);
    search_free(search);
}

void directory_get_status(struct directory *directory, struct directory_status *status)
{
    memset(status, 0, sizeof *status);
    status->hits = __atomic_load_n(&directory->hits, __ATOMIC_RELAXED);
    status->misses = __atomic_load_n(&directory->misses, __ATOMIC_RELAXED);
    status->searches = __atomic_load_n(&directory->searches, __ATOMIC_RELAXED);
    status->failures = __atomic_load_n(&directory->failures, __ATOMIC_RELAXED);
    status->cached = cache_count(directory->cache);
    directory->backend->kind->status(directory->backend, status);
}

void directory_status_clear(struct directory_status *status)
{
    g_clear_pointer(&status->where, g_free);
}
