/* scan: the parts of the lexer, each for one kind of token: scan_text.c, scan_pattern.c, and lexer.c for the
 * rest. */
#ifndef POLICY_TEXT_SCAN_H
#define POLICY_TEXT_SCAN_H

#include "policy/text/lexer.h"

struct scan {
    const struct source *source;
    struct diagnostics *diagnostics;
    const char *p, *end;
};

/* The character at p, which must be before the end. */
gunichar scan_peek(const struct scan *scan, guint *length);
/* Is this a character that ends a word: blank, line end, punctuation, quote? */
gboolean scan_ends_word(gunichar c);
/* From a place in the text, `length` octets. */
struct span scan_span(const struct scan *scan, const char *from, gsize length);
/* The end of the line on which p is, without CR and LF. */
const char *scan_line_end(const struct scan *scan, const char *p);

/* The scanners stand on the first character of the token, and leave p behind it. They fill kind, span, text,
 * flags, fault and bad. */
void scan_text(struct scan *scan, struct token *token);
void scan_wrong_text(struct scan *scan, struct token *token); /* one that begins with ” or 」 */
void scan_pattern(struct scan *scan, struct token *token);

/* Reports, anywhere in the file, what may not stand in it; TRUE when there are octets that are no UTF-8. */
gboolean scan_characters(const struct source *source, struct diagnostics *diagnostics);

#endif
