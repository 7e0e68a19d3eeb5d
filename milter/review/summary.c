#include "milter/review/summary.h"

#include <string.h>

#include "milter/review/limits.h"

#define COLUMN 16

static const char *text_of(const struct summary *summary, enum message_id id)
{
    return sitting_text(summary->sitting, id);
}

static void field(const struct summary *summary, struct page *page, enum message_id name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        page_field(page, 2, COLUMN, text_of(summary, name), value);
}

/* Another value of the same name. */
static void more(struct page *page, const char *value)
{
    page_field(page, 2, COLUMN, "", value);
}

/* ---- what it is */

gboolean hold_label_is_unknown(const struct hold *hold)
{
    return (hold->label == NULL || hold->label->labels->len == 0) &&
           (hold->label_text == NULL || hold->label_text[0] == '\0');
}

static gboolean leaves_label_open(const struct reason *reason)
{
    return reason->answer == CHECK_UNKNOWN_PERSISTENT &&
           (reason->check == CHECK_LABEL_STATE || reason->check == CHECK_INSPECTION ||
            reason->check == CHECK_ATTACHMENT);
}

gboolean hold_label_is_doubtful(const struct hold *hold)
{
    if (hold->label == NULL || hold_label_is_unknown(hold))
        return TRUE;
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);

        for (guint j = 0; recipient->reasons != NULL && j < recipient->reasons->len; j++)
            if (leaves_label_open(g_ptr_array_index(recipient->reasons, j)))
                return TRUE;
    }
    return FALSE;
}

static void write_label(const struct summary *summary, struct page *page)
{
    const struct hold *hold = summary->hold;
    g_autofree char *known = sitting_text_with(summary->sitting, MSG_DESK_KNOWN_SO_FAR, hold->display);

    field(summary, page, MSG_DESK_LABEL,
          hold_label_is_doubtful(hold) && !hold_label_is_unknown(hold)
              ? known
              : sitting_label(summary->sitting, hold->display));
}

static void write_numbers(const struct summary *summary, struct page *page)
{
    const struct hold *hold = summary->hold;
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, hold->size);
    g_autofree char *octets = sitting_text_with(summary->sitting, MSG_DESK_OCTETS, size);

    field(summary, page, MSG_DESK_SIZE, octets);
    field(summary, page, MSG_DESK_REFERENCE, hold->reference);
    field(summary, page, MSG_DESK_QUEUE_ID, hold->queue_id);
    if (hold->seen_again == 0)
        return;
    g_autofree char *number = g_strdup_printf("%u", hold->seen_again);
    g_autofree char *times = sitting_text_with(summary->sitting, MSG_DESK_TIMES, number);
    field(summary, page, MSG_DESK_SEEN_AGAIN, times);
}

static void write_origin(const struct summary *summary, struct page *page)
{
    const struct hold *hold = summary->hold;
    g_autofree char *at = sitting_moment(summary->sitting, hold->at_ms);
    g_autofree char *sender = address_in_brackets(hold->sender);

    field(summary, page, MSG_DESK_CAME, at);
    field(summary, page, MSG_DESK_FROM, sender);
    field(summary, page, MSG_DESK_LOGIN, hold->login);
    field(summary, page, MSG_DESK_ZONE, hold->zone);
    write_label(summary, page);
    write_numbers(summary, page);
}

