/*
 * job: what the writer's jobs of several files have in common: steps that tests may stop at, rows of audit
 * and outbox, the end of recipients of a hold. All but job_run are called inside a job, with its database.
 * Internal to milter/store.
 */
#ifndef MILTER_STORE_JOB_H
#define MILTER_STORE_JOB_H

#include "milter/store/audit.h"
#include "milter/store/hold.h"
#include "milter/store/outbox.h"
#include "milter/store/store_private.h"

struct task {
    const char *before, *after; /* fault points: nothing is done yet; it is durable */
    writer_job run;
};
/* Runs the job of the task and waits until it is durable. */
gboolean job_run(struct store *store, const struct task *task, gpointer data, GError **error);
/* FALSE and error where a test makes this step fail. */
gboolean job_step(const char *name, GError **error);
/* Fills the error: somebody was quicker. FALSE. */
gboolean job_changed(GError **error, const char *what);

gboolean job_audit(struct store *store, struct database *database, const struct audit_entry *entry,
                   GError **error);

/* Stores a notice; about is what makes it unique together with its kind: if it is there already, nothing
 * happens. */
gboolean job_notice(struct database *database, const struct notice *notice, const void *about, gsize length,
                    GError **error);
/* N2: what: names this very end, which happens once ("HOLD VERSION", an attempt's id). notices may be NULL.
 */
gboolean job_end_notices(struct database *database, const GPtrArray *notices, const char *what,
                         GError **error);
/* Ends open attempts for a notice. */
gboolean job_end_notice_attempts(struct database *database, gint64 notice, GError **error);

/* The slip is still what the caller saw, and now has the next version; else CHANGED. */
gboolean job_next_version(struct database *database, const struct hold *hold, GError **error);
/* Recipients of the hold have come to this state: is it over, what does the archive say. */
gboolean job_hold_moved(struct database *database, gint64 hold, enum hold_state state, GError **error);

#endif
