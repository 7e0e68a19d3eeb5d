/* excerpt: the line that a message is about, and the carets below it (style.md section 3). Pure; any thread.
 */
#ifndef POLICY_TEXT_EXCERPT_H
#define POLICY_TEXT_EXCERPT_H

#include "policy/text/source.h"

/* Appends two lines, "    2 | text" and "      |  ^~~": hidden and control characters as ·, wide characters
 * two cells, tabs kept in both. A span goes to the end of its line at most; a long line is cut around it with
 * …. */
void excerpt_append(GString *out, struct span span);

#endif
