#include "policy/text/fold.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "policy/text/limits.h"

/* A code point becomes at most 18 (U+FDFA); one more word for the NUL of utf8proc_reencode. */
#define CLUSTER_BUFFER (FOLD_MAX_CLUSTER * 18 + 1)

struct folding {
    struct folded *out;
    const guint8 *start, *end; /* of the original */
    guint flags;
    gsize capacity;   /* of out->text */
    guint point_room; /* of out->points */
    gssize delta;     /* origin minus result offset in the present run; G_MINSSIZE none */
    gboolean space;   /* white space is waiting for something to stand before */
    const guint8 *space_at;
};

static void reserve(struct folding *f, gsize octets)
{
    if (f->capacity - f->out->length > octets)
        return;
    f->capacity = f->capacity * 2 + octets + 1;
    f->out->text = g_realloc(f->out->text, f->capacity);
}

static void add_point(struct folding *f, const guint8 *from, gboolean whole)
{
    struct folded *out = f->out;
    if (out->point_count == f->point_room) {
        f->point_room = f->point_room * 2 + 8;
        out->points = g_renew(struct fold_point, out->points, f->point_room);
    }
    struct fold_point *point = &out->points[out->point_count++];
    point->folded = (guint32)out->length;
    point->origin = (guint32)(from - f->start);
    point->whole = whole;
    f->delta = whole ? G_MINSSIZE : (gssize)(from - f->start) - (gssize)out->length;
}

/* Before something that comes from `from`: the white space that waited for it, and a point if the way back
 * takes a turn here. */
static void begin(struct folding *f, const guint8 *from, gboolean whole)
{
    struct folded *out = f->out;
    if (f->space) {
        f->space = FALSE;
        if (out->length > 0) {
            if ((gssize)(f->space_at - f->start) - (gssize)out->length != f->delta)
                add_point(f, f->space_at, FALSE);
            out->text[out->length++] = ' ';
        }
    }
    if (whole || (gssize)(from - f->start) - (gssize)out->length != f->delta)
        add_point(f, from, whole);
}

/* Appends octets that stand for `taken` octets of the original. */
static void append(struct folding *f, const char *octets, gsize count, const guint8 *from, gsize taken)
{
    struct folded *out = f->out;
    reserve(f, count + 1);
    begin(f, from, count != taken);
    for (gsize i = 0; i < count; i++)
        out->text[out->length + i] = octets[i];
    out->length += count;
}

/* Facts 9.4: the forms that stand in marks. Not a conversion of traditional text. */
gunichar fold_form(gunichar c)
{
    switch (c) {
    case 0x7D55:       /* 絕 */
    case 0x7D76:       /* 絶 */
        return 0x7EDD; /* 绝 */
    case 0x6A5F:       /* 機 */
        return 0x673A; /* 机 */
    case 0x7955:       /* 祕 */
        return 0x79D8; /* 秘 */
    case 0x7D1A:       /* 級 */
        return 0x7EA7; /* 级 */
    case 0x9577:       /* 長 */
        return 0x957F; /* 长 */
    case 0x5167:       /* 內 */
        return 0x5185; /* 内 */
    case 0x958B:       /* 開 */
        return 0x5F00; /* 开 */
    case 0x555F:       /* 啟 */
    case 0x5553:       /* 啓 */
        return 0x542F; /* 启 */
    case 0x500B:       /* 個 */
        return 0x4E2A; /* 个 */
    case 0x5F8C:       /* 後 */
        return 0x540E; /* 后 */
    case 0x2606:       /* ☆ */
    case 0x2B50:       /* ⭐ */
    case 0x2B51:       /* ⭑ */
    case 0x22C6:       /* ⋆ */
    case 0x1F31F:      /* 🌟 */
    case 0x272A:       /* ✪ */
    case 0x272B:       /* ✫ */
    case 0x272C:       /* ✬ */
    case 0x272D:       /* ✭ */
    case 0x272E:       /* ✮ */
    case 0x272F:       /* ✯ */
    case 0x2730:       /* ✰ */
        return 0x2605; /* ★ */
    case 0x25B3:       /* △ */
    case 0x25B4:       /* ▴ */
        return 0x25B2; /* ▲ */
    }
    return c;
}

/* White space, and what looks like it: control characters, the empty Braille cell. */
static gboolean is_white(gunichar c)
{
    return c <= 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x2800 || c == 0x3000;
}

