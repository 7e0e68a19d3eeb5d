#include "milter/store/identity.h"

#include "milter/store/hold.h"

/*
 * Of several rows of one key an open one counts, else the youngest that ended. Open ones are never forgotten:
 * one key has at most one open hold (semantics.md 13.12). What Postfix took at a later attempt is delivered
 * mail, and decided afresh; what a later attempt refused stays refused.
 */
static gboolean judge_row(struct rows *rows, gint64 oldest_ms, struct past_entry *entry)
{
    enum hold_state state = (enum hold_state)rows_integer(rows, 0);
    gint64 changed_ms = rows_integer(rows, 2);
    gboolean is_known = entry->state != PAST_NOTHING;
    struct past_entry found = {.hold = rows_integer(rows, 1), .at_s = changed_ms / 1000};

    if (state == HOLD_HELD || state == HOLD_RELEASING) {
        found.state = state == HOLD_HELD ? PAST_HELD : PAST_SETTLED;
        *entry = found;
        return TRUE;
    }
    if (is_known || changed_ms < oldest_ms || (state == HOLD_RELEASED && rows_integer(rows, 3) != 0))
        return FALSE;
    found.state = state == HOLD_RELEASED ? PAST_SETTLED : PAST_ENDED;
    *entry = found;
    return FALSE;
}

static gboolean look_at_holds(struct database *database, const guint8 key[IDENTITY_BYTES], gint64 oldest_ms,
                              struct past_entry *entry, GError **error)
{
    static const char sql[] = "SELECT r.state, r.hold, r.changed_ms, r.via_later FROM hold_recipient r"
                              " JOIN hold h ON h.number = r.hold"
                              " WHERE r.key = ?1 AND h.kind = ?2 ORDER BY r.hold DESC";
    g_autoptr(rows) rows = rows_begin(database, sql, "bi", key, (gsize)IDENTITY_BYTES, (gint64)KIND_HOLD);
    enum rows_answer answer;

    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        if (judge_row(rows, oldest_ms, entry))
            return TRUE;
    return answer == ROWS_END;
}

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
    gboolean done =
        look_at_holds(database, key, oldest_ms, entry, error) &&
        (entry->state != PAST_NOTHING || look_at_deferred(database, key, oldest_ms, entry, error));

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
