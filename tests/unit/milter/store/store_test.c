#include "milter/store/store.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/store/content.h"
#include "milter/store/store_private.h"
#include "tests/support/temp_folder.h"

static const guint8 KEY_A[STORE_KEY_BYTES] = "key a, key a, key a, key a, key";
static const guint8 KEY_B[STORE_KEY_BYTES] = "key b, key b, key b, key b, key";
static const guint8 KEY_C[STORE_KEY_BYTES] = "key c, key c, key c, key c, key";

static struct store *open_store(const char *folder, const guint8 *key)
{
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(folder, key, NULL, &error);
    g_assert_no_error(error);
    return store;
}

static void expect_closed(const char *folder, const guint8 *key, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *expected = g_strconcat(folder, message, NULL);
    g_assert_null(store_open(folder, key, NULL, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE);
    g_assert_cmpstr(error->message, ==, expected);
}

static gboolean run_script(struct database *database, gpointer data, GError **error)
{
    return database_script(database, data, error);
}

static void change(struct store *store, const char *sql)
{
    g_autoptr(GError) error = NULL;
    writer_run(store->writer, run_script, (gpointer)sql, &error);
    g_assert_no_error(error);
}

static gint64 ask(struct store *store, const char *sql)
{
    gint64 value = database_integer(store_read_begin(store), -1, sql, "");
    store_read_end(store);
    return value;
}

struct keeping {
    struct content *content;
    gint64 number;
};

static gboolean insert(struct database *database, gpointer data, GError **error)
{
    struct keeping *keeping = data;
    keeping->number = content_insert(keeping->content, database, error);
    return keeping->number != 0;
}

static gint64 keep(struct store *store, const void *octets, gsize length)
{
    struct keeping keeping = {.content = content_prepare(store, octets, length, -1, NULL)};
    gboolean done = writer_run(store->writer, insert, &keeping, NULL);
    g_assert_true(done);
    content_finish(keeping.content, done);
    return keeping.number;
}

static gboolean can_read(struct store *store, gint64 number, const char *expected)
{
    gsize length = 0;
    g_autofree guint8 *octets = content_read(store, number, &length, NULL);
    return octets != NULL && length == strlen(expected) && memcmp(octets, expected, length) == 0;
}

/* ---- the folder */

static void test_new(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *inner = g_build_filename(folder, "store", NULL);
    static const char *const files[] = {"store.db", "store.db-wal", "lock"};
    struct store *store = open_store(inner, KEY_A);
    struct stat st;
    g_assert_cmpint(stat(inner, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0700);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(inner, files[i], NULL);
        g_assert_cmpint(stat(path, &st), ==, 0);
        g_assert_cmpint(st.st_mode & 07777, ==, 0600);
    }
    store_close(store);
    store_close(open_store(inner, KEY_A));
}

static void test_open_to_others(void)
{
    g_autofree char *folder = temp_folder_new();
    g_assert_cmpint(chmod(folder, 0750), ==, 0);
    expect_closed(folder, KEY_A,
                  ": must belong to the user of the daemon and be closed to all others (mode 0700)");
    expect_closed("/nonexistent/store", KEY_A, ": cannot be opened or made: No such file or directory");
}

static void test_two_daemons(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *message = g_strdup_printf("/lock: another process has this store open (%d): two must "
                                               "never write one; stop it, or name another \"state\"",
                                               (int)getpid());
    struct store *store = open_store(folder, KEY_A);
    expect_closed(folder, KEY_A, message);
    store_close(store);
    store_close(open_store(folder, KEY_A));
}

/* A process that is killed leaves all that was committed, and no lock. */
static void test_killed(void)
{
    g_autofree char *folder = temp_folder_new();
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = store_open(folder, KEY_A, NULL, NULL);
        struct keeping keeping = {.content = content_prepare(store, "kept", 4, -1, NULL)};
        if (writer_run(store->writer, insert, &keeping, NULL))
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    struct store *store = open_store(folder, KEY_A);
    g_assert_true(can_read(store, 1, "kept"));
    store_close(store);
}

static void test_damaged(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    store_close(open_store(folder, KEY_A));
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    for (gsize page = 4096; page < length; page += 4096)
        memset(text + page, 0x5a, 8);
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_null(store_open(folder, KEY_A, NULL, &error));
    g_assert_nonnull(strstr(error->message, "store.db: the file is damaged"));
    g_assert_true(g_file_set_contents(path, "nothing of ours", -1, NULL));
    expect_closed(folder, KEY_A,
                  "/store.db: the file is no database, or is damaged: keep a copy of the folder, and bring "
                  "back a backup");
}

/* Contents are not read through: they would take minutes. */
static void test_large(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *said = NULL;
    g_autoptr(GError) error = NULL;
    struct store *store = open_store(folder, KEY_A);
    change(store, "INSERT INTO content (digest, size, key_mark, wrapped_key, sealed) VALUES ('', 1, '', '', "
                  "zeroblob(270000000))");
    store_close(store);
    store = store_open(folder, KEY_A, &said, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(said, ==,
                    "the database is large (257 MB): only holds, attempts and notices were read through");
    store_close(store);
    temp_folder_remove(folder);
}

static void test_ids(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint counts[256] = {0}, letters = 0;
    for (int i = 0; i < 2000; i++) {
        char *id = store_new_id();
        g_assert_true(store_is_id(id));
        for (const char *at = id; *at != '\0'; at++)
            counts[(guint8)*at]++;
        g_hash_table_add(seen, id);
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, 2000);
    for (guint i = 0; i < 256; i++)
        if (counts[i] > 0) {
            letters++;
            g_assert_cmpuint(counts[i], >, 1600); /* of 2000 to be expected */
            g_assert_cmpuint(counts[i], <, 2400);
        }
    g_assert_cmpuint(letters, ==, 27);
    g_assert_false(store_is_id(""));
    g_assert_false(store_is_id("23456789bcdfghjkmnpqrstvwx/"));
    g_assert_false(store_is_id("23456789bcdfghjkmnpqrstvwxzz"));
}

/* ---- the key */

static void test_secret_stays(void)
{
    g_autofree char *folder = temp_folder_new();
    guint8 secret[SECRET_BYTES];
    struct store *store = open_store(folder, NULL);
    memcpy(secret, store->secret, SECRET_BYTES);
    store_close(store);
    store = open_store(folder, NULL);
    g_assert_cmpmem(store->secret, SECRET_BYTES, secret, SECRET_BYTES);
    store_close(store);
    store = open_store(folder, KEY_A); /* its first key */
    g_assert_cmpmem(store->secret, SECRET_BYTES, secret, SECRET_BYTES);
    g_assert_cmpint(ask(store, "SELECT length(value) FROM meta WHERE name = 'secret'"), ==, 60);
    g_assert_true(store_change_key(store, KEY_B, NULL));
    store_close(store);
    store = open_store(folder, KEY_B);
    g_assert_cmpmem(store->secret, SECRET_BYTES, secret, SECRET_BYTES);
    store_close(store);
}

static void test_wrong_key(void)
{
    g_autofree char *folder = temp_folder_new();
    store_close(open_store(folder, KEY_A));
    expect_closed(
        folder, KEY_B,
        ": what is kept is sealed with the store key f3c2b0fb65a53427, and the key file holds the key "
        "a54ea210d0c3c25b: put the old file back and start; a key is changed by \"miji reload\" while the "
        "daemon runs");
    expect_closed(
        folder, NULL,
        ": what is kept is sealed with the store key f3c2b0fb65a53427, and no \"key file\" is given: name "
        "that file again");
    store_close(open_store(folder, KEY_A));
}

static void test_key_changes(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autoptr(GError) error = NULL;
    static const guint8 *const keys[] = {KEY_A, KEY_B, KEY_C, KEY_A, KEY_B};
    gint64 numbers[G_N_ELEMENTS(keys)];
    struct store *store = open_store(folder, KEY_A);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        store_change_key(store, keys[i], &error);
        g_assert_no_error(error);
        numbers[i] = keep(store, "text", 4);
        for (guint before = 0; before <= i; before++)
            g_assert_true(can_read(store, numbers[before], "text"));
        if (i % 2 == 1)
            continue;
        store_close(store);
        store = open_store(folder, keys[i]);
        for (guint before = 0; before <= i; before++)
            g_assert_true(can_read(store, numbers[before], "text"));
    }
    g_assert_cmpint(ask(store, "SELECT count(DISTINCT key_mark) FROM content"), ==, 3);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM keyring"), ==, 2);
    store_close(store);
    store = open_store(folder, KEY_B);
    store_close(store);
}

static void test_damaged_ring(void)
{
    g_autofree char *folder = temp_folder_new();
    struct store *store = open_store(folder, KEY_A);
    g_assert_true(store_change_key(store, KEY_B, NULL));
    change(store, "UPDATE keyring SET wrapped = zeroblob(60)");
    store_close(store);
    expect_closed(folder, KEY_B, "/store.db: an older store key does not open: the list is damaged");
    store = NULL;
    g_autofree char *other = temp_folder_new();
    store = open_store(other, KEY_A);
    change(store, "UPDATE meta SET value = zeroblob(60) WHERE name = 'secret'");
    store_close(store);
    expect_closed(other, KEY_A, "/store.db: the secret of this store is damaged");
}

/* ---- time */

static void add_hold(struct store *store, gint64 content, const char *closed_ms)
{
    g_autofree char *id = store_new_id();
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO hold (id, kind, at_ms, reference, class, sender, zone, authors, size, digest, about, "
        "content, "
        "record, system_high, courtesy, generation, snapshot_hash, closed_ms) VALUES ('%s', 0, 1, '', 0, '', "
        "'', '', 0, "
        "'', '', %" G_GINT64_FORMAT ", '', 0, 0, 0, '', %s);"
        "INSERT INTO hold_recipient (hold, position, canonical, key, state, changed_ms, leading, reasons) "
        "VALUES (last_insert_rowid(), 0, '', randomblob(16), 0, 1, '', '')",
        id, content, closed_ms);
    change(store, sql);
}

/* Both looks say the same. */
static void tidy_twice(struct store *store, gint64 now_ms, gint64 keep_closed_ms, gint64 remember_ms)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 2; i++) {
        clock_advance(10 * 60 * 1000);
        store_tidy(store, now_ms, keep_closed_ms, remember_ms, &error);
        g_assert_no_error(error);
    }
}

