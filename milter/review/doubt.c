/* What is not known to have arrived (semantics.md 10, rows 9 to 11): the open attempts that nobody works on,
 * and what people say of them. */
#include <string.h>

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/review/compose.h"
#include "milter/review/limits.h"
#include "milter/review/review_private.h"
#include "milter/store/audit.h"

/* What this process knows of an open attempt, and the store not. */
struct pending {
    gint64 next_us; /* monotonic: when Postfix is asked again */
    guint unknown;  /* so often Postfix did not know it */
    guint silent;   /* so often it could not be asked */
    gboolean taken; /* it said 250 */
    char queue_id[80];
};

static struct pending *pending_of(struct review *review, const struct attempt *attempt)
{
    struct pending *pending = g_hash_table_lookup(review->pending, attempt->id);

    if (pending == NULL) {
        pending = g_new0(struct pending, 1);
        g_hash_table_insert(review->pending, g_strdup(attempt->id), pending);
    }
    return pending;
}

void doubt_note_taken(struct review *review, const struct attempt *attempt, const char *queue_id)
{
    struct pending *pending = pending_of(review, attempt);

    pending->taken = TRUE;
    g_strlcpy(pending->queue_id, queue_id, sizeof pending->queue_id);
}

static void say(enum log_level level, const struct attempt *attempt, const struct hold *hold,
                const char *what)
{
    log_line(level, "%s: hold=%.*s ref=%s release=%s",
             attempt->queue_id != NULL ? attempt->queue_id : "NOQUEUE", HOLD_SHORT_CHARACTERS,
             hold != NULL ? hold->id : "-", hold != NULL ? hold->reference : "-", what);
}

/* ---------------------------------------------------------------- it has arrived */

/* Canonical addresses of those that the attempt is for; borrowed from recorded. */
static GPtrArray *canonical_of(const struct attempt *attempt, const struct recorded *recorded)
{
    GPtrArray *canonical = g_ptr_array_new();

    for (guint i = 0; i < recorded->envelope->recipients->len; i++) {
        const struct envelope_recipient *recipient = g_ptr_array_index(recorded->envelope->recipients, i);
        g_autofree char *path = smtp_path(recipient->address->given);
        if (g_ptr_array_find_with_equal_func(attempt->recipients, path, g_str_equal, NULL) &&
            !g_ptr_array_find_with_equal_func(canonical, recipient->address->canonical, g_str_equal, NULL))
            g_ptr_array_add(canonical, recipient->address->canonical);
    }
    return canonical;
}

/* N2. What cannot be composed does not keep the release from being recorded. */
static GPtrArray *notices_for(struct review *review, const struct snapshot *snapshot, const struct hold *hold,
                              const struct attempt *attempt)
{
    g_autoptr(recorded) recorded = store_hold_recorded(review->host.store, hold, NULL);
    g_autoptr(GPtrArray) canonical = recorded != NULL ? canonical_of(attempt, recorded) : NULL;

    if (canonical == NULL || canonical->len == 0)
        return NULL;
    return compose_end(snapshot, hold, recorded, canonical, ENDING_RELEASED, NULL, clock_wall_ms() / 1000);
}

/* An attempt that has arrived: under which queue id, and who says so (NULL: Postfix). */
struct arrival {
    const struct hold *hold;
    const struct attempt *attempt;
    const char *queue_id, *by;
};

static gboolean record(struct review *review, const struct snapshot *snapshot, const struct arrival *arrival,
                       GError **error)
{
    g_autoptr(GPtrArray) notices = notices_for(review, snapshot, arrival->hold, arrival->attempt);

    if (fault_point("release.recording")) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "fault");
        return FALSE;
    }
    return store_attempt_released(review->host.store, arrival->attempt, arrival->queue_id, arrival->by,
                                  notices, error);
}

gboolean doubt_record_taken(struct review *review, const struct snapshot *snapshot, const struct hold *hold,
                            const struct attempt *attempt, const char *queue_id)
{
    const struct arrival arrival = {hold, attempt, queue_id, NULL};
    g_autoptr(GError) error = NULL;

    if (!record(review, snapshot, &arrival, &error)) {
        review_store_failed(review, hold, error);
        return FALSE;
    }
    g_hash_table_remove(review->pending, attempt->id);
    return TRUE;
}

