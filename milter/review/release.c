#include "milter/review/release.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/review/limits.h"
#include "milter/review/received.h"
#include "milter/review/review_private.h"
#include "milter/review/token.h"

/* One hold on its way. */
struct going {
    struct review *review;
    const struct hold *hold;
    struct recheck *recheck;
    GPtrArray *goers;     /* const struct decided_recipient *: who may have it today */
    GPtrArray *canonical; /* const char *, of the goers */
    GPtrArray *given;     /* char *: each form of each goer, as RCPT has it */
    GArray *recipients;   /* struct smtp_recipient, the same */
    struct way_out *way_out;
    struct attempt *attempt;
};

static const char *queue_id_of(const struct hold *hold)
{
    return hold->queue_id != NULL ? hold->queue_id : "NOQUEUE";
}

/* One line for reviewers and officers (N3, N4 until "Review"). */
static void tell(enum log_level level, const struct hold *hold, const char *what, const char *why)
{
    log_line(level, "%s: hold=%.*s ref=%s release=%s why=\"%s\"", queue_id_of(hold), HOLD_SHORT_CHARACTERS,
             hold->id, hold->reference, what, why);
}

gint64 release_next_try_ms(const struct hold *hold)
{
    gint64 now_ms = clock_wall_ms();

    return now_ms + CLAMP((now_ms - hold->slip.approved_ms) / 2, RELEASE_PAUSE_MIN_MS, RELEASE_PAUSE_MAX_MS);
}

static void wait_for_better(struct review *review, const struct hold *hold, const char *trouble,
                            gint64 next_ms)
{
    g_autoptr(GError) error = NULL;

    if (!store_hold_waits(review->host.store, hold, trouble, next_ms, &error))
        review_store_failed(review, hold, error);
}

/* ---------------------------------------------------------------- who may go */

static const struct hold_recipient *held_recipient(const struct hold *hold, const char *canonical)
{
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        if (recipient->state == HOLD_HELD && strcmp(recipient->canonical, canonical) == 0)
            return recipient;
    }
    return NULL;
}

/* The recipients that are held and permitted today; with `refuse all` all of them or none. *stays (may be
 * NULL): the strictest of the others. */
static GPtrArray *permitted(const struct hold *hold, const struct recheck *recheck,
                            const struct decided_recipient **stays)
{
    GPtrArray *goers = g_ptr_array_new();

    for (guint i = 0; i < recheck->decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(recheck->decision->recipients, i);
        if (held_recipient(hold, recipient->first->address->canonical) == NULL)
            continue;
        if (recipient->verdict == VERDICT_DELIVER)
            g_ptr_array_add(goers, (gpointer)recipient);
        else if (*stays == NULL || recipient->verdict > (*stays)->verdict)
            *stays = recipient;
    }
    if (*stays != NULL && recheck->snapshot->policy->refuse_all)
        g_ptr_array_set_size(goers, 0);
    return goers;
}

static char *refused_key(const struct hold *hold, const struct decided_recipient *recipient)
{
    return g_strdup_printf("%s\n%s", hold->id, recipient->first->address->canonical);
}

/* Whom the way out refused goes behind the others, so that nobody waits for ever because of somebody else.
 * When only such are left they are tried once more. */
static void put_refused_behind(struct review *review, const struct hold *hold, GPtrArray *goers)
{
    g_autoptr(GPtrArray) refused = g_ptr_array_new();

    for (guint i = goers->len; i > 0; i--) {
        struct decided_recipient *recipient = g_ptr_array_index(goers, i - 1);
        g_autofree char *key = refused_key(hold, recipient);
        if (g_hash_table_contains(review->refused, key))
            g_ptr_array_add(refused, g_ptr_array_remove_index(goers, i - 1));
    }
    for (guint i = refused->len; goers->len == 0 && i > 0; i--) {
        g_autofree char *key = refused_key(hold, g_ptr_array_index(refused, i - 1));
        g_hash_table_remove(review->refused, key);
    }
    if (goers->len == 0)
        g_ptr_array_extend(goers, refused, NULL, NULL);
}

/* As many as one envelope takes; TRUE: there are more. */
static gboolean cut_to_envelope(GPtrArray *goers)
{
    guint forms = 0, count = 0;

    while (count < goers->len) {
        forms += ((const struct decided_recipient *)g_ptr_array_index(goers, count))->forms->len;
        if (count > 0 && forms > RELEASE_RECIPIENTS)
            break;
        count++;
    }
    gboolean more = count < goers->len;
    g_ptr_array_set_size(goers, (gint)count);
    return more;
}

