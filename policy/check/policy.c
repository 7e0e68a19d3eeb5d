#include "policy/check/policy.h"

#define DEFAULT_RECIPIENTS 1000
#define DEFAULT_MESSAGE_BYTES (50 * G_GUINT64_CONSTANT(1024) * 1024)
#define DEFAULT_DEFER_MS (4 * G_GINT64_CONSTANT(3600) * 1000)

static void device_free(gpointer device)
{
    g_free(((struct device *)device)->address);
    g_free(device);
}

static void undecidable_line_free(gpointer line)
{
    outcome_clear(&((struct undecidable_line *)line)->outcome);
    g_free(line);
}

struct undecidable_line *policy_add_undecidable(struct policy *policy)
{
    struct undecidable_line *line = g_new0(struct undecidable_line, 1);

    g_ptr_array_add(policy->undecidable, line);
    return line;
}

static void default_undecidable(struct policy *policy)
{
    struct undecidable_line *transient = policy_add_undecidable(policy);

    transient->causes = UNDECIDABLE_DIRECTORY | UNDECIDABLE_OVERLOAD;
    transient->outcome.kind = OUTCOME_DEFER;
    policy_add_undecidable(policy); /* otherwise: OUTCOME_UNSET, which is hold */
}

struct policy *policy_new(void)
{
    struct policy *policy = g_new0(struct policy, 1);

    policy->login_counts = policy->certificate_counts = TRUE;
    policy->devices = g_ptr_array_new_with_free_func(device_free);
    policy->undecidable = g_ptr_array_new_with_free_func(undecidable_line_free);
    policy->queues = g_ptr_array_new_with_free_func(g_free);
    policy->max_recipients = DEFAULT_RECIPIENTS;
    policy->max_message_bytes = DEFAULT_MESSAGE_BYTES;
    policy->defer_at_most_ms = DEFAULT_DEFER_MS;
    default_undecidable(policy);
    return policy;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    g_ptr_array_unref(policy->devices);
    g_ptr_array_unref(policy->undecidable);
    g_ptr_array_unref(policy->queues);
    outcome_clear(&policy->forged_envelope);
    outcome_clear(&policy->forged_from);
    outcome_clear(&policy->unlabelled_inside);
    outcome_clear(&policy->unlabelled_outside);
    outcome_clear(&policy->label_conflict);
    outcome_clear(&policy->thread_downgrade);
    outcome_clear(&policy->attachment_above);
    outcome_clear(&policy->sender_not_cleared);
    outcome_clear(&policy->recipient_not_cleared);
    g_free(policy->recipient_delimiter);
    g_free(policy->contact);
    g_free(policy);
}

/* Semantics.md 2.14: the level is that of the home scheme; any other label counts as system high, and so does
 * one whose level nobody can compare with the line's. */
static gboolean is_up_to(const struct level *up_to, const struct label_set *known, const struct scheme *home)
{
    if (known == NULL)
        return FALSE;
    for (guint i = 0; i < known->labels->len; i++) {
        const struct label *label = g_ptr_array_index(known->labels, i);
        if (label->scheme != home || label->level->rank > up_to->rank)
            return FALSE;
    }
    return TRUE;
}

static gboolean line_fits(const struct undecidable_line *line, guint cause, const struct label_set *known,
                          const struct scheme *home)
{
    if (line->causes != 0 && (line->causes & cause) == 0)
        return FALSE;
    if (line->outcome.kind == OUTCOME_DELIVER &&
        (line->up_to == NULL || (cause & UNDECIDABLE_MAY_DELIVER) == 0 || known == NULL ||
         known->labels->len == 0)) /* nothing found is not "known to be low": no door for it */
        return FALSE;
    return line->up_to == NULL || (line->scheme == home && is_up_to(line->up_to, known, home));
}

const struct outcome *policy_undecidable(const struct policy *policy, gint cause,
                                         const struct label_set *known, const struct scheme *home)
{
    guint bit = cause > 0 ? 1u << cause : 0;

    for (guint i = 0; i < policy->undecidable->len; i++) {
        const struct undecidable_line *line = g_ptr_array_index(policy->undecidable, i);
        if (line_fits(line, bit, known, home))
            return &line->outcome;
    }
    return NULL;
}
