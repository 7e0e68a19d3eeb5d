/* hold_change: what persons and time do to a hold (semantics.md 10, rows 2, 3, 5, 6, 7, 13). */
#include "milter/store/attempt.h"

#include "milter/conf/clock.h"
#include "milter/store/job.h"
#include "milter/store/raise.h"
#include "milter/store/record.h"
#include "policy/label/label_record.h"

/* Between the two looks after which a deadline has passed (row 7). */
#define TWO_LOOKS_US (10 * 60 * (gint64)G_USEC_PER_SEC)

struct change {
    struct store *store;
    const struct hold *hold;
    const char *who, *note, *queue;
    const GPtrArray *notices, *decided;
    const struct decision *decision;
    char *stated;      /* as a record */
    char *stated_text; /* as people read it */
    gint64 at_ms;      /* deadline, next try */
    gboolean is_whole; /* the contents were read and are what they were */
};

static gboolean audit(const struct change *change, struct database *database, const char *event,
                      const char *detail, GError **error)
{
    struct audit_entry entry = {.event = event,
                                .who = change->who != NULL ? change->who : "",
                                .object = change->hold->id,
                                .detail = detail};

    return job_audit(change->store, database, &entry, error);
}

/* The digest and the rules in force are part of it (row 2). */
static gboolean add_vote(const struct change *change, struct database *database, const char *what,
                         GError **error)
{
    static const char sql[] =
        "INSERT INTO vote (hold, slip, at_ms, person, what, label, note, digest, snapshot_hash)"
        " SELECT number, ?2, ?3, ?4, ?5, ?6, ?7, digest, snapshot_hash FROM hold WHERE number = ?1";

    return database_run(database, error, sql, "iiitttt", change->hold->number, change->hold->slip.number,
                        clock_wall_ms(), change->who, what, change->stated_text, change->note) &&
           (database_changes(database) == 1 || job_changed(error, "the hold is gone"));
}

/* Something of it still waits for a decision. */
static gboolean is_waiting(struct database *database, gint64 hold, GError **error)
{
    static const char sql[] = "SELECT count(*) FROM hold_recipient WHERE hold = ?1 AND state = ?2";

    return database_integer(database, 0, sql, "ii", hold, (gint64)HOLD_HELD) > 0 ||
           job_changed(error, "nothing of the hold waits any more");
}

/* All that are still held come to the end. */
static gboolean end_held(const struct change *change, struct database *database, enum hold_state state,
                         GError **error)
{
    static const char sql[] = "UPDATE hold_recipient SET state = ?2, changed_ms = ?3"
                              " WHERE hold = ?1 AND state = ?4";
    g_autofree char *what = g_strdup_printf("%s %u", change->hold->id, change->hold->slip.version);

    return database_run(database, error, sql, "iiii", change->hold->number, (gint64)state, clock_wall_ms(),
                        (gint64)HOLD_HELD) &&
           (database_changes(database) > 0 || job_changed(error, "nothing of the hold waits any more")) &&
           job_hold_moved(database, change->hold->number, state, error) &&
           job_end_notices(database, change->notices, what, error);
}

/* ---------------------------------------------------------------- votes */
/* One approval is enough, and is not repeated; one whose release was refused may be given anew. */
static gboolean may_approve(const struct slip *slip, GError **error)
{
    if (slip->approved && !slip->failing)
        return job_changed(error, "the hold is approved already");
    if (!slip->approved && clock_wall_ms() >= slip->deadline_ms)
        return job_changed(error, "the deadline has passed");
    return TRUE;
}

static gboolean approve(struct database *database, gpointer data, GError **error)
{
    static const char sql[] =
        "UPDATE slip SET approved_ms = ?2, next_try_ms = ?2, failing = 0, trouble = NULL,"
        " passed_us = NULL, stated = ?3 WHERE number = ?1";
    const struct change *change = data;
    g_autofree char *detail =
        change->stated_text != NULL ? g_strdup_printf("as %s", change->stated_text) : NULL;

    return job_next_version(database, change->hold, error) && may_approve(&change->hold->slip, error) &&
           is_waiting(database, change->hold->number, error) &&
           database_run(database, error, sql, "iit", change->hold->slip.number, clock_wall_ms(),
                        change->stated) &&
           add_vote(change, database, "approve", error) && audit(change, database, "approve", detail, error);
}

gboolean store_hold_approve(struct store *store, const struct hold *hold, const char *who,
                            const struct label_set *stated, const char *note, GError **error)
{
    static const struct task task = {"hold.approve", "hold.approved", approve};
    g_autofree char *record = stated != NULL ? label_set_record(stated) : NULL;
    g_autofree char *text = stated != NULL ? label_set_format(stated) : NULL;
    struct change change = {
        .store = store, .hold = hold, .who = who, .note = note, .stated = record, .stated_text = text};

    return job_run(store, &task, &change, error);
}

