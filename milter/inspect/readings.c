#include "milter/inspect/readings.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/limits.h"
#include "policy/text/character.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const enum charset_id charsets[READING_CHARSETS] = {CHARSET_UTF_8, CHARSET_GB18030, CHARSET_BIG5};

/* NULs are counted elsewhere. */
static gboolean is_utf8(struct bytes octets)
{
    gsize at = 0;

    while ((at += character_valid_length(octets.data + at, octets.length - at)) < octets.length) {
        if (octets.data[at++] != '\0')
            return FALSE;
    }
    return TRUE;
}

gboolean octets_have_one_reading(const char *charset, struct bytes octets)
{
    enum charset_id named = charset[0] != '\0' ? charset_find(charset, strlen(charset)) : CHARSET_UTF_8;

    if (charset_keeps_ascii(named) && octets_are_ascii(octets.data, octets.length))
        return TRUE;
    return (named == CHARSET_UTF_8 || named == CHARSET_ASCII) && is_utf8(octets);
}

gboolean reading_is_of(guint which, const char *charset)
{
    return charset_find(charset, strlen(charset)) == charsets[which];
}

/* ---------------------------------------------------------------- masks */
static void mask(struct bytes octets, GString *masked)
{
    const char *at = octets.data, *end = at + octets.length;

    while (at < end) {
        const char *begin = at;
        while (at < end && (guchar)*at < 0x80)
            at++;
        g_string_append_len(masked, begin, at - begin);
        for (; at < end && (guchar)*at >= 0x80; at++) {
            const char mask[] = {'\xee', '\x82' + ((guchar)*at >= 0xc0), (char)(0x80 | (*at & 0x3f))};
            g_string_append_len(masked, mask, sizeof mask);
        }
    }
}

void octets_mask(struct bytes octets, GString *masked)
{
    gsize most = LIMIT_READING_HTML_BYTES;

    if (octets.length <= 2 * most) {
        mask(octets, masked);
        return;
    }
    mask((struct bytes){octets.data, most}, masked);
    mask((struct bytes){octets.data + octets.length - most, most}, masked);
}

/* Octets that the character at `at` stands for, with the octet itself; 0: a character that was written as an
 * entity, and means itself in every reading. */
static gsize unmask(const char *at, gsize left, char *octet)
{
    *octet = *at;
    if ((guchar)*at < 0x80)
        return 1;
    if (left < 3 || at[0] != '\xee' || (at[1] != '\x82' && at[1] != '\x83'))
        return 0;
    *octet = at[1] == '\x82' ? at[2] : (char)(at[2] | 0x40);
    return 3;
}

/* A line that is not UTF-8 becomes one character that says so: mostly none is. */
static void decode_utf8_lines(struct bytes text, GString *out)
{
    for (gsize at = 0; at < text.length;) {
        const char *line = text.data + at, *newline = memchr(line, '\n', text.length - at);
        gsize length = newline != NULL ? (gsize)(newline - line) + 1 : text.length - at;
        if (is_utf8((struct bytes){line, length}))
            g_string_append_len(out, line, length);
        else
            g_string_append(out, newline != NULL ? REPLACEMENT "\n" : REPLACEMENT);
        at += length;
    }
}

static void decode_plain(enum charset_id charset, struct bytes text, GString *out)
{
    if (charset == CHARSET_UTF_8)
        decode_utf8_lines(text, out);
    else
        charset_decode(charset, text.data, text.length, out);
}

static void decode_masked(enum charset_id charset, struct bytes text, GString *out)
{
    g_autoptr(GString) octets = g_string_sized_new(text.length);
    char octet;

    for (gsize at = 0; at < text.length;) {
        gsize length = unmask(text.data + at, text.length - at, &octet);
        if (length > 0) {
            g_string_append_c(octets, octet);
            at += length;
            continue;
        }
        decode_plain(charset, (struct bytes){octets->str, octets->len}, out);
        g_string_truncate(octets, 0);
        g_string_append_c(out, text.data[at++]);
        while (at < text.length && ((guchar)text.data[at] & 0xc0) == 0x80)
            g_string_append_c(out, text.data[at++]);
    }
    decode_plain(charset, (struct bytes){octets->str, octets->len}, out);
}

/* ---------------------------------------------------------------- readings */
static void decode(enum charset_id charset, struct bytes text, gboolean is_masked, GString *out)
{
    if (is_masked)
        decode_masked(charset, text, out);
    else
        decode_plain(charset, text, out);
}

/* Lines that the charset cannot read become empty: another one can, or none. Only their beginnings are looked
 * at by anybody. */
static void drop_unreadable_lines(GString *text)
{
    char *end = text->str + text->len, *to = text->str;

    for (char *line = text->str; line < end;) {
        char *newline = memchr(line, '\n', end - line), *next = newline != NULL ? newline : end;
        if (g_strstr_len(line, MIN(next - line, LIMIT_LINE_BYTES), REPLACEMENT) == NULL) {
            memmove(to, line, next - line);
            to += next - line;
        }
        if (newline != NULL)
            *to++ = '\n';
        line = next + (newline != NULL);
    }
    g_string_truncate(text, to - text->str);
}

/* Where the end begins that is read: behind a line end, if there is one. */
static gsize find_end(struct bytes text)
{
    gsize at = text.length - LIMIT_READING_BYTES;
    const char *newline = memchr(text.data + at, '\n', text.length - at);

    return newline != NULL ? (gsize)(newline - text.data) + 1 : at;
}

GString *reading_make(guint which, struct bytes octets, gboolean is_masked)
{
    struct bytes begin = {octets.data, MIN(octets.length, LIMIT_READING_BYTES)};
    GString *out = g_string_sized_new(2 * LIMIT_LINE_BYTES);

    if (octets.length <= 2 * LIMIT_READING_BYTES)
        begin.length = octets.length;
    decode(charsets[which], begin, is_masked, out);
    if (begin.length < octets.length) {
        gsize end = find_end(octets);
        for (gsize at = begin.length; at < end; at++) {
            if (octets.data[at] == '\n')
                g_string_append_c(out, '\n');
        }
        decode(charsets[which], (struct bytes){octets.data + end, octets.length - end}, is_masked, out);
    }
    drop_unreadable_lines(out);
    return out;
}
