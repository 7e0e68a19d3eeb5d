#include "milter/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "milter/store/limits.h"
#include "milter/store/log_file.h"
#include "milter/store/store.h"

GQuark store_error_quark(void)
{
    return g_quark_from_static_string("miji-store-error-quark");
}

struct prepared {
    sqlite3_stmt *handle;
    gboolean taken; /* by rows that are not ended */
};

struct database {
    sqlite3 *handle; /* NULL: could not be opened anew */
    char *path;
    gboolean read_only, is_broken;
    guint taken;            /* statements in use */
    GHashTable *statements; /* text -> struct prepared * */
    guint log_pages;
};

struct rows {
    struct database *database;
    struct prepared *statement;
    gboolean is_own; /* the statement was in use already: this one is not kept */
    GError *failure; /* of the beginning, told by the first rows_next */
};

static void prepared_free(struct prepared *statement)
{
    sqlite3_finalize(statement->handle);
    g_free(statement);
}

/* ---- errors */

/* Of the file that failed last: the log's before that of the database itself. sqlite3_system_errno is not
 * told of what fails in sqlite3_step. */
static int system_error(sqlite3 *handle)
{
    sqlite3_file *log = NULL;
    int number = 0;

    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    if (number == 0)
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
    return number != 0 ? number : sqlite3_system_errno(handle);
}

/* What has happened and what to do, behind the name of the file. NULL: nothing better than SQLite's words. */
static char *advice(const struct database *database, int code)
{
    int number = database->handle != NULL ? system_error(database->handle) : 0;
    const char *why = number != 0 ? g_strerror(number) : "no reason given";
    gboolean is_full =
        code == SQLITE_FULL || (code == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT));

    if (is_full)
        return g_strdup("no space is left on the disk or in the quota: make room there, then it goes on");
    if (code == SQLITE_READONLY || (code == SQLITE_IOERR && number == EROFS))
        return g_strdup(
            "the file or its file system is read only: mount it for writing, or give the file to the "
            "user of the daemon");
    if (code == SQLITE_IOERR)
        return g_strdup_printf("the disk failed (%s): the kernel's log says more", why);
    if (code == SQLITE_CANTOPEN)
        return g_strdup_printf(
            "cannot be opened (%s): the user of the daemon must own the folder and all in it", why);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return g_strdup("another program has locked it: end the one that has it open (sqlite3, a backup)");
    if (code == SQLITE_CORRUPT)
        return g_strdup(
            "the file is damaged: stop the daemon, keep a copy of the folder, and bring back a backup");
    if (code == SQLITE_NOTADB)
        return g_strdup("the file is no database, or is damaged: keep a copy of the folder, and bring back a backup");
    return NULL;
}

/* Fills the error and remembers that the connection may be of no use any more. */
static gboolean fail(struct database *database, int extended, GError **error)
{
    int code = extended & 0xff;
    g_autofree char *text = advice(database, code);
    const char *words =
        database->handle != NULL ? sqlite3_errmsg(database->handle) : sqlite3_errstr(extended);
    gboolean is_changed = extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
                          extended == SQLITE_CONSTRAINT_ROWID;

    if (code == SQLITE_IOERR || code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_CANTOPEN ||
        code == SQLITE_READONLY || code == SQLITE_FULL)
        database->is_broken = TRUE;
    g_set_error(error, STORE_ERROR, is_changed ? STORE_ERROR_CHANGED : STORE_ERROR_UNAVAILABLE, "%s: %s",
                database->path, text != NULL ? text : words);
    return FALSE;
}

/* ---- opening */

static int note_log(void *data, sqlite3 *handle, const char *name, int pages)
{
    struct database *database = data;

    database->log_pages = (guint)pages;
    return SQLITE_OK;
}

/* SQLite makes its other files with the mode of this one. A file that is there is not opened here: to close
 * it again would take the locks of all connections of this process away (fcntl(2)). */
static gboolean make_file(struct database *database, GError **error)
{
    int fd = open(database->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    if (fd >= 0 || errno == EEXIST)
        return TRUE;
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s: cannot be opened: %s", database->path,
                g_strerror(errno));
    return FALSE;
}

