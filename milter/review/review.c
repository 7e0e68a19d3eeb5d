#include "milter/review/review_private.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "milter/conf/clock.h"
#include "milter/conf/log.h"
#include "milter/review/limits.h"
#include "milter/review/outbox.h"

#define SLICE_MS MIN(RELEASE_LOOK_MS, 1000) /* how soon the sweeper sees that the clock has moved */

gboolean review_stops(const struct review *review)
{
    return g_atomic_int_get(&review->stop) != 0;
}

const struct review_host *review_host(const struct review *review)
{
    return &review->host;
}

void review_store_failed(struct review *review, const struct hold *hold, const GError *error)
{
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_CHANGED))
        return;
    log_line(LOG_LEVEL_ERROR, "%s: hold=%.*s store: %s", hold->queue_id != NULL ? hold->queue_id : "NOQUEUE",
             HOLD_SHORT_CHARACTERS, hold->id, error != NULL ? error->message : "fault");
    review->pause_until_us = clock_monotonic_us() + RELEASE_PAUSE_MIN_MS * 1000;
}

/* ---------------------------------------------------------------- threads */

/* Until so much time has passed, somebody wakes the review, or it stops. */
static void rest(struct review *review, gint64 milliseconds, gboolean for_wake)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&review->lock);
    while (!review_stops(review) && !(for_wake && review->woken))
        if (pthread_cond_timedwait(&review->changed, &review->lock, &until) == ETIMEDOUT)
            break;
    if (for_wake)
        review->woken = FALSE;
    pthread_mutex_unlock(&review->lock);
}

static void *releaser(void *data)
{
    struct review *review = data;

    while (!review_stops(review)) {
        release_look(review);
        outbox_send_due(review, clock_wall_ms());
        rest(review, RELEASE_LOOK_MS, TRUE);
    }
    return NULL;
}

static void *sweeper(void *data)
{
    struct review *review = data;
    gint64 next_us = clock_monotonic_us();

    while (!review_stops(review)) {
        if (clock_monotonic_us() >= next_us) {
            sweep_look(review);
            next_us = clock_monotonic_us() + SWEEP_LOOK_MS * 1000;
        }
        rest(review, SLICE_MS, FALSE);
    }
    return NULL;
}

/* Signals are for the threads that were there before. */
static gboolean start_thread(pthread_t *thread, void *(*work)(void *), struct review *review, GError **error)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(thread, NULL, work, review);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (problem != 0)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(problem), "a thread of the review: %s",
                    g_strerror(problem));
    return problem == 0;
}

/* ---------------------------------------------------------------- start and end */

void review_free(struct review *review)
{
    g_hash_table_unref(review->pending);
    g_hash_table_unref(review->refused);
    g_hash_table_unref(review->passed);
    g_hash_table_unref(review->damaged);
    pthread_cond_destroy(&review->changed);
    pthread_mutex_destroy(&review->lock);
    g_free(review);
}

struct review *review_new(const struct review_host *host)
{
    struct review *review = g_new0(struct review, 1);
    pthread_condattr_t monotonic;

    review->host = *host;
    review->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    review->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    review->passed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    review->damaged = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pthread_mutex_init(&review->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&review->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return review;
}

struct review *review_start(const struct review_host *host, GError **error)
{
    struct review *review = review_new(host);

    /* An earlier life's attempts: that they can be read is asked here; the releaser settles them. */
    g_autoptr(GPtrArray) open = store_attempts_open(host->store, error);
    if (open == NULL || !start_thread(&review->releaser, releaser, review, error)) {
        review_free(review);
        return NULL;
    }
    if (open->len > 0)
        log_line(LOG_LEVEL_INFO, "review: %u attempts to release were left open", open->len);
    if (!start_thread(&review->sweeper, sweeper, review, error)) {
        g_atomic_int_set(&review->stop, 1);
        review_wake(review);
        pthread_join(review->releaser, NULL);
        review_free(review);
        return NULL;
    }
    return review;
}

void review_wake(struct review *review)
{
    pthread_mutex_lock(&review->lock);
    review->woken = TRUE;
    pthread_cond_broadcast(&review->changed);
    pthread_mutex_unlock(&review->lock);
}

void review_stop(struct review *review)
{
    if (review == NULL)
        return;
    g_atomic_int_set(&review->stop, 1);
    review_wake(review);
    pthread_join(review->releaser, NULL);
    pthread_join(review->sweeper, NULL);
    review_free(review);
}
