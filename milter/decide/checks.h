/*
 * checks: the checks of semantics.md section 5 but those of sender.h (3) and marks.h (4, 7). Every one
 * answers, so that explain is complete. Part of decide.
 */
#ifndef MILTER_DECIDE_CHECKS_H
#define MILTER_DECIDE_CHECKS_H

#include "milter/decide/hearing.h"

/* All of the message, 1 to 9, in the order in which they need each other: fills decision->checks and
 * decision->reasons. */
void checks_of_message(struct hearing *hearing);

/* Recipients without doubles, with zone and person; then checks 10 to 13 for each. Fills
 * decision->recipients. */
void checks_of_recipients(struct hearing *hearing);

/* A person's clearances; an inside address that the directory does not know (`unknown person up to`); what a
 * zone carries; one level. */
struct dominance dominance_of_person(const struct hearing *hearing, const struct person *person);
struct dominance dominance_of_unknown(const struct hearing *hearing);
struct dominance dominance_of_zone(const struct hearing *hearing, const struct zone *zone);
struct dominance dominance_of_level(const struct hearing *hearing, const struct scheme *scheme,
                                    const struct level *level);

/* `denied`, or nobody-may-read when the label at fault is one that no clearance dominates (semantics.md 2.6).
 */
enum reason_id denial_for(enum reason_id denied, const struct label *above);

/* An address for a reason: printable, "<>" for the null address; new. */
char *address_shown(const struct address *address);

#endif