static void test_tidy(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *large = g_strnfill(400000, 'x');
    struct store *store = open_store(folder, KEY_A);
    for (int i = 0; i < 250; i++) {
        gint64 content = keep(store, i % 100 == 0 ? large : "text", i % 100 == 0 ? 400000 : 4);
        add_hold(store, content, i % 5 == 0 ? "NULL" : "1000");
    }
    gint64 shared = keep(store, "shared", 6);
    add_hold(store, shared, "1000");
    add_hold(store, shared, "9000");
    change(store,
           "INSERT INTO deferred (key, first_ms, last_ms, count) SELECT randomblob(16), 1, value, 1 FROM "
           "(WITH RECURSIVE n (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < 3000) "
           "SELECT value FROM n)");
    tidy_twice(store, 10000, 8500, 8000); /* closed before 1500, attempts before 2000 */
    g_assert_cmpint(ask(store, "SELECT count(*) FROM hold"), ==, 51);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM hold_recipient"), ==, 51);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM hold WHERE closed_ms IS NULL"), ==, 50);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM content"), ==, 51);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM deferred"), ==, 1001);
    g_assert_true(can_read(store, shared, "shared"));
    tidy_twice(store, 20000, 8500, 30000); /* kept as long as the keys count */
    g_assert_cmpint(ask(store, "SELECT count(*) FROM hold"), ==, 51);
    tidy_twice(store, 20000, 8500, 8000);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM hold"), ==, 50);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM deferred"), ==, 0);
    g_assert_false(can_read(store, shared, "shared"));
    g_autofree char *contents = g_build_filename(folder, "contents", NULL);
    g_autoptr(GDir) dir = g_dir_open(contents, 0, NULL);
    guint files = 0;
    while (g_dir_read_name(dir) != NULL)
        files++;
    g_assert_cmpuint(files, ==, 3); /* 0, 100, 200: all undecided */
    store_close(store);
}

