#include "milter/store/keyring.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* A value of meta: its length, 0 when there is none, -1 and error when it cannot be told. Longer ones are
 * cut. */
static gssize meta_read(struct database *database, const char *name, void *value, gsize room, GError **error)
{
    g_autoptr(rows) rows = rows_begin(database, "SELECT value FROM meta WHERE name = ?1", "t", name);
    enum rows_answer answer = rows_next(rows, error);
    gsize length = 0;

    if (answer == ROWS_ROW) {
        const void *found = rows_octets(rows, 0, &length);
        memcpy(value, length > 0 ? found : "", MIN(length, room));
    }
    return answer == ROWS_FAILED ? -1 : (gssize)length;
}

static gboolean meta_write(struct database *database, const char *name, const void *value, gsize length,
                           GError **error)
{
    return database_run(database, error, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", "tb",
                        name, value, length);
}

static char *mark_text(const guint8 mark[KEY_MARK_BYTES])
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < KEY_MARK_BYTES; i++)
        g_string_append_printf(text, "%02x", mark[i]);
    return g_string_free(text, FALSE);
}

static gboolean unusable(const struct store *store, GError **error, const char *why)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE, "%s/store.db: %s", store->directory, why);
    return FALSE;
}

/* ---- the key in use */

static gboolean check_mark(struct store *store, const guint8 expected[KEY_MARK_BYTES], GError **error)
{
    g_autofree char *wanted = mark_text(expected);
    g_autofree char *found = NULL;
    guint8 mark[KEY_MARK_BYTES];

    if (!keys_in_use(store->keys, mark)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
                    "%s: what is kept is sealed with the store key %s, and no \"key file\" is given: name "
                    "that file again",
                    store->directory, wanted);
        return FALSE;
    }
    if (memcmp(mark, expected, sizeof mark) == 0)
        return TRUE;
    found = mark_text(mark);
    g_set_error(
        error, STORE_ERROR, STORE_ERROR_UNAVAILABLE,
        "%s: what is kept is sealed with the store key %s, and the key file holds the key %s: put the old "
        "file back and start; a key is changed by \"miji reload\" while the daemon runs",
        store->directory, wanted, found);
    return FALSE;
}

/* ---- older keys, each wrapped by a known one, until no more open */

struct ring_entry {
    guint8 mark[KEY_MARK_BYTES], by[KEY_MARK_BYTES], wrapped[WRAPPED_KEY_BYTES];
    gboolean is_open;
};

static gboolean take(struct rows *rows, int column, guint8 *octets, gsize expected)
{
    gsize length = 0;
    const void *found = rows_octets(rows, column, &length);

    if (length == expected)
        memcpy(octets, found, expected);
    return length == expected;
}

static GArray *ring_read(struct store *store, struct database *database, GError **error)
{
    g_autoptr(GArray) ring = g_array_new(FALSE, TRUE, sizeof(struct ring_entry));
    g_autoptr(rows) rows = rows_begin(database, "SELECT key_mark, wrapped_by, wrapped FROM keyring", "");
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW) {
        struct ring_entry entry = {0};
        if (!take(rows, 0, entry.mark, sizeof entry.mark) || !take(rows, 1, entry.by, sizeof entry.by) ||
            !take(rows, 2, entry.wrapped, sizeof entry.wrapped)) {
            unusable(store, error, "the list of older keys is damaged");
            return NULL;
        }
        g_array_append_val(ring, entry);
    }
    return answer == ROWS_FAILED ? NULL : g_steal_pointer(&ring);
}

static gboolean ring_open_one(struct keys *keys, struct ring_entry *entry)
{
    guint8 key[STORE_KEY_BYTES];

    if (entry->is_open || !keys_unwrap(keys, entry->by, "store key", entry->wrapped, key, NULL))
        return FALSE;
    keys_add(keys, key, NULL);
    OPENSSL_cleanse(key, sizeof key);
    entry->is_open = TRUE;
    return TRUE;
}

static gboolean ring_open(struct store *store, struct database *database, GError **error)
{
    g_autoptr(GArray) ring = ring_read(store, database, error);
    guint opened = 0;
    gboolean is_more;

    if (ring == NULL)
        return FALSE;
    do {
        is_more = FALSE;
        for (guint i = 0; i < ring->len; i++)
            is_more |= ring_open_one(store->keys, &g_array_index(ring, struct ring_entry, i));
        opened = 0;
        for (guint i = 0; i < ring->len; i++)
            opened += g_array_index(ring, struct ring_entry, i).is_open;
    } while (is_more && opened < ring->len);
    return opened == ring->len ||
           unusable(store, error, "an older store key does not open: the list is damaged");
}

