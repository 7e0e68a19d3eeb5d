#include "milter/store/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/store/limits.h"
#include "milter/store/orphans.h"

struct content {
    struct store *store;
    GByteArray *sealed; /* in the row; NULL: in a file */
    char *file;
    guint8 digest[32];
    gsize length;
    struct message_key key; /* wrapped part only: the key itself is wiped once all is sealed */
    gboolean is_inserted;   /* a row was written, though perhaps never committed */
};

/* Octets under way: from memory or from a file. */
struct presented {
    const guint8 *octets; /* NULL: fd */
    int fd;
    gsize length, at;
};

/* ---- names of files that are being written */

static void pending_add(struct store *store, const char *name)
{
    pthread_mutex_lock(&store->pending_lock);
    g_hash_table_add(store->pending, g_strdup(name));
    pthread_mutex_unlock(&store->pending_lock);
}

static void pending_remove(struct store *store, const char *name)
{
    pthread_mutex_lock(&store->pending_lock);
    g_hash_table_remove(store->pending, name);
    pthread_mutex_unlock(&store->pending_lock);
}

static gboolean pending_has(struct store *store, const char *name)
{
    pthread_mutex_lock(&store->pending_lock);
    gboolean has = g_hash_table_contains(store->pending, name);
    pthread_mutex_unlock(&store->pending_lock);
    return has;
}

/* ---- sealing */

static gboolean fail(struct store *store, const char *what, int number, GError **error)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s/contents: %s: %s", store->directory, what,
                number == ENOSPC || number == EDQUOT ? "no space is left on the disk or in the quota"
                                                     : g_strerror(number));
    return FALSE;
}