/* A wall clock that is days ahead for a moment, or for less than ten minutes of the other clock. */
static void test_tidy_after_a_jump(void)
{
    static const gint64 looks[] = {2000, 99000, 99000, 2000, 99000};
    static const guint minutes_before[] = {0, 10, 9, 1, 60};
    g_autofree char *folder = temp_folder_new();
    g_autoptr(GError) error = NULL;
    struct store *store = open_store(folder, KEY_A);
    add_hold(store, keep(store, "text", 4), "1000");
    change(store, "INSERT INTO deferred (key, first_ms, last_ms, count) VALUES (randomblob(16), 1, 1000, 1)");
    for (guint i = 0; i < G_N_ELEMENTS(looks); i++) {
        clock_advance((gint64)minutes_before[i] * 60 * 1000);
        store_tidy(store, looks[i], 8000, 8000, &error);
        g_assert_no_error(error);
        g_assert_cmpint(ask(store, "SELECT count(*) FROM hold"), ==, 1);
        g_assert_cmpint(ask(store, "SELECT count(*) FROM deferred"), ==, 1);
    }
    clock_advance(10 * 60 * 1000);
    store_tidy(store, 99000, 8000, 8000, &error); /* the second one in a row */
    g_assert_no_error(error);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM hold"), ==, 0);
    g_assert_cmpint(ask(store, "SELECT count(*) FROM deferred"), ==, 0);
    store_close(store);
}

