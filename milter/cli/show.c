/* show: one hold; its text is decoded here, by a child in the inspector's sandbox. */
#include "milter/cli/asking.h"

#include <string.h>

#include "milter/decide/json.h"
#include "milter/decide/page.h"
#include "milter/inspect/readable.h"

static int print_json(const struct invocation *invocation, const char *text, gboolean is_whole)
{
    struct json json = json_new();
    g_autofree char *out = NULL;

    json_open(&json, NULL, '{');
    json_string(&json, "text", text);
    json_boolean(&json, "whole", is_whole);
    json_close(&json, '}');
    out = json_finish(&json);
    return asking_print(invocation, out, strlen(out));
}

/* The text parts of the message as text; what cannot be read so is shown as it stands, and harmless. */
static int print_text(const struct invocation *invocation, const char *octets, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = readable_text(octets, length, &error);
    struct page page = page_new();
    g_autofree char *out = NULL;

    if (text == NULL)
        command_fail(invocation, message_make(MSG_CLI_NOT_READABLE, error->message, NULL));
    if (text != NULL)
        page_text(&page, text->str, text->len);
    else
        page_text(&page, octets, length);
    out = page_finish(&page);
    if (invocation->json)
        return print_json(invocation, out, text != NULL);
    return asking_print(invocation, out, strlen(out));
}

int command_show(const struct invocation *invocation)
{
    static const struct asked_option options[] = {
        {"--headers", "view", "headers"}, {"--text", "view", "text"}, {"--raw", "view", "raw"},
        {"--reasons", "view", "reasons"}, {"--force", NULL, "yes"},   {NULL, NULL, NULL}};
    struct asking asking;
    const char *view;
    gsize length = 0;
    int status = EXIT_CANNOT;

    if (!asking_take(invocation, options, 1, 1, &asking))
        return EXIT_CANNOT;
    view = control_request_named(asking.request, "view");
    if (g_strcmp0(view, "raw") == 0 && !asking_may_be_raw(invocation, &asking)) {
        asking_clear(&asking);
        return EXIT_CANNOT;
    }
    if (g_strcmp0(view, "text") != 0)
        return asking_end(invocation, &asking);
    g_autofree char *octets = asking_answer(invocation, &asking, &length, &status);
    if (octets != NULL)
        status = print_text(invocation, octets, length);
    asking_clear(&asking);
    return status;
}
