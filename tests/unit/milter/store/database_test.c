#include "milter/store/database.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "milter/store/limits.h"
#include "milter/store/schema.h"
#include "milter/store/store.h"
#include "tests/support/temp_folder.h"

static struct database *open_in(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autoptr(GError) error = NULL;
    struct database *database = database_open(path, FALSE, &error);
    g_assert_no_error(error);
    return database;
}

static void must(struct database *database, const char *sql)
{
    g_autoptr(GError) error = NULL;
    database_script(database, sql, &error);
    g_assert_no_error(error);
}

static void test_values_come_back(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autoptr(GError) error = NULL;
    must(database, "CREATE TABLE t (i INTEGER, s TEXT, b BLOB, n TEXT)");
    g_assert_true(database_run(database, &error, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)", "itbn", (gint64)-5,
                               "机密", "a\0b", (gsize)3));
    g_assert_cmpint(database_changes(database), ==, 1);
    g_assert_cmpint(database_last_number(database), ==, 1);
    g_assert_true(database_run(database, &error, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)", "itbt", (gint64)6,
                               NULL, "", (gsize)0, NULL));
    g_autoptr(rows) rows =
        rows_begin(database, "SELECT i, s, b, n FROM t WHERE i < ?1 ORDER BY i", "i", (gint64)7);
    gsize length = 9;
    g_assert_cmpint(rows_next(rows, &error), ==, ROWS_ROW);
    g_assert_cmpint(rows_integer(rows, 0), ==, -5);
    g_assert_cmpstr(rows_text(rows, 1), ==, "机密");
    const void *octets = rows_octets(rows, 2, &length);
    g_assert_cmpmem(octets, length, "a\0b", 3);
    g_assert_null(rows_text(rows, 3));
    g_assert_cmpint(rows_next(rows, &error), ==, ROWS_ROW);
    g_assert_null(rows_text(rows, 1));
    g_assert_null(rows_octets(rows, 2, &length));
    g_assert_cmpuint(length, ==, 0);
    g_assert_cmpint(rows_next(rows, &error), ==, ROWS_END);
    g_assert_cmpint(database_integer(database, -1, "SELECT max(i) FROM t", ""), ==, 6);
    g_assert_cmpint(database_integer(database, -1, "SELECT i FROM t WHERE i = ?1", "i", (gint64)99), ==, -1);
    g_assert_cmpint(database_integer(database, -1, "SELECT max(i) FROM t WHERE i > 99", ""), ==, -1);
    g_assert_cmpint(database_integer(database, -1, "SELECT nothing FROM t", ""), ==, -1);
}

static void test_a_statement_within_itself(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    static const char sql[] = "SELECT i FROM t ORDER BY i";
    guint seen = 0;
    must(database, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1), (2), (3)");
    g_autoptr(rows) outer = rows_begin(database, sql, "");
    while (rows_next(outer, NULL) == ROWS_ROW) {
        g_autoptr(rows) inner = rows_begin(database, sql, "");
        while (rows_next(inner, NULL) == ROWS_ROW)
            seen++;
    }
    g_assert_cmpuint(seen, ==, 9);
}

static void test_settings(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autofree char *log = g_strconcat(path, "-wal", NULL);
    struct stat st;
    must(database, "CREATE TABLE t (i INTEGER)");
    g_assert_cmpint(database_integer(database, -1, "PRAGMA synchronous", ""), ==, 2);
    g_assert_cmpint(database_integer(database, -1, "PRAGMA wal_autocheckpoint", ""), ==, 0);
    g_assert_cmpint(database_integer(database, -1, "PRAGMA secure_delete", ""), ==, 2); /* FAST */
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(log, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpuint(database_log_pages(database), >, 0);
    g_assert_true(database_checkpoint(database, NULL));
    g_assert_cmpuint(database_log_pages(database), ==, 0);
}

static void test_a_reader_only_reads(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autoptr(GError) error = NULL;
    must(database, "CREATE TABLE t (i INTEGER)");
    g_autoptr(database) reader = database_open(database_path(database), TRUE, &error);
    g_assert_no_error(error);
    must(database, "INSERT INTO t VALUES (7)");
    g_assert_cmpint(database_integer(reader, -1, "SELECT i FROM t", ""), ==, 7);
    g_assert_false(database_run(reader, &error, "INSERT INTO t VALUES (8)", ""));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpint(database_integer(reader, -1, "SELECT i FROM t", ""), ==, 7);
}

static void test_unique_is_changed(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autoptr(GError) error = NULL;
    must(database, "CREATE TABLE t (k TEXT UNIQUE); INSERT INTO t VALUES ('a')");
    g_assert_false(database_run(database, &error, "INSERT INTO t VALUES (?1)", "t", "a"));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_CHANGED);
    g_clear_error(&error);
    g_assert_false(database_run(database, &error, "INSERT INTO nowhere VALUES (?1)", "t", "a"));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_clear_error(&error);
    g_autoptr(rows) rows = rows_begin(database, "SELECT x FROM nowhere", "");
    g_assert_cmpint(rows_next(rows, &error), ==, ROWS_FAILED);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
}

