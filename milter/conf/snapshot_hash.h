/* snapshot_hash: one source as a part of a content hash. Internal to milter/conf. */
#ifndef MILTER_CONF_SNAPSHOT_HASH_H
#define MILTER_CONF_SNAPSHOT_HASH_H

#include "policy/text/source.h"

/* Adds name and text to a GChecksum; for sources_foreach. */
void checksum_source(const struct source *source, gpointer checksum);

#endif
