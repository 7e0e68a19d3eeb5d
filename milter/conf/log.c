#include "milter/conf/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "milter/conf/limits.h"

/* Set once by log_open before any thread exists. */
static enum log_kind sink = LOG_TO_STDERR;
static const char *tag = "miji-milter";
static gint also = -1; /* atomic: see log_also_to */

static int facility_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH},
                 {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
                 {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
                 {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_strcmp0(name, known[i].name) == 0)
            return known[i].number;
    return LOG_MAIL;
}

/* Characters that would make a line read differently from what it says. */
static gboolean turns_direction(gunichar c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) ||
           c == 0x061c || c == 0xfeff || c == 0x2028 || c == 0x2029;
}

#define LONGEST_ESCAPE 12 /* octets that one character may become */

/* Octets at the beginning that are shown as they are, at most `most`. */
static gsize plain_length(const char *text, gsize most)
{
    gsize length = 0;
    while (length < most && text[length] >= ' ' && text[length] <= '~')
        length++;
    return length;
}

char *log_clean(const char *text, gsize limit)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    for (const char *p = text; *p;) {
        if (out->len + LONGEST_ESCAPE > limit) {
            g_string_append(out, "...");
            break;
        }
        gsize plain = plain_length(p, limit - LONGEST_ESCAPE + 1 - out->len);
        if (plain > 0) {
            g_string_append_len(out, p, (gssize)plain);
            p += plain;
            continue;
        }
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(out, "\\x%02x", (guchar)*p++);
            continue;
        }
        if (c < 0x20 || c == 0x7f)
            g_string_append_printf(out, "\\x%02x", c);
        else if ((c >= 0x80 && c < 0xa0) || turns_direction(c))
            g_string_append_printf(out, "\\u{%x}", c);
        else
            g_string_append_unichar(out, c);
        p = g_utf8_next_char(p);
    }
    return g_string_free(out, FALSE);
}

static int priority(enum log_level level)
{
    return level == LOG_LEVEL_ERROR ? LOG_ERR : level == LOG_LEVEL_WARNING ? LOG_WARNING : LOG_INFO;
}

/* One call, so that lines of several threads and processes stay whole. Where nobody is left to read it,
 * nobody is left to tell. */
static void write_line(int fd, enum log_level level, const char *line)
{
    static const char *const names[] = {"error: ", "warning: ", ""};
    const char *parts[] = {tag, ": ", names[level], line, "\n"};
    struct iovec pieces[G_N_ELEMENTS(parts)];
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        pieces[i] = (struct iovec){(char *)parts[i], strlen(parts[i])};
    if (writev(fd, pieces, G_N_ELEMENTS(pieces)) < 0)
        return;
}

void log_also_to(int fd)
{
    g_atomic_int_set(&also, fd);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = log_clean(raw, LIMIT_LOG_LINE);
    switch (sink) {
    case LOG_TO_SYSLOG:
        syslog(priority(level), "%s", line);
        break;
    case LOG_TO_JOURNAL:
        sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priority(level), "SYSLOG_IDENTIFIER=%s", tag,
                        NULL);
        break;
    case LOG_TO_STDERR:
        write_line(STDERR_FILENO, level, line);
        break;
    }
    int listener = g_atomic_int_get(&also);
    if (level == LOG_LEVEL_ERROR && listener >= 0)
        write_line(listener, level, line);
}

static void glib_says(const char *domain, GLogLevelFlags flags, const char *message, gpointer data)
{
    enum log_level level =
        flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
    log_line(level, "%s: %s", domain ? domain : "glib", message);
}

void log_open(const char *program, enum log_kind kind, const char *facility)
{
    tag = program;
    sink = kind;
    if (kind == LOG_TO_SYSLOG)
        openlog(program, LOG_PID, facility_number(facility));
    g_log_set_default_handler(glib_says, NULL);
}
