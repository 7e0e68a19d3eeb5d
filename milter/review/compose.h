/*
 * compose: the notices to people, as whole messages in the languages of the configuration (semantics.md 9).
 * Null sender, Auto-Submitted, label field of L0 where the home scheme writes one, 8 KiB at most, 50 addresses
 * at most. Pure: no clock, no store; the reference and times are given.
 */
#ifndef MILTER_REVIEW_COMPOSE_H
#define MILTER_REVIEW_COMPOSE_H

#include "milter/store/hold.h"
#include "milter/store/outbox.h"

/* N1 for a decision with `tells`; NULL: nobody is to be told (NOTIFY=NEVER for all, bulk mail, no address). */
struct notice *compose_outcome(const struct inputs *inputs, const struct decision *decision);

/* How recipients of a hold ended. */
enum ending { ENDING_RELEASED, ENDING_REFUSED, ENDING_EXPIRED };
/* N2, one for each addressee: the sender, or the inside recipients of outside mail (9.2). struct notice *. note:
 * the reviewer's; NULL. */
GPtrArray *compose_end(const struct snapshot *snapshot, const struct hold *hold,
                       const struct recorded *recorded, const GPtrArray *canonical, enum ending ending,
                       const char *note, gint64 now_s);
/* "12 more notices for you in the last hour", with their references. */
struct notice *compose_digest(const struct snapshot *snapshot, const char *addressee,
                              const GPtrArray *references, gint64 now_s);

#endif
