#include "milter/review/audience.h"

#include <string.h>

/* ---------------------------------------------------------------- senders */
char *audience_address(const char *given)
{
    g_autoptr(address) address = address_parse(given);
    gsize length = strlen(given);

    if (address->form != ADDRESS_PLAIN)
        return NULL;
    return given[0] == '<' && length >= 2 ? g_strndup(given + 1, length - 2) : g_strdup(given);
}

gboolean audience_hears_courtesies(const struct snapshot *snapshot, enum sender_class class, const char *name)
{
    const struct queue *queue = name != NULL ? queues_find(snapshot->conf->queues, name) : NULL;

    return class == SENDER_PERSON && (queue == NULL || queue->tell_sender);
}

/* ---------------------------------------------------------------- recipients */
/* What is asked of who looks where E is not known: the highest level and every category that is listed. */
static struct label_set *system_high(const struct schemes *schemes)
{
    const struct scheme *home = schemes_home(schemes);
    g_autoptr(label) label = label_new(home, scheme_highest(home));
    struct label_set *set = label_set_new();

    for (guint i = 0; i < home->sets->len; i++) {
        const struct category_set *category = g_ptr_array_index(home->sets, i);
        for (guint k = 0; category->kind == CATEGORY_RESTRICTIVE && k < category->values->len; k++)
            label_add_value(label, category,
                            ((const struct category_value *)g_ptr_array_index(category->values, k))->name);
    }
    label_set_join(set, label);
    return set;
}

static gboolean unknown_may_see(const struct snapshot *snapshot, const struct label_set *label)
{
    const struct scheme *home = schemes_home(snapshot->schemes);
    const struct policy *policy = snapshot->policy;
    g_autoptr(label) upper = policy->unknown_person != NULL
                                 ? label_new(policy->unknown_person_scheme, policy->unknown_person)
                                 : label_new(home, scheme_lowest(home));

    for (guint i = 0; i < label->labels->len; i++)
        if (!label_dominates(upper, FALSE, g_ptr_array_index(label->labels, i)))
            return FALSE;
    return TRUE;
}

gboolean audience_may_know(const struct snapshot *snapshot, const struct directory_query *people,
                           const struct address *address, const struct label_set *label, gint64 now_s)
{
    const struct inputs inputs = {.snapshot = snapshot, .people = people, .now = now_s};
    const struct person_answer answer = inputs_person(&inputs, address);
    g_autoptr(label_set) highest = label == NULL ? system_high(snapshot->schemes) : NULL;
    const struct label_set *asked = label != NULL ? label : highest;
    const struct label *which;

    switch (answer.state) {
    case ANSWER_FOUND:
        return clearances_check_set(answer.person->clearances, answer.person->clearance_unreadable != NULL,
                                    snapshot->schemes, asked, now_s, &which) == CLEARED_YES;
    case ANSWER_ABSENT:
        return unknown_may_see(snapshot, asked);
    case ANSWER_UNAVAILABLE:
    case ANSWER_AMBIGUOUS:
        break;
    }
    return FALSE;
}
