#include "milter/conf/clock.h"
#include "milter/store/content.h"
#include "milter/store/identity.h"
#include "milter/store/limits.h"
#include "milter/store/orphans.h"

/* Between the two looks at which it must be over (semantics.md 10, row 7). */
#define TWO_LOOKS_US (10 * 60 * (gint64)G_USEC_PER_SEC)

/* One step: so much at once that callers hardly wait. */
struct tidy {
    struct store *store;
    struct tidy_look over; /* at both looks */
    GPtrArray *files;      /* to be removed once the rows are */
    guint removed;         /* rows of this step */
};

/* ---- holds that are over */

static GArray *closed_holds(struct database *database, gint64 before_ms, GError **error)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(rows) rows =
        rows_begin(database,
                   "SELECT number, content FROM hold WHERE closed_ms IS NOT NULL AND closed_ms < ?1"
                   " ORDER BY closed_ms LIMIT " G_STRINGIFY(TIDY_HOLDS),
                   "i", before_ms);
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW) {
        gint64 pair[2] = {rows_integer(rows, 0), rows_integer(rows, 1)};
        g_array_append_vals(numbers, pair, 2);
    }
    return answer == ROWS_FAILED ? NULL : g_steal_pointer(&numbers);
}

static gboolean remove_hold(struct database *database, gint64 number, GError **error)
{
    static const char *const all[] = {"DELETE FROM hold_recipient WHERE hold = ?1",
                                      "DELETE FROM slip WHERE hold = ?1", "DELETE FROM vote WHERE hold = ?1",
                                      "DELETE FROM attempt WHERE hold = ?1",
                                      "DELETE FROM hold WHERE number = ?1"};

    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        if (!database_run(database, error, all[i], "i", number))
            return FALSE;
    return TRUE;
}

static gboolean remove_holds(struct database *database, gpointer data, GError **error)
{
    struct tidy *tidy = data;
    g_autoptr(GArray) holds = closed_holds(database, tidy->over.holds_before_ms, error);

    if (holds == NULL)
        return FALSE;
    for (guint i = 0; i < holds->len; i += 2)
        if (!remove_hold(database, g_array_index(holds, gint64, i), error) ||
            !content_release(database, g_array_index(holds, gint64, i + 1), tidy->files, error))
            return FALSE;
    tidy->removed = holds->len / 2;
    return TRUE;
}

/* ---- attempts that are forgotten */

static gboolean remove_attempts(struct database *database, gpointer data, GError **error)
{
    struct tidy *tidy = data;

    if (!database_run(database, error,
                      "DELETE FROM deferred WHERE key IN (SELECT key FROM deferred WHERE last_ms < ?1 "
                      "LIMIT " G_STRINGIFY(TIDY_ATTEMPTS) ")",
                      "i", tidy->over.attempts_before_ms))
        return FALSE;
    tidy->removed = (guint)database_changes(database);
    return TRUE;
}

/* A job, so that no commit comes between the rows and the set. */
static gboolean load_attempts(struct database *database, gpointer data, GError **error)
{
    struct tidy *tidy = data;

    return attempts_load(tidy->store->attempts, database, error);
}

/* ---- the whole */

/* Step by step until one removes nothing. */
static gboolean repeat(struct tidy *tidy, writer_job step, guint *removed, GError **error)
{
    do {
        g_ptr_array_set_size(tidy->files, 0);
        tidy->removed = 0;
        if (!writer_run(tidy->store->writer, step, tidy, error))
            return FALSE;
        content_remove_files(tidy->store, tidy->files);
        *removed += tidy->removed;
    } while (tidy->removed > 0);
    return TRUE;
}

/* On a connection of its own, so that nobody waits for it. */
static gboolean reconcile(struct store *store, GError **error)
{
    g_autofree char *path = g_build_filename(store->directory, "store.db", NULL);
    g_autoptr(database) database = database_open(path, TRUE, error);

    return database != NULL && content_reconcile(store, database, NULL, error);
}

/* TRUE: *over is what all looks since the first one, ten minutes ago, took for over; this one is the first of
 * the next two. */
static gboolean is_second_look(struct store *store, const struct tidy_look *now, struct tidy_look *over)
{
    struct tidy_look *first = &store->tidy_look;

    pthread_mutex_lock(&store->tidy_lock);
    gboolean is_second = first->at_us != 0 && now->at_us - first->at_us >= TWO_LOOKS_US;
    if (first->at_us == 0)
        *first = *now;
    first->holds_before_ms = MIN(first->holds_before_ms, now->holds_before_ms);
    first->attempts_before_ms = MIN(first->attempts_before_ms, now->attempts_before_ms);
    first->orphans_before_ms = MIN(first->orphans_before_ms, now->orphans_before_ms);
    *over = *first;
    if (is_second)
        *first = *now;
    pthread_mutex_unlock(&store->tidy_lock);
    return is_second;
}

static gboolean remove_rows(struct store *store, const struct tidy_look *over, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    struct tidy tidy = {.store = store, .over = *over, .files = files};
    guint removed = 0;

    orphans_remove(store, over->orphans_before_ms);
    return repeat(&tidy, remove_holds, &removed, error) && repeat(&tidy, remove_attempts, &removed, error) &&
           (removed == 0 || writer_run(store->writer, load_attempts, &tidy, error));
}

/* A hold is kept at least as long as its identity keys count. */
gboolean store_tidy(struct store *store, gint64 now_ms, gint64 keep_closed_ms, gint64 remember_ms,
                    GError **error)
{
    struct tidy_look now = {.at_us = clock_monotonic_us(),
                            .holds_before_ms = now_ms - MAX(keep_closed_ms, remember_ms),
                            .attempts_before_ms = now_ms - remember_ms,
                            .orphans_before_ms = now_ms - ORPHANS_KEEP_MS};
    struct tidy_look over;

    return (!is_second_look(store, &now, &over) || remove_rows(store, &over, error)) &&
           reconcile(store, error);
}
