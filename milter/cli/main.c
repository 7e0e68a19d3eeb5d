/* miji: the command line. See miji(1). */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "milter/cli/command.h"
#include "policy/version.h"

const struct command commands[] = {
    {"check", MSG_CLI_CHECK, MSG_CLI_CHECK_USAGE, command_check},
    {"explain", MSG_CLI_EXPLAIN, MSG_CLI_EXPLAIN_USAGE, command_explain},
    {"status", MSG_CLI_STATUS, MSG_CLI_STATUS_USAGE, command_status},
    {"reload", MSG_CLI_RELOAD, MSG_CLI_RELOAD_USAGE, command_reload},
    {"doctor", MSG_CLI_DOCTOR, MSG_CLI_DOCTOR_USAGE, command_doctor},
    {"held", MSG_CLI_HELD, MSG_CLI_HELD_USAGE, command_held},
    {"show", MSG_CLI_SHOW, MSG_CLI_SHOW_USAGE, command_show},
    {"approve", MSG_CLI_APPROVE, MSG_CLI_APPROVE_USAGE, command_approve},
    {"refuse", MSG_CLI_REFUSE, MSG_CLI_REFUSE_USAGE, command_refuse},
    {"note", MSG_CLI_NOTE, MSG_CLI_NOTE_USAGE, command_note},
    {"release", MSG_CLI_RELEASE, MSG_CLI_RELEASE_USAGE, command_release},
    {"trace", MSG_CLI_TRACE, MSG_CLI_TRACE_USAGE, command_trace},
    {"archive", MSG_CLI_ARCHIVE, MSG_CLI_ARCHIVE_USAGE, command_archive},
    {"store", MSG_CLI_STORE, MSG_CLI_STORE_USAGE, command_store},
    {NULL, MSG_NONE, MSG_NONE, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int help(enum language language, FILE *to, int status)
{
    fprintf(to, "%s", message_text(MSG_CLI_USAGE, language));
    for (const struct command *command = commands; command->name; command++)
        fprintf(to, "  %-9s %s\n", command->name, message_text(command->summary, language));
    fprintf(to, "%s", message_text(MSG_CLI_USAGE_END, language));
    return status;
}

static int unknown_command(const struct invocation *invocation, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const struct command *command = commands; command->name; command++)
        g_ptr_array_add(names, (gpointer)command->name);
    g_ptr_array_add(names, NULL);
    const char *near = nearest_name(name, (const char *const *)names->pdata);
    if (near)
        return command_fail(invocation, message_make(MSG_CLI_UNKNOWN_NEAR, name, near, NULL));
    return command_fail(invocation, message_make(MSG_CLI_UNKNOWN, name, NULL));
}

/* `miji help check` and `miji check --help` are the same. */
static int show_help(const struct invocation *invocation, const char *name)
{
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command)
        return unknown_command(invocation, name);
    if (!command)
        return help(invocation->language, stdout, 0);
    printf("%s", message_text(command->usage, invocation->language));
    return 0;
}

/* Options that every command takes, wherever they stand; what is not ours stays in argv. FALSE if one lacks
 * its value. */
static gboolean take_common(struct invocation *invocation, int argc, char **argv, const char **language,
                            gboolean *wants_help)
{
    int kept = 0;
    for (int i = 0; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        gboolean lang = strcmp(argv[i], "--lang") == 0,
                 config = strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0;
        if ((lang || config) && !value)
            return FALSE;
        if (lang)
            *language = argv[++i];
        else if (config)
            invocation->config = argv[++i];
        else if (g_str_has_prefix(argv[i], "--lang="))
            *language = argv[i] + 7;
        else if (g_str_has_prefix(argv[i], "--config="))
            invocation->config = argv[i] + 9;
        else if (strcmp(argv[i], "--json") == 0)
            invocation->json = TRUE;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            *wants_help = TRUE;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    invocation->argc = kept;
    invocation->argv = argv;
    return TRUE;
}

int main(int argc, char **argv)
{
    struct invocation invocation = {.config = DEFAULT_CONFIG};
    const char *language = NULL;
    gboolean wants_help = FALSE;
    language_choose(NULL, &invocation.language);
    if (!take_common(&invocation, argc - 1, argv + 1, &language, &wants_help))
        return help(invocation.language, stderr, EXIT_CANNOT);
    if (language && !language_choose(language, &invocation.language))
        return command_fail(&invocation, message_make(MSG_CLI_LANGUAGE, language, NULL));
    const char *name = invocation.argc ? invocation.argv[0] : NULL;
    if (!name)
        return help(invocation.language, wants_help ? stdout : stderr, wants_help ? 0 : EXIT_CANNOT);
    if (strcmp(name, "help") == 0)
        return show_help(&invocation, invocation.argc > 1 ? invocation.argv[1] : NULL);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("miji " MIJI_VERSION "\n");
        return 0;
    }
    if (wants_help)
        return show_help(&invocation, name);
    const struct command *command = command_find(name);
    return command ? command->run(&invocation) : unknown_command(&invocation, name);
}
