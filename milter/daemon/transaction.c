#include "milter/daemon/transaction.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/conf/log.h"
#include "milter/daemon/limits.h"
#include "milter/daemon/queue_id.h"
#include "milter/decide/reply.h"
#include "milter/review/compose.h"
#include "milter/review/token.h"

/* The wall clock is not believed when it stands so far before the newest audit record (semantics.md 1). */
#define CLOCK_DOUBT_MS (5 * 60 * 1000)

struct transaction {
    struct service *service;
    struct snapshot *snapshot;
    const struct session *session;
    struct envelope *envelope;
    struct directory_query *people;
    struct spool *spool;
    struct facts *facts;
    struct past *past;
    struct decision *decision;
    char *hold_id; /* of a new hold */
    guint release_fields;
    char reference[7];
    gboolean busy;   /* not admitted: nothing is kept, the answer is 4.3.2 */
    gboolean failed; /* the spool could not be written */
    gboolean answered;
    gint64 begun_us, ended_us;                        /* monotonic: MAIL; end of message */
    gint64 people_us, inspect_us, decide_us, keep_us; /* time spent in each stage after it */
};

static gboolean is_admitted(struct service *service)
{
    return g_atomic_int_get(&service->sessions) <= service->most_sessions &&
           g_atomic_int_get(&service->messages) <= service->most_messages &&
           g_atomic_int_get(&service->draining) < 2;
}

struct transaction *transaction_new(struct service *service, const struct session *session, const char *given,
                                    const char *parameters)
{
    struct transaction *transaction = g_new0(struct transaction, 1);
    transaction->service = service;
    transaction->session = session;
    transaction->begun_us = g_get_monotonic_time();
    g_atomic_int_inc(&service->messages);
    service_reference(transaction->reference);
    transaction->busy = !is_admitted(service);
    if (transaction->busy)
        return transaction;
    transaction->snapshot = service_snapshot(service);
    transaction->envelope = envelope_new();
    envelope_set_sender(transaction->envelope, given, parameters);
    transaction->people = directory_query_new(transaction->snapshot->directory);
    transaction->spool = spool_new(transaction->snapshot->conf->state_directory,
                                   transaction->snapshot->conf->message_size_bytes);
    inputs_ask_sender(transaction->people, transaction->snapshot, session, transaction->envelope);
    return transaction;
}

void transaction_free(struct transaction *transaction)
{
    if (!transaction)
        return;
    if (!transaction->answered)
        service_count(transaction->service, COUNT_ABORTED);
    g_atomic_int_add(&transaction->service->messages, -1);
    decision_free(transaction->decision);
    past_free(transaction->past);
    g_free(transaction->hold_id);
    facts_free(transaction->facts);
    spool_free(transaction->spool);
    directory_query_free(transaction->people);
    envelope_free(transaction->envelope);
    snapshot_unref(transaction->snapshot);
    g_free(transaction);
}

void transaction_add_recipient(struct transaction *transaction, const struct rcpt *rcpt)
{
    if (transaction->busy)
        return;
    if (transaction->envelope->recipients->len >= transaction->snapshot->policy->max_recipients) {
        transaction->envelope->too_many = TRUE;
        return;
    }
    struct envelope_recipient *recipient = envelope_add(transaction->envelope, rcpt->given);
    recipient->rcpt_addr = g_strdup(rcpt->address);
    recipient->rcpt_host = g_strdup(rcpt->host);
    recipient->rcpt_mailer = g_strdup(rcpt->mailer);
    recipient->notify = g_strdup(rcpt->notify);
    recipient->orcpt = g_strdup(rcpt->orcpt);
    inputs_ask_recipient(transaction->people, transaction->snapshot, recipient);
}

static void note_queue_id(struct transaction *transaction, const char *queue_id)
{
    if (queue_id && !transaction->envelope->queue_id && queue_id_is_good(queue_id))
        transaction->envelope->queue_id = g_strdup(queue_id);
}

