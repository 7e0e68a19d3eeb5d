#include "milter/store/attempt.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/job.h"

/* 7.3: so long a hold whose client never had the answer is not released. */
#define UNANSWERED_MS ((gint64)3600 * 1000)

/* When recipients that do not go with an attempt are looked at again, if nobody says otherwise. */
#define REST_MS ((gint64)600 * 1000)

struct step {
    struct store *store;
    const struct attempt *attempt;
    const struct hold *hold;      /* of begin */
    const GPtrArray *canonical;   /* of begin */
    const char *id, *given, *all; /* of begin: what the row gets */
    const guint8 *digest;
    gint64 notice, at_ms;
    const char *queue_id, *who, *trouble;
    gboolean permanent;
    const GPtrArray *notices;
};

void attempt_free(struct attempt *attempt)
{
    if (attempt == NULL)
        return;
    g_free(attempt->id);
    g_free(attempt->queue_id);
    g_ptr_array_unref(attempt->recipients);
    g_free(attempt);
}

const guint8 *store_token_key(const struct store *store)
{
    return store->secret;
}

/* ---------------------------------------------------------------- reading */
#define COLUMNS                                                                    \
    "number, id, state, hold, notice, at_ms, expires_ms, queue_id, digest, given," \
    " (SELECT is_failure FROM notice WHERE notice.number = attempt.notice)"

static struct attempt *read_attempt(struct rows *rows)
{
    struct attempt *attempt = g_new0(struct attempt, 1);
    gsize length = 0;

    attempt->number = rows_integer(rows, 0);
    attempt->id = g_strdup(rows_text(rows, 1));
    attempt->state = (enum attempt_state)CLAMP(rows_integer(rows, 2), ATTEMPT_OPEN, ATTEMPT_OVER);
    attempt->hold = rows_integer(rows, 3);
    attempt->notice = rows_integer(rows, 4);
    attempt->at_ms = rows_integer(rows, 5);
    attempt->expires_ms = rows_integer(rows, 6);
    attempt->queue_id = g_strdup(rows_text(rows, 7));
    attempt->of_failure = rows_integer(rows, 10) != 0;
    attempt->recipients = g_ptr_array_new_with_free_func(g_free);
    const void *digest = rows_octets(rows, 8, &length);
    if (digest != NULL && length == sizeof attempt->digest)
        memcpy(attempt->digest, digest, length);
    const char *given = rows_text(rows, 9);
    g_auto(GStrv) lines = g_strsplit(given != NULL ? given : "", "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        g_ptr_array_add(attempt->recipients, g_strdup(lines[i]));
    return attempt;
}

struct attempt *store_attempt(struct store *store, const char *id, GError **error)
{
    static const char sql[] = "SELECT " COLUMNS " FROM attempt WHERE id = ?1";
    struct rows *rows = rows_begin(store_read_begin(store), sql, "t", id);
    enum rows_answer answer = rows_next(rows, error);
    struct attempt *attempt = answer == ROWS_ROW ? read_attempt(rows) : NULL;

    rows_end(rows);
    store_read_end(store);
    if (answer == ROWS_END)
        g_set_error(error, STORE_ERROR, STORE_ERROR_ABSENT, "there is no such attempt to release");
    return attempt;
}

GPtrArray *store_attempts_open(struct store *store, GError **error)
{
    static const char sql[] = "SELECT " COLUMNS " FROM attempt WHERE state < 3 ORDER BY number";
    g_autoptr(GPtrArray) attempts = g_ptr_array_new_with_free_func((GDestroyNotify)attempt_free);
    struct rows *rows = rows_begin(store_read_begin(store), sql, "");
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        g_ptr_array_add(attempts, read_attempt(rows));
    rows_end(rows);
    store_read_end(store);
    return answer == ROWS_END ? g_steal_pointer(&attempts) : NULL;
}

/* ---------------------------------------------------------------- recipients */
/* They come from one state to the other, each of them; CHANGED if one of them stands elsewhere. */
static gboolean move(struct database *database, gint64 hold, const char *canonical, enum hold_state from,
                     enum hold_state to, const char *queue_id, GError **error)
{
    static const char sql[] = "UPDATE hold_recipient SET state = ?4, changed_ms = ?5, queue_id = ?6"
                              " WHERE hold = ?1 AND canonical = ?2 AND state = ?3";

