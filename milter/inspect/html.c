#include "milter/inspect/html.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#define CHUNK_BYTES 16384

struct html {
    GString *out;
    guint hidden; /* depth of elements that show nothing */
    guint quotes; /* depth of block quotes */
    guint verbatim;
    gboolean at_line_start, has_blank; /* a blank waits for what follows */
};

static gboolean is_one_of(const xmlChar *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (g_ascii_strcasecmp((const char *)name, *names) == 0)
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

    html->hidden += is_hidden(name);
    if (begins_line(name))
        end_line(html);
    html->has_blank = html->has_blank || (is_cell(name) && !html->at_line_start);
    html->quotes += g_ascii_strcasecmp((const char *)name, "blockquote") == 0;
    html->verbatim += g_ascii_strcasecmp((const char *)name, "pre") == 0;
}

static void end_element(void *data, const xmlChar *name)
{
    struct html *html = data;

    html->hidden -= html->hidden > 0 && is_hidden(name);
    if (begins_line(name))
        end_line(html);
    html->quotes -= html->quotes > 0 && g_ascii_strcasecmp((const char *)name, "blockquote") == 0;
    html->verbatim -= html->verbatim > 0 && g_ascii_strcasecmp((const char *)name, "pre") == 0;
}

/* White space as browsers see it: one blank for any of it, none at the ends of lines; U+00A0 is made a plain
 * blank. */
static void characters(void *data, const xmlChar *text, int length)
{
    struct html *html = data;

    if (html->hidden > 0)
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

/* The longest beginning of at most CHUNK_BYTES that ends at a character. */
static gsize chunk_length(const char *text, gsize left)
{
    gsize length = MIN(left, CHUNK_BYTES);

    while (length < left && length > 0 && ((guchar)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

gboolean html_to_text(const char *html, gsize length, GString *out)
{
    xmlSAXHandler sax = {.startElement = start_element,
                         .endElement = end_element,
                         .characters = characters,
                         .ignorableWhitespace = characters,
                         .initialized = 1};
    struct html state = {.out = out, .at_line_start = TRUE};
    gsize begin = out->len;
    htmlParserCtxtPtr parser = htmlCreatePushParserCtxt(&sax, &state, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    gboolean is_read;
    gsize step;

    if (parser == NULL)
        return FALSE;
    htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC |
                                   HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
    for (gsize at = 0; at < length; at += step) {
        step = chunk_length(html + at, length - at);
        htmlParseChunk(parser, html + at, (int)step, 0);
    }
    htmlParseChunk(parser, html, 0, 1);
    is_read =
        parser->lastError.code != XML_ERR_INVALID_ENCODING && parser->lastError.code != XML_ERR_NO_MEMORY;
    htmlFreeParserCtxt(parser);
    end_line(&state);
    return is_read && (out->len > begin || !has_visible(html, length));
}
