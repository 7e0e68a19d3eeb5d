#include "policy/text/place.h"

#include <string.h>

/* What is not here is never expanded, by design: matched text, subject, body, file names, header values,
 * names of rules and lists. */
static const char *const places[] = {"level", "recipient", "recipients", "sender",  "reference",
                                     "queue", "deadline",  "zone",       "contact", "date"};
#define ALL_PLACES \
    "{level} {recipient} {recipients} {sender} {reference} {queue} {deadline} {zone} {contact} {date}"

static gboolean is_place(const char *name, gsize length)
{
    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        if (strlen(places[i]) == length && memcmp(places[i], name, length) == 0)
            return TRUE;
    return FALSE;
}

/* Octets of the escape that begins at a backslash: \u{HEX} has braces that are no place. */
static gsize escape_length(const char *raw, gsize left)
{
    const char *close = left > 2 && raw[1] == 'u' && raw[2] == '{' ? memchr(raw, '}', left) : NULL;

    return close != NULL ? (gsize)(close - raw) + 1 : MIN(left, 2);
}

static void report(struct diagnostics *diagnostics, struct span span, gsize offset, gsize length)
{
    struct span place = {span.source, span.offset + (guint32)offset, (guint32)length};
    g_autofree char *text = span_text(place);
    struct diagnostic *diagnostic =
        diagnostics_report(diagnostics, DIAG_PLACEHOLDER, place, message_make(MSG_PLACEHOLDER, text, NULL));

    diagnostic_help(diagnostic, message_make(MSG_PLACEHOLDER_HELP, ALL_PLACES, NULL));
}

/* The octets between the quotes are looked at as written, since a caret must point at them. */
gboolean place_check(const struct item *text, struct diagnostics *diagnostics)
{
    const char *raw = text->span.source->text + text->span.offset;
    gsize length = text->span.length;
    gboolean good = TRUE;

    for (gsize i = 0; i < length; i++) {
        if (raw[i] == '\\') {
            i += escape_length(raw + i, length - i) - 1;
        } else if (raw[i] == '{' && i + 1 < length && raw[i + 1] == '{') {
            i++;
        } else if (raw[i] == '{') {
            const char *close = memchr(raw + i, '}', length - i);
            gsize end = close != NULL ? (gsize)(close - raw) : i;
            if (close == NULL || !is_place(raw + i + 1, end - i - 1)) {
                report(diagnostics, text->span, i, end - i + 1);
                good = FALSE;
            }
            i = end;
        }
    }
    return good;
}