static void test_status(void)
{
    g_autofree char *folder = temp_folder_new();
    struct store *store = open_store(folder, KEY_A);
    struct store_status status;
    add_hold(store, keep(store, "text", 4), "NULL");
    change(
        store,
        "INSERT INTO notice (about, kind, addressee, reference, is_failure, created_ms, next_ms, tries, "
        "state)"
        " VALUES ('a', 0, '', '', 0, 1, 1, 0, 0), ('b', 0, '', '', 0, 1, 1, 3, 0), ('c', 0, '', '', 0, 1, 1, "
        "1, 1)");
    change(store, "INSERT INTO audit (at_ms, event, who) VALUES (77, 'x', ''), (55, 'y', '')");
    store_get_status(store, &status);
    g_assert_cmpuint(status.open_holds, ==, 1);
    g_assert_cmpuint(status.outbox, ==, 2);
    g_assert_cmpuint(status.outbox_failing, ==, 1);
    g_assert_cmpuint(status.commits, ==, 4);
    g_assert_true(status.available);
    g_assert_null(status.problem);
    g_assert_cmpint(store_newest_audit_ms(store), ==, 0);
    store_close(store);
    store = open_store(folder, KEY_A);
    g_assert_cmpint(store_newest_audit_ms(store), ==, 77);
    store_close(store);
}

/* The database is gone, and large contents are not: they wait for it. */
static void test_database_gone(void)
{
    g_autofree char *folder = temp_folder_new();
    g_autofree char *path = g_build_filename(folder, "store.db", NULL);
    g_autofree char *away = g_strconcat(path, ".away", NULL);
    g_autofree char *large = g_strnfill(CONTENT_IN_ROW_BYTES + 1, 'x');
    struct store *store = open_store(folder, KEY_A);
    gint64 number = keep(store, large, strlen(large));

    store_close(store);
    g_assert_cmpint(rename(path, away), ==, 0);
    for (guint i = 0; i < 2; i++)
        expect_closed(folder, KEY_A,
                      "/store.db: is not there, or empty, and contents of mail are: bring it back, from a "
                      "backup if need be; to begin anew, move the folder contents away");
    g_assert_cmpint(rename(away, path), ==, 0);
    store = open_store(folder, KEY_A);
    g_assert_true(can_read(store, number, large));
    store_close(store);
}

int main(int argc, char **argv)
{
    if (access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/store/new", test_new);
    g_test_add_func("/store/open-to-others", test_open_to_others);
    g_test_add_func("/store/two-daemons", test_two_daemons);
    g_test_add_func("/store/killed", test_killed);
    g_test_add_func("/store/damaged", test_damaged);
    g_test_add_func("/store/large", test_large);
    g_test_add_func("/store/ids", test_ids);
    g_test_add_func("/store/secret", test_secret_stays);
    g_test_add_func("/store/wrong-key", test_wrong_key);
    g_test_add_func("/store/key-changes", test_key_changes);
    g_test_add_func("/store/damaged-ring", test_damaged_ring);
    g_test_add_func("/store/tidy", test_tidy);
    g_test_add_func("/store/tidy-after-a-jump", test_tidy_after_a_jump);
    g_test_add_func("/store/status", test_status);
    g_test_add_func("/store/database-gone", test_database_gone);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