/* ---------------------------------------------------------------- it has not */

void doubt_note_lost(struct review *review, const struct attempt *attempt)
{
    pending_of(review, attempt);
}

/* Never offered: whatever Postfix still does with it, the release socket turns it away from here on. At once
 * if an earlier life ended; if Postfix hung up, later and later: its listener may not ask the release socket.
 */
static void give_back(struct review *review, const struct attempt *attempt, const struct hold *hold)
{
    gboolean lost = g_hash_table_contains(review->pending, attempt->id);
    gint64 next_ms = lost ? release_next_try_ms(hold) : clock_wall_ms();
    g_autoptr(GError) error = NULL;

    if (store_attempt_failed(review->host.store, attempt, "put-off interrupted", FALSE, next_ms, &error)) {
        say(LOG_LEVEL_INFO, attempt, hold, "interrupted");
        g_hash_table_remove(review->pending, attempt->id);
    } else {
        review_store_failed(review, hold, error);
    }
}

/* Offered, and Postfix does not know it, or cannot be asked: somebody has to say what is to be done. */
static void be_in_doubt(struct review *review, const struct attempt *attempt, const struct hold *hold)
{
    g_autoptr(GError) error = NULL;

    if (store_attempt_doubt(review->host.store, attempt, &error)) {
        fault_point("release.doubted");
        say(LOG_LEVEL_ERROR, attempt, hold, "doubt");
        g_hash_table_remove(review->pending, attempt->id);
    } else {
        review_store_failed(review, hold, error);
    }
}

/* `release doubt resend`: nobody is asked; a second copy is the price. */
static void resend(struct review *review, const struct attempt *attempt, const struct hold *hold)
{
    g_autoptr(GError) error = NULL;

    if (store_attempt_again(review->host.store, attempt, "", &error))
        say(LOG_LEVEL_WARNING, attempt, hold, "doubt-resend");
    else
        review_store_failed(review, hold, error);
}

/* ---------------------------------------------------------------- looking */

gboolean doubt_ask(struct review *review, const struct attempt *attempt, enum postfix_answer *answer)
{
    struct pending *pending = pending_of(review, attempt);
    gint64 now_us = clock_monotonic_us();

    if (now_us < pending->next_us)
        return FALSE;
    pending->next_us = now_us + RELEASE_ASK_MS * 1000;
    *answer = attempt->queue_id != NULL ? review->host.ask_postfix(review->host.host, attempt->queue_id)
                                        : POSTFIX_KNOWS_NOT;
    fault_point("release.asked");
    switch (*answer) {
    case POSTFIX_KNOWS:
        break;
    case POSTFIX_KNOWS_NOT:
        /* It may still be at work on it, and its log comes later. */
        return ++pending->unknown >= RELEASE_ASKED;
    case POSTFIX_SILENT:
        /* It may be starting; or nothing here may ever look into its queue and log. */
        return ++pending->silent >= RELEASE_SILENT;
    }
    return TRUE;
}

void doubt_forget(struct review *review, const struct attempt *attempt)
{
    g_hash_table_remove(review->pending, attempt->id);
}

static void ask(struct review *review, const struct snapshot *snapshot, const struct attempt *attempt,
                const struct hold *hold)
{
    enum postfix_answer answer;

    if (!doubt_ask(review, attempt, &answer))
        return;
    switch (answer) {
    case POSTFIX_KNOWS:
        say(LOG_LEVEL_INFO, attempt, hold, "found");
        doubt_record_taken(review, snapshot, hold, attempt, attempt->queue_id);
        break;
    case POSTFIX_KNOWS_NOT:
    case POSTFIX_SILENT:
        be_in_doubt(review, attempt, hold);
        break;
    }
}

static void look_at(struct review *review, const struct snapshot *snapshot, const struct attempt *attempt,
                    const struct hold *hold)
{
    const struct pending *pending = g_hash_table_lookup(review->pending, attempt->id);

    if (pending != NULL && pending->taken) {
        g_autofree char *queue_id = g_strdup(pending->queue_id);
        doubt_record_taken(review, snapshot, hold, attempt, queue_id);
        return;
    }
    switch (attempt->state) {
    case ATTEMPT_OPEN:
        give_back(review, attempt, hold);
        break;
    case ATTEMPT_OFFERED:
        ask(review, snapshot, attempt, hold);
        break;
    case ATTEMPT_DOUBT:
        if (snapshot->conf->release_doubt_resend)
            resend(review, attempt, hold);
        break; /* else a person says what is to be done */
    case ATTEMPT_OVER:
        break;
    }
}

