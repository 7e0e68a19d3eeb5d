/* summary_json: one hold as one JSON object. Ids are those of the tables and never change. */
#include "milter/review/summary.h"

static void write_slip(struct json *json, const struct hold *hold)
{
    json_open(json, "slip", '{');
    json_string(json, "queue", hold->slip.queue);
    json_boolean(json, "approved", hold->slip.approved);
    json_boolean(json, "failing", hold->slip.failing);
    json_string(json, "trouble", hold->slip.trouble);
    sitting_json_moment(json, "deadline", hold->slip.deadline_ms);
    sitting_json_moment(json, "next_try", hold->slip.next_try_ms);
    json_close(json, '}');
}

static void write_reasons(const struct summary *summary, struct json *json, const GPtrArray *reasons)
{
    json_open(json, "reasons", '[');
    for (guint i = 0; reasons != NULL && i < reasons->len; i++) {
        const struct reason *reason = g_ptr_array_index(reasons, i);
        g_autofree char *text =
            summary->may_read == MAY ? reason_text(reason, summary->sitting->language) : NULL;

        json_open(json, NULL, '{');
        json_string(json, "id", reason_name(reason->id));
        json_string(json, "check", check_name(reason->check));
        json_string(json, "text", text);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_recipients(const struct summary *summary, struct json *json)
{
    json_open(json, "recipients", '[');
    for (guint i = 0; i < summary->hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(summary->hold->recipients, i);

        json_open(json, NULL, '{');
        json_string(json, "address", recipient->canonical);
        json_string(json, "state", hold_state_name(recipient->state));
        sitting_json_moment(json, "changed", recipient->changed_ms);
        json_string(json, "queue_id", recipient->queue_id);
        json_boolean(json, "later_attempt", recipient->via_later);
        json_string(json, "leading", recipient->leading);
        write_reasons(summary, json, recipient->reasons);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_votes(const struct summary *summary, struct json *json)
{
    const GPtrArray *votes = summary->hold->votes;

    json_open(json, "votes", '[');
    for (guint i = 0; votes != NULL && i < votes->len; i++) {
        const struct hold_vote *vote = g_ptr_array_index(votes, i);

        json_open(json, NULL, '{');
        sitting_json_moment(json, "at", vote->at_ms);
        json_string(json, "person", vote->person);
        json_string(json, "what", vote->what);
        json_string(json, "label", vote->label);
        json_string(json, "note", summary->may_read == MAY ? vote->note : NULL);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_content(const struct summary *summary, struct json *json)
{
    static const char *const fields[][2] = {
        {"subject", "Subject"}, {"from", "From"}, {"to", "To"}, {"cc", "Cc"}, {"date", "Date"}};

    if (summary->facts == NULL) {
        json_string(json, "content", NULL);
        return;
    }
    json_open(json, "content", '{');
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        guint at = 0;
        const struct fact_field *field = facts_field(summary->facts, fields[i][1], &at);
        json_string(json, fields[i][0], field != NULL ? field->decoded.data : NULL);
    }
    json_open(json, "parts", '[');
    for (guint i = 0; i < summary->facts->part_count; i++) {
        const struct fact_part *part = &summary->facts->parts[i];
        json_open(json, NULL, '{');
        json_number(json, "number", part->number);
        json_string(json, "type", part->type.data);
        json_string(json, "name", part->name.data);
        json_number(json, "size", (gint64)part->size_bytes);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

gboolean summary_json(const struct summary *summary)
{
    const struct hold *hold = summary->hold;
    const struct sitting *sitting = summary->sitting;
    struct json json = json_new();

    json_open(&json, NULL, '{');
    json_string(&json, "id", hold->id);
    json_string(&json, "kind", hold->kind == KIND_HOLD ? "hold" : "refused");
    json_string(&json, "state", hold_state_name(hold->state));
    sitting_json_moment(&json, "at", hold->at_ms);
    json_string(&json, "reference", hold->reference);
    json_string(&json, "queue_id", hold->queue_id);
    json_string(&json, "sender", hold->sender);
    json_string(&json, "class", sender_class_name(hold->class));
    json_string(&json, "login", hold->login);
    json_string(&json, "zone", hold->zone);
    json_string(&json, "label", hold->display);
    json_boolean(&json, "label_known", !hold_label_is_doubtful(hold));
    json_number(&json, "size", (gint64)hold->size);
    json_number(&json, "seen_again", hold->seen_again);
    json_number(&json, "generation", hold->generation);
    json_string(&json, "snapshot", hold->snapshot_hash);
    if (hold->kind == KIND_HOLD)
        write_slip(&json, hold);
    write_recipients(summary, &json);
    write_votes(summary, &json);
    json_boolean(&json, "may_read", summary->may_read == MAY);
    json_boolean(&json, "may_vote", sitting_may_vote(sitting, hold) == MAY);
    write_content(summary, &json);
    json_close(&json, '}');
    return sitting_answer_json(summary->sitting, &json);
}
