#include "milter/store/standing.h"

#include "milter/store/hold.h"

static enum past_state state_of(enum hold_state state, gboolean via_later)
{
    switch (state) {
    case HOLD_HELD:
        return PAST_HELD;
    case HOLD_RELEASING:
        return PAST_SETTLED;
    case HOLD_RELEASED:
        return via_later ? PAST_NOTHING : PAST_SETTLED;
    case HOLD_REFUSED:
    case HOLD_EXPIRED:
        break;
    }
    return PAST_ENDED;
}

/* Several holds may have had the key, one after the other: an open one counts, then what went out, then an
 * end. */
static void take(struct standing *standing, struct rows *rows)
{
    static const guint weights[] = {
        [PAST_NOTHING] = 0, [PAST_ENDED] = 1, [PAST_SETTLED] = 2, [PAST_HELD] = 3, [PAST_DEFERRED] = 0};
    enum past_state state = state_of((enum hold_state)CLAMP(rows_integer(rows, 1), HOLD_HELD, HOLD_EXPIRED),
                                     rows_integer(rows, 2) != 0);

    if (rows_integer(rows, 4) != KIND_HOLD)
        standing->kept = rows_integer(rows, 0);
    else if (weights[state] > weights[standing->state])
        *standing = (struct standing){.state = state,
                                      .hold = rows_integer(rows, 0),
                                      .changed_ms = rows_integer(rows, 3),
                                      .kept = standing->kept};
}

gboolean standing_find(struct database *database, const guint8 key[IDENTITY_BYTES], struct standing *standing,
                       GError **error)
{
    static const char sql[] = "SELECT hold.number, state, via_later, changed_ms, kind"
                              " FROM hold_recipient JOIN hold ON hold.number = hold_recipient.hold"
                              " WHERE key = ?1";
    g_autoptr(rows) rows = rows_begin(database, sql, "b", key, (gsize)IDENTITY_BYTES);
    enum rows_answer answer;

    *standing = (struct standing){.state = PAST_NOTHING};
    while ((answer = rows_next(rows, error)) == ROWS_ROW)
        take(standing, rows);
    return answer == ROWS_END;
}
