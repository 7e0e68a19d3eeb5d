/*
 * readings: text in other charsets than the one it names. Programs guess, and GBK is valid in nearly every
 * other charset (facts 9.2), so a mark counts in whichever reading it stands. Only beginning and end of a
 * text are read so. Pure functions over charset (one thread).
 *
 * HTML is made text once for all readings: its octets from 0x80 on are masked as characters that nobody uses
 * (U+E080 to U+E0FF; tags and entities are ASCII in all these charsets), and unmasked line by line.
 */
#ifndef MILTER_INSPECT_READINGS_H
#define MILTER_INSPECT_READINGS_H

#include "rules/facts.h"

#define READING_CHARSETS 3 /* UTF-8, GB18030, Big5 */

/* Octets that mean the same to every program: ASCII, or UTF-8 that nobody calls something else ("": nobody
 * says anything). */
gboolean octets_have_one_reading(const char *charset, struct bytes octets);

/* Appends valid UTF-8: of all, or of LIMIT_READING_HTML_BYTES at the beginning and as many at the end. */
void octets_mask(struct bytes octets, GString *masked);

/* Whether charset number `which` is the one of this name. */
gboolean reading_is_of(guint which, const char *charset);

/* The text in charset number `which`, new. Lines that cannot be read in it, and those between beginning and
 * end, are empty. */
GString *reading_make(guint which, struct bytes octets, gboolean is_masked);

#endif
