/* desk_archive: what was archived, for officers who are cleared for it: list, show, export. */
#include "milter/review/sitting.h"

#include <string.h>

#include "milter/review/limits.h"
#include "milter/store/archive.h"

#define COLUMN 16
#define LIST_COLUMN 10

static enum may may_see(const struct sitting *sitting, const struct archive_copy *copy)
{
    enum may may = reviewer_may_read_label(sitting->snapshot, sitting->reviewer, copy->label);

    return may == MAY && !sitting->clock_is_right ? MAY_NOT_CLEARED : may;
}

/* ---- list */

static void write_copy(const struct sitting *sitting, struct page *page, const struct archive_copy *copy)
{
    g_autofree char *id = hold_short(copy->id);
    g_autofree char *at = sitting_moment(sitting, copy->at_ms);
    g_autofree char *sender = address_in_brackets(copy->sender);
    g_autofree char *number = g_strdup_printf("%u", copy->recipients->len);
    g_autofree char *recipients = sitting_text_with(sitting, MSG_DESK_RECIPIENTS, number);
    g_autofree char *first = g_strdup_printf("%s  %s  %s", at, sitting_label(sitting, copy->display), sender);
    const char *between = sitting_text(sitting, MSG_DESK_SEMICOLON);
    const char *outcome = copy->outcome != NULL ? sitting_word(sitting, copy->outcome) : NULL;
    g_autofree char *second =
        g_strconcat(copy->archive, between, recipients, outcome != NULL ? between : NULL, outcome, NULL);

    page_field(page, 0, LIST_COLUMN, id, first);
    page_field(page, 0, LIST_COLUMN, "", second);
}

static gboolean answer_page(struct sitting *sitting, const GPtrArray *copies, guint above, gboolean cut)
{
    struct page page = page_new();
    g_autofree char *number = g_strdup_printf("%u", above), *most = g_strdup_printf("%d", DESK_COPIES);

    for (guint i = 0; i < copies->len; i++)
        write_copy(sitting, &page, g_ptr_array_index(copies, i));
    if (copies->len == 0)
        page_field(&page, 0, 0, "", sitting_text(sitting, MSG_DESK_NO_COPIES));
    if (above > 0) {
        g_autofree char *line = sitting_text_with(sitting, MSG_DESK_ABOVE_YOU, number);
        page_field(&page, 0, 0, "", line);
    }
    if (cut) {
        g_autofree char *line = sitting_text_with(sitting, MSG_DESK_MORE, most);
        page_field(&page, 0, 0, "", line);
    }
    return sitting_answer_page(sitting, &page);
}

static void write_json(struct json *json, const struct archive_copy *copy)
{
    json_open(json, NULL, '{');
    json_string(json, "id", copy->id);
    json_string(json, "archive", copy->archive);
    sitting_json_moment(json, "at", copy->at_ms);
    sitting_json_moment(json, "keep_until", copy->keep_until_ms);
    json_string(json, "reference", copy->reference);
    json_string(json, "label", copy->display);
    json_number(json, "size", (gint64)copy->size);
    json_string(json, "sender", copy->sender);
    json_string(json, "outcome", copy->outcome);
    json_open(json, "recipients", '[');
    for (guint i = 0; i < copy->recipients->len; i++)
        json_string(json, NULL, g_ptr_array_index(copy->recipients, i));
    json_close(json, ']');
    json_close(json, '}');
}

static gboolean answer_json(struct sitting *sitting, const GPtrArray *copies, guint above, gboolean cut)
{
    struct json json = json_new();

    json_open(&json, NULL, '{');
    json_open(&json, "copies", '[');
    for (guint i = 0; i < copies->len; i++)
        write_json(&json, g_ptr_array_index(copies, i));
    json_close(&json, ']');
    json_number(&json, "above_clearance", above);
    json_boolean(&json, "cut", cut);
    json_close(&json, '}');
    return sitting_answer_json(sitting, &json);
}

static gboolean has_archive(const GPtrArray *archives, const char *name)
{
    for (guint i = 0; i < archives->len; i++)
        if (strcmp(((const struct archive *)g_ptr_array_index(archives, i))->name, name) == 0)
            return TRUE;
    return FALSE;
}

static gboolean list(struct sitting *sitting)
{
    struct archive_filter filter = {.archive = control_request_named(sitting->request, "archive"),
                                    .limit = DESK_COPIES};
    g_autoptr(GPtrArray) copies = NULL, shown = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    if (filter.archive != NULL && !has_archive(sitting->snapshot->conf->archives, filter.archive))
        return sitting_refuse(sitting, message_make(MSG_DESK_NO_ARCHIVE, filter.archive, NULL));
    if (!sitting_time(sitting, "since", FALSE, &filter.since_ms) ||
        !sitting_time(sitting, "until", TRUE, &filter.until_ms))
        return FALSE;
    copies = store_archive_list(sitting->store, sitting->snapshot->schemes, &filter, &error);
    if (copies == NULL)
        return sitting_fail(sitting, "", error);
    if (!sitting_audit(sitting, "view", NULL, "archive list"))
        return FALSE;
    for (guint i = 0; i < copies->len; i++)
        if (may_see(sitting, g_ptr_array_index(copies, i)) == MAY)
            g_ptr_array_add(shown, g_ptr_array_index(copies, i));
    guint above = copies->len - shown->len;
    gboolean cut = copies->len >= DESK_COPIES;
    return sitting->request->json ? answer_json(sitting, shown, above, cut)
                                  : answer_page(sitting, shown, above, cut);
}

