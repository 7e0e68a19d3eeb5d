/*
 * charset: octets to UTF-8. A fixed table of charsets with the names that mail uses for them; a sender's name
 * never reaches iconv_open.
 *
 * charset_open_all opens one iconv descriptor for each and keeps it for good: in the sandbox nothing can be
 * opened any more. The descriptors carry state: one thread of the process at a time. The GB family is read as
 * GB18030, whose subsets its members are (strict GB2312 stops at the first GBK character); HZ has a decoder
 * of its own (glibc has none); ISO-2022-CN-EXT is left out (CVE-2024-2961).
 */
#ifndef MILTER_INSPECT_CHARSET_H
#define MILTER_INSPECT_CHARSET_H

#include <glib.h>

enum charset_id {
    CHARSET_UTF_8,
    CHARSET_ASCII,
    CHARSET_GB18030,
    CHARSET_BIG5,
    CHARSET_BIG5_HKSCS,
    CHARSET_EUC_TW,
    CHARSET_HZ,
    CHARSET_ISO_2022_CN,
    CHARSET_ISO_2022_JP,
    CHARSET_ISO_2022_KR,
    CHARSET_SHIFT_JIS,
    CHARSET_EUC_JP,
    CHARSET_EUC_KR,
    CHARSET_UTF_7,
    CHARSET_UTF_16,
    CHARSET_UTF_16LE,
    CHARSET_UTF_16BE,
    CHARSET_UTF_32,
    CHARSET_ISO_8859_1,
    CHARSET_ISO_8859_2,
    CHARSET_ISO_8859_3,
    CHARSET_ISO_8859_4,
    CHARSET_ISO_8859_5,
    CHARSET_ISO_8859_6,
    CHARSET_ISO_8859_7,
    CHARSET_ISO_8859_8,
    CHARSET_ISO_8859_9,
    CHARSET_ISO_8859_10,
    CHARSET_ISO_8859_13,
    CHARSET_ISO_8859_14,
    CHARSET_ISO_8859_15,
    CHARSET_ISO_8859_16,
    CHARSET_WINDOWS_1250,
    CHARSET_WINDOWS_1251,
    CHARSET_WINDOWS_1252,
    CHARSET_WINDOWS_1253,
    CHARSET_WINDOWS_1254,
    CHARSET_WINDOWS_1255,
    CHARSET_WINDOWS_1256,
    CHARSET_WINDOWS_1257,
    CHARSET_WINDOWS_1258,
    CHARSET_KOI8_R,
    CHARSET_KOI8_U,
    CHARSET_TIS_620,
    CHARSET_MACINTOSH,
    CHARSET_CP437,
    CHARSET_CP850,
    CHARSET_CP866,
    CHARSET_COUNT,
    CHARSET_UNKNOWN = CHARSET_COUNT
};

/* Opens what is not open yet. A charset that this system cannot convert counts as unknown from then on;
 * without GB18030 and Big5 there is no reading of mail at all: FALSE. */
gboolean charset_open_all(void);

/* A name of a mail, any case, with or without the language suffix of RFC 2231 ("UTF-8*zh-CN"). */
enum charset_id charset_find(const char *name, gsize length);

/* Whether its texts begin and end in a state of their own (ISO-2022, HZ, UTF-7): octets of several must not
 * be joined. */
gboolean charset_is_stateful(enum charset_id id);

/* Whether octets below 0x80 mean themselves always; so of CHARSET_UNKNOWN, too. */
gboolean charset_keeps_ascii(enum charset_id id);

/* Appends the text in UTF-8; what is not valid becomes U+FFFD. Returns how many times. NULs stay. id is not
 * CHARSET_UNKNOWN. */
guint charset_decode(enum charset_id id, const char *octets, gsize length, GString *out);

/* As above, but out is as before and FALSE comes back if anything is not valid. */
gboolean charset_decode_strict(enum charset_id id, const char *octets, gsize length, GString *out);

/* Octets of which nobody knows, or knows rightly, what they are: UTF-8, GB18030, Big5, the first in which
 * they are valid; else GB18030 with U+FFFD. Returns the charset; *invalid says whether it did not fit (may be
 * NULL). */
enum charset_id charset_guess(const char *octets, gsize length, GString *out, gboolean *invalid);

gboolean octets_are_ascii(const char *octets, gsize length);
void octets_remove_nuls(GString *text);

#endif
