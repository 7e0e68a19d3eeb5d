#include "milter/store/hold.h"

#include <string.h>

#include "milter/store/content.h"
#include "milter/store/hold_load.h"
#include "milter/store/record.h"
#include "policy/label/label_record.h"

#define NAME_LEAST_CHARACTERS 4

/* What is read belongs to one moment. */
static struct database *begin(struct store *store)
{
    struct database *database = store_read_begin(store);

    database_script(database, "BEGIN", NULL);
    return database;
}

static void end(struct store *store, struct database *database)
{
    database_script(database, "COMMIT", NULL);
    store_read_end(store);
}

/* ---------------------------------------------------------------- lists */
static GPtrArray *load(struct database *database, const struct schemes *schemes, struct rows *taken,
                       GError **error)
{
    g_autoptr(rows) rows = taken;
    g_autoptr(GArray) numbers = numbers_read(rows, error);

    return numbers != NULL ? holds_load(database, schemes, numbers, error) : NULL;
}

GPtrArray *store_holds(struct store *store, const struct schemes *schemes, const struct hold_filter *filter,
                       GError **error)
{
    static const char open[] = "SELECT hold.number FROM hold LEFT JOIN slip ON slip.hold = hold.number"
                               " WHERE closed_ms IS NULL AND (?1 IS NULL OR queue = ?1) AND at_ms >= ?2"
                               " ORDER BY hold.number DESC LIMIT ?3";
    static const char all[] = "SELECT hold.number FROM hold LEFT JOIN slip ON slip.hold = hold.number"
                              " WHERE (?1 IS NULL OR queue = ?1) AND at_ms >= ?2"
                              " ORDER BY hold.number DESC LIMIT ?3";
    struct database *database = begin(store);
    struct rows *rows = rows_begin(database, filter->closed ? all : open, "tii", filter->queue,
                                   filter->since_ms, filter->limit != 0 ? (gint64)filter->limit : (gint64)-1);
    GPtrArray *holds = load(database, schemes, rows, error);

    end(store, database);
    return holds;
}

GPtrArray *store_holds_due(struct store *store, const struct schemes *schemes, gint64 now_ms, GError **error)
{
    static const char sql[] =
        "SELECT hold.number FROM slip JOIN hold ON hold.number = slip.hold"
        " WHERE next_try_ms IS NOT NULL AND next_try_ms <= ?1 AND approved_ms IS NOT NULL AND closed_ms IS "
        "NULL"
        " AND (answered = 1 OR seen_again > 0 OR at_ms <= ?1 - 3600000)"
        " AND EXISTS (SELECT 1 FROM hold_recipient WHERE hold = hold.number AND state = 0)"
        " ORDER BY hold.number";
    struct database *database = begin(store);
    GPtrArray *holds = load(database, schemes, rows_begin(database, sql, "i", now_ms), error);

    end(store, database);
    return holds;
}

/* ---------------------------------------------------------------- one */
/* The numbers of the holds that the name means; of a beginning there may be several. */
static GArray *numbers_named(struct database *database, const char *name, GError **error)
{
    static const char by_id[] = "SELECT number FROM hold WHERE id >= ?1 AND id < ?1 || '~' LIMIT 2";
    static const char by_reference[] =
        "SELECT number FROM hold WHERE reference IN (?1, 'MIJI-' || ?1, 'MIJI-' || substr(?1, 6)) LIMIT 2";
    g_autofree char *lower = g_ascii_strdown(name, -1);
    g_autoptr(GArray) numbers = NULL;

    if (strlen(name) >= NAME_LEAST_CHARACTERS) {
        g_autoptr(rows) rows = rows_begin(database, by_id, "t", name);
        numbers = numbers_read(rows, error);
        if (numbers == NULL || numbers->len > 0)
            return g_steal_pointer(&numbers);
    }
    g_autoptr(rows) rows = rows_begin(database, by_reference, "t", lower);
    g_clear_pointer(&numbers, g_array_unref);
    return numbers_read(rows, error);
}

