/*
 * mime: writes the fields and text parts of our own messages (RFC 5322, 2045, 2047). Whatever a value holds,
 * no line end and no control character of it gets into a field; lines end in CRLF. Pure; any thread.
 */
#ifndef MILTER_REVIEW_MIME_H
#define MILTER_REVIEW_MIME_H

#include <glib.h>

/* A field whose value is ASCII, folded at its blanks to lines of 78 where it has blanks (RFC 5322 2.1.1).
 * What is not printable ASCII becomes '?', line ends become blanks. */
void mime_field(GString *out, const char *name, const char *value);
/* A field of free text in UTF-8: as it is where that can be done, else in encoded-words (RFC 2047). */
void mime_text_field(GString *out, const char *name, const char *text);
/* Content-Type and transfer encoding of text/plain, an empty line, the text (lines end in LF): 7bit if it is
 * ASCII in short lines, else base64. */
void mime_text_part(GString *out, const char *text);

/* "Tue, 24 Nov 2026 09:05:00 +0800" (RFC 5322 3.3), new; zone NULL: the host's. */
char *mime_date(gint64 seconds, GTimeZone *zone);

/* The value of xtext as DSN parameters have it (RFC 3461 4): new; NULL if it is none, or anything in it is
 * not printable ASCII. */
char *mime_xtext(const char *text, gsize length);

/* One line for people: blanks for line ends and tabs, other controls and hidden characters made visible, at
 * most so many characters; new. */
char *mime_line(const char *text, guint characters);

#endif
