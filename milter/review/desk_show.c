/* desk_show: one hold: its summary for who may know of it, its reasons, and its content for who is cleared.
 */
#include "milter/review/sitting.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/review/limits.h"
#include "milter/review/summary.h"

/* ---- content */

enum view { VIEW_SUMMARY, VIEW_REASONS, VIEW_HEADERS, VIEW_TEXT, VIEW_RAW, VIEW_COUNT };
static const char *const view_names[] = {
    [VIEW_SUMMARY] = "summary", [VIEW_REASONS] = "reasons", [VIEW_HEADERS] = "headers",
    [VIEW_TEXT] = "text",       [VIEW_RAW] = "raw",
};

static gboolean find_view(struct sitting *sitting, enum view *view)
{
    const char *name = control_request_named(sitting->request, "view");

    for (guint i = 0; i < VIEW_COUNT; i++)
        if (name == NULL || strcmp(name, view_names[i]) == 0) {
            *view = (enum view)i;
            return TRUE;
        }
    return sitting_refuse(sitting, message_make(MSG_DESK_NOT_UNDERSTOOD, name, "show", NULL));
}

/* The octets of the header block, with the empty line left out; all when there is none. */
static gsize header_length(const char *octets, gsize length)
{
    for (gsize at = 0; at < length;) {
        const char *end = memchr(octets + at, '\n', length - at);
        gsize line = end != NULL ? (gsize)(end - octets) - at : length - at;

        if (line == 0 || (line == 1 && octets[at] == '\r'))
            return at;
        at += line + 1;
    }
    return length;
}

/* The octets as text for a terminal; what is too long is said to be cut. */
static gboolean answer_text(struct sitting *sitting, const struct hold *hold, const char *octets,
                            gsize length)
{
    gsize shown = MIN(length, DESK_TEXT_BYTES);
    struct page page = page_new();

    page_text(&page, octets, shown);
    if (sitting->request->json) {
        g_autofree char *text = page_finish(&page);
        struct json json = json_new();
        json_open(&json, NULL, '{');
        json_string(&json, "id", hold->id);
        json_string(&json, "text", text);
        json_boolean(&json, "cut", shown < length);
        json_close(&json, '}');
        return sitting_answer_json(sitting, &json);
    }
    if (shown < length) {
        g_autofree char *id = hold_short(hold->id);
        g_autofree char *cut = sitting_text_with(sitting, MSG_DESK_CUT, id);
        page_blank(&page);
        page_field(&page, 0, 0, "", cut);
    }
    return sitting_answer_page(sitting, &page);
}

static gboolean answer_content(struct sitting *sitting, const struct hold *hold, enum view view)
{
    g_autoptr(GError) error = NULL;
    gsize length = 0, header;
    g_autofree char *octets = NULL;

    octets = (char *)store_hold_contents(sitting->store, hold, &length, &error);
    if (octets == NULL)
        return sitting_fail(sitting, hold->id, error);
    if (!sitting_audit(sitting, "view", hold->id, view_names[view]))
        return FALSE;
    header = header_length(octets, length);
    switch (view) {
    case VIEW_HEADERS:
        return answer_text(sitting, hold, octets, header);
    case VIEW_RAW:
    case VIEW_TEXT: /* its parts are decoded by the asker's own program, in a sandbox: never in the daemon */
        g_string_append_len(sitting->answer, octets, (gssize)length);
        return TRUE;
    case VIEW_SUMMARY:
    case VIEW_REASONS:
    case VIEW_COUNT:
        break;
    }
    return FALSE;
}

/* What the inspector reads of the content, for the summary; NULL: it cannot be read now. */
static struct facts *inspect(struct sitting *sitting, const struct hold *hold)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *octets = NULL;
    enum inspect_failure failure;
    gsize length = 0;

    if (sitting->inspector == NULL)
        return NULL;
    octets = store_hold_contents(sitting->store, hold, &length, &error);
    if (octets == NULL || length == 0)
        return NULL;
    return inspector_inspect(sitting->inspector, octets, length, -1,
                             clock_monotonic_us() + DESK_INSPECT_MS * (gint64)1000, NULL, NULL, &failure);
}

gboolean desk_show(struct sitting *sitting)
{
    g_autoptr(hold) hold = sitting_hold(sitting);
    g_autoptr(facts) facts = NULL;
    enum view view = VIEW_SUMMARY;
    enum may may;

    if (hold == NULL || !find_view(sitting, &view))
        return FALSE;
    may = sitting_may_read(sitting, hold);
    if (view != VIEW_SUMMARY && view != VIEW_REASONS)
        return may == MAY ? answer_content(sitting, hold, view)
                          : sitting_turn_away(sitting, may, hold, sitting_why_not(sitting, may, hold, FALSE));
    if (!sitting_audit(sitting, "view", hold->id, view_names[view]))
        return FALSE;
    facts = view == VIEW_SUMMARY && may == MAY ? inspect(sitting, hold) : NULL;
    struct summary summary = {.sitting = sitting, .hold = hold, .may_read = may, .facts = facts};
    return sitting->request->json ? summary_json(&summary) : summary_page(&summary, view == VIEW_REASONS);
}