struct hold *store_hold(struct store *store, const struct schemes *schemes, const char *name, GError **error)
{
    struct database *database = begin(store);
    g_autoptr(GArray) numbers = numbers_named(database, name, error);
    g_autoptr(GPtrArray) holds = numbers != NULL ? holds_load(database, schemes, numbers, error) : NULL;

    end(store, database);
    if (holds == NULL)
        return NULL;
    if (holds->len == 1)
        return g_ptr_array_steal_index(holds, 0);
    g_set_error(error, STORE_ERROR, holds->len == 0 ? STORE_ERROR_ABSENT : STORE_ERROR_SEVERAL,
                holds->len == 0 ? "no hold is called %s" : "several holds begin with %s", name);
    return NULL;
}

/* ---------------------------------------------------------------- what was recorded */
/* Only what is a recipient of the hold: another one may have come too late for it. */
static void keep_recipients(struct envelope *envelope, const struct hold *hold)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(envelope) others = envelope_new();
    g_autoptr(GPtrArray) all = envelope->recipients;

    for (guint i = 0; i < hold->recipients->len; i++)
        g_hash_table_add(wanted,
                         ((struct hold_recipient *)g_ptr_array_index(hold->recipients, i))->canonical);
    envelope->recipients = g_ptr_array_new();
    for (guint i = 0; i < all->len; i++) {
        struct envelope_recipient *recipient = g_ptr_array_index(all, i);
        gboolean is_wanted = g_hash_table_contains(wanted, recipient->address->canonical);
        g_ptr_array_add(is_wanted ? envelope->recipients : others->recipients, recipient);
    }
}

struct recorded *store_hold_recorded(struct store *store, const struct hold *hold, GError **error)
{
    static const char sql[] = "SELECT record FROM hold WHERE number = ?1";
    struct rows *rows = rows_begin(store_read_begin(store), sql, "i", hold->number);
    enum rows_answer answer = rows_next(rows, error);
    gsize sealed_length = 0, length = 0;
    const void *sealed = answer == ROWS_ROW ? rows_octets(rows, 0, &sealed_length) : NULL;
    g_autofree guint8 *copy = g_memdup2(sealed, sealed_length);

    rows_end(rows);
    store_read_end(store);
    if (answer == ROWS_END)
        g_set_error(error, STORE_ERROR, STORE_ERROR_ABSENT, "there is no hold %s any more", hold->id);
    if (answer != ROWS_ROW)
        return NULL;
    g_autofree guint8 *octets = seal_record_open(store->keys, copy, sealed_length, &length, error);
    struct recorded *recorded = octets != NULL ? record_read(octets, length, error) : NULL;
    if (recorded != NULL)
        keep_recipients(recorded->envelope, hold);
    return recorded;
}

guint8 *store_hold_contents(struct store *store, const struct hold *hold, gsize *length, GError **error)
{
    static const char sql[] = "SELECT content FROM hold WHERE number = ?1";
    gint64 content = database_integer(store_read_begin(store), 0, sql, "i", hold->number);

    store_read_end(store);
    if (content != 0)
        return content_read(store, content, length, error);
    g_set_error(error, STORE_ERROR, STORE_ERROR_ABSENT, "there is no hold %s any more", hold->id);
    return NULL;
}

struct label_set *store_hold_stated(struct store *store, const struct hold *hold,
                                    const struct schemes *schemes)
{
    static const char sql[] = "SELECT stated FROM slip WHERE number = ?1";
    struct rows *rows = rows_begin(store_read_begin(store), sql, "i", hold->slip.number);
    g_autofree char *text = rows_next(rows, NULL) == ROWS_ROW ? g_strdup(rows_text(rows, 0)) : NULL;

    rows_end(rows);
    store_read_end(store);
    return label_set_recall(schemes, text);
}