void transaction_begin_data(struct transaction *transaction, const char *queue_id)
{
    if (transaction->busy)
        return;
    note_queue_id(transaction, queue_id);
    directory_query_send(transaction->people);
}

void transaction_add_field(struct transaction *transaction, const char *name, const char *value,
                           gboolean leading_space)
{
    if (g_ascii_strcasecmp(name, TOKEN_FIELD) == 0)
        transaction->release_fields++;
    if (!transaction->busy && !transaction->failed)
        transaction->failed =
            !spool_add_field(transaction->spool, name, value, leading_space, transaction->envelope->queue_id);
}

void transaction_end_header(struct transaction *transaction)
{
    if (!transaction->busy && !transaction->failed)
        transaction->failed = !spool_end_header(transaction->spool);
}

gboolean transaction_add_body(struct transaction *transaction, const void *octets, gsize length)
{
    if (transaction->busy || transaction->failed)
        return FALSE;
    transaction->failed = !spool_add_body(transaction->spool, octets, length);
    return !transaction->failed && !spool_too_large(transaction->spool);
}

const struct envelope *transaction_envelope(const struct transaction *transaction)
{
    return transaction->envelope;
}

guint transaction_release_fields(const struct transaction *transaction)
{
    return transaction->release_fields;
}

const char *transaction_queue_id(const struct transaction *transaction)
{
    return transaction->envelope && transaction->envelope->queue_id ? transaction->envelope->queue_id
                                                                    : "NOQUEUE";
}

static double milliseconds(gint64 us)
{
    return (double)us / 1000;
}

/* Why the inspector has nothing to say, and whether asking again may help. */
static enum facts_state failure_state(struct transaction *transaction, const guint8 digest[32],
                                      enum inspect_failure failure)
{
    static const char *const words[] = {"ok", "died", "ran out of time", "all helpers busy",
                                        "answered nonsense"};
    service_count(transaction->service, COUNT_INSPECTOR_FAILED);
    log_line(LOG_LEVEL_WARNING, "%s: inspector %s ref=MIJI-%s", transaction_queue_id(transaction),
             words[failure], transaction->reference);
    if (failure == INSPECT_BUSY)
        return FACTS_NONE_BUSY;
    return failures_note(transaction->service->failures, digest) > 1 ? FACTS_NONE_PERSISTENT
                                                                     : FACTS_NONE_TRANSIENT;
}

static enum facts_state inspect(struct transaction *transaction, const guint8 digest[32], gint64 deadline_us,
                                void (*progress)(gpointer), gpointer data)
{
    gsize length = 0;
    const void *memory = spool_memory(transaction->spool, &length);
    int fd = memory ? -1 : spool_open_file(transaction->spool);
    if (!memory && fd < 0) {
        log_line(LOG_LEVEL_ERROR, "%s: cannot read what is in %s: %s", transaction_queue_id(transaction),
                 transaction->snapshot->conf->state_directory, g_strerror(errno));
        return FACTS_NONE_TRANSIENT;
    }
    if (!memory)
        length = spool_size(transaction->spool);
    enum inspect_failure failure = INSPECT_OK;
    transaction->facts = inspector_inspect(transaction->service->inspector, memory, length, fd, deadline_us,
                                           progress, data, &failure);
    if (fd >= 0)
        close(fd);
    if (!transaction->facts)
        return failure_state(transaction, digest, failure);
    memcpy(transaction->facts->digest, digest, 32);
    transaction->facts->size_bytes = spool_size(transaction->spool);
    return FACTS_HERE;
}

static void count_act(struct service *service, const struct decision *decision)
{
    switch (decision->act) {
    case ACT_ACCEPT:
        service_count(service, COUNT_DELIVERED);
        break;
    case ACT_REFUSE:
        service_count(service, COUNT_REFUSED);
        break;
    case ACT_DISCARD:
        service_count(service, COUNT_DISCARDED);
        break;
    case ACT_DEFER:
        service_count(service, COUNT_DEFERRED);
        break;
    }
}

