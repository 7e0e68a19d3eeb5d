/*
 * outbox: sends the notices that are due through the release listener (semantics.md 9.4, 9.5), each with a
 * token of its own. At most OUTBOX_AN_HOUR an hour go to one addressee; what is beyond goes as one digest,
 * which lists every failure. What cannot be handed over is tried again with growing pauses, for OUTBOX_DAYS;
 * of a notice whose answer was lost Postfix is asked, as of a release, so that nobody is told twice (13.12),
 * and everybody once; where Postfix can never be asked, of a failure rather twice than never (13.10).
 *
 * For one thread at a time: the review's releaser.
 */
#ifndef MILTER_REVIEW_OUTBOX_H
#define MILTER_REVIEW_OUTBOX_H

#include "milter/review/review.h"

/* One look: what an earlier life left open, then what is due. Logs what it does. */
void outbox_send_due(struct review *review, gint64 now_ms);

/* How long to wait after so many tries. */
gint64 outbox_pause_ms(guint tries);

#endif
