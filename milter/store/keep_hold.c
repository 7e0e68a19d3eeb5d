/* keep_hold: the rows of holds that one message makes, ends or meets again (semantics.md 7.4, 10). */
#include "milter/store/keeping.h"

#include <string.h>

#include "milter/decide/programs.h"
#include "milter/store/limits.h"
#include "milter/store/record.h"
#include "policy/label/label_record.h"

static const struct decided_recipient *recipient_at(const struct keeping *keeping, guint i)
{
    return g_ptr_array_index(keeping->decision->recipients, i);
}

/* ---------------------------------------------------------------- has anything changed meanwhile */
/* May what was decided over one standing be done over another? The same once more is always right; what would
 * double or lose a message, or get round a reviewer, is not. */
static gboolean agrees(const struct decided_recipient *recipient, enum past_state now)
{
    enum past_state seen = recipient->past->state == PAST_DEFERRED ? PAST_NOTHING : recipient->past->state;

    if (seen == now)
        return TRUE;
    switch (recipient->fate) {
    case FATE_STAYS:
        return now == PAST_NOTHING || now == PAST_HELD;
    case FATE_HELD:
        return now != PAST_ENDED;
    case FATE_REFUSED:
    case FATE_KEPT:
        return now != PAST_SETTLED;
    case FATE_SETTLED:
        return now != PAST_NOTHING;
    case FATE_DEFERRED:
        break;
    }
    return TRUE;
}

/* As store_past was asked. */
static gint64 oldest_ms(const struct inputs *inputs)
{
    const struct conf *conf = inputs->snapshot->conf;

    return inputs->now * 1000 - (conf != NULL ? conf->remember_attempts_ms : DEFAULT_REMEMBER_MS);
}

static gboolean look(struct keeping *keeping, struct database *database, GError **error)
{
    for (guint i = 0; i < keeping->decision->recipients->len; i++) {
        if (!standing_find(database, keeping->keys[i], oldest_ms(keeping->inputs), &keeping->standings[i],
                           error))
            return FALSE;
        if (!agrees(recipient_at(keeping, i), keeping->standings[i].state))
            return job_changed(error, "a hold of the message changed while it was decided");
    }
    return TRUE;
}

/* ---------------------------------------------------------------- a new hold */
static gboolean is_new_in_hold(const struct keeping *keeping, guint i)
{
    return recipient_at(keeping, i)->fate == FATE_HELD && keeping->standings[i].state == PAST_NOTHING;
}

static gboolean is_new_in_copy(const struct keeping *keeping, guint i)
{
    return recipient_at(keeping, i)->fate == FATE_KEPT && keeping->standings[i].kept == 0;
}

/* Canonical addresses of From, blanks between: none of them may vote. */
static char *authors_of(const struct facts *facts)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; facts != NULL && i < facts->mailbox_count; i++) {
        const struct fact_mailbox *mailbox = &facts->mailboxes[i];
        g_autoptr(address) address = mailbox->field == MAILBOX_FROM ? inputs_mailbox(mailbox) : NULL;
        if (address != NULL && text->len < LIMIT_AUTHORS_BYTES)
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", address->canonical);
    }
    return g_string_free(text, FALSE);
}