static void expect_end(const GError *error, const char *path, const char *rest)
{
    g_autofree char *expected = g_strdup_printf("%s: %s", path, rest);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpstr(error->message, ==, expected);
}

static void test_locked_by_another_program(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autoptr(GError) error = NULL;
    sqlite3 *other = NULL;
    must(database, "CREATE TABLE t (i INTEGER)");
    g_assert_cmpint(sqlite3_open(database_path(database), &other), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_false(database_run(database, &error, "INSERT INTO t VALUES (1)", ""));
    expect_end(error, database_path(database),
               "another program has locked it: end the one that has it open (sqlite3, a backup)");
    sqlite3_close(other);
    g_clear_error(&error);
    g_assert_true(database_run(database, &error, "INSERT INTO t VALUES (1)", ""));
}

/* A limit on file sizes stands for a disk that fails: EFBIG is none of the errors that SQLite knows. */
static void test_works_again_after_the_disk_failed(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *octets = g_malloc0(200000);
    struct rlimit before, small = {.rlim_cur = 65536};
    must(database, "CREATE TABLE t (b BLOB)");
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    small.rlim_max = before.rlim_max;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    gboolean done = database_run(database, &error, "INSERT INTO t VALUES (?1)", "b", octets, (gsize)200000);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    g_assert_false(done);
    expect_end(error, database_path(database),
               "the disk failed (File too large): the kernel's log says more");
    g_clear_error(&error);
    g_assert_true(database_run(database, &error, "INSERT INTO t VALUES (?1)", "b", octets, (gsize)200000));
    g_assert_cmpint(database_integer(database, -1, "SELECT count(*) FROM t", ""), ==, 1);
}

static void test_full(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(database) database = open_in(folder);
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *octets = g_malloc0(200000);
    must(database, "CREATE TABLE t (b BLOB); PRAGMA max_page_count = 20");
    g_assert_false(database_run(database, &error, "INSERT INTO t VALUES (?1)", "b", octets, (gsize)200000));
    expect_end(error, database_path(database),
               "no space is left on the disk or in the quota: make room there, then it goes on");
}

static void write_file(const char *folder, const char *text, gsize length)
{
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
}

static void test_no_database(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autofree char *text = g_strnfill(8192, 'x');
    g_autoptr(GError) error = NULL;
    write_file(folder, text, 8192);
    g_assert_null(database_open(path, FALSE, &error));
    expect_end(error, path,
               "the file is no database, or is damaged: keep a copy of the folder, and bring back a backup");
}

static void test_damaged(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    struct database *database = open_in(folder);
    must(database, "CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1)");
    database_close(database);
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_cmpuint(length, ==, 8192);
    memset(text + 4096, 0xff, 4096);
    write_file(folder, text, length);
    g_autoptr(database) damaged = open_in(folder);
    g_assert_false(database_run(damaged, &error, "INSERT INTO t VALUES (2)", ""));
    expect_end(error, path,
               "the file is damaged: stop the daemon, keep a copy of the folder, and bring back a backup");
}

static void test_no_folder(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(database_open("/nonexistent/store.db", FALSE, &error));
    expect_end(error, "/nonexistent/store.db", "cannot be opened: No such file or directory");
}

static void test_schema(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(GError) error = NULL;
    struct database *database = open_in(folder);
    g_assert_true(schema_prepare(database, &error));
    g_assert_true(schema_prepare(database, &error));
    must(database, "INSERT INTO audit (at_ms, event, who) VALUES (1, 'view', 'root')");
    g_assert_false(database_script(database, "DELETE FROM audit", &error));
    g_clear_error(&error);
    g_assert_false(database_script(database, "UPDATE audit SET who = ''", &error));
    g_clear_error(&error);
    must(database, "PRAGMA user_version = 99");
    g_assert_false(schema_prepare(database, &error));
    expect_end(error, database_path(database),
               "has version 99, this program knows up to 1: it was written by a newer one; start that one, "
               "or bring back a backup from before");
    g_clear_error(&error);
    must(database, "PRAGMA user_version = 0; PRAGMA application_id = 0");
    g_assert_false(schema_prepare(database, &error));
    expect_end(error, database_path(database),
               "is no database of this program, or damaged (version 0, 1 expected): name another \"state\", "
               "or bring back a backup");
    database_close(database);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    signal(SIGXFSZ, SIG_IGN);
    g_test_add_func("/database/values", test_values_come_back);
    g_test_add_func("/database/within-itself", test_a_statement_within_itself);
    g_test_add_func("/database/settings", test_settings);
    g_test_add_func("/database/reader", test_a_reader_only_reads);
    g_test_add_func("/database/unique", test_unique_is_changed);
    g_test_add_func("/database/locked", test_locked_by_another_program);
    g_test_add_func("/database/disk-failed", test_works_again_after_the_disk_failed);
    g_test_add_func("/database/full", test_full);
    g_test_add_func("/database/no-database", test_no_database);
    g_test_add_func("/database/damaged", test_damaged);
    g_test_add_func("/database/no-folder", test_no_folder);
    g_test_add_func("/database/schema", test_schema);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
