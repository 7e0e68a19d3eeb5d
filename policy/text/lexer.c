#include "policy/text/lexer.h"

#include "policy/text/character.h"
#include "policy/text/scan.h"

#include <string.h>

gunichar scan_peek(const struct scan *scan, guint *length)
{
    return character_read(scan->p, scan->end, length);
}

struct span scan_span(const struct scan *scan, const char *from, gsize length)
{
    return (struct span){scan->source, (guint32)(from - scan->source->text), (guint32)length};
}

const char *scan_line_end(const struct scan *scan, const char *p)
{
    const char *feed = memchr(p, '\n', (gsize)(scan->end - p));

    if (feed == NULL)
        return scan->end;
    return feed > p && feed[-1] == '\r' ? feed - 1 : feed;
}

/* The kind of a character that is a token by itself; TOKEN_END if it is none. */
static enum token_kind punctuation(gunichar c)
{
    switch (c) {
    case '{':
    case 0xFF5B:
        return TOKEN_BLOCK_OPEN;
    case '}':
    case 0xFF5D:
        return TOKEN_BLOCK_CLOSE;
    case '(':
    case 0xFF08:
        return TOKEN_OPEN;
    case ')':
    case 0xFF09:
        return TOKEN_CLOSE;
    case ',':
    case 0xFF0C:
    case 0x3001: /* 、 */
        return TOKEN_COMMA;
    case ';':
    case 0xFF1B:
    case 0x3002: /* 。 */
        return TOKEN_SEMICOLON;
    case 0xFF1A: /* the half-width colon ends a word at most: scan_word */
        return TOKEN_COLON;
    default:
        return TOKEN_END;
    }
}

gboolean scan_ends_word(gunichar c)
{
    return c == '\n' || c == '\r' || character_is_blank(c) || character_is_quote(c) ||
           punctuation(c) != TOKEN_END;
}

static void add(struct tokens *tokens, const struct token *token)
{
    g_array_append_val(tokens->array, *token);
}

/* Takes a single colon off the end of a word of `octets` octets in the file: "from:" but not "fd00::". */
static gboolean take_colon(GString *word)
{
    if (word->len == 0 || word->str[word->len - 1] != ':')
        return FALSE;
    if (word->len > 1 && word->str[word->len - 2] == ':')
        return FALSE;
    g_string_truncate(word, word->len - 1);
    return TRUE;
}

/* A word and the colon at its end. p stands on its first character. */
static void scan_word(struct scan *scan, struct tokens *tokens, gboolean first)
{
    const char *from = scan->p;
    const char *last = scan->p; /* the character read last */
    GString *word = g_string_new(NULL);
    struct token token = {.kind = TOKEN_WORD, .first = first};
    gboolean is_number = FALSE;
    guint length;

    for (; scan->p < scan->end; scan->p += length) {
        gunichar c = scan_peek(scan, &length);
        gunichar folded = character_fold_width(c);
        if (scan_ends_word(c) || (is_number && folded > 0x7F && character_is_sound(c)))
            break;
        if (word->len == 0)
            is_number = folded < 0x80 && g_ascii_isdigit((gchar)folded);
        if (character_is_sound(c))
            g_string_append_unichar(word, folded);
        token.bad |= c == CHARACTER_INVALID || character_is_control(c);
        last = scan->p;
    }
    const char *end = scan->p;
    gboolean colon = take_colon(word);
    if (colon)
        end = last;
    /* Octets of another encoding are a word too: the statement is bad, not shorter. */
    if (word->len > 0 || token.bad) {
        token.span = scan_span(scan, from, (gsize)(end - from));
        token.text = g_utf8_normalize(word->str, -1, G_NORMALIZE_NFC);
        add(tokens, &token);
    }
    if (colon) {
        struct token mark = {.kind = TOKEN_COLON, .first = first && word->len == 0 && !token.bad};
        mark.span = scan_span(scan, end, (gsize)(scan->p - end));
        add(tokens, &mark);
    }
    g_string_free(word, TRUE);
}

