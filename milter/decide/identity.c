#include "milter/decide/sender.h"

#include <string.h>

#include "milter/decide/session_facts.h"

static void defer_sender(struct hearing *hearing)
{
    hearing_find(hearing, REASON_DIRECTORY_UNAVAILABLE, CHECK_SENDER, CHECK_UNKNOWN_TRANSIENT)->cause =
        CAUSE_DIRECTORY;
}

/* An address with a tag belongs to whoever has it as it stands, and only then to whoever has it without
 * (4.1). */
static gboolean is_nobodys(struct hearing *hearing, const struct address *tagged)
{
    const struct inputs *inputs = hearing->inputs;

    switch (directory_query_answer(inputs->people, ASK_ADDRESS, tagged->canonical).state) {
    case ANSWER_ABSENT:
        return TRUE;
    case ANSWER_UNAVAILABLE:
        if (inputs->facts != NULL && !inputs_tagged_authors_asked(inputs->snapshot, inputs->facts))
            return FALSE;
        defer_sender(hearing);
        return TRUE;
    case ANSWER_FOUND:
    case ANSWER_AMBIGUOUS:
        break;
    }
    return FALSE;
}

/* The sender's own address: exactly, or with a tag of the person's choice. */
static gboolean is_own(struct hearing *hearing, const struct address *address)
{
    const struct person *person = hearing->decision->sender.person;
    g_autofree char *untagged = NULL;

    if (address->form != ADDRESS_PLAIN)
        return FALSE;
    if (person_has_address(person, address->canonical))
        return TRUE;
    untagged = address_untagged(address, hearing->inputs->snapshot->policy->recipient_delimiter);
    return untagged != NULL && person_has_address(person, untagged) && is_nobodys(hearing, address);
}

static void deny(struct hearing *hearing, enum reason_id id, const char *address)
{
    struct reason *reason = hearing_find(hearing, id, CHECK_SENDER, CHECK_DENY);

    if (address != NULL)
        reason->address = address_printable(address);
}

/* The index of a field's occurrence: 0 the first, 1 the second; G_MAXUINT if there is none. */
static guint field_at(const struct facts *facts, const char *name, guint occurrence)
{
    guint at = 0;

    while (facts_field(facts, name, &at) != NULL) {
        if (occurrence == 0)
            return at - 1;
        occurrence--;
    }
    return G_MAXUINT;
}

/* The first of these fields, from `from` up to `before`, that could not be read: it may name anybody. NULL:
 * none.
 */
static const struct fact_field *unreadable(const struct facts *facts, enum mailbox_field kind, guint from,
                                           guint before)
{
    for (guint i = from; i < MIN(before, facts->field_count); i++) {
        const struct fact_field *field = &facts->fields[i];
        if ((field->flags & FIELD_BAD_MAILBOXES) != 0 &&
            g_ascii_strcasecmp(field->name.data, mailbox_field_name(kind)) == 0)
            return field;
    }
    return NULL;
}

/* Every mailbox of this kind in the fields `from` … `before` is own, and there is one, and the fields could
 * be read; else *foreign is the first that is not (NULL: none), borrowed. */
static gboolean all_own(struct hearing *hearing, enum mailbox_field kind, guint from, guint before,
                        const char **foreign)
{
    const struct facts *facts = hearing->inputs->facts;
    const struct fact_field *bad = unreadable(facts, kind, from, before);
    gboolean any = FALSE;

    *foreign = NULL;
    for (guint i = 0; i < facts->mailbox_count; i++) {
        const struct fact_mailbox *mailbox = &facts->mailboxes[i];
        if (mailbox->field != kind || mailbox->field_index < from || mailbox->field_index >= before)
            continue;
        g_autoptr(address) address = inputs_mailbox(mailbox);
        any = TRUE;
        if (address != NULL && is_own(hearing, address))
            continue;
        *foreign = mailbox->address.data;
        return FALSE;
    }
    if (bad != NULL && bad->decoded.length > 0)
        *foreign = bad->decoded.data;
    return any && bad == NULL;
}

/* From: there, once, readable, and every author own. A resent message keeps the From of its first author (RFC
 * 5322 3.6.6). */
static void check_from(struct hearing *hearing, gboolean resent)
{
    const struct facts *facts = hearing->inputs->facts;
    guint count = facts_field_count(facts, "From");
    const char *foreign;

    if (count > 1)
        deny(hearing, REASON_FROM_SEVERAL, NULL);
    else if (count == 0)
        deny(hearing, REASON_FROM_MISSING, NULL);
    else if (facts->bad_from)
        deny(hearing, REASON_FROM_INVALID, NULL);
    if (resent || count == 0 || all_own(hearing, MAILBOX_FROM, 0, G_MAXUINT, &foreign))
        return;
    if (foreign != NULL)
        deny(hearing, REASON_FROM_NOT_OWN, foreign);
    else if (!facts->bad_from)
        deny(hearing, REASON_FROM_INVALID, NULL);
}

static void check_sender_field(struct hearing *hearing)
{
    const char *foreign;

    if (facts_field_count(hearing->inputs->facts, "Sender") > 0 &&
        !all_own(hearing, MAILBOX_SENDER, 0, G_MAXUINT, &foreign))
        deny(hearing, REASON_SENDER_NOT_OWN, foreign);
}

