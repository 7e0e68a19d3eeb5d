#include "milter/inspect/transfer.h"

#include <string.h>

enum transfer_encoding transfer_find(const char *value)
{
    static const struct {
        const char *name;
        enum transfer_encoding encoding;
    } table[] = {
        {"7bit", TRANSFER_PLAIN},          {"8bit", TRANSFER_PLAIN},
        {"base64", TRANSFER_BASE64},       {"quoted-printable", TRANSFER_QUOTED_PRINTABLE},
        {"binary", TRANSFER_PLAIN},        {"7-bit", TRANSFER_PLAIN},
        {"8-bit", TRANSFER_PLAIN},         {"uuencode", TRANSFER_UUENCODE},
        {"x-uuencode", TRANSFER_UUENCODE}, {"x-uue", TRANSFER_UUENCODE},
    };
    gsize length;

    if (value == NULL)
        return TRANSFER_PLAIN;
    value += strspn(value, " \t\r\n\"");
    length = strcspn(value, " \t\r\n\";(");
    if (length == 0)
        return *value == '\0' ? TRANSFER_PLAIN : TRANSFER_UNKNOWN;
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (strlen(table[i].name) == length && g_ascii_strncasecmp(table[i].name, value, length) == 0)
            return table[i].encoding;
    }
    return TRANSFER_UNKNOWN;
}

/* Values of the alphabet of RFC 2045 6.8; 64: a blank or line end, 65: padding, 66: foreign. */
enum { B64_PAD = 65, B64_FOREIGN = 66 };
/* clang-format off */
static const guint8 base64_values[256] = {
    66, 66, 66, 66, 66, 66, 66, 66, 66, 64, 64, 66, 66, 64, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    64, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 62, 66, 66, 66, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 66, 66, 66, 65, 66, 66,
    66, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 66, 66, 66, 66, 66,
    66, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
};
/* clang-format on */

guint transfer_base64(const char *octets, gsize length, GString *out)
{
    gsize begin = out->len;
    guint32 bits = 0;
    guint count = 0, anomalies = 0;
    gboolean was_padded = FALSE;
    char *to;

    g_string_set_size(out, begin + length / 4 * 3 + 3);
    to = out->str + begin;
    for (gsize at = 0; at < length; at++) {
        guint8 value = base64_values[(guchar)octets[at]];
        if (value < 64) {
            if (was_padded) {
                anomalies |= TRANSFER_PADDING;
                was_padded = FALSE;
                count = 0;
            }
            bits = bits << 6 | value;
            if (++count % 4 != 1)
                *to++ = (char)(bits >> (count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0));
        } else if (value == B64_PAD) {
            anomalies |= !was_padded && count % 4 < 2 ? TRANSFER_UNFINISHED : 0;
            was_padded = TRUE;
        } else if (value == B64_FOREIGN) {
            anomalies |= TRANSFER_FOREIGN;
        }
    }
    if (!was_padded && count % 4 == 1)
        anomalies |= TRANSFER_UNFINISHED;
    g_string_truncate(out, to - out->str);
    return anomalies;
}

/* A soft line break: = and blanks to the end of the line. Returns how many octets behind the =, or 0. */
static gsize soft_break(const char *octets, gsize left)
{
    gsize at = 0;

    while (at < left && (octets[at] == ' ' || octets[at] == '\t'))
        at++;
    if (at < left && octets[at] == '\r')
        at++;
    return at < left && octets[at] == '\n' ? at + 1 : 0;
}

guint transfer_quoted_printable(const char *octets, gsize length, GString *out)
{
    guint anomalies = 0;

    for (gsize at = 0; at < length;) {
        const char *equals = memchr(octets + at, '=', length - at);
        gsize plain = equals != NULL ? (gsize)(equals - octets) : length, skip;
        g_string_append_len(out, octets + at, plain - at);
        if (equals == NULL)
            break;
        at = plain + 1;
        if (at + 1 < length && g_ascii_isxdigit(octets[at]) && g_ascii_isxdigit(octets[at + 1])) {
            g_string_append_c(
                out, (char)(g_ascii_xdigit_value(octets[at]) << 4 | g_ascii_xdigit_value(octets[at + 1])));
            at += 2;
        } else if ((skip = soft_break(octets + at, length - at)) > 0) {
            at += skip;
        } else if (at == length) {
            anomalies |= TRANSFER_UNFINISHED;
        } else {
            g_string_append_c(out, '=');
            anomalies |= TRANSFER_FOREIGN;
        }
    }
    return anomalies;
}

static guint64 size_of_values(guint64 values)
{
    return values / 4 * 3 + (values % 4 == 0 ? 0 : values % 4 - 1);
}

/* As transfer_base64, but only counts. Most octets are values. */
static guint64 scan_base64(const char *octets, gsize length, guint *anomalies)
{
    guint64 size = 0, values = 0;
    gboolean was_padded = FALSE;

    for (gsize at = 0; at < length; at++) {
        guint8 value = base64_values[(guchar)octets[at]];
        if (value < 64 && !was_padded) {
            values++;
        } else if (value < 64) {
            *anomalies |= TRANSFER_PADDING;
            was_padded = FALSE;
            size += size_of_values(values);
            values = 1;
        } else if (value == B64_PAD) {
            *anomalies |= !was_padded && values % 4 < 2 ? TRANSFER_UNFINISHED : 0;
            was_padded = TRUE;
        } else if (value == B64_FOREIGN) {
            *anomalies |= TRANSFER_FOREIGN;
        }
    }
    if (!was_padded && values % 4 == 1)
        *anomalies |= TRANSFER_UNFINISHED;
    return size + size_of_values(values);
}

guint64 transfer_decoded_size(enum transfer_encoding encoding, const char *octets, gsize length,
                              guint *anomalies)
{
    guint64 size = 0;
    guint ignored;

    anomalies = anomalies != NULL ? anomalies : &ignored;
    *anomalies = 0;
    switch (encoding) {
    case TRANSFER_BASE64:
        return scan_base64(octets, length, anomalies);
    case TRANSFER_QUOTED_PRINTABLE:
        for (gsize at = 0; at < length; at++) {
            gsize skip = octets[at] == '=' ? soft_break(octets + at + 1, length - at - 1) : 0;
            if (skip == 0)
                size++;
            at += skip > 0 ? skip : octets[at] == '=' && at + 2 < length ? 2 : 0;
        }
        return size;
    case TRANSFER_PLAIN:
    case TRANSFER_UUENCODE:
    case TRANSFER_UNKNOWN:
        break;
    }
    return length;
}