/* Skips what stands between tokens; TRUE when a line ended there. */
static gboolean skip(struct scan *scan)
{
    gboolean line = scan->p == scan->source->text;
    guint length;

    while (scan->p < scan->end) {
        gunichar c = scan_peek(scan, &length);
        if (c == '#' || c == 0xFF03)
            scan->p = scan_line_end(scan, scan->p);
        else if (c == '\n' || c == '\r' || character_is_blank(c) || character_is_hidden(c))
            scan->p += length;
        else
            break;
        /* A lone CR has been reported; what is behind it was meant as another line. */
        line |= c == '\n' || c == '\r';
    }
    return line;
}

static void scan_token(struct scan *scan, struct tokens *tokens, gboolean first)
{
    guint length;
    gunichar c = scan_peek(scan, &length);
    struct token token = {.kind = punctuation(c), .first = first, .span = scan_span(scan, scan->p, length)};

    if (token.kind != TOKEN_END) {
        scan->p += length;
    } else if (c == 0x201D || c == 0x300D) { /* ” 」 */
        scan_wrong_text(scan, &token);
    } else if (character_is_quote(c)) {
        scan_text(scan, &token);
    } else if (c == '/') {
        scan_pattern(scan, &token);
    } else {
        scan_word(scan, tokens, first);
        return;
    }
    add(tokens, &token);
}

static void token_clear(gpointer data)
{
    struct token *token = data;

    g_free(token->text);
}

struct tokens *lexer_read(const struct source *source, struct diagnostics *diagnostics)
{
    struct tokens *tokens = g_new0(struct tokens, 1);
    struct scan scan = {source, diagnostics, source->text, source->text + source->length};

    tokens->array = g_array_new(FALSE, FALSE, sizeof(struct token));
    g_array_set_clear_func(tokens->array, token_clear);
    tokens->damaged = scan_characters(source, diagnostics);
    for (;;) {
        gboolean first = skip(&scan);
        if (scan.p == scan.end)
            break;
        scan_token(&scan, tokens, first);
    }
    struct token last = {.kind = TOKEN_END, .first = TRUE, .span = scan_span(&scan, scan.end, 0)};
    add(tokens, &last);
    return tokens;
}

void tokens_free(struct tokens *tokens)
{
    g_array_unref(tokens->array);
    g_free(tokens);
}

static const char *kind_name(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_WORD:
        return "word";
    case TOKEN_TEXT:
        return "text";
    case TOKEN_REGEX:
        return "regex";
    case TOKEN_COMMA:
        return "comma";
    case TOKEN_OPEN:
        return "open";
    case TOKEN_CLOSE:
        return "close";
    case TOKEN_BLOCK_OPEN:
        return "block-open";
    case TOKEN_BLOCK_CLOSE:
        return "block-close";
    case TOKEN_SEMICOLON:
        return "semicolon";
    case TOKEN_COLON:
        return "colon";
    case TOKEN_END:
        return "end";
    }
    g_assert_not_reached();
}

char *tokens_dump(const struct tokens *tokens)
{
    GString *out = g_string_new(NULL);

    for (guint n = 0; n < tokens->array->len; n++) {
        const struct token *token = tokens_at(tokens, n);
        struct position position = source_position(token->span.source, token->span.offset);
        g_string_append_printf(out, "%u:%u %s", position.line, position.column, kind_name(token->kind));
        if (token->text != NULL) {
            g_autofree char *escaped = text_escape(token->text);
            g_string_append_printf(out, " %s", escaped);
        }
        if (token->flags != NULL && token->flags[0] != '\0')
            g_string_append_printf(out, " %s", token->flags);
        if (token->fault == ITEM_UNCLOSED)
            g_string_append(out, " unclosed");
        if (token->fault == ITEM_FLAGS)
            g_string_append(out, " wrong flags");
        g_string_append(out, token->bad ? " bad\n" : "\n");
    }
    return g_string_free(out, FALSE);
}
