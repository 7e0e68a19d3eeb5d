#include "milter/decide/verdict.h"

#include "milter/decide/checks.h"
#include "milter/decide/disposition.h"

#define MS_PER_SECOND 1000

/* Reasons being weighed for one recipient: the strictest so far, and the first that led to it. */
struct scale {
    const struct hearing *hearing;
    const char *canonical; /* whose approvals count; NULL nobody's */
    gboolean waited;       /* what may pass by itself has been waited for long enough */
    enum verdict verdict;
    const struct reason *leading;
    const char *queue;
    gboolean general; /* something that puts it off is everybody's trouble */
};

/* Trouble that is not this message's own: its client's queue keeps the mail, and an outage of a day does not
 * make ten thousand holds (7.2.4). */
static gboolean is_general(const struct hearing *hearing, const struct reason *reason)
{
    if (reason->id == REASON_DIRECTORY_UNAVAILABLE)
        return directory_query_outage(hearing->inputs->people);
    return reason->id == REASON_CLOCK_DOUBTFUL || reason->id == REASON_BUSY ||
           reason->id == REASON_STORE_UNAVAILABLE || reason->id == REASON_AUDIT_UNAVAILABLE;
}

static void weigh(struct scale *scale, const struct reason *reason)
{
    struct disposition disposition;

    if (scale->canonical != NULL && hearing_has_answer(scale->hearing, scale->canonical, reason))
        return;
    disposition = disposition_of(scale->hearing, reason);
    if (disposition.verdict == VERDICT_DEFER && scale->waited)
        disposition = disposition_after_waiting(scale->hearing);
    if (disposition.verdict == VERDICT_DEFER)
        scale->general = scale->general || is_general(scale->hearing, reason);
    if (disposition.verdict <= scale->verdict)
        return;
    scale->verdict = disposition.verdict;
    scale->leading = reason;
    scale->queue = disposition.queue;
}

static struct scale weigh_all(const struct hearing *hearing, const GPtrArray *reasons, const char *canonical,
                              gboolean waited)
{
    struct scale scale = {
        .hearing = hearing, .canonical = canonical, .waited = waited, .verdict = VERDICT_DELIVER};

    for (guint i = 0; i < reasons->len; i++)
        weigh(&scale, g_ptr_array_index(reasons, i));
    return scale;
}

/* `defer at most`: how long the client has come again because of this message's own trouble. */
static gboolean has_waited(const struct hearing *hearing, const struct past_entry *past)
{
    const struct inputs *inputs = hearing->inputs;

    return past->state == PAST_DEFERRED && past->own_since_s != 0 &&
           inputs->now - past->own_since_s >= inputs->snapshot->policy->defer_at_most_ms / MS_PER_SECOND;
}

/* Nobody shops for another reviewer by sending the same again. */
static void refuse_again(const struct hearing *hearing, struct decided_recipient *recipient)
{
    struct reason *reason = reasons_add(recipient->reasons, REASON_REFUSED_BEFORE, CHECK_RULES, CHECK_DENY);

    reason->detail = hearing_date(hearing, recipient->past->at_s);
    reason->address = address_shown(recipient->first->address);
}

/* What is put off counts as a hold: it was waited for long enough, or it waits in a hold already, which
 * answers for it (a crash before the answer, and the client comes again while the directory is down). */
static gboolean is_held_meanwhile(const struct hearing *hearing, const struct decided_recipient *recipient,
                                  const struct scale *scale)
{
    return recipient->past->state == PAST_HELD || (!scale->general && has_waited(hearing, recipient->past));
}

/* Refuse is certain and waits for nothing; what cannot be told now could make a hold stricter, so defer comes
 * before it (7.1). */
static void judge(struct hearing *hearing, struct decided_recipient *recipient)
{
    const char *canonical = recipient->first->address->canonical;
    struct scale scale;

    if (recipient->past->state == PAST_ENDED)
        refuse_again(hearing, recipient);
    scale = weigh_all(hearing, recipient->reasons, canonical, FALSE);
    if (scale.verdict == VERDICT_DEFER && is_held_meanwhile(hearing, recipient, &scale))
        scale = weigh_all(hearing, recipient->reasons, canonical, TRUE);
    if (scale.verdict == VERDICT_DEFER && scale.general)
        hearing->general_trouble = TRUE;
    recipient->verdict = scale.verdict;
    recipient->leading = scale.leading;
    recipient->queue = scale.verdict == VERDICT_HOLD ? scale.queue : NULL;
}

gboolean recipient_is_settled(const struct decided_recipient *recipient)
{
    return recipient->past->state == PAST_SETTLED;
}

const struct reason *verdicts_find(struct hearing *hearing)
{
    const struct decision *decision = hearing->decision;

    if (decision->recipients->len == 0)
        return weigh_all(hearing, decision->reasons, NULL, FALSE).leading;
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (!recipient_is_settled(recipient)) /* else VERDICT_DELIVER, as it was made */
            judge(hearing, recipient);
    }
    return NULL;
}
