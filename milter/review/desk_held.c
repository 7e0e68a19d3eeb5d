/* desk_held: what is held, those of one sender side by side. */
#include "milter/review/summary.h"

#include <string.h>

#define COLUMN 10

/* Holds in the order in which they are shown: by sender, senders by their first hold (semantics.md 7.4:
 * neighbours stand side by side, and are not merged). New array; borrowed holds. */
static GPtrArray *by_sender(const GPtrArray *holds)
{
    g_autoptr(GHashTable) groups = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    GPtrArray *out = g_ptr_array_sized_new(holds->len);

    for (guint i = 0; i < holds->len; i++) {
        struct hold *hold = g_ptr_array_index(holds, i);
        GPtrArray *group = g_hash_table_lookup(groups, hold->sender);

        if (group == NULL) {
            group = g_ptr_array_new();
            g_hash_table_insert(groups, hold->sender, group);
            g_ptr_array_add(order, group);
        }
        g_ptr_array_add(group, hold);
    }
    for (guint i = 0; i < order->len; i++) {
        const GPtrArray *group = g_ptr_array_index(order, i);

        for (guint j = 0; j < group->len; j++)
            g_ptr_array_add(out, g_ptr_array_index(group, j));
    }
    return out;
}

/* Those whose existence the asker may know. */
static GPtrArray *listed(struct sitting *sitting, GPtrArray *holds)
{
    GPtrArray *out = g_ptr_array_new();

    for (guint i = 0; i < holds->len; i++)
        if (reviewer_may_list(sitting->snapshot, sitting->reviewer, g_ptr_array_index(holds, i)) == MAY)
            g_ptr_array_add(out, g_ptr_array_index(holds, i));
    return out;
}

/* The reason that leads most; NULL: none was recorded. */
static const struct reason *leading_reason(const struct hold *hold, const char **name)
{
    *name = "-";
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);

        if (recipient->leading == NULL)
            continue;
        *name = recipient->leading;
        for (guint j = 0; recipient->reasons != NULL && j < recipient->reasons->len; j++) {
            const struct reason *reason = g_ptr_array_index(recipient->reasons, j);
            if (strcmp(reason_name(reason->id), recipient->leading) == 0)
                return reason;
        }
        return NULL;
    }
    return NULL;
}

/* "label-conflict: The message carries …" for who may read it, else the id alone. */
static char *reason_line(const struct sitting *sitting, const struct hold *hold)
{
    const char *name;
    const struct reason *reason = leading_reason(hold, &name);

    if (reason == NULL || sitting_may_read(sitting, hold) != MAY)
        return g_strdup(name);
    return sitting_reason(sitting, reason);
}

/* "24 h left": in the largest unit of which there are two; what is begun of a minute counts as one. */
static char *time_left(const struct sitting *sitting, gint64 deadline_ms)
{
    gint64 minutes = (deadline_ms - sitting->now_ms + 59999) / 60000;
    enum message_id id = minutes >= 2880 ? MSG_DESK_DAYS : minutes >= 120 ? MSG_DESK_HOURS : MSG_DESK_MINUTES;
    gint64 count = minutes >= 2880 ? minutes / 1440 : minutes >= 120 ? minutes / 60 : minutes;
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, count);

    if (deadline_ms <= sitting->now_ms)
        return g_strdup(sitting_text(sitting, MSG_DESK_OVERDUE));
    return sitting_text_with(sitting, id, number);
}

static char *state_line(const struct sitting *sitting, const struct hold *hold)
{
    g_autofree char *left = NULL;

    if (hold->kind == KIND_REFUSED)
        return g_strdup(sitting_text(sitting, MSG_DESK_KEPT));
    if (hold->state != HOLD_HELD)
        return g_strdup(sitting_state(sitting, hold->state));
    left = hold->slip.approved ? g_strdup(sitting_text(sitting, MSG_DESK_APPROVED_WAITS))
                               : time_left(sitting, hold->slip.deadline_ms);
    g_autofree char *line =
        g_strconcat(sitting_state(sitting, hold->state), sitting_text(sitting, MSG_DESK_COMMA), left, NULL);
    if (hold->slip.trouble == NULL)
        return g_steal_pointer(&line);
    g_autofree char *trouble = sitting_trouble(sitting, hold->slip.trouble);
    return g_strconcat(line, sitting_text(sitting, MSG_DESK_COLON), trouble, NULL);
}

