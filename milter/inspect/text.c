#include "milter/inspect/text.h"

#include <string.h>

#include "milter/inspect/charset.h"
#include "milter/inspect/html.h"
#include "milter/inspect/lines.h"
#include "milter/inspect/limits.h"

static void damage(struct answer *answer, enum finding_id id, guint part, const char *detail)
{
    answer_finding(answer, id, part, detail);
    answer_part_flag(answer, part, PART_DAMAGED);
}

/* Takes the transfer encoding off. What is not encoded is not copied: *octets and *length then stay. */
static void decode_transfer(const struct own_text *text, GString *decoded, const char **octets, gsize *length,
                            struct answer *answer)
{
    guint anomalies;

    switch (text->encoding) {
    case TRANSFER_PLAIN:
        return;
    case TRANSFER_BASE64:
        anomalies = transfer_base64(*octets, *length, decoded);
        if (anomalies != 0)
            damage(answer, FINDING_BAD_BASE64, text->part,
                   (anomalies & TRANSFER_PADDING) != 0   ? "padding"
                   : (anomalies & TRANSFER_FOREIGN) != 0 ? "octets"
                                                         : "end");
        break;
    case TRANSFER_QUOTED_PRINTABLE:
        if (transfer_quoted_printable(*octets, *length, decoded) != 0)
            answer_finding(answer, FINDING_BAD_QP, text->part, NULL);
        break;
    case TRANSFER_UUENCODE:
    case TRANSFER_UNKNOWN:
        damage(answer, FINDING_DAMAGED, text->part, "transfer encoding");
        answer_part_flag(answer, text->part, PART_UNREAD);
        return;
    }
    *octets = decoded->str;
    *length = decoded->len;
}

/* Converts to UTF-8; NULL if it is UTF-8 as it stands. */
static GString *convert(const struct own_text *text, const char *octets, gsize length, struct answer *answer)
{
    enum charset_id charset =
        text->charset[0] != '\0' ? charset_find(text->charset, strlen(text->charset)) : CHARSET_ASCII;
    gboolean invalid = FALSE;
    g_autoptr(GString) out = NULL;

    if (charset == CHARSET_UNKNOWN)
        damage(answer, FINDING_UNKNOWN_CHARSET, text->part, text->charset);
    if (charset_keeps_ascii(charset) && octets_are_ascii(octets, length))
        return NULL;
    if (charset == CHARSET_ASCII && text->charset[0] != '\0')
        answer_finding(answer, FINDING_WRONG_CHARSET, text->part, text->charset);
    if (charset == CHARSET_ASCII)
        charset = CHARSET_UTF_8; /* what it is when it is not GB18030 */
    if (charset == CHARSET_UTF_8 && g_utf8_validate_len(octets, length, NULL))
        return NULL;
    out = g_string_sized_new(length + length / 2);
    if (charset != CHARSET_UNKNOWN && charset_decode_strict(charset, octets, length, out))
        return g_steal_pointer(&out);
    charset_guess(octets, length, out, &invalid);
    if (invalid && charset != CHARSET_UNKNOWN) {
        g_string_truncate(out, 0);
        charset_decode(charset, octets, length, out);
    }
    if (text->charset[0] != '\0' || invalid)
        answer_finding(answer, FINDING_WRONG_CHARSET, text->part, text->charset);
    return g_steal_pointer(&out);
}

static GString *make_text_of_html(const struct own_text *text, const char *utf8, gsize length,
                                  struct answer *answer)
{
    g_autoptr(GString) clean = g_string_new_len(utf8, length);
    GString *out = g_string_sized_new(length / 2);

    octets_remove_nuls(clean);
    if (!html_to_text(clean->str, clean->len, out)) {
        damage(answer, FINDING_DAMAGED, text->part, "html");
        answer_part_flag(answer, text->part, PART_UNREAD);
    }
    return out;
}

/* One run over the texts of a message. */
struct run {
    const struct inspect_limits *limits;
    struct answer *answer;
    struct lines *lines;
    GPtrArray *kept; /* GString *, into which the lines point */
};

static GString *keep(struct run *run, GString *string)
{
    g_ptr_array_add(run->kept, string);
    return string;
}

static void string_free(gpointer string)
{
    g_string_free(string, TRUE);
}

/* The octets behind the transfer encoding. */
static struct bytes octets_of(struct run *run, const struct own_text *text)
{
    struct bytes octets = {text->octets, text->length};

    decode_transfer(text, keep(run, g_string_new(NULL)), &octets.data, &octets.length, run->answer);
    if (octets.length > run->limits->text_size_bytes) {
        answer_finding(run->answer, FINDING_TEXT_TOO_LARGE, text->part, NULL);
        octets.length = run->limits->text_size_bytes;
    }
    return octets;
}

