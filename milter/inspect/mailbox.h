/*
 * mailbox: who is named in From, Sender and their Resent twins: the address list of RFC 5322 3.4, with
 * what 4.4 (obsolete) still allows: routes, blanks and comments inside addresses, dots in phrases, empty list
 * elements; also brackets in phrases, and an address as the display name of the same address. Anything else
 * is not guessed at: programs would differ in whom they show.
 */
#ifndef MILTER_INSPECT_MAILBOX_H
#define MILTER_INSPECT_MAILBOX_H

#include <glib.h>

/* value: unfolded, valid UTF-8. Appends each addr-spec as written, without brackets, comments and blanks
 * (char *, g_free). FALSE if the list cannot be read or names nobody; addresses before the fault are kept. */
gboolean mailboxes_parse(const char *value, gsize length, GPtrArray *addresses);

#endif