static gboolean insert_hold(struct keeping *keeping, struct database *database, enum hold_kind kind,
                            gint64 content, GError **error)
{
    static const char sql[] =
        "INSERT INTO hold (id, kind, at_ms, reference, queue_id, class, login, sender, zone, person,"
        " owner_address, authors, size, digest, about, content, record, display, label, system_high, "
        "courtesy,"
        " generation, snapshot_hash, closed_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
        "?13,"
        " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, nullif(?24, 0))";
    const struct inputs *inputs = keeping->inputs;
    const struct decision *decision = keeping->decision;
    const struct person *person = decision->sender.class == SENDER_PERSON ? decision->sender.person : NULL;
    const char *owner =
        person != NULL && person->addresses->len > 0 ? g_ptr_array_index(person->addresses, 0) : NULL;
    g_autofree char *authors = authors_of(inputs->facts);
    g_autofree char *label = decision->label != NULL ? label_set_record(decision->label->effective) : NULL;

    if (!database_run(database, error, sql,
                      "tiitt"
                      "itttt"
                      "ttibb"
                      "ibtti"
                      "iiti",
                      keeping->hold_id, (gint64)kind, keeping->now_ms, decision->reference,
                      inputs->envelope->queue_id, (gint64)decision->sender.class, inputs->session->login,
                      inputs->envelope->sender->canonical, keeping->journal->zone,
                      person != NULL ? person->id : NULL, owner, authors, (gint64)keeping->message->length,
                      keeping->message->digest, (gsize)32, keeping->about, (gsize)IDENTITY_BYTES, content,
                      keeping->record->data, (gsize)keeping->record->len, keeping->journal->label, label,
                      (gint64)(decision->system_high || label == NULL),
                      (gint64)!facts_are_of_programs(inputs->facts), (gint64)inputs->snapshot->generation,
                      inputs->snapshot->hash, kind == KIND_HOLD ? (gint64)0 : keeping->now_ms))
        return FALSE;
    keeping->hold = database_last_number(database);
    return TRUE;
}

static gboolean insert_recipient(struct keeping *keeping, struct database *database, guint i,
                                 enum hold_state state, GError **error)
{
    static const char sql[] = "INSERT INTO hold_recipient (hold, position, canonical, key, state, changed_ms,"
                              " leading, reasons) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    const struct decided_recipient *recipient = recipient_at(keeping, i);
    const char *leading = recipient->leading != NULL ? reason_name(recipient->leading->id) : "";
    g_autoptr(GByteArray) reasons = record_reasons(recipient->reasons);

    return database_run(database, error, sql,
                        "iitbi"
                        "itb",
                        keeping->hold, (gint64)i, recipient->first->address->canonical, keeping->keys[i],
                        (gsize)IDENTITY_BYTES, (gint64)state, keeping->now_ms, leading,
                        reasons->len > 0 ? (gconstpointer)reasons->data : "", (gsize)reasons->len);
}

/* Until more than one slip is known, a hold waits in the first of its queues. */
static gboolean insert_slip(struct keeping *keeping, struct database *database, const char *name,
                            GError **error)
{
    static const char sql[] = "INSERT INTO slip (hold, queue, deadline_ms) VALUES (?1, ?2, ?3)";
    const struct conf *conf = keeping->inputs->snapshot->conf;
    const struct queue *queue = conf != NULL ? queues_find(conf->queues, name) : NULL;
    gint64 deadline_ms = queue != NULL ? queue->deadline_ms : DEFAULT_DEADLINE_MS;

    return database_run(database, error, sql, "iti", keeping->hold, name, keeping->now_ms + deadline_ms);
}

static const char *queue_of(const struct decided_recipient *recipient)
{
    return recipient->queue != NULL ? recipient->queue : "";
}

/* kind HOLD: of those that are held and stand nowhere yet; REFUSED: the copy of a refusal of the local
 * socket. */
static gboolean make(struct keeping *keeping, struct database *database, enum hold_kind kind, GError **error)
{
    gboolean (*is_in)(const struct keeping *, guint) = kind == KIND_HOLD ? is_new_in_hold : is_new_in_copy;
    enum hold_state state = kind == KIND_HOLD ? HOLD_HELD : HOLD_REFUSED;
    guint count = keeping->decision->recipients->len, first = 0;

    while (first < count && !is_in(keeping, first))
        first++;
    if (first == count)
        return TRUE;
    if (keeping->record == NULL) /* it was decided over a hold that is over now */
        return job_changed(error, "a hold of the message changed while it was decided");
    gint64 content = keeping_content(keeping, database, error);
    if (content == 0 || !insert_hold(keeping, database, kind, content, error))
        return FALSE;
    for (guint i = first; i < count; i++)
        if (is_in(keeping, i) && !insert_recipient(keeping, database, i, state, error))
            return FALSE;
    return kind != KIND_HOLD || insert_slip(keeping, database, queue_of(recipient_at(keeping, first)), error);
}

