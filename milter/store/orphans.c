#include "milter/store/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/conf/clock.h"

static int folder_of(struct store *store, gboolean shall_make)
{
    g_autofree char *path = g_build_filename(store->directory, "orphans", NULL);

    if (shall_make && mkdir(path, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

gboolean orphans_take(struct store *store, const char *name)
{
    gint64 now_ms = clock_wall_ms();
    const struct timespec taken[2] = {{.tv_nsec = UTIME_OMIT},
                                      {now_ms / 1000, (long)(now_ms % 1000) * 1000000}};
    int folder = folder_of(store, TRUE);
    gboolean done = folder >= 0 && utimensat(store->contents_fd, name, taken, AT_SYMLINK_NOFOLLOW) == 0 &&
                    renameat(store->contents_fd, name, folder, name) == 0;

    if (done)
        fsync(folder);
    if (folder >= 0)
        close(folder);
    return done;
}

gboolean orphans_give_back(struct store *store, const char *name)
{
    int folder = folder_of(store, FALSE);
    gboolean done = folder >= 0 && renameat(folder, name, store->contents_fd, name) == 0 &&
                    fsync(store->contents_fd) == 0;

    if (folder >= 0)
        close(folder);
    return done;
}

void orphans_remove(struct store *store, gint64 before_ms)
{
    int fd = folder_of(store, FALSE);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    struct stat st;

    if (folder == NULL && fd >= 0)
        close(fd);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (store_is_id(entry->d_name) && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (gint64)st.st_mtim.tv_sec * 1000 < before_ms)
            unlinkat(fd, entry->d_name, 0);
    closedir(folder);
}