/* One line for the outcome, times last but for nothing: from the end of message, and what each stage took of
 * it. */
static void log_outcome(const struct transaction *transaction, const struct inputs *inputs)
{
    g_autofree char *line = decision_log(transaction->decision, inputs);
    gint64 now = g_get_monotonic_time();
    log_line(LOG_LEVEL_INFO,
             "%s: %s%s%.*s size=%" G_GUINT64_FORMAT " ms=%.1f people_ms=%.1f inspect_ms=%.1f decide_ms=%.1f"
             " keep_ms=%.1f",
             transaction_queue_id(transaction), line, transaction->hold_id ? " hold=" : "",
             HOLD_SHORT_CHARACTERS, transaction->hold_id ? transaction->hold_id : "",
             spool_size(transaction->spool), milliseconds(now - transaction->ended_us),
             milliseconds(transaction->people_us), milliseconds(transaction->inspect_us),
             milliseconds(transaction->decide_us), milliseconds(transaction->keep_us));
}

/* problem: what the log says beside the reason; "" nothing. */
static const struct decision *put_off(struct transaction *transaction, enum reason_id reason,
                                      const char *problem, struct reply *refusal)
{
    *refusal = reply_plain(reason, transaction->reference);
    service_count(transaction->service, reason == REASON_BUSY ? COUNT_BUSY : COUNT_DEFERRED);
    log_line(LOG_LEVEL_WARNING, "%s: verdict=defer reason=%s ref=MIJI-%s%s%s%s",
             transaction_queue_id(transaction), reason_name(reason), transaction->reference,
             *problem ? " problem=\"" : "", problem, *problem ? "\"" : "");
    return NULL;
}

static void note_directory(struct transaction *transaction)
{
    const struct reason *leading = transaction->decision->leading;
    if (leading && leading->id == REASON_DIRECTORY_UNAVAILABLE)
        trouble_begins(&transaction->service->trouble, transaction->snapshot->directory);
    else
        trouble_ends(&transaction->service->trouble, transaction->snapshot->directory);
}

/* Waits for everything that decide may look at, but the past. */
static void gather(struct transaction *transaction, struct inputs *inputs, const guint8 digest[32],
                   void (*progress)(gpointer), gpointer data)
{
    directory_query_send(transaction->people);
    gint64 within_ms = MIN(transaction->snapshot->conf->time_ms, LIMIT_EOM_SECONDS * 1000);
    gint64 deadline = transaction->ended_us + within_ms * 1000;
    inputs->facts_state =
        inputs->too_large ? FACTS_NONE_PERSISTENT : inspect(transaction, digest, deadline, progress, data);
    inputs->facts = transaction->facts;
    if (inputs->facts)
        inputs_ask_authors(transaction->people, transaction->snapshot, transaction->session, inputs->facts);
    gint64 inspected = g_get_monotonic_time();
    transaction->inspect_us = inspected - transaction->ended_us;
    directory_query_wait(transaction->people, deadline);
    transaction->people_us = g_get_monotonic_time() - inspected;
}

static gboolean decide_now(struct transaction *transaction, struct store *store, struct inputs *inputs,
                           const guint8 digest[32], GError **error)
{
    gint64 start = g_get_monotonic_time(), now_ms = clock_wall_ms();
    GError *problem = NULL;
    inputs->now = now_ms / 1000;
    inputs->clock_doubtful = store_newest_audit_ms(store) - now_ms > CLOCK_DOUBT_MS;
    transaction->past =
        store_past(store, inputs, digest, transaction->snapshot->conf->remember_attempts_ms, &problem);
    if (problem) {
        g_propagate_error(error, problem);
        return FALSE;
    }
    inputs->past = transaction->past;
    transaction->decision = decide(inputs, transaction->reference);
    transaction->decide_us = g_get_monotonic_time() - start;
    return TRUE;
}

