#include "milter/review/outbox.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/review/compose.h"
#include "milter/review/limits.h"
#include "milter/review/review_private.h"
#include "milter/review/token.h"

/* One look at the outbox. */
struct look {
    struct review *review;
    struct store *store;
    struct snapshot *snapshot;
    gint64 now_ms;
    GHashTable *beyond; /* addressee -> GPtrArray of entries that the hour's bound keeps back */
    gboolean over;      /* nothing can be sent now: the rest waits for the next look */
};

gint64 outbox_pause_ms(guint tries)
{
    gint64 pause_ms = OUTBOX_PAUSE_MIN_MS;

    for (guint i = 0; i < tries && pause_ms < OUTBOX_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    return MIN(pause_ms, OUTBOX_PAUSE_MAX_MS);
}

static void say(enum log_level level, const struct outbox_entry *entry, const char *queue_id,
                const char *what, const char *why)
{
    const struct notice *notice = &entry->notice;

    log_line(level, "%s: notice=%s to=<%s> ref=%s send=%s why=\"%s\"",
             queue_id != NULL ? queue_id : "NOQUEUE", notice_kind_name(notice->kind), notice->addressee,
             notice->reference != NULL ? notice->reference : "-", what, why);
}

/* The store cannot write: the look is over, and what was done is found at the next one. */
static void store_failed(struct look *look, const GError *error)
{
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_CHANGED))
        return;
    log_line(LOG_LEVEL_ERROR, "outbox: store: %s", error != NULL ? error->message : "fault");
    look->review->outbox_pause_until_us = clock_monotonic_us() + RELEASE_PAUSE_MIN_MS * 1000;
    look->over = TRUE;
}

/* ---------------------------------------------------------------- what became of one */
static void drop(struct look *look, const struct outbox_entry *entry, const char *why)
{
    g_autoptr(GError) error = NULL;

    if (!store_outbox_drop(look->store, entry->number, why, &error))
        store_failed(look, error);
}

static void again(struct look *look, const struct outbox_entry *entry, const char *why)
{
    g_autoptr(GError) error = NULL;

    if (!store_outbox_failed(look->store, entry->number, why, look->now_ms + outbox_pause_ms(entry->tries),
                             &error))
        store_failed(look, error);
}

static void settle(struct look *look, const struct outbox_entry *entry, const struct smtp_result *result)
{
    g_autoptr(GError) error = NULL;

    switch (result->end) {
    case SMTP_TAKEN:
        say(LOG_LEVEL_INFO, entry, result->queue_id, "taken", result->text);
        if (fault_point("notice.sent"))
            return;
        if (!store_outbox_sent_one(look->store, entry->number, result->queue_id, &error))
            store_failed(look, error);
        fault_point("notice.recorded");
        return;
    case SMTP_PUT_OFF:
        look->over = result->code == 0; /* nobody there: nor for the next one */
        say(LOG_LEVEL_INFO, entry, NULL, "put-off", result->text);
        again(look, entry, result->text);
        return;
    case SMTP_REFUSED:
        say(LOG_LEVEL_WARNING, entry, NULL, "refused", result->text);
        again(look, entry, result->text);
        return;
    case SMTP_UNKNOWN:
        break;
    }
    /* The attempt says how far it came: see settle_attempt. */
    say(LOG_LEVEL_WARNING, entry, NULL, "lost", result->text);
    look->over = TRUE;
}

