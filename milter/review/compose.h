/*
 * compose: who is told what, and how: the notices to people as whole messages in the languages of the
 * configuration (semantics.md 9). Null sender, Auto-Submitted, a label field of L0 (the first plain one that
 * the home scheme reads), 8 KiB at most, 50 addresses at most. No store, no clock of its own: references and
 * times are given. Only compose_end may ask the directory. Nothing of a message's body, nor of what was found
 * in it, is ever in a notice. Any thread.
 */
#ifndef MILTER_REVIEW_COMPOSE_H
#define MILTER_REVIEW_COMPOSE_H

#include "milter/store/hold.h"
#include "milter/store/outbox.h"

/* N1 for a decision with `tells`; NULL: nobody is to be told (NOTIFY=NEVER for all, bulk mail, no address).
 */
struct notice *compose_outcome(const struct inputs *inputs, const struct decision *decision);

/* How recipients of a hold ended. */
enum ending { ENDING_RELEASED, ENDING_REFUSED, ENDING_EXPIRED };
/* N2, one for each addressee: the sender, or the inside recipients of outside mail (9.2), whose clearances
 * are asked of the directory: what it does not answer in time is no. struct notice *, owned; maybe none.
 * canonical: char *, who ended so. note: the reviewer's; NULL. Of mail of programs nobody hears
 * that it was released. */
GPtrArray *compose_end(const struct snapshot *snapshot, const struct hold *hold,
                       const struct recorded *recorded, const GPtrArray *canonical, enum ending ending,
                       const char *note, gint64 now_s);
/* FALSE: the directory cannot say now whom compose_end would have to tell of a hold that expires: time can
 * wait. */
gboolean compose_end_is_ready(const struct snapshot *snapshot, const struct hold *hold,
                              const struct recorded *recorded);
/* "12 more notices", with the references of at most DIGEST_REFERENCES entries (struct outbox_entry *), those
 * that tell of failures first. */
struct notice *compose_digest(const struct snapshot *snapshot, const char *addressee,
                              const GPtrArray *entries, gint64 now_s);

#endif