static gboolean refuse(struct database *database, gpointer data, GError **error)
{
    const struct change *change = data;

    return job_next_version(database, change->hold, error) &&
           end_held(change, database, HOLD_REFUSED, error) && add_vote(change, database, "refuse", error) &&
           audit(change, database, "refuse", NULL, error);
}

gboolean store_hold_refuse(struct store *store, const struct hold *hold, const char *who, const char *note,
                           const GPtrArray *notices, GError **error)
{
    static const struct task task = {"hold.refuse", "hold.refused", refuse};
    struct change change = {.store = store, .hold = hold, .who = who, .note = note, .notices = notices};

    return job_run(store, &task, &change, error);
}

static gboolean note(struct database *database, gpointer data, GError **error)
{
    const struct change *change = data;

    return add_vote(change, database, "note", error) && audit(change, database, "note", NULL, error);
}

gboolean store_hold_note(struct store *store, const struct hold *hold, const char *who, const char *text,
                         GError **error)
{
    static const struct task task = {"hold.note", "hold.noted", note};
    struct change change = {.store = store, .hold = hold, .who = who, .note = text};

    return job_run(store, &task, &change, error);
}

/* ---------------------------------------------------------------- time */
/* Before its deadline a slip that nobody approved ends in no way; of an approved one the caller knows. */
static gboolean is_over_time(const struct slip *slip, GError **error)
{
    return slip->approved || clock_wall_ms() >= slip->deadline_ms ||
           job_changed(error, "the deadline has not passed");
}

/* Monotonic time of the first look; 0: there was none. One of an earlier life of the machine, which may be
 * larger than now, is none; if it is smaller, the machine has run for longer than the difference. */
static gint64 first_look_us(struct database *database, const struct hold *hold)
{
    gint64 at_us =
        database_integer(database, 0, "SELECT passed_us FROM slip WHERE number = ?1", "i", hold->slip.number);

    return at_us <= clock_monotonic_us() ? at_us : 0;
}

static gboolean is_second_look(gint64 first_us)
{
    return first_us != 0 && clock_monotonic_us() - first_us >= TWO_LOOKS_US;
}

static gboolean expire(struct database *database, gpointer data, GError **error)
{
    static const char mark[] = "UPDATE slip SET passed_us = ?2 WHERE number = ?1 AND version = ?3";
    const struct change *change = data;
    const struct slip *slip = &change->hold->slip;
    gint64 first_us = first_look_us(database, change->hold);

    if (!is_over_time(slip, error) || !is_waiting(database, change->hold->number, error))
        return FALSE;
    if (first_us == 0)
        return database_run(database, error, mark, "iii", slip->number, clock_monotonic_us(),
                            (gint64)slip->version) &&
               (database_changes(database) == 1 ||
                job_changed(error, "the hold has changed since it was read"));
    if (!is_second_look(first_us) || !change->is_whole)
        return TRUE;
    return job_next_version(database, change->hold, error) &&
           end_held(change, database, HOLD_EXPIRED, error) && audit(change, database, "expire", NULL, error);
}

gboolean store_hold_expire(struct store *store, const struct hold *hold, const GPtrArray *notices,
                           GError **error)
{
    static const struct task task = {"hold.expire", "hold.expired", expire};
    struct change change = {.store = store, .hold = hold, .notices = notices};
    gint64 first_us = first_look_us(store_read_begin(store), hold);
    gsize length;

    store_read_end(store);
    if (is_second_look(first_us)) {
        g_autofree guint8 *contents = store_hold_contents(store, hold, &length, error);
        if (contents == NULL)
            return FALSE;
        change.is_whole = TRUE;
    }
    return job_run(store, &task, &change, error);
}

static gboolean not_passed(struct database *database, gpointer data, GError **error)
{
    static const char sql[] = "UPDATE slip SET passed_us = NULL WHERE number = ?1 AND version = ?2";
    const struct slip *slip = &((const struct change *)data)->hold->slip;

    return database_run(database, error, sql, "ii", slip->number, (gint64)slip->version);
}

gboolean store_hold_not_passed(struct store *store, const struct hold *hold, GError **error)
{
    static const struct task task = {"hold.not-passed", "hold.not-passed-kept", not_passed};
    struct change change = {.store = store, .hold = hold};

    return job_run(store, &task, &change, error);
}

static gboolean requeue(struct database *database, gpointer data, GError **error)
{
    static const char sql[] =
        "UPDATE slip SET queue = ?2, deadline_ms = ?3, approved_ms = NULL, stated = NULL,"
        " next_try_ms = NULL, failing = 0, trouble = NULL, passed_us = NULL"
        " WHERE number = ?1";
    const struct change *change = data;
    const struct slip *slip = &change->hold->slip;
    g_autofree char *detail = g_strdup_printf("%s → %s", slip->queue, change->queue);

    if (slip->approved)
        return job_changed(error, "the hold is approved already");
    return is_over_time(slip, error) && job_next_version(database, change->hold, error) &&
           is_waiting(database, change->hold->number, error) &&
           database_run(database, error, sql, "iti", slip->number, change->queue, change->at_ms) &&
           audit(change, database, "requeue", detail, error);
}

