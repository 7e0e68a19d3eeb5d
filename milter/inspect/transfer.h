/*
 * transfer: content transfer encodings (RFC 2045 6), decoded as far as anything can be decoded, with
 * everything said that is not right: the MIME library stops at inner padding and stays silent, other programs
 * go on. Pure functions.
 */
#ifndef MILTER_INSPECT_TRANSFER_H
#define MILTER_INSPECT_TRANSFER_H

#include <glib.h>

enum transfer_encoding {
    TRANSFER_PLAIN, /* 7bit, 8bit, binary, none */
    TRANSFER_BASE64,
    TRANSFER_QUOTED_PRINTABLE,
    TRANSFER_UUENCODE,
    TRANSFER_UNKNOWN,
};

/* From the value of Content-Transfer-Encoding; NULL or empty is PLAIN. Comments and parameters are passed
 * over. */
enum transfer_encoding transfer_find(const char *value);

enum transfer_anomaly {
    TRANSFER_FOREIGN =
        1 << 0, /* octets that do not belong there; left out (base64), kept as they are (quoted-printable) */
    TRANSFER_PADDING = 1 << 1,   /* base64: padding with more behind it; decoded to the end */
    TRANSFER_UNFINISHED = 1 << 2 /* base64: bits left over; quoted-printable: = at the very end */
};

/* Append what comes out; return anomalies. Padding that is missing at the end is none. */
guint transfer_base64(const char *octets, gsize length, GString *out);
guint transfer_quoted_printable(const char *octets, gsize length, GString *out);

/* How long the content will be, without decoding it; *anomalies (may be NULL) as transfer_base64 returns
 * them, 0 for other encodings. One pass. */
guint64 transfer_decoded_size(enum transfer_encoding encoding, const char *octets, gsize length,
                              guint *anomalies);

#endif