/* The topmost Resent block: its fields stand above the second Resent-From or Resent-Sender. */
static void check_resent(struct hearing *hearing, guint first_from, guint first_sender)
{
    const struct facts *facts = hearing->inputs->facts;
    const char *foreign;

    if (first_from != G_MAXUINT &&
        !all_own(hearing, MAILBOX_RESENT_FROM, first_from, first_from + 1, &foreign))
        deny(hearing, REASON_RESENT_NOT_OWN, foreign);
    if (first_sender != G_MAXUINT && first_sender < field_at(facts, "Resent-From", 1) &&
        !all_own(hearing, MAILBOX_RESENT_SENDER, first_sender, first_sender + 1, &foreign))
        deny(hearing, REASON_RESENT_NOT_OWN, foreign);
}

/* A person: 3.5. */
static void check_own(struct hearing *hearing)
{
    const struct address *sender = hearing->inputs->envelope->sender;
    const struct facts *facts = hearing->inputs->facts;

    if (facts != NULL) {
        guint first_from = field_at(facts, "Resent-From", 0);
        gboolean resent = first_from != G_MAXUINT;

        check_from(hearing, resent);
        if (!resent)
            check_sender_field(hearing);
        check_resent(hearing, first_from, field_at(facts, "Resent-Sender", 0));
    }
    if (sender->form != ADDRESS_NULL && !is_own(hearing, sender))
        deny(hearing, REASON_ENVELOPE_NOT_OWN, sender->canonical);
}

/* What the configuration says of a forged address: record, or an outcome. */
static gboolean is_recorded(enum reason_id id, const struct outcome *outcome)
{
    return lets_pass(outcome) ||
           (outcome->kind == OUTCOME_UNSET && reason_row(id)->fallback == REASON_RECORD);
}

static void find_forged(struct hearing *hearing, enum reason_id id, const struct outcome *outcome,
                        const char *address)
{
    struct reason *reason =
        hearing_find(hearing, id, CHECK_SENDER, is_recorded(id, outcome) ? CHECK_PERMIT : CHECK_DENY);

    reason->outcome = *outcome;
    reason->address = address_printable(address);
}

/* The first author or Sender who claims to be inside; NULL none. New. */
static char *inside_author(const struct hearing *hearing)
{
    const struct facts *facts = hearing->inputs->facts;

    for (guint i = 0; facts != NULL && i < facts->mailbox_count; i++) {
        const struct fact_mailbox *mailbox = &facts->mailboxes[i];
        if (mailbox->field != MAILBOX_FROM && mailbox->field != MAILBOX_SENDER)
            continue;
        g_autoptr(address) address = inputs_mailbox(mailbox);
        if (address != NULL && zones_is_inside(hearing->inputs->snapshot->zones, address->domain))
            return g_strdup(address->canonical);
    }
    return NULL;
}

/* Outside and peers: 3.6. It changes nothing about class, zone or trust. */
static void check_forged(struct hearing *hearing)
{
    const struct snapshot *snapshot = hearing->inputs->snapshot;
    const struct outcome *forged_from = &snapshot->policy->forged_from;
    const struct address *sender = hearing->inputs->envelope->sender;
    const struct facts *facts = hearing->inputs->facts;
    g_autofree char *author = inside_author(hearing);

    if (sender->form != ADDRESS_NULL && zones_is_inside(snapshot->zones, sender->domain))
        find_forged(hearing, REASON_INSIDE_ENVELOPE, &snapshot->policy->forged_envelope, sender->canonical);
    if (author != NULL)
        find_forged(hearing, REASON_INSIDE_FROM, forged_from, author);
    /* Where that is stopped, so is a From or Sender that cannot be read: some program shows an inside address
     * there. */
    else if (facts != NULL && !is_recorded(REASON_INSIDE_FROM, forged_from) &&
             (facts->bad_from || unreadable(facts, MAILBOX_SENDER, 0, G_MAXUINT) != NULL))
        hearing_find(hearing, REASON_FROM_INVALID, CHECK_SENDER, CHECK_DENY)->outcome = *forged_from;
}

static void refuse_sender(struct hearing *hearing)
{
    struct reason *reason = hearing_find(hearing, hearing->sender_reason, CHECK_SENDER, CHECK_DENY);
    const struct session *session = hearing->inputs->session;
    const struct policy *policy = hearing->inputs->snapshot->policy;
    const char *who = session_login(policy, session);

    if (who == NULL)
        who = session_certificate(policy, session);
    reason->outcome.kind = OUTCOME_REFUSE;
    reason->address = address_printable(who != NULL ? who : hearing->inputs->envelope->sender->canonical);
}

static void check_identity(struct hearing *hearing)
{
    const struct decided_sender *sender = &hearing->decision->sender;

    switch (sender->class) {
    case SENDER_PERSON:
        if (sender->person != NULL && hearing->sender_doubt != SENDER_REFUSED)
            check_own(hearing);
        break;
    case SENDER_PEER:
    case SENDER_OUTSIDE:
        /* A client inside that should have logged in is not "from outside". */
        if (hearing->sender_doubt == SENDER_CLEAR)
            check_forged(hearing);
        break;
    case SENDER_DEVICE:
        break;
    }
}

void identity_check(struct hearing *hearing)
{
    struct check_line *line = &hearing->lines[CHECK_SENDER];

    switch (hearing->sender_doubt) {
    case SENDER_CLEAR:
        break;
    case SENDER_REFUSED:
        refuse_sender(hearing);
        break;
    case SENDER_UNAVAILABLE:
    case SENDER_UNDETERMINED:
        defer_sender(hearing);
        break;
    }
    check_identity(hearing);
    /* Nobody has read the fields; why that is so is a reason of check 7. */
    if (hearing->inputs->facts == NULL && line->answer == CHECK_PERMIT &&
        hearing->decision->sender.class != SENDER_DEVICE)
        line->answer = hearing_dominated(hearing);
}
