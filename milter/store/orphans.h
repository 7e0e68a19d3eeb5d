/*
 * orphans: files of contents that no row names, set aside for a week in the folder `orphans` (0700) of the
 * state directory: when an older store.db was put back, the newer one may still come. Internal to
 * milter/store; any thread.
 */
#ifndef MILTER_STORE_ORPHANS_H
#define MILTER_STORE_ORPHANS_H

#include "milter/store/store_private.h"

#define ORPHANS_KEEP_MS ((gint64)7 * 86400 * 1000)

/* From contents to orphans; FALSE: it stays where it is, nothing is lost. The caller syncs contents. */
gboolean orphans_take(struct store *store, const char *name);
/* Back to contents, when a row names it again; FALSE: there is none. */
gboolean orphans_give_back(struct store *store, const char *name);
/* Those that were taken before. */
void orphans_remove(struct store *store, gint64 before_ms);

#endif
