/*
 * mixture: a message marked 秘密 to some of four recipients, one for each verdict, from every kind of sender;
 * and what is decided of it, in letters. For tests of the table of semantics.md 7.2.
 */
#ifndef TESTS_SUPPORT_MIXTURE_H
#define TESTS_SUPPORT_MIXTURE_H

#include "tests/support/world.h"

/* an (deliver), held@hold.example (hold), zz (defer: cannot be asked), ni (refuse). */
enum { D = 1, H = 2, F = 4, R = 8, MIXTURES = 16, MIXTURE_PARTS = 4 };
struct mixture_part {
    int part;
    const char *to;
    enum verdict verdict;
};
extern const struct mixture_part mixture_parts[MIXTURE_PARTS];

/* What makes the verdicts: a zone that holds in the queue "labels", and an address that cannot be asked
 * about. First of all. */
void mixture_add_queue(struct world *world);

void mixture_from_person(struct world *world);
void mixture_from_person_null(struct world *world);
void mixture_from_peer(struct world *world);
void mixture_from_outside(struct world *world);
void mixture_from_outside_holding(struct world *world); /* `outside mixed hold refused` */
void mixture_from_device(struct world *world);
void mixture_from_local(struct world *world);
void mixture_from_local_keyless(struct world *world);
void mixture_from_person_mute(struct world *world);

/* "ash": the act (a accept, x discard, r refuse, d defer), then the fate of each recipient (s stays, h held,
 * r refused, d deferred, t settled, k kept). New. */
char *mixture_outcome(const struct decision *decision);

#endif
