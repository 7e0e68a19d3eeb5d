#include "milter/cli/asking.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "milter/cli/daemon.h"
#include "policy/text/tree.h"

#define ASKING_MS 60000 /* the largest messages are on their way for a while */

static gboolean misused(const struct invocation *invocation, struct message message)
{
    command_fail(invocation, message);
    return FALSE;
}

static gboolean unknown_option(const struct invocation *invocation, const struct asked_option *options,
                               const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    g_ptr_array_add(names, (gpointer) "--control");
    for (; options->option != NULL; options++)
        g_ptr_array_add(names, (gpointer)options->option);
    g_ptr_array_add(names, NULL);
    near = nearest_name(word, (const char *const *)names->pdata);
    if (near != NULL)
        return misused(invocation, message_make(MSG_CLI_OPTION_NEAR, word, near, NULL));
    return misused(invocation, message_make(MSG_CLI_OPTION, word, invocation->argv[0], NULL));
}

static const struct asked_option *find_option(const struct asked_option *options, const char *word)
{
    static const struct asked_option control = {"--control", NULL, NULL};

    if (strcmp(word, control.option) == 0)
        return &control;
    for (; options->option != NULL; options++)
        if (strcmp(word, options->option) == 0)
            return options;
    return NULL;
}

/* The next word, unless it is an option itself: then the value was forgotten (--note=--x says it all the
 * same). */
static const char *next_value(const struct invocation *invocation, int *at)
{
    const char *next = *at + 1 < invocation->argc ? invocation->argv[*at + 1] : NULL;

    if (next == NULL || g_str_has_prefix(next, "--"))
        return NULL;
    ++*at;
    return next;
}

/* One option, whose value may stand behind = or be the next word; *at goes ahead. */
static gboolean take_option(const struct invocation *invocation, const struct asked_option *options, int *at,
                            struct asking *asking)
{
    const char *word = invocation->argv[*at], *equals = strchr(word, '=');
    g_autofree char *name = equals != NULL ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    const struct asked_option *option = find_option(options, name);
    const char *value = option != NULL ? option->value : NULL;

    if (option == NULL)
        return unknown_option(invocation, options, word);
    if (value != NULL && equals != NULL)
        return misused(invocation, message_make(MSG_CLI_OPTION_FLAG, option->option, NULL));
    if (value == NULL && equals != NULL)
        value = equals + 1;
    else if (value == NULL)
        value = next_value(invocation, at);
    if (value == NULL || (value[0] == '\0' && option->value == NULL))
        return misused(invocation, message_make(MSG_CLI_OPTION_VALUE, option->option, NULL));
    if (strcmp(option->option, "--control") == 0) {
        g_free(asking->control);
        asking->control = g_strdup(value);
    } else if (option->name == NULL) {
        asking->forced = TRUE;
    } else if (control_request_named(asking->request, option->name) != NULL) {
        return misused(invocation,
                       message_make(MSG_CLI_OPTION_TWICE, option->option, invocation->argv[0], NULL));
    } else {
        control_request_add(asking->request, option->name, value);
    }
    return TRUE;
}

static gboolean take_all(const struct invocation *invocation, const struct asked_option *options, guint most,
                         struct asking *asking)
{
    gboolean only_values = FALSE;

    for (int at = 1; at < invocation->argc; at++) {
        const char *word = invocation->argv[at];

        if (!g_utf8_validate(word, -1, NULL))
            return misused(invocation, message_make(MSG_CLI_NOT_UTF8, NULL));
        if (!only_values && strcmp(word, "--") == 0)
            only_values = TRUE;
        else if (!only_values && word[0] == '-' && word[1] != '\0') {
            if (!take_option(invocation, options, &at, asking))
                return FALSE;
        } else if (asking->request->values->len >= most)
            return misused(invocation, message_make(MSG_CLI_TOO_MANY, word, invocation->argv[0], NULL));
        else
            control_request_add(asking->request, NULL, word);
    }
    return TRUE;
}

static gboolean is_short_enough(const struct invocation *invocation, const struct asking *asking)
{
    g_autofree char *line = control_request_format(asking->request);

    return strlen(line) + 1 < CONTROL_REQUEST_MAX ||
           misused(invocation, message_make(MSG_CLI_REQUEST_LONG, NULL));
}

gboolean asking_take(const struct invocation *invocation, const struct asked_option *options, guint least,
                     guint most, struct asking *asking)
{
    *asking = (struct asking){
        .request = control_request_new(invocation->argv[0], invocation->json, invocation->language)};
    if (take_all(invocation, options, most, asking) && is_short_enough(invocation, asking)) {
        if (asking->request->values->len >= least)
            return TRUE;
        command_misused(invocation, command_find(invocation->argv[0]));
    }
    asking_clear(asking);
    return FALSE;
}

void asking_clear(struct asking *asking)
{
    g_clear_pointer(&asking->request, control_request_free);
    g_clear_pointer(&asking->control, g_free);
}

char *asking_answer(const struct invocation *invocation, struct asking *asking, gsize *length, int *status)
{
    g_autofree char *address =
        asking->control != NULL ? g_strdup(asking->control) : daemon_control_address(invocation);
    g_autoptr(GError) error = NULL;
    gboolean ok = FALSE;
    g_autofree char *answer = NULL;

    *status = EXIT_CANNOT;
    if (address == NULL)
        return NULL;
    answer = control_ask(address, asking->request, ASKING_MS, length, &ok, &error);
    if (answer == NULL) {
        *status = daemon_no_answer(invocation, error);
        return NULL;
    }
    *status = ok ? 0 : EXIT_FINDINGS;
    if (ok)
        return g_steal_pointer(&answer);
    fwrite(answer, 1, *length, stderr);
    return NULL;
}

int asking_print(const struct invocation *invocation, const char *octets, gsize length)
{
    if (fwrite(octets, 1, length, stdout) == length && fflush(stdout) == 0)
        return 0;
    return command_fail(invocation, message_make(MSG_CLI_NOT_WRITTEN, NULL));
}

int asking_end(const struct invocation *invocation, struct asking *asking)
{
    gsize length = 0;
    int status = 0;
    g_autofree char *answer = asking_answer(invocation, asking, &length, &status);

    if (answer != NULL)
        status = asking_print(invocation, answer, length);
    asking_clear(asking);
    return status;
}

gboolean asking_may_be_raw(const struct invocation *invocation, const struct asking *asking)
{
    if (asking->forced || !isatty(STDOUT_FILENO))
        return TRUE;
    command_fail(invocation, message_make(MSG_CLI_TERMINAL, NULL));
    return FALSE;
}
