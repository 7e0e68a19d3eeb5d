/*
 * The log gathers what is written to it. A transaction that is larger than the memory for its pages writes
 * some of them early, reads them again, writes over them, takes some back; and any of these calls may fail.
 */
#include "milter/store/log_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/store/database.h"
#include "milter/store/limits.h"
#include "tests/support/disk.h"
#include "tests/support/temp_folder.h"

/* Sanitizers look at every octet: only some of the calls fail there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEP 5
#else
#define STEP 1
#endif
#define ROWS 12
#define OCTETS 60000

struct scene {
    char *folder, *path;
    struct database *database;
    struct disk_image *image;
};

static void scene_set_up(struct scene *scene)
{
    g_autoptr(GError) error = NULL;
    scene->folder = temp_folder_new();
    scene->path = g_build_filename(scene->folder, "store.db", NULL);
    disk_watch(scene->folder);
    scene->image = disk_image_new();
    scene->database = database_open(scene->path, FALSE, &error);
    g_assert_no_error(error);
    g_assert_true(
        database_script(scene->database,
                        "CREATE TABLE t (i INTEGER PRIMARY KEY, round INTEGER, b BLOB, sum INTEGER);"
                        "CREATE INDEX t_round ON t (round)",
                        NULL));
}

static void scene_tear_down(struct scene *scene)
{
    database_close(scene->database);
    disk_image_free(scene->image);
    temp_folder_remove(scene->folder);
    disk_watch(NULL);
    g_free(scene->folder);
    g_free(scene->path);
}

static gint64 sum_of(const guint8 *octets, gsize length)
{
    gint64 sum = 7;
    for (gsize i = 0; i < length; i++)
        sum = sum * 31 % 1000003 + octets[i];
    return sum;
}

static gboolean put(struct database *database, gint64 round)
{
    g_autofree guint8 *octets = g_malloc(OCTETS);
    for (gsize i = 0; i < OCTETS; i += 4)
        memcpy(octets + i, &(guint32){g_test_rand_int()}, 4);
    return database_run(database, NULL, "INSERT INTO t (round, b, sum) VALUES (?1, ?2, ?3)", "ibi", round,
                        octets, (gsize)OCTETS, sum_of(octets, OCTETS));
}

/* In a savepoint: a row, a look at all, a change of the earlier ones; every third time all of it is taken
 * back. */
static gboolean step(struct database *database, gint64 round, int i)
{
    gboolean is_kept = i % 3 != 2;
    gboolean done =
        database_run(database, NULL, "SAVEPOINT s", "") && put(database, round) &&
        database_integer(database, -1, "SELECT sum(length(b)) FROM t WHERE round = ?1", "i", round) > 0 &&
        database_run(database, NULL, "UPDATE t SET round = round WHERE round = ?1", "i", round);
    if (database_in_transaction(database) && (!done || !is_kept))
        database_run(database, NULL, "ROLLBACK TO s", "");
    if (database_in_transaction(database))
        database_run(database, NULL, "RELEASE s", "");
    return done && is_kept;
}

/* How many rows were put for certain; -1: nothing was. Goes on after what failed, as a writer of jobs might.
 */
static int transaction(struct database *database, gint64 round)
{
    int put_rows = 0;
    database_script(database, "PRAGMA cache_size = 20", NULL); /* pages: nearly all are written early */
    if (!database_run(database, NULL, "BEGIN IMMEDIATE", ""))
        return -1;
    for (int i = 0; i < ROWS && database_in_transaction(database); i++)
        put_rows += step(database, round, i);
    if (database_in_transaction(database) && database_run(database, NULL, "COMMIT", ""))
        return put_rows;
    if (database_in_transaction(database))
        database_run(database, NULL, "ROLLBACK", "");
    return -1;
}

