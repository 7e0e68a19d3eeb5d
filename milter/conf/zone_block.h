/* zone_block: what the readers of a zone's lines share. Internal to milter/conf; see reading.h. */
#ifndef MILTER_CONF_ZONE_BLOCK_H
#define MILTER_CONF_ZONE_BLOCK_H

#include "milter/conf/reading.h"

/* A relay, peer or voucher, and where it stands. */
struct zone_host {
    enum keyword keyword;
    struct network network;
    struct span place;
};

struct zone_reading {
    struct reading *reading;
    struct zone *zone;
    gboolean is_local;
    struct span limits;    /* where `carries up to` stands; length 0: not written */
    GArray *hosts;         /* struct zone_host */
    struct span encrypted; /* where `encrypted mail counts as labelled` stands */
};

/* What the lines of one zone say together; name is where its name stands. */
void zone_check(struct zone_reading *zone_reading, struct span name);

/* Behind `carries up to`: LEVEL [with TEXT,…],… [otherwise OUTCOME]. FALSE if the reader is broken. */
gboolean zone_limits_read(struct reader *reader, struct reading *reading, struct zone *zone);

#endif