static gssize read_some(int fd, void *buffer, gsize length, gsize at)
{
    gssize n;

    do
        n = pread(fd, buffer, length, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

/* The next piece: borrowed, or read into the buffer. NULL at the end, and on an error that is then set. */
static const guint8 *next_piece(struct presented *source, guint8 buffer[CONTENT_PIECE_BYTES], gsize *length,
                                struct store *store, GError **error)
{
    const guint8 *piece = buffer;
    gssize n = (gssize)MIN(source->length - source->at, CONTENT_PIECE_BYTES);

    if (n == 0)
        return NULL;
    if (source->octets != NULL)
        piece = source->octets + source->at;
    else
        n = read_some(source->fd, buffer, (gsize)n, source->at);
    if (n <= 0) {
        fail(store, "the message cannot be read back", n < 0 ? errno : ENODATA, error);
        return NULL;
    }
    source->at += (gsize)n;
    *length = (gsize)n;
    return piece;
}

static gboolean seal_in_row(struct content *content, struct presented *source, GError **error)
{
    g_autofree guint8 *read = NULL;
    g_autoptr(GByteArray) sealed = g_byte_array_new();

    if (source->octets == NULL) {
        read = g_malloc(source->length + 1);
        for (gssize n; source->at < source->length; source->at += (gsize)n) {
            n = read_some(source->fd, read + source->at, source->length - source->at, source->at);
            if (n <= 0)
                return fail(content->store, "the message cannot be read back", n < 0 ? errno : ENODATA,
                            error);
        }
        source->octets = read;
    }
    if (EVP_Digest(source->octets, source->length, content->digest, NULL, EVP_sha256(), NULL) != 1)
        return fail(content->store, "no digest can be made", ENOMEM, error);
    if (!seal_whole(content->store->keys, &content->key, "content", source->octets, source->length, sealed,
                    error))
        return FALSE;
    content->sealed = g_steal_pointer(&sealed);
    return TRUE;
}

/* All of out into the file; out is empty then. */
static gboolean write_out(struct content *content, int fd, GByteArray *out, GError **error)
{
    for (guint at = 0; at < out->len;) {
        gssize n = write(fd, out->data + at, out->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(content->store, "cannot be written", errno, error);
        at += (guint)n;
    }
    g_byte_array_set_size(out, 0);
    return TRUE;
}

static gboolean seal_pieces(struct content *content, struct presented *source, int fd, EVP_MD_CTX *digest,
                            GError **error)
{
    g_autoptr(sealer) sealer = sealer_new(content->store->keys, &content->key, "content", source->length);
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree guint8 *buffer = g_malloc(CONTENT_PIECE_BYTES);
    const guint8 *piece;
    gsize length = 0;

    while ((piece = next_piece(source, buffer, &length, content->store, error)) != NULL)
        if (EVP_DigestUpdate(digest, piece, length) != 1 || !sealer_add(sealer, piece, length, out, error) ||
            !write_out(content, fd, out, error))
            return FALSE;
    return source->at == source->length && sealer_finish(sealer, out, error) &&
           write_out(content, fd, out, error);
}

static gboolean seal_to(struct content *content, struct presented *source, int fd, GError **error)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    gboolean done =
        EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 && seal_pieces(content, source, fd, digest, error);

    if (done)
        EVP_DigestFinal_ex(digest, content->digest, NULL);
    EVP_MD_CTX_free(digest);
    return done;
}

/* Written, synced, named, and the folder synced (semantics.md 7.3.1). */
static gboolean write_file(struct content *content, const char *temporary, struct presented *source,
                           GError **error)
{
    struct store *store = content->store;
    int folder = store->contents_fd;
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    gboolean done;

    if (fd < 0)
        return fail(store, "cannot be written", errno, error);
    done = seal_to(content, source, fd, error) && !store_fault("content.written", error) &&
           (fsync(fd) == 0 || fail(store, "cannot be synced", errno, error));
    if (close(fd) != 0 && done)
        done = fail(store, "cannot be synced", errno, error);
    return done && !store_fault("content.synced", error) &&
           (renameat(folder, temporary, folder, content->file) == 0 ||
            fail(store, "cannot be named", errno, error)) &&
           !store_fault("content.named", error) &&
           (fsync(folder) == 0 || fail(store, "the folder cannot be synced", errno, error)) &&
           !store_fault("content.kept", error);
}

static gboolean seal_in_file(struct content *content, struct presented *source, GError **error)
{
    g_autofree char *name = store_new_id();
    g_autofree char *temporary = g_strconcat(".", name, NULL);

    content->file = g_strdup(name);
    pending_add(content->store, name);
    if (write_file(content, temporary, source, error))
        return TRUE;
    unlinkat(content->store->contents_fd, temporary, 0);
    return FALSE;
}

static void content_free(struct content *content)
{
    message_key_wipe(&content->key);
    if (content->sealed != NULL)
        g_byte_array_unref(content->sealed);
    g_free(content->file);
    g_free(content);
}

struct content *content_prepare(struct store *store, const void *octets, gsize length, int fd, GError **error)
{
    struct presented source = {.octets = octets, .fd = fd, .length = length};
    struct content *content = g_new0(struct content, 1);
    gboolean done;

    content->store = store;
    content->length = length;
    done = message_key_new(store->keys, &content->key, error) &&
           (length <= CONTENT_IN_ROW_BYTES ? seal_in_row(content, &source, error)
                                           : seal_in_file(content, &source, error));
    message_key_wipe(&content->key);
    if (done)
        return content;
    content_finish(content, FALSE);
    return NULL;
}

const guint8 *content_digest(const struct content *content)
{
    return content->digest;
}

gint64 content_insert(struct content *content, struct database *database, GError **error)
{
    static const char sql[] = "INSERT INTO content (digest, size, key_mark, wrapped_key, sealed, file)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const GByteArray *sealed = content->sealed;

    content->is_inserted = TRUE;
    if (!database_run(database, error, sql, "bibbbt", content->digest, sizeof content->digest,
                      (gint64)content->length, content->key.mark, sizeof content->key.mark,
                      content->key.wrapped, sizeof content->key.wrapped, sealed != NULL ? sealed->data : NULL,
                      sealed != NULL ? (gsize)sealed->len : 0, content->file))
        return 0;
    return database_last_number(database);
}

/* ---- the end */

/*
 * A commit that failed when it was to be synced may still stand whole in the log, and be there after a crash:
 * then its row would have lost the file. Another commit is written over it.
 */
static gboolean settle(struct database *database, gpointer data, GError **error)
{
    gint64 random = g_random_int();

    return database_run(database, error, "INSERT OR REPLACE INTO meta (name, value) VALUES ('settled', ?1)",
                        "b", &random, sizeof random);
}

void content_finish(struct content *content, gboolean kept)
{
    struct store *store = content->store;

    if (content->file != NULL && !kept &&
        (!content->is_inserted || writer_run(store->writer, settle, NULL, NULL)))
        unlinkat(store->contents_fd, content->file, 0);
    if (content->file != NULL)
        pending_remove(store, content->file);
    content_free(content);
}

gboolean content_release(struct database *database, gint64 number, GPtrArray *files, GError **error)
{
    g_autofree char *file = NULL;
    enum rows_answer answer;
    struct rows *rows;

    rows = rows_begin(
        database,
        "SELECT file FROM content WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM hold WHERE content = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM archive_copy WHERE content = ?1)",
        "i", number);
    answer = rows_next(rows, error);
    if (answer == ROWS_ROW)
        file = g_strdup(rows_text(rows, 0));
    rows_end(rows);
    if (answer != ROWS_ROW)
        return answer == ROWS_END;
    if (!database_run(database, error, "DELETE FROM content WHERE number = ?1", "i", number))
        return FALSE;
    if (file != NULL)
        g_ptr_array_add(files, g_steal_pointer(&file));
    return TRUE;
}

void content_remove_files(struct store *store, const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++)
        unlinkat(store->contents_fd, g_ptr_array_index(files, i), 0);
}

/* ---- files without a row, rows without a file */

struct scan {
    struct store *store;
    struct database *database;
    guint removed, orphans, returned, missing;
};

/* ROWS_ROW: some row names this file. */
static enum rows_answer find_row(struct database *database, const char *name, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, "SELECT 1 FROM content WHERE file = ?1", "t", name);

    return rows_next(rows, error);
}

