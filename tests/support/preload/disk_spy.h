/*
 * disk_spy: preloaded into a test program, sees every call that changes what stands below one folder, in
 * order, with the octets; and can make the n-th of them, and some behind it, fail. What is not seen: memory
 * mapped files (SQLite's -shm, which nothing durable stands in) and the order in which a disk writes what was
 * not synced.
 *
 * In the program itself: dlsym these functions (tests/support/disk.h does). From outside: the environment
 * variable MIJI_DISK_FOLDER names the folder and MIJI_DISK_FAULT a file that holds the name of an error
 * ("ENOSPC", "EIO", "EROFS"): while it is there, every such call fails with it.
 */
#ifndef TESTS_SUPPORT_PRELOAD_DISK_SPY_H
#define TESTS_SUPPORT_PRELOAD_DISK_SPY_H

#include <stddef.h>
#include <stdint.h>

enum disk_call {
    DISK_MAKE,        /* a file that was not there; file: its inode from now on */
    DISK_MAKE_FOLDER, /* path */
    DISK_WRITE,       /* octets at offset of file */
    DISK_CUT,         /* file is as long as offset */
    DISK_SYNC,        /* of a file */
    DISK_SYNC_FOLDER, /* path */
    DISK_RENAME,      /* path to other */
    DISK_LINK,        /* path also as other */
    DISK_REMOVE       /* path */
};

/* Paths are below the folder; "" is itself. */
struct disk_event {
    enum disk_call call;
    uint64_t file;
    char *path, *other;
    uint64_t offset;
    size_t length;
    unsigned char *octets;
};

/* Forgets what was recorded and looks at this folder from now on (absolute, without links); NULL: at none. */
typedef void disk_spy_watch_function(const char *folder);
/* Calls below the folder since then: those that could be made to fail. */
typedef unsigned disk_spy_calls_function(void);
/* The calls from the number `at` on (the first is 1), so many, fail with this errno; at 0: none. */
typedef void disk_spy_fail_function(unsigned at, unsigned times, int number);
/* What has succeeded; valid until the next watch, and only while nothing below the folder is called. */
typedef const struct disk_event *disk_spy_events_function(unsigned *count);

disk_spy_watch_function disk_spy_watch;
disk_spy_calls_function disk_spy_calls;
disk_spy_fail_function disk_spy_fail;
disk_spy_events_function disk_spy_events;

#endif
