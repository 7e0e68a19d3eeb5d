/*
 * failures: the digests of messages on which an inspector died. The first death is "cannot tell now" (the
 * client tries again), a second on the same message is "cannot tell ever" (semantics.md 1). Bounded: the
 * oldest are forgotten. Any thread.
 */
#ifndef MILTER_DAEMON_FAILURES_H
#define MILTER_DAEMON_FAILURES_H

#include <glib.h>

struct failures;
struct failures *failures_new(guint most);
void failures_free(struct failures *failures);
/* Notes a death on this digest and tells how many there have been, this one included. */
guint failures_note(struct failures *failures, const guint8 digest[32]);

#endif
