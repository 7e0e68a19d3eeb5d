/* desk_vote: approve, refuse, note; and what a person says of a doubtful release. */
#include "milter/review/sitting.h"

#include <string.h>

#include "milter/review/compose.h"
#include "milter/review/limits.h"
#include "milter/review/release.h"
#include "milter/review/summary.h"
#include "milter/store/trace.h"
#include "policy/label/label_record.h"

/* ---- may the asker decide on it? */

/* `recipients may vote no`: nobody who got the message at all, and not only those on the slip. The journal
 * names everybody, since it was written with the hold; what it cannot say now is yes, they did. */
static gboolean got_the_message(struct sitting *sitting, const struct hold *hold)
{
    const struct queue *queue = queues_find(sitting->snapshot->conf->queues, hold->slip.queue);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) lines = NULL;

    if (queue == NULL || queue->recipients_may_vote)
        return FALSE;
    lines = store_trace(sitting->store, hold->reference, DESK_TRACE_LINES, &error);
    for (guint i = 0; lines != NULL && i < lines->len; i++) {
        const struct trace_line *line = g_ptr_array_index(lines, i);

        for (guint j = 0; j < line->recipients->len; j++) {
            const struct trace_recipient *recipient = g_ptr_array_index(line->recipients, j);
            if (reviewer_has_address(sitting->snapshot, sitting->reviewer, recipient->canonical))
                return TRUE;
        }
    }
    return lines == NULL || lines->len == 0;
}

/* Who approved, for the next one. */
static const char *approver(const struct hold *hold)
{
    for (guint i = hold->votes->len; i > 0; i--) {
        const struct hold_vote *vote = g_ptr_array_index(hold->votes, i - 1);
        if (strcmp(vote->what, "approve") == 0)
            return vote->person;
    }
    return "-";
}

/* The hold that the asker may decide on, open and as it is now; NULL and said otherwise. */
static struct hold *hold_to_decide(struct sitting *sitting)
{
    g_autoptr(hold) hold = sitting_hold(sitting);
    enum may may;

    if (hold == NULL)
        return NULL;
    if (hold->kind == KIND_REFUSED) {
        sitting_refuse(sitting, message_make(MSG_DESK_KEPT_COPY, NULL));
        return NULL;
    }
    may = sitting_may_vote(sitting, hold);
    if (may == MAY && got_the_message(sitting, hold))
        may = MAY_NOT_RECIPIENT;
    if (may != MAY) {
        sitting_turn_away(sitting, may, hold, sitting_why_not(sitting, may, hold, TRUE));
        return NULL;
    }
    if (hold->state != HOLD_HELD) {
        sitting_refuse(sitting, message_make(MSG_DESK_OVER, sitting_state(sitting, hold->state), NULL));
        return NULL;
    }
    return g_steal_pointer(&hold);
}

/* ---- approve --as: what E is (semantics.md 10.4) */

/* What is known of E: NULL when nothing is. FALSE and said: something is recorded that nobody can read any
 * more. */
static gboolean find_known(struct sitting *sitting, const struct hold *hold, struct label_set **known)
{
    *known = NULL;
    if (hold_label_is_unknown(hold))
        return TRUE;
    *known = hold->label != NULL ? label_set_copy(hold->label)
                                 : label_set_recall(sitting->snapshot->schemes, hold->label_text);
    if (*known != NULL)
        return TRUE;
    return sitting_refuse(sitting, message_make(MSG_DESK_AS_LOST, hold->label_text, NULL));
}

/* "clearance:1:1: error: no scheme has a level 机秘 [unknown-level]" without what is for files; new. */
static char *what_is_wrong(const char *diagnostic)
{
    const char *at = strstr(diagnostic, ": error: ");
    const char *from = at != NULL ? at + strlen(": error: ") : diagnostic;
    const char *id = g_str_has_suffix(from, "]") ? strrchr(from, '[') : NULL;

    return g_strchomp(id != NULL ? g_strndup(from, (gsize)(id - from)) : g_strdup(from));
}

