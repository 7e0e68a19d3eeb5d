/*
 * raise: the recorded label of a hold or an archive copy goes up when more is found of the same contents,
 * never down: who may look is asked of it (semantics.md 10.3). In the writer's thread, within a transaction.
 * Internal to milter/store.
 */
#ifndef MILTER_STORE_RAISE_H
#define MILTER_STORE_RAISE_H

#include "milter/store/job.h"

enum raised { RAISED_HOLD, RAISED_COPY };

/* Joins E of the decision into that of the row; a recorded label that today's schemes do not know, or an E
 * that is not known, makes it system high. A change is audited. */
gboolean raise_label(struct store *store, struct database *database, enum raised what, gint64 number,
                     const struct decision *decision, GError **error);

#endif
