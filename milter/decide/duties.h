/*
 * duties: what else a decision asks of those who carry it out: archives, notice, RET=HDRS, and who may look
 * at what is kept (semantics.md 3.7, 7.2, 9, 10.3, 12). Part of decide.
 */
#ifndef MILTER_DECIDE_DUTIES_H
#define MILTER_DECIDE_DUTIES_H

#include "milter/decide/hearing.h"

/* archives, tells, headers_only, system_high. After combine. */
void duties_find(struct hearing *hearing);

#endif
