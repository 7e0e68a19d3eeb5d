/*
 * encoded_word: text of header fields: RFC 2047 encoded-words as they come in real mail, and octets without
 * any label.
 *
 * Octets of adjacent words of one charset are joined before they are converted, each base64 word decoded by
 * itself (a character split across words, padding in the middle: facts 9.3). Words with blanks inside, glued
 * to text, without padding, with lower-case b and q, with a language suffix are read. A field may be given
 * several readings, since octets of one charset are often valid, and mean something else, in another (9.2).
 * One thread at a time.
 */
#ifndef MILTER_INSPECT_ENCODED_WORD_H
#define MILTER_INSPECT_ENCODED_WORD_H

#include <glib.h>

enum reading {
    READING_DECLARED, /* as labelled, with everything that some client would decode */
    READING_STRICT,   /* only what RFC 2047 allows: the rest stays as it is */
    READING_UTF_8, /* octets that are no ASCII taken as UTF-8, GB18030, Big5 wherever they are valid in it */
    READING_GB18030,
    READING_BIG5,
    READING_COUNT
};

enum reading_flag {
    READING_UNKNOWN_CHARSET = 1 << 0, /* a word in a charset that is not known: guessed */
    READING_INVALID =
        1 << 1, /* octets that are not valid in the charset they name (or in none): guessed, or U+FFFD */
    READING_LENIENT = 1 << 2,  /* STRICT gives something else */
    READING_DOUBTFUL = 1 << 3, /* octets beyond ASCII that were not UTF-8 by label and by nature: other
                                  readings are worth a look */
};

/* Appends the value (unfolded, without NUL at least where that matters to the caller) in one reading, as
 * UTF-8. Returns flags. */
guint encoded_word_decode(const char *value, gsize length, enum reading reading, GString *out);

#endif