static gboolean needs_contents(const struct decision *decision)
{
    return decision->holds || decision->keeps_copy || decision->archives->len > 0;
}

/* The contents for the store: borrowed octets, or a descriptor that the caller closes. */
static gboolean take_contents(const struct transaction *transaction, struct store_message *message,
                              GError **error)
{
    gsize length = 0;
    message->octets = spool_memory(transaction->spool, &length);
    message->length = spool_size(transaction->spool);
    if (!needs_contents(transaction->decision))
        return TRUE;
    if (spool_too_large(transaction->spool)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    "larger than `limits message size`: it cannot be kept whole");
        return FALSE;
    }
    if (!message->octets && (message->fd = spool_open_file(transaction->spool)) < 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "cannot read the message again: %s",
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

static GPtrArray *notices_for(const struct inputs *inputs, const struct decision *decision)
{
    GPtrArray *notices = g_ptr_array_new_with_free_func((GDestroyNotify)notice_free);
    struct notice *notice = decision->tells ? compose_outcome(inputs, decision) : NULL;
    if (notice)
        g_ptr_array_add(notices, notice);
    return notices;
}

/* What the decision promises is durable when this returns TRUE; what it does not promise follows within a
 * second. */
static gboolean keep(struct transaction *transaction, struct store *store, const struct inputs *inputs,
                     const guint8 digest[32], GError **error)
{
    gint64 start = g_get_monotonic_time();
    struct store_message message = {
        .inputs = inputs, .decision = transaction->decision, .digest = digest, .fd = -1};
    if (!decision_is_recorded(transaction->decision)) {
        store_keep_later(store, &message);
        return TRUE;
    }
    g_autoptr(GPtrArray) notices = notices_for(inputs, transaction->decision);
    message.notices = notices;
    gboolean kept = take_contents(transaction, &message, error);
    if (kept && fault_point("message.before-keep")) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "a test made it fail");
        kept = FALSE;
    }
    kept = kept && store_keep(store, &message, &transaction->hold_id, error);
    if (message.fd >= 0)
        close(message.fd);
    transaction->keep_us = g_get_monotonic_time() - start;
    return kept;
}

static const struct decision *conclude(struct transaction *transaction, struct store *store,
                                       struct inputs *inputs, const guint8 digest[32], struct reply *refusal)
{
    g_autoptr(GError) error = NULL;
    if (!decide_now(transaction, store, inputs, digest, &error) ||
        !keep(transaction, store, inputs, digest, &error))
        return put_off(transaction, REASON_STORE_UNAVAILABLE, error->message, refusal);
    count_act(transaction->service, transaction->decision);
    log_outcome(transaction, inputs);
    note_directory(transaction);
    return transaction->decision;
}

const struct decision *transaction_decide(struct transaction *transaction, const char *queue_id,
                                          void (*progress)(gpointer), gpointer data, struct reply *refusal)
{
    transaction->answered = TRUE;
    transaction->ended_us = g_get_monotonic_time();
    if (transaction->busy)
        return put_off(transaction, REASON_BUSY, "", refusal);
    note_queue_id(transaction, queue_id);
    guint8 digest[32];
    if (!spool_finish(transaction->spool, digest) || transaction->failed)
        return put_off(transaction, REASON_STORE_UNAVAILABLE, spool_problem(transaction->spool), refusal);
    struct inputs inputs = {.snapshot = transaction->snapshot,
                            .session = transaction->session,
                            .envelope = transaction->envelope,
                            .people = transaction->people,
                            .too_large = spool_too_large(transaction->spool)};
    gather(transaction, &inputs, digest, progress, data);
    struct store *store = service_borrow_store(transaction->service);
    if (!store)
        return put_off(transaction, REASON_BUSY, "", refusal);
    const struct decision *decision = conclude(transaction, store, &inputs, digest, refusal);
    service_return_store(transaction->service);
    return decision;
}
