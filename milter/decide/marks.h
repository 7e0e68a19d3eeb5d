/*
 * marks: the label in force, from what the inspector found (semantics.md section 2): claims, E, what is
 * missing or assumed, how sure it is; and checks 4 (label state) and 7 (inspection), which say so. Part of
 * decide.
 */
#ifndef MILTER_DECIDE_MARKS_H
#define MILTER_DECIDE_MARKS_H

#include "milter/decide/hearing.h"

/* Claims and labels: fills decision->claims and decision->label (NULL without facts). After sender_find. */
void marks_read(struct hearing *hearing);

/* Check 4; assumes a label where the configuration says so. Before every check that asks for E. */
void label_state_check(struct hearing *hearing);

/* Check 7; after it hearing->certainty is final. */
void inspection_check(struct hearing *hearing);

#endif
