#include "milter/review/mime.h"

#include <string.h>

#include "policy/text/character.h"

#define LINE_CHARACTERS 78
/* So many octets of text in one encoded-word: it fits behind the name of a field, and one word never holds
 * half of a character. */
#define WORD_PREFIX "=?UTF-8?B?"
#define WORD_SUFFIX "?="
#define WORD_OCTETS 42
#define BASE64_OCTETS 57 /* of a line of 76 */

static gboolean is_ascii(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((*p < ' ' || *p > '~') && *p != '\n')
            return FALSE;
    return TRUE;
}

static gsize longest_line(const char *text)
{
    gsize longest = 0;

    for (const char *line = text; *line != '\0';) {
        gsize length = strcspn(line, "\n");
        longest = MAX(longest, length);
        line += length + (line[length] == '\n');
    }
    return longest;
}

static char *plain_value(const char *value)
{
    char *plain = g_strdup(value);

    for (char *p = plain; *p != '\0'; p++) {
        if (*p == '\r' || *p == '\n' || *p == '\t')
            *p = ' ';
        else if (*p < ' ' || *p > '~')
            *p = '?';
    }
    return g_strstrip(plain);
}

void mime_field(GString *out, const char *name, const char *value)
{
    g_autofree char *plain = plain_value(value);
    gsize used = strlen(name) + 1;

    g_string_append_printf(out, "%s:", name);
    for (const char *word = plain; *word != '\0';) {
        gsize length = strcspn(word, " ");
        gboolean first = word == plain;
        if (length > 0 && !first && used + 1 + length > LINE_CHARACTERS) {
            g_string_append(out, "\r\n");
            used = 0;
        }
        if (length > 0) {
            g_string_append_c(out, ' ');
            g_string_append_len(out, word, (gssize)length);
            used += 1 + length;
        }
        word += length + (word[length] == ' ');
    }
    g_string_append(out, "\r\n");
}

/* As it is: printable ASCII that no reader takes for an encoded-word, in words that can be folded. */
static gboolean is_plain_text(const char *text)
{
    gsize word = 0;

    if (!is_ascii(text) || strchr(text, '\n') != NULL || strstr(text, "=?") != NULL)
        return FALSE;
    for (const char *p = text; *p != '\0'; p++) {
        word = *p == ' ' ? 0 : word + 1;
        if (word > LINE_CHARACTERS / 2)
            return FALSE;
    }
    return TRUE;
}

void mime_text_field(GString *out, const char *name, const char *text)
{
    g_autofree char *line = mime_line(text, G_MAXUINT);
    g_autoptr(GString) words = g_string_new(NULL);

    if (is_plain_text(line)) {
        mime_field(out, name, line);
        return;
    }
    for (const char *p = line; *p != '\0';) {
        gsize length = 0;
        while (p[length] != '\0') {
            gsize step = (gsize)(g_utf8_next_char(p + length) - (p + length));
            if (length + step > WORD_OCTETS)
                break;
            length += step;
        }
        g_autofree char *encoded = g_base64_encode((const guchar *)p, length);
        g_string_append_printf(words, "%s" WORD_PREFIX "%s" WORD_SUFFIX, words->len > 0 ? " " : "", encoded);
        p += length;
    }
    mime_field(out, name, words->str);
}

static char *with_line_ends(const char *text)
{
    g_autoptr(GString) out = g_string_sized_new(strlen(text) + 64);

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\n')
            g_string_append_c(out, '\r');
        g_string_append_c(out, *p);
    }
    if (out->len == 0 || out->str[out->len - 1] != '\n')
        g_string_append(out, "\r\n");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

void mime_text_part(GString *out, const char *text)
{
    g_autofree char *lines = with_line_ends(text);
    gsize length = strlen(lines);

    mime_field(out, "Content-Type", "text/plain; charset=UTF-8");
    if (is_ascii(text) && longest_line(text) <= LINE_CHARACTERS) {
        mime_field(out, "Content-Transfer-Encoding", "7bit");
        g_string_append_printf(out, "\r\n%s", lines);
        return;
    }
    mime_field(out, "Content-Transfer-Encoding", "base64");
    g_string_append(out, "\r\n");
    for (gsize at = 0; at < length; at += BASE64_OCTETS) {
        g_autofree char *encoded =
            g_base64_encode((const guchar *)lines + at, MIN(BASE64_OCTETS, length - at));
        g_string_append_printf(out, "%s\r\n", encoded);
    }
}

char *mime_date(gint64 seconds, GTimeZone *zone)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(seconds);
    g_autoptr(GDateTime) moment = NULL;

    if (utc == NULL) /* behind the year 9999 */
        utc = g_date_time_new_from_unix_utc(0);
    moment = zone != NULL ? g_date_time_to_timezone(utc, zone) : g_date_time_to_local(utc);
    g_autofree char *rest = g_date_time_format(moment, "%H:%M:%S %z"); /* digits, whatever the locale */
    return g_strdup_printf("%s, %d %s %d %s", days[g_date_time_get_day_of_week(moment) - 1],
                           g_date_time_get_day_of_month(moment), months[g_date_time_get_month(moment) - 1],
                           g_date_time_get_year(moment), rest);
}

char *mime_xtext(const char *text, gsize length)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (gsize i = 0; i < length; i++) {
        int c = (guchar)text[i];
        if (c == '+') {
            int high = i + 2 < length ? g_ascii_xdigit_value(text[i + 1]) : -1;
            int low = i + 2 < length ? g_ascii_xdigit_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = 16 * high + low;
            i += 2;
        }
        if (c < ' ' || c > '~')
            return NULL;
        g_string_append_c(out, (char)c);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *mime_line(const char *text, guint characters)
{
    g_autofree char *blanks = g_strdup(text);

    for (char *p = blanks; *p != '\0'; p++)
        if (*p == '\r' || *p == '\n' || *p == '\t')
            *p = ' ';
    g_strstrip(blanks);
    g_autofree char *visible = character_visible(blanks, strlen(blanks));
    return character_shorten(visible, characters);
}
