#include "milter/decide/checks.h"

#include "milter/decide/marks.h"
#include "milter/decide/recipients.h"
#include "milter/decide/sender.h"

char *address_shown(const struct address *address)
{
    return address->form == ADDRESS_NULL ? g_strdup("<>") : address_printable(address->canonical);
}

/* ---------------------------------------------------------------- 1 envelope */
static const struct address *first_strange(const struct inputs *inputs)
{
    for (guint i = 0; i < inputs->envelope->recipients->len; i++) {
        const struct envelope_recipient *recipient = g_ptr_array_index(inputs->envelope->recipients, i);
        if (inputs_is_strange(inputs->snapshot, recipient->address) ||
            recipient_is_rewritten_strangely(inputs->snapshot, recipient))
            return recipient->address;
    }
    return NULL;
}

/* A strange address refuses the whole message: what Postfix makes of it after the filter is anybody's guess.
 */
static void check_envelope(struct hearing *hearing)
{
    const struct inputs *inputs = hearing->inputs;
    const struct address *strange = first_strange(inputs);

    if (inputs->too_large)
        hearing_find(hearing, REASON_TOO_LARGE, CHECK_ENVELOPE, CHECK_DENY);
    if (inputs->envelope->too_many)
        hearing_find(hearing, REASON_TOO_MANY_RECIPIENTS, CHECK_ENVELOPE, CHECK_DENY);
    if (inputs->envelope->recipients->len == 0)
        hearing_find(hearing, REASON_NO_RECIPIENT, CHECK_ENVELOPE, CHECK_DENY);
    if (strange != NULL)
        hearing_find(hearing, REASON_STRANGE_ADDRESS, CHECK_ENVELOPE, CHECK_DENY)->address =
            address_printable(strange->given);
}

/* ---------------------------------------------------------------- 2, 5, 6: E against zone and sender */
/* What a denial would say: its reason, about whom, and what the configuration makes of it (NULL: the row's
 * default). */
struct denial {
    enum reason_id id;
    const char *address;
    const struct outcome *outcome;
};

/* Turns a dominance into the answer of a message check. */
static void judge(struct hearing *hearing, enum check_id check, struct dominance dominance,
                  const struct denial *denial)
{
    struct check_line *line = &hearing->lines[check];
    struct reason *reason;

    if (dominance.unclear || dominance.untimely) {
        reason =
            hearing_find(hearing, dominance.untimely ? REASON_CLOCK_DOUBTFUL : REASON_CLEARANCE_AMBIGUOUS,
                         check, dominance.answer);
        reason->address = g_strdup(denial->address);
        return;
    }
    if (dominance.answer != CHECK_DENY) {
        line_set(line, check, dominance.answer, dominance.answer == CHECK_PERMIT ? -1 : hearing->doubt);
        return;
    }
    reason = hearing_find(hearing, denial_for(denial->id, dominance.above), check, CHECK_DENY);
    reason->address = g_strdup(denial->address);
    reason_set_label(reason, dominance.above);
    if (denial->outcome != NULL && reason->id == denial->id)
        reason->outcome = *denial->outcome;
}

static void note_against(struct hearing *hearing, enum check_id check, enum explain_id id, const char *whom,
                         const char *upper)
{
    const struct label_set *known = hearing_known(hearing);

    if (!hearing->inputs->explain)
        return;
    g_autofree char *label = known != NULL ? label_set_format(known) : g_strdup("?");
    line_note(hearing, &hearing->lines[check], id, whom, label[0] != '\0' ? label : "-", upper, NULL);
}

/* Somebody outside without login and certificate, in a zone that is no peer's: whatever the zone may carry
 * for others, nothing above the lowest level comes from there (semantics.md 13.5). Who should have logged in
 * is told so instead. */
static gboolean is_anonymous(const struct hearing *hearing)
{
    const struct session *session = hearing->inputs->session;
    const struct decided_sender *sender = &hearing->decision->sender;

    return sender->class == SENDER_OUTSIDE && hearing->sender_doubt == SENDER_CLEAR &&
           (hearing->relayed || /* that login or certificate is the relay's */
            ((session->login == NULL || session->login[0] == '\0') && session->cert_subject == NULL)) &&
           !networks_contain(sender->zone->peers, session->client);
}

