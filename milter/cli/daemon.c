#include "milter/cli/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "milter/conf/control.h"

#define STATUS_MS 10000
#define RELOAD_MS 120000 /* schemes and, later, rules are read and checked meanwhile */

/* The control socket as the configuration has it; a configuration that cannot be read leaves the default,
 * since `status` is asked when something is wrong. */
char *daemon_control_address(const struct invocation *invocation)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    if (strcmp(invocation->config, DEFAULT_CONFIG) != 0 && access(invocation->config, F_OK) != 0 &&
        errno == ENOENT) {
        command_fail(invocation, message_make(MSG_CLI_NO_CONFIG, invocation->config, NULL));
        return NULL;
    }
    struct snapshot *snapshot = snapshot_load(
        invocation->config, SNAPSHOT_NO_DIRECTORY | SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST, NULL, diagnostics);
    char *address = g_strdup(snapshot ? snapshot->conf->control.address : "unix:/run/miji/control.sock");
    snapshot_unref(snapshot);
    return address;
}

int daemon_no_answer(const struct invocation *invocation, const GError *error)
{
    enum message_id why =
        g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ? MSG_CLI_NOT_IN_GROUP : MSG_CLI_NO_DAEMON;
    return command_fail(invocation, message_make(why, error->message, NULL));
}

static int ask(const struct invocation *invocation, const char *address, const char *word, gint64 timeout_ms)
{
    g_autoptr(control_request) request = control_request_new(word, invocation->json, invocation->language);
    g_autoptr(GError) error = NULL;
    gboolean ok = FALSE;
    g_autofree char *text = control_ask(address, request, timeout_ms, NULL, &ok, &error);
    if (!text)
        return daemon_no_answer(invocation, error);
    fprintf(ok ? stdout : stderr, "%s", text);
    return ok ? 0 : EXIT_FINDINGS;
}

/* --control ADDRESS, for a daemon of another configuration, or one whose configuration cannot be read now. */
static gboolean take_control(const struct invocation *invocation, char **address)
{
    if (invocation->argc == 1) {
        *address = daemon_control_address(invocation);
        return TRUE;
    }
    if (invocation->argc != 3 || g_strcmp0(invocation->argv[1], "--control") != 0)
        return FALSE;
    *address = g_strdup(invocation->argv[2]);
    return TRUE;
}

int command_status(const struct invocation *invocation)
{
    g_autofree char *address = NULL;
    if (!take_control(invocation, &address))
        return command_misused(invocation, command_find("status"));
    if (!address)
        return EXIT_CANNOT;
    return ask(invocation, address, "status", STATUS_MS);
}

/* A configuration that is wrong already here does not say for certain where its daemon listens: what is wrong
 * is shown, and nobody is asked. */
static gboolean is_good(const struct invocation *invocation)
{
    struct snapshot *snapshot = command_snapshot(invocation, SNAPSHOT_NO_DIRECTORY | SNAPSHOT_ANY_OWNER);
    gboolean good = snapshot != NULL;
    snapshot_unref(snapshot);
    return good;
}

/* What is wrong with the new configuration comes back from the daemon that read it; nothing was changed then.
 */
int command_reload(const struct invocation *invocation)
{
    g_autofree char *address = NULL;
    if (!take_control(invocation, &address))
        return command_misused(invocation, command_find("reload"));
    if (!address)
        return EXIT_CANNOT;
    gboolean asks = invocation->argc > 1 || is_good(invocation);
    int status = asks ? ask(invocation, address, "reload", RELOAD_MS) : EXIT_FINDINGS;
    if (status == 0)
        printf("%s\n", message_text(MSG_CLI_RELOADED, invocation->language));
    else if (status == EXIT_FINDINGS)
        fprintf(stderr, "%s\n", message_text(MSG_CLI_NOT_RELOADED, invocation->language));
    return status;
}
