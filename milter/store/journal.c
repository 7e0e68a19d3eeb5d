#include "milter/store/journal.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/job.h"
#include "milter/store/limits.h"

static void recipient_clear(gpointer data)
{
    g_free(((struct journal_recipient *)data)->canonical);
}

void journal_entry_free(struct journal_entry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->reference);
    g_free(entry->queue_id);
    g_free(entry->message_id);
    g_free(entry->sender);
    g_free(entry->zone);
    g_free(entry->label);
    g_free(entry->snapshot_hash);
    g_array_unref(entry->recipients);
    g_free(entry);
}

/* ---------------------------------------------------------------- making */
char *journal_message_id(const struct facts *facts)
{
    guint at = 0;
    const struct fact_field *field = facts != NULL ? facts_field(facts, "Message-ID", &at) : NULL;

    if (field == NULL)
        return NULL;
    g_autofree char *text =
        g_strstrip(g_strndup(field->raw.data, MIN(field->raw.length, LIMIT_MESSAGE_ID_BYTES)));
    gsize length = strlen(text);
    gboolean in_brackets = length > 2 && text[0] == '<' && text[length - 1] == '>';
    char *id = g_utf8_make_valid(text + in_brackets, (gssize)(length - 2 * (gsize)in_brackets));
    if (*id == '\0')
        g_clear_pointer(&id, g_free);
    return id;
}

static gboolean is_new(const struct decided_recipient *recipient)
{
    switch (recipient->fate) {
    case FATE_SETTLED:
        return FALSE;
    case FATE_HELD:
        return recipient->past->state != PAST_HELD;
    case FATE_STAYS:
    case FATE_REFUSED:
    case FATE_DEFERRED:
    case FATE_KEPT:
        break;
    }
    return TRUE;
}

static void add_recipient(struct journal_entry *entry, const struct decided_recipient *recipient)
{
    struct journal_recipient row = {.canonical = g_strdup(recipient->first->address->canonical),
                                    .verdict = recipient->verdict,
                                    .fate = recipient->fate};

    if (recipient->leading != NULL)
        row.reason = reason_name(recipient->leading->id);
    if (recipient->fate == FATE_HELD && entry->hold == 0)
        entry->hold = recipient->past->hold;
    entry->is_again &= !is_new(recipient);
    g_array_append_val(entry->recipients, row);
}

struct journal_entry *journal_entry_new(const struct store_message *message,
                                        const guint8 about[IDENTITY_BYTES])
{
    const struct inputs *inputs = message->inputs;
    const struct decision *decision = message->decision;
    const struct label *display = decision->label != NULL ? decision->label->display : NULL;
    struct journal_entry *entry = g_new0(struct journal_entry, 1);

    entry->at_ms = clock_wall_ms();
    entry->reference = g_strdup(decision->reference);
    entry->queue_id = g_strdup(inputs->envelope->queue_id);
    entry->message_id = journal_message_id(inputs->facts);
    entry->sender = g_strdup(inputs->envelope->sender->canonical);
    entry->class = decision->sender.class;
    entry->zone = g_strdup(decision->sender.zone != NULL ? decision->sender.zone->name : "");
    entry->label = display != NULL ? label_format(display) : NULL;
    entry->act = decision->act;
    entry->generation = inputs->snapshot->generation;
    entry->snapshot_hash = g_strdup(inputs->snapshot->hash);
    memcpy(entry->about, about, IDENTITY_BYTES);
    entry->is_again = decision->recipients->len > 0;
    entry->recipients = g_array_new(FALSE, FALSE, sizeof(struct journal_recipient));
    g_array_set_clear_func(entry->recipients, recipient_clear);
    for (guint i = 0; i < decision->recipients->len; i++)
        add_recipient(entry, g_ptr_array_index(decision->recipients, i));
    return entry;
}