    return database_run(database, error, sql, "itiiit", hold, canonical, (gint64)from, (gint64)to,
                        clock_wall_ms(), queue_id) &&
           (database_changes(database) == 1 || job_changed(error, "a recipient of the hold has changed"));
}

/* The canonical recipients of an attempt, one a line; new. */
static char *recipients_of(struct database *database, gint64 attempt)
{
    g_autoptr(rows) rows =
        rows_begin(database, "SELECT canonical FROM attempt WHERE number = ?1", "i", attempt);

    return rows_next(rows, NULL) == ROWS_ROW ? g_strdup(rows_text(rows, 0)) : NULL;
}

/* All recipients of the attempt leave `releasing`. */
static gboolean move_all(struct database *database, const struct attempt *attempt, enum hold_state to,
                         const char *queue_id, GError **error)
{
    g_autofree char *text = recipients_of(database, attempt->number);
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        if (!move(database, attempt->hold, lines[i], HOLD_RELEASING, to, queue_id, error))
            return FALSE;
    return (lines[0] != NULL || job_changed(error, "the attempt is gone")) &&
           database_run(database, error, "UPDATE slip SET version = version + 1 WHERE hold = ?1", "i",
                        attempt->hold) &&
           job_hold_moved(database, attempt->hold, to, error);
}

static gboolean audit(const struct step *step, struct database *database, const char *event,
                      const char *detail, GError **error)
{
    static const char sql[] = "SELECT id FROM hold WHERE number = ?1";
    g_autoptr(rows) rows = rows_begin(database, sql, "i", step->attempt->hold);
    struct audit_entry entry = {.event = event, .who = step->who != NULL ? step->who : "", .detail = detail};

    if (step->attempt->hold == 0) /* notices are no news */
        return TRUE;
    entry.object = rows_next(rows, NULL) == ROWS_ROW ? rows_text(rows, 0) : NULL;
    return job_audit(step->store, database, &entry, error);
}

static gboolean add_vote(const struct step *step, struct database *database, const char *what, GError **error)
{
    static const char sql[] = "INSERT INTO vote (hold, slip, at_ms, person, what, digest, snapshot_hash)"
                              " SELECT hold.number, slip.number, ?2, ?3, ?4, digest, snapshot_hash"
                              " FROM hold JOIN slip ON slip.hold = hold.number WHERE hold.number = ?1";

    return database_run(database, error, sql, "iitt", step->attempt->hold, clock_wall_ms(), step->who, what);
}

/* The attempt comes from the state that the caller saw to another. */
static gboolean advance(struct database *database, const struct step *step, enum attempt_state to,
                        GError **error)
{
    static const char sql[] = "UPDATE attempt SET state = ?3, queue_id = coalesce(?4, queue_id)"
                              " WHERE number = ?1 AND state = ?2";
    const struct attempt *attempt = step->attempt;

    return database_run(database, error, sql, "iiit", attempt->number, (gint64)attempt->state, (gint64)to,
                        step->queue_id) &&
           (database_changes(database) == 1 ||
            job_changed(error, "the attempt has changed since it was read"));
}

/* ---------------------------------------------------------------- row 4 */
static gboolean insert(const struct step *step, struct database *database, GError **error)
{
    static const char sql[] =
        "INSERT INTO attempt (id, state, hold, notice, at_ms, expires_ms, digest, given, canonical)"
        " VALUES (?1, 0, nullif(?2, 0), nullif(?3, 0), ?4, ?5, ?6, ?7, ?8)";

    return database_run(database, error, sql, "tiiiibtt", step->id,
                        step->hold != NULL ? step->hold->number : (gint64)0, step->notice, clock_wall_ms(),
                        step->at_ms, step->digest, (gsize)32, step->given, step->all);
}

/* The quorum is there, and the client knows that we have the message. */
static gboolean may_begin(struct database *database, const struct hold *hold, GError **error)
{
    static const char approved[] = "SELECT approved_ms FROM slip WHERE number = ?1";
    static const char answered[] = "SELECT answered = 1 OR seen_again > 0 OR at_ms <= ?2 FROM hold"
                                   " WHERE number = ?1 AND kind = 0";

    if (database_integer(database, 0, approved, "i", hold->slip.number) == 0)
        return job_changed(error, "the hold is not approved");
    return database_integer(database, 0, answered, "ii", hold->number, clock_wall_ms() - UNANSWERED_MS) !=
               0 ||
           job_changed(error, "the client of the hold has not had its answer yet");
}

static gboolean begin(struct database *database, gpointer data, GError **error)
{
    static const char rest[] = "UPDATE slip SET next_try_ms = iif(EXISTS (SELECT 1 FROM hold_recipient WHERE "
                               "hold = ?2 AND state = 0),"
                               " ?3, NULL) WHERE number = ?1";
    const struct step *step = data;
    struct attempt of_hold = {.hold = step->hold->number};
    struct step audited = {.store = step->store, .attempt = &of_hold};

    if (!job_next_version(database, step->hold, error) || !may_begin(database, step->hold, error))
        return FALSE;
    for (guint i = 0; i < step->canonical->len; i++)
        if (!move(database, step->hold->number, g_ptr_array_index(step->canonical, i), HOLD_HELD,
                  HOLD_RELEASING, NULL, error))
            return FALSE;
    return insert(step, database, error) &&
           database_run(database, error, rest, "iii", step->hold->slip.number, step->hold->number,
                        clock_wall_ms() + REST_MS) &&
           audit(&audited, database, "releasing", step->id, error);
}

static char *join(const GPtrArray *texts)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (guint i = 0; i < texts->len; i++)
        g_ptr_array_add(list, g_ptr_array_index(texts, i));
    g_ptr_array_add(list, NULL);
    return g_strjoinv("\n", (char **)list->pdata);
}

