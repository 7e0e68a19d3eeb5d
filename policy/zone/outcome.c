#include "policy/zone/outcome.h"

void outcome_clear(struct outcome *outcome)
{
    g_clear_pointer(&outcome->text, g_free);
    g_clear_pointer(&outcome->queue, g_free);
    *outcome = (struct outcome){.kind = OUTCOME_UNSET};
}