/* ---- show, export */

/* The copy that the second value names, for who is cleared for it; NULL and said otherwise. */
static struct archive_copy *find_copy(struct sitting *sitting)
{
    const GPtrArray *values = sitting->request->values;
    const char *name = values->len == 2 ? g_ptr_array_index(values, 1) : "";
    g_autoptr(GError) error = NULL;
    g_autoptr(archive_copy) copy = NULL;
    enum may may;

    if (name[0] == '\0') {
        sitting_refuse(sitting, message_make(MSG_DESK_INCOMPLETE, "archive", NULL));
        return NULL;
    }
    copy = store_archive_find(sitting->store, sitting->snapshot->schemes, name, &error);
    if (copy == NULL) {
        if (g_error_matches(error, STORE_ERROR, STORE_ERROR_ABSENT))
            sitting_refuse(sitting, message_make(MSG_DESK_NO_COPY, name, NULL));
        else
            sitting_fail(sitting, name, error);
        return NULL;
    }
    may = may_see(sitting, copy);
    if (may == MAY)
        return g_steal_pointer(&copy);
    sitting_turn_away(sitting, may, NULL,
                      !sitting->clock_is_right ? message_make(MSG_DESK_CLOCK, NULL)
                      : copy->label == NULL
                          ? message_make(MSG_DESK_NOT_CLEARED_HIGH, NULL)
                          : message_make(MSG_DESK_NOT_CLEARED, sitting_label(sitting, copy->display), NULL));
    return NULL;
}

static void field(const struct sitting *sitting, struct page *page, enum message_id name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        page_field(page, 2, COLUMN, sitting_text(sitting, name), value);
}

static gboolean answer_copy(struct sitting *sitting, const struct archive_copy *copy)
{
    struct page page = page_new();
    g_autofree char *heading = sitting_text_with(sitting, MSG_DESK_COPY, copy->id);
    g_autofree char *at = sitting_moment(sitting, copy->at_ms);
    g_autofree char *until = copy->keep_until_ms != 0 ? sitting_moment(sitting, copy->keep_until_ms) : NULL;
    g_autofree char *sender = address_in_brackets(copy->sender);
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, copy->size);
    g_autofree char *octets = sitting_text_with(sitting, MSG_DESK_OCTETS, size);

    page_heading(&page, heading);
    field(sitting, &page, MSG_DESK_ARCHIVE, copy->archive);
    field(sitting, &page, MSG_DESK_CAME, at);
    field(sitting, &page, MSG_DESK_KEPT_UNTIL, until);
    field(sitting, &page, MSG_DESK_FROM, sender);
    field(sitting, &page, MSG_DESK_LABEL, sitting_label(sitting, copy->display));
    field(sitting, &page, MSG_DESK_SIZE, octets);
    field(sitting, &page, MSG_DESK_REFERENCE, copy->reference);
    field(sitting, &page, MSG_DESK_OUTCOME, sitting_word(sitting, copy->outcome));
    for (guint i = 0; i < copy->recipients->len; i++) {
        g_autofree char *address = address_in_brackets(g_ptr_array_index(copy->recipients, i));
        page_field(&page, 2, COLUMN, i == 0 ? sitting_text(sitting, MSG_DESK_TO) : "", address);
    }
    g_autofree char *id = hold_short(copy->id);
    g_autofree char *next = sitting_text_with(sitting, MSG_DESK_MAY_EXPORT, id);
    page_heading(&page, sitting_text(sitting, MSG_DESK_NEXT));
    page_field(&page, 2, 4, "", next);
    return sitting_answer_page(sitting, &page);
}

static gboolean show(struct sitting *sitting)
{
    g_autoptr(archive_copy) copy = find_copy(sitting);

    if (copy == NULL || !sitting_audit(sitting, "view", copy->id, "archive copy"))
        return FALSE;
    if (!sitting->request->json)
        return answer_copy(sitting, copy);
    struct json json = json_new();
    write_json(&json, copy);
    return sitting_answer_json(sitting, &json);
}

static gboolean export(struct sitting *sitting)
{
    g_autoptr(archive_copy) copy = find_copy(sitting);
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *octets = NULL;
    gsize length = 0;

    if (copy == NULL)
        return FALSE;
    octets = store_archive_contents(sitting->store, copy, &length, &error);
    if (octets == NULL)
        return sitting_fail(sitting, copy->id, error);
    if (!sitting_audit(sitting, "export", copy->id, copy->archive))
        return FALSE;
    g_string_append_len(sitting->answer, (const char *)octets, (gssize)length);
    return TRUE;
}

gboolean desk_archive(struct sitting *sitting)
{
    const GPtrArray *values = sitting->request->values;
    const char *what = values->len > 0 ? g_ptr_array_index(values, 0) : "";

    if (what[0] == '\0')
        return sitting_refuse(sitting, message_make(MSG_DESK_INCOMPLETE, "archive", NULL));
    if (!sitting->reviewer->roles[ROLE_OFFICER])
        return sitting_turn_away(sitting, MAY_NOT_REVIEWER, NULL, message_make(MSG_DESK_NOT_OFFICER, NULL));
    if (strcmp(what, "list") == 0 && values->len == 1)
        return list(sitting);
    if (strcmp(what, "show") == 0)
        return show(sitting);
    if (strcmp(what, "export") == 0)
        return export(sitting);
    return sitting_refuse(sitting, message_make(MSG_DESK_NOT_UNDERSTOOD, what, "archive", NULL));
}
