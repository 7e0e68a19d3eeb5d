/*
 * log: one line per outcome, to syslog, the journal or standard error. One sanitiser before all sinks:
 * control characters, bidirectional controls and octets that are not UTF-8 never pass. Never bodies,
 * subjects, matched words or passwords (style.md 2).
 *
 * log_open once before threads start; log_line from any thread.
 */
#ifndef MILTER_CONF_LOG_H
#define MILTER_CONF_LOG_H

#include "milter/conf/conf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* program: the tag ("miji-milter"). Also takes over what GLib itself says. */
void log_open(const char *program, enum log_kind kind, const char *facility);
void log_line(enum log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Errors go there too, until it is called again (-1: nowhere else): somebody waits for the start at a
 * terminal, who has not opened the log yet. Borrows fd, which stays open as long as other threads may log. */
void log_also_to(int fd);

/* The sanitiser: a new string of at most limit octets; what may not pass is shown as \xHH or \u{HEX}. */
char *log_clean(const char *text, gsize limit);

#endif