static gboolean is_wal(sqlite3 *handle, int *code)
{
    sqlite3_stmt *statement = NULL;
    gboolean yes = FALSE;

    *code = sqlite3_prepare_v2(handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (*code == SQLITE_OK)
        *code = sqlite3_step(statement);
    if (*code == SQLITE_ROW) {
        yes = g_strcmp0((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
        *code = yes ? SQLITE_OK : SQLITE_CANTOPEN;
    }
    sqlite3_finalize(statement);
    return yes;
}

static gboolean set_up(struct database *database, GError **error)
{
    static const char pragmas[] =
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = FAST;"
        "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = OFF;"
        "PRAGMA cache_size = -" G_STRINGIFY(LIMIT_CACHE_KB) ";";
    g_autofree char *limit = g_strdup_printf("PRAGMA journal_size_limit = %d;", LIMIT_LOG_BYTES);
    int code = SQLITE_OK;

    sqlite3_busy_timeout(database->handle, LIMIT_BUSY_MS);
    sqlite3_extended_result_codes(database->handle, 1);
    if (!is_wal(database->handle, &code))
        return fail(database, code, error);
    if (!database_script(database, pragmas, error) || !database_script(database, limit, error))
        return FALSE;
    sqlite3_wal_hook(database->handle, note_log, database); /* wal_autocheckpoint has taken away any other */
    return !database->read_only || database_script(database, "PRAGMA query_only = ON", error);
}

static gboolean open_handle(struct database *database, GError **error)
{
    int code;

    if (!database->read_only && !make_file(database, error))
        return FALSE;
    code = sqlite3_open_v2(database->path, &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                           log_file_vfs());
    database->is_broken = FALSE;
    if (code != SQLITE_OK)
        return fail(database, code, error);
    return set_up(database, error);
}

static void close_handle(struct database *database)
{
    g_hash_table_remove_all(database->statements);
    sqlite3_close(database->handle);
    database->handle = NULL;
}

struct database *database_open(const char *path, gboolean read_only, GError **error)
{
    g_autoptr(database) database = g_new0(struct database, 1);

    database->path = g_strdup(path);
    database->read_only = read_only;
    database->statements =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)prepared_free);
    return open_handle(database, error) ? g_steal_pointer(&database) : NULL;
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    close_handle(database);
    g_hash_table_unref(database->statements);
    g_free(database->path);
    g_free(database);
}

/* Anew after trouble, if nothing is under way. */
static gboolean make_ready(struct database *database, GError **error)
{
    if (database->handle != NULL &&
        (!database->is_broken || database->taken > 0 || database_in_transaction(database)))
        return TRUE;
    close_handle(database);
    if (open_handle(database, error))
        return TRUE;
    close_handle(database);
    return FALSE;
}

/* ---- statements */

static struct prepared *prepare(struct database *database, const char *sql, GError **error)
{
    sqlite3_stmt *handle = NULL;
    int code = sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);

    if (code != SQLITE_OK) {
        fail(database, code, error);
        return NULL;
    }
    struct prepared *statement = g_new0(struct prepared, 1);
    statement->handle = handle;
    return statement;
}

/* The statement of this text; *is_own: it is not kept, and the caller frees it. */
static struct prepared *take(struct database *database, const char *sql, gboolean *is_own, GError **error)
{
    struct prepared *statement = NULL;

    if (!make_ready(database, error))
        return NULL;
    statement = g_hash_table_lookup(database->statements, sql);
    *is_own = FALSE;
    if (statement == NULL || statement->taken) {
        *is_own = statement != NULL || g_hash_table_size(database->statements) >= LIMIT_STATEMENTS;
        statement = prepare(database, sql, error);
        if (statement == NULL)
            return NULL;
        if (!*is_own)
            g_hash_table_insert(database->statements, g_strdup(sql), statement);
    }
    statement->taken = TRUE;
    database->taken++;
    return statement;
}

static void give_back(struct database *database, struct prepared *statement, gboolean is_own)
{
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
    statement->taken = FALSE;
    database->taken--;
    if (is_own)
        prepared_free(statement);
}

/* lifetime: SQLITE_STATIC when the values outlive the statement's run. */
static int bind(sqlite3_stmt *statement, const char *types, va_list values, sqlite3_destructor_type lifetime)
{
    int code = SQLITE_OK;

    g_assert((int)strlen(types) == sqlite3_bind_parameter_count(statement));
    for (int at = 1; *types != '\0' && code == SQLITE_OK; at++, types++) {
        if (*types == 'i') {
            code = sqlite3_bind_int64(statement, at, va_arg(values, gint64));
        } else if (*types == 't') {
            code = sqlite3_bind_text(statement, at, va_arg(values, const char *), -1, lifetime);
        } else if (*types == 'b') {
            const void *octets = va_arg(values, const void *);
            code = sqlite3_bind_blob64(statement, at, octets, va_arg(values, gsize), lifetime);
        } else {
            g_assert(*types == 'n');
            code = sqlite3_bind_null(statement, at);
        }
    }
    return code;
}

