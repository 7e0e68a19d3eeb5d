#include "milter/daemon/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "milter/daemon/limits.h"

struct spool {
    char *directory;
    guint64 max_bytes, size;
    GByteArray *memory; /* until the message outgrows it; then NULL */
    int fd;             /* then the file; -1 before */
    GString *line;      /* the field that is being added */
    EVP_MD_CTX *digest;
    gboolean failed;      /* something could not be written */
    int problem;          /* errno of it; 0: the digest */
    gboolean mta_made_id; /* the MTA made the Message-Id: Date and From behind it are its own, too */
};

struct spool *spool_new(const char *directory, guint64 max_bytes)
{
    struct spool *spool = g_new0(struct spool, 1);
    spool->directory = g_strdup(directory);
    spool->max_bytes = max_bytes;
    spool->memory = g_byte_array_sized_new(8192);
    spool->fd = -1;
    spool->line = g_string_sized_new(256);
    spool->digest = EVP_MD_CTX_new();
    if (!spool->digest || !EVP_DigestInit_ex(spool->digest, EVP_sha256(), NULL))
        spool->failed = TRUE;
    return spool;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->memory)
        g_byte_array_unref(spool->memory);
    if (spool->fd >= 0)
        close(spool->fd);
    g_string_free(spool->line, TRUE);
    EVP_MD_CTX_free(spool->digest);
    g_free(spool->directory);
    g_free(spool);
}

static gboolean write_all(int fd, const guint8 *octets, gsize length)
{
    while (length) {
        ssize_t n = write(fd, octets, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        octets += n;
        length -= (gsize)n;
    }
    return TRUE;
}

static int open_unnamed(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    /* A file system that knows none (NFS, overlayfs of older kernels): it has a name for a moment. */
    g_autofree char *name = g_build_filename(directory, "spool-XXXXXX", NULL);
    fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* The message outgrew memory: what there is goes to an unnamed file. */
static gboolean move_to_file(struct spool *spool)
{
    spool->fd = open_unnamed(spool->directory);
    if (spool->fd < 0 || !write_all(spool->fd, spool->memory->data, spool->memory->len))
        return FALSE;
    g_byte_array_unref(spool->memory);
    spool->memory = NULL;
    return TRUE;
}

static gboolean spool_add(struct spool *spool, const void *octets, gsize length)
{
    spool->size += length;
    if (spool->failed || spool_too_large(spool))
        return !spool->failed;
    if (spool->memory && spool->memory->len + length <= LIMIT_SPOOL_MEMORY_BYTES) {
        g_byte_array_append(spool->memory, octets, (guint)length);
        return TRUE;
    }
    if ((spool->memory && !move_to_file(spool)) || !write_all(spool->fd, octets, length)) {
        spool->problem = errno;
        spool->failed = TRUE;
    }
    return !spool->failed;
}

/* Fields that differ from one attempt to the next and are no part of the message's identity
 * (semantics.md 7.4). */
static gboolean in_digest(struct spool *spool, const char *name, const char *value, const char *queue_id)
{
    static const char *const changing[] = {"Received", "Return-Path", "Delivered-To",
                                           "Authentication-Results", "X-Miji-Release"};
    for (gsize i = 0; i < G_N_ELEMENTS(changing); i++)
        if (g_ascii_strcasecmp(name, changing[i]) == 0)
            return FALSE;
    if (g_ascii_strcasecmp(name, "Message-Id") == 0 && queue_id && *queue_id && strstr(value, queue_id)) {
        spool->mta_made_id = TRUE;
        return FALSE;
    }
    return !(spool->mta_made_id &&
             (g_ascii_strcasecmp(name, "Date") == 0 || g_ascii_strcasecmp(name, "From") == 0));
}

/* The MTA leaves out the CR of the line ends inside a value. */
static void append_lines(GString *out, const char *value)
{
    for (const char *newline; (newline = strchr(value, '\n')) != NULL; value = newline + 1) {
        g_string_append_len(out, value, newline - value);
        g_string_append(out, newline > value && newline[-1] == '\r' ? "\n" : "\r\n");
    }
    g_string_append(out, value);
}

void spool_render_field(GString *out, const char *name, const char *value, gboolean leading_space)
{
    g_string_assign(out, name);
    g_string_append(out, leading_space ? ":" : ": ");
    append_lines(out, value);
    g_string_append(out, "\r\n");
}

gboolean spool_add_field(struct spool *spool, const char *name, const char *value, gboolean leading_space,
                         const char *queue_id)
{
    GString *line = spool->line;
    spool_render_field(line, name, value, leading_space);
    if (in_digest(spool, name, value, queue_id) && !EVP_DigestUpdate(spool->digest, line->str, line->len))
        spool->failed = TRUE;
    return spool_add(spool, line->str, line->len);
}

/* Part of the digest: where the body begins makes another message. */
gboolean spool_end_header(struct spool *spool)
{
    if (!EVP_DigestUpdate(spool->digest, "\r\n", 2))
        spool->failed = TRUE;
    return spool_add(spool, "\r\n", 2);
}

gboolean spool_add_body(struct spool *spool, const void *octets, gsize length)
{
    if (!EVP_DigestUpdate(spool->digest, octets, length))
        spool->failed = TRUE;
    return spool_add(spool, octets, length);
}

gboolean spool_finish(struct spool *spool, guint8 digest[32])
{
    unsigned int length = 32;
    if (spool->failed || !EVP_DigestFinal_ex(spool->digest, digest, &length))
        spool->failed = TRUE;
    return !spool->failed;
}

const char *spool_problem(const struct spool *spool)
{
    if (!spool->failed)
        return "";
    return spool->problem ? g_strerror(spool->problem) : "the digest cannot be taken";
}

gboolean spool_too_large(const struct spool *spool)
{
    return spool->size > spool->max_bytes;
}

guint64 spool_size(const struct spool *spool)
{
    return spool->size;
}

const void *spool_memory(const struct spool *spool, gsize *length)
{
    if (!spool->memory)
        return NULL;
    *length = spool->memory->len;
    return spool->memory->data ? (const void *)spool->memory->data : "";
}

int spool_open_file(const struct spool *spool)
{
    if (spool->fd < 0)
        return -1;
    /* A second description of the same file that can only read: what the inspector gets cannot change the
     * message. */
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", spool->fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}
