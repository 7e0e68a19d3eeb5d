/*
 * noticing: for tests of notices: what decide's table would have carried out, a hold as the store would give
 * it back, and a notice read by the MIME library as a mail program reads it.
 */
#ifndef TESTS_SUPPORT_NOTICING_H
#define TESTS_SUPPORT_NOTICING_H

#include "milter/review/compose.h"
#include "tests/support/reviewing.h"

/* reviewing_begin, and what it takes to hold: the name of a queue. */
void noticing_begin(struct world *world);

/* A hold of the world's message for all its recipients, in the first queue, with its record. The class is
 * that of `sender`. Borrowed from the result. */
struct noticing_hold {
    struct hold hold;
    struct recorded recorded;
    GPtrArray *canonical;
    struct label_set *label;
};
struct noticing_hold *noticing_hold_new(struct world *world, enum sender_class class);
void noticing_hold_free(struct noticing_hold *held);
DEFINE_AUTOPTR(noticing_hold, noticing_hold_free)

/* The fields, decoded, and every part, decoded, one under the other; new. */
char *noticing_read(const struct notice *notice);
/* Is it what semantics.md 9.3 and 9.4 say of all notices? Fails the test where not. */
void noticing_check(const struct notice *notice);

#endif
