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

static void remove_nuls(GString *text)
{
    gsize kept = 0;

    for (gsize at = 0; at < text->len; at++) {
        if (text->str[at] != '\0')
            text->str[kept++] = text->str[at];
    }
    g_string_truncate(text, kept);
}

static GString *make_text_of_html(const struct own_text *text, const char *utf8, gsize length,
                                  struct answer *answer)
{
    g_autoptr(GString) clean = g_string_new_len(utf8, length);
    GString *out = g_string_sized_new(length / 2);

    remove_nuls(clean);
    if (!html_to_text(clean->str, clean->len, out)) {
        damage(answer, FINDING_DAMAGED, text->part, "html");
        answer_part_flag(answer, text->part, PART_UNREAD);
    }
    return out;
}

/* The text in UTF-8. It is in the message itself, in *decoded or in *converted; these are the caller's. */
static const char *read_text(const struct own_text *text, const struct inspect_limits *limits,
                             GString **decoded, GString **converted, gsize *length, struct answer *answer)
{
    const char *octets = text->octets;

    *length = text->length;
    *decoded = g_string_new(NULL);
    decode_transfer(text, *decoded, &octets, length, answer);
    if (*length > limits->text_size_bytes) {
        answer_finding(answer, FINDING_TEXT_TOO_LARGE, text->part, NULL);
        *length = limits->text_size_bytes;
    }
    *converted = convert(text, octets, *length, answer);
    if (*converted != NULL) {
        octets = (*converted)->str;
        *length = (*converted)->len;
    }
    if (memchr(octets, '\0', *length) != NULL)
        answer_finding(answer, FINDING_BARE_NUL, text->part, NULL);
    if (text->is_html) {
        GString *plain = make_text_of_html(text, octets, *length, answer);
        if (*converted != NULL)
            g_string_free(*converted, TRUE);
        *converted = plain;
        octets = plain->str;
        *length = plain->len;
    }
    return octets;
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
    g_autoptr(GPtrArray) kept = g_ptr_array_new(); /* strings that the lines point into */
    struct lines *lines = lines_new(answer);
    guint plain_alternative = 0; /* the last one that has plain text */

    for (guint i = 0; i < texts->len; i++) {
        const struct own_text *text = &g_array_index(texts, struct own_text, i);
        GString *decoded, *converted;
        gsize length;
        if (text->is_html && text->alternative != 0 && text->alternative == plain_alternative)
            continue;
        const char *utf8 = read_text(text, limits, &decoded, &converted, &length, answer);
        g_ptr_array_add(kept, decoded);
        if (converted != NULL)
            g_ptr_array_add(kept, converted);
        if (lines_add(lines, utf8, length) && !text->is_html)
            plain_alternative = text->alternative;
        if (is_armoured(utf8, length)) {
            answer_finding(answer, FINDING_ENCRYPTED, text->part, "OpenPGP");
            answer_part_flag(answer, text->part, PART_ENCRYPTED);
        }
    }
    lines_finish(lines);
    for (guint i = 0; i < kept->len; i++)
        g_string_free(kept->pdata[i], TRUE);
}
