/*
 * control: how a command talks to the daemon: a UNIX stream socket, one line asked, the answer until the end: a
 * first line "ok" or "failed" with the number of octets behind it, then those: the answer as it is to be shown (a
 * raw message may be part of it), so that one that was cut is known as such. Both sides know this file; who may ask what is the daemon's matter (peer credentials).
 *
 * The line: WORD FORMAT LANGUAGE [ARGUMENT…], blanks between; FORMAT text or json, LANGUAGE en or zh; an
 * argument is NAME=VALUE or VALUE, percent-encoded, so that it holds no blank and no line end:
 *
 *     status json en
 *     approve text zh 2kx9bcdf as=%E5%86%85%E9%83%A8 note=…
 */
#ifndef MILTER_CONF_CONTROL_H
#define MILTER_CONF_CONTROL_H

#include "policy/autoptr.h"
#include "policy/text/message.h"

#define CONTROL_ANSWER_MAX (256 * 1024 * 1024)
#define CONTROL_REQUEST_MAX 8192

struct control_request {
    char *word;
    gboolean json;
    enum language language;
    GPtrArray *values;  /* char *: arguments without a name, in order */
    GHashTable *named;  /* name -> value; both char * */
};
struct control_request *control_request_new(const char *word, gboolean json, enum language language);
void control_request_free(struct control_request *request);
DEFINE_AUTOPTR(control_request, control_request_free)
void control_request_add(struct control_request *request, const char *name_or_null, const char *value);
char *control_request_format(const struct control_request *request); /* without the line end */
/* NULL: the line is none. */
struct control_request *control_request_parse(const char *line);
const char *control_request_named(const struct control_request *request, const char *name); /* NULL none */

/* Asks the daemon at address ("unix:/run/miji/control.sock") and waits at most timeout_ms. The answer behind
 * the first line, new (a NUL follows it); *length (may be NULL); *ok tells whether the daemon did it. NULL and
 * error when there is no daemon, no permission, no answer in time, or only a part of one. */
char *control_ask(const char *address, const struct control_request *request, gint64 timeout_ms,
                  gsize *length, gboolean *ok, GError **error);

#endif
