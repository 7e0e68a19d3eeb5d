#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/support/preload/disk_spy.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* all that follows: guarded by lock */
static char watched[4096]; /* "" none */
static const char *fault_file;
static struct disk_event *events;
static unsigned count, room, calls, fail_at, fail_times;
static int fail_number;

/* Before the program: the address sanitizer makes the folder of its reports before anything else works. */
static int has_begun;

#define NEXT(name, ...) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

/* ---- what is below the folder */

/* The part of an absolute path behind the folder; NULL: elsewhere, or nothing that lasts. */
static const char *below(const char *path)
{
    size_t length = strlen(watched), end = strlen(path);

    if (length == 0 || strncmp(path, watched, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    if (end > 4 && strcmp(path + end - 4, "-shm") == 0)
        return NULL;
    return path[length] == '/' ? path + length + 1 : path + length;
}

static int path_of_fd(int fd, char path[4096])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Absolute; a relative one is seen from the folder, or from where the process stands. */
static const char *below_at(int folder, const char *path, char absolute[8192])
{
    char base[4096] = "";

    if (path[0] == '/') {
        snprintf(absolute, 8192, "%s", path);
    } else {
        if (folder == AT_FDCWD ? getcwd(base, sizeof base) == NULL : !path_of_fd(folder, base))
            return NULL;
        snprintf(absolute, 8192, "%s/%s", base, path);
    }
    return below(absolute);
}

static const char *below_fd(int fd, char path[4096], struct stat *st)
{
    if (watched[0] == '\0' || !path_of_fd(fd, path))
        return NULL;
    const char *name = below(path);
    return name != NULL && fstat(fd, st) == 0 && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) ? name : NULL;
}

/* ---- failing, recording */

static int asked_number(void)
{
    char word[16] = "";
    int fd = fault_file != NULL ? (int)NEXT(open, fault_file, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, word, sizeof word - 1);
    NEXT(close, fd);
    if (n <= 0)
        return 0;
    return strncmp(word, "ENOSPC", 6) == 0 ? ENOSPC : strncmp(word, "EROFS", 5) == 0 ? EROFS : EIO;
}

/* Not 0: the call fails with it. */
static int refuses(void)
{
    calls++;
    if (fail_at != 0 && calls >= fail_at && calls - fail_at < fail_times)
        return fail_number;
    return asked_number();
}

static struct disk_event *note(enum disk_call call, uint64_t file, const char *path)
{
    if (fault_file != NULL) /* from outside: nobody asks */
        return NULL;
    if (count == room) {
        room = room > 0 ? 2 * room : 1024;
        events = realloc(events, room * sizeof *events);
        if (events == NULL)
            abort();
    }
    events[count] = (struct disk_event){.call = call, .file = file, .path = strdup(path)};
    return &events[count++];
}

static void note_write(uint64_t file, const char *path, const void *octets, ssize_t length, off_t at)
{
    struct disk_event *event = length > 0 ? note(DISK_WRITE, file, path) : NULL;

    if (event == NULL)
        return;
    event->offset = (uint64_t)at;
    event->length = (size_t)length;
    event->octets = malloc((size_t)length);
    memcpy(event->octets, octets, (size_t)length);
}

static int refused(int number)
{
    pthread_mutex_unlock(&lock);
    errno = number;
    return -1;
}

static void unlock_keeping_errno(void)
{
    int kept = errno;

    pthread_mutex_unlock(&lock);
    errno = kept;
}

/* ---- for the program */

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("MIJI_DISK_FOLDER");

    fault_file = getenv("MIJI_DISK_FAULT");
    if (folder != NULL)
        snprintf(watched, sizeof watched, "%s", folder);
    has_begun = 1;
}

void disk_spy_watch(const char *folder)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < count; i++) {
        free(events[i].path);
        free(events[i].other);
        free(events[i].octets);
    }
    count = calls = fail_at = 0;
    snprintf(watched, sizeof watched, "%s", folder != NULL ? folder : "");
    pthread_mutex_unlock(&lock);
}

unsigned disk_spy_calls(void)
{
    pthread_mutex_lock(&lock);
    unsigned made = calls;
    pthread_mutex_unlock(&lock);
    return made;
}

void disk_spy_fail(unsigned at, unsigned times, int number)
{
    pthread_mutex_lock(&lock);
    fail_at = at;
    fail_times = times;
    fail_number = number;
    pthread_mutex_unlock(&lock);
}

const struct disk_event *disk_spy_events(unsigned *number)
{
    pthread_mutex_lock(&lock);
    *number = count;
    const struct disk_event *all = events;
    pthread_mutex_unlock(&lock);
    return all;
}

/* ---- opening */

typedef int openat_function(int folder, const char *path, int flags, ...);

static int open_any(const char *symbol, int folder, const char *path, int flags, mode_t mode)
{
    char absolute[8192];
    struct stat st;

    pthread_mutex_lock(&lock);
    const char *name = flags & O_CREAT ? below_at(folder, path, absolute) : NULL;
    int is_new = name != NULL && fstatat(folder, path, &st, 0) != 0;
    int number = is_new ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int fd = ((openat_function *)dlsym(RTLD_NEXT, symbol))(folder, path, flags, mode);
    if (fd >= 0 && is_new && fstat(fd, &st) == 0)
        note(DISK_MAKE, st.st_ino, name);
    unlock_keeping_errno();
    return fd;
}