gboolean store_hold_requeue(struct store *store, const struct hold *hold, const char *queue,
                            gint64 deadline_ms, GError **error)
{
    static const struct task task = {"hold.requeue", "hold.requeued", requeue};
    struct change change = {.store = store, .hold = hold, .queue = queue, .at_ms = deadline_ms};

    return job_run(store, &task, &change, error);
}

static gboolean waits(struct database *database, gpointer data, GError **error)
{
    static const char sql[] = "UPDATE slip SET trouble = ?2, next_try_ms = nullif(?3, 0), failing = ?3 = 0"
                              " WHERE number = ?1 AND approved_ms IS NOT NULL";
    const struct change *change = data;

    return job_next_version(database, change->hold, error) &&
           database_run(database, error, sql, "iti", change->hold->slip.number, change->note,
                        change->at_ms) &&
           (database_changes(database) == 1 || job_changed(error, "the hold is not approved")) &&
           audit(change, database, "wait", change->note, error);
}

gboolean store_hold_waits(struct store *store, const struct hold *hold, const char *trouble,
                          gint64 next_try_ms, GError **error)
{
    static const struct task task = {"hold.wait", "hold.waits", waits};
    struct change change = {.store = store, .hold = hold, .note = trouble, .at_ms = next_try_ms};

    return job_run(store, &task, &change, error);
}

static gboolean raise_found(struct database *database, gpointer data, GError **error)
{
    const struct change *change = data;

    return raise_label(change->store, database, RAISED_HOLD, change->hold->number, change->decision, error);
}

gboolean store_hold_raise(struct store *store, const struct hold *hold, const struct decision *decision,
                          GError **error)
{
    static const struct task task = {"hold.raise", "hold.raised", raise_found};
    struct change change = {.store = store, .hold = hold, .decision = decision};
    const struct label_set *found = decision->label != NULL ? decision->label->effective : NULL;

    /* Most often nothing more was found, and the disk has nothing to do. */
    if (hold->label == NULL ? hold->label_text == NULL
                            : !decision->system_high && found != NULL && label_set_covers(hold->label, found))
        return TRUE;
    return job_run(store, &task, &change, error);
}

static gboolean write_reasons(const struct change *change, struct database *database,
                              const struct decided_recipient *recipient, GError **error)
{
    static const char sql[] = "UPDATE hold_recipient SET leading = ?3, reasons = ?4"
                              " WHERE hold = ?1 AND canonical = ?2 AND state = 0";
    const char *leading = recipient->leading != NULL ? reason_name(recipient->leading->id) : "";
    g_autoptr(GByteArray) reasons = record_reasons(recipient->reasons);

    return database_run(database, error, sql, "ittb", change->hold->number,
                        recipient->first->address->canonical, leading,
                        reasons->len > 0 ? (gconstpointer)reasons->data : "", (gsize)reasons->len) &&
           (database_changes(database) == 1 || job_changed(error, "a recipient of the hold has changed"));
}

static gboolean anew(struct database *database, gpointer data, GError **error)
{
    static const char sql[] =
        "UPDATE slip SET queue = ?2, deadline_ms = ?3, trouble = ?4, failing = 1, approved_ms = NULL,"
        " stated = NULL, next_try_ms = NULL, passed_us = NULL WHERE number = ?1 AND approved_ms IS NOT NULL";
    const struct change *change = data;

    if (!job_next_version(database, change->hold, error) ||
        !database_run(database, error, sql, "itit", change->hold->slip.number, change->queue, change->at_ms,
                      change->note))
        return FALSE;
    if (database_changes(database) != 1)
        return job_changed(error, "the hold is not approved");
    for (guint i = 0; i < change->decided->len; i++)
        if (!write_reasons(change, database, g_ptr_array_index(change->decided, i), error))
            return FALSE;
    return audit(change, database, "hold-anew", change->note, error);
}

gboolean store_hold_anew(struct store *store, const struct hold *hold, const GPtrArray *decided,
                         const char *trouble, gint64 deadline_ms, GError **error)
{
    static const struct task task = {"hold.anew", "hold.anew-kept", anew};
    const struct decided_recipient *first = g_ptr_array_index(decided, 0);
    struct change change = {.store = store,
                            .hold = hold,
                            .decided = decided,
                            .queue = first->queue,
                            .note = trouble,
                            .at_ms = deadline_ms};

    return job_run(store, &task, &change, error);
}
