#include "milter/review/dsn.h"

#include <string.h>

#include "milter/review/limits.h"
#include "milter/review/mime.h"
#include "policy/text/character.h"

/* Domain of an address; the whole of what has none. */
static const char *domain_of(const char *address)
{
    const char *at = strrchr(address, '@');

    return at != NULL ? at + 1 : address;
}

static gboolean is_ascii(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            return FALSE;
    return TRUE;
}

/* utf-8-addr-xtext (RFC 6533 3): what ASCII cannot say, and what means something there, by its number. */
static char *address_in_ascii(const char *address)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *end = address + strlen(address);
    guint step;

    for (const char *p = address; p < end; p += step) {
        gunichar c = character_read(p, end, &step);
        if (c > ' ' && c <= '~' && c != '\\' && c != '+' && c != '=')
            g_string_append_c(out, (char)c);
        else
            g_string_append_printf(out, "\\x{%X}", c == CHARACTER_INVALID ? 0xFFFD : c);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void final_recipient(GString *out, const char *address)
{
    gboolean plain = is_ascii(address);
    g_autofree char *ascii = plain ? g_strdup(address) : address_in_ascii(address);
    g_autofree char *value = g_strdup_printf("%s; %s", plain ? "rfc822" : "utf-8", ascii);

    mime_field(out, "Final-Recipient", value);
}

/* "rfc822;an+2Bx@agency.gov.cn": the address type stays, the xtext is decoded. */
static void original_recipient(GString *out, const char *orcpt)
{
    const char *colon = orcpt != NULL ? strchr(orcpt, ';') : NULL;

    if (colon == NULL || colon == orcpt || strlen(orcpt) > NOTICE_ORIGINAL_BYTES)
        return;
    for (const char *p = orcpt; p < colon; p++)
        if (!g_ascii_isalnum(*p) && *p != '-')
            return;
    g_autofree char *address = mime_xtext(colon + 1, strlen(colon + 1));
    if (address == NULL || address[0] == '\0')
        return;
    g_autofree char *value = g_strdup_printf("%.*s; %s", (int)(colon - orcpt), orcpt, address);
    mime_field(out, "Original-Recipient", value);
}

static void recipient_fields(GString *out, const struct letter_recipient *recipient)
{
    g_autofree char *code = g_strconcat("smtp; ", recipient->diagnostic, NULL);

    g_string_append(out, "\r\n");
    original_recipient(out, recipient->original);
    final_recipient(out, recipient->address);
    mime_field(out, "Action", "failed");
    mime_field(out, "Status", recipient->status);
    mime_field(out, "Diagnostic-Code", code);
}

void dsn_part(GString *out, const struct letter *letter, guint shown)
{
    g_autofree char *from = letter_from(letter->snapshot);
    g_autofree char *reporter = g_strconcat("dns; ", domain_of(from), NULL);
    g_autofree char *arrival = mime_date(letter->sent_s, letter->snapshot->conf->time_zone);

    mime_field(out, "Content-Type", "message/delivery-status");
    g_string_append(out, "\r\n");
    if (letter->envelope_id != NULL)
        mime_field(out, "Original-Envelope-Id", letter->envelope_id);
    mime_field(out, "Reporting-MTA", reporter);
    mime_field(out, "Arrival-Date", arrival);
    for (guint i = 0; i < letter->sections->len; i++) {
        const struct letter_section *section = g_ptr_array_index(letter->sections, i);
        for (guint k = 0; section->is_failure && k < section->recipients->len && shown > 0; k++, shown--)
            recipient_fields(out, g_ptr_array_index(section->recipients, k));
    }
}

char *dsn_envelope_id(const char *parameters)
{
    g_auto(GStrv) words = g_strsplit(parameters != NULL ? parameters : "", " ", -1);

    for (char **word = words; *word != NULL; word++)
        if (g_ascii_strncasecmp(*word, "ENVID=", 6) == 0) {
            const char *value = *word + 6;
            gsize length = strlen(value);
            return length > 0 && length <= NOTICE_ENVELOPE_ID_BYTES ? mime_xtext(value, length) : NULL;
        }
    return NULL;
}

gboolean dsn_is_never(const char *notify)
{
    return notify != NULL && g_ascii_strcasecmp(notify, "NEVER") == 0;
}
