#include "milter/decide/reply_text.h"

#include <string.h>

#include "milter/decide/disposition.h"
#include "milter/decide/limits.h"

static gboolean is_printable_ascii(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            return FALSE;
    return TRUE;
}

char *reply_text_ascii(const char *text, gsize room)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *p = text; *p != '\0' && out->len < room; p++) {
        if (*p >= ' ' && *p <= '~')
            g_string_append_c(out, *p);
        else if (((guchar)*p & 0xc0) != 0x80) /* one mark for a character, not for each of its octets */
            g_string_append_c(out, '?');
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

char *reply_text_of(const struct reason *reason)
{
    const char *detail = reason->detail_en != NULL ? reason->detail_en : reason->detail;
    const char *args[] = {or_dash(reason->address), or_dash(reason->level_ascii), or_dash(detail), NULL};

    return message_fill(reason_row(reason->id)->en, args, LANGUAGE_EN);
}

static void append_recipients(GString *out, const struct hearing *hearing)
{
    const GPtrArray *recipients = hearing->decision->recipients;

    for (guint i = 0; i < recipients->len && out->len < REPLY_RECIPIENTS_BYTES; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(recipients, i);
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", recipient->first->address->canonical);
    }
}

static void append_date(GString *out, const struct hearing *hearing)
{
    g_autofree char *text = hearing_date(hearing, hearing->inputs->now);

    g_string_append(out, or_dash(text));
}

static const char *level_of(const struct hearing *hearing, const struct reason *reason)
{
    const struct effective *label = hearing->decision->label;

    if (reason->level_ascii != NULL)
        return reason->level_ascii;
    return label != NULL && label->display != NULL ? label->display->level->ascii : "-";
}

static const char *recipient_of(const struct hearing *hearing, const struct reason *reason)
{
    const GPtrArray *recipients = hearing->decision->recipients;
    const struct decided_recipient *first;

    if (reason->check >= CHECK_VISIBLE && reason->address != NULL)
        return reason->address;
    first = recipients->len > 0 ? g_ptr_array_index(recipients, 0) : NULL;
    return first != NULL ? first->first->address->canonical : "-";
}

/* The value of a place; FALSE if there is none of that name. The names are those of language.md 5.8. */
static gboolean append_place(GString *out, const struct hearing *hearing, const struct reason *reason,
                             const char *name)
{
    const struct policy *policy = hearing->inputs->snapshot->policy;
    const struct decision *decision = hearing->decision;

    if (strcmp(name, "level") == 0)
        g_string_append(out, level_of(hearing, reason));
    else if (strcmp(name, "recipient") == 0)
        g_string_append(out, recipient_of(hearing, reason));
    else if (strcmp(name, "recipients") == 0)
        append_recipients(out, hearing);
    else if (strcmp(name, "sender") == 0)
        g_string_append(out, hearing->inputs->envelope->sender->canonical);
    else if (strcmp(name, "reference") == 0)
        g_string_append(out, decision->reference);
    else if (strcmp(name, "queue") == 0 || strcmp(name, "deadline") == 0)
        g_string_append(out, "-"); /* nothing waits: it is refused */
    else if (strcmp(name, "zone") == 0)
        g_string_append(out, decision->sender.zone->name);
    else if (strcmp(name, "contact") == 0)
        g_string_append(out, or_dash(policy->contact));
    else if (strcmp(name, "date") == 0)
        append_date(out, hearing);
    else
        return FALSE;
    return TRUE;
}

/* "{{" is a brace; what is no place stays as it is written. */
static char *fill_places(const struct hearing *hearing, const struct reason *reason, const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *p = text; *p != '\0';) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        g_autofree char *name = end != NULL ? g_strndup(p + 1, (gsize)(end - p - 1)) : NULL;

        if (p[0] == '{' && p[1] == '{') {
            g_string_append_c(out, '{');
            p += 2;
        } else if (name != NULL && append_place(out, hearing, reason, name)) {
            p = end + 1;
        } else {
            g_string_append_c(out, *p++);
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *reply_text_words(const struct hearing *hearing, const struct reason *reason)
{
    const char *text = disposition_of(hearing, reason).text;
    g_autofree char *filled = text != NULL ? fill_places(hearing, reason, text) : NULL;

    return filled != NULL && filled[0] != '\0' ? g_steal_pointer(&filled) : NULL;
}

char *reply_text_configured(const struct hearing *hearing, const struct reason *reason)
{
    g_autofree char *words = reply_text_words(hearing, reason);

    return words != NULL && is_printable_ascii(words) ? g_steal_pointer(&words) : NULL;
}

gboolean reply_text_is_lost(const struct hearing *hearing, const struct reason *reason)
{
    g_autofree char *words = reply_text_words(hearing, reason);

    return words != NULL && !is_printable_ascii(words);
}
