/*
 * html: HTML as text, through libxml2's SAX push parser (linear, no tree). Elements that show nothing are
 * left out, block elements begin lines, lines inside block quotes begin with "> ". Hidden elements are text
 * like others.
 */
#ifndef MILTER_INSPECT_HTML_H
#define MILTER_INSPECT_HTML_H

#include <glib.h>

/* html: valid UTF-8 (already converted: a charset that the document names is not looked at), without NUL.
 * Appends the text. FALSE if the library gave up or found no text where there is some: not read. */
gboolean html_to_text(const char *html, gsize length, GString *out);

#endif
