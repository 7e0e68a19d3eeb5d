#include "policy/text/character.h"

#include <string.h>
#include <utf8proc.h>

gunichar character_read(const char *p, const char *end, guint *length)
{
    *length = 1;
    if ((guchar)*p < 0x80)
        return (guchar)*p;
    gunichar c = g_utf8_get_char_validated(p, end - p);
    if (c == (gunichar)-1 || c == (gunichar)-2)
        return CHARACTER_INVALID;
    *length = (guint)g_unichar_to_utf8(c, NULL);
    return c;
}

/* Eight octets of ASCII without a NUL: none has its highest bit, neither before nor after one is taken away.
 */
static gboolean is_ascii_word(const guchar *p)
{
    const guint64 ones = G_GUINT64_CONSTANT(0x0101010101010101), highest = ones << 7;
    guint64 word;

    memcpy(&word, p, sizeof word);
    return ((word | (word - ones)) & highest) == 0;
}

/* Three octets of U+1000–CFFF or U+E000–FFFF, of which every combination is valid. */
static gboolean is_common_triple(const guchar *p)
{
    return ((p[0] >= 0xE1 && p[0] <= 0xEC) || p[0] == 0xEE || p[0] == 0xEF) && (p[1] & 0xC0) == 0x80 &&
           (p[2] & 0xC0) == 0x80;
}

gsize character_valid_length(const char *text, gsize length)
{
    const guchar *p = (const guchar *)text, *end = p + length;
    guint step;

    while (p < end) {
        while (end - p >= 8 && is_ascii_word(p))
            p += 8;
        while (end - p >= 3 && is_common_triple(p))
            p += 3;
        if (p == end)
            break;
        if (*p == '\0' || character_read((const char *)p, (const char *)end, &step) == CHARACTER_INVALID)
            break;
        p += step;
    }
    return (gsize)(p - (const guchar *)text);
}

gboolean character_all_valid(const char *text, gsize length)
{
    return character_valid_length(text, length) == length;
}

gboolean character_is_control(gunichar c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c <= 0x9F);
}

gboolean character_is_hidden(gunichar c)
{
    return c == 0x00AD || c == 0x061C || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           c == 0x2060 || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

gboolean character_is_sound(gunichar c)
{
    return c != CHARACTER_INVALID && !character_is_control(c) && !character_is_hidden(c);
}

gboolean character_is_blank(gunichar c)
{
    return c == ' ' || c == '\t' || c == 0x3000;
}

gboolean character_is_quote(gunichar c)
{
    return c == '"' || c == 0xFF02 || c == 0x201C || c == 0x201D || c == 0x300C || c == 0x300D;
}

gunichar character_fold_width(gunichar c)
{
    return c >= 0xFF01 && c <= 0xFF5E ? c - 0xFF01 + '!' : c;
}

guint character_cells(gunichar c)
{
    if (!character_is_sound(c))
        return 1; /* shown as one sign */
    int width = utf8proc_charwidth((utf8proc_int32_t)c);
    return width < 0 ? 0 : (guint)width;
}

guint character_count(const char *text, gsize length)
{
    const char *end = text + length;
    guint count = 0, step;

    for (const char *p = text; p < end; p += step, count++)
        character_read(p, end, &step);
    return count;
}

char *character_visible(const char *text, gsize length)
{
    const char *end = text + length;
    GString *out = g_string_sized_new(length);
    guint step;

    for (const char *p = text; p < end; p += step) {
        gunichar c = character_read(p, end, &step);
        if (c == CHARACTER_INVALID)
            g_string_append_unichar(out, 0xFFFD);
        else if (c == '\t')
            g_string_append_c(out, '\t');
        else if (c == '\n' || c == 0x2028 || c == 0x2029 || !character_is_sound(c))
            g_string_append_unichar(out, 0x00B7);
        else
            g_string_append_len(out, p, step);
    }
    return g_string_free(out, FALSE);
}

char *character_shorten(const char *text, guint characters)
{
    const char *end = text + strlen(text);
    const char *p = text;
    guint step;

    for (guint n = 0; n < characters && p < end; n++, p += step)
        character_read(p, end, &step);
    return p == end ? g_strdup(text) : g_strdup_printf("%.*s…", (int)(p - text), text);
}
