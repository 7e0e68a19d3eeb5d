#include "policy/text/source.h"

#include "policy/text/character.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file is known by its place on the disk, so that a.conf and ./a.conf are one source. */
struct entry {
    struct source source;
    gboolean is_file;
    dev_t device;
    ino_t inode;
};

struct sources {
    GPtrArray *entries; /* struct entry * */
    gint references;
};

static void entry_free(gpointer data)
{
    struct entry *entry = data;

    g_free(entry->source.name);
    g_free(entry->source.text);
    g_free(entry->source.line_start);
    g_free(entry);
}

struct sources *sources_new(void)
{
    struct sources *sources = g_new0(struct sources, 1);

    sources->entries = g_ptr_array_new_with_free_func(entry_free);
    sources->references = 1;
    return sources;
}

struct sources *sources_ref(struct sources *sources)
{
    g_atomic_int_inc(&sources->references);
    return sources;
}

void sources_unref(struct sources *sources)
{
    if (!g_atomic_int_dec_and_test(&sources->references))
        return;
    g_ptr_array_unref(sources->entries);
    g_free(sources);
}

/* Takes text over, which holds length octets and a NUL behind them. */
static struct entry *entry_add(struct sources *sources, const char *name, char *text, gsize length)
{
    struct entry *entry = g_new0(struct entry, 1);
    struct source *source = &entry->source;
    guint32 lines = 1, line = 0;

    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        length -= 3;
        memmove(text, text + 3, length + 1);
    }
    for (gsize n = 0; n < length; n++)
        lines += text[n] == '\n';

    source->name = g_strdup(name);
    source->text = text;
    source->length = (guint32)length;
    source->line_start = g_new(guint32, lines);
    source->line_count = lines;
    source->order = sources->entries->len;
    source->line_start[line++] = 0;
    for (guint32 n = 0; n < source->length; n++)
        if (text[n] == '\n')
            source->line_start[line++] = n + 1;
    g_ptr_array_add(sources->entries, entry);
    return entry;
}

const struct source *sources_add(struct sources *sources, const char *name, const char *text, gsize length)
{
    char *copy = g_malloc(length + 1);

    g_assert(length <= G_MAXUINT32 / 2);
    if (length > 0) /* the text may be NULL then */
        memcpy(copy, text, length);
    copy[length] = '\0';
    return &entry_add(sources, name, copy, length)->source;
}

void sources_foreach(const struct sources *sources, void (*visit)(const struct source *, gpointer),
                     gpointer data)
{
    for (guint n = 0; n < sources->entries->len; n++) {
        const struct entry *entry = g_ptr_array_index(sources->entries, n);
        visit(&entry->source, data);
    }
}

static const struct source *entry_find(const struct sources *sources, const struct stat *status)
{
    for (guint n = 0; n < sources->entries->len; n++) {
        const struct entry *entry = g_ptr_array_index(sources->entries, n);
        if (entry->is_file && entry->device == status->st_dev && entry->inode == status->st_ino)
            return &entry->source;
    }
    return NULL;
}

static void fail(struct source_failure *failure, enum source_error code, struct message message,
                 struct message help)
{
    failure->code = code;
    failure->message = message;
    failure->help = help;
}

static void fail_errno(struct source_failure *failure, const char *quoted, int code)
{
    fail(failure, SOURCE_ERROR_NO_FILE, message_make(MSG_NO_FILE, quoted, g_strerror(code), NULL),
         message_make(MSG_NONE, NULL));
}

/* Is the open file one that may be read as configuration? */
static gboolean file_is_fit(const struct stat *status, const char *quoted, enum source_trust trust,
                            struct source_failure *failure)
{
    if (!S_ISREG(status->st_mode)) {
        fail(failure, SOURCE_ERROR_NO_FILE,
             message_make(MSG_NO_FILE, quoted, message_arg(MSG_NO_REGULAR_FILE), NULL),
             message_make(MSG_NONE, NULL));
        return FALSE;
    }
    if (trust == SOURCE_SAFE && status->st_uid != 0 && status->st_uid != geteuid()) {
        fail(failure, SOURCE_ERROR_UNSAFE, message_make(MSG_UNSAFE_OWNER, quoted, NULL),
             message_make(MSG_UNSAFE_OWNER_HELP, quoted, NULL));
        return FALSE;
    }
    if (trust == SOURCE_SAFE && (status->st_mode & S_IWOTH) != 0) {
        fail(failure, SOURCE_ERROR_UNSAFE, message_make(MSG_UNSAFE_MODE, quoted, NULL),
             message_make(MSG_UNSAFE_MODE_HELP, quoted, NULL));
        return FALSE;
    }
    return TRUE;
}

/* All octets of the file and a NUL; NULL and errno, EFBIG when there are more than SOURCE_MAX_BYTES. */
static char *file_read(int fd, gsize *length)
{
    g_autofree char *text = g_malloc(SOURCE_MAX_BYTES + 2);
    gsize have = 0;

    for (;;) {
        ssize_t got = read(fd, text + have, SOURCE_MAX_BYTES + 1 - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        have += (gsize)got;
        if (have > SOURCE_MAX_BYTES) {
            errno = EFBIG;
            return NULL;
        }
    }
    text[have] = '\0';
    *length = have;
    return g_realloc(g_steal_pointer(&text), have + 1);
}

static const struct source *file_add(struct sources *sources, int fd, const char *path,
                                     enum source_trust trust, struct source_failure *failure)
{
    g_autofree char *quoted = g_strdup_printf("\"%s\"", path);
    struct stat status;
    gsize length = 0;

    if (fd < 0 || fstat(fd, &status) != 0) {
        fail_errno(failure, quoted, errno);
        return NULL;
    }
    if (!file_is_fit(&status, quoted, trust, failure))
        return NULL;
    const struct source *known = entry_find(sources, &status);
    if (known != NULL)
        return known;

    char *text = file_read(fd, &length);
    if (text == NULL && errno == EFBIG) {
        g_autofree char *limit = g_strdup_printf("%d", SOURCE_MAX_BYTES / (1024 * 1024));
        fail(failure, SOURCE_ERROR_TOO_LARGE, message_make(MSG_FILE_TOO_LARGE, quoted, limit, NULL),
             message_make(MSG_NONE, NULL));
        return NULL;
    }
    if (text == NULL) {
        fail_errno(failure, quoted, errno);
        return NULL;
    }
    struct entry *entry = entry_add(sources, path, text, length);
    entry->is_file = TRUE;
    entry->device = status.st_dev;
    entry->inode = status.st_ino;
    return &entry->source;
}

const struct source *sources_open(struct sources *sources, const char *path, enum source_trust trust,
                                  struct source_failure *failure)
{
    /* Without O_NONBLOCK a named pipe in rules.d would hold up the daemon for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const struct source *source = file_add(sources, fd, path, trust, failure);

    if (fd >= 0)
        close(fd);
    return source;
}

void source_failure_clear(struct source_failure *failure)
{
    message_clear(&failure->message);
    message_clear(&failure->help);
}

const struct source *sources_load(struct sources *sources, const char *path, enum source_trust trust,
                                  GError **error)
{
    struct source_failure failure = {0};
    const struct source *source = sources_open(sources, path, trust, &failure);

    if (source == NULL) {
        g_autofree char *words = message_format(&failure.message, LANGUAGE_EN);
        g_set_error_literal(error, SOURCE_ERROR, failure.code, words);
    }
    source_failure_clear(&failure);
    return source;
}

G_DEFINE_QUARK(source - error - quark, source_error)
