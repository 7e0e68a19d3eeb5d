#include "rules/facts.h"

static const struct {
    const char *name;
    enum finding_cause cause;
    const char *text[2]; /* by enum language */
} table[FINDING_COUNT] = {
#define FINDING(id, name, cause, en, zh) [FINDING_##id] = {name, cause, {en, zh}},
#include "rules/finding.def"
#undef FINDING
};

const char *finding_name(enum finding_id id)
{
    g_assert(id < FINDING_COUNT);
    return table[id].name;
}

enum finding_cause finding_cause(enum finding_id id)
{
    g_assert(id < FINDING_COUNT);
    return table[id].cause;
}

const char *finding_text(enum finding_id id, enum language language)
{
    g_assert(id < FINDING_COUNT);
    return table[id].text[language];
}
