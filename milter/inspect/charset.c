#include "milter/inspect/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "policy/text/character.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* What iconv calls them; NULL: no descriptor needed. */
static const char *const iconv_names[CHARSET_COUNT] = {
    [CHARSET_GB18030] = "GB18030",
    [CHARSET_BIG5] = "CP950",
    [CHARSET_BIG5_HKSCS] = "BIG5-HKSCS",
    [CHARSET_EUC_TW] = "EUC-TW",
    [CHARSET_ISO_2022_CN] = "ISO-2022-CN",
    [CHARSET_ISO_2022_JP] = "ISO-2022-JP-2",
    [CHARSET_ISO_2022_KR] = "ISO-2022-KR",
    [CHARSET_SHIFT_JIS] = "CP932",
    [CHARSET_EUC_JP] = "EUC-JP",
    [CHARSET_EUC_KR] = "CP949",
    [CHARSET_UTF_7] = "UTF-7",
    [CHARSET_UTF_16] = "UTF-16",
    [CHARSET_UTF_16LE] = "UTF-16LE",
    [CHARSET_UTF_16BE] = "UTF-16BE",
    [CHARSET_UTF_32] = "UTF-32",
    [CHARSET_ISO_8859_1] = "ISO-8859-1",
    [CHARSET_ISO_8859_2] = "ISO-8859-2",
    [CHARSET_ISO_8859_3] = "ISO-8859-3",
    [CHARSET_ISO_8859_4] = "ISO-8859-4",
    [CHARSET_ISO_8859_5] = "ISO-8859-5",
    [CHARSET_ISO_8859_6] = "ISO-8859-6",
    [CHARSET_ISO_8859_7] = "ISO-8859-7",
    [CHARSET_ISO_8859_8] = "ISO-8859-8",
    [CHARSET_ISO_8859_9] = "ISO-8859-9",
    [CHARSET_ISO_8859_10] = "ISO-8859-10",
    [CHARSET_ISO_8859_13] = "ISO-8859-13",
    [CHARSET_ISO_8859_14] = "ISO-8859-14",
    [CHARSET_ISO_8859_15] = "ISO-8859-15",
    [CHARSET_ISO_8859_16] = "ISO-8859-16",
    [CHARSET_WINDOWS_1250] = "CP1250",
    [CHARSET_WINDOWS_1251] = "CP1251",
    [CHARSET_WINDOWS_1252] = "CP1252",
    [CHARSET_WINDOWS_1253] = "CP1253",
    [CHARSET_WINDOWS_1254] = "CP1254",
    [CHARSET_WINDOWS_1255] = "CP1255",
    [CHARSET_WINDOWS_1256] = "CP1256",
    [CHARSET_WINDOWS_1257] = "CP1257",
    [CHARSET_WINDOWS_1258] = "CP1258",
    [CHARSET_KOI8_R] = "KOI8-R",
    [CHARSET_KOI8_U] = "KOI8-U",
    [CHARSET_TIS_620] = "CP874",
    [CHARSET_MACINTOSH] = "MACINTOSH",
    [CHARSET_CP437] = "CP437",
    [CHARSET_CP850] = "CP850",
    [CHARSET_CP866] = "CP866",
};