/* Those that are held for something that nobody has approved. */
static GPtrArray *held_anew(const struct hold *hold, const struct recheck *recheck)
{
    GPtrArray *anew = g_ptr_array_new();

    for (guint i = 0; i < recheck->decision->recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(recheck->decision->recipients, i);
        if (recipient->verdict == VERDICT_HOLD &&
            held_recipient(hold, recipient->first->address->canonical) != NULL)
            g_ptr_array_add(anew, recipient);
    }
    return anew;
}

/* A vote is asked for again where there is something to vote on; what nobody may waive waits for a person. */
static void wait_for_person(struct review *review, const struct hold *hold, const struct recheck *recheck,
                            const char *trouble)
{
    g_autoptr(GPtrArray) anew = held_anew(hold, recheck);
    g_autoptr(GError) error = NULL;

    if (anew->len == 0) {
        wait_for_better(review, hold, trouble, 0);
        return;
    }
    const struct decided_recipient *first = g_ptr_array_index(anew, 0);
    const struct queue *queue = queues_find(recheck->snapshot->conf->queues, first->queue);
    gint64 deadline_ms = clock_wall_ms() + (queue != NULL ? queue->deadline_ms : RELEASE_PAUSE_MAX_MS);
    if (!store_hold_anew(review->host.store, hold, anew, trouble, deadline_ms, &error))
        review_store_failed(review, hold, error);
}

/* Rows 5 and 6: some or all do not go, and the slip says why. */
static void note_stays(struct review *review, const struct hold *hold, const struct recheck *recheck,
                       const struct decided_recipient *stays)
{
    const char *reason = stays->leading != NULL ? reason_name(stays->leading->id) : "unknown";
    g_autofree char *who = address_printable(stays->first->address->canonical);
    g_autofree char *why = g_strdup_printf("%s <%s>", reason, who);

    if (recheck->transient) {
        g_autofree char *trouble = g_strdup_printf("recheck-put-off %s", reason);
        tell(LOG_LEVEL_INFO, hold, "put-off", why);
        wait_for_better(review, hold, trouble, release_next_try_ms(hold));
    } else {
        g_autofree char *trouble = g_strdup_printf("recheck-failed %s", reason);
        tell(LOG_LEVEL_WARNING, hold, "recheck-failed", why);
        wait_for_person(review, hold, recheck, trouble);
    }
}

/* ---------------------------------------------------------------- what goes */

static void add_forms(struct going *going, const struct decided_recipient *recipient)
{
    for (guint i = 0; i < recipient->forms->len; i++) {
        const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, i);
        struct smtp_recipient said = {smtp_path(form->address->given), form->notify, form->orcpt};
        g_ptr_array_add(going->given, (gpointer)said.path);
        g_array_append_val(going->recipients, said);
    }
}

static void fill(struct going *going)
{
    const struct recheck *recheck = going->recheck;

    going->canonical = g_ptr_array_new();
    going->given = g_ptr_array_new_with_free_func(g_free);
    going->recipients = g_array_new(FALSE, FALSE, sizeof(struct smtp_recipient));
    for (guint i = 0; i < going->goers->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(going->goers, i);
        g_ptr_array_add(going->canonical, recipient->first->address->canonical);
        add_forms(going, recipient);
    }
    struct received received = {.recorded = recheck->recorded,
                                .host = g_get_host_name(),
                                .queue_id = going->hold->queue_id,
                                .recipient = going->given->len == 1 ? going->given->pdata[0] : NULL,
                                .zone = recheck->snapshot->conf->time_zone};
    going->way_out = way_out_new(received_make(&received), recheck->contents, recheck->length);
}

static void going_clear(struct going *going)
{
    way_out_free(going->way_out);
    attempt_free(going->attempt);
    g_clear_pointer(&going->canonical, g_ptr_array_unref);
    g_clear_pointer(&going->given, g_ptr_array_unref);
    g_clear_pointer(&going->recipients, g_array_unref);
    g_clear_pointer(&going->goers, g_ptr_array_unref);
    recheck_free(going->recheck);
}

/* ---------------------------------------------------------------- what became of it */

/* Whose RCPT was refused; NULL: the message was, or everybody. */
static const struct decided_recipient *refused_goer(const struct going *going,
                                                    const struct smtp_result *result)
{
    gint at = result->end == SMTP_REFUSED ? result->recipient : -1;

    for (guint i = 0; at >= 0 && i < going->goers->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(going->goers, i);
        at -= (gint)recipient->forms->len;
        if (at < 0)
            return recipient;
    }
    return NULL;
}

