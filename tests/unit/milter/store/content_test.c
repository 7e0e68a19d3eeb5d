#include "milter/store/content.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/store/limits.h"
#include "milter/store/store_private.h"
#include "tests/support/temp_folder.h"

static const guint8 KEY[STORE_KEY_BYTES] = "0123456789abcdef0123456789abcde";

static struct store *open_store(const char *folder)
{
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(folder, KEY, NULL, &error);
    g_assert_no_error(error);
    return store;
}

static guint8 *draw(gsize length)
{
    guint8 *octets = g_malloc(length + 1);
    for (gsize i = 0; i < length; i++)
        octets[i] = (guint8)g_test_rand_int();
    return octets;
}

/* ---- as store_keep does it */

struct keeping {
    struct content *content;
    gint64 number;
    gboolean shall_fail;
};

static gboolean insert(struct database *database, gpointer data, GError **error)
{
    struct keeping *keeping = data;
    keeping->number = content_insert(keeping->content, database, error);
    if (keeping->number != 0 && keeping->shall_fail)
        g_set_error(error, STORE_ERROR, STORE_ERROR_CHANGED, "as asked");
    return keeping->number != 0 && !keeping->shall_fail;
}

static gint64 keep(struct store *store, const void *octets, gsize length, int fd)
{
    g_autoptr(GError) error = NULL;
    struct keeping keeping = {.content = content_prepare(store, octets, length, fd, &error)};
    g_assert_no_error(error);
    gboolean done = writer_run(store->writer, insert, &keeping, &error);
    g_assert_no_error(error);
    content_finish(keeping.content, done);
    return keeping.number;
}

