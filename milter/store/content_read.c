#include "milter/store/content.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/store/limits.h"

/* A row of contents, copied. */
struct row {
    guint8 digest[32];
    gint64 size;
    guint8 mark[KEY_MARK_BYTES], wrapped[WRAPPED_KEY_BYTES];
    GByteArray *sealed; /* NULL: in the file */
    char *file;
};

static void row_clear(struct row *row)
{
    if (row->sealed != NULL)
        g_byte_array_unref(row->sealed);
    g_free(row->file);
}

static gboolean damaged(gint64 number, const char *why, GError **error)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_DAMAGED, "contents %" G_GINT64_FORMAT " cannot be read: %s",
                number, why);
    return FALSE;
}

static gboolean take_octets(struct rows *rows, int column, guint8 *octets, gsize expected)
{
    gsize length = 0;
    const void *found = rows_octets(rows, column, &length);

    if (length != expected)
        return FALSE;
    memcpy(octets, found, expected);
    return TRUE;
}

static gboolean take_row(struct rows *rows, struct row *row)
{
    gsize length = 0;
    const guint8 *sealed = rows_octets(rows, 4, &length);

    row->size = rows_integer(rows, 1);
    row->file = g_strdup(rows_text(rows, 5));
    if (sealed != NULL)
        row->sealed = g_byte_array_append(g_byte_array_new(), sealed, (guint)length);
    return take_octets(rows, 0, row->digest, sizeof row->digest) &&
           take_octets(rows, 2, row->mark, sizeof row->mark) &&
           take_octets(rows, 3, row->wrapped, sizeof row->wrapped) && row->size >= 0 &&
           row->size <= LIMIT_CONTENT_BYTES &&
           (row->sealed != NULL || (row->file != NULL && store_is_id(row->file)));
}

static gboolean read_row(struct store *store, gint64 number, struct row *row, GError **error)
{
    static const char sql[] =
        "SELECT digest, size, key_mark, wrapped_key, sealed, file FROM content WHERE number = ?1";
    struct rows *rows = rows_begin(store_read_begin(store), sql, "i", number);
    enum rows_answer answer = rows_next(rows, error);
    gboolean done = answer == ROWS_ROW && take_row(rows, row);

    rows_end(rows);
    store_read_end(store);
    if (answer == ROWS_END)
        return damaged(number, "there is no row of them", error);
    return done || answer == ROWS_FAILED ? done : damaged(number, "their row is damaged", error);
}

/* ---- the file */

static gboolean read_all(int fd, GByteArray *octets)
{
    for (guint at = 0; at < octets->len;) {
        gssize n = pread(fd, octets->data + at, octets->len - at, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENODATA;
        if (n <= 0)
            return FALSE;
        at += (guint)n;
    }
    return TRUE;
}

/* As many octets as those of the row can have become, sealed, at most. */
static gsize most_sealed(gsize size)
{
    return size + size / 64 + 4 * SEAL_TAG_BYTES + 4096;
}

static gboolean read_file(struct store *store, gint64 number, struct row *row, GError **error)
{
    int fd = openat(store->contents_fd, row->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    gboolean done;

    if (fd < 0 && errno == ENOENT)
        return damaged(number, "their file is gone", error);
    done = fd >= 0 && fstat(fd, &st) == 0;
    if (done && (!S_ISREG(st.st_mode) || (guint64)st.st_size > most_sealed((gsize)row->size))) {
        close(fd);
        return damaged(number, "their file is none of ours", error);
    }
    if (done) {
        row->sealed = g_byte_array_new();
        g_byte_array_set_size(row->sealed, (guint)st.st_size);
        done = read_all(fd, row->sealed);
    }
    if (!done)
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s/contents/%s: cannot be read: %s",
                    store->directory, row->file, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return done;
}

/* ---- the whole */

static guint8 *open_row(struct store *store, gint64 number, const struct row *row, gsize *length,
                        GError **error)
{
    struct message_key key;
    guint8 digest[32];
    gsize opened = 0;
    g_autofree guint8 *octets = NULL;

    if (message_key_open(store->keys, row->mark, row->wrapped, &key, error)) {
        octets = seal_open(store->keys, &key, "content", row->sealed->data, row->sealed->len,
                           (gsize)row->size, &opened, error);
        message_key_wipe(&key);
    }
    if (octets == NULL) {
        g_prefix_error(error, "contents %" G_GINT64_FORMAT " cannot be read: ", number);
        return NULL;
    }
    if (EVP_Digest(octets, opened, digest, NULL, EVP_sha256(), NULL) != 1 || opened != (gsize)row->size ||
        CRYPTO_memcmp(digest, row->digest, sizeof digest) != 0) {
        damaged(number, "their digest is another", error);
        return NULL;
    }
    *length = opened;
    return g_steal_pointer(&octets);
}

guint8 *content_read(struct store *store, gint64 number, gsize *length, GError **error)
{
    struct row row = {0};
    guint8 *octets = NULL;

    if (read_row(store, number, &row, error) && (row.sealed != NULL || read_file(store, number, &row, error)))
        octets = open_row(store, number, &row, length, error);
    row_clear(&row);
    return octets;
}