/* ---------------------------------------------------------------- one */
/* The token's field in front; the octets are the digest's, since they are in the form of a spool already. */
static void hand_over(struct look *look, const struct outbox_entry *entry, const struct attempt *attempt,
                      const char *path)
{
    g_autofree char *token = token_make(store_token_key(look->store), attempt);
    g_autofree char *field = g_strdup_printf("%s: %s\r\n", TOKEN_FIELD, token);
    const struct smtp_piece pieces[] = {{field, strlen(field)}, {entry->notice.text, entry->notice.length}};
    const struct smtp_recipient recipient = {.path = path, .notify = "NEVER"};
    const struct smtp_message message = {.through = look->snapshot->conf->release_through,
                                         .helo = g_get_host_name(),
                                         .sender = "<>",
                                         .parameters = g_str_is_ascii(path) ? NULL : "SMTPUTF8",
                                         .recipients = &recipient,
                                         .recipient_count = 1,
                                         .pieces = pieces,
                                         .piece_count = G_N_ELEMENTS(pieces),
                                         .stop = &look->review->stop};
    struct smtp_result result;

    smtp_send(&message, &result);
    settle(look, entry, &result);
    smtp_result_clear(&result);
}

static void send_one(struct look *look, const struct outbox_entry *entry)
{
    g_autofree char *path = smtp_path(entry->notice.addressee);
    gint64 expires_ms = look->now_ms + (gint64)TOKEN_MINUTES * 60 * 1000;
    guint8 digest[32];
    g_autoptr(GError) error = NULL;

    token_digest(entry->notice.text, entry->notice.length, digest);
    g_autoptr(attempt) attempt =
        store_attempt_begin_notice(look->store, entry->number, path, digest, expires_ms, &error);
    if (attempt == NULL)
        store_failed(look, error);
    else if (!fault_point("notice.attempted"))
        hand_over(look, entry, attempt, path);
}

/* ---------------------------------------------------------------- the hour's bound */
static gboolean is_beyond(const struct look *look, const struct outbox_entry *entry)
{
    return entry->notice.kind != NOTICE_DIGEST &&
           store_outbox_sent(look->store, entry->notice.addressee, look->now_ms - OUTBOX_HOUR_MS) >=
               OUTBOX_AN_HOUR;
}

static void keep_back(struct look *look, const struct outbox_entry *entry)
{
    GPtrArray *entries = g_hash_table_lookup(look->beyond, entry->notice.addressee);

    if (entries == NULL) {
        entries = g_ptr_array_new();
        g_hash_table_insert(look->beyond, entry->notice.addressee, entries);
    }
    g_ptr_array_add(entries, (gpointer)entry);
}

/* What the digest lists is not sent any more, in the same step: nobody hears of it twice, or never. */
static void digest(struct look *look, const char *addressee, const GPtrArray *entries)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(gint64));
    struct notice *notice = compose_digest(look->snapshot, addressee, entries, look->now_ms / 1000);

    for (guint i = 0; i < entries->len && i < DIGEST_REFERENCES; i++) {
        const struct outbox_entry *entry = g_ptr_array_index(entries, i);
        say(LOG_LEVEL_INFO, entry, NULL, "digest", "more than are sent in an hour");
        g_array_append_val(listed, entry->number);
    }
    if (!store_outbox_add(look->store, notice, listed, &error))
        store_failed(look, error);
    notice_free(notice);
}

/* One digest an hour, too; what comes behind it waits until the hour is over. */
static void bound(struct look *look, const char *addressee, const GPtrArray *entries)
{
    g_autoptr(GError) error = NULL;

    if (store_outbox_sent(look->store, addressee, look->now_ms - OUTBOX_HOUR_MS) == OUTBOX_AN_HOUR) {
        digest(look, addressee, entries);
        return;
    }
    for (guint i = 0; i < entries->len && !look->over; i++) {
        const struct outbox_entry *entry = g_ptr_array_index(entries, i);
        if (!store_outbox_failed(look->store, entry->number, "more than are sent in an hour",
                                 look->now_ms + OUTBOX_HOUR_MS, &error))
            store_failed(look, error);
        g_clear_error(&error);
    }
}

/* ---------------------------------------------------------------- an earlier life */
/* Offered: Postfix says whether it has it, and what it has not goes once more. When it can never be asked,
 * of a courtesy nobody is told twice; of a failure, rather twice than never. */
