#include "policy/text/excerpt.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"

/* The part of a line that is shown, and the place in it. */
struct view {
    const char *begin, *end;
    const char *from, *to; /* what the carets stand below */
    gboolean cut_before, cut_behind;
};

/* Moves back from p by at most `cells` cells. */
static const char *step_back(const char *line, const char *p, guint cells)
{
    while (p > line) {
        const char *before = p - 1;
        guint length;
        while (before > line && ((guchar)*before & 0xC0) == 0x80 && p - before < 6)
            before--;
        gunichar c = character_read(before, p, &length);
        if (before + length != p) {
            c = CHARACTER_INVALID;
            before = p - 1;
        }
        guint width = character_cells(c);
        if (width > cells)
            break;
        cells -= width;
        p = before;
    }
    return p;
}

/* Moves on from p by at most `cells` cells. */
static const char *step_on(const char *p, const char *end, guint cells)
{
    while (p < end) {
        guint length;
        guint width = character_cells(character_read(p, end, &length));
        if (width > cells)
            break;
        cells -= width;
        p += length;
    }
    return p;
}

static struct view view_of(struct span span, guint32 line_number)
{
    guint32 length;
    const char *line = source_line(span.source, line_number, &length);
    const char *place = span.source->text + span.offset;
    struct view view = {.begin = line, .end = line + length};

    view.from = CLAMP(place, line, view.end);
    view.to = CLAMP(place + span.length, view.from, view.end);
    const char *end = view.end;
    if (step_on(line, end, DIAGNOSTIC_MAX_CELLS) < end) {
        view.begin = step_back(line, view.from, DIAGNOSTIC_MAX_CELLS / 3);
        view.end = step_on(view.begin, end, DIAGNOSTIC_MAX_CELLS);
        view.to = MIN(view.to, view.end);
        view.cut_before = view.begin > line;
        view.cut_behind = view.end < end;
    }
    return view;
}

/* Appends, for each cell of [p, end), the sign; tabs stay tabs. */
static void append_cells(GString *out, const char *p, const char *end, char sign)
{
    guint length;

    for (; p < end; p += length) {
        gunichar c = character_read(p, end, &length);
        if (c == '\t') {
            g_string_append_c(out, '\t');
            continue;
        }
        for (guint n = character_cells(c); n > 0; n--)
            g_string_append_c(out, sign);
    }
}

void excerpt_append(GString *out, struct span span)
{
    guint32 number = source_position(span.source, span.offset).line;
    struct view view = view_of(span, number);
    g_autofree char *text = character_visible(view.begin, (gsize)(view.end - view.begin));
    g_autofree char *margin = g_strdup_printf("%5u", number);

    g_string_append_printf(out, "%s | %s%s%s\n", margin, view.cut_before ? "…" : "", text,
                           view.cut_behind ? "…" : "");
    for (const char *p = margin; *p != '\0'; p++)
        g_string_append_c(out, ' ');
    g_string_append(out, view.cut_before ? " |  " : " | ");
    append_cells(out, view.begin, view.from, ' ');
    gsize caret = out->len;
    append_cells(out, view.from, view.to, '~');
    if (out->len > caret && out->str[caret] == '~')
        out->str[caret] = '^';
    else
        g_string_insert_c(out, (gssize)caret, '^');
    g_string_append_c(out, '\n');
}