static gboolean turns_direction(gunichar c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* One character of the result, already normalised. A NUL never passes: the result is a string, too. */
static void put(struct folding *f, gunichar c, const guint8 *from, gsize taken)
{
    if ((f->flags & FOLD_SPACE) && is_white(c)) {
        if (!f->space)
            f->space_at = from;
        f->space = TRUE;
        return;
    }
    if (f->flags & FOLD_FORMS)
        c = fold_form(c);
    char octets[6];
    gsize count = (gsize)g_unichar_to_utf8(c == 0 ? 0xFFFD : c, octets);
    append(f, octets, count, from, taken);
}

/* Can what begins here join the character before it? FALSE only where that is sure at a glance. */
static gboolean may_join(const guint8 *p, const guint8 *end)
{
    if (p >= end || p[0] < 0x80 || (p[0] >= 0xE4 && p[0] <= 0xE9))
        return FALSE;
    if (end - p >= 3 && p[0] == 0xE3 && p[1] == 0x80 && p[2] < 0xAA) /* U+3000–3029 */
        return FALSE;
    return !(end - p >= 3 && p[0] == 0xEF && p[1] == 0xBC); /* U+FF00–FF3F */
}

/* Joins the character before it when normalised: combining characters, Hangul vowels and finals, half-width
 * sound marks. */
static gboolean joins(gunichar c, const utf8proc_property_t *property)
{
    return property->category == UTF8PROC_CATEGORY_MN || property->category == UTF8PROC_CATEGORY_MC ||
           property->category == UTF8PROC_CATEGORY_ME || property->boundclass == UTF8PROC_BOUNDCLASS_V ||
           property->boundclass == UTF8PROC_BOUNDCLASS_T || (c >= 0xFF9E && c <= 0xFFDC);
}

/* Default_Ignorable_Code_Point; the tables of utf8proc have it for assigned characters only. */
static gboolean is_ignorable(gunichar c, const utf8proc_property_t *property)
{
    return property->ignorable || c == 0x2065 || (c >= 0xFFF0 && c <= 0xFFF8) ||
           (c >= 0xE0000 && c <= 0xE0FFF);
}

/* A character and what joins it, without what is ignored. */
struct cluster {
    guint8 octets[FOLD_MAX_CLUSTER * 4];
    gsize length;
    guint count; /* characters read, ignored ones included */
    gunichar first;
    gboolean plain; /* one character that stays as it is */
};

/* Takes the character at p into the cluster, unless it does not join; its end, or p if it was not taken. */
static const guint8 *take_character(struct folding *f, struct cluster *cluster, const guint8 *p)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t used = p < f->end ? utf8proc_iterate(p, f->end - p, &c) : 0;
    if (used <= 0 || cluster->count == FOLD_MAX_CLUSTER)
        return p;
    const utf8proc_property_t *property = utf8proc_get_property(c);
    gboolean ignorable = is_ignorable((gunichar)c, property);
    if (cluster->length > 0 && !ignorable && !joins((gunichar)c, property))
        return p;
    f->out->bidi |= turns_direction((gunichar)c);
    cluster->count++;
    if (ignorable)
        return p + used;
    cluster->plain = cluster->length == 0 && property->decomp_seqindex == G_MAXUINT16 &&
                     (property->casefold_seqindex == G_MAXUINT16 || !(f->flags & FOLD_CASE));
    cluster->first = cluster->length == 0 ? (gunichar)c : cluster->first;
    memcpy(cluster->octets + cluster->length, p, (gsize)used);
    cluster->length += (gsize)used;
    return p + used;
}

/* Normalises a cluster, which stands for `taken` octets of the original, with the Unicode tables. */
static void put_cluster(struct folding *f, const struct cluster *cluster, const guint8 *from, gsize taken)
{
    utf8proc_int32_t buffer[CLUSTER_BUFFER];
    utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_IGNORE;
    if (f->flags & FOLD_CASE)
        options |= UTF8PROC_CASEFOLD;
    utf8proc_ssize_t count = utf8proc_decompose(cluster->octets, (utf8proc_ssize_t)cluster->length, buffer,
                                                CLUSTER_BUFFER - 1, options);
    g_assert(count >= 0 &&
             count < CLUSTER_BUFFER); /* valid by take_character, and no longer than a cluster may be */
    count = utf8proc_normalize_utf32(buffer, count, options);
    g_assert(count >= 0);
    for (utf8proc_ssize_t i = 0; i < count; i++)
        put(f, (gunichar)buffer[i], from, count == 1 ? taken : 0);
}

/* The cluster that begins at p, by the Unicode tables; returns its end. */
static const guint8 *fold_slow(struct folding *f, const guint8 *p)
{
    struct cluster cluster;
    cluster.length = cluster.count = 0;
    const guint8 *end = p, *next = take_character(f, &cluster, p);
    if (next == p) {
        put(f, 0xFFFD, p, 1);
        return p + 1;
    }
    for (; next > end; next = take_character(f, &cluster, end))
        end = next;
    if (cluster.length > 0 && cluster.plain)
        put(f, cluster.first, p, (gsize)(end - p));
    else if (cluster.length > 0)
        put_cluster(f, &cluster, p, (gsize)(end - p));
    return end;
}

