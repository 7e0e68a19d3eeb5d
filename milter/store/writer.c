#include "milter/store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "milter/conf/clock.h"
#include "milter/store/limits.h"
#include "milter/store/store_private.h"

struct job {
    writer_job run;
    gpointer data;
    GDestroyNotify free_data; /* of later jobs */
    guint64 number;           /* of later jobs: in the order given */
    GError *error;
    gboolean done;         /* guarded by the lock, as is all of a job while it waits */
    pthread_cond_t *ended; /* of the caller who waits; NULL: a later job */
    struct job *next;
};

struct jobs {
    struct job *first, **end;
    guint count;
};

struct writer {
    pthread_t thread;
    struct database *database; /* of the thread */
    gint64 checkpoint_us;      /* of the thread: not before this time */
    pthread_mutex_t lock;
    pthread_cond_t work;    /* something was given, or the end */
    pthread_cond_t flushed; /* later_tried has risen */
    /* all that follows: guarded by lock */
    struct jobs now, later;
    gint64 later_due_us;
    guint64 later_given, later_tried, later_wanted; /* numbers of later jobs; wanted: somebody waits for it */
    gboolean is_stopping;
    struct writer_status status;
};

/* ---- lists of jobs */

static void jobs_init(struct jobs *jobs)
{
    jobs->first = NULL;
    jobs->end = &jobs->first;
    jobs->count = 0;
}

static void jobs_push(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
    jobs->count++;
}

/* At most so many from the front. */
static void jobs_take(struct jobs *jobs, guint most, struct jobs *taken)
{
    jobs_init(taken);
    while (jobs->first != NULL && taken->count < most) {
        struct job *job = jobs->first;
        jobs->first = job->next;
        jobs->count--;
        jobs_push(taken, job);
    }
    if (jobs->first == NULL)
        jobs->end = &jobs->first;
}

/* Back to the front, order kept. */
static void jobs_return(struct jobs *jobs, struct jobs *taken)
{
    if (taken->first == NULL)
        return;
    *taken->end = jobs->first;
    if (jobs->first == NULL)
        jobs->end = taken->end;
    jobs->first = taken->first;
    jobs->count += taken->count;
    jobs_init(taken);
}

static void later_free(struct job *job)
{
    if (job->free_data != NULL)
        job->free_data(job->data);
    g_clear_error(&job->error);
    g_free(job);
}

static guint later_free_all(struct jobs *jobs)
{
    guint count = jobs->count;

    for (struct job *job = jobs->first, *next; job != NULL; job = next) {
        next = job->next;
        later_free(job);
    }
    jobs_init(jobs);
    return count;
}

/* ---- one transaction */

/* FALSE and error: the transaction as a whole is of no use any more. */
static gboolean run_job(struct database *database, struct job *job, GError **error)
{
    if (!database_run(database, error, "SAVEPOINT job", ""))
        return FALSE;
    if (job->run(database, job->data, &job->error))
        return database_run(database, error, "RELEASE job", "");
    g_assert(job->error != NULL);
    if (!database_in_transaction(database)) {
        g_propagate_error(error, g_error_copy(job->error));
        return FALSE;
    }
    return database_run(database, error, "ROLLBACK TO job", "") &&
           database_run(database, error, "RELEASE job", "");
}

static gboolean run_and_commit(struct database *database, struct jobs *jobs, GError **error)
{
    if (store_fault("writer.before-begin", error) || !database_run(database, error, "BEGIN IMMEDIATE", ""))
        return FALSE;
    for (struct job *job = jobs->first; job != NULL; job = job->next)
        if (!run_job(database, job, error))
            return FALSE;
    if (store_fault("writer.before-commit", error) || !database_run(database, error, "COMMIT", ""))
        return FALSE;
    fault_point("writer.committed");
    return TRUE;
}

static gboolean run_batch(struct database *database, struct jobs *jobs, GError **error)
{
    if (run_and_commit(database, jobs, error))
        return TRUE;
    if (database_in_transaction(database))
        database_run(database, NULL, "ROLLBACK", "");
    return FALSE;
}

/* ---- what the thread does, with the lock held but for run_batch and the checkpoint */