/* What mail calls them, the common ones first. */
static const struct {
    const char *name;
    enum charset_id id;
} aliases[] = {
    {"utf-8", CHARSET_UTF_8},
    {"gb2312", CHARSET_GB18030},
    {"gbk", CHARSET_GB18030},
    {"gb18030", CHARSET_GB18030},
    {"us-ascii", CHARSET_ASCII},
    {"iso-8859-1", CHARSET_ISO_8859_1},
    {"big5", CHARSET_BIG5},
    {"utf8", CHARSET_UTF_8},
    {"ascii", CHARSET_ASCII},
    {"ansi_x3.4-1968", CHARSET_ASCII},
    {"unknown-8bit", CHARSET_ASCII}, /* RFC 1428: nobody knows; guessed as unlabelled text is */
    {"x-unknown", CHARSET_ASCII},
    {"cp936", CHARSET_GB18030},
    {"ms936", CHARSET_GB18030},
    {"windows-936", CHARSET_GB18030},
    {"x-gbk", CHARSET_GB18030},
    {"gb_2312-80", CHARSET_GB18030},
    {"gb2312-80", CHARSET_GB18030},
    {"csgb2312", CHARSET_GB18030},
    {"csgbk", CHARSET_GB18030},
    {"csgb18030", CHARSET_GB18030},
    {"cn-gb", CHARSET_GB18030},
    {"gb", CHARSET_GB18030},
    {"gb-18030", CHARSET_GB18030},
    {"gb18030-2000", CHARSET_GB18030},
    {"gb18030-2022", CHARSET_GB18030},
    {"cp54936", CHARSET_GB18030},
    {"chinese", CHARSET_GB18030},
    {"euc-cn", CHARSET_GB18030},
    {"euccn", CHARSET_GB18030},
    {"x-euc-cn", CHARSET_GB18030},
    {"iso-ir-58", CHARSET_GB18030},
    {"csiso58gb231280", CHARSET_GB18030},
    {"x-mac-chinesesimp", CHARSET_GB18030},
    {"hz", CHARSET_HZ},
    {"hz-gb-2312", CHARSET_HZ},
    {"csbig5", CHARSET_BIG5},
    {"cn-big5", CHARSET_BIG5},
    {"big-five", CHARSET_BIG5},
    {"bigfive", CHARSET_BIG5},
    {"x-x-big5", CHARSET_BIG5},
    {"cp950", CHARSET_BIG5},
    {"windows-950", CHARSET_BIG5},
    {"x-mac-chinesetrad", CHARSET_BIG5},
    {"big5-hkscs", CHARSET_BIG5_HKSCS},
    {"big5hkscs", CHARSET_BIG5_HKSCS},
    {"euc-tw", CHARSET_EUC_TW},
    {"x-euc-tw", CHARSET_EUC_TW},
    {"iso-2022-cn", CHARSET_ISO_2022_CN},
    {"iso-2022-jp", CHARSET_ISO_2022_JP},
    {"iso-2022-jp-1", CHARSET_ISO_2022_JP},
    {"iso-2022-jp-2", CHARSET_ISO_2022_JP},
    {"csiso2022jp", CHARSET_ISO_2022_JP},
    {"iso-2022-kr", CHARSET_ISO_2022_KR},
    {"shift_jis", CHARSET_SHIFT_JIS},
    {"shift-jis", CHARSET_SHIFT_JIS},
    {"sjis", CHARSET_SHIFT_JIS},
    {"x-sjis", CHARSET_SHIFT_JIS},
    {"cp932", CHARSET_SHIFT_JIS},
    {"windows-31j", CHARSET_SHIFT_JIS},
    {"euc-jp", CHARSET_EUC_JP},
    {"x-euc-jp", CHARSET_EUC_JP},
    {"euc-kr", CHARSET_EUC_KR},
    {"ks_c_5601-1987", CHARSET_EUC_KR},
    {"cp949", CHARSET_EUC_KR},
    {"uhc", CHARSET_EUC_KR},
    {"utf-7", CHARSET_UTF_7},
    {"unicode-1-1-utf-7", CHARSET_UTF_7},
    {"x-unicode-2-0-utf-7", CHARSET_UTF_7},
    {"csunicode11utf7", CHARSET_UTF_7},
    {"utf-16", CHARSET_UTF_16},
    {"unicode", CHARSET_UTF_16},
    {"ucs-2", CHARSET_UTF_16},
    {"iso-10646-ucs-2", CHARSET_UTF_16},
    {"utf-16le", CHARSET_UTF_16LE},
    {"utf-16be", CHARSET_UTF_16BE},
    {"utf-32", CHARSET_UTF_32},
    {"latin1", CHARSET_ISO_8859_1},
    {"iso8859-1", CHARSET_ISO_8859_1},
    {"iso_8859-1", CHARSET_ISO_8859_1},
    {"iso-8859-2", CHARSET_ISO_8859_2},
    {"latin2", CHARSET_ISO_8859_2},
    {"iso-8859-3", CHARSET_ISO_8859_3},
    {"iso-8859-4", CHARSET_ISO_8859_4},
    {"iso-8859-5", CHARSET_ISO_8859_5},
    {"iso-8859-6", CHARSET_ISO_8859_6},
    {"iso-8859-7", CHARSET_ISO_8859_7},
    {"iso-8859-8", CHARSET_ISO_8859_8},
    {"iso-8859-8-i", CHARSET_ISO_8859_8},
    {"iso-8859-9", CHARSET_ISO_8859_9},
    {"iso-8859-10", CHARSET_ISO_8859_10},
    {"iso-8859-13", CHARSET_ISO_8859_13},
    {"iso-8859-14", CHARSET_ISO_8859_14},
    {"iso-8859-15", CHARSET_ISO_8859_15},
    {"iso-8859-16", CHARSET_ISO_8859_16},
    {"windows-1250", CHARSET_WINDOWS_1250},
    {"cp1250", CHARSET_WINDOWS_1250},
    {"windows-1251", CHARSET_WINDOWS_1251},
    {"cp1251", CHARSET_WINDOWS_1251},
    {"windows-1252", CHARSET_WINDOWS_1252},
    {"cp1252", CHARSET_WINDOWS_1252},
    {"windows-1253", CHARSET_WINDOWS_1253},
    {"windows-1254", CHARSET_WINDOWS_1254},
    {"windows-1255", CHARSET_WINDOWS_1255},
    {"windows-1256", CHARSET_WINDOWS_1256},
    {"windows-1257", CHARSET_WINDOWS_1257},
    {"windows-1258", CHARSET_WINDOWS_1258},
    {"koi8-r", CHARSET_KOI8_R},
    {"koi8-u", CHARSET_KOI8_U},
    {"tis-620", CHARSET_TIS_620},
    {"windows-874", CHARSET_TIS_620},
    {"macintosh", CHARSET_MACINTOSH},
    {"cp437", CHARSET_CP437},
    {"ibm437", CHARSET_CP437},
    {"cp850", CHARSET_CP850},
    {"ibm850", CHARSET_CP850},
    {"cp866", CHARSET_CP866},
    {"ibm866", CHARSET_CP866},
};

