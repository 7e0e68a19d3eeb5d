/* mark_filter: lines that cannot hold a mark are passed over without folding them. */
#include "policy/label/mark_table.h"

/* The character at p as the folded line will have it, if that is seen at a glance; else 0. *next: behind it.
 */
static gunichar character_at(const guint8 *p, const guint8 *end, const guint8 **next)
{
    gsize length = p < end && p[0] < 0x80 ? 1 : 3;
    if (end - p < (gssize)length || (length == 3 && (p[0] < 0xE4 || p[0] > 0xE9)))
        return 0;
    *next = p + length;
    if (length == 1)
        return p[0] > 0x20 && p[0] < 0x7F ? (gunichar)g_ascii_tolower((char)p[0]) : 0;
    return fold_form((gunichar)(p[0] & 0x0F) << 12 | (gunichar)(p[1] & 0x3F) << 6 | (p[2] & 0x3F));
}

static gboolean may_begin(const struct mark_table *table, const guint8 *p, const guint8 *end)
{
    const guint8 *next = p;
    gunichar first = character_at(p, end, &next);
    gunichar second = first != 0 ? character_at(next, end, &next) : 0;
    for (guint i = 0; i < table->beginnings->len; i++) {
        const struct mark_beginning *beginning = &g_array_index(table->beginnings, struct mark_beginning, i);
        if (beginning->first == first &&
            (second == 0 || beginning->second == 0 || beginning->second == second))
            return TRUE;
    }
    return first == 0;
}

/* Full-width punctuation that folds to ASCII, and what it folds to; 0 for everything else. */
static guint8 narrow(const guint8 *p, const guint8 *end)
{
    return end - p >= 3 && p[0] == 0xEF && p[1] == 0xBC && p[2] >= 0x81 && p[2] <= 0xBF ? p[2] - 0x60 : 0;
}

static gboolean is_full_stop(const guint8 *p, const guint8 *end)
{
    return end - p >= 3 && p[0] == 0xE3 && p[1] == 0x80 && (p[2] == 0x81 || p[2] == 0x82); /* 、 。 */
}

/* The length of a character that is not quiet; 0 where a mark may be. */
static guint look_closer(const struct mark_table *table, const guint8 *p, const guint8 *end)
{
    guint8 narrowed = narrow(p, end);
    if (table->trigger[narrowed != 0 ? narrowed : p[0]] & LINE_TRIGGERS)
        return 0;
    return narrowed != 0 || is_full_stop(p, end) ? 3 : 0;
}

/* Eight octets at once, without a branch. */
static gboolean are_quiet(const guint8 quiet[256], const guint8 *p)
{
    return quiet[p[0]] & quiet[p[1]] & quiet[p[2]] & quiet[p[3]] & quiet[p[4]] & quiet[p[5]] & quiet[p[6]] &
           quiet[p[7]];
}

/* Nothing but ASCII, U+4000–9FFF, full-width ASCII, 、 and 。 is passed over, and none of these where a sign
 * or a key's colon may be. What the tables of Unicode would have to tell is not judged here. */
gboolean mark_table_may_hold(const struct mark_table *table, const char *line, gsize length)
{
    const guint8 *octets = (const guint8 *)line, *end = octets + length;
    gsize at = 0;
    while (at < length && octets[at] <= 0x20)
        at++;
    if (at == length)
        return FALSE;
    if (may_begin(table, octets + at, end))
        return TRUE;
    for (guint step = 0;; at += step) {
        /* Octet by octet: where the next character begins need not be known to read on. */
        while (length - at >= 8 && are_quiet(table->quiet, octets + at))
            at += 8;
        while (at < length && table->quiet[octets[at]])
            at++;
        if (at >= length)
            return FALSE;
        step = look_closer(table, octets + at, end);
        if (step == 0)
            return TRUE;
    }
}