static void write_slip(const struct summary *summary, struct page *page)
{
    const struct hold *hold = summary->hold;
    const struct sitting *sitting = summary->sitting;

    if (hold->kind == KIND_REFUSED) {
        field(summary, page, MSG_DESK_STATE, text_of(summary, MSG_DESK_KEPT));
        return;
    }
    field(summary, page, MSG_DESK_STATE, sitting_state(sitting, hold->state));
    field(summary, page, MSG_DESK_QUEUE, hold->slip.queue);
    if (hold->state == HOLD_HELD && !hold->slip.approved) {
        g_autofree char *deadline = sitting_moment(sitting, hold->slip.deadline_ms);
        field(summary, page, MSG_DESK_DEADLINE, deadline);
    }
    if (hold->state == HOLD_HELD && hold->slip.approved)
        more(page, text_of(summary, MSG_DESK_APPROVED_WAITS));
    if (hold->slip.trouble == NULL)
        return;
    g_autofree char *trouble = sitting_trouble(sitting, hold->slip.trouble);
    field(summary, page, MSG_DESK_TROUBLE, trouble);
    if (hold->slip.next_try_ms != 0) {
        g_autofree char *next_try = sitting_moment(sitting, hold->slip.next_try_ms);
        field(summary, page, MSG_DESK_NEXT_TRY, next_try);
    }
}

/* ---- content, for who is cleared */

static char *field_value(const struct facts *facts, const char *name)
{
    guint at = 0;
    const struct fact_field *found = facts_field(facts, name, &at);

    return found != NULL ? g_strndup(found->decoded.data, found->decoded.length) : NULL;
}

static void write_parts(const struct summary *summary, struct page *page)
{
    const struct facts *facts = summary->facts;
    guint named = 0, left = 0;

    for (guint i = 0; i < facts->part_count; i++) {
        const struct fact_part *part = &facts->parts[i];
        g_autofree char *number = g_strdup_printf("%u", part->number);
        g_autofree char *name = sitting_text_with(summary->sitting, MSG_DESK_PART, number);

        if (part->role == PART_CONTAINER)
            continue;
        if (named++ >= DESK_PARTS) {
            left++;
            continue;
        }
        g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, part->size_bytes);
        g_autofree char *octets = sitting_text_with(summary->sitting, MSG_DESK_OCTETS, size);
        g_autofree char *value = g_strdup_printf("%s%s%s, %s", part->name.data,
                                                 part->name.length > 0 ? ", " : "", part->type.data, octets);
        page_field(page, 2, COLUMN, name, value);
    }
    if (left > 0) {
        g_autofree char *number = g_strdup_printf("%u", left);
        g_autofree char *line = sitting_text_with(summary->sitting, MSG_DESK_PARTS_MORE, number);
        more(page, line);
    }
}

static void write_content(const struct summary *summary, struct page *page)
{
    static const struct {
        enum message_id name;
        const char *field;
    } fields[] = {{MSG_DESK_SUBJECT, "Subject"},
                  {MSG_DESK_AUTHOR, "From"},
                  {MSG_DESK_ADDRESSED, "To"},
                  {MSG_DESK_COPIES, "Cc"},
                  {MSG_DESK_DATE, "Date"}};

    page_heading(page, text_of(summary, MSG_DESK_CONTENT));
    if (summary->may_read != MAY) {
        struct message why = sitting_why_not(summary->sitting, summary->may_read, summary->hold, FALSE);
        g_autofree char *text = message_format(&why, summary->sitting->language);
        page_field(page, 2, 2, "", text);
        message_clear(&why);
        return;
    }
    if (summary->facts == NULL) {
        page_field(page, 2, 2, "", text_of(summary, MSG_DESK_NOT_INSPECTED));
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *value = field_value(summary->facts, fields[i].field);
        field(summary, page, fields[i].name, value);
    }
    write_parts(summary, page);
}

/* ---- recipients and reasons */

static char *reason_line(const struct summary *summary, const struct reason *reason)
{
    if (summary->may_read != MAY)
        return g_strdup(reason_name(reason->id));
    return sitting_reason(summary->sitting, reason);
}