static void note_result(struct writer *writer, guint jobs, const GError *error)
{
    writer->status.available = error == NULL;
    if (error == NULL) {
        writer->status.commits++;
        writer->status.jobs += jobs;
        return;
    }
    writer->status.failures++;
    g_free(writer->status.problem);
    writer->status.problem = g_strdup(error->message);
}

static void do_now(struct writer *writer)
{
    g_autoptr(GError) error = NULL;
    struct jobs batch;

    jobs_take(&writer->now, LIMIT_BATCH_JOBS, &batch);
    pthread_mutex_unlock(&writer->lock);
    run_batch(writer->database, &batch, &error);
    pthread_mutex_lock(&writer->lock);
    note_result(writer, batch.count, error);
    for (struct job *job = batch.first, *next; job != NULL; job = next) {
        next = job->next;
        if (error != NULL) {
            g_clear_error(&job->error);
            job->error = g_error_copy(error);
        }
        job->done = TRUE;
        pthread_cond_signal(job->ended); /* the job is gone when the lock is */
    }
}

/* A job whose own work failed is dropped; when the transaction failed, all of them are tried again. */
static void do_later(struct writer *writer)
{
    g_autoptr(GError) error = NULL;
    struct jobs batch;
    guint64 last = 0;
    guint own_failures = 0;

    jobs_take(&writer->later, LIMIT_LATER_BATCH, &batch);
    for (struct job *job = batch.first; job != NULL; job = job->next)
        last = job->number;
    pthread_mutex_unlock(&writer->lock);
    gboolean done = run_batch(writer->database, &batch, &error);
    for (struct job *job = batch.first; job != NULL; job = job->next) {
        own_failures += job->error != NULL;
        g_clear_error(&job->error);
    }
    guint count = done ? later_free_all(&batch) : 0;
    pthread_mutex_lock(&writer->lock);
    note_result(writer, count, error);
    if (done)
        writer->status.dropped += own_failures;
    else
        jobs_return(&writer->later, &batch);
    writer->later_tried = MAX(writer->later_tried, done ? last : writer->later_given);
    writer->later_due_us = clock_monotonic_us() + LATER_MS * 1000;
    pthread_cond_broadcast(&writer->flushed);
}

static gboolean later_is_due(const struct writer *writer)
{
    if (writer->later.count == 0)
        return FALSE;
    return writer->is_stopping || writer->later_wanted > writer->later_tried ||
           (writer->later.count >= LATER_JOBS_DUE && writer->status.available) ||
           clock_monotonic_us() >= writer->later_due_us;
}

/* Trouble there shows in the next commit at the latest, and readers go away: so it is only put off. */
static void checkpoint(struct writer *writer)
{
    g_autoptr(GError) error = NULL;

    pthread_mutex_unlock(&writer->lock);
    gboolean done = database_checkpoint(writer->database, &error);
    pthread_mutex_lock(&writer->lock);
    if (!done) {
        g_free(writer->status.problem);
        writer->status.problem = g_strdup(error->message);
        writer->status.failures++;
    }
    if (!done || database_log_pages(writer->database) > 0)
        writer->checkpoint_us = clock_monotonic_us() + LATER_MS * 1000;
}

static gboolean checkpoint_is_due(const struct writer *writer, guint pages)
{
    return database_log_pages(writer->database) >= pages && clock_monotonic_us() >= writer->checkpoint_us;
}

/* FALSE: so long nothing was given. The clock may be ahead of the one that waits: the difference counts. */
static gboolean wait_for_work(struct writer *writer, gint64 most_us)
{
    gint64 until_us = g_get_monotonic_time() + MAX(most_us, 1000);
    struct timespec until = {.tv_sec = until_us / G_USEC_PER_SEC,
                             .tv_nsec = until_us % G_USEC_PER_SEC * 1000};

    return pthread_cond_timedwait(&writer->work, &writer->lock, &until) != ETIMEDOUT;
}

