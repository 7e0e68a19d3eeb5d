#include "milter/store/outbox.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/attempt.h"
#include "milter/store/job.h"

enum { NOTICE_WAITS, NOTICE_SENT, NOTICE_DROPPED }; /* notice.state */

const char *notice_kind_name(enum notice_kind kind)
{
    static const char *const names[] = {
        [NOTICE_OUTCOME] = "outcome", [NOTICE_END] = "end", [NOTICE_DIGEST] = "digest"};

    return names[kind];
}

static void notice_clear(struct notice *notice)
{
    g_free(notice->addressee);
    g_free(notice->reference);
    g_free(notice->text);
    g_free(notice->about);
}

void notice_free(struct notice *notice)
{
    if (notice == NULL)
        return;
    notice_clear(notice);
    g_free(notice);
}

void outbox_entry_free(struct outbox_entry *entry)
{
    if (entry == NULL)
        return;
    notice_clear(&entry->notice);
    g_free(entry);
}

/* ---------------------------------------------------------------- in a job */
gboolean job_notice(struct database *database, const struct notice *notice, const void *about, gsize length,
                    GError **error)
{
    static const char sql[] =
        "INSERT INTO notice (about, kind, addressee, reference, is_failure, text, created_ms, next_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (about, kind) DO NOTHING";

    return job_step("notice.write", error) &&
           database_run(database, error, sql, "bittibi", about, length, (gint64)notice->kind,
                        notice->addressee, notice->reference, (gint64)(notice->is_failure != FALSE),
                        notice->text, notice->length, clock_wall_ms());
}

gboolean job_end_notices(struct database *database, const GPtrArray *notices, const char *what,
                         GError **error)
{
    for (guint i = 0; notices != NULL && i < notices->len; i++) {
        const struct notice *notice = g_ptr_array_index(notices, i);
        g_autofree char *about = g_strdup_printf("%s %s", what, notice->addressee);
        if (!job_notice(database, notice, about, strlen(about), error))
            return FALSE;
    }
    return TRUE;
}

gboolean job_end_notice_attempts(struct database *database, gint64 notice, GError **error)
{
    static const char sql[] = "UPDATE attempt SET state = 3 WHERE state < 3 AND notice = ?1";

    return database_run(database, error, sql, "i", notice);
}

/* ---------------------------------------------------------------- looking */
static struct outbox_entry *read_entry(struct rows *rows)
{
    struct outbox_entry *entry = g_new0(struct outbox_entry, 1);
    gsize length = 0;
    const void *text = rows_octets(rows, 4, &length);

    entry->number = rows_integer(rows, 0);
    entry->notice.kind = (enum notice_kind)CLAMP(rows_integer(rows, 1), NOTICE_OUTCOME, NOTICE_DIGEST);
    entry->notice.addressee = g_strdup(rows_text(rows, 2));
    entry->notice.reference = g_strdup(rows_text(rows, 3));
    entry->notice.text = g_malloc(length + 1);
    memcpy(entry->notice.text, text != NULL ? text : "", length);
    entry->notice.text[length] = '\0';
    entry->notice.length = length;
    entry->notice.is_failure = rows_integer(rows, 5) != 0;
    entry->tries = (guint)rows_integer(rows, 6);
    entry->created_ms = rows_integer(rows, 7);
    entry->next_ms = rows_integer(rows, 8);
    return entry;
}

GPtrArray *store_outbox_due(struct store *store, gint64 now_ms, guint limit, GError **error)
{
    static const char sql[] =
        "SELECT number, kind, addressee, reference, text, is_failure, tries, created_ms, next_ms FROM notice"
        " WHERE state = 0 AND next_ms <= ?1"
        " AND number NOT IN (SELECT notice FROM attempt WHERE state < 3 AND notice IS NOT NULL)"
        " ORDER BY number LIMIT ?2";
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_entry_free);
    enum rows_answer answer;

    struct rows *rows = rows_begin(store_read_begin(store), sql, "ii", now_ms, (gint64)limit);
    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        g_ptr_array_add(entries, read_entry(rows));
    rows_end(rows);
    store_read_end(store);
    return answer == ROWS_END ? g_steal_pointer(&entries) : NULL;
}

