#include "milter/store/archive.h"

#include <string.h>

#include "milter/store/content.h"
#include "milter/store/hold_load.h"
#include "milter/store/record.h"

#define NAME_LEAST_CHARACTERS 4
#define UNREADABLE "?" /* a sender whose record is damaged */

void archive_copy_free(struct archive_copy *copy)
{
    if (copy == NULL)
        return;
    g_free(copy->id);
    g_free(copy->archive);
    g_free(copy->reference);
    g_free(copy->display);
    g_free(copy->label_text);
    label_set_free(copy->label);
    g_free(copy->sender);
    g_ptr_array_unref(copy->recipients);
    g_free(copy->outcome);
    g_free(copy);
}

/* ---------------------------------------------------------------- rows */
static const char copy_sql[] =
    "SELECT number, archive_copy.id, archive, at_ms, keep_until_ms, reference, display, label, system_high, "
    "size"
    " FROM json_each(?1) CROSS JOIN archive_copy ON archive_copy.number = json_each.value ORDER BY number";

static struct archive_copy *read_copy(const struct schemes *schemes, struct rows *rows)
{
    struct archive_copy *copy = g_new0(struct archive_copy, 1);

    copy->number = rows_integer(rows, 0);
    copy->id = g_strdup(rows_text(rows, 1));
    copy->archive = g_strdup(rows_text(rows, 2));
    copy->at_ms = rows_integer(rows, 3);
    copy->keep_until_ms = rows_integer(rows, 4);
    copy->reference = g_strdup(rows_text(rows, 5));
    copy->display = g_strdup(rows_text(rows, 6));
    copy->label_text = g_strdup(rows_text(rows, 7));
    copy->label = label_of_row(schemes, copy->label_text, rows_integer(rows, 8) != 0);
    copy->size = (guint64)rows_integer(rows, 9);
    copy->recipients = g_ptr_array_new_with_free_func(g_free);
    return copy;
}

/* A sealed envelope, until the lock is given back. */
struct envelope_row {
    gint64 copy;
    char *outcome;
    guint8 *sealed;
    gsize length;
};

static void envelope_row_clear(gpointer data)
{
    struct envelope_row *row = data;

    g_free(row->outcome);
    g_free(row->sealed);
}

static const char envelope_sql[] =
    "SELECT copy, outcome, record FROM json_each(?1) CROSS JOIN archive_envelope"
    " ON archive_envelope.copy = json_each.value ORDER BY copy, at_ms";

static GArray *read_envelopes(struct database *database, const char *json, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, envelope_sql, "t", json);
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct envelope_row));
    enum rows_answer answer;

    g_array_set_clear_func(list, envelope_row_clear);
    while ((answer = rows_next(rows, error)) == ROWS_ROW) {
        struct envelope_row row = {.copy = rows_integer(rows, 0), .outcome = g_strdup(rows_text(rows, 1))};
        const void *sealed = rows_octets(rows, 2, &row.length);
        row.sealed = g_memdup2(sealed, row.length);
        g_array_append_val(list, row);
    }
    return answer == ROWS_END ? g_steal_pointer(&list) : NULL;
}

/* ---------------------------------------------------------------- envelopes */
static void add_recipient(struct archive_copy *copy, const char *canonical)
{
    for (guint i = 0; i < copy->recipients->len; i++)
        if (strcmp(g_ptr_array_index(copy->recipients, i), canonical) == 0)
            return;
    g_ptr_array_add(copy->recipients, g_strdup(canonical));
}

/* The last outcome is how it stands. A record that is damaged hides neither the copy nor the others. */
static void join(struct store *store, struct archive_copy *copy, const struct envelope_row *row)
{
    gsize length = 0;
    g_autofree guint8 *octets = seal_record_open(store->keys, row->sealed, row->length, &length, NULL);
    g_autoptr(recorded) recorded = octets != NULL ? record_read(octets, length, NULL) : NULL;
    const char *sender = recorded != NULL ? recorded->envelope->sender->canonical : UNREADABLE;

    if (copy->sender == NULL || strcmp(copy->sender, UNREADABLE) == 0) {
        g_free(copy->sender);
        copy->sender = g_strdup(sender);
    }
    for (guint i = 0; recorded != NULL && i < recorded->envelope->recipients->len; i++) {
        const struct envelope_recipient *recipient = g_ptr_array_index(recorded->envelope->recipients, i);
        add_recipient(copy, recipient->address->canonical);
    }
    g_free(copy->outcome);
    copy->outcome = g_strdup(row->outcome);
}