#define MODE_OF(flags)                    \
    mode_t mode = 0;                      \
    if ((flags)&O_CREAT) {                \
        va_list arguments;                \
        va_start(arguments, flags);       \
        mode = va_arg(arguments, mode_t); \
        va_end(arguments);                \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any("openat", AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any("openat64", AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any("openat", folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any("openat64", folder, path, flags, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    char absolute[8192];
    struct stat st;

    if (!has_begun)
        return (int)syscall(SYS_mkdirat, folder, path, mode);
    pthread_mutex_lock(&lock);
    const char *name = below_at(folder, path, absolute);
    int is_new = name != NULL && name[0] != '\0' && fstatat(folder, path, &st, 0) != 0;
    int number = is_new ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int done = NEXT(mkdirat, folder, path, mode);
    if (done == 0 && is_new)
        note(DISK_MAKE_FOLDER, 0, name);
    unlock_keeping_errno();
    return done;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* ---- octets */

static ssize_t write_at(int fd, const void *octets, size_t length, off_t at, int has_place)
{
    char path[4096];
    struct stat st;

    pthread_mutex_lock(&lock);
    const char *name = below_fd(fd, path, &st);
    int number = name != NULL ? refuses() : 0;
    if (number != 0)
        return refused(number);
    if (name != NULL && !has_place)
        at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = has_place ? NEXT(pwrite64, fd, octets, length, at) : NEXT(write, fd, octets, length);
    if (name != NULL)
        note_write(st.st_ino, name, octets, n, at);
    unlock_keeping_errno();
    return n;
}

ssize_t write(int fd, const void *octets, size_t length)
{
    return write_at(fd, octets, length, 0, 0);
}

ssize_t pwrite(int fd, const void *octets, size_t length, off_t at)
{
    return write_at(fd, octets, length, at, 1);
}

ssize_t pwrite64(int fd, const void *octets, size_t length, off64_t at)
{
    return write_at(fd, octets, length, at, 1);
}

int ftruncate64(int fd, off64_t length)
{
    char path[4096];
    struct stat st;

    pthread_mutex_lock(&lock);
    const char *name = below_fd(fd, path, &st);
    int number = name != NULL ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int done = NEXT(ftruncate64, fd, length);
    struct disk_event *event = name != NULL && done == 0 ? note(DISK_CUT, st.st_ino, name) : NULL;
    if (event != NULL)
        event->offset = (uint64_t)length;
    unlock_keeping_errno();
    return done;
}

int ftruncate(int fd, off_t length)
{
    return ftruncate64(fd, length);
}

static int sync_any(int fd, int (*real)(int fd))
{
    char path[4096];
    struct stat st;

    pthread_mutex_lock(&lock);
    const char *name = below_fd(fd, path, &st);
    int number = name != NULL ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int done = real(fd);
    if (name != NULL && done == 0)
        note(S_ISDIR(st.st_mode) ? DISK_SYNC_FOLDER : DISK_SYNC, st.st_ino, name);
    unlock_keeping_errno();
    return done;
}

int fsync(int fd)
{
    return sync_any(fd, (int (*)(int))dlsym(RTLD_NEXT, "fsync"));
}

int fdatasync(int fd)
{
    return sync_any(fd, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync"));
}

/* ---- names */

int renameat(int from, const char *path, int to, const char *other)
{
    char absolute[8192], absolute_other[8192];

    pthread_mutex_lock(&lock);
    const char *name = below_at(from, path, absolute), *other_name = below_at(to, other, absolute_other);
    int number = name != NULL && other_name != NULL ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int done = NEXT(renameat, from, path, to, other);
    struct disk_event *event =
        done == 0 && name != NULL && other_name != NULL ? note(DISK_RENAME, 0, name) : NULL;
    if (event != NULL)
        event->other = strdup(other_name);
    unlock_keeping_errno();
    return done;
}

int rename(const char *path, const char *other)
{
    return renameat(AT_FDCWD, path, AT_FDCWD, other);
}

int linkat(int from, const char *path, int to, const char *other, int flags)
{
    char absolute[8192], absolute_other[8192];

    pthread_mutex_lock(&lock);
    const char *name = below_at(from, path, absolute), *other_name = below_at(to, other, absolute_other);
    int number = name != NULL && other_name != NULL ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int done = NEXT(linkat, from, path, to, other, flags);
    struct disk_event *event =
        done == 0 && name != NULL && other_name != NULL ? note(DISK_LINK, 0, name) : NULL;
    if (event != NULL)
        event->other = strdup(other_name);
    unlock_keeping_errno();
    return done;
}

int link(const char *path, const char *other)
{
    return linkat(AT_FDCWD, path, AT_FDCWD, other, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
    char absolute[8192];

    pthread_mutex_lock(&lock);
    const char *name = below_at(folder, path, absolute);
    int number = name != NULL ? refuses() : 0;
    if (number != 0)
        return refused(number);
    int done = NEXT(unlinkat, folder, path, flags);
    if (name != NULL && done == 0)
        note(DISK_REMOVE, 0, name);
    unlock_keeping_errno();
    return done;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}