static struct label *read_label(struct sitting *sitting, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(clearance) read = clearance_parse(sitting->snapshot->schemes, text, NULL, &error);

    if (read == NULL) {
        g_autofree char *why = what_is_wrong(error->message);
        sitting_refuse(sitting, message_make(MSG_DESK_AS_UNREADABLE, text, why, NULL));
    } else if (read->from != G_MININT64 || read->until != G_MAXINT64)
        sitting_refuse(sitting, message_make(MSG_DESK_AS_DATES, NULL));
    else
        return label_copy(read->label);
    return NULL;
}

/* The label that `--as` states joined with what is known in other schemes; NULL and said if it will not do.
 */
static struct label_set *state_label(struct sitting *sitting, const struct label_set *known, const char *text)
{
    g_autoptr(label) label = read_label(sitting, text);
    g_autoptr(label_set) stated = known != NULL ? label_set_copy(known) : label_set_new();
    const struct person *person = sitting->reviewer->person;
    const struct label *lower = NULL, *above = NULL;

    if (label == NULL)
        return NULL;
    lower = label_set_of(stated, label->scheme);
    if (lower != NULL && !label_covers(label, lower)) {
        g_autofree char *shown = label_set_format(known);
        sitting_refuse(sitting, message_make(MSG_DESK_AS_LOW, text, shown, NULL));
        return NULL;
    }
    label_set_join(stated, label);
    if (clearances_check_set(person->clearances, person->clearance_unreadable != NULL,
                             sitting->snapshot->schemes, stated, sitting->now_ms / 1000,
                             &above) != CLEARED_YES) {
        sitting_refuse(sitting, message_make(MSG_DESK_AS_HIGH, text, NULL));
        return NULL;
    }
    return g_steal_pointer(&stated);
}

/* *stated: NULL when the approver says nothing, and need not. */
static gboolean find_stated(struct sitting *sitting, const struct hold *hold, struct label_set **stated)
{
    const char *as = control_request_named(sitting->request, "as");
    g_autoptr(label_set) known = NULL;

    *stated = NULL;
    if (as == NULL)
        return !hold_label_is_unknown(hold) || sitting_refuse(sitting, message_make(MSG_DESK_NEEDS_AS, NULL));
    if (!hold_label_is_doubtful(hold))
        return sitting_refuse(sitting,
                              message_make(MSG_DESK_AS_KNOWN, sitting_label(sitting, hold->display), NULL));
    if (!find_known(sitting, hold, &known))
        return FALSE;
    *stated = state_label(sitting, known, as);
    return *stated != NULL;
}

gboolean desk_approve(struct sitting *sitting)
{
    g_autoptr(hold) hold = hold_to_decide(sitting);
    g_autoptr(label_set) stated = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *note = NULL, *id = NULL;

    if (hold == NULL)
        return FALSE;
    if (hold->slip.approved)
        return sitting_refuse(sitting, message_make(MSG_DESK_APPROVED_ALREADY, approver(hold), NULL));
    if (hold->slip.deadline_ms <= sitting->now_ms) {
        g_autofree char *deadline = sitting_moment(sitting, hold->slip.deadline_ms);
        return sitting_refuse(sitting, message_make(MSG_DESK_LATE, deadline, NULL));
    }
    if (!sitting_note(sitting, control_request_named(sitting->request, "note"), &note) ||
        !find_stated(sitting, hold, &stated))
        return FALSE;
    id = hold_short(hold->id);
    if (!store_hold_approve(sitting->store, hold, reviewer_name(sitting->reviewer), stated, note, &error))
        return sitting_fail(sitting, id, error);
    review_wake(sitting->review);
    if (stated == NULL)
        return sitting_say(sitting, message_make(MSG_DESK_APPROVED, id, NULL));
    g_autofree char *label = label_set_format(stated);
    return sitting_say(sitting, message_make(MSG_DESK_APPROVED_AS, id, label, NULL));
}

/* ---- refuse */

