#include "milter/decide/combine.h"

#include "milter/decide/disposition.h"
#include "milter/decide/session_facts.h"
#include "milter/decide/verdict.h"

static struct decided_recipient *recipient_at(const struct decision *decision, guint i)
{
    return g_ptr_array_index(decision->recipients, i);
}

/* ---------------------------------------------------------------- verdicts among each other */
/* By its verdict, or by `outside mixed hold refused`. */
static gboolean is_to_be_held(const struct decided_recipient *recipient)
{
    return recipient->queue != NULL;
}

struct mixture {
    guint deliver, hold, defer, refuse, settled;
};

static struct mixture count_verdicts(const struct decision *decision)
{
    struct mixture mixture = {0};

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = recipient_at(decision, i);

        if (recipient_is_settled(recipient)) {
            mixture.settled++;
            continue;
        }
        if (is_to_be_held(recipient)) {
            mixture.hold++;
            continue;
        }
        switch (recipient->verdict) {
        case VERDICT_DELIVER:
            mixture.deliver++;
            break;
        case VERDICT_HOLD: /* has a queue */
            break;
        case VERDICT_DEFER:
            mixture.defer++;
            break;
        case VERDICT_REFUSE:
            mixture.refuse++;
            break;
        }
    }
    return mixture;
}

/* Some are refused, and some are not. */
static gboolean is_mixed(const struct mixture *m)
{
    return m->refuse > 0 && m->deliver + m->hold + m->settled > 0;
}

/* The first recipient whose leading reason for this verdict (not deliver, which has none) comes first in the
 * order of checks. */
static const struct decided_recipient *leader(const struct decision *decision, enum verdict verdict)
{
    const struct decided_recipient *first = NULL;

    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = recipient_at(decision, i);
        if (recipient->verdict == verdict &&
            (first == NULL || recipient->leading->check < first->leading->check))
            first = recipient;
    }
    return first;
}

static enum verdict strictest(const struct decision *decision)
{
    enum verdict verdict = VERDICT_DELIVER;

    for (guint i = 0; i < decision->recipients->len; i++)
        verdict = MAX(verdict, recipient_at(decision, i)->verdict);
    return verdict;
}

/* `some recipients not cleared refuse all`: the strictest verdict counts for everybody who is not taken care
 * of already. */
static void level_verdicts(struct decision *decision)
{
    enum verdict verdict = strictest(decision);
    const struct decided_recipient *first;

    if (verdict == VERDICT_DELIVER)
        return;
    first = leader(decision, verdict);
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = recipient_at(decision, i);
        if (recipient->verdict == verdict || recipient_is_settled(recipient))
            continue;
        recipient->verdict = verdict;
        recipient->leading = first->leading;
        recipient->queue = first->queue;
    }
}

static gboolean any_refused_before(const struct decision *decision)
{
    for (guint i = 0; i < decision->recipients->len; i++)
        if (recipient_at(decision, i)->past->state == PAST_ENDED)
            return TRUE;
    return FALSE;
}

/* `outside mixed hold refused`: of a message from outside, those who are refused beside others wait in the
 * first queue, for an officer to see that they did not get it. Their verdict stays (13.1). Not at a recheck,
 * which asks anew, and not who was refused by a reviewer: nobody shops for another one. */
static void hold_refused(const struct hearing *hearing)
{
    const struct inputs *inputs = hearing->inputs;
    struct mixture mixture = count_verdicts(hearing->decision);
    struct disposition first = disposition_first_queue(hearing);

    if (!inputs->snapshot->policy->outside_hold_refused || inputs->approvals != NULL ||
        hearing->decision->sender.class != SENDER_OUTSIDE || !is_mixed(&mixture) ||
        first.verdict != VERDICT_HOLD || any_refused_before(hearing->decision))
        return;
    for (guint i = 0; i < hearing->decision->recipients->len; i++) {
        struct decided_recipient *recipient = recipient_at(hearing->decision, i);
        if (recipient->verdict == VERDICT_REFUSE)
            recipient->queue = first.queue;
    }
}

/* ---------------------------------------------------------------- the act */
static gboolean is_local(const struct hearing *hearing)
{
    return session_is_local(hearing->inputs->session, hearing->inputs->envelope);
}

/* Never a 5xx there: Postfix would make a bounce of it, past the filter, to whatever -f said. Discarded, with
 * a copy for the officers; where none can be kept, a 4xx leaves the file in maildrop. */
