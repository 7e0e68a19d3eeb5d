#include "policy/text/source.h"

#include "policy/text/character.h"

/* The line, from 0, on which an offset lies. */
static guint32 line_at(const struct source *source, guint32 offset)
{
    guint32 low = 0, high = source->line_count;

    while (high - low > 1) {
        guint32 middle = low + (high - low) / 2;
        if (source->line_start[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct position source_position(const struct source *source, guint32 offset)
{
    offset = MIN(offset, source->length);
    guint32 line = line_at(source, offset);
    guint32 start = source->line_start[line];

    return (struct position){line + 1, character_count(source->text + start, offset - start) + 1};
}

const char *source_line(const struct source *source, guint32 line, guint32 *length)
{
    g_assert(line >= 1 && line <= source->line_count);
    guint32 start = source->line_start[line - 1];
    guint32 end = line < source->line_count ? source->line_start[line] - 1 : source->length;

    if (line < source->line_count && end > start && source->text[end - 1] == '\r')
        end--;
    *length = end - start;
    return source->text + start;
}

char *span_text(struct span span)
{
    return g_strndup(span.source->text + span.offset, span.length);
}

struct span span_join(struct span a, struct span b)
{
    g_assert(a.source == b.source && a.offset <= b.offset + b.length);
    return (struct span){a.source, a.offset, b.offset + b.length - a.offset};
}
