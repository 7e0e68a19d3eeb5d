/*
 * html: HTML as text, through libxml2's SAX parser (linear, no tree). Elements that show nothing are
 * left out, block elements begin lines, lines inside block quotes begin with "> ". What style attributes hide
 * is text like other text, since programs differ; but it may also stand inside a word that people read, so
 * there is a reading without it. Style sheets are not looked at.
 */
#ifndef MILTER_INSPECT_HTML_H
#define MILTER_INSPECT_HTML_H

#include <glib.h>

enum html_reading { HTML_WHOLE, HTML_SHOWN /* without what is hidden */ };

/* html: valid UTF-8 (already converted: a charset that the document names is not looked at), without NUL.
 * Appends the text; *hides (may be NULL) says whether some elements are hidden. FALSE if the library gave up
 * or found no text where there is some: not read. */
gboolean html_to_text(const char *html, gsize length, enum html_reading reading, GString *out,
                      gboolean *hides);

#endif
