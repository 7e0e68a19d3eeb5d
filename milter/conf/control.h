/*
 * control: how a command talks to the daemon: a UNIX stream socket, one line asked ("status json en"), the
 * answer until the end: a first line "ok" or "failed", then text as it is to be shown. Both sides know this
 * file; who may ask what is the daemon's matter (peer credentials).
 */
#ifndef MILTER_CONF_CONTROL_H
#define MILTER_CONF_CONTROL_H

#include <glib.h>

#define CONTROL_ANSWER_MAX (1024 * 1024)

/* Asks the daemon at address ("unix:/run/miji/control.sock") and waits at most timeout_ms. The text behind
 * the first line, new; *ok tells whether the daemon did it. NULL and error when there is no daemon, no
 * permission, or no answer in time. */
char *control_ask(const char *address, const char *request, gint64 timeout_ms, gboolean *ok, GError **error);

#endif
