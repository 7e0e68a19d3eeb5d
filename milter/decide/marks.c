#include "milter/decide/marks.h"

#include <string.h>

#include "milter/decide/disposition.h"

/* A value of which only a part is known is not what that part says: categories may stand behind it. The
 * claims from `first` on still raise; they label nothing. */
static void distrust(GPtrArray *claims, guint first, struct claim *invalid)
{
    for (guint i = first; i < claims->len; i++)
        ((struct claim *)g_ptr_array_index(claims, i))->near = TRUE;
    g_ptr_array_add(claims, invalid);
}

static void read_field(const struct schemes *schemes, const struct fact_field *field, GPtrArray *claims)
{
    const struct place place = {.kind = PLACE_FIELD, .field = field->name.data};
    const struct bytes *text = &field->decoded;
    gboolean is_cut = (field->flags & (FIELD_SHORTENED | FIELD_CUT)) != 0;
    guint first = claims->len;

    claims_read(schemes, &place, text->data, text->length, claims);
    if (is_cut || (field->flags & FIELD_UNDECODABLE) != 0)
        distrust(
            claims, first,
            claim_new_invalid(&place, schemes_reading_field(schemes, place.field),
                              message_make(is_cut ? MSG_MARKING_TOO_LONG : MSG_MARKING_UNDECODABLE, NULL),
                              text->data, text->length));
}

static void read_fields(struct hearing *hearing)
{
    const struct facts *facts = hearing->inputs->facts;
    const struct schemes *schemes = hearing->inputs->snapshot->schemes;

    for (guint i = 0; i < facts->field_count; i++) {
        const struct fact_field *field = &facts->fields[i];

        if (schemes_reading_field(schemes, field->name.data) == NULL)
            continue;
        read_field(schemes, field, hearing->decision->claims);
        if (hearing->repeated_field == NULL && facts_field_count(facts, field->name.data) > 1)
            hearing->repeated_field = field->name.data;
    }
}

static void read_candidates(struct hearing *hearing)
{
    const struct facts *facts = hearing->inputs->facts;

    for (guint i = 0; i < facts->candidate_count; i++) {
        const struct fact_candidate *candidate = &facts->candidates[i];
        claims_read(hearing->inputs->snapshot->schemes, &candidate->place, candidate->text.data,
                    candidate->text.length, hearing->decision->claims);
    }
}

/* Semantics.md 2.3. A peer whose zone accepts the labels of no scheme is believed nothing. */
static enum trust trust_of(const struct decided_sender *sender)
{
    switch (sender->class) {
    case SENDER_PERSON:
    case SENDER_DEVICE:
        return TRUST_INSIDE;
    case SENDER_PEER:
        return sender->zone->accepts != NULL ? TRUST_PEER : TRUST_OUTSIDE;
    case SENDER_OUTSIDE:
        break;
    }
    return TRUST_OUTSIDE;
}

/* Findings after which a field may have been lost: nothing is then called missing (2.9). */
static gboolean loses_fields(enum finding_id id)
{
    return id == FINDING_FIELDS_IN_BODY || id == FINDING_NUL_IN_HEADER || id == FINDING_FIELD_CUT ||
           id == FINDING_BAD_FIELD || id == FINDING_TOO_MANY_FIELDS || id == FINDING_HEADER_TOO_LARGE;
}

/* What approvers said the label is joins what can be read: nothing but a vote says so where nothing was read
 * (10.4). */
static void take_stated(struct hearing *hearing, enum trust trust, const GPtrArray *accepted)
{
    const struct approvals *approvals = hearing->inputs->approvals;
    struct decision *decision = hearing->decision;

    if (approvals == NULL || approvals->stated == NULL)
        return;
    if (decision->label == NULL)
        decision->label =
            effective_make(hearing->inputs->snapshot->schemes, decision->claims, trust, accepted);
    label_set_join_all(decision->label->effective, approvals->stated);
}

