#include "milter/review/received.h"

#include <string.h>

#define WORD_MAX 255 /* octets of a name that the client chose */

/* A name that somebody else chose, as an atom of the field. */
static char *as_word(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; p != NULL && *p != '\0' && out->len < WORD_MAX; p++)
        g_string_append_c(out, g_ascii_isalnum(*p) || strchr(".-_:[]", *p) != NULL ? *p : '?');
    if (out->len == 0)
        g_string_append(out, "unknown");
    return g_string_free(out, FALSE);
}

/* RFC 5321 4.1.3. */
static char *as_literal(struct ip ip)
{
    g_autofree char *text = ip_format(ip);

    return g_strdup_printf(strchr(text, ':') != NULL ? "[IPv6:%s]" : "[%s]", text);
}

static gboolean has_parameter(const struct recorded *recorded, const char *name)
{
    const char *parameters = recorded->envelope->parameters;
    g_auto(GStrv) words = g_strsplit(parameters != NULL ? parameters : "", " ", -1);

    for (char **word = words; *word != NULL; word++)
        if (g_ascii_strcasecmp(*word, name) == 0)
            return TRUE;
    return FALSE;
}

/* RFC 5322 3.3, in English whatever the locale is. */
static char *date_of(gint64 at_s, GTimeZone *zone_or_null)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GTimeZone) zone =
        zone_or_null != NULL ? g_time_zone_ref(zone_or_null) : g_time_zone_new_local();
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_s);
    g_autoptr(GDateTime) at = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;

    if (at == NULL) /* a year that no calendar has */
        return g_strdup("Thu, 1 Jan 1970 00:00:00 +0000");
    int minutes = (int)(g_date_time_get_utc_offset(at) / G_TIME_SPAN_MINUTE);
    return g_strdup_printf("%s, %d %s %d %02d:%02d:%02d %c%02d%02d",
                           days[g_date_time_get_day_of_week(at) - 1], g_date_time_get_day_of_month(at),
                           months[g_date_time_get_month(at) - 1], g_date_time_get_year(at),
                           g_date_time_get_hour(at), g_date_time_get_minute(at), g_date_time_get_second(at),
                           minutes < 0 ? '-' : '+', ABS(minutes) / 60, ABS(minutes) % 60);
}

static void add_client(GString *field, const struct session *session)
{
    g_autofree char *helo = as_word(session->helo);
    g_autofree char *name = as_word(session->client_name);
    g_autofree char *literal = as_literal(session->client);
    g_autofree char *cipher = as_word(session->cipher);

    g_string_append_printf(field, "from %s (%s %s)\r\n\t", helo, name, literal);
    if (session->tls >= TLS_LOWEST)
        g_string_append_printf(field, "(using TLSv1.%u with cipher %s)\r\n\t", session->tls - TLS_LOWEST,
                               cipher);
}

/* An address that the field may hold: anything else is left out, it says nothing that is needed. */
static gboolean is_plain_path(const char *path)
{
    gsize length = strlen(path);

    if (length < 3 || length > 320 || path[0] != '<' || path[length - 1] != '>')
        return FALSE;
    for (const char *p = path + 1; p < path + length - 1; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("<>()[]\\,;:\"", *p) != NULL)
            return FALSE;
    return TRUE;
}

char *received_make(const struct received *received)
{
    const struct recorded *recorded = received->recorded;
    const struct session *session = &recorded->session;
    g_autofree char *host = as_word(received->host);
    g_autofree char *date = date_of(recorded->at_s, received->zone);
    GString *field = g_string_new("Received: ");

    if (session->role != ROLE_LOCAL) /* sendmail(1) has no connection to tell of */
        add_client(field, session);
    g_string_append_printf(field, "by %s", host);
    if (session->role != ROLE_LOCAL)
        g_string_append_printf(field, " with %s%s%s",
                               has_parameter(recorded, "SMTPUTF8") ? "UTF8SMTP" : "ESMTP",
                               session->tls >= TLS_LOWEST ? "S" : "", session->login != NULL ? "A" : "");
    if (received->queue_id != NULL) {
        g_autofree char *id = as_word(received->queue_id);
        g_string_append_printf(field, " id %s", id);
    }
    if (received->recipient != NULL && is_plain_path(received->recipient))
        g_string_append_printf(field, "\r\n\tfor %s", received->recipient);
    g_string_append_printf(field, "; %s\r\n", date);
    return g_string_free(field, FALSE);
}
