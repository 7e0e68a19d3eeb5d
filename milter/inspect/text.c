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

/* A text in UTF-8: in the message itself, in `decoded` or in `converted`. */
struct utf8 {
    const char *text;
    gsize length;
    GString *decoded, *converted; /* NULL: not needed */
};

static void utf8_clear(gpointer data)
{
    struct utf8 *utf8 = data;

    if (utf8->decoded != NULL)
        g_string_free(utf8->decoded, TRUE);
    if (utf8->converted != NULL)
        g_string_free(utf8->converted, TRUE);
}

static void set_converted(struct utf8 *utf8, GString *converted)
{
    if (utf8->converted != NULL)
        g_string_free(utf8->converted, TRUE);
    utf8->converted = converted;
    utf8->text = converted->str;
    utf8->length = converted->len;
}

static void read_text(const struct own_text *text, const struct inspect_limits *limits, struct utf8 *utf8,
                      struct answer *answer)
{
    GString *converted;

    *utf8 = (struct utf8){text->octets, text->length, g_string_new(NULL), NULL};
    decode_transfer(text, utf8->decoded, &utf8->text, &utf8->length, answer);
    if (utf8->length > limits->text_size_bytes) {
        answer_finding(answer, FINDING_TEXT_TOO_LARGE, text->part, NULL);
        utf8->length = limits->text_size_bytes;
    }
    converted = convert(text, utf8->text, utf8->length, answer);
    if (converted != NULL)
        set_converted(utf8, converted);
    if (memchr(utf8->text, '\0', utf8->length) != NULL)
        answer_finding(answer, FINDING_BARE_NUL, text->part, NULL);
    if (text->is_html)
        set_converted(utf8, make_text_of_html(text, utf8->text, utf8->length, answer));
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
    g_autoptr(GArray) kept = g_array_new(FALSE, TRUE, sizeof(struct utf8)); /* the lines point into them */
    struct lines *lines = lines_new(answer);
    guint plain_alternative = 0; /* the last one that has plain text */

    g_array_set_clear_func(kept, utf8_clear);
    for (guint i = 0; i < texts->len; i++) {
        const struct own_text *text = &g_array_index(texts, struct own_text, i);
        struct utf8 utf8;
        if (text->is_html && text->alternative != 0 && text->alternative == plain_alternative)
            continue;
        read_text(text, limits, &utf8, answer);
        g_array_append_val(kept, utf8);
        if (lines_add(lines, utf8.text, utf8.length) && !text->is_html)
            plain_alternative = text->alternative;
        if (is_armoured(utf8.text, utf8.length)) {
            answer_finding(answer, FINDING_ENCRYPTED, text->part, "OpenPGP");
            answer_part_flag(answer, text->part, PART_ENCRYPTED);
        }
    }
    lines_finish(lines);
}
