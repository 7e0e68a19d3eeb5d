/*
 * names: stable English words for JSON and logs; those in decision.h are for everybody.
 */
#ifndef MILTER_DECIDE_NAMES_H
#define MILTER_DECIDE_NAMES_H

#include "milter/decide/decision.h"

const char *answer_name(enum check_answer answer);

#endif
