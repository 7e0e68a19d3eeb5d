#include "milter/daemon/transaction.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "milter/daemon/limits.h"
#include "milter/conf/log.h"
#include "milter/decide/reply.h"

struct transaction {
    struct service *service;
    struct snapshot *snapshot;
    const struct session *session;
    struct envelope *envelope;
    struct directory_query *people;
    struct spool *spool;
    struct facts *facts;
    struct decision *decision;
    char reference[7];
    gboolean busy;   /* not admitted: nothing is kept, the answer is 4.3.2 */
    gboolean failed; /* the spool could not be written */
    gboolean answered;
    gint64 begun_us, ended_us;               /* monotonic: MAIL; end of message */
    gint64 people_us, inspect_us, decide_us; /* time spent in each stage after the end of message */
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

/* As MTAs make them. It stands first in a line of the log: another word could pretend to be a line of its
 * own. */
static gboolean is_queue_id(const char *text)
{
    gsize length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    return length > 0 && length <= LIMIT_QUEUE_ID && text[length] == '\0';
}

static void note_queue_id(struct transaction *transaction, const char *queue_id)
{
    if (queue_id && !transaction->envelope->queue_id && is_queue_id(queue_id))
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

static const char *id_of(const struct transaction *transaction)
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
    log_line(LOG_LEVEL_WARNING, "%s: inspector %s ref=MIJI-%s", id_of(transaction), words[failure],
             transaction->reference);
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
        log_line(LOG_LEVEL_ERROR, "%s: cannot read what is in %s: %s", id_of(transaction),
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
    case ACT_DISCARD:
        service_count(service, COUNT_REFUSED);
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
             "%s: %s size=%" G_GUINT64_FORMAT " ms=%.1f people_ms=%.1f inspect_ms=%.1f decide_ms=%.1f",
             id_of(transaction), line, spool_size(transaction->spool),
             milliseconds(now - transaction->ended_us), milliseconds(transaction->people_us),
             milliseconds(transaction->inspect_us), milliseconds(transaction->decide_us));
}

static void put_off(struct transaction *transaction, enum reason_id reason, struct reply *refusal)
{
    *refusal = reply_plain(reason, transaction->reference);
    service_count(transaction->service, reason == REASON_BUSY ? COUNT_BUSY : COUNT_DEFERRED);
    const char *problem = transaction->spool ? spool_problem(transaction->spool) : "";
    log_line(LOG_LEVEL_WARNING, "%s: verdict=defer reason=%s ref=MIJI-%s%s%s%s", id_of(transaction),
             reason_name(reason), transaction->reference, *problem ? " problem=\"" : "", problem,
             *problem ? "\"" : "");
}

static void note_directory(struct transaction *transaction)
{
    const struct reason *leading = transaction->decision->leading;
    if (leading && leading->id == REASON_DIRECTORY_UNAVAILABLE)
        trouble_begins(&transaction->service->trouble, transaction->snapshot->directory);
    else
        trouble_ends(&transaction->service->trouble, transaction->snapshot->directory);
}

static void decide_now(struct transaction *transaction, struct inputs *inputs)
{
    gint64 start = g_get_monotonic_time();
    inputs->now = g_get_real_time() / G_USEC_PER_SEC;
    transaction->decision = decide(inputs, transaction->reference);
    transaction->decide_us = g_get_monotonic_time() - start;
    count_act(transaction->service, transaction->decision);
    log_outcome(transaction, inputs);
    note_directory(transaction);
}

const struct decision *transaction_decide(struct transaction *transaction, const char *queue_id,
                                          void (*progress)(gpointer), gpointer data, struct reply *refusal)
{
    transaction->answered = TRUE;
    transaction->ended_us = g_get_monotonic_time();
    if (transaction->busy) {
        put_off(transaction, REASON_BUSY, refusal);
        return NULL;
    }
    note_queue_id(transaction, queue_id);
    guint8 digest[32];
    gboolean kept = spool_finish(transaction->spool, digest) && !transaction->failed;
    gboolean too_large = spool_too_large(transaction->spool);
    if (!kept) {
        put_off(transaction, REASON_STORE_UNAVAILABLE, refusal);
        return NULL;
    }
    directory_query_send(transaction->people);
    gint64 within_ms = MIN(transaction->snapshot->conf->time_ms, LIMIT_EOM_SECONDS * 1000);
    gint64 deadline = transaction->ended_us + within_ms * 1000;
    struct inputs inputs = {.snapshot = transaction->snapshot,
                            .session = transaction->session,
                            .envelope = transaction->envelope,
                            .people = transaction->people,
                            .too_large = too_large};
    inputs.facts_state =
        too_large ? FACTS_NONE_PERSISTENT : inspect(transaction, digest, deadline, progress, data);
    inputs.facts = transaction->facts;
    if (inputs.facts)
        inputs_ask_authors(transaction->people, transaction->snapshot, transaction->session, inputs.facts);
    gint64 inspected = g_get_monotonic_time();
    transaction->inspect_us = inspected - transaction->ended_us;
    directory_query_wait(transaction->people, deadline);
    transaction->people_us = g_get_monotonic_time() - inspected;
    decide_now(transaction, &inputs);
    return transaction->decision;
}
