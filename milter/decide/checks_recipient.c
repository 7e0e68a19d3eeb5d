#include "milter/decide/checks.h"

#include "milter/decide/disposition.h"
#include "milter/decide/recipients.h"

/* ---------------------------------------------------------------- 11 recipient dominates */
static struct reason *find(struct decided_recipient *recipient, struct check_line *line, enum reason_id id,
                           enum check_answer answer)
{
    struct reason *reason = reasons_add(recipient->reasons, id, line->check, answer);

    if (line->reason < 0)
        line_set(line, line->check, answer, (gint)id);
    reason->address = address_shown(recipient->first->address);
    return reason;
}

static void deny(struct decided_recipient *recipient, struct check_line *line, enum reason_id denied,
                 const struct label *above, const struct outcome *outcome)
{
    struct reason *reason = find(recipient, line, denial_for(denied, above), CHECK_DENY);

    reason_set_label(reason, above);
    if (reason->id == denied)
        reason->outcome = *outcome;
}

static void note_against(const struct hearing *hearing, struct check_line *line, enum explain_id id,
                         const char *whom, char *upper_taken)
{
    g_autofree char *upper = upper_taken;
    g_autofree char *label = hearing_known(hearing) != NULL ? label_set_format(hearing_known(hearing)) : NULL;

    line_note(hearing, line, id, whom, label != NULL && label[0] != '\0' ? label : "-", upper, NULL);
}

static void judge_dominance(const struct hearing *hearing, struct decided_recipient *recipient,
                            struct check_line *line, const struct dominance *dominance)
{
    if (dominance->untimely)
        find(recipient, line, REASON_CLOCK_DOUBTFUL, dominance->answer);
    else if (dominance->unclear)
        find(recipient, line, REASON_CLEARANCE_AMBIGUOUS, dominance->answer);
    else if (dominance->answer == CHECK_DENY)
        deny(recipient, line, REASON_NOT_CLEARED, dominance->above,
             &hearing->inputs->snapshot->policy->recipient_not_cleared);
    else
        line_set(line, CHECK_RECIPIENT, dominance->answer,
                 dominance->answer == CHECK_PERMIT ? -1 : hearing->doubt);
}

static void check_found(const struct hearing *hearing, struct decided_recipient *recipient,
                        struct check_line *line)
{
    struct dominance dominance = dominance_of_person(hearing, recipient->person);

    judge_dominance(hearing, recipient, line, &dominance);
    if (hearing->inputs->explain)
        note_against(hearing, line, EXPLAIN_PERSON, recipient->first->address->canonical,
                     person_clearances_format(recipient->person));
}

/* Nobody the directory knows: inside up to the level for unknown people; outside as far as the zone carries,
 * which check 12 asks. */
static void check_absent(const struct hearing *hearing, struct decided_recipient *recipient,
                         struct check_line *line)
{
    struct dominance dominance = {.answer = hearing_dominated(hearing)};
    enum explain_id note = EXPLAIN_OUTSIDER;

    if (recipient->zone->inside) {
        dominance = dominance_of_unknown(hearing);
        note = EXPLAIN_NO_ENTRY;
    }
    judge_dominance(hearing, recipient, line, &dominance);
    line_note(hearing, line, note, recipient->first->address->canonical, NULL);
}

static void check_cleared(const struct hearing *hearing, struct decided_recipient *recipient,
                          struct check_line *line)
{
    switch (recipient->person_state) {
    case ANSWER_FOUND:
        check_found(hearing, recipient, line);
        break;
    case ANSWER_ABSENT:
        check_absent(hearing, recipient, line);
        break;
    case ANSWER_UNAVAILABLE:
        find(recipient, line, REASON_DIRECTORY_UNAVAILABLE, CHECK_UNKNOWN_TRANSIENT)->cause = CAUSE_DIRECTORY;
        break;
    case ANSWER_AMBIGUOUS:
        find(recipient, line, REASON_PERSON_AMBIGUOUS, CHECK_UNKNOWN_PERSISTENT);
        break;
    }
}

