#include "milter/store/writer.h"

#include <sqlite3.h>
#include <string.h>

#include "milter/store/limits.h"
#include "milter/store/store.h"
#include "tests/support/temp_folder.h"

struct bench {
    char *folder, *path;
    struct writer *writer;
};

static void bench_set_up(struct bench *bench)
{
    g_autoptr(GError) error = NULL;
    bench->folder = temp_folder_new();
    bench->path = g_build_filename(bench->folder, "store.db", NULL);
    struct database *database = database_open(bench->path, FALSE, &error);
    g_assert_no_error(error);
    g_assert_true(database_script(database, "CREATE TABLE t (v INTEGER UNIQUE)", NULL));
    bench->writer = writer_start(database, &error);
    g_assert_no_error(error);
}

static gint64 count(struct bench *bench)
{
    g_autoptr(database) reader = database_open(bench->path, TRUE, NULL);
    return database_integer(reader, -1, "SELECT count(*) FROM t", "");
}

static void bench_tear_down(struct bench *bench)
{
    database_close(writer_stop(bench->writer));
    g_free(bench->path);
    g_free(bench->folder);
}

static gboolean insert(struct database *database, gpointer data, GError **error)
{
    return database_run(database, error, "INSERT INTO t VALUES (?1)", "i", (gint64)GPOINTER_TO_INT(data));
}

static gboolean insert_and_fail(struct database *database, gpointer data, GError **error)
{
    if (insert(database, data, error))
        g_set_error(error, STORE_ERROR, STORE_ERROR_ABSENT, "no");
    return FALSE;
}

static void test_a_job_is_durable(void)
{
    struct bench bench;
    g_autoptr(GError) error = NULL;
    bench_set_up(&bench);
    g_assert_true(writer_run(bench.writer, insert, GINT_TO_POINTER(1), &error));
    g_assert_cmpint(count(&bench), ==, 1);
    bench_tear_down(&bench);
}