void marks_read(struct hearing *hearing)
{
    const struct inputs *inputs = hearing->inputs;
    struct decision *decision = hearing->decision;
    const struct decided_sender *sender = &decision->sender;

    const GPtrArray *accepted = sender->class == SENDER_PEER ? sender->zone->accepts : NULL;

    decision->claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    if (inputs->facts == NULL) {
        gboolean ever = inputs->too_large || inputs->facts_state == FACTS_NONE_PERSISTENT;
        hearing->certainty = ever ? E_UNKNOWN_EVER : E_UNKNOWN_NOW;
        take_stated(hearing, trust_of(sender), accepted);
        return;
    }
    read_fields(hearing);
    read_candidates(hearing);
    decision->label = effective_make(inputs->snapshot->schemes, decision->claims, trust_of(sender), accepted);
    take_stated(hearing, trust_of(sender), accepted);
    for (guint i = 0; i < inputs->facts->finding_count; i++)
        hearing->header_doubtful = hearing->header_doubtful || loses_fields(inputs->facts->findings[i].id);
    hearing->automatic =
        sender->class == SENDER_DEVICE || (sender->class == SENDER_PERSON && inputs->facts->is_report &&
                                           inputs->envelope->sender->form == ADDRESS_NULL);
}

/* ---------------------------------------------------------------- check 4 */
/* The reason leaves open what E is, unless approvers said that it is what is known of it. */
static void doubt(struct hearing *hearing, const struct reason *reason)
{
    if (hearing->certainty != E_KNOWN || hearing_has_answer_for_all(hearing, reason))
        return;
    hearing->certainty = E_AT_LEAST;
    hearing->doubt = (gint)reason->id;
}

static struct reason *find_label(struct hearing *hearing, enum reason_id id, enum check_answer answer)
{
    return hearing_find(hearing, id, CHECK_LABEL_STATE, answer);
}

/* A mark that nobody understands: for an outsider it is refused, since nobody here can put it right. */
static void find_unreadable(struct hearing *hearing, enum reason_id id, const struct place *place)
{
    struct reason *reason = find_label(hearing, id, CHECK_UNKNOWN_PERSISTENT);

    reason->cause = CAUSE_LABEL;
    reason->part = place->part;
    reason->detail_en = place_format(place, LANGUAGE_EN);
    reason->detail_zh = place_format(place, LANGUAGE_ZH);
    if (hearing->decision->sender.class == SENDER_OUTSIDE)
        reason->outcome.kind = OUTCOME_REFUSE;
    doubt(hearing, reason);
}

static void find_conflict(struct hearing *hearing)
{
    const struct effective *label = hearing->decision->label;
    const struct outcome *outcome = &hearing->inputs->snapshot->policy->label_conflict;
    struct reason *reason;

    if (label->conflict_a == NULL || label->conflict_b == NULL)
        return;
    reason = find_label(hearing, REASON_LABEL_CONFLICT, lets_pass(outcome) ? CHECK_PERMIT : CHECK_DENY);
    reason->outcome = *outcome;
    g_autofree char *a = label_format(label->conflict_a->label);
    g_autofree char *b = label_format(label->conflict_b->label);
    g_autofree char *ascii_a = label_format_ascii(label->conflict_a->label);
    g_autofree char *ascii_b = label_format_ascii(label->conflict_b->label);
    reason->level = g_strdup_printf("%s, %s", a, b);
    reason->level_ascii = g_strdup_printf("%s, %s", ascii_a, ascii_b);
}

/* What stands there cannot be read as a label, or says two things. */
static void find_unclear(struct hearing *hearing)
{
    const struct effective *label = hearing->decision->label;

    if (label->invalid != NULL)
        find_unreadable(hearing, REASON_LABEL_INVALID, &label->invalid->place);
    if (label->unmapped != NULL)
        find_unreadable(hearing, REASON_LABEL_UNMAPPED, &label->unmapped->place);
    if (label->part_unreadable != NULL)
        find_unreadable(hearing, REASON_PART_LABEL_UNREADABLE, &label->part_unreadable->place);
    if (hearing->repeated_field != NULL)
        reason_set_detail(find_label(hearing, REASON_LABEL_REPEATED, CHECK_DENY), hearing->repeated_field);
    find_conflict(hearing);
    if (label->scheme_ambiguous)
        find_label(hearing, REASON_SCHEME_AMBIGUOUS, CHECK_PERMIT);
}