guint store_outbox_sent(struct store *store, const char *addressee, gint64 since_ms)
{
    static const char sql[] =
        "SELECT count(*) FROM notice WHERE state = 1 AND addressee = ?1 AND ended_ms >= ?2";
    gint64 count = database_integer(store_read_begin(store), 0, sql, "ti", addressee, since_ms);

    store_read_end(store);
    return (guint)count;
}

/* ---------------------------------------------------------------- changes */
struct sending {
    gint64 number;
    const char *text; /* queue id, or why */
    gint64 next_ms;
};

/* Sent or dropped once and for all: the text is not needed any more, the row stays for its uniqueness. */
static gboolean end(struct database *database, const struct sending *sending, gint64 state, GError **error)
{
    static const char sql[] =
        "UPDATE notice SET state = ?2, ended_ms = ?3, text = NULL, queue_id = iif(?2 = 1, ?4, NULL),"
        " why = iif(?2 = 2, ?4, why) WHERE number = ?1 AND state = 0";

    return database_run(database, error, sql, "iiit", sending->number, state, clock_wall_ms(),
                        sending->text) &&
           job_end_notice_attempts(database, sending->number, error);
}

static gboolean sent(struct database *database, gpointer data, GError **error)
{
    return end(database, data, NOTICE_SENT, error);
}

static gboolean drop(struct database *database, gpointer data, GError **error)
{
    return end(database, data, NOTICE_DROPPED, error);
}

static gboolean failed(struct database *database, gpointer data, GError **error)
{
    static const char sql[] = "UPDATE notice SET tries = tries + 1, next_ms = ?2, why = ?3"
                              " WHERE number = ?1 AND state = 0";
    const struct sending *sending = data;

    return database_run(database, error, sql, "iit", sending->number, sending->next_ms, sending->text) &&
           job_end_notice_attempts(database, sending->number, error);
}

gboolean store_outbox_sent_one(struct store *store, gint64 number, const char *queue_id, GError **error)
{
    static const struct task task = {"outbox.sent", "outbox.sent-kept", sent};
    struct sending sending = {.number = number, .text = queue_id};

    return job_run(store, &task, &sending, error);
}

gboolean store_outbox_failed(struct store *store, gint64 number, const char *why, gint64 next_ms,
                             GError **error)
{
    static const struct task task = {"outbox.failed", "outbox.failed-kept", failed};
    struct sending sending = {.number = number, .text = why, .next_ms = next_ms};

    return job_run(store, &task, &sending, error);
}

gboolean store_outbox_drop(struct store *store, gint64 number, const char *why, GError **error)
{
    static const struct task task = {"outbox.drop", "outbox.dropped", drop};
    struct sending sending = {.number = number, .text = why};

    return job_run(store, &task, &sending, error);
}

struct addition {
    const struct notice *notice;
    const GArray *instead;
};

static gboolean add(struct database *database, gpointer data, GError **error)
{
    const struct addition *addition = data;
    const struct notice *notice = addition->notice;
    g_autofree char *own = notice->about == NULL ? store_new_id() : NULL;
    const char *about = own != NULL ? own : notice->about;

    for (guint i = 0; addition->instead != NULL && i < addition->instead->len; i++) {
        struct sending listed = {.number = g_array_index(addition->instead, gint64, i),
                                 .text = "in a digest"};
        if (!end(database, &listed, NOTICE_DROPPED, error))
            return FALSE;
    }
    return job_notice(database, notice, about, strlen(about), error);
}

gboolean store_outbox_add(struct store *store, const struct notice *notice, const GArray *instead,
                          GError **error)
{
    static const struct task task = {"outbox.add", "outbox.added", add};
    struct addition addition = {.notice = notice, .instead = instead};

    return job_run(store, &task, &addition, error);
}
