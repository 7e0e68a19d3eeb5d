#include "milter/cli/command.h"

#include <stdio.h>

int command_fail(const struct invocation *invocation, struct message message)
{
    g_autofree char *text = message_format(&message, invocation->language);
    fprintf(stderr, "miji: %s\n", text);
    message_clear(&message);
    return EXIT_CANNOT;
}

int command_misused(const struct invocation *invocation, const struct command *command)
{
    fprintf(stderr, "%s", message_text(command->usage, invocation->language));
    return EXIT_CANNOT;
}

struct snapshot *command_snapshot(const struct invocation *invocation, enum snapshot_flags flags)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *snapshot = snapshot_load(invocation->config, flags, NULL, diagnostics);
    g_autofree char *text = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, invocation->language);
    if (!snapshot)
        fprintf(stderr, "%s", text);
    return snapshot;
}
