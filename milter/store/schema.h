/* schema: the tables, and their version. Internal to milter/store. */
#ifndef MILTER_STORE_SCHEMA_H
#define MILTER_STORE_SCHEMA_H

#include "milter/store/database.h"

#define SCHEMA_VERSION 1

/* Nothing was ever in it: schema_prepare would make the tables. */
gboolean schema_is_new(struct database *database);
/* Makes the tables in an empty database, or checks that those there are of this version (an older one is
 * brought up, a newer one, or a database of something else, is an error that says so). */
gboolean schema_prepare(struct database *database, GError **error);

#endif
