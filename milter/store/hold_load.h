/*
 * hold_load: holds out of their rows, all of them with four questions however many they are. Internal to
 * milter/store.
 */
#ifndef MILTER_STORE_HOLD_LOAD_H
#define MILTER_STORE_HOLD_LOAD_H

#include "milter/store/hold.h"
#include "milter/store/store_private.h"

/* The numbers (gint64, one column) that a question gives; NULL and error. New. */
GArray *numbers_read(struct rows *rows, GError **error);
/* "[1,2,3]", for json_each. New. */
char *numbers_json(const GArray *numbers);
/* struct hold *, in order of their numbers; those that are gone are left out. NULL and error. */
GPtrArray *holds_load(struct database *database, const struct schemes *schemes, const GArray *numbers,
                      GError **error);
/* What a label's row says in today's schemes; NULL: system high is asked. New. */
struct label_set *label_of_row(const struct schemes *schemes, const char *text, gboolean system_high);

#endif