static enum act refuse_local(struct hearing *hearing)
{
    hearing->decision->keeps_copy = hearing_can_keep(hearing);
    return hearing->decision->keeps_copy ? ACT_DISCARD : ACT_DEFER;
}

/* Some are refused. Only who can be told may have the others go on: silence would lose mail, a bounce would
 * go to an address that nobody has proven (7.2.2). */
static enum act act_refused(struct hearing *hearing, const struct mixture *m)
{
    gboolean told = hearing->decision->sender.told && hearing_can_tell(hearing);

    if (is_local(hearing))
        return refuse_local(hearing);
    if (!told || !is_mixed(m))
        return ACT_REFUSE;
    return m->deliver > 0 ? ACT_ACCEPT : ACT_DISCARD;
}

/* The table of 7.2. Nobody left on the message is a discard: Postfix, asked to take off the last recipient,
 * would answer 250 and drop the message without a word. */
static enum act choose_act(struct hearing *hearing, const struct mixture *m)
{
    gboolean waits = m->defer > 0 && (m->refuse == 0 || hearing->decision->sender.told);

    if (waits)
        return ACT_DEFER;
    if (m->refuse > 0)
        return act_refused(hearing, m);
    return m->deliver > 0 ? ACT_ACCEPT : ACT_DISCARD;
}

/* What the message is about: the strictest verdict, but for what is put off, and a mixture that an outsider
 * must not understand. */
static void choose_leading(struct hearing *hearing, const struct mixture *m)
{
    struct decision *decision = hearing->decision;
    enum verdict about = decision->act == ACT_DEFER && m->defer > 0 ? VERDICT_DEFER : decision->verdict;

    if (about == VERDICT_DELIVER)
        return;
    decision->leading = leader(decision, about)->leading;
    if (is_mixed(m) && decision->act == ACT_REFUSE && decision->sender.class == SENDER_OUTSIDE)
        decision->leading =
            reasons_add(decision->reasons, REASON_MIXED_REFUSAL, decision->leading->check, CHECK_DENY);
}

/* ---------------------------------------------------------------- fates */
/* Of a message that is taken: each goes its own way. */
static enum fate own_fate(const struct decided_recipient *recipient)
{
    if (is_to_be_held(recipient))
        return FATE_HELD;
    return recipient->verdict == VERDICT_DELIVER ? FATE_STAYS : FATE_REFUSED;
}

static gboolean is_held_already(const struct decided_recipient *recipient)
{
    return recipient->past->state == PAST_HELD && is_to_be_held(recipient);
}

static enum fate fate_of(const struct decision *decision, const struct decided_recipient *recipient)
{
    if (recipient_is_settled(recipient))
        return FATE_SETTLED;
    if (is_held_already(recipient))
        return FATE_HELD;
    switch (decision->act) {
    case ACT_REFUSE:
        return FATE_REFUSED;
    case ACT_DEFER:
        return FATE_DEFERRED;
    case ACT_ACCEPT:
    case ACT_DISCARD:
        break;
    }
    return decision->keeps_copy ? FATE_KEPT : own_fate(recipient);
}

static void settle_fates(struct decision *decision)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = recipient_at(decision, i);

        recipient->fate = fate_of(decision, recipient);
        if (recipient->fate == FATE_HELD && !is_held_already(recipient))
            decision->holds = TRUE;
    }
}

/* Nobody to decide about: what the message itself says. */
static void combine_nobody(struct hearing *hearing, const struct reason *leading)
{
    hearing->decision->verdict = VERDICT_REFUSE;
    hearing->decision->act = is_local(hearing) ? ACT_DEFER : ACT_REFUSE;
    hearing->decision->leading = leading;
}

void combine(struct hearing *hearing)
{
    struct decision *decision = hearing->decision;
    const struct reason *leading = verdicts_find(hearing);
    struct mixture mixture;

    if (decision->recipients->len == 0) {
        combine_nobody(hearing, leading);
        return;
    }
    if (hearing->inputs->snapshot->policy->refuse_all)
        level_verdicts(decision);
    hold_refused(hearing);
    decision->verdict = strictest(decision);
    mixture = count_verdicts(decision);
    decision->act = choose_act(hearing, &mixture);
    decision->own_trouble = decision->act == ACT_DEFER && mixture.defer > 0 && !hearing->general_trouble;
    choose_leading(hearing, &mixture);
    settle_fates(decision);
}