static struct dominance dominance_of_origin(const struct hearing *hearing, const struct zone *zone)
{
    struct dominance dominance = dominance_of_zone(hearing, zone);

    if (dominance.answer != CHECK_DENY && is_anonymous(hearing))
        return dominance_of_level(hearing, hearing->lowest->scheme, hearing->lowest->level);
    return dominance;
}

static void check_zone_origin(struct hearing *hearing)
{
    const struct zone *zone = hearing->decision->sender.zone;
    struct dominance dominance = dominance_of_origin(hearing, zone);
    g_autofree char *limits = hearing->inputs->explain ? zone_limits_format(zone) : NULL;
    struct denial denial = {.id = REASON_ZONE_ORIGIN, .outcome = &zone->limit_otherwise};
    enum message_id missing;
    struct reason *reason;

    /* Outsiders are refused whatever the zone says of what is above: a hold or a 4xx beside the refusal of
     * those who are not cleared would tell who is (13.18). */
    if (hearing->decision->sender.class == SENDER_OUTSIDE)
        denial.outcome = NULL;
    judge(hearing, CHECK_ZONE_ORIGIN, dominance, &denial);
    note_against(hearing, CHECK_ZONE_ORIGIN, EXPLAIN_ZONE, zone->name, limits);
    if (zone_protected(zone, hearing->inputs->session, &missing))
        return;
    reason = hearing_find(hearing, REASON_PROTECTION_MISSING, CHECK_ZONE_ORIGIN, CHECK_DENY);
    reason->detail_en = g_strdup(message_text(missing, LANGUAGE_EN));
    reason->detail_zh = g_strdup(message_text(missing, LANGUAGE_ZH));
}

static const char *main_address(const struct person *person)
{
    return person->addresses->len > 0 ? g_ptr_array_index(person->addresses, 0) : person->id;
}

static void check_person_originates(struct hearing *hearing)
{
    const struct person *person = hearing->decision->sender.post;
    struct check_line *line = &hearing->lines[CHECK_ORIGINATE];
    struct denial denial = {.id = REASON_NOT_CLEARED_TO_SEND,
                            .outcome = &hearing->inputs->snapshot->policy->sender_not_cleared};

    if (person == NULL) { /* who it is was asked by check 3 */
        line->answer =
            hearing->sender_doubt == SENDER_REFUSED ? CHECK_UNKNOWN_PERSISTENT : CHECK_UNKNOWN_TRANSIENT;
        return;
    }
    g_autofree char *address = address_printable(main_address(person));
    g_autofree char *clearances = hearing->inputs->explain ? person_clearances_format(person) : NULL;
    denial.address = address;
    judge(hearing, CHECK_ORIGINATE, dominance_of_person(hearing, person), &denial);
    note_against(hearing, CHECK_ORIGINATE, EXPLAIN_PERSON, address, clearances);
}

/* A device up to its level; a program on this host up to what the local zone carries. */
static void check_device_originates(struct hearing *hearing)
{
    const struct decided_sender *sender = &hearing->decision->sender;
    struct dominance dominance =
        hearing->device != NULL ? dominance_of_level(hearing, sender->device_scheme, sender->device_level)
                                : dominance_of_zone(hearing, sender->zone);
    g_autofree char *address = address_shown(hearing->inputs->envelope->sender);
    g_autofree char *limits = hearing->inputs->explain ? zone_limits_format(sender->zone) : NULL;

    const struct denial denial = {.id = REASON_NOT_CLEARED_TO_SEND,
                                  .address = address,
                                  .outcome = &hearing->inputs->snapshot->policy->sender_not_cleared};

    judge(hearing, CHECK_ORIGINATE, dominance, &denial);
    note_against(hearing, CHECK_ORIGINATE, EXPLAIN_DEVICE, address,
                 hearing->device != NULL ? sender->device_level->name : limits);
}

static void check_originate(struct hearing *hearing)
{
    switch (hearing->decision->sender.class) {
    case SENDER_PERSON:
        check_person_originates(hearing);
        break;
    case SENDER_DEVICE:
        check_device_originates(hearing);
        break;
    case SENDER_PEER:
    case SENDER_OUTSIDE:
        break;
    }
}

