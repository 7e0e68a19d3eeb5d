#include "milter/store/trace.h"

#include <string.h>

#include "milter/store/hold_load.h"

static void recipient_free(struct trace_recipient *recipient)
{
    g_free(recipient->canonical);
    g_free(recipient->verdict);
    g_free(recipient->reason);
    g_free(recipient->queue_id);
    g_free(recipient);
}

void trace_line_free(struct trace_line *line)
{
    if (line == NULL)
        return;
    char *texts[] = {line->reference, line->queue_id, line->message_id, line->sender, line->class,
                     line->zone,      line->label,    line->act,        line->hold};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_ptr_array_unref(line->recipients);
    g_free(line);
}

/* ---------------------------------------------------------------- which */
#define NEWEST " ORDER BY number DESC LIMIT ?5)"

/* ?1 as asked, ?2 as a reference, ?3 as a Message-ID, ?4 as an address; each question has an index that is in
 * order of the rows, so that a busy address costs no more than the limit. */
static const char which_sql[] =
    "SELECT number FROM ("
    " SELECT * FROM (SELECT number FROM journal WHERE reference = ?2" NEWEST
    " UNION SELECT * FROM (SELECT number FROM journal WHERE queue_id = ?1" NEWEST
    " UNION SELECT * FROM (SELECT number FROM journal WHERE message_id = ?3" NEWEST
    " UNION SELECT * FROM (SELECT number FROM journal WHERE sender = ?4" NEWEST
    " UNION SELECT * FROM (SELECT journal AS number FROM journal_recipient WHERE canonical = ?4" NEWEST
    " UNION SELECT * FROM (SELECT number FROM journal WHERE hold IN"
    " (SELECT number FROM hold WHERE length(?1) >= 4 AND id >= ?1 AND id < ?1 || '~'"
    " UNION SELECT hold FROM hold_recipient WHERE queue_id = ?1"
    " UNION SELECT hold FROM attempt WHERE state < 3 AND queue_id = ?1)" NEWEST
    ") ORDER BY number DESC LIMIT ?5";

static GArray *numbers_of(struct database *database, const char *what, guint limit, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(what, -1);
    const char *tail = g_str_has_prefix(lower, "miji-") ? lower + 5 : lower;
    g_autofree char *reference = g_strconcat("MIJI-", tail, NULL);
    gsize length = strlen(what);
    gboolean in_brackets = length > 2 && what[0] == '<' && what[length - 1] == '>';
    g_autofree char *id = g_strndup(what + in_brackets, length - 2 * (gsize)in_brackets);
    g_autoptr(address) address = address_parse(what);
    const char *canonical = address->form == ADDRESS_NULL ? "\n" : address->canonical;
    g_autoptr(rows) rows =
        rows_begin(database, which_sql, "tttti", what, reference, id, canonical, (gint64)limit);

    return numbers_read(rows, error);
}

/* ---------------------------------------------------------------- lines */
static const char line_sql[] =
    "SELECT journal.number, journal.at_ms, journal.reference, journal.queue_id, message_id, journal.sender,"
    " journal.class, journal.zone, journal.label, act, hold.id, count FROM json_each(?1)"
    " CROSS JOIN journal ON journal.number = json_each.value LEFT JOIN hold ON hold.number = journal.hold"
    " ORDER BY journal.number";

static struct trace_line *read_line(struct rows *rows)
{
    struct trace_line *line = g_new0(struct trace_line, 1);

    line->at_ms = rows_integer(rows, 1);
    line->reference = g_strdup(rows_text(rows, 2));
    line->queue_id = g_strdup(rows_text(rows, 3));
    line->message_id = g_strdup(rows_text(rows, 4));
    line->sender = g_strdup(rows_text(rows, 5));
    line->class = g_strdup(
        sender_class_name((enum sender_class)CLAMP(rows_integer(rows, 6), SENDER_PERSON, SENDER_OUTSIDE)));
    line->zone = g_strdup(rows_text(rows, 7));
    line->label = g_strdup(rows_text(rows, 8));
    line->act = g_strdup(act_name((enum act)CLAMP(rows_integer(rows, 9), ACT_ACCEPT, ACT_DEFER)));
    line->hold = g_strdup(rows_text(rows, 10));
    line->count = (guint)rows_integer(rows, 11);
    line->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)recipient_free);
    return line;
}

