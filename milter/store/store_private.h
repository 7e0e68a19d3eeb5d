/* store_private: what the files of milter/store share of the store. Internal to milter/store. */
#ifndef MILTER_STORE_STORE_PRIVATE_H
#define MILTER_STORE_STORE_PRIVATE_H

#include <pthread.h>

#include "milter/store/store.h"
#include "milter/store/writer.h"

#define SECRET_BYTES 32
#define IDENTITY_BYTES 16

struct keys;     /* seal.h: the store key and the older ones */
struct attempts; /* identity.h: what is known of identity keys, in memory */

struct store {
    char *directory;
    struct writer *writer;
    pthread_mutex_t reading; /* guards reader; held for one read */
    struct database *reader;
    guint8 secret[SECRET_BYTES]; /* K: identity keys, tokens; made with the store */
    struct keys *keys;
    struct attempts *attempts;
    gint64 newest_audit_ms; /* __atomic */
};

/* The reading connection, locked; give it back at once. */
struct database *store_read_begin(struct store *store);
void store_read_end(struct store *store);

/* A random id of 27 characters (128 bits, alphabet without vowels and look-alikes). New. */
char *store_new_id(void);

#endif
