#include "milter/decide/disposition.h"

static const struct disposition refusal = {.verdict = VERDICT_REFUSE};

/* Where nothing can be kept, or never be released, a hold is a refusal. */
static struct disposition hold_in(const struct hearing *hearing, const char *queue)
{
    if (!hearing_can_keep(hearing) || !hearing_can_tell(hearing))
        return refusal;
    return (struct disposition){.verdict = VERDICT_HOLD, .queue = queue};
}

/* A default of hold means the first queue; where there is none it is refuse, never deliver. */
struct disposition disposition_first_queue(const struct hearing *hearing)
{
    const struct policy *policy = hearing->inputs->snapshot->policy;

    return policy->queues->len > 0 ? hold_in(hearing, g_ptr_array_index(policy->queues, 0)) : refusal;
}

/* Where a persistent unknown waits when its line says something that it cannot have (defer, deliver): the
 * first queue that the block names. */
static struct disposition hold_in_block(const struct hearing *hearing)
{
    const struct policy *policy = hearing->inputs->snapshot->policy;

    for (guint i = 0; i < policy->undecidable->len; i++) {
        const struct undecidable_line *line = g_ptr_array_index(policy->undecidable, i);
        if (line->outcome.kind == OUTCOME_HOLD)
            return hold_in(hearing, line->outcome.queue);
    }
    return disposition_first_queue(hearing);
}

struct disposition disposition_after_waiting(const struct hearing *hearing)
{
    return hold_in_block(hearing);
}

static const struct outcome *undecidable(const struct hearing *hearing, const struct reason *reason)
{
    return policy_undecidable(hearing->inputs->snapshot->policy, reason->cause, hearing_known(hearing),
                              hearing_home(hearing));
}

static struct disposition of_persistent(const struct hearing *hearing, const struct reason *reason)
{
    const struct outcome *outcome = undecidable(hearing, reason);

    switch (outcome != NULL ? outcome->kind : OUTCOME_UNSET) {
    case OUTCOME_REFUSE:
        return (struct disposition){.verdict = VERDICT_REFUSE, .text = outcome->text};
    case OUTCOME_HOLD:
        return hold_in(hearing, outcome->queue);
    case OUTCOME_DELIVER: /* only lines with `up to`, and only for what cannot be read: policy_undecidable
                             sees to it */
        return (struct disposition){.verdict = VERDICT_DELIVER};
    case OUTCOME_DEFER: /* asking again changes nothing */
        return hold_in_block(hearing);
    case OUTCOME_UNSET:
    case OUTCOME_TREAT_AS:
    case OUTCOME_RECORD:
        break;
    }
    return disposition_first_queue(hearing);
}

/* Only a line that names the cause turns "cannot tell now" into a refusal: `otherwise refuse` is about what
 * cannot be told ever. */
static gboolean names_cause(const struct policy *policy, const struct outcome *outcome)
{
    for (guint i = 0; i < policy->undecidable->len; i++) {
        const struct undecidable_line *line = g_ptr_array_index(policy->undecidable, i);
        if (&line->outcome == outcome)
            return line->causes != 0;
    }
    return FALSE;
}

static struct disposition of_transient(const struct hearing *hearing, const struct reason *reason)
{
    const struct policy *policy = hearing->inputs->snapshot->policy;
    const struct outcome *outcome = undecidable(hearing, reason);

    if (outcome != NULL && outcome->kind == OUTCOME_REFUSE && names_cause(policy, outcome))
        return (struct disposition){.verdict = VERDICT_REFUSE, .text = outcome->text};
    return (struct disposition){.verdict = VERDICT_DEFER};
}

static struct disposition of_default(const struct hearing *hearing, const struct reason *reason)
{
    switch (reason_row(reason->id)->fallback) {
    case REASON_HOLD:
        return disposition_first_queue(hearing);
    case REASON_DEFER:
        return (struct disposition){.verdict = VERDICT_DEFER};
    case REASON_UNDECIDABLE:
        return of_persistent(hearing, reason);
    case REASON_RECORD:
        return (struct disposition){.verdict = VERDICT_DELIVER};
    case REASON_REFUSE:
        break;
    }
    return refusal;
}

static struct disposition of_denial(const struct hearing *hearing, const struct reason *reason)
{
    const struct outcome *outcome = &reason->outcome;

    switch (outcome->kind) {
    case OUTCOME_UNSET:
        return of_default(hearing, reason);
    case OUTCOME_HOLD:
        return hold_in(hearing, outcome->queue);
    case OUTCOME_DEFER:
        return (struct disposition){.verdict = VERDICT_DEFER};
    case OUTCOME_REFUSE:
    case OUTCOME_DELIVER: /* no denial is a permission: where a site may let it pass, the check itself permits
                           */
    case OUTCOME_TREAT_AS:
    case OUTCOME_RECORD:
        break;
    }
    return (struct disposition){.verdict = VERDICT_REFUSE, .text = outcome->text};
}

struct disposition disposition_of(const struct hearing *hearing, const struct reason *reason)
{
    switch (reason->answer) {
    case CHECK_PERMIT:
        break;
    case CHECK_DENY:
        return of_denial(hearing, reason);
    case CHECK_UNKNOWN_TRANSIENT:
        return of_transient(hearing, reason);
    case CHECK_UNKNOWN_PERSISTENT:
        if (reason->outcome.kind == OUTCOME_REFUSE) /* outsiders: label-invalid … (semantics.md 8) */
            return (struct disposition){.verdict = VERDICT_REFUSE, .text = reason->outcome.text};
        return of_persistent(hearing, reason);
    }
    return (struct disposition){.verdict = VERDICT_DELIVER};
}