static void look_at_rows(struct database *database)
{
    g_autoptr(rows) rows = rows_begin(database, "SELECT b, sum FROM t", "");
    g_autoptr(GError) error = NULL;
    guint wrong = 0;
    enum rows_answer answer;
    while ((answer = rows_next(rows, &error)) == ROWS_ROW) {
        gsize length = 0;
        const guint8 *octets = rows_octets(rows, 0, &length);
        wrong += length != OCTETS || sum_of(octets, length) != rows_integer(rows, 1);
    }
    g_assert_no_error(error);
    g_assert_cmpuint(wrong, ==, 0);
    g_autoptr(rows) check = rows_begin(database, "PRAGMA integrity_check", "");
    g_assert_cmpint(rows_next(check, &error), ==, ROWS_ROW);
    g_assert_cmpstr(rows_text(check, 0), ==, "ok");
}

static void expect_rows(struct database *database, gint64 round, int least, int most)
{
    gint64 found = database_integer(database, -1, "SELECT count(*) FROM t WHERE round = ?1", "i", round);
    g_assert_cmpint(found, >=, least);
    g_assert_cmpint(found, <=, most);
}

/* As a process that starts behind a kill would find it. */
static void expect_after_kill(struct scene *scene, gint64 round, int done)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    guint count = 0;
    disk_events(&count);
    disk_image_advance(scene->image, count);
    disk_image_write(scene->image, DISK_KEPT_ALL, folder);
    g_autoptr(database) database = database_open(path, FALSE, NULL);
    expect_rows(database, round, done >= 0 ? done : 0, done >= 0 ? done : ROWS);
    look_at_rows(database);
    database_close(g_steal_pointer(&database));
    temp_folder_remove(folder);
}

static void fail_every_call(int number, guint times)
{
    struct scene scene;
    gboolean is_reached = TRUE;
    guint failed = 0;
    scene_set_up(&scene);
    for (guint n = 1; is_reached && !g_test_failed(); n += STEP) {
        guint before = disk_calls();
        disk_fail(before + n, times, number);
        int done = transaction(scene.database, n);
        is_reached = disk_calls() - before >= n;
        disk_fail(0, 0, 0);
        failed += done < 0;
        expect_after_kill(&scene, n, done);
        expect_rows(scene.database, n, MAX(done, 0), MAX(done, 0));
        g_assert_true(database_script(scene.database, "DELETE FROM t WHERE i % 4 > 0", NULL));
        look_at_rows(scene.database);
        if (n % 8 < STEP)
            g_assert_true(database_checkpoint(scene.database, NULL));
    }
    g_assert_cmpuint(failed, >, 8 / STEP);
    scene_tear_down(&scene);
}

static void test_full(void)
{
    fail_every_call(ENOSPC, 1);
    fail_every_call(ENOSPC, G_MAXUINT);
}

static void test_broken(void)
{
    fail_every_call(EIO, 1);
    fail_every_call(EIO, G_MAXUINT);
}

/* Few and large writes, none of them larger than SQLite can do at once. */
static void test_gathers(void)
{
    struct scene scene;
    guint first = 0, count = 0, writes = 0, syncs = 0;
    scene_set_up(&scene);
    disk_events(&first);
    for (int i = 0; i < 10; i++)
        g_assert_true(put(scene.database, i));
    const struct disk_event *events = disk_events(&count);
    for (guint i = first; i < count; i++) {
        writes += events[i].call == DISK_WRITE;
        syncs += events[i].call == DISK_SYNC;
        g_assert_cmpuint(events[i].length, <=, LOG_GATHERED_BYTES);
    }
    g_assert_cmpuint(syncs, ==, 10);
    g_assert_cmpuint(writes, ==, 10);
    scene_tear_down(&scene);
}

int main(int argc, char **argv)
{
    disk_preload(argv);
    if (access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/log-file/gathers", test_gathers);
    g_test_add_func("/log-file/full", test_full);
    g_test_add_func("/log-file/broken", test_broken);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