static void write_hold(const struct sitting *sitting, struct page *page, const struct hold *hold)
{
    g_autofree char *id = hold_short(hold->id);
    g_autofree char *at = sitting_moment(sitting, hold->at_ms);
    g_autofree char *sender = address_in_brackets(hold->sender);
    const char *doubt = hold->label == NULL && !hold_label_is_unknown(hold) ? "?" : "";
    g_autofree char *first =
        g_strdup_printf("%s  %s%s  %s", at, sitting_label(sitting, hold->display), doubt, sender);
    g_autofree char *number = g_strdup_printf("%u", hold->recipients->len);
    g_autofree char *recipients = sitting_text_with(sitting, MSG_DESK_RECIPIENTS, number);
    g_autofree char *state = state_line(sitting, hold);
    const char *between = sitting_text(sitting, MSG_DESK_SEMICOLON);
    g_autofree char *second = hold->slip.queue != NULL
                                  ? g_strconcat(hold->slip.queue, between, recipients, between, state, NULL)
                                  : g_strconcat(recipients, between, state, NULL);
    g_autofree char *why = reason_line(sitting, hold);

    page_field(page, 0, COLUMN, id, first);
    page_field(page, 0, COLUMN, "", second);
    page_field(page, 0, COLUMN, "", why);
}

static gboolean answer_page(struct sitting *sitting, const GPtrArray *holds)
{
    struct page page = page_new();
    g_autofree char *number = g_strdup_printf("%u", holds->len);
    g_autofree char *count = sitting_text_with(sitting, MSG_DESK_COUNT, number);

    for (guint i = 0; i < holds->len; i++) {
        const struct hold *hold = g_ptr_array_index(holds, i);
        const struct hold *before = i > 0 ? g_ptr_array_index(holds, i - 1) : NULL;

        if (before != NULL && strcmp(before->sender, hold->sender) != 0)
            page_blank(&page);
        write_hold(sitting, &page, hold);
    }
    if (holds->len > 0)
        page_blank(&page);
    page_field(&page, 0, 0, "", holds->len > 0 ? count : sitting_text(sitting, MSG_DESK_NO_HOLDS));
    return sitting_answer_page(sitting, &page);
}

static gboolean answer_json(struct sitting *sitting, const GPtrArray *holds)
{
    struct json json = json_new();

    json_open(&json, NULL, '{');
    json_open(&json, "holds", '[');
    for (guint i = 0; i < holds->len; i++) {
        const struct hold *hold = g_ptr_array_index(holds, i);
        const char *name;

        leading_reason(hold, &name);
        json_open(&json, NULL, '{');
        json_string(&json, "id", hold->id);
        json_string(&json, "kind", hold->kind == KIND_HOLD ? "hold" : "refused");
        json_string(&json, "state", hold_state_name(hold->state));
        sitting_json_moment(&json, "at", hold->at_ms);
        json_string(&json, "reference", hold->reference);
        json_string(&json, "sender", hold->sender);
        json_string(&json, "label", hold->display);
        json_number(&json, "recipients", hold->recipients->len);
        json_string(&json, "queue", hold->slip.queue);
        json_string(&json, "reason", name);
        sitting_json_moment(&json, "deadline", hold->kind == KIND_HOLD ? hold->slip.deadline_ms : 0);
        json_boolean(&json, "approved", hold->slip.approved);
        json_string(&json, "trouble", hold->slip.trouble);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    return sitting_answer_json(sitting, &json);
}

gboolean desk_held(struct sitting *sitting)
{
    const struct control_request *request = sitting->request;
    struct hold_filter filter = {.closed = control_request_named(request, "all") != NULL,
                                 .queue = control_request_named(request, "queue")};
    g_autoptr(GPtrArray) holds = NULL, mine = NULL, ordered = NULL;
    g_autoptr(GError) error = NULL;

    if (request->values->len > 0)
        return sitting_refuse(sitting,
                              message_make(MSG_DESK_NOT_UNDERSTOOD,
                                           (char *)g_ptr_array_index(request->values, 0), "held", NULL));
    if (filter.queue != NULL && queues_find(sitting->snapshot->conf->queues, filter.queue) == NULL)
        return sitting_refuse(sitting, message_make(MSG_DESK_NO_QUEUE, filter.queue, NULL));
    if (!sitting_is_watcher(sitting) && sitting->reviewer->queues->len == 0)
        return sitting_turn_away(sitting, MAY_NOT_REVIEWER, NULL, message_make(MSG_DESK_NOT_LISTER, NULL));
    if (!sitting_time(sitting, "since", FALSE, &filter.since_ms))
        return FALSE;
    holds = store_holds(sitting->store, sitting->snapshot->schemes, &filter, &error);
    if (holds == NULL)
        return sitting_fail(sitting, "", error);
    if (!sitting_audit(sitting, "view", NULL, "held"))
        return FALSE;
    mine = listed(sitting, holds);
    ordered = by_sender(mine);
    return request->json ? answer_json(sitting, ordered) : answer_page(sitting, ordered);
}
