/*
 * prescan: one linear look at a body before the MIME library sees it, which asks for gigabytes and minutes
 * when a mail is made for that (facts 2.1). Pure functions.
 */
#ifndef MILTER_INSPECT_PRESCAN_H
#define MILTER_INSPECT_PRESCAN_H

#include "rules/facts.h"

struct prescan {
    gboolean has_nul;
    gboolean is_too_large; /* a limit was reached */
    enum finding_id limit; /* which */
};

void prescan_body(struct prescan *result, const char *body, gsize length);

/*
 * Whether the body begins with fields that should stand in the header (facts Postfix 26: a NUL in a field's
 * name, a line without colon or a leading continuation line ends the header for the MTA; what follows arrives
 * as body). Either its first line is a field of mail, or its first line is none, the lines behind it up to an
 * empty one all are fields or continuations, and one of them is of a kind that people do not write into texts
 * (X-…, MIME, trace, labels): a forwarded "From: … Subject: …" below a remark is text. So are the fields of
 * the first part: type is the message's Content-Type, or NULL, and names the boundary that they stand behind;
 * and the fields of a message that is the content. At most name_size octets of the first such field's name go
 * to name.
 */
gboolean body_begins_with_fields(const char *body, gsize length, const char *type, char *name,
                                 gsize name_size);

#endif