gboolean database_run(struct database *database, GError **error, const char *sql, const char *types, ...)
{
    gboolean is_own = FALSE;
    struct prepared *statement = take(database, sql, &is_own, error);
    gboolean done;
    va_list values;

    if (statement == NULL)
        return FALSE;
    va_start(values, types);
    int code = bind(statement->handle, types, values, SQLITE_STATIC);
    va_end(values);
    if (code == SQLITE_OK)
        do
            code = sqlite3_step(statement->handle);
        while (code == SQLITE_ROW);
    done = code == SQLITE_DONE || code == SQLITE_OK || fail(database, code, error);
    give_back(database, statement, is_own);
    return done;
}

gint64 database_changes(struct database *database)
{
    return sqlite3_changes64(database->handle);
}

gint64 database_last_number(struct database *database)
{
    return sqlite3_last_insert_rowid(database->handle);
}

gboolean database_script(struct database *database, const char *sql, GError **error)
{
    int code;

    if (!make_ready(database, error))
        return FALSE;
    code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || fail(database, code, error);
}

gboolean database_in_transaction(const struct database *database)
{
    return database->handle != NULL && sqlite3_get_autocommit(database->handle) == 0;
}

guint database_log_pages(const struct database *database)
{
    return database->log_pages;
}

gboolean database_checkpoint(struct database *database, GError **error)
{
    int code, pages = 0, done = 0;

    if (!make_ready(database, error))
        return FALSE;
    code = sqlite3_wal_checkpoint_v2(database->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
    if ((code & 0xff) == SQLITE_BUSY) /* somebody else does it */
        return TRUE;
    if (code != SQLITE_OK)
        return fail(database, code, error);
    database->log_pages = pages > done && done >= 0 ? (guint)(pages - done) : 0;
    return TRUE;
}

const char *database_path(const struct database *database)
{
    return database->path;
}

/* ---- rows */

struct rows *rows_begin(struct database *database, const char *sql, const char *types, ...)
{
    struct rows *rows = g_new0(struct rows, 1);
    va_list values;

    rows->database = database;
    rows->statement = take(database, sql, &rows->is_own, &rows->failure);
    if (rows->statement == NULL)
        return rows;
    va_start(values, types);
    int code = bind(rows->statement->handle, types, values, SQLITE_TRANSIENT);
    va_end(values);
    if (code != SQLITE_OK)
        fail(database, code, &rows->failure);
    return rows;
}

enum rows_answer rows_next(struct rows *rows, GError **error)
{
    int code;

    if (rows->failure != NULL) {
        g_propagate_error(error, g_error_copy(rows->failure));
        return ROWS_FAILED;
    }
    code = sqlite3_step(rows->statement->handle);
    if (code == SQLITE_ROW)
        return ROWS_ROW;
    if (code == SQLITE_DONE)
        return ROWS_END;
    fail(rows->database, code, &rows->failure);
    g_propagate_error(error, g_error_copy(rows->failure));
    return ROWS_FAILED;
}

gint64 rows_integer(struct rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement->handle, column);
}

const char *rows_text(struct rows *rows, int column)
{
    return (const char *)sqlite3_column_text(rows->statement->handle, column);
}

const void *rows_octets(struct rows *rows, int column, gsize *length)
{
    const void *octets = sqlite3_column_blob(rows->statement->handle, column);

    *length = (gsize)sqlite3_column_bytes(rows->statement->handle, column);
    return octets;
}

void rows_end(struct rows *rows)
{
    if (rows->statement != NULL)
        give_back(rows->database, rows->statement, rows->is_own);
    g_clear_error(&rows->failure);
    g_free(rows);
}

gint64 database_integer(struct database *database, gint64 fallback, const char *sql, const char *types, ...)
{
    gboolean is_own = FALSE;
    struct prepared *statement = take(database, sql, &is_own, NULL);
    gint64 value = fallback;
    va_list values;

    if (statement == NULL)
        return fallback;
    va_start(values, types);
    int code = bind(statement->handle, types, values, SQLITE_STATIC);
    va_end(values);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW && sqlite3_column_type(statement->handle, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(statement->handle, 0);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        fail(database, code, NULL);
    give_back(database, statement, is_own);
    return value;
}
