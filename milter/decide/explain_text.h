/*
 * explain_text: the words of explain, from explain.def, and how zones and people are described in it. Pure.
 */
#ifndef MILTER_DECIDE_EXPLAIN_TEXT_H
#define MILTER_DECIDE_EXPLAIN_TEXT_H

#include "policy/person/directory.h"
#include "policy/zone/zone.h"

enum explain_id {
#define EXPLAIN(id, en, zh) EXPLAIN_##id,
#include "milter/decide/explain.def"
#undef EXPLAIN
    EXPLAIN_COUNT
};
const char *explain_text(enum explain_id id, enum language language);

/* "机密, au/SECRET": what a zone carries up to. New. */
char *zone_limits_format(const struct zone *zone);
/* "机密; 绝密 until 2026-12-31": a person's clearances; "-" for none. New. */
char *person_clearances_format(const struct person *person);

#endif