static void expect_same(struct store *store, gint64 number, const guint8 *octets, gsize length)
{
    g_autoptr(GError) error = NULL;
    gsize found = 0;
    g_autofree guint8 *back = content_read(store, number, &found, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(back, found, octets, length);
}

static void expect_damaged(struct store *store, gint64 number, const char *why)
{
    g_autoptr(GError) error = NULL;
    gsize found = 0;
    g_autofree char *message =
        g_strdup_printf("contents %" G_GINT64_FORMAT " cannot be read: %s", number, why);
    g_assert_null(content_read(store, number, &found, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
    g_assert_cmpstr(error->message, ==, message);
}

static guint files_in(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "contents", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;
    while (g_dir_read_name(dir) != NULL)
        count++;
    return count;
}

/* The one file there is; new. */
static char *only_file(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "contents", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_assert_cmpuint(files_in(folder), ==, 1);
    return g_build_filename(path, g_dir_read_name(dir), NULL);
}

static const gsize lengths[] = {0, 1, 5000, CONTENT_IN_ROW_BYTES, CONTENT_IN_ROW_BYTES + 1, 3000000};

static void test_comes_back(void)
{
    g_autofree char *folder = temp_folder_new();
    struct store *store = open_store(folder);
    gint64 numbers[2 * G_N_ELEMENTS(lengths)];
    g_autofree guint8 *octets = draw(3000000);
    int fd = memfd_create("message", MFD_CLOEXEC);
    g_assert_cmpint(write(fd, octets, 3000000), ==, 3000000);
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        numbers[2 * i] = keep(store, octets, lengths[i], -1);
        numbers[2 * i + 1] = keep(store, NULL, lengths[i], fd);
    }
    close(fd);
    for (int again = 0; again < 2; again++) {
        for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
            expect_same(store, numbers[i], octets, lengths[i / 2]);
        store_close(store);
        store = open_store(folder); /* as another process would */
    }
    g_assert_cmpuint(files_in(folder), ==, 4);
    expect_damaged(store, 9999, "there is no row of them");
    store_close(store);
}

static void test_files_are_closed_to_others(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(300000);
    g_autofree char *path = NULL;
    struct store *store = open_store(folder);
    struct stat st;
    keep(store, octets, 300000, -1);
    path = only_file(folder);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0600);
    g_autofree char *text = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_null(memmem(text, length, octets, 16)); /* sealed */
    store_close(store);
}

/* ---- nothing is left behind */

static void test_a_failed_job_leaves_no_file(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(300000);
    g_autoptr(GError) error = NULL;
    struct store *store = open_store(folder);
    struct keeping keeping = {.content = content_prepare(store, octets, 300000, -1, &error),
                              .shall_fail = TRUE};
    g_assert_cmpuint(files_in(folder), ==, 1);
    g_assert_false(writer_run(store->writer, insert, &keeping, &error));
    content_finish(keeping.content, FALSE);
    g_assert_cmpuint(files_in(folder), ==, 0);
    expect_damaged(store, keeping.number, "there is no row of them");
    store_close(store);
}

static void test_not_used(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(300000);
    struct store *store = open_store(folder);
    content_finish(content_prepare(store, octets, 300000, -1, NULL), FALSE);
    g_assert_cmpuint(files_in(folder), ==, 0);
    store_close(store);
}

static void test_disk_full(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(3000000);
    g_autofree char *message = g_strdup_printf("%s/contents: cannot be written: File too large", folder);
    g_autoptr(GError) error = NULL;
    struct store *store = open_store(folder);
    struct rlimit before, small = {.rlim_cur = 1000000};
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    small.rlim_max = before.rlim_max;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    struct content *content = content_prepare(store, octets, 3000000, -1, &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    g_assert_null(content);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpuint(files_in(folder), ==, 0);
    expect_same(store, keep(store, octets, 3000000, -1), octets, 3000000);
    store_close(store);
}

static void test_message_is_shorter_than_said(void)
{
    g_autofree char *folder = temp_folder_new();
    struct store *store = open_store(folder);
    static const gsize said[] = {100, 500000};
    int fd = memfd_create("message", MFD_CLOEXEC);
    g_assert_cmpint(write(fd, "short", 5), ==, 5);
    for (guint i = 0; i < G_N_ELEMENTS(said); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(content_prepare(store, NULL, said[i], fd, &error));
        g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    }
    close(fd);
    g_assert_cmpuint(files_in(folder), ==, 0);
    store_close(store);
}

static void test_without_a_key(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(folder, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(content_prepare(store, "x", 1, -1, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_nonnull(strstr(error->message, "miji store new-key"));
    store_close(store);
}

/* ---- damage */

static gboolean run_script(struct database *database, gpointer data, GError **error)
{
    return database_script(database, data, error);
}

static void change_rows(struct store *store, const char *sql)
{
    g_autoptr(GError) error = NULL;
    writer_run(store->writer, run_script, (gpointer)sql, &error);
    g_assert_no_error(error);
}

static void test_damaged_rows(void)
{
    g_autofree char *folder = temp_folder_new();
    struct store *store = open_store(folder);
    gint64 number = keep(store, "one message", 11, -1), other = keep(store, "two message", 11, -1);
    expect_same(store, number, (const guint8 *)"one message", 11);
    change_rows(store, "UPDATE content SET digest = zeroblob(32) WHERE number = 1");
    expect_damaged(store, number, "their digest is another");
    change_rows(store, "UPDATE content SET size = 10 WHERE number = 1");
    expect_damaged(store, number, "the sealed content is damaged: it is larger than it may be");
    change_rows(store, "UPDATE content SET size = -1 WHERE number = 1");
    expect_damaged(store, number, "their row is damaged");
    change_rows(store, "UPDATE content SET size = 11, key_mark = x'0102030405060708' WHERE number = 1");
    expect_damaged(store, number, "the key of a message was wrapped by a store key that is not known");
    change_rows(store, "UPDATE content SET key_mark = x'01' WHERE number = 1");
    expect_damaged(store, number, "their row is damaged");
    /* the octets of another message under its own name */
    change_rows(store,
                "UPDATE content SET sealed = (SELECT sealed FROM content WHERE number = 1) WHERE number = 2");
    expect_damaged(store, other,
                   "the sealed content is damaged: it was changed, cut, or sealed as something else");
    change_rows(store, "UPDATE content SET sealed = NULL, file = '../../../etc/passwd' WHERE number = 2");
    expect_damaged(store, other, "their row is damaged");
    store_close(store);
}

static void test_damaged_files(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(400000);
    struct store *store = open_store(folder);
    gint64 number = keep(store, octets, 400000, -1);
    g_autofree char *path = only_file(folder);
    g_autofree char *text = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    text[length / 2] ^= 1;
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
    expect_damaged(store, number,
                   "the sealed content is damaged: it was changed, cut, or sealed as something else");
    text[length / 2] ^= 1;
    g_assert_true(g_file_set_contents(path, text, (gssize)length - 20, NULL));
    expect_damaged(store, number,
                   "the sealed content is damaged: it was changed, cut, or sealed as something else");
    g_autofree char *much = g_malloc0(2000000);
    g_assert_true(g_file_set_contents(path, much, 2000000, NULL));
    expect_damaged(store, number, "their file is none of ours");
    g_assert_cmpint(unlink(path), ==, 0);
    expect_damaged(store, number, "their file is gone");
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
    expect_same(store, number, octets, 400000);
    store_close(store);
}

/* ---- the start */

static void write_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, "contents", name, NULL);
    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void test_start_puts_right(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(300000);
    g_autofree char *said = NULL;
    g_autofree char *expected = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    struct store *store = open_store(folder);
    gint64 number = keep(store, octets, 300000, -1);
    path = only_file(folder);
    store_close(store);
    write_file(folder, "23456789bcdfghjkmnpqrstvwxz");
    write_file(folder, ".23456789bcdfghjkmnpqrstvwxz");
    write_file(folder, "README"); /* none of ours */
    store = store_open(folder, KEY, &said, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(said, ==,
                    "1 half-written files of contents were removed; 1 files of contents without a row were "
                    "moved to the folder "
                    "orphans, for a week");
    g_assert_cmpuint(files_in(folder), ==, 2);
    expect_same(store, number, octets, 300000);
    store_close(store);
    g_assert_cmpint(unlink(path), ==, 0);
    g_free(said);
    store = store_open(folder, KEY, &said, &error);
    g_assert_no_error(error);
    expected = g_strdup_printf("1 contents are lost: their files are not in %s/contents", folder);
    g_assert_cmpstr(said, ==, expected);
    store_close(store);
}

static struct store *open_saying(const char *folder, char **said)
{
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(folder, KEY, said, &error);
    g_assert_no_error(error);
    return store;
}

/* An older database is put back beside newer contents, and then the newer one again: the mail is there. */
static void test_older_database(void)
{
    static const char *const said_each[] = {
        "1 files of contents without a row were moved to the folder orphans, for a week",
        "1 files of contents came back from the folder orphans"};
    g_autofree char *folder = temp_folder_new(), *database = g_build_filename(folder, "store.db", NULL);
    g_autofree char *orphans = g_build_filename(folder, "orphans", NULL), *older = NULL, *newer = NULL;
    g_autofree char *said = NULL, *again = NULL;
    g_autofree guint8 *octets = draw(300000);
    gsize older_length = 0, newer_length = 0;
    struct stat st;
    store_close(open_store(folder));
    g_assert_true(g_file_get_contents(database, &older, &older_length, NULL));
    struct store *store = open_store(folder);
    gint64 number = keep(store, octets, 300000, -1);
    store_close(store);
    g_assert_true(g_file_get_contents(database, &newer, &newer_length, NULL));
    g_assert_true(g_file_set_contents_full(database, older, (gssize)older_length, 0, 0600, NULL));
    store_close(open_saying(folder, &said));
    g_assert_cmpstr(said, ==, said_each[0]);
    g_assert_cmpint(stat(orphans, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0700);
    g_assert_true(g_file_set_contents_full(database, newer, (gssize)newer_length, 0, 0600, NULL));
    store = open_saying(folder, &again);
    g_assert_cmpstr(again, ==, said_each[1]);
    expect_same(store, number, octets, 300000);
    store_close(store);
}

/* Nobody asked for it for a week. */
static void test_orphans_go(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *path = g_build_filename(folder, "orphans", "23456789bcdfghjkmnpqrstvwxz", NULL);
    struct store *store = open_store(folder);
    gint64 now_ms = clock_wall_ms();
    write_file(folder, "23456789bcdfghjkmnpqrstvwxz");
    for (guint i = 0; i < 4; i++) { /* two looks before the week is over, two behind it */
        g_assert_true(store_tidy(store, now_ms + (i < 2 ? 6 : 8) * G_TIME_SPAN_DAY / 1000, 0, 0, NULL));
        g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS) == (i < 3));
        clock_advance(10 * 60 * 1000);
    }
    store_close(store);
}

/* What is being written is no file without a row. */
static void test_tidy_leaves_what_is_under_way(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree guint8 *octets = draw(300000);
    g_autoptr(GError) error = NULL;
    struct store *store = open_store(folder);
    struct keeping keeping = {.content = content_prepare(store, octets, 300000, -1, &error)};
    write_file(folder, "23456789bcdfghjkmnpqrstvwxz");
    store_tidy(store, 0, 0, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(files_in(folder), ==, 1);
    g_assert_true(writer_run(store->writer, insert, &keeping, &error));
    content_finish(keeping.content, TRUE);
    store_tidy(store, 0, 0, 0, &error);
    g_assert_no_error(error);
    expect_same(store, keeping.number, octets, 300000);
    store_close(store);
}

/* ---- sixteen at once */

struct crowd {
    struct store *store;
    guint wrong;
};

static void *keep_many(void *data)
{
    struct crowd *crowd = data;

    for (int i = 0; i < 12; i++) {
        gsize length = i % 4 == 3 ? 400000 : 20000, found = 0;
        g_autofree guint8 *octets = g_malloc(length);
        memset(octets, i, length);
        struct keeping keeping = {.content = content_prepare(crowd->store, octets, length, -1, NULL)};
        gboolean done = writer_run(crowd->store->writer, insert, &keeping, NULL);
        content_finish(keeping.content, done);
        g_autofree guint8 *back = content_read(crowd->store, keeping.number, &found, NULL);
        crowd->wrong += back == NULL || found != length || memcmp(back, octets, length) != 0;
    }
    return NULL;
}

static void test_many_threads(void)
{
    g_autofree char *folder = temp_folder_new();
    struct store *store = open_store(folder);
    struct crowd crowds[16];
    pthread_t threads[16];
    for (int i = 0; i < 16; i++) {
        crowds[i] = (struct crowd){.store = store};
        g_assert_cmpint(pthread_create(&threads[i], NULL, keep_many, &crowds[i]), ==, 0);
    }
    g_assert_true(store_tidy(store, 0, 0, 0, NULL));
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        g_assert_cmpuint(crowds[i].wrong, ==, 0);
    }
    g_assert_cmpuint(files_in(folder), ==, 16 * 3);
    store_close(store);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    signal(SIGXFSZ, SIG_IGN);
    g_test_add_func("/content/comes-back", test_comes_back);
    g_test_add_func("/content/closed-to-others", test_files_are_closed_to_others);
    g_test_add_func("/content/failed-job", test_a_failed_job_leaves_no_file);
    g_test_add_func("/content/not-used", test_not_used);
    g_test_add_func("/content/disk-full", test_disk_full);
    g_test_add_func("/content/shorter-than-said", test_message_is_shorter_than_said);
    g_test_add_func("/content/without-a-key", test_without_a_key);
    g_test_add_func("/content/damaged-rows", test_damaged_rows);
    g_test_add_func("/content/damaged-files", test_damaged_files);
    g_test_add_func("/content/start", test_start_puts_right);
    g_test_add_func("/content/older-database", test_older_database);
    g_test_add_func("/content/orphans-go", test_orphans_go);
    g_test_add_func("/content/under-way", test_tidy_leaves_what_is_under_way);
    g_test_add_func("/content/many-threads", test_many_threads);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