static iconv_t descriptors[CHARSET_COUNT];
static gboolean is_open[CHARSET_COUNT];

gboolean charset_open_all(void)
{
    for (guint id = 0; id < CHARSET_COUNT; id++) {
        if (is_open[id] || iconv_names[id] == NULL)
            continue;
        descriptors[id] = iconv_open("UTF-8", iconv_names[id]);
        is_open[id] = descriptors[id] != (iconv_t)-1;
    }
    return is_open[CHARSET_GB18030] && is_open[CHARSET_BIG5];
}

enum charset_id charset_find(const char *name, gsize length)
{
    const char *star = memchr(name, '*', length);

    if (star != NULL)
        length = star - name;
    for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++) {
        if (g_ascii_strncasecmp(aliases[i].name, name, length) != 0 || aliases[i].name[length] != '\0')
            continue;
        if (iconv_names[aliases[i].id] != NULL && !is_open[aliases[i].id])
            return CHARSET_UNKNOWN;
        return aliases[i].id;
    }
    return CHARSET_UNKNOWN;
}

gboolean charset_is_stateful(enum charset_id id)
{
    return id == CHARSET_HZ || id == CHARSET_ISO_2022_CN || id == CHARSET_ISO_2022_JP ||
           id == CHARSET_ISO_2022_KR || id == CHARSET_UTF_7;
}

gboolean charset_keeps_ascii(enum charset_id id)
{
    return !charset_is_stateful(id) && (id < CHARSET_UTF_16 || id > CHARSET_UTF_32);
}

gboolean octets_are_ascii(const char *octets, gsize length)
{
    gsize at = 0;

    for (; at + sizeof(guint64) <= length; at += sizeof(guint64)) {
        guint64 word;
        memcpy(&word, octets + at, sizeof word);
        if ((word & G_GUINT64_CONSTANT(0x8080808080808080)) != 0)
            return FALSE;
    }
    for (; at < length; at++) {
        if ((guchar)octets[at] >= 0x80)
            return FALSE;
    }
    return TRUE;
}

/* UTF-8, and ASCII, of which UTF-8 octets are no part. NULs are valid here. */
static guint decode_utf8(const char *octets, gsize length, gboolean ascii_only, GString *out)
{
    const char *at = octets, *end = octets + length, *stop;
    guint invalid = 0;

    if (octets_are_ascii(octets, length)) {
        g_string_append_len(out, octets, length);
        return 0;
    }
    while (at < end) {
        if (ascii_only) {
            for (stop = at; stop < end && (guchar)*stop < 0x80; stop++)
                ;
        } else if (!g_utf8_validate_len(at, end - at, &stop) && *stop == '\0' && stop < end) {
            stop++; /* a NUL stops it, too */
            g_string_append_len(out, at, stop - at);
            at = stop;
            continue;
        }
        g_string_append_len(out, at, stop - at);
        at = stop;
        if (at < end) {
            g_string_append(out, REPLACEMENT);
            invalid++;
            at++;
        }
    }
    return invalid;
}