/* Who reads the bounces: the person or mailbox behind MAIL FROM, as a recipient would be looked at
 * (3.7, 4.4). */
static struct dominance return_path_dominance(struct hearing *hearing, const struct address *sender,
                                              const struct person_answer *answer)
{
    const struct zones *zones = hearing->inputs->snapshot->zones;

    if (answer->state == ANSWER_FOUND)
        return dominance_of_person(hearing, answer->person);
    if (zones_is_inside(zones, sender->domain))
        return dominance_of_unknown(hearing);
    return dominance_of_zone(hearing, zones_recipient(zones, sender->domain));
}

static void judge_return_path(struct hearing *hearing, const struct address *sender,
                              const struct person_answer *answer)
{
    g_autofree char *address = address_shown(sender);
    const struct denial denial = {.id = REASON_RETURN_PATH_NOT_CLEARED, .address = address};
    struct reason *reason;

    switch (answer->state) {
    case ANSWER_FOUND:
    case ANSWER_ABSENT:
        judge(hearing, CHECK_RETURN_PATH, return_path_dominance(hearing, sender, answer), &denial);
        break;
    case ANSWER_UNAVAILABLE:
        reason =
            hearing_find(hearing, REASON_DIRECTORY_UNAVAILABLE, CHECK_RETURN_PATH, CHECK_UNKNOWN_TRANSIENT);
        reason->cause = CAUSE_DIRECTORY;
        reason->address = g_steal_pointer(&address);
        break;
    case ANSWER_AMBIGUOUS:
        reason = hearing_find(hearing, REASON_PERSON_AMBIGUOUS, CHECK_RETURN_PATH, CHECK_UNKNOWN_PERSISTENT);
        reason->address = g_steal_pointer(&address);
        break;
    }
}

static void check_return_path(struct hearing *hearing)
{
    const struct decided_sender *who = &hearing->decision->sender;
    const struct address *sender = hearing->inputs->envelope->sender;
    struct person_answer answer = {.state = ANSWER_ABSENT}; /* what is strange is in no directory */

    if ((who->class != SENDER_PERSON && who->class != SENDER_DEVICE) || sender->form == ADDRESS_NULL)
        return;
    if (sender->form == ADDRESS_PLAIN)
        answer = inputs_person(hearing->inputs, sender);
    judge_return_path(hearing, sender, &answer);
}

/* ---------------------------------------------------------------- 8 attachment */
static void check_attachment(struct hearing *hearing)
{
    const struct effective *label = hearing->decision->label;
    const struct outcome *outcome = &hearing->inputs->snapshot->policy->attachment_above;
    struct reason *reason;

    if (label == NULL) {
        hearing->lines[CHECK_ATTACHMENT].answer = hearing_dominated(hearing);
        return;
    }
    /* The assumed label of automatic mail rises with what it contains (2.9). */
    if (label->above_part == 0 || (hearing->automatic && label->assumed))
        return;
    reason = hearing_find(hearing, REASON_ATTACHMENT_ABOVE, CHECK_ATTACHMENT,
                          lets_pass(outcome) ? CHECK_PERMIT : CHECK_DENY);
    reason->outcome = *outcome;
    reason_set_part(reason, label->above_part);
}

/* ---------------------------------------------------------------- all */
void checks_of_message(struct hearing *hearing)
{
    struct decision *decision = hearing->decision;

    for (guint check = CHECK_ENVELOPE; check <= CHECK_RULES; check++)
        line_set(&hearing->lines[check], (enum check_id)check, CHECK_PERMIT, -1);
    check_envelope(hearing);
    label_state_check(hearing);
    inspection_check(hearing);
    check_zone_origin(hearing);
    identity_check(hearing);
    check_originate(hearing);
    check_return_path(hearing);
    check_attachment(hearing);
    line_note(hearing, &hearing->lines[CHECK_THREAD], EXPLAIN_NO_MEMORY, NULL);
    for (guint check = CHECK_ENVELOPE; check <= CHECK_THREAD; check++)
        g_array_append_val(decision->checks, hearing->lines[check]);
}
