#include "milter/store/standing.h"

#include "milter/store/hold.h"

static enum past_state state_of(enum hold_state state, gboolean via_later, gboolean is_old)
{
    switch (state) {
    case HOLD_HELD:
        return PAST_HELD;
    case HOLD_RELEASING:
        return PAST_SETTLED;
    case HOLD_RELEASED:
        return via_later || is_old ? PAST_NOTHING : PAST_SETTLED;
    case HOLD_REFUSED:
    case HOLD_EXPIRED:
        break;
    }
    return is_old ? PAST_NOTHING : PAST_ENDED;
}

/* Youngest first: what is found first stays, unless an older hold is still open. */
static void take(struct standing *standing, struct rows *rows, gint64 oldest_ms)
{
    enum hold_state state = (enum hold_state)CLAMP(rows_integer(rows, 1), HOLD_HELD, HOLD_EXPIRED);
    gint64 changed_ms = rows_integer(rows, 3);
    enum past_state past = state_of(state, rows_integer(rows, 2) != 0, changed_ms < oldest_ms);
    gboolean counts = standing->state == PAST_NOTHING || state <= HOLD_RELEASING;

    if (rows_integer(rows, 4) != KIND_HOLD)
        standing->kept = rows_integer(rows, 0);
    else if (counts && past != PAST_NOTHING)
        *standing = (struct standing){
            .state = past, .hold = rows_integer(rows, 0), .changed_ms = changed_ms, .kept = standing->kept};
}

gboolean standing_find(struct database *database, const guint8 key[IDENTITY_BYTES], gint64 oldest_ms,
                       struct standing *standing, GError **error)
{
    static const char sql[] = "SELECT hold.number, state, via_later, changed_ms, kind"
                              " FROM hold_recipient JOIN hold ON hold.number = hold_recipient.hold"
                              " WHERE key = ?1 ORDER BY hold.number DESC";
    g_autoptr(rows) rows = rows_begin(database, sql, "b", key, (gsize)IDENTITY_BYTES);
    enum rows_answer answer;

    *standing = (struct standing){.state = PAST_NOTHING};
    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        take(standing, rows, oldest_ms);
    return answer == ROWS_END;
}