static const struct hold *hold_of(const struct attempt *attempt, const GPtrArray *holds)
{
    for (guint i = 0; i < holds->len; i++) {
        const struct hold *hold = g_ptr_array_index(holds, i);
        if (hold->number == attempt->hold)
            return hold;
    }
    return NULL;
}

static gboolean needs_a_look(const struct attempt *attempt, const struct snapshot *snapshot)
{
    return attempt->hold != 0 && (attempt->state != ATTEMPT_DOUBT || snapshot->conf->release_doubt_resend);
}

void doubt_look(struct review *review, const struct snapshot *snapshot)
{
    struct hold_filter all = {0};
    g_autoptr(GPtrArray) attempts = store_attempts_open(review->host.store, NULL);
    g_autoptr(GPtrArray) holds = NULL;

    for (guint i = 0; attempts != NULL && i < attempts->len && !review_stops(review); i++) {
        const struct attempt *attempt = g_ptr_array_index(attempts, i);
        if (!needs_a_look(attempt, snapshot))
            continue;
        if (holds == NULL)
            holds = store_holds(review->host.store, snapshot->schemes, &all, NULL);
        const struct hold *hold = holds != NULL ? hold_of(attempt, holds) : NULL;
        if (hold != NULL)
            look_at(review, snapshot, attempt, hold);
    }
}

/* ---------------------------------------------------------------- what people say */

/* Of the hold, in doubt; struct attempt *. NULL and error. */
static GPtrArray *doubts_of(struct review *review, const struct hold *hold, GError **error)
{
    GPtrArray *attempts = store_attempts_open(review->host.store, error);

    for (guint i = attempts != NULL ? attempts->len : 0; i > 0; i--) {
        const struct attempt *attempt = g_ptr_array_index(attempts, i - 1);
        if (attempt->hold != hold->number || attempt->state != ATTEMPT_DOUBT)
            g_ptr_array_remove_index(attempts, i - 1);
    }
    return attempts;
}

static gboolean set_absent(GError **error, const char *text)
{
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_ABSENT, text);
    return FALSE;
}

/* Approved, and it waits: for the next try, or for a person. */
static gboolean try_now(struct review *review, const struct hold *hold, const char *who, GError **error)
{
    struct audit_entry entry = {.event = "release-again", .who = who, .object = hold->id};
    gboolean held = FALSE;

    for (guint i = 0; i < hold->recipients->len; i++)
        held |= ((const struct hold_recipient *)g_ptr_array_index(hold->recipients, i))->state == HOLD_HELD;
    if (!held || hold->kind != KIND_HOLD || !hold->slip.approved)
        return set_absent(error, "nothing of it is in doubt, and it is not approved");
    return store_audit(review->host.store, &entry, error) &&
           store_hold_waits(review->host.store, hold, NULL, clock_wall_ms(), error);
}

gboolean release_again(struct review *review, const struct hold *hold, const char *who, GError **error)
{
    g_autoptr(GPtrArray) doubts = doubts_of(review, hold, error);

    if (doubts == NULL)
        return FALSE;
    for (guint i = 0; i < doubts->len; i++)
        if (!store_attempt_again(review->host.store, g_ptr_array_index(doubts, i), who, error))
            return FALSE;
    if (doubts->len == 0 && !try_now(review, hold, who, error))
        return FALSE;
    review_wake(review);
    return TRUE;
}

gboolean release_done(struct review *review, const struct hold *hold, const char *who, GError **error)
{
    g_autoptr(GPtrArray) doubts = doubts_of(review, hold, error);
    g_autoptr(snapshot) snapshot = review->host.snapshot(review->host.host);

    if (doubts == NULL)
        return FALSE;
    if (doubts->len == 0)
        return set_absent(error, "nothing of it is in doubt");
    for (guint i = 0; i < doubts->len; i++) {
        const struct attempt *attempt = g_ptr_array_index(doubts, i);
        const struct arrival arrival = {hold, attempt, attempt->queue_id, who};
        if (!record(review, snapshot, &arrival, error))
            return FALSE;
    }
    return TRUE;
}