/* One call of iconv into room behind out. in NULL: gives what the converter still holds back (a letter that
 * an accent might follow). */
static gsize convert_some(iconv_t descriptor, char **in, gsize *in_left, GString *out)
{
    gsize begin = out->len, room = in != NULL ? MAX(*in_left + *in_left / 2, 64) : 64, result;
    char *to;
    int error;

    g_string_set_size(out, begin + room);
    to = out->str + begin;
    result = iconv(descriptor, in, in_left, &to, &room);
    error = errno;
    g_string_truncate(out, to - out->str);
    errno = error;
    return result;
}

/* strict: the first that is not valid ends it. */
static guint decode_iconv(enum charset_id id, const char *octets, gsize length, gboolean strict, GString *out)
{
    char *in = (char *)octets;
    gsize in_left = length;
    guint invalid = 0;

    iconv(descriptors[id], NULL, NULL, NULL, NULL);
    while (in_left > 0) {
        if (convert_some(descriptors[id], &in, &in_left, out) != (gsize)-1 || errno == E2BIG)
            continue;
        /* EILSEQ, or EINVAL at an unfinished end: give up one octet */
        g_string_append(out, REPLACEMENT);
        invalid++;
        if (strict)
            return invalid;
        in++;
        in_left--;
    }
    convert_some(descriptors[id], NULL, NULL, out);
    return invalid;
}

/* RFC 1843: ~{ opens GB 2312 in seven bits, ~} closes it, ~~ is a tilde, ~ and line end is nothing; a line
 * end closes, too. */
static guint decode_hz(const char *octets, gsize length, gboolean strict, GString *out)
{
    g_autoptr(GString) gb = g_string_sized_new(length);
    gboolean is_open_brace = FALSE;

    for (gsize at = 0; at < length; at++) {
        char octet = octets[at], next = at + 1 < length ? octets[at + 1] : '\0';
        if (octet == '~' && (next == '{' || next == '}' || next == '\n' || (next == '~' && !is_open_brace))) {
            if (next == '~')
                g_string_append_c(gb, '~');
            else if (next != '\n')
                is_open_brace = next == '{';
            at++;
        } else if (is_open_brace && octet >= 0x21 && octet <= 0x7e && next >= 0x21 && next <= 0x7e) {
            g_string_append_c(gb, octet | (char)0x80);
            g_string_append_c(gb, next | (char)0x80);
            at++;
        } else {
            is_open_brace = is_open_brace && octet != '\n';
            g_string_append_c(gb, octet);
        }
    }
    return decode_iconv(CHARSET_GB18030, gb->str, gb->len, strict, out);
}

static guint decode(enum charset_id id, const char *octets, gsize length, gboolean strict, GString *out)
{
    g_assert(id < CHARSET_COUNT);
    if (id == CHARSET_UTF_8 || id == CHARSET_ASCII)
        return decode_utf8(octets, length, id == CHARSET_ASCII, out);
    if (id == CHARSET_HZ)
        return decode_hz(octets, length, strict, out);
    return decode_iconv(id, octets, length, strict, out);
}

guint charset_decode(enum charset_id id, const char *octets, gsize length, GString *out)
{
    return decode(id, octets, length, FALSE, out);
}

gboolean charset_decode_strict(enum charset_id id, const char *octets, gsize length, GString *out)
{
    gsize before = out->len;

    if (id == CHARSET_UTF_8 && !character_all_valid(octets, length) && memchr(octets, '\0', length) == NULL)
        return FALSE;
    if (decode(id, octets, length, TRUE, out) == 0)
        return TRUE;
    g_string_truncate(out, before);
    return FALSE;
}

enum charset_id charset_guess(const char *octets, gsize length, GString *out, gboolean *invalid)
{
    static const enum charset_id order[] = {CHARSET_UTF_8, CHARSET_GB18030, CHARSET_BIG5};

    if (invalid != NULL)
        *invalid = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        if (charset_decode_strict(order[i], octets, length, out))
            return order[i];
    }
    if (invalid != NULL)
        *invalid = TRUE;
    charset_decode(CHARSET_GB18030, octets, length, out);
    return CHARSET_GB18030;
}

void octets_remove_nuls(GString *text)
{
    gsize kept = 0;

    if (memchr(text->str, '\0', text->len) == NULL)
        return;
    for (gsize at = 0; at < text->len; at++) {
        if (text->str[at] != '\0')
            text->str[kept++] = text->str[at];
    }
    g_string_truncate(text, kept);
}