/* Both lists are in order of the copies' numbers. */
static void join_all(struct store *store, GPtrArray *copies, const GArray *envelopes)
{
    guint at = 0;

    for (guint i = 0; i < envelopes->len; i++) {
        const struct envelope_row *row = &g_array_index(envelopes, struct envelope_row, i);
        while (at < copies->len && ((struct archive_copy *)g_ptr_array_index(copies, at))->number < row->copy)
            at++;
        if (at == copies->len)
            break;
        if (((struct archive_copy *)g_ptr_array_index(copies, at))->number == row->copy)
            join(store, g_ptr_array_index(copies, at), row);
    }
}

/* The copies whose numbers a question gives; ends its rows and the reading. */
static GPtrArray *load(struct store *store, struct database *database, const struct schemes *schemes,
                       struct rows *taken, GError **error)
{
    g_autoptr(GArray) numbers = numbers_read(taken, error);
    g_autofree char *json = numbers != NULL ? numbers_json(numbers) : g_strdup("[]");
    g_autoptr(GPtrArray) copies = g_ptr_array_new_with_free_func((GDestroyNotify)archive_copy_free);
    g_autoptr(GArray) envelopes = NULL;
    enum rows_answer answer = ROWS_FAILED;

    rows_end(taken);
    if (numbers != NULL) {
        struct rows *rows = rows_begin(database, copy_sql, "t", json);
        while ((answer = rows_next(rows, error)) == ROWS_ROW)
            g_ptr_array_add(copies, read_copy(schemes, rows));
        rows_end(rows);
    }
    if (answer == ROWS_END)
        envelopes = read_envelopes(database, json, error);
    store_read_end(store);
    if (envelopes == NULL)
        return NULL;
    join_all(store, copies, envelopes);
    return g_steal_pointer(&copies);
}

/* ---------------------------------------------------------------- asked */
GPtrArray *store_archive_list(struct store *store, const struct schemes *schemes,
                              const struct archive_filter *filter, GError **error)
{
    static const char sql[] =
        "SELECT number FROM archive_copy WHERE (?1 IS NULL OR archive = ?1) AND at_ms >= ?2"
        " AND (?3 = 0 OR at_ms < ?3) ORDER BY number DESC LIMIT ?4";
    struct database *database = store_read_begin(store);
    struct rows *rows = rows_begin(database, sql, "tiii", filter->archive, filter->since_ms, filter->until_ms,
                                   filter->limit != 0 ? (gint64)filter->limit : (gint64)-1);

    return load(store, database, schemes, rows, error);
}

struct archive_copy *store_archive_find(struct store *store, const struct schemes *schemes, const char *name,
                                        GError **error)
{
    static const char sql[] = "SELECT number FROM archive_copy WHERE id >= ?1 AND id < ?1 || '~' LIMIT 2";
    struct database *database = store_read_begin(store);
    const char *asked = strlen(name) >= NAME_LEAST_CHARACTERS ? name : "~";
    g_autoptr(GPtrArray) copies =
        load(store, database, schemes, rows_begin(database, sql, "t", asked), error);

    if (copies == NULL)
        return NULL;
    if (copies->len == 1)
        return g_ptr_array_steal_index(copies, 0);
    g_set_error(error, STORE_ERROR, copies->len == 0 ? STORE_ERROR_ABSENT : STORE_ERROR_SEVERAL,
                copies->len == 0 ? "no archive copy is called %s" : "several archive copies begin with %s",
                name);
    return NULL;
}

guint8 *store_archive_contents(struct store *store, const struct archive_copy *copy, gsize *length,
                               GError **error)
{
    static const char sql[] = "SELECT content FROM archive_copy WHERE number = ?1";
    gint64 content = database_integer(store_read_begin(store), 0, sql, "i", copy->number);

    store_read_end(store);
    if (content != 0)
        return content_read(store, content, length, error);
    g_set_error(error, STORE_ERROR, STORE_ERROR_ABSENT, "there is no archive copy %s any more", copy->id);
    return NULL;
}
