/*
 * character: one character of UTF-8 at a time, and what kind it is for the languages of language.md
 * section 1. Pure functions: any thread; never read behind `end`, take any octets.
 */
#ifndef POLICY_TEXT_CHARACTER_H
#define POLICY_TEXT_CHARACTER_H

#include <glib.h>

/* What character_read gives for an octet that begins no valid character; no Unicode character has this
 * number. */
#define CHARACTER_INVALID ((gunichar)0xFFFFFFFF)

/* The character at p (p < end) and its length in octets; CHARACTER_INVALID and 1 where the UTF-8 is wrong. */
gunichar character_read(const char *p, const char *end, guint *length);

/* How many octets at the beginning are valid UTF-8 (RFC 3629 section 4) with no NUL among them: where
 * g_utf8_validate_len ends, in half of its time. Every line of every message is asked for. */
gsize character_valid_length(const char *text, gsize length);
/* Whether that is all. */
gboolean character_all_valid(const char *text, gsize length);

/* C0 and C1 controls and DEL, but not tab and line feed. */
gboolean character_is_control(gunichar c);
/* Cannot be seen, or turns the direction of text (the list of language.md 1). */
gboolean character_is_hidden(gunichar c);
/* Neither of these, nor invalid: may stand in a file. */
gboolean character_is_sound(gunichar c);
/* Space, tab, U+3000: what stands between words of a line. */
gboolean character_is_blank(gunichar c);
/* Opens or closes a text: " ＂ “ ” 「 」. */
gboolean character_is_quote(gunichar c);

/* Full-width ASCII as ASCII, everything else as it is. */
gunichar character_fold_width(gunichar c);

/* Cells of a terminal: 0 for combining marks, 2 for wide characters, 1 for the rest, ambiguous ones (★)
 * included. */
guint character_cells(gunichar c);

/* Number of characters in octets, each invalid octet counted as one. */
guint character_count(const char *text, gsize length);

/* For messages: controls and hidden characters as ·, invalid octets as U+FFFD. New string. */
char *character_visible(const char *text, gsize length);

/* For messages: the text, cut after `characters` with … when it is longer. New string. */
char *character_shorten(const char *text, guint characters);

#endif