static char *recipient_line(const struct summary *summary, const struct hold_recipient *recipient)
{
    g_autofree char *address = address_in_brackets(recipient->canonical);
    GString *line = g_string_new(address);

    if (recipient->state == HOLD_HELD)
        return g_string_free(line, FALSE);
    g_autofree char *at = sitting_moment(summary->sitting, recipient->changed_ms);
    g_string_append_printf(line, "%s%s %s", text_of(summary, MSG_DESK_COLON),
                           sitting_hold_state(summary->sitting, summary->hold, recipient->state), at);
    if (recipient->queue_id != NULL)
        g_string_append_printf(line, " (%s)", recipient->queue_id);
    if (recipient->via_later)
        g_string_append_printf(line, "%s%s", text_of(summary, MSG_DESK_COMMA),
                               text_of(summary, MSG_DESK_LATER_ATTEMPT));
    return g_string_free(line, FALSE);
}

static void write_recipients(const struct summary *summary, struct page *page)
{
    for (guint i = 0; i < summary->hold->recipients->len; i++) {
        g_autofree char *line = recipient_line(summary, g_ptr_array_index(summary->hold->recipients, i));

        page_field(page, 2, COLUMN, i == 0 ? text_of(summary, MSG_DESK_TO) : "", line);
    }
}

/* Each reason once, whomever it concerns. */
static void write_reasons(const struct summary *summary, struct page *page)
{
    g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < summary->hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(summary->hold->recipients, i);

        for (guint j = 0; recipient->reasons != NULL && j < recipient->reasons->len; j++) {
            char *line = reason_line(summary, g_ptr_array_index(recipient->reasons, j));
            gboolean first = g_hash_table_size(said) == 0;

            if (g_hash_table_add(said, line))
                page_field(page, 2, COLUMN, first ? text_of(summary, MSG_DESK_REASONS) : "", line);
        }
    }
}

/* The check that gave a reason, and what it said. */
static char *check_line(const struct summary *summary, const struct reason *reason)
{
    static const enum message_id lines[] = {
        [CHECK_PERMIT] = MSG_DESK_CHECK_YES,
        [CHECK_DENY] = MSG_DESK_CHECK_NO,
        [CHECK_UNKNOWN_TRANSIENT] = MSG_DESK_CHECK_UNKNOWN,
        [CHECK_UNKNOWN_PERSISTENT] = MSG_DESK_CHECK_UNKNOWN,
    };

    return sitting_text_with(summary->sitting, lines[reason->answer],
                             check_title(reason->check, summary->sitting->language));
}

/* Every reason of every recipient, with the check that gave it. */
static void write_all_reasons(const struct summary *summary, struct page *page)
{
    for (guint i = 0; i < summary->hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(summary->hold->recipients, i);
        g_autofree char *line = recipient_line(summary, recipient);
        g_autofree char *whom = sitting_text_with(summary->sitting, MSG_DESK_FOR, line);

        page_field(page, 2, 2, "", whom);
        for (guint j = 0; recipient->reasons != NULL && j < recipient->reasons->len; j++) {
            const struct reason *reason = g_ptr_array_index(recipient->reasons, j);
            g_autofree char *why = reason_line(summary, reason);
            g_autofree char *check = check_line(summary, reason);

            page_field(page, 4, 6, "", why);
            page_field(page, 6, 8, "", check);
        }
    }
}

/* ---- votes, and what may be done next */

static const char *vote_text(const struct summary *summary, const char *what)
{
    static const struct {
        const char *what;
        enum message_id id;
    } votes[] = {{"approve", MSG_DESK_VOTE_APPROVE},
                 {"refuse", MSG_DESK_VOTE_REFUSE},
                 {"note", MSG_DESK_VOTE_NOTE},
                 {"again", MSG_DESK_VOTE_AGAIN},
                 {"done", MSG_DESK_VOTE_DONE}};

    for (guint i = 0; i < G_N_ELEMENTS(votes); i++)
        if (strcmp(votes[i].what, what) == 0)
            return text_of(summary, votes[i].id);
    return what;
}