/* ---------------------------------------------------------------- writing */
static gboolean write_recipients(struct database *database, const struct journal_entry *entry, gint64 number,
                                 GError **error)
{
    static const char sql[] =
        "INSERT INTO journal_recipient (journal, position, canonical, verdict, fate, reason)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

    for (guint i = 0; i < entry->recipients->len; i++) {
        const struct journal_recipient *row = &g_array_index(entry->recipients, struct journal_recipient, i);
        if (!database_run(database, error, sql, "iitiit", number, (gint64)i, row->canonical,
                          (gint64)row->verdict, (gint64)row->fate, row->reason))
            return FALSE;
    }
    return TRUE;
}

static gboolean insert(struct database *database, const struct journal_entry *entry, GError **error)
{
    static const char sql[] =
        "INSERT INTO journal (at_ms, reference, queue_id, message_id, sender, class, zone, label, act, hold,"
        " generation, snapshot_hash, about, last_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, nullif(?10, 0), ?11, ?12, ?13, ?1)";

    return database_run(database, error, sql,
                        "itttt"
                        "itti"
                        "iitb",
                        entry->at_ms, entry->reference, entry->queue_id, entry->message_id, entry->sender,
                        (gint64)entry->class, entry->zone, entry->label, (gint64)entry->act, entry->hold,
                        (gint64)entry->generation, entry->snapshot_hash, entry->about,
                        (gsize)IDENTITY_BYTES) &&
           write_recipients(database, entry, database_last_number(database), error);
}

/* The first deferral keeps its row, all others share the one that says how it stands now. */
static gboolean write_deferral(struct database *database, const struct journal_entry *entry, gboolean *first,
                               GError **error)
{
    static const char known[] = "SELECT number FROM journal WHERE about = ?1 AND act <> 0 AND act = 3"
                                " ORDER BY number DESC LIMIT 2";
    static const char renew[] = "UPDATE journal SET reference = ?2, queue_id = ?3, last_ms = ?4,"
                                " count = count + 1, generation = ?5, snapshot_hash = ?6 WHERE number = ?1";
    gint64 numbers[2] = {0, 0};
    guint count = 0;
    enum rows_answer answer;

    struct rows *rows = rows_begin(database, known, "b", entry->about, (gsize)IDENTITY_BYTES);
    while ((answer = rows_next(rows, error)) == ROWS_ROW && count < 2)
        numbers[count++] = rows_integer(rows, 0);
    rows_end(rows);
    if (answer == ROWS_FAILED)
        return FALSE;
    if (first != NULL)
        *first = count == 0;
    if (count < 2)
        return insert(database, entry, error);
    return database_run(database, error, renew, "ittiit", numbers[0], entry->reference, entry->queue_id,
                        entry->at_ms, (gint64)entry->generation, entry->snapshot_hash) &&
           database_run(database, error, "DELETE FROM journal_recipient WHERE journal = ?1", "i",
                        numbers[0]) &&
           write_recipients(database, entry, numbers[0], error);
}

/* One more time what the row of its hold says already. */
static gboolean count_again(struct database *database, const struct journal_entry *entry, gboolean *counted,
                            GError **error)
{
    static const char sql[] =
        "UPDATE journal SET count = count + 1, last_ms = ?2 WHERE number ="
        " (SELECT max(number) FROM journal WHERE about = ?1 AND act <> 0 AND hold IS NOT NULL)";

    if (!database_run(database, error, sql, "bi", entry->about, (gsize)IDENTITY_BYTES, entry->at_ms))
        return FALSE;
    *counted = database_changes(database) > 0;
    return TRUE;
}

gboolean journal_write(struct database *database, const struct journal_entry *entry, gboolean *first,
                       GError **error)
{
    gboolean counted = FALSE;

    if (first != NULL)
        *first = FALSE;
    if (!job_step("journal.write", error))
        return FALSE;
    if (entry->act == ACT_DEFER)
        return write_deferral(database, entry, first, error);
    if (entry->is_again && !count_again(database, entry, &counted, error))
        return FALSE;
    return counted || insert(database, entry, error);
}
