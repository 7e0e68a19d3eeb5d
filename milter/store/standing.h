/*
 * standing: how an identity key stands in holds (semantics.md 7.4). Internal to milter/store; with a database
 * of the caller, in a job or reading.
 */
#ifndef MILTER_STORE_STANDING_H
#define MILTER_STORE_STANDING_H

#include "milter/decide/past.h"
#include "milter/store/store_private.h"

struct standing {
    enum past_state state; /* NOTHING, HELD, SETTLED or ENDED */
    gint64 hold;           /* 0: none */
    gint64 changed_ms;
    gint64 kept; /* number of the copy of a refusal that is kept for this key; 0 none */
};

/*
 * Of several holds of one key an open one counts, else the youngest that has ended and is not older than
 * oldest_ms. A recipient that a later attempt delivered stands as NOTHING: Postfix may have failed after our
 * answer, and nothing lost comes before nothing doubled. What a later attempt refused stays refused.
 */
gboolean standing_find(struct database *database, const guint8 key[IDENTITY_BYTES], gint64 oldest_ms,
                       struct standing *standing, GError **error);

#endif