/* ---------------------------------------------------------------- older holds */
/* How the open hold of a recipient ends by what is done now; HELD: it does not. */
static enum hold_state end_of(const struct decided_recipient *recipient)
{
    switch (recipient->fate) {
    case FATE_STAYS:
        return HOLD_RELEASED;
    case FATE_REFUSED:
    case FATE_KEPT: /* not when the message is refused because of somebody else */
        return recipient->verdict == VERDICT_REFUSE ? HOLD_REFUSED : HOLD_HELD;
    case FATE_HELD:
    case FATE_DEFERRED:
    case FATE_SETTLED:
        break;
    }
    return HOLD_HELD;
}

static gboolean audit_end(struct keeping *keeping, struct database *database, gint64 hold, guint i,
                          enum hold_state state, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, "SELECT id FROM hold WHERE number = ?1", "i", hold);
    g_autofree char *detail =
        g_strdup_printf("%s <%s> %s", hold_state_name(state),
                        recipient_at(keeping, i)->first->address->canonical, keeping->decision->reference);
    struct audit_entry entry = {.event = "later-attempt", .who = "", .detail = detail};

    entry.object = rows_next(rows, NULL) == ROWS_ROW ? rows_text(rows, 0) : NULL;
    return job_audit(keeping->store, database, &entry, error);
}

static gboolean end_older(struct keeping *keeping, struct database *database, guint i, enum hold_state state,
                          GError **error)
{
    static const char sql[] = "UPDATE hold_recipient SET state = ?3, via_later = 1, changed_ms = ?4,"
                              " queue_id = ?5 WHERE hold = ?1 AND key = ?2 AND state = 0";
    const char *queue_id = keeping->inputs->envelope->queue_id;
    gint64 hold = keeping->standings[i].hold;

    return database_run(database, error, sql, "ibiit", hold, keeping->keys[i], (gsize)IDENTITY_BYTES,
                        (gint64)state, keeping->now_ms,
                        state == HOLD_REFUSED ? NULL
                        : queue_id != NULL    ? queue_id
                                              : "later attempt") &&
           database_run(database, error, "UPDATE slip SET version = version + 1 WHERE hold = ?1", "i",
                        hold) &&
           job_hold_moved(database, hold, state, error) &&
           audit_end(keeping, database, hold, i, state, error);
}

/* Once for each hold that the message meets, however many of its recipients are in it. */
static gboolean see_again(struct keeping *keeping, struct database *database, GHashTable *seen, gint64 hold,
                          GError **error)
{
    static const char sql[] = "UPDATE hold SET seen_again = seen_again + 1 WHERE number = ?1";

    if (hold == 0 || g_hash_table_contains(seen, &hold))
        return TRUE;
    g_hash_table_add(seen, g_memdup2(&hold, sizeof hold));
    return database_run(database, error, sql, "i", hold);
}

static gboolean meet_older(struct keeping *keeping, struct database *database, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < keeping->decision->recipients->len; i++) {
        const struct decided_recipient *recipient = recipient_at(keeping, i);
        const struct standing *standing = &keeping->standings[i];
        enum hold_state end = standing->state == PAST_HELD ? end_of(recipient) : HOLD_HELD;
        if (end != HOLD_HELD) {
            if (!end_older(keeping, database, i, end, error))
                return FALSE;
        } else if (recipient->fate == FATE_HELD || recipient->fate == FATE_SETTLED) {
            if (!see_again(keeping, database, seen, standing->hold, error))
                return FALSE;
        }
        if (recipient->fate == FATE_KEPT && !see_again(keeping, database, seen, standing->kept, error))
            return FALSE;
        if (keeping->journal->hold == 0 && recipient->fate == FATE_HELD)
            keeping->journal->hold = standing->hold;
    }
    return TRUE;
}

gboolean keep_holds(struct keeping *keeping, struct database *database, GError **error)
{
    if (!job_step("keep.holds", error) || !look(keeping, database, error) ||
        !make(keeping, database, KIND_HOLD, error) ||
        (keeping->hold == 0 && !make(keeping, database, KIND_REFUSED, error)))
        return FALSE;
    if (keeping->hold != 0)
        keeping->journal->hold = keeping->hold;
    return meet_older(keeping, database, error);
}
