#include "milter/store/hold_load.h"

#include "milter/store/record.h"
#include "policy/label/label_record.h"

const char *hold_state_name(enum hold_state state)
{
    static const char *const names[] = {[HOLD_HELD] = "held",
                                        [HOLD_RELEASING] = "releasing",
                                        [HOLD_RELEASED] = "released",
                                        [HOLD_REFUSED] = "refused",
                                        [HOLD_EXPIRED] = "expired"};

    return names[state];
}

/* ---------------------------------------------------------------- owners */
static void recipient_free(struct hold_recipient *recipient)
{
    g_free(recipient->canonical);
    g_free(recipient->queue_id);
    g_free(recipient->leading);
    g_ptr_array_unref(recipient->reasons);
    g_free(recipient);
}

static void vote_free(struct hold_vote *vote)
{
    g_free(vote->person);
    g_free(vote->what);
    g_free(vote->label);
    g_free(vote->note);
    g_free(vote);
}

void hold_free(struct hold *hold)
{
    if (hold == NULL)
        return;
    char *texts[] = {hold->id,         hold->reference,     hold->queue_id,   hold->login,
                     hold->sender,     hold->zone,          hold->person,     hold->authors,
                     hold->display,    hold->owner_address, hold->label_text, hold->snapshot_hash,
                     hold->slip.queue, hold->slip.trouble};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    label_set_free(hold->label);
    g_ptr_array_unref(hold->recipients);
    g_ptr_array_unref(hold->votes);
    g_free(hold);
}

/* ---------------------------------------------------------------- numbers */
GArray *numbers_read(struct rows *rows, GError **error)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW) {
        gint64 number = rows_integer(rows, 0);
        g_array_append_val(numbers, number);
    }
    return answer == ROWS_END ? g_steal_pointer(&numbers) : NULL;
}

char *numbers_json(const GArray *numbers)
{
    GString *text = g_string_new("[");

    for (guint i = 0; i < numbers->len; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "",
                               g_array_index(numbers, gint64, i));
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

/* ---------------------------------------------------------------- rows */
struct label_set *label_of_row(const struct schemes *schemes, const char *text, gboolean system_high)
{
    return system_high ? NULL : label_set_recall(schemes, text);
}

static const char hold_sql[] =
    "SELECT hold.number, hold.id, kind, at_ms, reference, queue_id, class, login, sender, zone, person, "
    "owner_address,"
    " authors, size, display, label, system_high, courtesy, answered, seen_again, generation, snapshot_hash,"
    " slip.number, version, queue, approved_ms, failing, trouble, deadline_ms, next_try_ms, passed_us"
    " FROM json_each(?1) CROSS JOIN hold ON hold.number = json_each.value"
    " LEFT JOIN slip ON slip.hold = hold.number ORDER BY hold.number";

static void read_slip(struct slip *slip, struct rows *rows)
{
    slip->number = rows_integer(rows, 22);
    slip->version = (guint)rows_integer(rows, 23);
    slip->queue = g_strdup(rows_text(rows, 24));
    slip->approved_ms = rows_integer(rows, 25);
    slip->approved = slip->approved_ms != 0;
    slip->failing = rows_integer(rows, 26) != 0;
    slip->trouble = g_strdup(rows_text(rows, 27));
    slip->deadline_ms = rows_integer(rows, 28);
    slip->next_try_ms = rows_integer(rows, 29);
    slip->passed = rows_integer(rows, 30) != 0;
}

static struct hold *read_hold(const struct schemes *schemes, struct rows *rows)
{
    struct hold *hold = g_new0(struct hold, 1);
    char **texts[] = {
        [1] = &hold->id,       [4] = &hold->reference, [5] = &hold->queue_id,    [7] = &hold->login,
        [8] = &hold->sender,   [9] = &hold->zone,      [10] = &hold->person,     [11] = &hold->owner_address,
        [12] = &hold->authors, [14] = &hold->display,  [15] = &hold->label_text, [21] = &hold->snapshot_hash};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i] != NULL)
            *texts[i] = g_strdup(rows_text(rows, (int)i));
    hold->number = rows_integer(rows, 0);
    hold->kind = rows_integer(rows, 2) == KIND_HOLD ? KIND_HOLD : KIND_REFUSED;
    hold->at_ms = rows_integer(rows, 3);
    hold->class = (enum sender_class)CLAMP(rows_integer(rows, 6), SENDER_PERSON, SENDER_OUTSIDE);
    hold->size = (guint64)rows_integer(rows, 13);
    hold->label = label_of_row(schemes, hold->label_text, rows_integer(rows, 16) != 0);
    hold->courtesy = rows_integer(rows, 17) != 0;
    hold->answered = rows_integer(rows, 18) != 0;
    hold->seen_again = (guint)rows_integer(rows, 19);
    hold->generation = (guint)rows_integer(rows, 20);
    read_slip(&hold->slip, rows);
    hold->state = HOLD_EXPIRED;
    hold->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)recipient_free);
    hold->votes = g_ptr_array_new_with_free_func((GDestroyNotify)vote_free);
    return hold;
}

