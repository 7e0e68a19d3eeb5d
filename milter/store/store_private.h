/* store_private: what the files of milter/store share of the store. Internal to milter/store. */
#ifndef MILTER_STORE_STORE_PRIVATE_H
#define MILTER_STORE_STORE_PRIVATE_H

#include <pthread.h>

#include "milter/conf/fault.h"
#include "milter/store/store.h"
#include "milter/store/writer.h"

#define SECRET_BYTES 32
#define IDENTITY_BYTES 16
#define ID_CHARACTERS 27

struct keys;     /* seal.h: the store key and the older ones */
struct hasher;   /* identity.h: keyed hashes with K */
struct attempts; /* identity.h: what is known of identity keys, in memory */

/* What one look of store_tidy takes for over. */
struct tidy_look {
    gint64 at_us; /* monotonic; 0: there was none */
    gint64 holds_before_ms, attempts_before_ms, orphans_before_ms;
};

struct store {
    char *directory;
    int lock_fd;     /* of the file `lock`: held while the store is open, so that no two daemons open one */
    int contents_fd; /* of the folder `contents` */
    struct writer *writer;
    pthread_mutex_t reading; /* guards reader; held for one read */
    struct database *reader;
    guint8 secret[SECRET_BYTES]; /* K: identity keys, tokens; made with the store */
    struct hasher *hasher;
    struct keys *keys;
    pthread_mutex_t changing; /* held while the store key changes, the commit included */
    struct attempts *attempts;
    gint64 newest_audit_ms; /* __atomic */
    pthread_mutex_t tidy_lock;
    struct tidy_look tidy_look; /* the first one of two; guarded by tidy_lock */
    pthread_mutex_t pending_lock;
    GHashTable
        *pending; /* names of files of contents whose row is not yet decided; guarded by pending_lock */
};

/* The reading connection, locked; give it back at once. */
struct database *store_read_begin(struct store *store);
void store_read_end(struct store *store);

/* A random id of 27 characters (128 bits, alphabet without vowels and look-alikes). New. */
char *store_new_id(void);
/* Has the form of one: nothing that leads out of a folder. */
gboolean store_is_id(const char *text);

/* TRUE and error: a test makes the step of this name fail (milter/conf/fault.h). */
static inline gboolean store_fault(const char *name, GError **error)
{
    if (!fault_point(name))
        return FALSE;
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s: made to fail by a test", name);
    return TRUE;
}

#endif