static void write_votes(const struct summary *summary, struct page *page)
{
    const GPtrArray *votes = summary->hold->votes;

    if (votes == NULL || votes->len == 0)
        return;
    page_heading(page, text_of(summary, MSG_DESK_VOTES));
    for (guint i = 0; i < votes->len; i++) {
        const struct hold_vote *vote = g_ptr_array_index(votes, i);
        g_autofree char *at = sitting_moment(summary->sitting, vote->at_ms);
        g_autofree char *line =
            g_strdup_printf("%s  %s  %s %s", at, vote->person, vote_text(summary, vote->what),
                            vote->label != NULL ? vote->label : "");

        page_field(page, 2, 4, "", line);
        /* who is not cleared does not read what those who are wrote about it */
        if (vote->note != NULL && summary->may_read == MAY)
            page_field(page, 4, 6, "", vote->note);
    }
}

/* A line of what may be done next, behind its heading. Takes the message over. */
static void next(const struct summary *summary, struct page *page, gboolean *is_headed,
                 struct message message)
{
    g_autofree char *line = message_format(&message, summary->sitting->language);

    if (!*is_headed)
        page_heading(page, text_of(summary, MSG_DESK_NEXT));
    *is_headed = TRUE;
    page_field(page, 2, 4, "", line);
    message_clear(&message);
}

/* What may be done with one that is approved, and has not gone. */
static void write_next_of_release(const struct summary *summary, struct page *page, gboolean *is_headed,
                                  const char *id)
{
    const struct sitting *sitting = summary->sitting;
    const struct hold *hold = summary->hold;
    gboolean may_settle = reviewer_may_settle(sitting->snapshot, sitting->reviewer, hold) == MAY;
    gboolean is_stuck = hold->state == HOLD_HELD && hold->slip.trouble != NULL;

    if (is_stuck && sitting_may_vote(sitting, hold) == MAY)
        next(summary, page, is_headed, message_make(MSG_DESK_MAY_END, id, NULL));
    if (is_stuck && may_settle)
        next(summary, page, is_headed, message_make(MSG_DESK_MAY_TRY, id, NULL));
    if (hold->state == HOLD_RELEASING && may_settle)
        next(summary, page, is_headed, message_make(MSG_DESK_MAY_SETTLE, id, NULL));
}

static void write_next(const struct summary *summary, struct page *page)
{
    const struct sitting *sitting = summary->sitting;
    const struct hold *hold = summary->hold;
    enum may may = sitting_may_vote(sitting, hold);
    g_autofree char *id = hold_short(hold->id);
    gboolean is_headed = FALSE, is_open = hold->state == HOLD_HELD && !hold->slip.approved;

    if (summary->may_read == MAY)
        next(summary, page, &is_headed, message_make(MSG_DESK_MAY_READ, id, NULL));
    if (is_open && may == MAY)
        next(summary, page, &is_headed,
             message_make(hold_label_is_unknown(hold) ? MSG_DESK_MAY_VOTE_AS : MSG_DESK_MAY_VOTE, id, NULL));
    else if (is_open && summary->may_read == MAY) /* who may not read was told why */
        next(summary, page, &is_headed, sitting_why_not(sitting, may, hold, TRUE));
    write_next_of_release(summary, page, &is_headed, id);
}

gboolean summary_page(const struct summary *summary, gboolean reasons_only)
{
    struct page page = page_new();
    enum message_id what = summary->hold->kind == KIND_REFUSED ? MSG_DESK_KEPT_COPY_OF : MSG_DESK_HOLD;
    g_autofree char *heading = sitting_text_with(summary->sitting, what, summary->hold->id);

    page_heading(&page, heading);
    if (reasons_only) {
        write_all_reasons(summary, &page);
        return sitting_answer_page(summary->sitting, &page);
    }
    write_slip(summary, &page);
    write_origin(summary, &page);
    write_recipients(summary, &page);
    write_reasons(summary, &page);
    write_content(summary, &page);
    write_votes(summary, &page);
    write_next(summary, &page);
    return sitting_answer_page(summary->sitting, &page);
}
