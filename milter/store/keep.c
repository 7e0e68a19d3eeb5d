/* keep: the one transaction of a message (semantics.md 7.3), what follows in batches, and the answer. */
#include "milter/store/keeping.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"
#include "milter/store/identity.h"
#include "milter/store/limits.h"
#include "milter/store/record.h"

/* ---------------------------------------------------------------- keys */
static void make_keys(struct store *store, const struct store_message *message, guint8 about[IDENTITY_BYTES],
                      guint8 (*keys)[IDENTITY_BYTES])
{
    g_autofree char *identity = inputs_identity(message->inputs);

    identity_key(store, identity, NULL, message->digest, about);
    for (guint i = 0; i < message->decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(message->decision->recipients, i);
        identity_key(store, identity, recipient->first->address->canonical, message->digest, keys[i]);
    }
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Key of the message with these texts, in whatever order they stand; sorts them. */
static void make_set_key(const struct keeping *keeping, GPtrArray *texts, guint8 key[IDENTITY_BYTES])
{
    g_autofree char *identity = inputs_identity(keeping->inputs);

    g_ptr_array_sort(texts, compare_texts);
    g_ptr_array_add(texts, NULL);
    g_autofree char *all = g_strjoinv("\n", (char **)texts->pdata);
    identity_key(keeping->store, identity, all, keeping->message->digest, key);
}

/* The message to just these recipients. */
static void make_envelope_key(struct keeping *keeping)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (guint i = 0; i < keeping->decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(keeping->decision->recipients, i);
        g_ptr_array_add(list, recipient->first->address->canonical);
    }
    make_set_key(keeping, list, keeping->envelope);
}

/* How a notice names the fate of a recipient; NULL: it says nothing of it. Who is taken care of was held. */
static const char *told_as(enum fate fate)
{
    switch (fate) {
    case FATE_REFUSED:
    case FATE_KEPT:
        return "refused";
    case FATE_HELD:
    case FATE_SETTLED:
        return "held";
    case FATE_STAYS:
    case FATE_DEFERRED:
        break;
    }
    return NULL;
}

/* The message with what became of whom. */
static void make_told_key(struct keeping *keeping)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < keeping->decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(keeping->decision->recipients, i);
        const char *as = told_as(recipient->fate);
        if (as != NULL)
            g_ptr_array_add(list, g_strdup_printf("%s %s", as, recipient->first->address->canonical));
    }
    make_set_key(keeping, list, keeping->told);
}

/* ---------------------------------------------------------------- on the caller's thread */
static gboolean has_archives(const struct decision *decision)
{
    return decision->archives != NULL && decision->archives->len > 0;
}

static GByteArray *sealed_record(struct keeping *keeping, guint fates, GError **error)
{
    g_autoptr(GByteArray) record = record_make(keeping->inputs, keeping->decision, fates);

    return seal_record(keeping->store->keys, record->data, record->len, error);
}

/* Seals what may be kept: the slow part. */
static gboolean prepare(struct keeping *keeping, GError **error)
{
    static const guint held = 1u << FATE_HELD, kept = 1u << FATE_KEPT, all = ~0u;
    const struct decision *decision = keeping->decision;
    const struct store_message *message = keeping->message;
    gboolean is_hold = decision->holds || decision->keeps_copy;

    if (!is_hold && !has_archives(decision))
        return TRUE;
    keeping->content = content_prepare(keeping->store, message->octets, message->length, message->fd, error);
    if (keeping->content == NULL)
        return FALSE;
    if (is_hold) {
        keeping->hold_id = store_new_id();
        keeping->record = sealed_record(keeping, decision->holds ? held : kept, error);
        if (keeping->record == NULL)
            return FALSE;
    }
    if (!has_archives(decision))
        return TRUE;
    make_envelope_key(keeping);
    keeping->archive_record = sealed_record(keeping, all, error);
    return keeping->archive_record != NULL;
}

static void keeping_init(struct keeping *keeping, struct store *store, const struct store_message *message)
{
    guint count = message->decision->recipients->len;

    *keeping = (struct keeping){.store = store,
                                .message = message,
                                .inputs = message->inputs,
                                .decision = message->decision,
                                .now_ms = clock_wall_ms(),
                                .keys = g_malloc0_n(count + 1, IDENTITY_BYTES),
                                .standings = g_new0(struct standing, count + 1)};
    make_keys(store, message, keeping->about, keeping->keys);
    make_told_key(keeping);
    keeping->journal = journal_entry_new(message, keeping->about);
}

