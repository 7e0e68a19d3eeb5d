/* desk_trace: what happened to a message: journal, holds and releases; never content. */
#include "milter/review/sitting.h"

#include <string.h>

#include "milter/review/limits.h"
#include "milter/store/trace.h"

#define COLUMN 16

static void field(const struct sitting *sitting, struct page *page, enum message_id name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        page_field(page, 2, COLUMN, sitting_text(sitting, name), value);
}

static void write_recipient(const struct sitting *sitting, struct page *page,
                            const struct trace_recipient *recipient, gboolean is_first)
{
    g_autofree char *address = address_in_brackets(recipient->canonical);
    g_autofree char *at = recipient->changed_ms != 0 ? sitting_moment(sitting, recipient->changed_ms) : NULL;
    g_autoptr(GString) line = g_string_new(address);

    g_string_append_printf(line, "%s%s", sitting_text(sitting, MSG_DESK_COLON),
                           sitting_word(sitting, recipient->verdict));
    if (at != NULL)
        g_string_append_printf(line, " %s", at);
    if (recipient->queue_id != NULL)
        g_string_append_printf(line, " (%s)", recipient->queue_id);
    if (recipient->reason != NULL)
        g_string_append_printf(line, "%s%s", sitting_text(sitting, MSG_DESK_COMMA), recipient->reason);
    page_field(page, 2, COLUMN, is_first ? sitting_text(sitting, MSG_DESK_TO) : "", line->str);
}

static gboolean has_verdict(const struct trace_line *line, const char *verdict)
{
    for (guint i = 0; i < line->recipients->len; i++) {
        const struct trace_recipient *recipient = g_ptr_array_index(line->recipients, i);
        if (strcmp(recipient->verdict, verdict) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Nobody got it but a folder for the officers: refused for all of them, and not by a reviewer. */
static gboolean is_kept_copy(const struct trace_line *line)
{
    for (guint i = 0; i < line->recipients->len; i++) {
        const struct trace_recipient *recipient = g_ptr_array_index(line->recipients, i);
        if (strcmp(recipient->verdict, "refuse") != 0)
            return FALSE;
    }
    return strcmp(line->act, "discard") == 0;
}

/* The act, in words of people. "discard" is Postfix's word for what goes no further from here: it was held,
 * kept, or taken care of before. */
static const char *act_text(const struct sitting *sitting, const struct trace_line *line)
{
    if (strcmp(line->act, "discard") != 0)
        return sitting_word(sitting, line->act);
    if (is_kept_copy(line))
        return sitting_text(sitting, MSG_DESK_KEPT);
    if (line->hold != NULL || has_verdict(line, "hold"))
        return sitting_text(sitting, MSG_DESK_STATE_HELD);
    return sitting_word(sitting, "settled");
}

static void write_line(const struct sitting *sitting, struct page *page, const struct trace_line *line)
{
    g_autofree char *at = sitting_moment(sitting, line->at_ms);
    g_autofree char *heading = g_strdup_printf("%s  %s", at, line->reference != NULL ? line->reference : "");
    g_autofree char *sender = address_in_brackets(line->sender);
    g_autofree char *from =
        g_strdup_printf("%s (%s)", sender, line->class != NULL ? sitting_word(sitting, line->class) : "-");
    g_autofree char *number = g_strdup_printf("%u", line->count);
    g_autofree char *times = sitting_text_with(sitting, MSG_DESK_TIMES, number);

    if (page->text->len > 0)
        page_blank(page);
    page_field(page, 0, 0, "", heading);
    field(sitting, page, MSG_DESK_FROM, from);
    field(sitting, page, MSG_DESK_ZONE, line->zone);
    field(sitting, page, MSG_DESK_MESSAGE_ID, line->message_id);
    field(sitting, page, MSG_DESK_QUEUE_ID, line->queue_id);
    field(sitting, page, MSG_DESK_LABEL, line->label);
    field(sitting, page, MSG_DESK_ACT, act_text(sitting, line));
    if (line->count > 1)
        field(sitting, page, MSG_DESK_CAME, times);
    field(sitting, page, is_kept_copy(line) ? MSG_DESK_KEPT_AS : MSG_DESK_HELD_AS, line->hold);
    for (guint i = 0; i < line->recipients->len; i++)
        write_recipient(sitting, page, g_ptr_array_index(line->recipients, i), i == 0);
}

static void write_line_json(struct json *json, const struct trace_line *line)
{
    json_open(json, NULL, '{');
    sitting_json_moment(json, "at", line->at_ms);
    json_string(json, "reference", line->reference);
    json_string(json, "queue_id", line->queue_id);
    json_string(json, "message_id", line->message_id);
    json_string(json, "sender", line->sender);
    json_string(json, "class", line->class);
    json_string(json, "zone", line->zone);
    json_string(json, "label", line->label);
    json_string(json, "act", line->act);
    json_string(json, "hold", line->hold);
    json_number(json, "count", line->count);
    json_open(json, "recipients", '[');
    for (guint i = 0; i < line->recipients->len; i++) {
        const struct trace_recipient *recipient = g_ptr_array_index(line->recipients, i);
        json_open(json, NULL, '{');
        json_string(json, "address", recipient->canonical);
        json_string(json, "verdict", recipient->verdict);
        json_string(json, "reason", recipient->reason);
        json_string(json, "queue_id", recipient->queue_id);
        sitting_json_moment(json, "changed", recipient->changed_ms);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

static gboolean answer_json(struct sitting *sitting, const GPtrArray *lines)
{
    struct json json = json_new();

    json_open(&json, NULL, '{');
    json_open(&json, "messages", '[');
    for (guint i = 0; i < lines->len; i++)
        write_line_json(&json, g_ptr_array_index(lines, i));
    json_close(&json, ']');
    json_close(&json, '}');
    return sitting_answer_json(sitting, &json);
}

static gboolean answer_page(struct sitting *sitting, const GPtrArray *lines)
{
    struct page page = page_new();

    for (guint i = 0; i < lines->len; i++)
        write_line(sitting, &page, g_ptr_array_index(lines, i));
    if (lines->len >= DESK_TRACE_LINES) {
        g_autofree char *number = g_strdup_printf("%d", DESK_TRACE_LINES);
        g_autofree char *cut = sitting_text_with(sitting, MSG_DESK_TRACE_CUT, number);
        page_blank(&page);
        page_field(&page, 0, 0, "", cut);
    }
    return sitting_answer_page(sitting, &page);
}

gboolean desk_trace(struct sitting *sitting)
{
    const GPtrArray *values = sitting->request->values;
    const char *what = values->len == 1 ? g_ptr_array_index(values, 0) : "";
    g_autoptr(GPtrArray) lines = NULL;
    g_autoptr(GError) error = NULL;

    if (what[0] == '\0')
        return sitting_refuse(sitting, message_make(MSG_DESK_INCOMPLETE, "trace", NULL));
    if (!sitting_is_watcher(sitting))
        return sitting_turn_away(sitting, MAY_NOT_REVIEWER, NULL, message_make(MSG_DESK_NOT_TRACER, NULL));
    lines = store_trace(sitting->store, what, DESK_TRACE_LINES, &error);
    if (lines == NULL && !g_error_matches(error, STORE_ERROR, STORE_ERROR_ABSENT))
        return sitting_fail(sitting, what, error);
    if (!sitting_audit(sitting, "view", what, "trace"))
        return FALSE;
    if (lines == NULL || lines->len == 0)
        return sitting_refuse(sitting, message_make(MSG_DESK_NO_TRACE, what, NULL));
    return sitting->request->json ? answer_json(sitting, lines) : answer_page(sitting, lines);
}