static gboolean settle_offered(struct look *look, const struct attempt *attempt, GError **error)
{
    const char *queue_id = attempt->queue_id != NULL ? attempt->queue_id : "NOQUEUE";
    const char *what = "found";
    enum postfix_answer answer;
    gboolean done = FALSE;

    if (!doubt_ask(look->review, attempt, &answer))
        return TRUE;
    switch (answer) {
    case POSTFIX_KNOWS_NOT:
        what = "interrupted";
        done = store_outbox_failed(look->store, attempt->notice, what, look->now_ms, error);
        break;
    case POSTFIX_SILENT:
        what = attempt->of_failure ? "once-more" : "counts-as-sent";
        done = attempt->of_failure
                   ? store_outbox_failed(look->store, attempt->notice, what, look->now_ms, error)
                   : store_outbox_sent_one(look->store, attempt->notice, attempt->queue_id, error);
        break;
    case POSTFIX_KNOWS:
        done = store_outbox_sent_one(look->store, attempt->notice, attempt->queue_id, error);
        break;
    }
    if (!done)
        return FALSE;
    log_line(answer == POSTFIX_SILENT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
             "%s: notice=%" G_GINT64_FORMAT " send=%s", queue_id, attempt->notice, what);
    doubt_forget(look->review, attempt);
    return TRUE;
}

/* Nobody works on it now. Never offered: it goes once more, and the old token is void. */
static void settle_attempt(struct look *look, const struct attempt *attempt)
{
    g_autoptr(GError) error = NULL;
    gboolean done = TRUE;

    switch (attempt->state) {
    case ATTEMPT_OPEN:
        done = store_outbox_failed(look->store, attempt->notice, "interrupted", look->now_ms, &error);
        break;
    case ATTEMPT_OFFERED:
    case ATTEMPT_DOUBT:
        done = settle_offered(look, attempt, &error);
        break;
    case ATTEMPT_OVER:
        return;
    }
    if (!done)
        store_failed(look, error);
}

static void settle_open(struct look *look)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) attempts = store_attempts_open(look->store, &error);

    if (attempts == NULL)
        store_failed(look, error);
    for (guint i = 0; attempts != NULL && i < attempts->len && !look->over; i++) {
        const struct attempt *attempt = g_ptr_array_index(attempts, i);
        if (attempt->notice != 0)
            settle_attempt(look, attempt);
    }
}

/* ---------------------------------------------------------------- all */
static void take(struct look *look, const struct outbox_entry *entry)
{
    if (look->now_ms - entry->created_ms >= OUTBOX_KEEP_MS) {
        say(LOG_LEVEL_ERROR, entry, NULL, "given-up", "it could not be sent for days");
        drop(look, entry, "given up");
    } else if (is_beyond(look, entry)) {
        keep_back(look, entry);
    } else {
        send_one(look, entry);
    }
}

static void send_due(struct look *look)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) due = store_outbox_due(look->store, look->now_ms, OUTBOX_LOOK, &error);
    GHashTableIter beyond;
    gpointer addressee, entries;

    if (due == NULL) {
        store_failed(look, error);
        return;
    }
    for (guint i = 0; i < due->len && !look->over && !review_stops(look->review); i++)
        take(look, g_ptr_array_index(due, i));
    g_hash_table_iter_init(&beyond, look->beyond);
    while (!look->over && g_hash_table_iter_next(&beyond, &addressee, &entries))
        bound(look, addressee, entries);
}

void outbox_send_due(struct review *review, gint64 now_ms)
{
    const struct review_host *host = review_host(review);

    if (clock_monotonic_us() < review->outbox_pause_until_us)
        return;
    struct look look = {
        .review = review,
        .store = host->store,
        .now_ms = now_ms,
        .snapshot = host->snapshot(host->host),
        .beyond = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref)};

    settle_open(&look);
    if (!look.over && look.snapshot->conf->release_through != NULL)
        send_due(&look);
    g_hash_table_unref(look.beyond);
    snapshot_unref(look.snapshot);
}
