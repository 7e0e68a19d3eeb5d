#include "milter/decide/combine.h"

#include "milter/decide/disposition.h"
#include "milter/decide/session_facts.h"

/* ---------------------------------------------------------------- one recipient */
/* The strictest of some reasons, and the first that led to it. */
struct outcome_so_far {
    enum verdict verdict;
    const struct reason *leading;
    const char *queue;
};

static void weigh(const struct hearing *hearing, const struct reason *reason, struct outcome_so_far *so_far)
{
    struct disposition disposition = disposition_of(hearing, reason);

    if (disposition.verdict <= so_far->verdict)
        return;
    so_far->verdict = disposition.verdict;
    so_far->leading = reason;
    so_far->queue = disposition.queue;
}

/* Refuse is certain and waits for nothing; what cannot be told now could make a hold stricter, so defer comes
 * before it (7.1). */
static void judge_recipient(const struct hearing *hearing, struct decided_recipient *recipient,
                            const struct outcome_so_far *message, guint message_reasons)
{
    struct outcome_so_far so_far = *message;

    for (guint i = message_reasons; i < recipient->reasons->len; i++)
        weigh(hearing, g_ptr_array_index(recipient->reasons, i), &so_far);
    recipient->verdict = so_far.verdict;
    recipient->leading = so_far.leading;
    recipient->queue = so_far.verdict == VERDICT_HOLD ? so_far.queue : NULL;
}

/* ---------------------------------------------------------------- the message */
struct mixture {
    guint deliver, hold, defer, refuse;
};

static struct mixture count_verdicts(const GPtrArray *recipients)
{
    struct mixture mixture = {0};

    for (guint i = 0; i < recipients->len; i++) {
        switch (((const struct decided_recipient *)g_ptr_array_index(recipients, i))->verdict) {
        case VERDICT_DELIVER:
            mixture.deliver++;
            break;
        case VERDICT_HOLD:
            mixture.hold++;
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

/* The first recipient whose leading reason for this verdict (not deliver, which has none) comes first in the
 * order of checks. */
static const struct decided_recipient *leader(const GPtrArray *recipients, enum verdict verdict)
{
    const struct decided_recipient *first = NULL;

    for (guint i = 0; i < recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(recipients, i);
        if (recipient->verdict == verdict &&
            (first == NULL || recipient->leading->check < first->leading->check))
            first = recipient;
    }
    return first;
}

/* `some recipients not cleared refuse all`: the strictest verdict counts for everybody. */
static void level_verdicts(struct decision *decision)
{
    const struct decided_recipient *first;

    if (decision->verdict == VERDICT_DELIVER)
        return;
    first = leader(decision->recipients, decision->verdict);
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (recipient->verdict == decision->verdict)
            continue;
        recipient->verdict = decision->verdict;
        recipient->leading = first->leading;
        recipient->queue = first->queue;
    }
}

/* The right-hand column of 7.2 (S3, SD, null sender): a part-refusal would need a bounce to an unproven
 * address. */
static enum act act_untold(const struct hearing *hearing, const struct mixture *m)
{
    gboolean holds_refused = hearing->inputs->snapshot->policy->outside_hold_refused &&
                             hearing->decision->sender.class == SENDER_OUTSIDE;

    if (m->refuse > 0)
        return m->deliver + m->hold > 0 && m->defer == 0 && holds_refused ? ACT_REFUSE : ACT_REFUSE;
    if (m->defer > 0)
        return ACT_DEFER;
    return m->hold > 0 ? ACT_REFUSE : ACT_ACCEPT;
}

static enum act act_told(const struct mixture *m)
{
    if (m->defer > 0)
        return ACT_DEFER;
    if (m->deliver == 0 && m->hold == 0)
        return ACT_REFUSE;
    return m->refuse + m->hold > 0 ? ACT_REFUSE : ACT_ACCEPT;
}

static void choose_act(struct hearing *hearing, const struct mixture *m)
{
    struct decision *decision = hearing->decision;
    gboolean local = session_is_local(hearing->inputs->session, hearing->inputs->envelope);

    decision->act = decision->sender.told ? act_told(m) : act_untold(hearing, m);
    /* Discard and a kept copy: what is refused there has no other copy. */
    if (local && decision->act == ACT_REFUSE)
        decision->act = ACT_DEFER;
}

/* What the reply is about: the strictest verdict, but for what is put off, and a mixture that an outsider
 * must not understand. */
static void choose_leading(struct hearing *hearing, const struct mixture *m)
{
    struct decision *decision = hearing->decision;
    enum verdict about = decision->act == ACT_DEFER && m->defer > 0 ? VERDICT_DEFER : decision->verdict;
    gboolean mixed = m->refuse > 0 && m->deliver + m->hold > 0;

    if (decision->act == ACT_ACCEPT)
        return;
    decision->leading = leader(decision->recipients, about)->leading;
    if (mixed && decision->act == ACT_REFUSE && decision->sender.class == SENDER_OUTSIDE)
        decision->leading =
            reasons_add(decision->reasons, REASON_MIXED_REFUSAL, decision->leading->check, CHECK_DENY);
}

/* Nobody to decide about: what the message itself says. */
static void combine_nobody(struct hearing *hearing, const struct outcome_so_far *message)
{
    struct decision *decision = hearing->decision;
    gboolean local = session_is_local(hearing->inputs->session, hearing->inputs->envelope);

    decision->verdict = VERDICT_REFUSE;
    decision->act = local ? ACT_REFUSE : ACT_REFUSE;
    decision->leading = message->leading;
}

void combine(struct hearing *hearing)
{
    struct decision *decision = hearing->decision;
    struct outcome_so_far message = {.verdict = VERDICT_DELIVER};
    guint message_reasons = decision->reasons->len;
    struct mixture mixture;

    for (guint i = 0; i < message_reasons; i++)
        weigh(hearing, g_ptr_array_index(decision->reasons, i), &message);
    if (decision->recipients->len == 0) {
        combine_nobody(hearing, &message);
        return;
    }
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        judge_recipient(hearing, recipient, &message, message_reasons);
        decision->verdict = MAX(decision->verdict, recipient->verdict);
    }
    if (hearing->inputs->snapshot->policy->refuse_all)
        level_verdicts(decision);
    mixture = count_verdicts(decision->recipients);
    choose_act(hearing, &mixture);
    choose_leading(hearing, &mixture);
}