static void keeping_clear(struct keeping *keeping)
{
    g_clear_pointer(&keeping->record, g_byte_array_unref);
    g_clear_pointer(&keeping->archive_record, g_byte_array_unref);
    journal_entry_free(keeping->journal);
    g_free(keeping->hold_id);
    g_free(keeping->keys);
    g_free(keeping->standings);
}

/* ---------------------------------------------------------------- in the job */
gint64 keeping_content(struct keeping *keeping, struct database *database, GError **error)
{
    if (keeping->content_number == 0)
        keeping->content_number = content_insert(keeping->content, database, error);
    return keeping->content_number;
}

/* Once for whom it tells what of whom: the same again is no news. The same message to others is (a client
 * divides what goes to many), and so is another outcome, as when a later attempt refuses what was held. */
static gboolean keep_notices(struct keeping *keeping, struct database *database, GError **error)
{
    const GPtrArray *notices = keeping->message->notices;

    for (guint i = 0; notices != NULL && i < notices->len; i++) {
        const struct notice *notice = g_ptr_array_index(notices, i);
        g_autoptr(GByteArray) about = g_byte_array_new();
        g_byte_array_append(about, keeping->told, IDENTITY_BYTES);
        g_byte_array_append(about, (const guint8 *)notice->addressee, (guint)strlen(notice->addressee));
        if (!job_notice(database, notice, about->data, about->len, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean is_told(const struct decided_recipient *recipient)
{
    switch (recipient->fate) {
    case FATE_REFUSED:
    case FATE_KEPT:
        return TRUE;
    case FATE_HELD:
        return recipient->past->state != PAST_HELD;
    case FATE_STAYS:
    case FATE_DEFERRED:
    case FATE_SETTLED:
        break;
    }
    return FALSE;
}

/* "reference held <mi@x> not-cleared, …", the first so many; NULL: nothing but plain delivery and what is
 * known already. New. */
static char *audit_detail(const struct decision *decision)
{
    GString *text = g_string_new(decision->reference);
    guint named = 0;

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (!is_told(recipient) || ++named > AUDIT_RECIPIENTS)
            continue;
        g_string_append_printf(text, "%s %s <%s> %s", named > 1 ? "," : "", fate_name(recipient->fate),
                               recipient->first->address->canonical,
                               recipient->leading != NULL ? reason_name(recipient->leading->id) : "-");
    }
    if (named > AUDIT_RECIPIENTS)
        g_string_append_printf(text, ", +%u", named - AUDIT_RECIPIENTS);
    return g_string_free(text, named == 0);
}

static const char *event_of(const struct keeping *keeping)
{
    if (keeping->hold == 0)
        return "refuse";
    return keeping->decision->holds ? "hold" : "refuse-local";
}

static gboolean keep_audit(struct keeping *keeping, struct database *database, GError **error)
{
    const struct decision *decision = keeping->decision;
    g_autofree char *detail = decision->act != ACT_DEFER ? audit_detail(decision) : NULL;
    struct audit_entry entry = {
        .event = event_of(keeping), .who = keeping->journal->sender, .detail = detail};
    struct audit_entry forged = {
        .event = "forged-token", .who = keeping->journal->sender, .object = decision->reference};

    entry.object = keeping->hold != 0 ? keeping->hold_id : decision->reference;
    return (detail == NULL || job_audit(keeping->store, database, &entry, error)) &&
           (!decision->forged_token || job_audit(keeping->store, database, &forged, error));
}

static gboolean keep(struct database *database, gpointer data, GError **error)
{
    struct keeping *keeping = data;

    return keep_holds(keeping, database, error) && keep_archives(keeping, database, error) &&
           keep_notices(keeping, database, error) && journal_write(database, keeping->journal, NULL, error) &&
           keep_audit(keeping, database, error) && job_step("keep.written", error);
}

/* ---------------------------------------------------------------- together */
static gboolean is_in_hold(const struct keeping *keeping, guint i)
{
    const struct decided_recipient *recipient = g_ptr_array_index(keeping->decision->recipients, i);

    return recipient->fate == FATE_HELD || recipient->fate == FATE_KEPT;
}

gboolean store_keep(struct store *store, const struct store_message *message, char **hold_id, GError **error)
{
    struct keeping keeping;

    if (hold_id != NULL)
        *hold_id = NULL;
    keeping_init(&keeping, store, message);
    gboolean done = job_step("keep.begin", error) && prepare(&keeping, error) &&
                    job_step("keep.prepared", error) && writer_run(store->writer, keep, &keeping, error);
    if (done)
        fault_point("keep.committed");
    if (keeping.content != NULL)
        content_finish(keeping.content, done && keeping.content_number != 0);
    for (guint i = 0; done && i < message->decision->recipients->len; i++)
        if (is_in_hold(&keeping, i))
            attempts_add(store->attempts, keeping.keys[i]);
    if (done && keeping.hold != 0 && hold_id != NULL)
        *hold_id = g_steal_pointer(&keeping.hold_id);
    keeping_clear(&keeping);
    return done;
}

/* ---------------------------------------------------------------- later */
struct deferral {
    guint8 key[IDENTITY_BYTES];
    gboolean is_own; /* the clock of 7.2.4 runs */
};

struct later {
    struct store *store;
    struct journal_entry *journal;
    GArray *deferrals; /* struct deferral */
    gint64 decided_ms; /* the time of which the decision knows */
};

static void later_free(gpointer data)
{
    struct later *later = data;

    journal_entry_free(later->journal);
    g_array_unref(later->deferrals);
    g_free(later);
}

/* The clock runs from the first deferral by the message's own trouble on, and begins anew after any other. */
static gboolean write_clock(struct database *database, const struct later *later,
                            const struct deferral *deferral, GError **error)
{
    static const char sql[] =
        "INSERT INTO deferred (key, first_ms, own_since_ms, last_ms, count)"
        " VALUES (?1, ?2, iif(?3, ?4, NULL), ?2, 1) ON CONFLICT (key) DO UPDATE SET"
        " own_since_ms = iif(?3, coalesce(own_since_ms, ?4), NULL), last_ms = ?2, count = count + 1";

    return database_run(database, error, sql, "biii", deferral->key, (gsize)IDENTITY_BYTES,
                        later->journal->at_ms, (gint64)(deferral->is_own != FALSE), later->decided_ms);
}

static gboolean write_later(struct database *database, gpointer data, GError **error)
{
    const struct later *later = data;
    struct audit_entry entry = {
        .event = "defer", .who = later->journal->sender, .object = later->journal->reference};
    gboolean first = FALSE;

    if (!journal_write(database, later->journal, &first, error))
        return FALSE;
    for (guint i = 0; i < later->deferrals->len; i++)
        if (!write_clock(database, later, &g_array_index(later->deferrals, struct deferral, i), error))
            return FALSE;
    return !first || job_audit(later->store, database, &entry, error);
}

void store_keep_later(struct store *store, const struct store_message *message)
{
    const struct decision *decision = message->decision;
    struct later *later = g_new0(struct later, 1);
    g_autofree guint8(*keys)[IDENTITY_BYTES] = g_malloc0_n(decision->recipients->len + 1, IDENTITY_BYTES);
    guint8 about[IDENTITY_BYTES];

    make_keys(store, message, about, keys);
    later->store = store;
    later->journal = journal_entry_new(message, about);
    later->deferrals = g_array_new(FALSE, FALSE, sizeof(struct deferral));
    later->decided_ms = message->inputs->now * 1000;
    for (guint i = 0; decision->act == ACT_DEFER && i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->fate != FATE_DEFERRED) /* a hold answers for it */
            continue;
        struct deferral deferral = {.is_own = decision->own_trouble && recipient->verdict == VERDICT_DEFER};
        memcpy(deferral.key, keys[i], IDENTITY_BYTES);
        g_array_append_val(later->deferrals, deferral);
        attempts_add(store->attempts, keys[i]); /* it may come again before the batch is written */
    }
    writer_later(store->writer, write_later, later, later_free);
}

static gboolean write_answered(struct database *database, gpointer data, GError **error)
{
    static const char sql[] = "UPDATE hold SET answered = 1 WHERE reference = ?1 AND closed_ms IS NULL";

    return database_run(database, error, sql, "t", data);
}

void store_answered(struct store *store, const char *reference)
{
    writer_later(store->writer, write_answered, g_strdup(reference), g_free);
}