/* When it is tried again: by itself never, for the others at once, or later and later. */
static gint64 retry_ms(const struct going *going, const struct decided_recipient *refused, gboolean permanent)
{
    if (permanent)
        return 0;
    return refused != NULL ? clock_wall_ms() : release_next_try_ms(going->hold);
}

/* It did not arrive, and the server said so or never saw its end. */
static void settle_failed(struct going *going, const struct smtp_result *result)
{
    struct review *review = going->review;
    const struct decided_recipient *refused = refused_goer(going, result);
    gboolean permanent = result->end == SMTP_REFUSED && (refused == NULL || going->goers->len == 1);
    const char *what = result->end == SMTP_REFUSED ? "release-failed" : "put-off";
    g_autofree char *trouble = g_strdup_printf("%s %s", what, result->text);
    g_autoptr(GError) error = NULL;
    /* As it stands now: the release socket may have let it in before a later filter refused it. */
    g_autoptr(attempt) now = store_attempt(review->host.store, going->attempt->id, &error);

    if (now != NULL && !fault_point("release.failing"))
        store_attempt_failed(review->host.store, now, trouble, permanent, retry_ms(going, refused, permanent),
                             &error);
    if (now == NULL || error != NULL)
        review_store_failed(review, going->hold, error);
    if (refused != NULL)
        g_hash_table_add(review->refused, refused_key(going->hold, refused));
    tell(result->end == SMTP_REFUSED ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, going->hold, what, result->text);
}

static void settle_taken(struct going *going, const struct smtp_result *result)
{
    g_autoptr(attempt) now = store_attempt(going->review->host.store, going->attempt->id, NULL);
    const char *queue_id = result->queue_id != NULL               ? result->queue_id
                           : now != NULL && now->queue_id != NULL ? now->queue_id
                                                                  : "unknown";

    doubt_note_taken(going->review, going->attempt, queue_id);
    if (now != NULL && now->state == ATTEMPT_OPEN)
        log_line(LOG_LEVEL_ERROR,
                 "%s: incident=unguarded the listener of `release through` does not ask the release socket",
                 queue_id);
    tell(LOG_LEVEL_INFO, going->hold, "sent", result->text);
    if (fault_point("release.sent"))
        return;
    doubt_record_taken(going->review, going->recheck->snapshot, going->hold, going->attempt, queue_id);
    fault_point("release.recorded");
}

/* TRUE: its recipients are on their way, and those that stay are to be told of. */
static gboolean settle(struct going *going, const struct smtp_result *result)
{
    switch (result->end) {
    case SMTP_TAKEN:
        settle_taken(going, result);
        return TRUE;
    case SMTP_PUT_OFF:
    case SMTP_REFUSED:
        settle_failed(going, result);
        return FALSE;
    case SMTP_UNKNOWN:
        /* The open attempt says how far it came; doubt_look finds it there. */
        doubt_note_lost(going->review, going->attempt);
        tell(LOG_LEVEL_WARNING, going->hold, "lost", result->text);
        return TRUE;
    }
    return FALSE;
}

/* ---------------------------------------------------------------- one hold */

static void send_it(struct going *going, struct smtp_result *result)
{
    const struct recheck *recheck = going->recheck;
    const struct envelope *envelope = recheck->recorded->envelope;
    g_autofree char *sender = smtp_path(envelope->sender->given);
    g_autofree char *token = token_make(store_token_key(going->review->host.store), going->attempt);

    way_out_set_token(going->way_out, token);
    struct smtp_message message = {
        .through = recheck->snapshot->conf->release_through,
        .helo = g_get_host_name(),
        .sender = sender,
        .parameters = envelope->parameters,
        .headers_only = recheck->decision->headers_only,
        .recipients = (const struct smtp_recipient *)(gconstpointer)going->recipients->data,
        .recipient_count = going->recipients->len,
        .pieces = (const struct smtp_piece *)(gconstpointer)going->way_out->pieces->data,
        .piece_count = going->way_out->pieces->len,
        .stop = &going->review->stop};
    smtp_send(&message, result);
}

/* Row 4, then the way through Postfix. TRUE: they are on their way. */
static gboolean release_goers(struct going *going)
{
    struct review *review = going->review;
    gint64 expires_ms = clock_wall_ms() + (gint64)TOKEN_MINUTES * 60 * 1000;
    struct smtp_result result;
    g_autoptr(GError) error = NULL;

    fill(going);
    going->attempt = store_attempt_begin(review->host.store, going->hold, going->canonical, going->given,
                                         going->way_out->digest, expires_ms, &error);
    if (going->attempt == NULL) {
        review_store_failed(review, going->hold, error);
        return FALSE;
    }
    if (fault_point("release.attempted"))
        return FALSE;
    send_it(going, &result);
    gboolean gone = settle(going, &result);
    smtp_result_clear(&result);
    return gone;
}

