#include "milter/store/audit.h"

#include "milter/conf/clock.h"
#include "milter/store/job.h"

struct addition {
    struct store *store;
    struct audit_entry entry;
};

/* The newest time is only ever raised; that of a job which is taken back was true all the same. */
static void note_time(struct store *store, gint64 at_ms)
{
    gint64 newest = __atomic_load_n(&store->newest_audit_ms, __ATOMIC_RELAXED);

    while (newest < at_ms && !__atomic_compare_exchange_n(&store->newest_audit_ms, &newest, at_ms, FALSE,
                                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

gboolean job_audit(struct store *store, struct database *database, const struct audit_entry *entry,
                   GError **error)
{
    static const char sql[] = "INSERT INTO audit (at_ms, event, who, object, detail)"
                              " VALUES (?1, ?2, ?3, ?4, ?5)";
    gint64 now_ms = clock_wall_ms();

    if (!job_step("audit.write", error) || !database_run(database, error, sql, "itttt", now_ms, entry->event,
                                                         entry->who, entry->object, entry->detail))
        return FALSE;
    note_time(store, now_ms);
    return TRUE;
}

static gboolean add(struct database *database, gpointer data, GError **error)
{
    struct addition *addition = data;

    return job_audit(addition->store, database, &addition->entry, error);
}

gboolean store_audit(struct store *store, const struct audit_entry *entry, GError **error)
{
    static const struct task task = {"audit.add", "audit.added", add};
    struct addition addition = {.store = store, .entry = *entry};

    return job_run(store, &task, &addition, error);
}

static void addition_free(gpointer data)
{
    struct addition *addition = data;

    g_free((char *)addition->entry.event);
    g_free((char *)addition->entry.who);
    g_free((char *)addition->entry.object);
    g_free((char *)addition->entry.detail);
    g_free(addition);
}

void store_audit_later(struct store *store, const struct audit_entry *entry)
{
    struct addition *addition = g_new0(struct addition, 1);

    addition->store = store;
    addition->entry = (struct audit_entry){.event = g_strdup(entry->event),
                                           .who = g_strdup(entry->who),
                                           .object = g_strdup(entry->object),
                                           .detail = g_strdup(entry->detail)};
    writer_later(store->writer, add, addition, addition_free);
}

/* ---------------------------------------------------------------- reading */
void audit_record_free(struct audit_record *record)
{
    if (record == NULL)
        return;
    g_free(record->event);
    g_free(record->who);
    g_free(record->object);
    g_free(record->detail);
    g_free(record);
}

static struct audit_record *read_record(struct rows *rows)
{
    struct audit_record *record = g_new0(struct audit_record, 1);

    record->number = rows_integer(rows, 0);
    record->at_ms = rows_integer(rows, 1);
    record->event = g_strdup(rows_text(rows, 2));
    record->who = g_strdup(rows_text(rows, 3));
    record->object = g_strdup(rows_text(rows, 4));
    record->detail = g_strdup(rows_text(rows, 5));
    return record;
}

GPtrArray *store_audit_records(struct store *store, gint64 from_number, guint limit, GError **error)
{
    static const char sql[] = "SELECT number, at_ms, event, who, object, detail FROM audit"
                              " WHERE number >= ?1 ORDER BY number LIMIT ?2";
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)audit_record_free);
    enum rows_answer answer;

    struct rows *rows = rows_begin(store_read_begin(store), sql, "ii", from_number, (gint64)limit);
    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        g_ptr_array_add(records, read_record(rows));
    rows_end(rows);
    store_read_end(store);
    return answer == ROWS_END ? g_steal_pointer(&records) : NULL;
}
