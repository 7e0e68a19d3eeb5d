/*
 * outcome: what a line of the configuration says is to happen: refuse, hold in a queue, defer, deliver, treat
 * as a level, record (language.md section 3). Owned by the configuration, immutable.
 */
#ifndef POLICY_ZONE_OUTCOME_H
#define POLICY_ZONE_OUTCOME_H

#include "policy/label/scheme.h"

enum outcome_kind {
    OUTCOME_UNSET, /* not written: the default of the statement */
    OUTCOME_REFUSE,
    OUTCOME_HOLD,
    OUTCOME_DEFER,
    OUTCOME_DELIVER,
    OUTCOME_TREAT_AS, /* unlabelled … treat as LEVEL */
    OUTCOME_RECORD,
};

struct outcome {
    enum outcome_kind kind;
    char *text;                  /* refuse TEXT, may hold {level} …; NULL */
    char *queue;                 /* hold in "queue" */
    const struct scheme *scheme; /* treat as */
    const struct level *level;
};

void outcome_clear(struct outcome *outcome);

#endif