/* Those that did not go with the others: the slip, which has another version now, says why. */
static void note_rest(struct review *review, const struct hold *hold, const struct recheck *recheck,
                      const struct decided_recipient *stays)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) now = store_hold(review->host.store, recheck->snapshot->schemes, hold->id, &error);

    if (now == NULL)
        review_store_failed(review, hold, error);
    else if (held_recipient(now, stays->first->address->canonical) != NULL)
        note_stays(review, now, recheck, stays);
}

/* Those for whom one envelope had no room: at once. */
static void go_on(struct review *review, const struct hold *hold, const struct recheck *recheck)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(hold) now = store_hold(review->host.store, recheck->snapshot->schemes, hold->id, &error);

    if (now == NULL)
        review_store_failed(review, hold, error);
    else
        wait_for_better(review, now, NULL, clock_wall_ms());
}

static void cannot_recheck(struct review *review, const struct hold *hold, const GError *error)
{
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_DAMAGED)) {
        /* Row 14: it stays, and nobody decides about it by time. */
        tell(LOG_LEVEL_ERROR, hold, "unreadable", error->message);
        wait_for_better(review, hold, "recheck-failed unreadable", 0);
    } else if (!g_error_matches(error, STORE_ERROR, STORE_ERROR_ABSENT)) {
        review_store_failed(review, hold, error);
    }
}

/* 7.3: the client may come again with the same message; and `release within` is the sweeper's. */
static gboolean may_be_tried(const struct hold *hold, const struct snapshot *snapshot)
{
    gint64 now_ms = clock_wall_ms();

    return hold->kind == KIND_HOLD && hold->slip.approved &&
           (hold->answered || hold->seen_again > 0 || now_ms >= hold->at_ms + RELEASE_UNANSWERED_MS) &&
           now_ms < hold->slip.approved_ms + snapshot->conf->release_within_ms;
}

/* Behind those that are on their way. */
static void note_others(const struct going *going, gboolean more, const struct decided_recipient *stays)
{
    if (more)
        go_on(going->review, going->hold, going->recheck);
    else if (stays != NULL)
        note_rest(going->review, going->hold, going->recheck, stays);
}

static void release_one(struct review *review, const struct hold *hold)
{
    struct going going = {.review = review, .hold = hold};
    const struct decided_recipient *stays = NULL;
    g_autoptr(GError) error = NULL;

    going.recheck = recheck_make(&review->host, hold, &error);
    if (going.recheck == NULL) {
        cannot_recheck(review, hold, error);
        return;
    }
    /* Whatever comes of it; what cannot be told today, but perhaps tomorrow, says nothing about the label. */
    if (!going.recheck->transient &&
        !store_hold_raise(review->host.store, hold, going.recheck->decision, &error)) {
        review_store_failed(review, hold, error);
    } else if (!fault_point("release.rechecked")) {
        going.goers = permitted(hold, going.recheck, &stays);
        put_refused_behind(review, hold, going.goers);
        gboolean more = cut_to_envelope(going.goers);
        if (going.goers->len == 0 && stays != NULL)
            note_stays(review, hold, going.recheck, stays);
        else if (going.goers->len > 0 && release_goers(&going))
            note_others(&going, more, stays);
    }
    going_clear(&going);
}

/* ---------------------------------------------------------------- all that is due */

static gboolean has_way(struct review *review, const struct snapshot *snapshot)
{
    gboolean has = snapshot->conf->release_through != NULL;

    if (!has && !review->told_no_way)
        log_line(LOG_LEVEL_WARNING, "review: nothing can be released: there is no `release through`");
    review->told_no_way = !has;
    return has;
}

void release_look(struct review *review)
{
    g_autoptr(snapshot) snapshot = review->host.snapshot(review->host.host);
    g_autoptr(GError) error = NULL;

    if (clock_monotonic_us() < review->pause_until_us)
        return;
    doubt_look(review, snapshot);
    g_autoptr(GPtrArray) due =
        store_holds_due(review->host.store, snapshot->schemes, clock_wall_ms(), &error);
    if (due == NULL) {
        log_line(LOG_LEVEL_ERROR, "review: store: %s", error->message);
        review->pause_until_us = clock_monotonic_us() + RELEASE_PAUSE_MIN_MS * 1000;
        return;
    }
    if (due->len == 0 || !has_way(review, snapshot))
        return;
    for (guint i = 0; i < due->len && !review_stops(review); i++)
        if (may_be_tried(g_ptr_array_index(due, i), snapshot))
            release_one(review, g_ptr_array_index(due, i));
}