/* N2 for those recipients that are refused now; NULL: the record cannot be read, so nobody can be told. */
static GPtrArray *notices_of_refusal(struct sitting *sitting, const struct hold *hold, const char *note,
                                     GError **error)
{
    g_autoptr(recorded) recorded = store_hold_recorded(sitting->store, hold, error);
    g_autoptr(GPtrArray) refused = g_ptr_array_new();

    if (recorded == NULL)
        return NULL;
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        if (recipient->state == HOLD_HELD)
            g_ptr_array_add(refused, recipient->canonical);
    }
    return compose_end(sitting->snapshot, hold, recorded, refused, ENDING_REFUSED, note,
                       sitting->now_ms / 1000);
}

gboolean desk_refuse(struct sitting *sitting)
{
    g_autoptr(hold) hold = hold_to_decide(sitting);
    g_autoptr(GPtrArray) notices = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *note = NULL, *id = NULL;
    gboolean told;

    if (hold == NULL || !sitting_note(sitting, control_request_named(sitting->request, "note"), &note))
        return FALSE;
    id = hold_short(hold->id);
    notices = notices_of_refusal(sitting, hold, note, &error);
    if (error != NULL)
        return sitting_fail(sitting, id, error);
    if (!store_hold_refuse(sitting->store, hold, reviewer_name(sitting->reviewer), note, notices, &error))
        return sitting_fail(sitting, id, error);
    told = notices != NULL && notices->len > 0;
    if (told)
        review_wake(sitting->review);
    return sitting_say(sitting, message_make(told ? MSG_DESK_REFUSED : MSG_DESK_REFUSED_QUIETLY, id, NULL));
}

/* ---- note */

gboolean desk_note(struct sitting *sitting)
{
    g_autoptr(hold) hold = sitting_hold(sitting);
    const GPtrArray *values = sitting->request->values;
    const char *text = values->len > 1 ? g_ptr_array_index(values, 1) : NULL;
    g_autofree char *note = NULL, *id = NULL;
    g_autoptr(GError) error = NULL;
    enum may may;

    if (hold == NULL)
        return FALSE;
    may = sitting_may_read(sitting, hold);
    if (may != MAY)
        return sitting_turn_away(sitting, may, hold, sitting_why_not(sitting, may, hold, FALSE));
    if (!sitting_note(sitting, text, &note))
        return FALSE;
    if (note == NULL)
        return sitting_refuse(sitting, message_make(MSG_DESK_INCOMPLETE, "note", NULL));
    id = hold_short(hold->id);
    if (!store_hold_note(sitting->store, hold, reviewer_name(sitting->reviewer), note, &error))
        return sitting_fail(sitting, id, error);
    return sitting_say(sitting, message_make(MSG_DESK_NOTED, id, NULL));
}

/* ---- release --again, --done */

gboolean desk_release(struct sitting *sitting)
{
    gboolean again = control_request_named(sitting->request, "again") != NULL;
    gboolean done = control_request_named(sitting->request, "done") != NULL;
    const char *who = reviewer_name(sitting->reviewer);
    g_autoptr(hold) hold = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    enum may may;

    if (again == done)
        return sitting_refuse(sitting, message_make(MSG_DESK_AGAIN_OR_DONE, NULL));
    hold = sitting_hold(sitting);
    if (hold == NULL)
        return FALSE;
    may = reviewer_may_settle(sitting->snapshot, sitting->reviewer, hold);
    if (may != MAY)
        return sitting_turn_away(
            sitting, may, hold,
            message_make(may == MAY_NOT_OWN ? MSG_DESK_NOT_OWN : MSG_DESK_NOT_OFFICER, NULL));
    id = hold_short(hold->id);
    if (again ? release_again(sitting->review, hold, who, &error)
              : release_done(sitting->review, hold, who, &error))
        return sitting_say(sitting, message_make(again ? MSG_DESK_AGAIN : MSG_DESK_DONE, id, NULL));
    if (g_error_matches(error, STORE_ERROR, STORE_ERROR_ABSENT))
        return sitting_refuse(sitting, message_make(MSG_DESK_NO_DOUBT, NULL));
    return sitting_fail(sitting, id, error);
}
