/*
 * disposition: what a reason leads to, by the configuration or by its row's default (semantics.md 7.1, 8).
 * The only place that reads the `undecidable` block. Pure; part of decide.
 */
#ifndef MILTER_DECIDE_DISPOSITION_H
#define MILTER_DECIDE_DISPOSITION_H

#include "milter/decide/hearing.h"

/* *queue: where, for VERDICT_HOLD; borrowed. *text: the configured text of a refusal, or NULL; borrowed. */
struct disposition {
    enum verdict verdict;
    const char *queue;
    const char *text;
};
struct disposition disposition_of(const struct hearing *hearing, const struct reason *reason);

#endif