/* Whether its row is there is asked after whether it is being written: a row comes before that ends. */
static gboolean judge_file(struct scan *scan, const char *name, GError **error)
{
    gboolean is_temporary = name[0] == '.';
    const char *id = is_temporary ? name + 1 : name;
    enum rows_answer answer = ROWS_END;

    if (!store_is_id(id) || pending_has(scan->store, id))
        return TRUE;
    if (!is_temporary)
        answer = find_row(scan->database, name, error);
    if (is_temporary && unlinkat(scan->store->contents_fd, name, 0) == 0)
        scan->removed++;
    else if (!is_temporary && answer == ROWS_END && orphans_take(scan->store, name))
        scan->orphans++;
    return answer != ROWS_FAILED;
}

static DIR *open_folder(struct store *store)
{
    int fd = openat(store->contents_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (folder == NULL && fd >= 0)
        close(fd);
    return folder;
}

gboolean content_has_files(struct store *store)
{
    DIR *folder = open_folder(store);
    gboolean found = FALSE;

    if (folder == NULL)
        return TRUE;
    for (struct dirent *entry; !found && (entry = readdir(folder)) != NULL;)
        found = store_is_id(entry->d_name);
    closedir(folder);
    return found;
}

static gboolean judge_files(struct scan *scan, GError **error)
{
    DIR *folder = open_folder(scan->store);
    gboolean done = folder != NULL || fail(scan->store, "the folder cannot be read", errno, error);

    if (folder == NULL)
        return done;
    for (struct dirent *entry; done && (entry = readdir(folder)) != NULL;)
        done = judge_file(scan, entry->d_name, error);
    closedir(folder);
    if (done && scan->removed + scan->orphans > 0 && fsync(scan->store->contents_fd) != 0)
        done = fail(scan->store, "the folder cannot be synced", errno, error);
    return done;
}

static gboolean judge_rows(struct scan *scan, GError **error)
{
    g_autoptr(rows) rows = rows_begin(scan->database, "SELECT file FROM content WHERE file IS NOT NULL", "");
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        if (faccessat(scan->store->contents_fd, rows_text(rows, 0), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        else if (store_is_id(rows_text(rows, 0)) && orphans_give_back(scan->store, rows_text(rows, 0)))
            scan->returned++;
        else
            scan->missing++;
    return answer != ROWS_FAILED;
}

static void say(GString *said, guint count, const char *what)
{
    if (count > 0)
        g_string_append_printf(said, "%s%u %s", said->len > 0 ? "; " : "", count, what);
}

gboolean content_reconcile(struct store *store, struct database *database, GString *said, GError **error)
{
    struct scan scan = {.store = store, .database = database};

    if (store->writer != NULL && !writer_run(store->writer, settle, NULL, error))
        return FALSE;
    if (!judge_files(&scan, error) || !judge_rows(&scan, error))
        return FALSE;
    if (said == NULL)
        return TRUE;
    g_autofree char *lost =
        g_strdup_printf("contents are lost: their files are not in %s/contents", store->directory);
    say(said, scan.removed, "half-written files of contents were removed");
    say(said, scan.orphans, "files of contents without a row were moved to the folder orphans, for a week");
    say(said, scan.returned, "files of contents came back from the folder orphans");
    say(said, scan.missing, lost);
    return TRUE;
}
