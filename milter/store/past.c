#include "milter/store/identity.h"

#include "milter/store/standing.h"

static gboolean look_at_deferred(struct database *database, const guint8 key[IDENTITY_BYTES],
                                 gint64 oldest_ms, struct past_entry *entry, GError **error)
{
    static const char sql[] = "SELECT own_since_ms FROM deferred WHERE key = ?1 AND last_ms >= ?2";
    g_autoptr(rows) rows = rows_begin(database, sql, "bi", key, (gsize)IDENTITY_BYTES, oldest_ms);
    enum rows_answer answer = rows_next(rows, error);

    if (answer == ROWS_ROW)
        *entry = (struct past_entry){.state = PAST_DEFERRED, .own_since_s = rows_integer(rows, 0) / 1000};
    return answer != ROWS_FAILED;
}

/* Of one recipient of whom something may be known. */
static gboolean look_up(struct store *store, const guint8 key[IDENTITY_BYTES], gint64 oldest_ms,
                        struct past_entry *entry, GError **error)
{
    struct database *database = store_read_begin(store);
    struct standing standing;
    gboolean done = standing_find(database, key, oldest_ms, &standing, error);

    *entry = (struct past_entry){
        .state = standing.state, .hold = standing.hold, .at_s = standing.changed_ms / 1000};
    done = done && (entry->state != PAST_NOTHING || look_at_deferred(database, key, oldest_ms, entry, error));
    store_read_end(store);
    return done;
}

struct past *store_past(struct store *store, const struct inputs *inputs, const guint8 digest[32],
                        gint64 remember_ms, GError **error)
{
    g_autofree char *identity = inputs_identity(inputs);
    g_autoptr(past) past = past_new();
    gint64 oldest_ms = inputs->now * 1000 - remember_ms;

    for (guint i = 0; i < inputs->envelope->recipients->len; i++) {
        const struct envelope_recipient *recipient = g_ptr_array_index(inputs->envelope->recipients, i);
        const char *canonical = recipient->address->canonical;
        struct past_entry entry = {.state = PAST_NOTHING};
        guint8 key[IDENTITY_BYTES];
        identity_key(store, identity, canonical, digest, key);
        if (!attempts_has(store->attempts, key))
            continue;
        if (!look_up(store, key, oldest_ms, &entry, error))
            return NULL;
        if (entry.state != PAST_NOTHING)
            past_set(past, canonical, entry);
    }
    return g_steal_pointer(&past);
}