static void rest(struct writer *writer)
{
    gboolean has_pages = database_log_pages(writer->database) >= CHECKPOINT_PAGES;
    gint64 most_us = LATER_MS * 1000;

    if (writer->later.count == 0 && !has_pages) {
        pthread_cond_wait(&writer->work, &writer->lock);
        return;
    }
    if (writer->later.count > 0)
        most_us = MIN(most_us, writer->later_due_us - clock_monotonic_us());
    if (has_pages)
        most_us = MIN(most_us, CHECKPOINT_IDLE_MS * 1000);
    if (!wait_for_work(writer, most_us) && writer->now.count == 0 &&
        checkpoint_is_due(writer, CHECKPOINT_PAGES))
        checkpoint(writer);
}

static void *run(void *data)
{
    struct writer *writer = data;

    pthread_mutex_lock(&writer->lock);
    for (;;) {
        if (writer->now.count > 0)
            do_now(writer);
        if (later_is_due(writer)) {
            do_later(writer);
            if (writer->is_stopping && !writer->status.available)
                writer->status.dropped += later_free_all(&writer->later);
        } else if (writer->now.count == 0 && writer->is_stopping) {
            break;
        } else if (writer->now.count == 0) {
            rest(writer);
        }
        if (checkpoint_is_due(writer, CHECKPOINT_PAGES_BUSY))
            checkpoint(writer);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* ---- for callers */

static void writer_free(struct writer *writer)
{
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->flushed);
    pthread_mutex_destroy(&writer->lock);
    g_free(writer->status.problem);
    g_free(writer);
}

struct writer *writer_start(struct database *database, GError **error)
{
    struct writer *writer = g_new0(struct writer, 1);
    pthread_condattr_t monotonic;
    sigset_t all, before;

    writer->database = database;
    writer->status.available = TRUE;
    jobs_init(&writer->now);
    jobs_init(&writer->later);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&writer->flushed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        return writer;
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                "the writing thread of the store cannot start: %s", g_strerror(failed));
    writer_free(writer);
    return NULL;
}

struct database *writer_stop(struct writer *writer)
{
    struct database *database = writer->database;

    pthread_mutex_lock(&writer->lock);
    writer->is_stopping = TRUE;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer_free(writer);
    return database;
}

gboolean writer_run(struct writer *writer, writer_job job, gpointer data, GError **error)
{
    pthread_cond_t ended;
    struct job waiting = {.run = job, .data = data, .ended = &ended};

    pthread_cond_init(&ended, NULL);
    pthread_mutex_lock(&writer->lock);
    g_assert(!writer->is_stopping);
    jobs_push(&writer->now, &waiting);
    pthread_cond_signal(&writer->work);
    while (!waiting.done)
        pthread_cond_wait(&ended, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
    pthread_cond_destroy(&ended);
    if (waiting.error == NULL)
        return TRUE;
    g_propagate_error(error, waiting.error);
    return FALSE;
}

gboolean writer_later(struct writer *writer, writer_job job, gpointer data, GDestroyNotify free_data)
{
    struct job *later = g_new0(struct job, 1);

    later->run = job;
    later->data = data;
    later->free_data = free_data;
    pthread_mutex_lock(&writer->lock);
    gboolean is_room = writer->later.count < LIMIT_LATER_JOBS;
    if (is_room) {
        later->number = ++writer->later_given;
        jobs_push(&writer->later, later);
        if (writer->later.count == 1)
            writer->later_due_us = clock_monotonic_us() + LATER_MS * 1000;
        if (writer->later.count == 1 || writer->later.count == LATER_JOBS_DUE)
            pthread_cond_signal(&writer->work);
    } else {
        writer->status.dropped++;
    }
    pthread_mutex_unlock(&writer->lock);
    if (!is_room)
        later_free(later);
    return is_room;
}

void writer_flush(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    guint64 last = writer->later_given;
    writer->later_wanted = MAX(writer->later_wanted, last);
    if (writer->later.first != NULL) /* it may have failed before */
        writer->later_tried = MIN(writer->later_tried, writer->later.first->number - 1);
    pthread_cond_signal(&writer->work);
    while (writer->later_tried < last)
        pthread_cond_wait(&writer->flushed, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
}

void writer_get_status(struct writer *writer, struct writer_status *status)
{
    pthread_mutex_lock(&writer->lock);
    *status = writer->status;
    status->problem = g_strdup(writer->status.problem);
    pthread_mutex_unlock(&writer->lock);
}