struct attempt *store_attempt_begin(struct store *store, const struct hold *hold, const GPtrArray *canonical,
                                    const GPtrArray *given, const guint8 digest[32], gint64 expires_ms,
                                    GError **error)
{
    static const struct task task = {"attempt.begin", "attempt.begun", begin};
    g_autofree char *id = store_new_id();
    g_autofree char *lines = join(given);
    g_autofree char *all = join(canonical);
    struct step step = {.store = store,
                        .hold = hold,
                        .canonical = canonical,
                        .id = id,
                        .given = lines,
                        .all = all,
                        .digest = digest,
                        .at_ms = expires_ms};

    return job_run(store, &task, &step, error) ? store_attempt(store, id, error) : NULL;
}

static gboolean begin_notice(struct database *database, gpointer data, GError **error)
{
    static const char sql[] = "SELECT count(*) FROM notice WHERE number = ?1 AND state = 0"
                              " AND NOT EXISTS (SELECT 1 FROM attempt WHERE state < 3 AND notice = ?1)";
    const struct step *step = data;

    if (database_integer(database, 0, sql, "i", step->notice) == 0)
        return job_changed(error, "the notice waits no longer, or is being sent");
    return insert(step, database, error);
}

struct attempt *store_attempt_begin_notice(struct store *store, gint64 notice, const char *given,
                                           const guint8 digest[32], gint64 expires_ms, GError **error)
{
    static const struct task task = {"attempt.begin-notice", "attempt.begun-notice", begin_notice};
    g_autofree char *id = store_new_id();
    struct step step = {.store = store,
                        .id = id,
                        .notice = notice,
                        .given = given,
                        .all = "",
                        .digest = digest,
                        .at_ms = expires_ms};

    return job_run(store, &task, &step, error) ? store_attempt(store, id, error) : NULL;
}

/* ---------------------------------------------------------------- rows 8 to 11 */
static gboolean offered(struct database *database, gpointer data, GError **error)
{
    const struct step *step = data;

    if (step->attempt->state != ATTEMPT_OPEN)
        return job_changed(error, "the attempt was offered before, or is over");
    if (clock_wall_ms() >= step->attempt->expires_ms)
        return job_changed(error, "the attempt has expired");
    return advance(database, step, ATTEMPT_OFFERED, error) &&
           audit(step, database, "offered", step->queue_id, error);
}

gboolean store_attempt_offered(struct store *store, const struct attempt *attempt, const char *queue_id,
                               GError **error)
{
    static const struct task task = {"attempt.offer", "attempt.offered", offered};
    struct step step = {.store = store, .attempt = attempt, .queue_id = queue_id};

    return job_run(store, &task, &step, error);
}

/* A notice is a row of the outbox: sent and attempt over are one step. */
static gboolean sent(const struct step *step, struct database *database, GError **error)
{
    static const char sql[] = "UPDATE notice SET state = 1, ended_ms = ?2, queue_id = ?3, text = NULL"
                              " WHERE number = ?1 AND state = 0";

    return database_run(database, error, sql, "iit", step->attempt->notice, clock_wall_ms(), step->queue_id);
}

/* A doubt that is over is no trouble any more. */
static gboolean end_doubt(struct database *database, gint64 hold, GError **error)
{
    static const char sql[] =
        "UPDATE slip SET trouble = NULL WHERE hold = ?1 AND trouble LIKE 'release-doubt %'";

    return database_run(database, error, sql, "i", hold);
}

