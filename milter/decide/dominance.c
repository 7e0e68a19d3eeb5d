#include "milter/decide/checks.h"

/* What is known of E is dominated: permit, or unknown when there may be more. */
static struct dominance dominated(const struct hearing *hearing)
{
    return (struct dominance){.answer = hearing_dominated(hearing)};
}

static struct dominance denied(const struct label *above)
{
    return (struct dominance){.answer = CHECK_DENY, .above = above};
}

static struct dominance unclear(void)
{
    return (struct dominance){.answer = CHECK_UNKNOWN_PERSISTENT, .unclear = TRUE};
}

/* The clock is in doubt: what would be answered otherwise at another time is not known. As ever, deny beats
 * unknown. */
static struct dominance dominance_at_any_time(const struct hearing *hearing, const struct person *person)
{
    const struct schemes *schemes = hearing->inputs->snapshot->schemes;
    gboolean unreadable = person->clearance_unreadable != NULL;
    struct dominance result = dominated(hearing);

    for (guint i = 0; i < hearing_known(hearing)->labels->len; i++) {
        const struct label *label = g_ptr_array_index(hearing_known(hearing)->labels, i);

        if (clearances_depend_on_time(person->clearances, unreadable, schemes, label)) {
            result = (struct dominance){.answer = CHECK_UNKNOWN_TRANSIENT, .untimely = TRUE};
            continue;
        }
        switch (clearances_check(person->clearances, unreadable, schemes, label, hearing->inputs->now)) {
        case CLEARED_NO:
            return denied(label);
        case CLEARED_AMBIGUOUS:
        case CLEARED_UNREADABLE:
            if (!result.untimely)
                result = unclear();
            break;
        case CLEARED_YES:
            break;
        }
    }
    return result;
}

struct dominance dominance_of_person(const struct hearing *hearing, const struct person *person)
{
    const struct inputs *inputs = hearing->inputs;
    const struct label *above = NULL;

    if (hearing_known(hearing) == NULL)
        return dominated(hearing);
    if (inputs->clock_doubtful)
        return dominance_at_any_time(hearing, person);
    switch (clearances_check_set(person->clearances, person->clearance_unreadable != NULL,
                                 inputs->snapshot->schemes, hearing_known(hearing), inputs->now, &above)) {
    case CLEARED_YES:
        return dominated(hearing);
    case CLEARED_NO:
        return denied(above);
    case CLEARED_AMBIGUOUS:
    case CLEARED_UNREADABLE:
        break;
    }
    return unclear();
}

/* Everybody may see the lowest level of the home scheme, whatever scheme `upper` is of. */
static struct dominance dominance_of_label(const struct hearing *hearing, const struct label *upper)
{
    const struct label_set *known = hearing_known(hearing);

    for (guint i = 0; known != NULL && i < known->labels->len; i++) {
        const struct label *label = g_ptr_array_index(known->labels, i);
        if (!label_dominates(upper, FALSE, label) && !label_dominates(hearing->lowest, FALSE, label))
            return denied(label);
    }
    return dominated(hearing);
}

struct dominance dominance_of_level(const struct hearing *hearing, const struct scheme *scheme,
                                    const struct level *level)
{
    g_autoptr(label) upper = label_new(scheme, level);

    return dominance_of_label(hearing, upper);
}

struct dominance dominance_of_unknown(const struct hearing *hearing)
{
    const struct policy *policy = hearing->inputs->snapshot->policy;

    if (policy->unknown_person == NULL)
        return dominance_of_label(hearing, hearing->lowest);
    return dominance_of_level(hearing, policy->unknown_person_scheme, policy->unknown_person);
}

struct dominance dominance_of_zone(const struct hearing *hearing, const struct zone *zone)
{
    const struct label *above = NULL;

    if (hearing_known(hearing) == NULL || zone_carries(zone, hearing_known(hearing), &above))
        return dominated(hearing);
    return denied(above);
}

enum reason_id denial_for(enum reason_id denied_as, const struct label *above)
{
    return above->nobody ? REASON_NOBODY_MAY_READ : denied_as;
}