/* ---------------------------------------------------------------- the fast way */
/* As g_ascii_tolower, which is a call into another library for each octet. */
static inline char lower_octet(guint8 octet)
{
    return (char)(octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet);
}

static gboolean is_follower(guint8 octet)
{
    return (octet & 0xC0) == 0x80;
}

/* The octets of the character at p if it stays as it is, but for its case: ASCII that nothing joins,
 * U+4000–9FFF without a form, the punctuation of Chinese. These are normal in every form. 0 if it has to be
 * looked at. */
static gsize plain_at(const struct folding *f, const guint8 *p)
{
    guint8 c = p[0];
    if (c > 0x20 && c < 0x7F)
        return may_join(p + 1, f->end) ? 0 : 1;
    if (c < 0xE2 || c > 0xE9 || f->end - p < 3 || !is_follower(p[1]) || !is_follower(p[2]))
        return 0;
    if (c == 0xE2)
        return p[1] == 0x80 && p[2] >= 0x98 && p[2] <= 0x9F ? 3 : 0; /* quotation marks */
    if (c == 0xE3)
        return p[1] == 0x80 && p[2] > 0x80 && p[2] < 0xAA ? 3 : 0; /* 、 to 〩 */
    gunichar han = (gunichar)(c & 0x0F) << 12 | (gunichar)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    return (f->flags & FOLD_FORMS) && fold_form(han) != han ? 0 : 3;
}

/* Copies characters that stay as they are, and single spaces between them; the first one is `length` octets
 * long. */
static const guint8 *copy_run(struct folding *f, const guint8 *p, gsize length)
{
    reserve(f, (gsize)(f->end - p) + 2);
    begin(f, p, FALSE);
    gboolean lower = (f->flags & FOLD_CASE) != 0;
    char *to = f->out->text + f->out->length;
    while (length > 0) {
        if (length == 1) {
            *to++ = lower ? lower_octet(*p) : (char)*p;
        } else {
            memcpy(to, p, 3);
            to += 3;
        }
        p += length;
        length = p < f->end ? plain_at(f, p) : 0;
        if (length > 0 || f->end - p < 2 || *p != ' ')
            continue;
        length = plain_at(f, p + 1);
        if (length == 0)
            continue;
        *to++ = ' ';
        p++;
    }
    f->out->length = (gsize)(to - f->out->text);
    return p;
}

static void fold_all(struct folding *f)
{
    for (const guint8 *p = f->start; p < f->end;) {
        gsize length = plain_at(f, p);
        if (length > 0) {
            p = copy_run(f, p, length);
        } else if (p[0] == 0xEF && f->end - p >= 3 && p[1] == 0xBC && p[2] >= 0x81 && p[2] <= 0xBF &&
                   !may_join(p + 3, f->end)) {
            char octet = (char)(p[2] - 0x60); /* U+FF01–FF3F are ! to _ at full width */
            octet = (f->flags & FOLD_CASE) ? lower_octet((guint8)octet) : octet;
            append(f, &octet, 1, p, 3);
            p += 3;
        } else if (p[0] < 0x80 && !may_join(p + 1, f->end)) {
            put(f, p[0], p, 1);
            p++;
        } else {
            p = fold_slow(f, p);
        }
    }
}

struct folded *fold_text(const char *text, gsize length, guint flags)
{
    g_return_val_if_fail(length <= G_MAXINT32 / 2, NULL);
    struct folded *out = g_new0(struct folded, 1);
    out->origin_length = length;
    const guint8 *start = (const guint8 *)text;
    struct folding f = {.out = out, .start = start, .end = start + length, .flags = flags};
    reserve(&f, length + 8);
    fold_all(&f);
    out->text[out->length] = '\0';
    return out;
}

void folded_free(struct folded *folded)
{
    if (folded == NULL)
        return;
    g_free(folded->text);
    g_free(folded->points);
    g_free(folded);
}

gsize folded_origin(const struct folded *folded, gsize offset)
{
    if (offset >= folded->length)
        return folded->origin_length;
    guint low = 0, high = folded->point_count; /* the last point at or before offset is below high */
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (folded->points[middle].folded <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return offset; /* before the first point nothing has changed */
    const struct fold_point *point = &folded->points[low - 1];
    return point->whole ? point->origin : point->origin + (offset - point->folded);
}

char *fold_string(const char *text, guint flags)
{
    g_autoptr(folded) folded = fold_text(text, strlen(text), flags);
    return g_steal_pointer(&folded->text);
}

char *fold_nfc(const char *text)
{
    utf8proc_uint8_t *normal = utf8proc_NFC((const utf8proc_uint8_t *)text);
    char *copy = g_strdup(normal != NULL ? (const char *)normal : text);
    free(normal);
    return copy;
}