/* ---- K */

static gboolean secret_write(struct database *database, struct store *store, const guint8 *mark,
                             GError **error)
{
    guint8 wrapped[WRAPPED_KEY_BYTES];

    if (mark == NULL)
        return meta_write(database, "secret", store->secret, SECRET_BYTES, error);
    return keys_wrap(store->keys, mark, "secret", store->secret, wrapped, error) &&
           meta_write(database, "secret", wrapped, sizeof wrapped, error) &&
           meta_write(database, "key mark", mark, KEY_MARK_BYTES, error);
}

/* K is there in the clear, or not yet; a key, if there is one now, is the first. */
static gboolean begin_ring(struct store *store, struct database *database, const guint8 *stored,
                           gssize length, GError **error)
{
    guint8 mark[KEY_MARK_BYTES];
    gboolean has_key = keys_in_use(store->keys, mark);
    gboolean done;

    if (length != 0 && length != SECRET_BYTES)
        return unusable(store, error, "the secret of this store is damaged");
    if (length == SECRET_BYTES)
        memcpy(store->secret, stored, SECRET_BYTES);
    else if (RAND_priv_bytes(store->secret, SECRET_BYTES) != 1)
        return unusable(store, error, "there are no random numbers");
    if (length == SECRET_BYTES && !has_key)
        return TRUE;
    done = database_run(database, error, "BEGIN IMMEDIATE", "") &&
           secret_write(database, store, has_key ? mark : NULL, error) &&
           database_run(database, error, "COMMIT", "");
    if (!done && database_in_transaction(database))
        database_run(database, NULL, "ROLLBACK", "");
    return done;
}

gboolean keyring_open(struct store *store, struct database *database, const guint8 *key, GError **error)
{
    guint8 mark[KEY_MARK_BYTES], stored[WRAPPED_KEY_BYTES];
    gssize mark_length = meta_read(database, "key mark", mark, sizeof mark, error);
    gssize length = mark_length >= 0 ? meta_read(database, "secret", stored, sizeof stored, error) : -1;

    store->keys = keys_new(key);
    if (length < 0)
        return FALSE;
    if (mark_length == 0)
        return begin_ring(store, database, stored, length, error);
    if (mark_length != sizeof mark || length != sizeof stored)
        return unusable(store, error, "the secret of this store is damaged");
    if (!check_mark(store, mark, error) || !ring_open(store, database, error))
        return FALSE;
    if (keys_unwrap(store->keys, mark, "secret", stored, store->secret, NULL))
        return TRUE;
    return unusable(store, error, "the secret of this store is damaged");
}

/* ---- another key */

struct change {
    struct store *store;
    gboolean had_key;
    guint8 from[KEY_MARK_BYTES], to[KEY_MARK_BYTES], wrapped[WRAPPED_KEY_BYTES];
};

static gboolean write_change(struct database *database, gpointer data, GError **error)
{
    struct change *change = data;

    if (change->had_key &&
        !database_run(database, error,
                      "INSERT OR REPLACE INTO keyring (key_mark, wrapped_by, wrapped) VALUES (?1, ?2, ?3)",
                      "bbb", change->from, sizeof change->from, change->to, sizeof change->to,
                      change->wrapped, sizeof change->wrapped))
        return FALSE;
    return database_run(database, error, "DELETE FROM keyring WHERE key_mark = ?1", "b", change->to,
                        sizeof change->to) &&
           secret_write(database, change->store, change->to, error);
}

static gboolean change_to(struct store *store, const guint8 key[STORE_KEY_BYTES], GError **error)
{
    struct change change = {.store = store};

    change.had_key = keys_in_use(store->keys, change.from);
    keys_add(store->keys, key, change.to);
    if (change.had_key && memcmp(change.from, change.to, KEY_MARK_BYTES) == 0)
        return TRUE;
    if (change.had_key && !keys_wrap_key(store->keys, change.to, change.from, change.wrapped, error))
        return FALSE;
    if (!writer_run(store->writer, write_change, &change, error))
        return FALSE;
    keys_use(store->keys, change.to);
    return TRUE;
}

gboolean store_change_key(struct store *store, const guint8 key[STORE_KEY_BYTES], GError **error)
{
    pthread_mutex_lock(&store->changing);
    gboolean done = change_to(store, key, error);
    pthread_mutex_unlock(&store->changing);
    return done;
}

gboolean store_has_key(struct store *store)
{
    return keys_in_use(store->keys, NULL);
}
