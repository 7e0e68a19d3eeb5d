#include <stdio.h>
#include <string.h>

#include "milter/cli/command.h"
#include "milter/conf/dump.h"

static void say_result(const struct invocation *invocation, const struct diagnostics *diagnostics,
                       const struct snapshot *snapshot)
{
    g_autofree char *errors = g_strdup_printf("%u", diagnostics_errors(diagnostics));
    g_autofree char *warnings = g_strdup_printf("%u", diagnostics_warnings(diagnostics));
    struct message message =
        snapshot ? message_make(MSG_CLI_CHECK_GOOD, invocation->config, warnings, snapshot->hash, NULL)
                 : message_make(MSG_CLI_CHECK_BAD, errors, warnings, NULL);
    g_autofree char *text = message_format(&message, invocation->language);
    printf("%s\n", text);
    message_clear(&message);
}

/* [FILE] [--print] in any order. FALSE for anything else. */
static gboolean take_arguments(struct invocation *asked, gboolean *print)
{
    const char *file = NULL;
    for (int i = 1; i < asked->argc; i++) {
        if (strcmp(asked->argv[i], "--print") == 0)
            *print = TRUE;
        else if (file == NULL && asked->argv[i][0] != '-')
            file = asked->argv[i];
        else
            return FALSE;
    }
    if (file)
        asked->config = file;
    return TRUE;
}

/* `miji check [FILE] [--print] [--json]`: reads a configuration with everything that it names, says all
 * mistakes at once; with --print also what a right one means, defaults included. The daemon hears nothing of
 * it. */
int command_check(const struct invocation *invocation)
{
    struct invocation asked = *invocation;
    gboolean print = FALSE;
    if (!take_arguments(&asked, &print))
        return command_misused(invocation, command_find("check"));
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *snapshot = snapshot_load(asked.config, 0, NULL, diagnostics);
    g_autofree char *text =
        diagnostics_render(diagnostics, asked.json ? DIAGNOSTIC_JSON : DIAGNOSTIC_TEXT, asked.language);
    g_autofree char *dump = print && snapshot ? conf_dump(snapshot) : NULL;
    fprintf(dump ? stderr : stdout, "%s", text);
    if (dump)
        printf("%s", dump);
    else if (!asked.json)
        say_result(&asked, diagnostics, snapshot);
    int status = snapshot ? 0 : EXIT_FINDINGS;
    snapshot_unref(snapshot);
    return status;
}
