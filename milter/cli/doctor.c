#include "milter/cli/doctor.h"

#include <stdio.h>
#include <string.h>

#include "milter/cli/command.h"
#include "milter/conf/control.h"

/* Is there a daemon behind the control socket, and may we ask it? */
static void examine_daemon(struct examination *e)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(control_request) request = control_request_new("status", FALSE, LANGUAGE_EN);
    gboolean ok = FALSE;
    g_autofree char *text =
        control_ask(e->snapshot->conf->control.address, request, 5000, NULL, &ok, &error);
    if (text && ok)
        examination_find(e, DOCTOR_GOOD, "daemon", message_make(MSG_DOC_DAEMON, NULL),
                         message_make(MSG_NONE, NULL));
    else
        examination_find(e, DOCTOR_FAIL, "daemon",
                         message_make(MSG_DOC_NO_DAEMON, error ? error->message : "?", NULL),
                         message_make(MSG_DOC_NO_DAEMON_HELP, NULL));
}

/* `miji doctor [--postfix DIR]`: reads postconf and says what to change. */
int command_doctor(const struct invocation *invocation)
{
    const char *directory = NULL;
    if (invocation->argc == 3 && strcmp(invocation->argv[1], "--postfix") == 0)
        directory = invocation->argv[2];
    else if (invocation->argc != 1)
        return command_misused(invocation, command_find("doctor"));
    struct snapshot *snapshot = command_snapshot(invocation, SNAPSHOT_NO_DIRECTORY);
    if (!snapshot)
        return EXIT_FINDINGS;
    g_autoptr(GError) error = NULL;
    g_autoptr(postfix) postfix = postfix_read(directory, &error);
    int status = EXIT_CANNOT;
    if (!postfix) {
        command_fail(invocation, message_make(MSG_DOC_NO_POSTCONF, error->message, NULL));
    } else {
        g_autoptr(examination) e = examination_new(snapshot, postfix, TRUE);
        examine_daemon(e);
        examination_run(e);
        g_autofree char *text = examination_render(e, invocation->json, invocation->language);
        printf("%s", text);
        status = examination_failed(e) ? EXIT_FINDINGS : 0;
    }
    snapshot_unref(snapshot);
    return status;
}
