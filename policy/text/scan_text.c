#include "policy/text/scan.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"

#include <string.h>

/* A text that is being read. */
struct quoted {
    const char *open; /* where it begins */
    gunichar opener, closer;
    GString *text;
    gboolean bad;
    const char *other; /* the last quote of another kind; NULL */
    gunichar other_mark;
};

static gunichar partner(gunichar opener)
{
    switch (opener) {
    case 0x201C: /* “ */
        return 0x201D;
    case 0x300C: /* 「 */
        return 0x300D;
    default:
        return opener; /* " and ＂ */
    }
}

/* A character as an argument of a message. */
static char *mark(gunichar c)
{
    char octets[8] = {0};

    g_unichar_to_utf8(c, octets);
    return g_strdup(octets);
}

static void report_escape(struct scan *scan, const char *from, enum message_id message, enum message_id help)
{
    g_autofree char *written = g_strndup(from, (gsize)(scan->p - from));

    diagnostic_help(diagnostics_report(scan->diagnostics, DIAG_ESCAPE,
                                       scan_span(scan, from, (gsize)(scan->p - from)),
                                       message_make(message, written, NULL)),
                    message_make(help, NULL));
}

/* \u{HEX}: p stands behind the u. */
static void scan_code(struct scan *scan, struct quoted *quoted, const char *from)
{
    guint32 code = 0;
    guint digits = 0;

    if (scan->p == scan->end || *scan->p != '{') {
        report_escape(scan, from, MSG_ESCAPE_CODE, MSG_ESCAPE_CODE_HELP);
        return;
    }
    for (scan->p++; scan->p < scan->end && g_ascii_isxdigit(*scan->p); scan->p++, digits++)
        code = digits < 6 ? code * 16 + (guint32)g_ascii_xdigit_value(*scan->p) : code;
    gboolean closed = scan->p < scan->end && *scan->p == '}';
    scan->p += closed;
    /* Control characters have no place in any text; what cannot be seen has, when it is written like this. */
    if (!closed || digits == 0 || digits > 6 || !g_unichar_validate(code) || character_is_control(code) ||
        code == '\n')
        report_escape(scan, from, MSG_ESCAPE_CODE, MSG_ESCAPE_CODE_HELP);
    else
        g_string_append_unichar(quoted->text, code);
}

/* p stands on the backslash. */
static void scan_escape(struct scan *scan, struct quoted *quoted, const char *line_end)
{
    const char *from = scan->p++;
    guint length = 0;
    gunichar c = scan->p < line_end ? scan_peek(scan, &length) : 0;

    scan->p += length;
    if (c == '"' || c == 0x201D || c == 0x300D || c == '\\')
        g_string_append_unichar(quoted->text, c);
    else if (c == 'n')
        g_string_append_c(quoted->text, '\n');
    else if (c == 't')
        g_string_append_c(quoted->text, '\t');
    else if (c == 'u')
        scan_code(scan, quoted, from);
    else if (length > 0 && c != CHARACTER_INVALID)
        report_escape(scan, from, MSG_ESCAPE, MSG_ESCAPE_HELP);
}

static struct diagnostic *report_quote(struct scan *scan, const struct quoted *quoted, const char *at,
                                       gunichar found)
{
    g_autofree char *opener = mark(quoted->opener);
    g_autofree char *closer = mark(quoted->closer);
    g_autofree char *other = mark(found);
    gsize length = strlen(other);
    struct message message = found == quoted->opener
                                 ? message_make(MSG_QUOTES_SECOND, opener, closer, NULL)
                                 : message_make(MSG_QUOTES_OTHER, opener, closer, other, NULL);
    struct diagnostic *diagnostic =
        diagnostics_report(scan->diagnostics, DIAG_QUOTES, scan_span(scan, at, length), message);

    diagnostic_help(diagnostic, message_make(MSG_QUOTES_HELP, closer, NULL));
    return diagnostic;
}

/* Does only punctuation follow, so that the quote before it was meant to close the text? */
static gboolean ends_value(const struct scan *scan, const char *p, const char *line_end)
{
    guint length;

    while (p < line_end) {
        gunichar c = character_read(p, line_end, &length);
        if (!character_is_blank(c))
            return scan_ends_word(c);
        p += length;
    }
    return TRUE;
}

/* Where a text that nobody closed should end: before the braces at the end of the line that its block needs.
 */
static const char *text_end(const char *from, const char *line_end)
{
    int open = 0;

    for (const char *p = from; p < line_end; p++)
        open += *p == '{' ? 1 : *p == '}' ? -1 : 0;
    while (line_end > from) {
        char last = line_end[-1];
        if (last == ' ' || last == '\t')
            line_end--;
        else if ((open > 0 && last == '{') || (open < 0 && last == '}')) {
            open += last == '{' ? -1 : 1;
            line_end--;
        } else
            break;
    }
    return line_end;
}

