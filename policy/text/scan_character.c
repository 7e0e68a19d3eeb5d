#include "policy/text/scan.h"

#include "policy/text/character.h"

#include <string.h>

static void report_octet(struct diagnostics *diagnostics, struct span span, guchar octet)
{
    g_autofree char *name = g_strdup_printf("0x%02X", octet);

    diagnostic_help(
        diagnostics_report(diagnostics, DIAG_ENCODING, span, message_make(MSG_NOT_UTF8, name, NULL)),
        message_make(MSG_SAVE_AS_UTF8, NULL));
}

static void report_control(struct diagnostics *diagnostics, struct span span, gunichar c)
{
    g_autofree char *name = g_strdup_printf("U+%04X", c);

    diagnostic_help(
        diagnostics_report(diagnostics, DIAG_ENCODING, span, message_make(MSG_CONTROL_CHARACTER, name, NULL)),
        message_make(MSG_DELETE_IT, NULL));
}

static void report_hidden(struct diagnostics *diagnostics, struct span span, gunichar c)
{
    g_autofree char *name = g_strdup_printf("U+%04X", c);
    g_autofree char *code = g_strdup_printf("%04X", c);

    diagnostic_help(diagnostics_report(diagnostics, DIAG_HIDDEN_CHARACTER, span,
                                       message_make(MSG_HIDDEN_CHARACTER, name, NULL)),
                    message_make(MSG_DELETE_HIDDEN, code, NULL));
}

/* Does the file begin with the mark of another encoding? */
static gboolean is_utf16(const struct source *source)
{
    return source->length >= 2 &&
           (memcmp(source->text, "\xFF\xFE", 2) == 0 || memcmp(source->text, "\xFE\xFF", 2) == 0);
}

gboolean scan_characters(const struct source *source, struct diagnostics *diagnostics)
{
    const char *end = source->text + source->length;
    gboolean damaged = FALSE, in_bad_run = FALSE;
    guint length;

    if (is_utf16(source)) {
        report_octet(diagnostics, (struct span){source, 0, 1}, (guchar)source->text[0]);
        return TRUE; /* every second octet would be an error */
    }
    for (const char *p = source->text; p < end; p += length) {
        gunichar c = character_read(p, end, &length);
        struct span span = {source, (guint32)(p - source->text), length};
        gboolean is_line_end = c == '\r' && p + 1 < end && p[1] == '\n';
        if (c == CHARACTER_INVALID) {
            /* A Chinese character of another encoding is several wrong octets: one message. */
            if (!in_bad_run)
                report_octet(diagnostics, span, (guchar)*p);
            damaged = TRUE;
        } else if (character_is_control(c) && !is_line_end) {
            report_control(diagnostics, span, c);
        } else if (character_is_hidden(c)) {
            report_hidden(diagnostics, span, c);
        }
        in_bad_run = c == CHARACTER_INVALID;
    }
    return damaged;
}
