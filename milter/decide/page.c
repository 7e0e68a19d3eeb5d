#include "milter/decide/page.h"

#include <string.h>

#define PAGE_CELLS 80

static guint cells_of(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint page_cells(const char *text)
{
    guint cells = 0;

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        cells += cells_of(g_utf8_get_char(p));
    return cells;
}

struct page page_new(void)
{
    return (struct page){.text = g_string_new(NULL)};
}

char *page_finish(struct page *page)
{
    return g_string_free(g_steal_pointer(&page->text), FALSE);
}

/* Valid UTF-8 of one line without anything that a terminal obeys. length: -1 to the NUL. */
static char *tame_octets(const char *text, gssize length)
{
    g_autofree char *valid = g_utf8_make_valid(text, length);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean shown = g_unichar_isprint(c) && g_unichar_type(c) != G_UNICODE_FORMAT;
        g_string_append_unichar(out, shown ? c : '?');
    }
    return g_string_free(out, FALSE);
}

static char *tame(const char *text)
{
    return tame_octets(text, -1);
}

static void append_blanks(struct page *page, guint count)
{
    for (guint i = 0; i < count; i++)
        g_string_append_c(page->text, ' ');
}

void page_blank(struct page *page)
{
    g_string_append_c(page->text, '\n');
}

void page_heading(struct page *page, const char *heading)
{
    g_string_append_printf(page->text, "%s%s\n", page->text->len > 0 ? "\n" : "", heading);
}

/* May a line begin with this character, behind another? Behind a blank; between Chinese characters, but not
 * with what closes something. */
static gboolean may_begin(gunichar before, gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    if (before == ' ')
        return c != ' ';
    if (type == G_UNICODE_CLOSE_PUNCTUATION || type == G_UNICODE_OTHER_PUNCTUATION ||
        type == G_UNICODE_FINAL_PUNCTUATION || c == ' ')
        return FALSE;
    return cells_of(before) == 2 || cells_of(c) == 2;
}

/* A line that would end within a Chinese word may be so much shorter, if it then ends at a blank. */
#define RAGGED_CELLS 8

/* The octets of the first line, with the blanks at its end. */
static gsize line_bytes(const char *text, guint room)
{
    guint cells = 0, at_blank = 0;
    gsize at = 0, last = 0, blank = 0;
    gunichar before = 0;

    while (text[at] != '\0') {
        gunichar c = g_utf8_get_char(text + at);

        if (at > 0 && may_begin(before, c))
            last = at;
        if (last == at && before == ' ') {
            blank = at;
            at_blank = cells;
        }
        if (cells + cells_of(c) > room && c != ' ') {
            if (blank > 0 && at_blank + RAGGED_CELLS >= room)
                return blank;
            return last > 0 ? last : MAX(at, 1);
        }
        cells += cells_of(c);
        at += (gsize)(g_utf8_next_char(text + at) - (text + at));
        before = c;
    }
    return at;
}

static void append_wrapped(struct page *page, guint column, const char *value)
{
    guint room = column < PAGE_CELLS - 10 ? PAGE_CELLS - column : 10;

    while (*value != '\0') {
        gsize length = line_bytes(value, room), shown = length;

        while (shown > 0 && value[shown - 1] == ' ')
            shown--;
        g_string_append_len(page->text, value, (gssize)shown);
        g_string_append_c(page->text, '\n');
        value += length;
        if (*value != '\0')
            append_blanks(page, column);
    }
}

void page_field(struct page *page, guint indent, guint column, const char *name, const char *value)
{
    g_autofree char *tame_name = tame(name);
    g_autofree char *tame_value = g_strstrip(tame(value != NULL ? value : ""));
    guint at = indent + page_cells(tame_name);

    append_blanks(page, indent);
    g_string_append(page->text, tame_name);
    if (tame_value[0] == '\0') {
        g_string_append_c(page->text, '\n');
        return;
    }
    if (at >= column && tame_name[0] != '\0') { /* a long name has a line of its own */
        g_string_append_c(page->text, '\n');
        at = 0;
    }
    append_blanks(page, column > at ? column - at : 0);
    append_wrapped(page, column, tame_value);
}

/* Tabs go to the next eighth cell of octets, which is near enough for what is read and not measured. */
static char *without_tabs(const char *line, gsize length)
{
    GString *out = g_string_sized_new(length + 16);

    for (gsize i = 0; i < length; i++) {
        if (line[i] != '\t') {
            g_string_append_c(out, line[i]);
            continue;
        }
        do
            g_string_append_c(out, ' ');
        while (out->len % 8 != 0);
    }
    length = out->len;
    char *octets = g_string_free(out, FALSE);
    char *tamed = tame_octets(octets, (gssize)length);
    g_free(octets);
    return tamed;
}

void page_text(struct page *page, const char *octets, gsize length)
{
    for (gsize at = 0; at < length;) {
        const char *end = memchr(octets + at, '\n', length - at);
        gsize line = end != NULL ? (gsize)(end - octets) - at : length - at;
        gsize shown = line > 0 && end != NULL && octets[at + line - 1] == '\r' ? line - 1 : line;
        g_autofree char *text = without_tabs(octets + at, shown);

        g_strchomp(text);
        if (text[0] == '\0')
            page_blank(page);
        else
            append_wrapped(page, 0, text);
        at += line + 1;
    }
}