/* The line ended before the text did. */
static void report_unclosed(struct scan *scan, struct quoted *quoted, const char *line_end)
{
    g_autofree char *closer = mark(quoted->closer);
    guint length;

    if (quoted->other != NULL) {
        report_quote(scan, quoted, quoted->other, quoted->other_mark);
        scan->p = quoted->other;
        scan_peek(scan, &length);
        scan->p += length;
        return;
    }
    scan->p = text_end(quoted->open, line_end);
    diagnostic_help(diagnostics_report(scan->diagnostics, DIAG_UNCLOSED_TEXT,
                                       scan_span(scan, quoted->open, (gsize)(scan->p - quoted->open)),
                                       message_make(MSG_UNCLOSED_TEXT, NULL)),
                    message_make(MSG_CLOSE_TEXT, closer, NULL));
}

/* Behind a second opening mark: “a“ was meant to end there, but in “a“b” the text goes on to the closing one.
 */
static void skip_nested(struct scan *scan, const struct quoted *quoted, const char *line_end)
{
    guint length;

    for (const char *p = scan->p; p < line_end; p += length) {
        gunichar c = character_read(p, line_end, &length);
        if (c == quoted->closer)
            scan->p = p + length;
        if (c == quoted->closer || c == quoted->opener)
            return;
    }
}

/* Reads up to the closing mark; FALSE when something was wrong with the marks and has been reported. */
static gboolean scan_quoted(struct scan *scan, struct quoted *quoted)
{
    const char *line_end = scan_line_end(scan, scan->p);
    guint length;

    while (scan->p < line_end) {
        gunichar c = scan_peek(scan, &length);
        if (c == '\\') {
            scan_escape(scan, quoted, line_end);
            continue;
        }
        const char *at = scan->p;
        scan->p += length;
        if (c == quoted->closer)
            return TRUE;
        if (c == quoted->opener) {
            report_quote(scan, quoted, at, c);
            skip_nested(scan, quoted, line_end);
            return FALSE;
        }
        if (character_is_quote(c) && ends_value(scan, scan->p, line_end)) {
            quoted->other = at;
            quoted->other_mark = c;
        }
        if (character_is_sound(c))
            g_string_append_len(quoted->text, at, length);
        quoted->bad |= c == CHARACTER_INVALID || character_is_control(c);
    }
    if (!quoted->bad)
        report_unclosed(scan, quoted, line_end);
    return FALSE;
}

static void check_length(struct scan *scan, const struct quoted *quoted)
{
    guint characters = character_count(quoted->text->str, quoted->text->len);

    if (characters <= TEXT_MAX_CHARACTERS)
        return;
    g_autofree char *limit = g_strdup_printf("%d", TEXT_MAX_CHARACTERS);
    g_autofree char *found = g_strdup_printf("%u", characters);
    diagnostics_report(scan->diagnostics, DIAG_RANGE,
                       scan_span(scan, quoted->open, (gsize)(scan->p - quoted->open)),
                       message_make(MSG_TEXT_TOO_LONG, limit, found, NULL));
}

void scan_text(struct scan *scan, struct token *token)
{
    guint length;
    struct quoted quoted = {.open = scan->p, .opener = scan_peek(scan, &length), .text = g_string_new(NULL)};

    quoted.closer = partner(quoted.opener);
    scan->p += length;
    if (scan_quoted(scan, &quoted))
        check_length(scan, &quoted);
    else
        quoted.bad = TRUE;
    token->kind = TOKEN_TEXT;
    token->bad = quoted.bad;
    token->span = scan_span(scan, quoted.open, (gsize)(scan->p - quoted.open));
    token->text = g_string_free(quoted.text, FALSE);
}

void scan_wrong_text(struct scan *scan, struct token *token)
{
    const char *open = scan->p;
    const char *line_end = scan_line_end(scan, open);
    guint length;
    gunichar c = scan_peek(scan, &length);
    g_autofree char *closer = mark(c);

    diagnostic_help(diagnostics_report(scan->diagnostics, DIAG_QUOTES, scan_span(scan, open, length),
                                       message_make(MSG_QUOTES_NOT_OPEN, closer, NULL)),
                    message_make(MSG_QUOTES_NOT_OPEN_HELP, c == 0x201D ? "“" : "「", NULL));
    /* Keyboards give ”…” easily: what follows is meant as the text, up to the next quote of this line. */
    const char *behind = open + length;
    scan->p = behind;
    while (scan->p < line_end) {
        c = scan_peek(scan, &length);
        scan->p += length;
        if (character_is_quote(c))
            break;
    }
    if (scan->p == line_end && !character_is_quote(c))
        scan->p = behind;
    token->kind = TOKEN_TEXT;
    token->bad = TRUE;
    token->span = scan_span(scan, open, (gsize)(scan->p - open));
    token->text = g_strdup("");
}