/* Whatever was seen of it, what is not over has been delivered now. */
static gboolean released(struct database *database, gpointer data, GError **error)
{
    static const char over[] = "UPDATE attempt SET state = 3, queue_id = coalesce(?2, queue_id)"
                               " WHERE number = ?1 AND state < 3";
    const struct step *step = data;
    const struct attempt *attempt = step->attempt;
    const char *queue_id = step->queue_id != NULL ? step->queue_id : attempt->queue_id;

    if (!database_run(database, error, over, "it", attempt->number, step->queue_id))
        return FALSE;
    if (database_changes(database) != 1)
        return job_changed(error, "the attempt is over");
    if (attempt->hold == 0)
        return sent(step, database, error);
    return move_all(database, attempt, HOLD_RELEASED, queue_id, error) &&
           end_doubt(database, attempt->hold, error) &&
           job_end_notices(database, step->notices, attempt->id, error) &&
           (step->who == NULL || add_vote(step, database, "done", error)) &&
           audit(step, database, "released", queue_id, error);
}

gboolean store_attempt_released(struct store *store, const struct attempt *attempt, const char *queue_id,
                                const char *by, const GPtrArray *notices, GError **error)
{
    static const struct task task = {"attempt.release", "attempt.released", released};
    struct step step = {
        .store = store, .attempt = attempt, .queue_id = queue_id, .who = by, .notices = notices};

    return job_run(store, &task, &step, error);
}

/* Back to held: what is said of it, and when it is tried again (0: not by itself). */
static gboolean back(struct database *database, const struct step *step, GError **error)
{
    static const char sql[] = "UPDATE slip SET trouble = ?2, failing = ?3, next_try_ms = nullif(?4, 0)"
                              " WHERE hold = ?1";

    return move_all(database, step->attempt, HOLD_HELD, NULL, error) &&
           database_run(database, error, sql, "itii", step->attempt->hold, step->trouble,
                        (gint64)(step->permanent != FALSE), step->at_ms);
}

static gboolean failed(struct database *database, gpointer data, GError **error)
{
    const struct step *step = data;

    if (step->attempt->state != ATTEMPT_OPEN && step->attempt->state != ATTEMPT_OFFERED)
        return job_changed(error, "the attempt is in doubt, or over");
    return advance(database, step, ATTEMPT_OVER, error) &&
           (step->attempt->hold == 0 || back(database, step, error)) &&
           audit(step, database, "release-failed", step->trouble, error);
}

gboolean store_attempt_failed(struct store *store, const struct attempt *attempt, const char *trouble,
                              gboolean permanent, gint64 next_try_ms, GError **error)
{
    static const struct task task = {"attempt.fail", "attempt.failed", failed};
    struct step step = {.store = store,
                        .attempt = attempt,
                        .trouble = trouble,
                        .permanent = permanent,
                        .at_ms = permanent ? 0 : next_try_ms};

    return job_run(store, &task, &step, error);
}

static gboolean again(struct database *database, gpointer data, GError **error)
{
    const struct step *step = data;

    if (step->attempt->state != ATTEMPT_DOUBT)
        return job_changed(error, "the attempt is not in doubt");
    return advance(database, step, ATTEMPT_OVER, error) &&
           (step->attempt->hold == 0 ||
            (back(database, step, error) && add_vote(step, database, "again", error))) &&
           audit(step, database, "release-again", step->attempt->queue_id, error);
}

gboolean store_attempt_again(struct store *store, const struct attempt *attempt, const char *who,
                             GError **error)
{
    static const struct task task = {"attempt.again", "attempt.again-kept", again};
    struct step step = {.store = store, .attempt = attempt, .who = who, .at_ms = clock_wall_ms()};

    return job_run(store, &task, &step, error);
}

static gboolean doubt(struct database *database, gpointer data, GError **error)
{
    static const char sql[] = "UPDATE slip SET trouble = ?2 WHERE hold = ?1";
    const struct step *step = data;
    g_autofree char *trouble =
        g_strdup_printf("release-doubt %s", step->attempt->queue_id != NULL ? step->attempt->queue_id : "?");

    if (step->attempt->state != ATTEMPT_OFFERED)
        return job_changed(error, "the attempt was not offered, or is over");
    return advance(database, step, ATTEMPT_DOUBT, error) &&
           database_run(database, error, sql, "it", step->attempt->hold, trouble) &&
           audit(step, database, "release-doubt", step->attempt->queue_id, error);
}

gboolean store_attempt_doubt(struct store *store, const struct attempt *attempt, GError **error)
{
    static const struct task task = {"attempt.doubt", "attempt.doubted", doubt};
    struct step step = {.store = store, .attempt = attempt};

    return job_run(store, &task, &step, error);
}
