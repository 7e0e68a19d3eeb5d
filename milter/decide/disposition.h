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

/* What has been put off for as long as `defer at most` allows: held in the queue of `undecidable` (7.2.4). */
struct disposition disposition_after_waiting(const struct hearing *hearing);
/* Held in the first queue of the configuration. Where nothing can be held, every hold is a refusal. */
struct disposition disposition_first_queue(const struct hearing *hearing);

#endif
