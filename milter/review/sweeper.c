/* Deadlines (semantics.md 10, rows 6 and 7) and what is over. Time ends a hold, or gives it to another queue;
 * it never lets anything go (13.15). */
#include <string.h>

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/review/compose.h"
#include "milter/review/limits.h"
#include "milter/review/review_private.h"

static void say(enum log_level level, const struct hold *hold, const char *what)
{
    log_line(level, "%s: hold=%.*s ref=%s queue=\"%s\" deadline=%s",
             hold->queue_id != NULL ? hold->queue_id : "NOQUEUE", HOLD_SHORT_CHARACTERS, hold->id,
             hold->reference, hold->slip.queue, what);
}

/* Addresses that are still held; borrowed. */
static GPtrArray *held_of(const struct hold *hold)
{
    GPtrArray *held = g_ptr_array_new();

    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        if (recipient->state == HOLD_HELD)
            g_ptr_array_add(held, recipient->canonical);
    }
    return held;
}

/* ---------------------------------------------------------------- the end of a hold */

static void say_damaged(struct review *review, const struct hold *hold)
{
    if (g_hash_table_add(review->damaged, g_strdup(hold->id)))
        say(LOG_LEVEL_ERROR, hold, "unreadable");
}

/* The first call marks, one ten minutes later ends it: the store keeps count. */
static void expire(struct review *review, const struct snapshot *snapshot, const struct hold *hold,
                   const char *what)
{
    struct store *store = review->host.store;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) held = held_of(hold);
    g_autoptr(recorded) recorded = held->len > 0 ? store_hold_recorded(store, hold, &error) : NULL;

    /* Else mail from outside would vanish without anybody knowing (9.2). */
    if (held->len == 0 || (recorded != NULL && !compose_end_is_ready(snapshot, hold, recorded)))
        return;
    g_autoptr(GPtrArray) notices =
        recorded != NULL
            ? compose_end(snapshot, hold, recorded, held, ENDING_EXPIRED, NULL, clock_wall_ms() / 1000)
            : NULL;
    if (recorded != NULL && !fault_point("sweeper.expiring") &&
        store_hold_expire(store, hold, notices, &error)) {
        fault_point("sweeper.expired");
        g_autoptr(hold) now = store_hold(store, snapshot->schemes, hold->id, NULL);
        g_autoptr(GPtrArray) left = now != NULL ? held_of(now) : NULL;
        if (left != NULL && left->len == 0)
            say(LOG_LEVEL_WARNING, hold, what);
    } else if (g_error_matches(error, STORE_ERROR, STORE_ERROR_DAMAGED)) {
        say_damaged(review, hold);
    } else if (error != NULL && !g_error_matches(error, STORE_ERROR, STORE_ERROR_CHANGED)) {
        log_line(LOG_LEVEL_ERROR, "review: store: %s", error->message);
    }
}

/* ---------------------------------------------------------------- another queue */

/* Was it seen passed ten minutes ago? A clock that jumped for a moment moves nothing. */
static gboolean passed_twice(struct review *review, const struct hold *hold)
{
    gint64 now_us = clock_monotonic_us();
    gint64 *first_us = g_hash_table_lookup(review->passed, hold->id);

    if (first_us == NULL) {
        g_hash_table_insert(review->passed, g_strdup(hold->id), g_memdup2(&now_us, sizeof now_us));
        return FALSE;
    }
    return now_us - *first_us >= SWEEP_TWICE_US;
}

static void requeue(struct review *review, const struct hold *hold, const struct queue *next)
{
    g_autoptr(GError) error = NULL;

    if (!passed_twice(review, hold))
        return;
    if (store_hold_requeue(review->host.store, hold, next->name, clock_wall_ms() + next->deadline_ms,
                           &error)) {
        fault_point("sweeper.requeued");
        say(LOG_LEVEL_WARNING, hold, "then-hold-in");
        g_hash_table_remove(review->passed, hold->id);
    } else if (!g_error_matches(error, STORE_ERROR, STORE_ERROR_CHANGED)) {
        log_line(LOG_LEVEL_ERROR, "review: store: %s", error->message);
    }
}

/* ---------------------------------------------------------------- one look */

/* Its end has not come; if it was seen passed, the clock was wrong. */
static void take_back(struct review *review, const struct hold *hold)
{
    g_autoptr(GError) error = NULL;

    g_hash_table_remove(review->passed, hold->id);
    if (hold->slip.passed && !store_hold_not_passed(review->host.store, hold, &error))
        log_line(LOG_LEVEL_ERROR, "review: store: %s", error->message);
}

static void look_at(struct review *review, const struct snapshot *snapshot, const struct hold *hold)
{
    const struct slip *slip = &hold->slip;
    const struct queue *queue = queues_find(snapshot->conf->queues, slip->queue);
    const struct queue *next = queue != NULL && queue->then_queue != NULL
                                   ? queues_find(snapshot->conf->queues, queue->then_queue)
                                   : NULL;
    gint64 now_ms = clock_wall_ms();
    gint64 end_ms =
        slip->approved ? slip->approved_ms + snapshot->conf->release_within_ms : slip->deadline_ms;

    if (hold->kind != KIND_HOLD)
        return;
    if (now_ms < end_ms)
        take_back(review, hold);
    else if (slip->approved)
        expire(review, snapshot, hold, "release-within");
    else if (next != NULL)
        requeue(review, hold, next);
    else
        expire(review, snapshot, hold, "expired");
}

static void tidy(struct review *review, const struct conf *conf)
{
    g_autoptr(GError) error = NULL;
    gint64 now_us = clock_monotonic_us();

    if (review->tidied_us != 0 && now_us - review->tidied_us < SWEEP_TIDY_US)
        return;
    review->tidied_us = now_us;
    if (!store_tidy(review->host.store, clock_wall_ms(), conf->keep_closed_ms, conf->remember_attempts_ms,
                    &error))
        log_line(LOG_LEVEL_ERROR, "review: store: %s", error->message);
    fault_point("sweeper.tidied");
}

/* A clock that stands before what was recorded tells nothing about deadlines (semantics.md 1). */
static gboolean clock_is_good(struct review *review)
{
    return clock_wall_ms() >= store_newest_audit_ms(review->host.store) - 5 * 60 * 1000;
}

void sweep_look(struct review *review)
{
    struct hold_filter open = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(snapshot) snapshot = review->host.snapshot(review->host.host);

    if (!clock_is_good(review))
        return;
    g_autoptr(GPtrArray) holds = store_holds(review->host.store, snapshot->schemes, &open, &error);
    if (holds == NULL)
        log_line(LOG_LEVEL_ERROR, "review: store: %s", error->message);
    for (guint i = 0; holds != NULL && i < holds->len && !review_stops(review); i++)
        look_at(review, snapshot, g_ptr_array_index(holds, i));
    tidy(review, snapshot->conf);
}