static void assume(struct hearing *hearing, const struct scheme *scheme, const struct level *level)
{
    effective_assume(hearing->decision->label, scheme, level, hearing->decision->claims);
}

static void assume_lowest(struct hearing *hearing)
{
    assume(hearing, hearing_home(hearing), scheme_lowest(hearing_home(hearing)));
}

/* Nobody can be asked to label automatic mail: it is L0, raised by what it contains. */
static void assume_automatic(struct hearing *hearing)
{
    const struct label_set *contained = hearing->decision->label->contained;

    assume_lowest(hearing);
    for (guint i = 0; i < contained->labels->len; i++) {
        const struct label *label = g_ptr_array_index(contained->labels, i);
        assume(hearing, label->scheme, label->level);
    }
}

static void judge_unlabelled(struct hearing *hearing)
{
    const struct policy *policy = hearing->inputs->snapshot->policy;
    gboolean inside = hearing->decision->sender.class == SENDER_PERSON;
    const struct outcome *outcome = inside ? &policy->unlabelled_inside : &policy->unlabelled_outside;

    switch (outcome->kind) {
    case OUTCOME_TREAT_AS:
        assume(hearing, outcome->scheme, outcome->level);
        return;
    case OUTCOME_DELIVER:
    case OUTCOME_RECORD:
        assume_lowest(hearing);
        return;
    case OUTCOME_UNSET:
        if (!inside) {
            assume_lowest(hearing);
            return;
        }
        break;
    case OUTCOME_REFUSE:
    case OUTCOME_HOLD:
    case OUTCOME_DEFER:
        break;
    }
    find_label(hearing, REASON_UNLABELLED, CHECK_DENY)->outcome = *outcome;
}

static void judge_missing(struct hearing *hearing)
{
    struct reason *reason;

    if (hearing->header_doubtful) {
        reason = find_label(hearing, REASON_AMBIGUOUS_STRUCTURE, CHECK_UNKNOWN_PERSISTENT);
        reason->cause = CAUSE_STRUCTURE;
        reason_set_part(reason, 0);
        doubt(hearing, reason);
    } else if (hearing->sender_doubt == SENDER_UNDETERMINED) {
        reason = find_label(hearing, REASON_DIRECTORY_UNAVAILABLE, CHECK_UNKNOWN_TRANSIENT);
        reason->cause = CAUSE_DIRECTORY;
    } else if (hearing->automatic) {
        assume_automatic(hearing);
    } else {
        judge_unlabelled(hearing);
    }
}

void label_state_check(struct hearing *hearing)
{
    struct check_line *line = &hearing->lines[CHECK_LABEL_STATE];
    const struct effective *label = hearing->decision->label;

    if (hearing->inputs->facts == NULL) {
        line->answer = hearing_dominated(hearing);
        return;
    }
    find_unclear(hearing);
    if (label->missing)
        judge_missing(hearing);
    g_autofree char *text = hearing->inputs->explain ? label_set_format(label->effective) : NULL;
    if (label->assumed)
        line_note(hearing, line, EXPLAIN_ASSUMED, text, NULL);
    else if (label->labelled)
        line_note(hearing, line, EXPLAIN_LABELLED, text, NULL);
    else
        line_note(hearing, line, EXPLAIN_NO_LABEL, NULL);
}

/* ---------------------------------------------------------------- check 7 */
/* S/MIME or PGP over the whole message: a site whose cleared people encrypt for each other counts the outer
 * marks (2.13). */
static gboolean is_whole_message(const struct facts *facts, guint number)
{
    for (guint i = 0; i < facts->part_count; i++) {
        const struct fact_part *part = &facts->parts[i];
        if (part->number == number)
            return part->parent == 0 && (strcmp(part->type.data, "application/pkcs7-mime") == 0 ||
                                         strcmp(part->type.data, "application/x-pkcs7-mime") == 0 ||
                                         strcmp(part->type.data, "multipart/encrypted") == 0);
    }
    return FALSE;
}

