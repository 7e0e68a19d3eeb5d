#include "milter/store/log_file.h"

#include <glib.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "milter/store/limits.h"

/* Behind it in memory: the real file. */
struct log_file {
    sqlite3_file file; /* first: what SQLite sees */
    guint8 *gathered;
    sqlite3_int64 offset; /* of what is gathered */
    int length;
    int failure; /* of a write that SQLite believes done: nothing more is done here; SQLITE_OK none */
};

static sqlite3_vfs vfs;       /* written once */
static sqlite3_vfs *real_vfs; /* written once */

static sqlite3_file *real_of(struct log_file *log)
{
    return (sqlite3_file *)(log + 1);
}

/*
 * What was gathered, out. When that fails, SQLite believes of pages that they are in the log, and they are
 * nowhere: so this file is of no use any more, whatever is asked of it, and its connection opens itself anew
 * (database.c).
 */
static int flush(struct log_file *log)
{
    sqlite3_file *real = real_of(log);

    if (log->failure == SQLITE_OK && log->length > 0)
        log->failure = real->pMethods->xWrite(real, log->gathered, log->length, log->offset);
    log->length = 0;
    return log->failure;
}

static gboolean fits(const struct log_file *log, int length, sqlite3_int64 offset)
{
    return log->length == 0 ||
           (offset == log->offset + log->length && length <= LOG_GATHERED_BYTES - log->length);
}

static int log_write(sqlite3_file *file, const void *octets, int length, sqlite3_int64 offset)
{
    struct log_file *log = (struct log_file *)file;
    sqlite3_file *real = real_of(log);
    int code = fits(log, length, offset) ? log->failure : flush(log);

    if (code != SQLITE_OK)
        return code;
    if (length > LOG_GATHERED_BYTES)
        return real->pMethods->xWrite(real, octets, length, offset);
    if (log->gathered == NULL)
        log->gathered = g_malloc(LOG_GATHERED_BYTES);
    if (log->length == 0)
        log->offset = offset;
    memcpy(log->gathered + log->length, octets, (gsize)length);
    log->length += length;
    return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *octets, int length, sqlite3_int64 offset)
{
    int code = flush((struct log_file *)file);
    sqlite3_file *real = real_of((struct log_file *)file);

    return code != SQLITE_OK ? code : real->pMethods->xRead(real, octets, length, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 length)
{
    int code = flush((struct log_file *)file);
    sqlite3_file *real = real_of((struct log_file *)file);

    return code != SQLITE_OK ? code : real->pMethods->xTruncate(real, length);
}

static int log_sync(sqlite3_file *file, int flags)
{
    int code = flush((struct log_file *)file);
    sqlite3_file *real = real_of((struct log_file *)file);

    return code != SQLITE_OK ? code : real->pMethods->xSync(real, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *length)
{
    int code = flush((struct log_file *)file);
    sqlite3_file *real = real_of((struct log_file *)file);

    return code != SQLITE_OK ? code : real->pMethods->xFileSize(real, length);
}

static int log_close(sqlite3_file *file)
{
    struct log_file *log = (struct log_file *)file;
    int code = flush(log);
    int closed = real_of(log)->pMethods->xClose(real_of(log));

    g_free(log->gathered);
    return code != SQLITE_OK ? code : closed;
}

static int log_control(sqlite3_file *file, int operation, void *argument)
{
    sqlite3_file *real = real_of((struct log_file *)file);

    return real->pMethods->xFileControl(real, operation, argument);
}

static int log_sector(sqlite3_file *file)
{
    sqlite3_file *real = real_of((struct log_file *)file);

    return real->pMethods->xSectorSize(real);
}

static int log_device(sqlite3_file *file)
{
    sqlite3_file *real = real_of((struct log_file *)file);

    return real->pMethods->xDeviceCharacteristics(real);
}

static int log_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_of((struct log_file *)file);

    return real->pMethods->xLock(real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = real_of((struct log_file *)file);

    return real->pMethods->xUnlock(real, level);
}

static int log_check(sqlite3_file *file, int *is_reserved)
{
    sqlite3_file *real = real_of((struct log_file *)file);

    return real->pMethods->xCheckReservedLock(real, is_reserved);
}

static const sqlite3_io_methods log_methods = {.iVersion = 1,
                                               .xClose = log_close,
                                               .xRead = log_read,
                                               .xWrite = log_write,
                                               .xTruncate = log_truncate,
                                               .xSync = log_sync,
                                               .xFileSize = log_size,
                                               .xLock = log_lock,
                                               .xUnlock = log_unlock,
                                               .xCheckReservedLock = log_check,
                                               .xFileControl = log_control,
                                               .xSectorSize = log_sector,
                                               .xDeviceCharacteristics = log_device};

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct log_file *log = (struct log_file *)file;
    int code;

    if ((flags & SQLITE_OPEN_WAL) == 0)
        return real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
    memset(log, 0, sizeof *log);
    code = real_vfs->xOpen(real_vfs, name, real_of(log), flags, out_flags);
    if (code == SQLITE_OK)
        log->file.pMethods = &log_methods;
    return code;
}

static void set_up(void)
{
    sqlite3_initialize();
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL)
        return;
    vfs = *real_vfs;
    vfs.zName = "miji";
    vfs.szOsFile = (int)sizeof(struct log_file) + real_vfs->szOsFile;
    vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        vfs.zName = NULL;
}

const char *log_file_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_up);
    return vfs.zName;
}
