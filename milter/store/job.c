#include "milter/store/job.h"

#include "milter/conf/clock.h"
#include "milter/conf/fault.h"

gboolean job_step(const char *name, GError **error)
{
    if (!fault_point(name))
        return TRUE;
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s: made to fail by a test", name);
    return FALSE;
}

gboolean job_run(struct store *store, const struct task *task, gpointer data, GError **error)
{
    if (!job_step(task->before, error) || !writer_run(store->writer, task->run, data, error))
        return FALSE;
    fault_point(task->after); /* a place to end at; it cannot fail any more */
    return TRUE;
}

gboolean job_changed(GError **error, const char *what)
{
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_CHANGED, what);
    return FALSE;
}

gboolean job_next_version(struct database *database, const struct hold *hold, GError **error)
{
    static const char sql[] = "UPDATE slip SET version = version + 1"
                              " WHERE number = ?1 AND hold = ?2 AND version = ?3";

    if (!database_run(database, error, sql, "iii", hold->slip.number, hold->number,
                      (gint64)hold->slip.version))
        return FALSE;
    return database_changes(database) == 1 || job_changed(error, "the hold has changed since it was read");
}

/* It is over when nothing of it is held or on its way out. */
static gboolean close_if_over(struct database *database, gint64 hold, GError **error)
{
    static const char close[] =
        "UPDATE hold SET closed_ms = ?2 WHERE number = ?1 AND closed_ms IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM hold_recipient WHERE hold = ?1 AND state <= ?3)";
    static const char rest[] =
        "UPDATE slip SET next_try_ms = NULL, trouble = NULL, failing = 0 WHERE hold = ?1";

    if (!database_run(database, error, close, "iii", hold, clock_wall_ms(), (gint64)HOLD_RELEASING))
        return FALSE;
    return database_changes(database) == 0 || database_run(database, error, rest, "i", hold);
}

gboolean job_hold_moved(struct database *database, gint64 hold, enum hold_state state, GError **error)
{
    static const char outcome[] = "UPDATE archive_envelope SET outcome = ?2 WHERE hold = ?1";

    if (!close_if_over(database, hold, error))
        return FALSE;
    return state <= HOLD_RELEASING ||
           database_run(database, error, outcome, "it", hold, hold_state_name(state));
}
