/*
 * readable: the text of a message for people: its own text parts decoded, converted to UTF-8, HTML made text,
 * one behind the other. For the program of a reviewer; the daemon never reads mail itself.
 */
#ifndef MILTER_INSPECT_READABLE_H
#define MILTER_INSPECT_READABLE_H

#include <glib.h>

#include "milter/inspect/inspector.h"

/* In this process; FALSE and error (READABLE_ERROR) when a limit is reached before there is any text. Texts
 * are valid UTF-8 and otherwise as the mail has them: control characters included. */
gboolean readable_make(const void *octets, gsize length, const struct inspect_limits *limits, GString *out,
                       GError **error);
/* The same by a child in the sandbox of the workers, with their limits. Only from a process without threads.
 * NULL and error. */
GString *readable_text(const void *octets, gsize length, GError **error);

#define READABLE_ERROR readable_error_quark()
GQuark readable_error_quark(void);

#endif
