#include <stdio.h>
#include <string.h>

#include "milter/cli/command.h"

static void say_result(const struct invocation *invocation, const struct diagnostics *diagnostics,
                       const struct snapshot *snapshot)
{
    g_autofree char *errors = g_strdup_printf("%u", diagnostics_errors(diagnostics));
    g_autofree char *warnings = g_strdup_printf("%u", diagnostics_warnings(diagnostics));
    struct message message = snapshot ? message_make(MSG_CLI_CHECK_GOOD, invocation->config, warnings, snapshot->hash, NULL)
                                      : message_make(MSG_CLI_CHECK_BAD, errors, warnings, NULL);
    g_autofree char *text = message_format(&message, invocation->language);
    printf("%s\n", text);
    message_clear(&message);
}

/* `miji check [FILE] [--json]`: reads a configuration with everything that it names, loads nothing, says all mistakes at once. */
int command_check(const struct invocation *invocation)
{
    if (invocation->argc > 2 || (invocation->argc == 2 && invocation->argv[1][0] == '-'))
        return command_misused(invocation, &commands[0]);
    struct invocation asked = *invocation;
    if (asked.argc == 2)
        asked.config = asked.argv[1];
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *snapshot = snapshot_load(asked.config, SNAPSHOT_NO_DIRECTORY, NULL, diagnostics);
    g_autofree char *text =
        diagnostics_render(diagnostics, asked.json ? DIAGNOSTIC_JSON : DIAGNOSTIC_TEXT, asked.language);
    printf("%s", text);
    if (!asked.json)
        say_result(&asked, diagnostics, snapshot);
    int status = snapshot ? 0 : EXIT_FINDINGS;
    snapshot_unref(snapshot);
    return status;
}
