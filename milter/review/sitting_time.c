/* sitting_time: moments, as people type and read them. */
#include "milter/review/sitting.h"

#include <stdlib.h>
#include <string.h>

#define YEARS_MOST 1000

static GTimeZone *zone_of(const struct sitting *sitting)
{
    GTimeZone *zone = sitting->snapshot->conf->time_zone;

    return zone != NULL ? g_time_zone_ref(zone) : g_time_zone_new_local();
}

char *sitting_moment(const struct sitting *sitting, gint64 ms)
{
    g_autoptr(GTimeZone) zone = zone_of(sitting);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(ms / 1000);
    g_autoptr(GDateTime) here = utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
    char *text = here != NULL ? g_date_time_format(here, "%Y-%m-%d %H:%M") : NULL;

    return text != NULL ? text : g_strdup("-");
}

void sitting_json_moment(struct json *json, const char *key, gint64 ms)
{
    g_autoptr(GDateTime) utc = ms != 0 ? g_date_time_new_from_unix_utc(ms / 1000) : NULL;
    g_autofree char *text = utc != NULL ? g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    json_string(json, key, text);
}

/* "24h": so long ago. The units of the languages (language.md 1). */
static gboolean read_ago(const char *text, gint64 now_ms, gint64 *ms)
{
    static const struct {
        const char *unit;
        gint64 seconds;
    } units[] = {{"s", 1},  {"m", 60},    {"h", 3600},    {"d", 86400},  {"w", 604800},  {"y", 31536000},
                 {"秒", 1}, {"分钟", 60}, {"小时", 3600}, {"天", 86400}, {"周", 604800}, {"年", 31536000}};
    gsize digits = strspn(text, "0123456789");
    gint64 count;

    if (digits == 0 || digits > 9)
        return FALSE;
    count = (gint64)g_ascii_strtoull(text, NULL, 10);
    for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        if (count > YEARS_MOST * (gint64)31536000 / units[i].seconds)
            return FALSE;
        *ms = MAX(now_ms - count * units[i].seconds * 1000, 1);
        return TRUE;
    }
    return FALSE;
}

/* So many digits, then the sign if there is one. */
static gboolean take_number(const char **text, guint digits, char sign, int *number)
{
    *number = 0;
    for (guint i = 0; i < digits; i++) {
        if (!g_ascii_isdigit((*text)[i]))
            return FALSE;
        *number = *number * 10 + ((*text)[i] - '0');
    }
    *text += digits;
    if (sign == '\0')
        return TRUE;
    if (**text != sign)
        return FALSE;
    (*text)++;
    return TRUE;
}

/* "2026-06-01" or "2026-06-01 12:00", where the site is. */
static gboolean read_date(const struct sitting *sitting, const char *text, gboolean at_end, gint64 *ms)
{
    g_autoptr(GTimeZone) zone = zone_of(sitting);
    g_autoptr(GDateTime) moment = NULL;
    int year, month, day, hour = 0, minute = 0;
    gboolean is_day;

    if (!take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
        !take_number(&text, 2, '\0', &day))
        return FALSE;
    is_day = *text == '\0';
    if (!is_day && ((*text != ' ' && *text != 'T') || (text++, !take_number(&text, 2, ':', &hour)) ||
                    !take_number(&text, 2, '\0', &minute) || *text != '\0'))
        return FALSE;
    moment = g_date_time_new(zone, year, month, day, hour, minute, 0);
    if (moment == NULL)
        return FALSE;
    g_autoptr(GDateTime) end = g_date_time_add_days(moment, is_day && at_end ? 1 : 0);
    *ms = MAX(g_date_time_to_unix(end) * 1000, 1);
    return TRUE;
}

gboolean sitting_time(struct sitting *sitting, const char *name, gboolean at_end, gint64 *ms)
{
    const char *text = control_request_named(sitting->request, name);

    *ms = 0;
    if (text == NULL || read_ago(text, sitting->now_ms, ms) || read_date(sitting, text, at_end, ms))
        return TRUE;
    return sitting_refuse(sitting, message_make(MSG_DESK_NOT_A_TIME, text, NULL));
}
