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
 * as body, first the line that ended it). Two ways (contrib/decisions/fields-in-the-body.md):
 * - the first line is a field that programs write and people do not (X-…, Content-…, MIME, trace, labels), or
 *   Subject, or a field of mail with control octets in its name;
 * - all lines up to an empty one, but perhaps the first, are fields or continuations, and one of them is of
 *   that kind; behind To, From, Date … or a continuation in the first line also one that is Subject or sounds
 *   like a label. Without those it is the head of a memo, and below a remark it is what is forwarded: text.
 * The fields of the first part are none of it: type is the message's Content-Type, or NULL, and names the
 * boundary that they stand behind; nor are those of a message that is the content. At most name_size octets
 * of the first such field's name go to name.
 */
gboolean body_begins_with_fields(const char *body, gsize length, const char *type, char *name,
                                 gsize name_size);

#endif
