#include "tests/support/disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the spy */

static gpointer spy(const char *name)
{
    gpointer function = dlsym(RTLD_DEFAULT, name);

    if (function == NULL)
        g_error("tests/support/disk_spy.so is not in front: call disk_preload first");
    return function;
}

void disk_preload(char **argv)
{
    const char *build = g_getenv("MIJI_BUILD");
    const char *asan = g_getenv("ASAN_OPTIONS");
    g_autofree char *folder = NULL, *file = NULL, *options = NULL;

    if (dlsym(RTLD_DEFAULT, "disk_spy_watch") != NULL)
        return;
    /* tests/unit/milter/store/x_test, seen from the build */
    folder =
        build != NULL ? g_strdup(build) : g_build_filename(g_path_get_dirname(argv[0]), "../../../..", NULL);
    file = g_build_filename(folder, "tests/support/disk_spy.so", NULL);
    g_autofree char *absolute = realpath(file, NULL);
    if (absolute == NULL)
        g_error("%s: %s", file, g_strerror(errno));
    options = g_strconcat(asan != NULL ? asan : "", ":verify_asan_link_order=0", NULL);
    g_setenv("ASAN_OPTIONS", options, TRUE);
    g_setenv("LD_PRELOAD", absolute, TRUE);
    execv("/proc/self/exe", argv);
    g_error("cannot start again: %s", g_strerror(errno));
}

void disk_watch(const char *folder)
{
    ((disk_spy_watch_function *)spy("disk_spy_watch"))(folder);
}

guint disk_calls(void)
{
    return ((disk_spy_calls_function *)spy("disk_spy_calls"))();
}

void disk_fail(guint at, guint times, int number)
{
    ((disk_spy_fail_function *)spy("disk_spy_fail"))(at, times, number);
}

const struct disk_event *disk_events(guint *count)
{
    return ((disk_spy_events_function *)spy("disk_spy_events"))(count);
}

/* ---- what is on the disk, and what was said to be */

struct file {
    gint references;
    gboolean is_folder;
    GByteArray *now, *synced;
};

struct disk_image {
    guint at;                             /* events behind it */
    GHashTable *files;                    /* inode -> struct file *, of the youngest of that number */
    GHashTable *names_now, *names_synced; /* path -> struct file * */
    struct file *last;                    /* of the last event, a write; with what was there before */
    guint64 last_offset;
    GByteArray *last_before;
    gsize last_length;
};

static struct file *file_new(gboolean is_folder)
{
    struct file *file = g_new0(struct file, 1);

    file->references = 1;
    file->is_folder = is_folder;
    file->now = g_byte_array_new();
    file->synced = g_byte_array_new();
    return file;
}

static struct file *file_ref(struct file *file)
{
    file->references++;
    return file;
}

static void file_unref(struct file *file)
{
    if (--file->references > 0)
        return;
    g_byte_array_unref(file->now);
    g_byte_array_unref(file->synced);
    g_free(file);
}

static GHashTable *names_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)file_unref);
}

struct disk_image *disk_image_new(void)
{
    struct disk_image *image = g_new0(struct disk_image, 1);

    image->files = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)file_unref);
    image->names_now = names_new();
    image->names_synced = names_new();
    image->last_before = g_byte_array_new();
    return image;
}

void disk_image_free(struct disk_image *image)
{
    g_hash_table_unref(image->names_now);
    g_hash_table_unref(image->names_synced);
    g_hash_table_unref(image->files);
    g_byte_array_unref(image->last_before);
    g_free(image);
}

/* ---- one call after the other */

static void resize(GByteArray *octets, gsize length)
{
    guint before = octets->len;

    g_byte_array_set_size(octets, (guint)length);
    if (length > before)
        memset(octets->data + before, 0, length - before);
}

static void do_write(struct disk_image *image, const struct disk_event *event, struct file *file)
{
    gsize end = event->offset + event->length;

    image->last = file;
    image->last_offset = event->offset;
    image->last_length = event->length;
    g_byte_array_set_size(image->last_before, 0);
    if (file->now->len < end)
        resize(file->now, end);
    g_byte_array_append(image->last_before, file->now->data + event->offset, (guint)event->length);
    memcpy(file->now->data + event->offset, event->octets, event->length);
}

static void do_sync(struct file *file)
{
    g_byte_array_set_size(file->synced, 0);
    g_byte_array_append(file->synced, file->now->data, file->now->len);
}

static gboolean stands_in(const char *path, const char *folder)
{
    g_autofree char *parent = g_path_get_dirname(path);

    return strcmp(strcmp(parent, ".") == 0 ? "" : parent, folder) == 0;
}

