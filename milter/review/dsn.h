/*
 * dsn: the machine's part of a delivery status notification (RFC 3464; RFC 6533 for addresses that are not
 * ASCII). Nothing of the message is returned. Pure; any thread.
 */
#ifndef MILTER_REVIEW_DSN_H
#define MILTER_REVIEW_DSN_H

#include "milter/review/letter.h"

/* The part with its header: fields of the message, then those of the first `shown` recipients that failed. */
void dsn_part(GString *out, const struct letter *letter, guint shown);

/* ENVID of MAIL's parameters, decoded; new; NULL none, or not fit to be told. */
char *dsn_envelope_id(const char *parameters);
/* NOTIFY=NEVER: nobody is to be told of this recipient (RFC 3461 4.1). */
gboolean dsn_is_never(const char *notify);

#endif