/* ---------------------------------------------------------------- 12 zone of recipient carries */
/* What one zone says to E as the zone of a recipient; asked once a message. */
static const struct zone_answer *zone_answer(struct hearing *hearing, const struct zone *zone)
{
    struct zone_answer answer = {.zone = zone};

    for (guint i = 0; i < hearing->zones->len; i++) {
        const struct zone_answer *known = &g_array_index(hearing->zones, struct zone_answer, i);
        if (known->zone == zone)
            return known;
    }
    answer.dominance = dominance_of_zone(hearing, zone);
    /* A milter neither makes nor sees the way out: until Postfix's policy proves it, such a zone gets the
     * lowest level only. */
    answer.unproven =
        (zone->requires.tls > 0 || zone->requires.tls_verified || zone->requires.client_certificate) &&
        dominance_of_level(hearing, hearing->lowest->scheme, hearing->lowest->level).answer == CHECK_DENY;
    g_array_append_val(hearing->zones, answer);
    return &g_array_index(hearing->zones, struct zone_answer, hearing->zones->len - 1);
}

/* Those who encrypt for each other are the people of zones that say so: nobody else gets what nobody could
 * check (2.13). */
static void find_encrypted(const struct hearing *hearing, struct decided_recipient *recipient,
                           struct check_line *line)
{
    struct reason *reason =
        reasons_add(recipient->reasons, REASON_ENCRYPTED, line->check, CHECK_UNKNOWN_PERSISTENT);

    reason->cause = CAUSE_ENCRYPTED;
    reason_set_part(reason, hearing->excused->part);
    if (line->reason < 0 && disposition_of(hearing, reason).verdict != VERDICT_DELIVER)
        line_set(line, line->check, CHECK_UNKNOWN_PERSISTENT, REASON_ENCRYPTED);
}

static void check_zone(struct hearing *hearing, struct decided_recipient *recipient, struct check_line *line,
                       const struct zone *zone)
{
    const struct zone_answer *answer = zone_answer(hearing, zone);

    if (answer->dominance.answer == CHECK_DENY)
        deny(recipient, line, REASON_ZONE_RECIPIENT, answer->dominance.above, &zone->limit_otherwise);
    if (answer->unproven)
        find(recipient, line, REASON_PROTECTION_UNPROVEN, CHECK_DENY);
    if (hearing->excused != NULL && !(zone->inside && zone->encrypted_counts))
        find_encrypted(hearing, recipient, line);
    if (line->reason < 0)
        line_set(line, CHECK_ZONE_RECIPIENT, answer->dominance.answer,
                 answer->dominance.answer == CHECK_PERMIT ? -1 : hearing->doubt);
    if (hearing->inputs->explain && line->note_en == NULL)
        note_against(hearing, line, EXPLAIN_ZONE, zone->name, zone_limits_format(zone));
}

static void check_zones(struct hearing *hearing, struct decided_recipient *recipient, struct check_line *line)
{
    g_autoptr(GPtrArray) others = recipient_other_zones(hearing, recipient);

    check_zone(hearing, recipient, line, recipient->zone);
    for (guint i = 0; others != NULL && i < others->len; i++)
        check_zone(hearing, recipient, line, g_ptr_array_index(others, i));
}

/* ---------------------------------------------------------------- all */
static void check_recipient(struct hearing *hearing, struct decided_recipient *recipient, gboolean strange)
{
    struct check_line lines[] = {{.check = CHECK_VISIBLE, .answer = CHECK_PERMIT, .reason = -1},
                                 {.check = CHECK_RECIPIENT, .answer = CHECK_PERMIT, .reason = -1},
                                 {.check = CHECK_ZONE_RECIPIENT, .answer = CHECK_PERMIT, .reason = -1},
                                 {.check = CHECK_RULES, .answer = CHECK_PERMIT, .reason = -1}};

    if (strange) { /* refused by check 1; whose it is cannot be told */
        lines[1].answer = lines[2].answer = CHECK_UNKNOWN_PERSISTENT;
        lines[1].reason = lines[2].reason = REASON_STRANGE_ADDRESS;
    } else {
        check_cleared(hearing, recipient, &lines[1]);
        check_zones(hearing, recipient, &lines[2]);
    }
    line_note(hearing, &lines[3], EXPLAIN_NO_RULES, NULL);
    g_array_append_vals(recipient->checks, lines, G_N_ELEMENTS(lines));
}

void checks_of_recipients(struct hearing *hearing)
{
    GPtrArray *recipients = hearing->decision->recipients;

    recipients_gather(hearing);
    for (guint i = 0; i < recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(recipients, i);
        check_recipient(hearing, recipient,
                        inputs_is_strange(hearing->inputs->snapshot, recipient->first->address));
    }
}