static const char recipient_sql[] =
    "SELECT hold, canonical, state, via_later, changed_ms, queue_id, leading, reasons"
    " FROM json_each(?1) CROSS JOIN hold_recipient ON hold = json_each.value ORDER BY hold, position";

static void add_recipient(struct hold *hold, struct rows *rows)
{
    struct hold_recipient *recipient = g_new0(struct hold_recipient, 1);
    gsize length = 0;
    const void *reasons = rows_octets(rows, 7, &length);

    recipient->reasons = record_reasons_read(reasons, length);
    recipient->canonical = g_strdup(rows_text(rows, 1));
    recipient->state = (enum hold_state)CLAMP(rows_integer(rows, 2), HOLD_HELD, HOLD_EXPIRED);
    recipient->via_later = rows_integer(rows, 3) != 0;
    recipient->changed_ms = rows_integer(rows, 4);
    recipient->queue_id = g_strdup(rows_text(rows, 5));
    recipient->leading = g_strdup(rows_text(rows, 6));
    hold->state = MIN(hold->state, recipient->state);
    g_ptr_array_add(hold->recipients, recipient);
}

static const char vote_sql[] =
    "SELECT hold, at_ms, person, what, label, note"
    " FROM json_each(?1) CROSS JOIN vote ON hold = json_each.value ORDER BY hold, vote.number";

static void add_vote(struct hold *hold, struct rows *rows)
{
    struct hold_vote *vote = g_new0(struct hold_vote, 1);

    vote->at_ms = rows_integer(rows, 1);
    vote->person = g_strdup(rows_text(rows, 2));
    vote->what = g_strdup(rows_text(rows, 3));
    vote->label = g_strdup(rows_text(rows, 4));
    vote->note = g_strdup(rows_text(rows, 5));
    g_ptr_array_add(hold->votes, vote);
}

/* ---------------------------------------------------------------- together */
/* Each row's first column is a hold's number; rows and holds are in its order. */
static gboolean add_rows(struct rows *taken, GPtrArray *holds, void (*add)(struct hold *, struct rows *),
                         GError **error)
{
    g_autoptr(rows) rows = taken;
    enum rows_answer answer;
    guint at = 0;

    while ((answer = rows_next(rows, error)) == ROWS_ROW) {
        gint64 number = rows_integer(rows, 0);
        while (at < holds->len && ((struct hold *)g_ptr_array_index(holds, at))->number < number)
            at++;
        if (at < holds->len && ((struct hold *)g_ptr_array_index(holds, at))->number == number)
            add(g_ptr_array_index(holds, at), rows);
    }
    return answer == ROWS_END;
}

GPtrArray *holds_load(struct database *database, const struct schemes *schemes, const GArray *numbers,
                      GError **error)
{
    g_autofree char *json = numbers_json(numbers);
    g_autoptr(GPtrArray) holds = g_ptr_array_new_with_free_func((GDestroyNotify)hold_free);
    enum rows_answer answer;

    struct rows *rows = rows_begin(database, hold_sql, "t", json);
    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        g_ptr_array_add(holds, read_hold(schemes, rows));
    rows_end(rows);
    if (answer != ROWS_END ||
        !add_rows(rows_begin(database, recipient_sql, "t", json), holds, add_recipient, error) ||
        !add_rows(rows_begin(database, vote_sql, "t", json), holds, add_vote, error))
        return NULL;
    return g_steal_pointer(&holds);
}
