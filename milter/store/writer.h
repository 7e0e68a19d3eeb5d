/*
 * writer: the one thread that changes the database. Jobs that wait together are done in one transaction, each
 * in a savepoint of its own: a job that fails leaves nothing and hurts no other. Internal to milter/store.
 */
#ifndef MILTER_STORE_WRITER_H
#define MILTER_STORE_WRITER_H

#include "milter/store/database.h"

struct writer;
/* What a job does; FALSE and error: its changes are taken back. It must not wait for anything. */
typedef gboolean (*writer_job)(struct database *database, gpointer data, GError **error);

/* Takes the database over. NULL and error if the thread cannot start. */
struct writer *writer_start(struct database *database, GError **error);
/* Does what was asked, then ends. Gives the database back. */
struct database *writer_stop(struct writer *writer);

/* Returns when the job's transaction is durable (TRUE), or when it or its commit failed. */
gboolean writer_run(struct writer *writer, writer_job job, gpointer data, GError **error);
/* With others within a second, or 100 of them; not waited for. free_data is called in any case. At most
 * LIMIT_LATER_JOBS wait: FALSE when one more is dropped. */
gboolean writer_later(struct writer *writer, writer_job job, gpointer data, GDestroyNotify free_data);
/* Waits until all that was given to writer_later before is committed (or failed). */
void writer_flush(struct writer *writer);

struct writer_status {
    guint64 commits, jobs, dropped, failures;
    gboolean available;
    char *problem; /* owned by the caller */
};
void writer_get_status(struct writer *writer, struct writer_status *status);

#endif
