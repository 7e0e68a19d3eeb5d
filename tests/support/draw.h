/*
 * draw: random worlds for property tests of decide: a scheme of 2–5 levels with a restrictive and a
 * permissive set, zones, policy, people, one session and one message, all from g_test_rand_*, so that --seed
 * gives the same again. What is drawn is what a configuration could say; only `undecidable` lines that
 * deliver come first, since a site that lets more pass at a higher level than at a lower one asks for it.
 */
#ifndef TESTS_SUPPORT_DRAW_H
#define TESTS_SUPPORT_DRAW_H

#include "tests/support/world.h"

/* Never in anything that is said to senders or logs; the generator puts it into every text of the message. */
#define DRAW_CANARY "KANARIENVOGEL"

struct world *draw_world(void);
/* The test over many worlds, until one fails. */
void draw_each_world(void (*test)(struct world *));

/* One more piece of the drawn kind. */
void draw_recipient(struct world *world);
void draw_claim(struct world *world, enum place_kind kind); /* a mark that is understood, in this place */
void draw_session(struct world *world);
void draw_clearances(struct world *world); /* of everybody, anew */
void draw_past(struct world *world);       /* of everybody who is addressed, or nobody */

/* A random answer with one chance in n. */
gboolean draw_once_in(gint n);
const struct level *draw_level(const struct world *world);

#endif
