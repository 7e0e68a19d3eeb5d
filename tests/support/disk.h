/*
 * disk: what a program under test does to a folder, call by call, and what a crash between any two calls may
 * leave of it. Stands on preload/disk_spy.c, which a test asks for at the beginning of its main. One thread.
 */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include "policy/autoptr.h"
#include "tests/support/preload/disk_spy.h"
#include <glib.h>

/* Starts this program again with the spy in front, unless it is there already. */
void disk_preload(char **argv);

void disk_watch(const char *folder); /* as disk_spy_watch and its neighbours */
guint disk_calls(void);
void disk_fail(guint at, guint times, int number);
const struct disk_event *disk_events(guint *count);

/*
 * The folder as a crash leaves it. What was synced is there; of the rest the disk may have kept all, nothing,
 * names without octets, octets without names, or all but the second half of the last write.
 */
enum disk_kept {
    DISK_KEPT_ALL,
    DISK_KEPT_NONE,
    DISK_KEPT_NAMES,
    DISK_KEPT_OCTETS,
    DISK_KEPT_TORN /* where the last call was a write, else as ALL */
};
#define DISK_KEPT_WAYS 5
const char *disk_kept_name(enum disk_kept kept);

struct disk_image;
/* Of a folder that was empty before the first event. */
struct disk_image *disk_image_new(void);
void disk_image_free(struct disk_image *image);
DEFINE_AUTOPTR(disk_image, disk_image_free)
/* Goes on to right behind so many of the events that the spy has now; never back. */
void disk_image_advance(struct disk_image *image, guint events);
/* Writes it into a folder that is empty. */
void disk_image_write(const struct disk_image *image, enum disk_kept kept, const char *folder);

#endif