static gboolean is_excused(const struct hearing *hearing, const struct fact_finding *finding)
{
    const struct decided_sender *sender = &hearing->decision->sender;

    return finding_cause(finding->id) == CAUSE_ENCRYPTED && sender->class == SENDER_PERSON &&
           sender->zone->inside && sender->zone->encrypted_counts && hearing->decision->label->labelled &&
           is_whole_message(hearing->inputs->facts, finding->part);
}

static const struct fact_finding *first_of(struct hearing *hearing, enum finding_cause cause)
{
    const struct facts *facts = hearing->inputs->facts;

    for (guint i = 0; i < facts->finding_count; i++) {
        const struct fact_finding *finding = &facts->findings[i];
        if (finding_cause(finding->id) != cause)
            continue;
        if (!is_excused(hearing, finding))
            return finding;
        hearing->excused = finding;
    }
    return NULL;
}

/* One reason for a cause, about the first part that has it. TRUE: there is one, and no line of the
 * configuration lets it pass unread. */
static gboolean find_cause(struct hearing *hearing, enum finding_cause cause, enum reason_id id)
{
    const struct fact_finding *finding = first_of(hearing, cause);
    struct reason *reason;

    if (finding == NULL)
        return FALSE;
    reason = hearing_find(hearing, id, CHECK_INSPECTION, CHECK_UNKNOWN_PERSISTENT);
    reason->cause = (gint)cause;
    reason_set_part(reason, finding->part);
    line_note(hearing, &hearing->lines[CHECK_INSPECTION], EXPLAIN_FINDING, finding_name(finding->id),
              finding->detail.data, NULL);
    if (disposition_of(hearing, reason).verdict == VERDICT_DELIVER)
        return FALSE;
    doubt(hearing, reason);
    return TRUE;
}

static void find_no_facts(struct hearing *hearing)
{
    struct check_line *line = &hearing->lines[CHECK_INSPECTION];
    enum check_answer answer = hearing_dominated(hearing);
    enum reason_id id =
        hearing->inputs->facts_state == FACTS_NONE_BUSY ? REASON_BUSY : REASON_INSPECTOR_FAILED;
    struct reason *reason;

    if (hearing->inputs->too_large) {
        line->answer = answer; /* the size is refused by check 1 */
        return;
    }
    reason = hearing_find(hearing, id, CHECK_INSPECTION, answer);
    reason->cause = CAUSE_OVERLOAD;
    if (hearing_has_answer_for_all(hearing, reason))
        hearing->certainty = E_KNOWN;
}

/* Only the way out may carry a token; it never comes here (7.3, 12.4). */
static void find_forged_token(struct hearing *hearing)
{
    if (facts_field_count(hearing->inputs->facts, RELEASE_TOKEN_FIELD) == 0)
        return;
    hearing_find(hearing, REASON_FORGED_TOKEN, CHECK_INSPECTION, CHECK_PERMIT);
    hearing->decision->forged_token = TRUE;
}

void inspection_check(struct hearing *hearing)
{
    struct check_line *line = &hearing->lines[CHECK_INSPECTION];
    gboolean stops;

    if (hearing->inputs->facts == NULL) {
        find_no_facts(hearing);
        return;
    }
    find_forged_token(hearing);
    stops = find_cause(hearing, CAUSE_ENCRYPTED, REASON_ENCRYPTED);
    stops = find_cause(hearing, CAUSE_DAMAGED, REASON_DAMAGED) || stops;
    stops = find_cause(hearing, CAUSE_STRUCTURE, REASON_AMBIGUOUS_STRUCTURE) || stops;
    stops = find_cause(hearing, CAUSE_LIMIT, REASON_LIMIT_REACHED) || stops;
    if (!stops)
        line->answer =
            CHECK_PERMIT; /* or the configuration lets it pass unread: E is then what could be read */
}
