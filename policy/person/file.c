#include "policy/person/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/person/dn.h"
#include "policy/person/ldif.h"
#include "policy/person/limits.h"
#include "policy/person/people.h"

/* A directory in an LDIF file. It is read again when it changed, at most once in the directory's refresh
 * time; from a file that cannot be read any more nobody is known: that is an outage, not an empty directory.
 */
struct file {
    struct backend backend;
    struct mapping mapping;
    struct person_filter *filter;
    char *path;
    pthread_mutex_t lock;  /* guards everything below */
    struct people *people; /* held; NULL if the file could not be read */
    char *problem;         /* why, then */
    struct stat status;    /* of the file that people were read from */
    gint64 looked_us;
};

static gboolean file_error(const char *path, const char *doing, GError **error)
{
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE, "%s: %s: %s", path, doing, g_strerror(errno));
    return FALSE;
}

/* The whole file, new; NULL and error. */
static char *read_all(const char *path, gsize *length, struct stat *status, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autofree char *text = NULL;
    gssize got = 1;

    if (fd < 0) {
        file_error(path, "cannot be opened", error);
        return NULL;
    }
    if (fstat(fd, status) != 0 || !S_ISREG(status->st_mode) || status->st_size > LDIF_MAX_BYTES) {
        g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE, "%s: is no regular file of at most %d MB",
                    path, LDIF_MAX_BYTES / 1024 / 1024);
        close(fd);
        return NULL;
    }
    text = g_malloc((gsize)status->st_size + 1);
    for (*length = 0; *length < (gsize)status->st_size && got > 0; *length += (gsize)got)
        got = read(fd, text + *length, (gsize)status->st_size - *length);
    if (got < 0)
        file_error(path, "cannot be read", error);
    close(fd);
    return got < 0 ? NULL : g_steal_pointer(&text);
}

/* Outside the base nobody is known; a group is still found by its DN, as on a server. */
static void only_by_name(struct person *person)
{
    g_ptr_array_set_size(person->addresses, 0);
    g_ptr_array_set_size(person->logins, 0);
    g_ptr_array_set_size(person->certificates, 0);
}

static struct people *read_people(struct file *file, const char *text, gsize length, GError **error)
{
    g_autoptr(GPtrArray) entries = ldif_parse(file->path, text, length, error);
    GPtrArray *people;

    if (entries == NULL)
        return NULL;
    people = g_ptr_array_new();
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *entry = g_ptr_array_index(entries, i);
        const char *base = file->mapping.settings->base;
        g_autoptr(person) person = person_of_entry(&file->mapping, entry);
        gboolean outside = base != NULL && !dn_is_below(entry->dn, base);

        if (outside)
            only_by_name(person);
        if (!outside || person->kind == PERSON_GROUP)
            g_ptr_array_add(people, g_steal_pointer(&person));
    }
    return people_new(people);
}

/* With the lock held. */
static gboolean load(struct file *file, GError **error)
{
    struct stat status;
    gsize length;
    g_autofree char *text = read_all(file->path, &length, &status, error);
    struct people *people = text != NULL ? read_people(file, text, length, error) : NULL;

    g_clear_pointer(&file->people, people_unref);
    file->people = people;
    if (text != NULL)
        file->status = status;
    return people != NULL;
}

static gboolean is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* With the lock held: reads the file again if it is time to look and it is another one than before. */
static void refresh(struct file *file)
{
    gint64 now_us = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    struct stat status;

    if (now_us < file->looked_us + file->mapping.settings->refresh_ms * 1000)
        return;
    file->looked_us = now_us;
    if (file->people != NULL && stat(file->path, &status) == 0 && is_same_file(&status, &file->status))
        return;
    g_clear_pointer(&file->problem, g_free);
    if (!load(file, &error))
        file->problem = g_strdup(error->message);
}

/* The people now, held; NULL in an outage. */
static struct people *people_now(struct file *file)
{
    struct people *people;

    pthread_mutex_lock(&file->lock);
    refresh(file);
    people = file->people != NULL ? people_ref(file->people) : NULL;
    pthread_mutex_unlock(&file->lock);
    return people;
}

static enum answer_state file_look(struct backend *backend, enum question_kind kind, const char *value,
                                   struct person **person)
{
    g_autoptr(people) people = people_now((struct file *)backend);

    return people != NULL ? people_find(people, kind, value, person) : ANSWER_UNAVAILABLE;
}

static gboolean file_outage(struct backend *backend, gint64 since_us)
{
    g_autoptr(people) people = people_now((struct file *)backend);

    return people == NULL;
}

static void file_status(struct backend *backend, struct directory_status *status)
{
    struct file *file = (struct file *)backend;

    pthread_mutex_lock(&file->lock);
    status->connected = file->people != NULL;
    if (file->people != NULL)
        status->where = g_strdup_printf("%u entries of %s", people_count(file->people), file->path);
    else
        status->where = g_strdup(file->problem);
    pthread_mutex_unlock(&file->lock);
}

static void file_close(struct backend *backend)
{
    struct file *file = (struct file *)backend;

    people_unref(file->people);
    pthread_mutex_destroy(&file->lock);
    person_filter_free(file->filter);
    g_free(file->problem);
    g_free(file->path);
    g_free(file);
}

static const struct backend_kind FILE_BACKEND = {
    .look = file_look, .outage = file_outage, .status = file_status, .close = file_close};

struct backend *backend_file_new(const struct directory_settings *settings, struct schemes *schemes,
                                 GError **error)
{
    const char *url = g_ptr_array_index(settings->urls, 0);
    g_autoptr(person_filter) filter = person_filter_parse(settings->person_filter, error);
    struct file *file;

    if (filter == NULL)
        return NULL;
    if (settings->urls->len > 1 || !filter->only_addresses) {
        g_set_error_literal(error, DIRECTORY_ERROR, DIRECTORY_ERROR_SETTING,
                            settings->urls->len > 1
                                ? "a directory in a file is one file"
                                : "for a directory in a file the person filter is only (ATTRIBUTE=%s), "
                                  "or several of them in (|…)");
        return NULL;
    }
    file = g_new0(struct file, 1);
    file->backend.kind = &FILE_BACKEND;
    file->filter = g_steal_pointer(&filter);
    file->mapping = (struct mapping){settings, file->filter, schemes};
    file->path = g_strdup(url + strlen("file:"));
    file->looked_us = g_get_monotonic_time();
    pthread_mutex_init(&file->lock, NULL);
    if (load(file, error))
        return &file->backend;
    file_close(&file->backend);
    return NULL;
}
