#include "milter/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/store/content.h"
#include "milter/store/identity.h"
#include "milter/store/keyring.h"
#include "milter/store/limits.h"
#include "milter/store/schema.h"

static gboolean unusable(const char *path, const char *why, GError **error)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s: %s", path, why);
    return FALSE;
}

/* ---- ids */

/* 27 of 27 letters: 128 bits and a little. */
static const char letters[] = "23456789bcdfghjkmnpqrstvwxz";

char *store_new_id(void)
{
    char id[ID_CHARACTERS + 1] = "";
    guint8 random[64];

    for (guint filled = 0; filled < ID_CHARACTERS;) {
        if (RAND_bytes(random, sizeof random) != 1)
            g_error("there are no random numbers");
        for (guint i = 0; i < sizeof random && filled < ID_CHARACTERS; i++)
            if (random[i] <
                256 / (sizeof letters - 1) * (sizeof letters - 1)) /* each letter as likely as any */
                id[filled++] = letters[random[i] % (sizeof letters - 1)];
    }
    return g_strdup(id);
}

gboolean store_is_id(const char *text)
{
    return strlen(text) == ID_CHARACTERS && strspn(text, letters) == ID_CHARACTERS;
}

/* ---- the folder and its lock */

/* Makes it when it is not there; an entry of its parent, so that one is synced. -1 and error. */
static int folder_open(const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    gboolean is_new = mkdir(path, 0700) == 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s: cannot be opened or made: %s", path,
                    g_strerror(errno));
    } else if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        unusable(path, "must belong to the user of the daemon and be closed to all others (mode 0700)",
                 error);
    } else {
        int above = is_new ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        if (above >= 0) {
            fsync(above);
            close(above);
        }
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Held until it is closed, by the kernel too. The number in it is for people only. */
static int lock_take(const char *directory, GError **error)
{
    g_autofree char *path = g_build_filename(directory, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    char text[24] = "";

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
        if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) == length)
            return fd;
    } else if (fd >= 0 && errno == EWOULDBLOCK) {
        gssize n = pread(fd, text, sizeof text - 1, 0);
        text[n > 0 ? strspn(text, "0123456789") : 0] = '\0';
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    "%s: another process has this store open (%s): two must never write one; stop "
                    "it, or name another \"state\"",
                    path, text[0] != '\0' ? text : "number not known");
        close(fd);
        return -1;
    }
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s: cannot be locked: %s", path,
                g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- the database's own check */

/* One pragma; "ok" is good. */
static gboolean check_with(struct database *database, const char *pragma, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, pragma, "");
    enum rows_answer answer = rows_next(rows, error);

    if (answer == ROWS_FAILED)
        return FALSE;
    if (answer == ROWS_ROW && g_strcmp0(rows_text(rows, 0), "ok") == 0)
        return TRUE;
    /* SQLite's words have several lines; the last one says what is wrong */
    g_auto(GStrv) lines = g_strsplit(answer == ROWS_ROW ? rows_text(rows, 0) : "no answer", "\n", -1);
    g_set_error(
        error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
        "%s: the file is damaged (%s): stop the daemon, keep a copy of the folder, and bring back a backup",
        database_path(database), lines[0] != NULL ? lines[g_strv_length(lines) - 1] : "");
    return FALSE;
}

/*
 * Every page of a small database. A large one has most of its pages in contents, journal, archive and audit,
 * which would keep the mail waiting for minutes: contents prove themselves when they are read, and a damaged
 * page is an error whenever it is met. What decides about mail is checked always.
 */
static gboolean check_database(struct database *database, GString *said, GError **error)
{
    static const char *const always[] = {
        "PRAGMA quick_check('meta')",    "PRAGMA quick_check('keyring')",
        "PRAGMA quick_check('hold')",    "PRAGMA quick_check('hold_recipient')",
        "PRAGMA quick_check('slip')",    "PRAGMA quick_check('vote')",
        "PRAGMA quick_check('attempt')", "PRAGMA quick_check('notice')",
        "PRAGMA quick_check('deferred')"};
    gint64 size = database_integer(database, 0, "PRAGMA page_count", "") *
                  database_integer(database, 0, "PRAGMA page_size", "");

    if (size <= LIMIT_CHECK_BYTES)
        return check_with(database, "PRAGMA quick_check(1)", error);
    g_string_append_printf(said,
                           "the database is large (%" G_GINT64_FORMAT
                           " MB): only holds, attempts and notices "
                           "were read through",
                           size >> 20);
    for (guint i = 0; i < G_N_ELEMENTS(always); i++)
        if (!check_with(database, always[i], error))
            return FALSE;
    return TRUE;
}

/* ---- opening */

/* A new database would make waste of the contents of the one that is gone. */
static gboolean check_new(struct store *store, struct database *database, GError **error)
{
    return !schema_is_new(database) || !content_has_files(store) ||
           unusable(database_path(database),
                    "is not there, or empty, and contents of mail are: bring it back, from a backup if need "
                    "be; to begin anew, move the folder contents away",
                    error);
}