/* ---------------------------------------------------------------- recipients */
/* A message may have had several holds, one after the other: the newest is the last row of its recipient. */
static const char recipient_sql[] =
    "SELECT journal, journal_recipient.position, journal_recipient.canonical, fate, reason, state,"
    " hold_recipient.queue_id, hold_recipient.changed_ms FROM json_each(?1)"
    " CROSS JOIN journal ON journal.number = json_each.value"
    " CROSS JOIN journal_recipient ON journal_recipient.journal = journal.number"
    " LEFT JOIN hold ON hold.about = journal.about AND hold.kind = 0"
    " LEFT JOIN hold_recipient ON hold_recipient.hold = hold.number"
    " AND hold_recipient.canonical = journal_recipient.canonical"
    " ORDER BY journal, journal_recipient.position, hold.number";

static const char *verdict_of(enum fate fate)
{
    switch (fate) {
    case FATE_STAYS:
        return "deliver";
    case FATE_HELD:
        return "hold";
    case FATE_REFUSED:
    case FATE_KEPT:
        return "refuse";
    case FATE_DEFERRED:
        return "defer";
    case FATE_SETTLED:
        break;
    }
    return "settled";
}

static void read_recipient(struct trace_recipient *recipient, struct rows *rows)
{
    enum fate fate = (enum fate)CLAMP(rows_integer(rows, 3), FATE_STAYS, FATE_KEPT);
    gboolean is_in_hold = (fate == FATE_HELD || fate == FATE_SETTLED) && rows_integer(rows, 7) != 0;

    if (recipient->canonical == NULL) {
        recipient->canonical = g_strdup(rows_text(rows, 2));
        recipient->reason = g_strdup(rows_text(rows, 4));
        recipient->verdict = g_strdup(verdict_of(fate));
    }
    if (!is_in_hold)
        return;
    g_free(recipient->verdict);
    g_free(recipient->queue_id);
    recipient->verdict =
        g_strdup(hold_state_name((enum hold_state)CLAMP(rows_integer(rows, 5), HOLD_HELD, HOLD_EXPIRED)));
    recipient->queue_id = g_strdup(rows_text(rows, 6));
    recipient->changed_ms = rows_integer(rows, 7);
}

/* Rows of one position of one line are one recipient. */
static gboolean add_recipients(struct database *database, const char *json, const GArray *numbers,
                               GPtrArray *lines, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, recipient_sql, "t", json);
    gint64 position = -1;
    enum rows_answer answer;
    guint at = 0;

    while ((answer = rows_next(rows, error)) == ROWS_ROW) {
        gint64 number = rows_integer(rows, 0);
        guint before = at;
        while (at < lines->len && g_array_index(numbers, gint64, at) < number)
            at++;
        if (at == lines->len)
            break;
        GPtrArray *recipients = ((struct trace_line *)g_ptr_array_index(lines, at))->recipients;
        if (at != before || recipients->len == 0 || position != rows_integer(rows, 1))
            g_ptr_array_add(recipients, g_new0(struct trace_recipient, 1));
        position = rows_integer(rows, 1);
        read_recipient(g_ptr_array_index(recipients, recipients->len - 1), rows);
    }
    return answer != ROWS_FAILED;
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return x < y ? -1 : x > y;
}

static GPtrArray *read_lines(struct database *database, const char *what, guint limit, GError **error)
{
    g_autoptr(GArray) numbers = numbers_of(database, what, limit, error);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func((GDestroyNotify)trace_line_free);
    enum rows_answer answer;

    if (numbers == NULL)
        return NULL;
    g_array_sort(numbers, compare_numbers);
    g_autofree char *json = numbers_json(numbers);
    struct rows *rows = rows_begin(database, line_sql, "t", json);
    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        g_ptr_array_add(lines, read_line(rows));
    rows_end(rows);
    if (answer != ROWS_END || !add_recipients(database, json, numbers, lines, error))
        return NULL;
    return g_steal_pointer(&lines);
}

GPtrArray *store_trace(struct store *store, const char *what, guint limit, GError **error)
{
    writer_flush(store->writer);
    struct database *database = store_read_begin(store);
    database_script(database, "BEGIN", NULL);
    GPtrArray *lines = read_lines(database, what, limit, error);
    database_script(database, "COMMIT", NULL);
    store_read_end(store);
    return lines;
}
