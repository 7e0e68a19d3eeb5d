/*
 * keyring: the store key as the database knows it: the mark by which the right one is recognised, the older
 * keys, each wrapped by the one that followed it, and K, wrapped by the key in use. Internal to milter/store.
 */
#ifndef MILTER_STORE_KEYRING_H
#define MILTER_STORE_KEYRING_H

#include "milter/store/seal.h"

/* At the start: fills store->keys and store->secret; makes K in a new store. key NULL: none is configured.
 * FALSE and error when the key is not the one that sealed what is kept, or something of it is damaged. */
gboolean keyring_open(struct store *store, struct database *database, const guint8 *key, GError **error);

#endif