/* The text in UTF-8. */
static struct bytes read_text(struct run *run, const struct own_text *text, struct bytes octets)
{
    GString *converted = convert(text, octets.data, octets.length, run->answer);
    struct bytes utf8 = octets;

    if (converted != NULL)
        utf8 = (struct bytes){keep(run, converted)->str, converted->len};
    if (memchr(utf8.data, '\0', utf8.length) != NULL)
        answer_finding(run->answer, FINDING_BARE_NUL, text->part, NULL);
    if (text->is_html) {
        GString *plain = keep(run, make_text_of_html(text, utf8.data, utf8.length, run->answer));
        utf8 = (struct bytes){plain->str, plain->len};
    }
    return utf8;
}

/* ---------------------------------------------------------------- other readings */
/* NULs are counted elsewhere. */
static gboolean is_utf8(struct bytes octets)
{
    const char *at = octets.data, *end = at + octets.length;

    while (!g_utf8_validate_len(at, end - at, &at)) {
        if (*at != '\0')
            return FALSE;
        at++;
    }
    return TRUE;
}

/* Octets that mean the same to every program: ASCII, or UTF-8 that nobody calls something else. */
static gboolean has_one_reading(const struct own_text *text, struct bytes octets)
{
    enum charset_id charset =
        text->charset[0] != '\0' ? charset_find(text->charset, strlen(text->charset)) : CHARSET_UTF_8;

    if (charset_keeps_ascii(charset) && octets_are_ascii(octets.data, octets.length))
        return TRUE;
    return (charset == CHARSET_UTF_8 || charset == CHARSET_ASCII) && is_utf8(octets);
}

/* Lines that a reading cannot read become empty: another one can, or none. */
static void drop_unreadable_lines(GString *text)
{
    char *end = text->str + text->len, *to = text->str;

    for (char *line = text->str; line < end;) {
        char *newline = memchr(line, '\n', end - line), *next = newline != NULL ? newline : end;
        if (g_strstr_len(line, next - line, "\xef\xbf\xbd") == NULL) {
            memmove(to, line, next - line);
            to += next - line;
        }
        if (newline != NULL)
            *to++ = '\n';
        line = next + (newline != NULL);
    }
    g_string_truncate(text, to - text->str);
}

/* Whatever it is called: programs guess, and GBK is valid in nearly every other charset (facts 9.2). A wrong
 * reading has no marks in it. */
static void add_other_readings(struct run *run, const struct own_text *text, struct bytes octets,
                               struct lines_place place)
{
    static const enum charset_id readings[] = {CHARSET_UTF_8, CHARSET_GB18030, CHARSET_BIG5};
    gsize length = MIN(octets.length, LIMIT_READING_BYTES);

    for (gsize i = 0; i < G_N_ELEMENTS(readings); i++) {
        GString *utf8 = keep(run, g_string_sized_new(length + length / 2));
        charset_decode(readings[i], octets.data, length, utf8);
        if (text->is_html) {
            g_autoptr(GString) html = g_string_new_len(utf8->str, utf8->len);
            octets_remove_nuls(html);
            g_string_truncate(utf8, 0);
            html_to_text(html->str, html->len, utf8);
        }
        drop_unreadable_lines(utf8);
        lines_return(run->lines, place);
        lines_add(run->lines, utf8->str, utf8->len);
    }
}

/* OpenPGP in the text itself (RFC 9580 6.2): nobody but its recipient can read it. */
static gboolean is_armoured(const char *text, gsize length)
{
    static const char mark[] = "-----BEGIN PGP MESSAGE-----";
    const char *found = memmem(text, MIN(length, 1 << 20), mark, strlen(mark));

    return found != NULL && (found == text || found[-1] == '\n');
}

void texts_report(const GArray *texts, const struct inspect_limits *limits, struct answer *answer)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(string_free);
    struct run run = {limits, answer, lines_new(answer), kept};
    struct lines_place place = lines_here(run.lines);
    guint alternative = 0;

    for (guint i = 0; i < texts->len; i++) {
        const struct own_text *text = &g_array_index(texts, struct own_text, i);
        if (text->alternative != 0 && text->alternative == alternative)
            lines_return(run.lines, place);
        else
            place = lines_here(run.lines);
        alternative = text->alternative;
        struct bytes octets = octets_of(&run, text), utf8 = read_text(&run, text, octets);
        lines_add(run.lines, utf8.data, utf8.length);
        if (!has_one_reading(text, octets))
            add_other_readings(&run, text, octets, place);
        if (is_armoured(utf8.data, utf8.length)) {
            answer_finding(answer, FINDING_ENCRYPTED, text->part, "OpenPGP");
            answer_part_flag(answer, text->part, PART_ENCRYPTED);
        }
    }
    lines_finish(run.lines);
}