static gboolean open_parts(struct store *store, struct database *database, const guint8 *key, GString *said,
                           GError **error)
{
    if (!check_new(store, database, error) || !schema_prepare(database, error) ||
        !check_database(database, said, error) || !keyring_open(store, database, key, error))
        return FALSE;
    store->hasher = hasher_new(store->secret);
    store->attempts = attempts_new();
    if (!content_reconcile(store, database, said, error) || !attempts_load(store->attempts, database, error))
        return FALSE;
    store->newest_audit_ms = database_integer(
        database, 0, "SELECT max(at_ms) FROM (SELECT at_ms FROM audit ORDER BY number DESC LIMIT 1000)", "");
    return TRUE;
}

/* The database is given to the writer, or closed. */
static gboolean open_database(struct store *store, int folder, const guint8 *key, GString *said,
                              GError **error)
{
    g_autofree char *path = g_build_filename(store->directory, "store.db", NULL);
    g_autoptr(database) database = database_open(path, FALSE, error);

    if (database == NULL || !open_parts(store, database, key, said, error))
        return FALSE;
    if (fsync(folder) != 0)
        return unusable(store->directory, "the folder cannot be synced", error);
    store->reader = database_open(path, TRUE, error);
    if (store->reader == NULL)
        return FALSE;
    store->writer = writer_start(database, error);
    if (store->writer == NULL)
        return FALSE;
    database = NULL;
    return TRUE;
}

static struct store *store_new(const char *directory)
{
    struct store *store = g_new0(struct store, 1);

    store->directory = g_strdup(directory);
    store->lock_fd = store->contents_fd = -1;
    store->pending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pthread_mutex_init(&store->reading, NULL);
    pthread_mutex_init(&store->changing, NULL);
    pthread_mutex_init(&store->tidy_lock, NULL);
    pthread_mutex_init(&store->pending_lock, NULL);
    return store;
}

static gboolean open_all(struct store *store, const guint8 *key, GString *said, GError **error)
{
    g_autofree char *contents = g_build_filename(store->directory, "contents", NULL);
    int folder = folder_open(store->directory, error);
    gboolean done;

    if (folder < 0)
        return FALSE;
    store->lock_fd = lock_take(store->directory, error);
    if (store->lock_fd >= 0)
        store->contents_fd = folder_open(contents, error);
    done = store->contents_fd >= 0 && open_database(store, folder, key, said, error);
    close(folder);
    return done;
}

struct store *store_open(const char *directory, const guint8 *key, char **said, GError **error)
{
    g_autoptr(store) store = store_new(directory);
    g_autoptr(GString) text = g_string_new(NULL);

    if (!open_all(store, key, text, error))
        return NULL;
    if (said != NULL)
        *said = text->len > 0 ? g_strdup(text->str) : NULL;
    return g_steal_pointer(&store);
}

/* Also of one that was never quite open. */
void store_close(struct store *store)
{
    if (store == NULL)
        return;
    database_close(store->reader);
    if (store->writer != NULL)
        database_close(writer_stop(store->writer));
    keys_free(store->keys);
    hasher_free(store->hasher);
    attempts_free(store->attempts);
    OPENSSL_cleanse(store->secret, sizeof store->secret);
    g_hash_table_unref(store->pending);
    pthread_mutex_destroy(&store->reading);
    pthread_mutex_destroy(&store->changing);
    pthread_mutex_destroy(&store->tidy_lock);
    pthread_mutex_destroy(&store->pending_lock);
    if (store->contents_fd >= 0)
        close(store->contents_fd);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    g_free(store->directory);
    g_free(store);
}

/* ---- reading */

struct database *store_read_begin(struct store *store)
{
    pthread_mutex_lock(&store->reading);
    return store->reader;
}

void store_read_end(struct store *store)
{
    pthread_mutex_unlock(&store->reading);
}

gint64 store_newest_audit_ms(struct store *store)
{
    return __atomic_load_n(&store->newest_audit_ms, __ATOMIC_RELAXED);
}

void store_get_status(struct store *store, struct store_status *status)
{
    struct database *reader = store_read_begin(store);
    struct writer_status writer;

    status->open_holds = (guint64)database_integer(
        reader, 0, "SELECT count(*) FROM hold WHERE closed_ms IS NULL AND kind = 0", "");
    status->outbox = (guint64)database_integer(reader, 0, "SELECT count(*) FROM notice WHERE state = 0", "");
    status->outbox_failing =
        (guint64)database_integer(reader, 0, "SELECT count(*) FROM notice WHERE state = 0 AND tries > 0", "");
    store_read_end(store);
    writer_get_status(store->writer, &writer);
    status->commits = writer.commits;
    status->jobs = writer.jobs;
    status->journal_dropped = writer.dropped;
    status->failures = writer.failures;
    status->available = writer.available;
    status->problem = writer.problem;
}
