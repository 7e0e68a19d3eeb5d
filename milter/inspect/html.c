#include "milter/inspect/html.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* Of a declaration in a style attribute, without blanks and comments: enough for those that hide. */
#define DECLARATION_BYTES 64

struct html {
    GString *out;
    enum html_reading reading;
    gboolean hides; /* an element was hidden by its style */
    guint covered;  /* HTML_SHOWN: depth inside such an element, itself included */
    guint hidden;   /* depth of elements that show nothing */
    guint quotes;   /* depth of block quotes */
    guint verbatim;
    gboolean at_line_start, has_blank; /* a blank waits for what follows */
};

/* The library gives names in lower case. Most differ in the first letter. */
static gboolean is_one_of(const xmlChar *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (name[0] == (guchar) * *names && strcmp((const char *)name, *names) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean is_hidden(const xmlChar *name)
{
    static const char *const names[] = {"script", "style", "title", "template", NULL};

    return is_one_of(name, names);
}

static gboolean begins_line(const xmlChar *name)
{
    static const char *const names[] = {
        "p",  "div", "br", "tr",         "li",   "table",   "ul",      "ol",     "h1",     "h2",
        "h3", "h4",  "h5", "h6",         "pre",  "section", "article", "header", "footer", "caption",
        "dt", "dd",  "hr", "blockquote", "body", "form",    "address", "center", NULL};

    return is_one_of(name, names);
}

static gboolean is_cell(const xmlChar *name)
{
    static const char *const names[] = {"td", "th", NULL};

    return is_one_of(name, names);
}

/* name:value, lower case. Zero may have any unit. */
static gboolean declaration_hides(const char *declaration)
{
    static const char *const words[] = {"display:none", "visibility:hidden", "visibility:collapse",
                                        "mso-hide:all", NULL};
    static const char *const sizes[] = {"font-size:", "opacity:", "max-height:", "max-width:", NULL};

    for (gsize i = 0; words[i] != NULL; i++) {
        if (g_str_has_prefix(declaration, words[i]))
            return TRUE;
    }
    for (gsize i = 0; sizes[i] != NULL; i++) {
        const char *value = declaration + strlen(sizes[i]);
        if (g_str_has_prefix(declaration, sizes[i]))
            return g_ascii_isdigit(*value) && g_ascii_strtod(value, NULL) == 0.0;
    }
    return FALSE;
}

/* CSS 2.2, 4.1.8: declarations with ; between them, blanks and comments between their words. */
static gboolean style_hides(const char *style)
{
    char declaration[DECLARATION_BYTES];
    gsize length = 0;

    for (;; style++) {
        while (style[0] == '/' && style[1] == '*') {
            const char *end = strstr(style + 2, "*/");
            style = end != NULL ? end + 2 : style + strlen(style);
        }
        if (*style == ';' || *style == '\0') {
            declaration[length] = '\0';
            if (declaration_hides(declaration))
                return TRUE;
            if (*style == '\0')
                return FALSE;
            length = 0;
        } else if (!g_ascii_isspace(*style) && length + 1 < sizeof declaration) {
            declaration[length++] = g_ascii_tolower(*style);
        }
    }
}

/* attributes: names and values (NULL: none) in turn; NULL if there are none. */
static gboolean is_covered(const xmlChar **attributes)
{
    for (; attributes != NULL && attributes[0] != NULL; attributes += 2) {
        const char *name = (const char *)attributes[0], *value = (const char *)attributes[1];
        if (strcmp(name, "hidden") == 0 ||
            (value != NULL && strcmp(name, "style") == 0 && style_hides(value)))
            return TRUE;
    }
    return FALSE;
}

static void end_line(struct html *html)
{
    if (!html->at_line_start)
        g_string_append_c(html->out, '\n');
    html->at_line_start = TRUE;
    html->has_blank = FALSE;
}

static void start_element(void *data, const xmlChar *name, const xmlChar **attributes)
{
    struct html *html = data;
    gboolean is_inside = html->covered > 0 || is_covered(attributes);

    html->hides = html->hides || is_inside;
    if (html->reading == HTML_SHOWN && is_inside) {
        html->covered++;
        return;
    }
    html->hidden += is_hidden(name);
    if (begins_line(name))
        end_line(html);
    html->has_blank = html->has_blank || (is_cell(name) && !html->at_line_start);
    html->quotes += strcmp((const char *)name, "blockquote") == 0;
    html->verbatim += strcmp((const char *)name, "pre") == 0;
}

static void end_element(void *data, const xmlChar *name)
{
    struct html *html = data;

    if (html->covered > 0) {
        html->covered--;
        return;
    }
    html->hidden -= html->hidden > 0 && is_hidden(name);
    if (begins_line(name))
        end_line(html);
    html->quotes -= html->quotes > 0 && strcmp((const char *)name, "blockquote") == 0;
    html->verbatim -= html->verbatim > 0 && strcmp((const char *)name, "pre") == 0;
}

/* White space as browsers see it: one blank for any of it, none at the ends of lines; U+00A0 is made a plain
 * blank. */
static void characters(void *data, const xmlChar *text, int length)
{
    struct html *html = data;

    if (html->hidden > 0 || html->covered > 0)
        return;
    for (int at = 0; at < length; at++) {
        gboolean is_hard = text[at] == 0xc2 && at + 1 < length && text[at + 1] == 0xa0;
        at += is_hard;
        if (html->verbatim > 0 && text[at] == '\n') {
            g_string_append_c(html->out, '\n');
            html->at_line_start = TRUE;
            html->has_blank = FALSE;
        } else if (is_hard || text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
            html->has_blank = !html->at_line_start;
        } else {
            if (html->at_line_start && html->quotes > 0)
                g_string_append(html->out, "> ");
            if (html->has_blank)
                g_string_append_c(html->out, ' ');
            html->at_line_start = html->has_blank = FALSE;
            g_string_append_c(html->out, (char)text[at]);
        }
    }
}

/* What ends the thing that begins with this <: a tag, a comment, an element that shows nothing. */
static const char *closing(const char *at, gsize left)
{
    static const struct {
        const char *open, *close;
    } table[] = {{"<!--", "-->"},
                 {"<style", "</style>"},
                 {"<script", "</script>"},
                 {"<title", "</title>"},
                 {"<", ">"}};
    gsize i = 0;

    while (strlen(table[i].open) > left || g_ascii_strncasecmp(at, table[i].open, strlen(table[i].open)) != 0)
        i++;
    return table[i].close;
}

/* Whether letters or characters stand outside of tags. Entities do not count: pages without text are full of
 * &nbsp;. */
static gboolean has_visible(const char *html, gsize length)
{
    const char *end = html + length;

    for (const char *at = html; at < end; at++) {
        const char *close = *at == '<' ? closing(at, end - at) : *at == '&' ? ";" : NULL;
        if (close == NULL && (g_ascii_isalnum(*at) || ((guchar)*at >= 0xe3 && (guchar)*at < 0xef)))
            return TRUE;
        while (close != NULL && at < end &&
               ((gsize)(end - at) < strlen(close) || g_ascii_strncasecmp(at, close, strlen(close)) != 0))
            at++;
        at += close != NULL && at < end ? strlen(close) - 1 : 0;
    }
    return FALSE;
}

/* Not the library's push parser: it stops at what stands behind </html>, and programs show that. */
static gboolean parse(const char *html, gsize length, struct html *state)
{
    htmlParserCtxtPtr parser = length < G_MAXINT ? htmlCreateMemoryParserCtxt(html, (int)length) : NULL;
    gboolean is_read;

    if (parser == NULL)
        return FALSE;
    memset(parser->sax, 0, sizeof *parser->sax);
    parser->sax->startElement = start_element;
    parser->sax->endElement = end_element;
    parser->sax->characters = parser->sax->ignorableWhitespace = parser->sax->cdataBlock = characters;
    parser->sax->initialized = 1;
    parser->userData = state;
    htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC |
                                   HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
    xmlSwitchEncoding(parser, XML_CHAR_ENCODING_UTF8);
    htmlParseDocument(parser);
    is_read =
        parser->lastError.code != XML_ERR_INVALID_ENCODING && parser->lastError.code != XML_ERR_NO_MEMORY;
    htmlFreeParserCtxt(parser);
    return is_read;
}

gboolean html_to_text(const char *html, gsize length, enum html_reading reading, GString *out,
                      gboolean *hides)
{
    struct html state = {.out = out, .reading = reading, .at_line_start = TRUE};
    gsize begin = out->len;
    gboolean is_read = length == 0 || parse(html, length, &state);

    end_line(&state);
    if (hides != NULL)
        *hides = state.hides;
    return is_read && (out->len > begin || !has_visible(html, length));
}