static gboolean has_no_name(gpointer path, gpointer file, gpointer data)
{
    const struct disk_image *image = data;

    return g_hash_table_lookup(image->names_now, path) == NULL;
}

static void do_sync_folder(struct disk_image *image, const char *folder)
{
    GHashTableIter iter;
    gpointer path, file;

    g_hash_table_iter_init(&iter, image->names_synced);
    while (g_hash_table_iter_next(&iter, &path, &file))
        if (stands_in(path, folder) && has_no_name(path, file, image))
            g_hash_table_iter_remove(&iter);
    g_hash_table_iter_init(&iter, image->names_now);
    while (g_hash_table_iter_next(&iter, &path, &file))
        if (stands_in(path, folder))
            g_hash_table_insert(image->names_synced, g_strdup(path), file_ref(file));
}

static struct file *file_of(struct disk_image *image, const struct disk_event *event)
{
    gint64 inode = (gint64)event->file;
    struct file *file = g_hash_table_lookup(image->files, &inode);

    g_assert(file != NULL);
    return file;
}

static void do_name(struct disk_image *image, const struct disk_event *event)
{
    struct file *file = g_hash_table_lookup(image->names_now, event->path);

    g_assert(file != NULL);
    if (event->call != DISK_REMOVE)
        g_hash_table_insert(image->names_now, g_strdup(event->other), file_ref(file));
    if (event->call != DISK_LINK)
        g_hash_table_remove(image->names_now, event->path);
}

static void do_event(struct disk_image *image, const struct disk_event *event)
{
    struct file *file;

    image->last = NULL;
    switch (event->call) {
    case DISK_MAKE:
    case DISK_MAKE_FOLDER:
        file = file_new(event->call == DISK_MAKE_FOLDER);
        g_hash_table_insert(image->names_now, g_strdup(event->path), file);
        if (event->call == DISK_MAKE)
            g_hash_table_insert(image->files, g_memdup2(&event->file, sizeof event->file), file_ref(file));
        break;
    case DISK_WRITE:
        do_write(image, event, file_of(image, event));
        break;
    case DISK_CUT:
        resize(file_of(image, event)->now, event->offset);
        break;
    case DISK_SYNC:
        do_sync(file_of(image, event));
        break;
    case DISK_SYNC_FOLDER:
        do_sync_folder(image, event->path);
        break;
    case DISK_RENAME:
    case DISK_LINK:
    case DISK_REMOVE:
        do_name(image, event);
        break;
    }
}

void disk_image_advance(struct disk_image *image, guint events)
{
    guint count = 0;
    const struct disk_event *all = disk_events(&count);

    g_assert(events >= image->at && events <= count);
    while (image->at < events)
        do_event(image, &all[image->at++]);
}

/* ---- what a crash leaves */

const char *disk_kept_name(enum disk_kept kept)
{
    switch (kept) {
    case DISK_KEPT_ALL:
        return "all";
    case DISK_KEPT_NONE:
        return "none";
    case DISK_KEPT_NAMES:
        return "names";
    case DISK_KEPT_OCTETS:
        return "octets";
    case DISK_KEPT_TORN:
        break;
    }
    return "torn";
}

static void write_octets(const char *path, const guint8 *octets, gsize length)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents_full(path, (const char *)octets, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0600,
                                  &error))
        g_error("%s", error->message);
}

/* Without the second half of the last write. */
static void write_torn(const struct disk_image *image, const char *path)
{
    gsize half = image->last_length / 2;
    g_autofree guint8 *octets = g_memdup2(image->last->now->data, image->last->now->len);

    memcpy(octets + image->last_offset + half, image->last_before->data + half, image->last_length - half);
    write_octets(path, octets, image->last->now->len);
}

static int shorter_first(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void disk_image_write(const struct disk_image *image, enum disk_kept kept, const char *folder)
{
    GHashTable *names =
        kept == DISK_KEPT_NONE || kept == DISK_KEPT_OCTETS ? image->names_synced : image->names_now;
    guint count = 0;
    g_autofree const char **paths = (const char **)g_hash_table_get_keys_as_array(names, &count);

    qsort(paths, count, sizeof *paths, shorter_first); /* folders before what is in them */
    for (guint i = 0; i < count; i++) {
        const struct file *file = g_hash_table_lookup(names, paths[i]);
        g_autofree char *path = g_build_filename(folder, paths[i], NULL);
        const GByteArray *octets =
            kept == DISK_KEPT_NONE || kept == DISK_KEPT_NAMES ? file->synced : file->now;
        if (file->is_folder)
            g_assert_cmpint(mkdir(path, 0700), ==, 0);
        else if (kept == DISK_KEPT_TORN && file == image->last)
            write_torn(image, path);
        else
            write_octets(path, octets->data, octets->len);
    }
}
