/* zone_block: what the readers of a zone's lines share. Internal to milter/conf; see reading.h. */
#ifndef MILTER_CONF_ZONE_BLOCK_H
#define MILTER_CONF_ZONE_BLOCK_H

#include "milter/conf/reading.h"

struct zone_reading {
    struct reading *reading;
    struct zone *zone;
    gboolean is_local;
    struct span limits;    /* where `carries up to` stands; length 0: not written */
    struct span encrypted; /* where `encrypted mail counts as labelled` stands */
};

/* Behind `carries up to`: LEVEL [with TEXT,…],… [otherwise OUTCOME]. FALSE if the reader is broken. */
gboolean zone_limits_read(struct reader *reader, struct reading *reading, struct zone *zone);

#endif