static void test_a_failed_job_leaves_nothing(void)
{
    struct bench bench;
    g_autoptr(GError) error = NULL;
    bench_set_up(&bench);
    g_assert_false(writer_run(bench.writer, insert_and_fail, GINT_TO_POINTER(1), &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_ABSENT);
    g_assert_cmpint(count(&bench), ==, 0);
    struct writer_status status;
    writer_get_status(bench.writer, &status);
    g_assert_true(status.available); /* the disk is well */
    g_free(status.problem);
    bench_tear_down(&bench);
}

/* ---- many at once */

#define THREADS 16
#define EACH 60

struct crowd {
    struct writer *writer;
    int first;
    guint good, bad, wrong;
};

static void *work(void *data)
{
    struct crowd *crowd = data;

    for (int i = 0; i < EACH; i++) {
        g_autoptr(GError) error = NULL;
        gboolean shall_fail = i % 4 == 3;
        gboolean done = writer_run(crowd->writer, shall_fail ? insert_and_fail : insert,
                                   GINT_TO_POINTER(crowd->first + i), &error);
        crowd->good += done;
        crowd->bad += !done;
        crowd->wrong += done == shall_fail || done != (error == NULL);
    }
    return NULL;
}

static void test_many_callers(void)
{
    struct bench bench;
    struct crowd crowds[THREADS] = {0};
    pthread_t threads[THREADS];
    guint good = 0, bad = 0, wrong = 0;
    bench_set_up(&bench);
    for (int i = 0; i < THREADS; i++) {
        crowds[i] = (struct crowd){.writer = bench.writer, .first = i * EACH};
        g_assert_cmpint(pthread_create(&threads[i], NULL, work, &crowds[i]), ==, 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        good += crowds[i].good;
        bad += crowds[i].bad;
        wrong += crowds[i].wrong;
    }
    g_assert_cmpuint(wrong, ==, 0);
    g_assert_cmpuint(good, ==, THREADS * EACH * 3 / 4);
    g_assert_cmpuint(bad, ==, THREADS * EACH / 4);
    g_assert_cmpint(count(&bench), ==, good);
    struct writer_status status;
    writer_get_status(bench.writer, &status);
    g_assert_cmpuint(status.jobs, ==, THREADS * EACH);
    g_assert_cmpuint(status.commits, <, THREADS * EACH); /* some went together */
    g_free(status.problem);
    bench_tear_down(&bench);
}

/* ---- a transaction that fails */

static void test_locked(void)
{
    struct bench bench;
    g_autoptr(GError) error = NULL;
    struct writer_status status;
    sqlite3 *other = NULL;
    bench_set_up(&bench);
    g_assert_cmpint(sqlite3_open(bench.path, &other), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_true(writer_later(bench.writer, insert, GINT_TO_POINTER(2), NULL));
    g_assert_false(writer_run(bench.writer, insert, GINT_TO_POINTER(1), &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    writer_flush(bench.writer); /* ends although nothing can be written */
    writer_get_status(bench.writer, &status);
    g_assert_false(status.available);
    g_assert_nonnull(strstr(status.problem, "locked"));
    g_assert_cmpuint(status.failures, >=, 2);
    g_free(status.problem);
    sqlite3_close(other);
    g_clear_error(&error);
    g_assert_true(writer_run(bench.writer, insert, GINT_TO_POINTER(1), &error));
    writer_flush(bench.writer);
    g_assert_cmpint(count(&bench), ==, 2); /* the later one was kept until it could be written */
    writer_get_status(bench.writer, &status);
    g_assert_true(status.available);
    g_assert_cmpuint(status.dropped, ==, 0);
    g_free(status.problem);
    bench_tear_down(&bench);
}

/* SQLite takes the whole transaction back by itself when the disk is full: nobody is told that it is done. */
static gboolean fill(struct database *database, gpointer data, GError **error)
{
    return database_run(database, error, "INSERT INTO t SELECT value FROM generate", "");
}

static gboolean limit_pages(struct database *database, gpointer data, GError **error)
{
    g_autofree char *sql = g_strdup_printf("PRAGMA max_page_count = %d", GPOINTER_TO_INT(data));
    return database_script(database, sql, error);
}

static void *run_fill(void *data)
{
    struct bench *bench = data;
    g_autoptr(GError) error = NULL;
    gboolean done = writer_run(bench->writer, fill, NULL, &error);
    return GINT_TO_POINTER(!done && g_error_matches(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE));
}

static gboolean make_generator(struct database *database, gpointer data, GError **error)
{
    return database_script(
        database,
        "CREATE VIEW generate AS WITH RECURSIVE n (value) AS (VALUES (1000) UNION ALL SELECT "
        "value + 1 FROM n WHERE value < 200000) SELECT value FROM n",
        error);
}

static void test_full(void)
{
    struct bench bench;
    g_autoptr(GError) error = NULL;
    pthread_t filler;
    void *failed = NULL;
    guint kept = 0;
    bench_set_up(&bench);
    g_assert_true(writer_run(bench.writer, make_generator, NULL, &error));
    g_assert_true(writer_run(bench.writer, limit_pages, GINT_TO_POINTER(60), &error));
    g_assert_cmpint(pthread_create(&filler, NULL, run_fill, &bench), ==, 0);
    for (int i = 0; i < 20; i++)
        kept += writer_run(bench.writer, insert, GINT_TO_POINTER(i), NULL);
    pthread_join(filler, &failed);
    g_assert_true(GPOINTER_TO_INT(failed));
    g_assert_cmpint(count(&bench), ==, kept);
    g_assert_true(writer_run(bench.writer, limit_pages, GINT_TO_POINTER(100000), &error));
    g_assert_true(writer_run(bench.writer, fill, NULL, &error));
    bench_tear_down(&bench);
}

/* ---- later */

static void test_later(void)
{
    struct bench bench;
    bench_set_up(&bench);
    for (int i = 0; i < 1234; i++)
        g_assert_true(
            writer_later(bench.writer, i % 10 == 0 ? insert_and_fail : insert, GINT_TO_POINTER(i), NULL));
    writer_flush(bench.writer);
    g_assert_cmpint(count(&bench), ==, 1234 - 124);
    struct writer_status status;
    writer_get_status(bench.writer, &status);
    g_assert_cmpuint(status.dropped, ==, 124);
    g_assert_cmpuint(status.commits, <=, 1234 / LATER_JOBS_DUE + 2);
    g_free(status.problem);
    bench_tear_down(&bench);
}

static void test_later_by_itself(void)
{
    struct bench bench;
    gint64 deadline_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    bench_set_up(&bench);
    g_assert_true(writer_later(bench.writer, insert, GINT_TO_POINTER(1), NULL));
    while (count(&bench) == 0 && g_get_monotonic_time() < deadline_us)
        g_usleep(5000);
    g_assert_cmpint(count(&bench), ==, 1);
    bench_tear_down(&bench);
}

static gint freed;

static void count_freed(gpointer data)
{
    g_atomic_int_inc(&freed);
}

static void test_later_is_bounded(void)
{
    struct bench bench;
    sqlite3 *other = NULL;
    guint refused = 0;
    bench_set_up(&bench);
    g_atomic_int_set(&freed, 0);
    g_assert_cmpint(sqlite3_open(bench.path, &other), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    for (int i = 0; i < LIMIT_LATER_JOBS + LIMIT_LATER_BATCH + 100; i++)
        refused += !writer_later(bench.writer, insert, GINT_TO_POINTER(i), count_freed);
    g_assert_cmpuint(refused, >=, 100);
    g_assert_cmpint(g_atomic_int_get(&freed), ==, refused);
    sqlite3_close(other);
    database_close(writer_stop(bench.writer));
    g_assert_cmpint(count(&bench), ==, LIMIT_LATER_JOBS + LIMIT_LATER_BATCH + 100 - refused);
    g_assert_cmpint(g_atomic_int_get(&freed), ==, LIMIT_LATER_JOBS + LIMIT_LATER_BATCH + 100);
    g_free(bench.path);
    g_free(bench.folder);
}

static gboolean insert_much(struct database *database, gpointer data, GError **error)
{
    g_autofree guint8 *octets = g_malloc0(1 << 20);
    return database_run(database, error, "INSERT INTO b VALUES (?1)", "b", octets, (gsize)(1 << 20));
}

static gboolean make_table(struct database *database, gpointer data, GError **error)
{
    return database_script(database, "CREATE TABLE b (v BLOB)", error);
}

/* The log does not grow for ever: its pages go to the database, when nothing is done and when much is done.
 */
static void test_log_is_bounded(void)
{
    struct bench bench;
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    bench_set_up(&bench);
    log = g_strconcat(bench.path, "-wal", NULL);
    g_assert_true(writer_run(bench.writer, make_table, NULL, &error));
    for (int i = 0; i < 100; i++)
        g_assert_true(writer_run(bench.writer, insert_much, NULL, &error));
    g_assert_true(g_file_get_contents(log, &text, &length, NULL));
    g_assert_cmpuint(length, <, 40 << 20);
    g_clear_pointer(&text, g_free);
    for (gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC; g_get_monotonic_time() < end;) {
        g_assert_true(g_file_get_contents(bench.path, &text, &length, NULL));
        g_clear_pointer(&text, g_free);
        if (length > 100 << 20)
            break;
        g_usleep(20000);
    }
    g_assert_cmpuint(length, >, 100 << 20);
    bench_tear_down(&bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/writer/durable", test_a_job_is_durable);
    g_test_add_func("/writer/failed-job", test_a_failed_job_leaves_nothing);
    g_test_add_func("/writer/many-callers", test_many_callers);
    g_test_add_func("/writer/locked", test_locked);
    g_test_add_func("/writer/full", test_full);
    g_test_add_func("/writer/later", test_later);
    g_test_add_func("/writer/later-by-itself", test_later_by_itself);
    g_test_add_func("/writer/later-bounded", test_later_is_bounded);
    g_test_add_func("/writer/log-bounded", test_log_is_bounded);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
