#include "milter/decide/duties.h"

#include "milter/decide/reply_text.h"

static const struct decided_recipient *recipient_at(const struct decision *decision, guint i)
{
    return g_ptr_array_index(decision->recipients, i);
}

/* ---------------------------------------------------------------- what is not known of E */
static gboolean is_stated(const struct hearing *hearing)
{
    return hearing->inputs->approvals != NULL && hearing->inputs->approvals->stated != NULL;
}

/* Nobody can say what the label is: nothing was read, a mark is not understood, or none was found where some
 * may have been lost. Encrypted and damaged parts count as what is known of them (10.3). */
static gboolean is_system_high(const struct hearing *hearing)
{
    const struct effective *label = hearing->decision->label;

    if (is_stated(hearing))
        return FALSE;
    return label == NULL || label->invalid != NULL || label->unmapped != NULL ||
           label->part_unreadable != NULL || (label->missing && hearing->header_doubtful);
}

/* ---------------------------------------------------------------- RET=HDRS */
static gboolean is_lowest(const struct hearing *hearing)
{
    const struct label_set *known = hearing_known(hearing);

    if (known == NULL || hearing->certainty != E_KNOWN)
        return FALSE;
    for (guint i = 0; i < known->labels->len; i++)
        if (!label_dominates(hearing->lowest, FALSE, g_ptr_array_index(known->labels, i)))
            return FALSE;
    return TRUE;
}

/* The sender has said RET=HDRS (RFC 3461 4.3). */
static gboolean asks_for_headers(const struct envelope *envelope)
{
    g_auto(GStrv) words = g_strsplit(envelope->parameters != NULL ? envelope->parameters : "", " ", -1);

    for (guint i = 0; words[i] != NULL; i++)
        if (g_ascii_strcasecmp(words[i], "RET=HDRS") == 0)
            return TRUE;
    return FALSE;
}

/* ---------------------------------------------------------------- archives */
/* At that level or above, or nobody can say that it is not. What has no label of the home scheme is of its
 * lowest level. */
static gboolean reaches(const struct hearing *hearing, const struct archive *archive)
{
    const struct label *label;

    if (hearing->decision->system_high || hearing->certainty != E_KNOWN)
        return TRUE;
    label = label_set_of(hearing_known(hearing), archive->scheme);
    if (label == NULL)
        return archive->scheme == hearing_home(hearing) && archive->level == scheme_lowest(archive->scheme);
    return label->level->rank >= archive->level->rank;
}

static gboolean takes(const struct hearing *hearing, const struct archive *archive)
{
    switch (archive->takes) {
    case TAKES_EVERYTHING:
        return TRUE;
    case TAKES_LEVEL:
        return reaches(hearing, archive);
    case TAKES_BY_RULES:
        break;
    }
    return FALSE;
}

/* What goes on, now or perhaps later; what is refused, put off or settled is not archived (12). */
static gboolean is_archived(const struct decision *decision)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        enum fate fate = recipient_at(decision, i)->fate;
        if (decision->act == ACT_ACCEPT ? fate == FATE_STAYS || fate == FATE_HELD
                                        : decision->act == ACT_DISCARD && fate == FATE_HELD)
            return TRUE;
    }
    return FALSE;
}

static void choose_archives(struct hearing *hearing)
{
    const struct conf *conf = hearing->inputs->snapshot->conf;

    if (conf == NULL || !is_archived(hearing->decision))
        return;
    for (guint i = 0; i < conf->archives->len; i++) {
        struct archive *archive = g_ptr_array_index(conf->archives, i);
        if (takes(hearing, archive))
            g_ptr_array_add(hearing->decision->archives, archive);
    }
}

/* ---------------------------------------------------------------- N1 */
/* NOTIFY=NEVER on every form that was given (RFC 3461 4.1). */
static gboolean wants_nothing(const struct decided_recipient *recipient)
{
    for (guint i = 0; i < recipient->forms->len; i++) {
        const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, i);
        if (form->notify == NULL || g_ascii_strcasecmp(form->notify, "NEVER") != 0)
            return FALSE;
    }
    return TRUE;
}

/* `tell` of a queue: on for people, off for peers (9.1). */
static gboolean tells_of_hold(const struct hearing *hearing, const char *queue_name)
{
    const struct queue *queue = queues_find(hearing->inputs->snapshot->conf->queues, queue_name);

    return hearing->decision->sender.class == SENDER_PERSON && (queue == NULL || queue->tell_sender);
}

static gboolean is_told_of(const struct hearing *hearing, const struct decided_recipient *recipient)
{
    if (wants_nothing(recipient))
        return FALSE;
    return recipient->fate == FATE_REFUSED ||
           (recipient->fate == FATE_HELD && tells_of_hold(hearing, recipient->queue));
}

static gboolean has_news(const struct hearing *hearing)
{
    const struct decision *decision = hearing->decision;

    for (guint i = 0; i < decision->recipients->len; i++)
        if (is_told_of(hearing, recipient_at(decision, i)))
            return TRUE;
    return FALSE;
}

/* With a 2xx, who is taken off; with a 5xx, the words that SMTP cannot carry. With a 4xx it is not over. */
static gboolean is_notice_due(const struct hearing *hearing)
{
    const struct decision *decision = hearing->decision;

    if (!decision->sender.told || !hearing_can_tell(hearing))
        return FALSE;
    switch (decision->act) {
    case ACT_ACCEPT:
    case ACT_DISCARD:
        return has_news(hearing);
    case ACT_REFUSE:
        return has_news(hearing) && reply_text_is_lost(hearing, decision->leading);
    case ACT_DEFER:
        break;
    }
    return FALSE;
}

void duties_find(struct hearing *hearing)
{
    struct decision *decision = hearing->decision;

    decision->system_high = is_system_high(hearing);
    decision->headers_only = !is_lowest(hearing) && !asks_for_headers(hearing->inputs->envelope);
    decision->tells = is_notice_due(hearing);
    choose_archives(hearing);
}
