#include "policy/text/tree.h"

#include "policy/text/lexer.h"
#include "policy/text/limits.h"
#include "policy/text/recover.h"

#include <string.h>

struct parser {
    struct tokens *tokens;
    struct diagnostics *diagnostics;
    guint next;
    guint open_parens; /* parentheses found unclosed: each made us read to the end of a block */
    gboolean stopped;  /* too deep, or too much is wrong: what follows is not looked at */
};

static struct token *peek(const struct parser *parser)
{
    return tokens_at(parser->tokens, parser->next);
}

/* Braces and parentheses of a damaged file may be halves of characters: only its octets are complained about.
 */
static gboolean may_complain(const struct parser *parser)
{
    return !parser->tokens->damaged && !parser->stopped;
}

static void item_free(gpointer data)
{
    struct item *item = data;

    g_free(item->text);
    g_free(item);
}

static void statement_free(gpointer data)
{
    struct statement *statement = data;

    g_ptr_array_unref(statement->items);
    block_free(statement->block);
    g_free(statement);
}

static struct block *block_new(struct span open)
{
    struct block *block = g_new0(struct block, 1);

    block->statements = g_ptr_array_new_with_free_func(statement_free);
    block->open = block->close = open;
    return block;
}

void block_free(struct block *block)
{
    if (block == NULL)
        return;
    g_ptr_array_unref(block->statements);
    g_free(block);
}

/* Language.md 2: what joins a line to the one before or behind it. */
static gboolean joins(const struct token *token)
{
    static const char *const words[] = {"and", "or", "except", "且", "或", "但不含"};

    if (token->kind == TOKEN_COMMA)
        return TRUE;
    for (guint n = 0; token->kind == TOKEN_WORD && n < G_N_ELEMENTS(words); n++)
        if (g_ascii_strcasecmp(token->text, words[n]) == 0)
            return TRUE;
    return FALSE;
}

/* A token that is the first of its line: does the statement go on there? */
static gboolean goes_on(const struct parser *parser, guint n, guint parens)
{
    const struct token *token = tokens_at(parser->tokens, n);

    return parens > 0 || joins(tokens_at(parser->tokens, n - 1)) || token->kind == TOKEN_CLOSE ||
           (token->kind == TOKEN_WORD && joins(token));
}

static void report_unclosed(struct parser *parser, enum diagnostic_id id, struct span open,
                            const struct span *found)
{
    gboolean is_block = id == DIAG_UNCLOSED_BLOCK;
    g_autofree char *mark = span_text(open);
    struct diagnostic *diagnostic =
        diagnostics_report(parser->diagnostics, id, open, message_make(MSG_UNCLOSED_BLOCK, mark, NULL));

    if (found != NULL) {
        g_autofree char *word = span_text(*found);
        diagnostic_note(diagnostic, *found, message_make(MSG_FOUND_STATEMENT, word, NULL));
    }
    diagnostic_help(diagnostic, message_make(is_block ? MSG_CLOSE_BLOCK : MSG_CLOSE_PAREN, NULL));
}

static void report_stray(struct parser *parser, const struct token *token, const char *opener)
{
    g_autofree char *mark = span_text(token->span);

    diagnostic_help(diagnostics_report(parser->diagnostics, DIAG_STRAY_BRACE, token->span,
                                       message_make(MSG_STRAY_CLOSE, mark, NULL)),
                    message_make(MSG_STRAY_CLOSE_HELP, opener, NULL));
}

static void report_too_deep(struct parser *parser, struct span span, enum message_id message, int limit)
{
    g_autofree char *number = g_strdup_printf("%d", limit);

    diagnostics_report(parser->diagnostics, DIAG_RANGE, span, message_make(message, number, NULL));
}

/* What a statement consists of. */
struct extent {
    guint start, end; /* tokens [start, end); a block may follow */
    gboolean bad;
};

/* Counts a parenthesis; reports one that closes nothing, or is too deep. */
static void count_paren(struct parser *parser, const struct token *token, guint *opened, guint *parens,
                        struct extent *extent)
{
    if (token->kind == TOKEN_CLOSE && *parens > 0) {
        --*parens;
    } else if (token->kind == TOKEN_CLOSE) {
        if (may_complain(parser))
            report_stray(parser, token, "(");
        extent->bad = TRUE;
    } else if (token->kind == TOKEN_OPEN) {
        if (*parens == PAREN_MAX_DEPTH && !extent->bad)
            report_too_deep(parser, token->span, MSG_PARENS_TOO_DEEP, PAREN_MAX_DEPTH);
        extent->bad |= *parens >= PAREN_MAX_DEPTH;
        if (*parens == 0)
            *opened = extent->end;
        ++*parens;
    }
}

static void check_colon(struct parser *parser, const struct token *token, struct extent *extent)
{
    const struct token *before = token - 1;

    if (extent->end == extent->start + 1 && before->kind == TOKEN_WORD)
        return;
    if (!extent->bad)
        diagnostic_help(diagnostics_report(parser->diagnostics, DIAG_EXPECTED, token->span,
                                           message_make(MSG_STRAY_COLON, NULL)),
                        message_make(MSG_DELETE_IT, NULL));
    extent->bad = TRUE;
}

static void stop(struct parser *parser)
{
    parser->stopped = TRUE;
    parser->next = parser->tokens->array->len - 1;
}

/* The statement has an open parenthesis at token `opened`: it ends before what looks like the next one. */
static void close_paren(struct parser *parser, struct extent *extent, guint opened)
{
    guint other = recover_in_paren(parser->tokens, extent->start, opened + 1, extent->end);
    const struct token *found = other < extent->end ? tokens_at(parser->tokens, other) : NULL;

    if (may_complain(parser))
        report_unclosed(parser, DIAG_UNCLOSED_PAREN, tokens_at(parser->tokens, opened)->span,
                        found != NULL ? &found->span : NULL);
    extent->end = other;
    extent->bad = TRUE;
    parser->open_parens++;
}

/* From the token at which the parser stands to the end of the statement. */
static struct extent statement_extent(struct parser *parser)
{
    struct extent extent = {parser->next, parser->next, FALSE};
    guint parens = 0, opened = 0;

    for (;; extent.end++) {
        const struct token *token = tokens_at(parser->tokens, extent.end);
        if (token->kind == TOKEN_END || token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_BLOCK_OPEN ||
            token->kind == TOKEN_BLOCK_CLOSE)
            break;
        if (token->first && extent.end > extent.start && !goes_on(parser, extent.end, parens))
            break;
        extent.bad |= token->bad;
        count_paren(parser, token, &opened, &parens, &extent);
        if (token->kind == TOKEN_COLON)
            check_colon(parser, token, &extent);
    }
    if (parens > 0)
        close_paren(parser, &extent, opened);
    return extent;
}

static enum item_kind item_kind(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_WORD:
        return ITEM_WORD;
    case TOKEN_TEXT:
        return ITEM_TEXT;
    case TOKEN_REGEX:
        return ITEM_REGEX;
    case TOKEN_OPEN:
        return ITEM_OPEN;
    case TOKEN_CLOSE:
        return ITEM_CLOSE;
    case TOKEN_COMMA:
    case TOKEN_BLOCK_OPEN:
    case TOKEN_BLOCK_CLOSE:
    case TOKEN_SEMICOLON:
    case TOKEN_COLON:
    case TOKEN_END:
        return ITEM_COMMA; /* the others are no items */
    }
    g_assert_not_reached();
}

static struct statement *statement_new(struct parser *parser, const struct extent *extent)
{
    struct statement *statement = g_new0(struct statement, 1);

    statement->items = g_ptr_array_new_with_free_func(item_free);
    statement->bad = extent->bad;
    for (guint n = extent->start; n < extent->end; n++) {
        struct token *token = tokens_at(parser->tokens, n);
        if (token->kind == TOKEN_COLON)
            continue;
        struct item *item = g_new0(struct item, 1);
        item->kind = item_kind(token->kind);
        item->fault = token->fault;
        item->span = token->span;
        item->text = g_steal_pointer(&token->text);
        item->flags = token->flags != NULL ? token->flags : "";
        statement->span = n == extent->start ? item->span : span_join(statement->span, item->span);
        g_ptr_array_add(statement->items, item);
    }
    parser->next = extent->end;
    if (parser->open_parens > DIAGNOSTIC_MAX_SHOWN)
        stop(parser);
    return statement;
}

static void parse_block(struct parser *parser, struct block *block, guint depth);

/* The parser stands on "{". */
static void parse_braces(struct parser *parser, struct statement *statement, guint depth)
{
    struct block *block = statement->block = block_new(peek(parser)->span);

    if (depth == BLOCK_MAX_DEPTH) {
        if (may_complain(parser))
            report_too_deep(parser, block->open, MSG_BLOCKS_TOO_DEEP, BLOCK_MAX_DEPTH);
        stop(parser);
        return;
    }
    parser->next++;
    parse_block(parser, block, depth + 1);
}

/* The block of the last statement of `outer` was still open at the end of the file. */
static void mend_unclosed(struct parser *parser, struct block *outer)
{
    const struct statement *opener = g_ptr_array_index(outer->statements, outer->statements->len - 1);
    GPtrArray *inner = opener->block->statements;
    guint split = may_complain(parser) ? recover_in_block(opener) : inner->len;
    const struct statement *found = split < inner->len ? g_ptr_array_index(inner, split) : NULL;

    if (may_complain(parser))
        report_unclosed(parser, DIAG_UNCLOSED_BLOCK, opener->block->open,
                        found != NULL ? &statement_item(found, 0)->span : NULL);
    /* What was taken for statements of the block belongs behind it. */
    for (guint n = split; n < inner->len; n++)
        g_ptr_array_add(outer->statements, g_ptr_array_index(inner, n));
    g_ptr_array_set_free_func(inner, NULL);
    g_ptr_array_set_size(inner, (gint)split);
    g_ptr_array_set_free_func(inner, statement_free);
}

static void report_no_statement(struct parser *parser, const struct token *token)
{
    g_autofree char *mark = span_text(token->span);

    if (may_complain(parser))
        diagnostics_report(parser->diagnostics, DIAG_EXPECTED, token->span,
                           message_make(MSG_NO_STATEMENT_BEFORE, mark, NULL));
}

static void parse_statement(struct parser *parser, struct block *block, guint depth)
{
    const struct token *token = peek(parser);
    gboolean nameless = token->kind == TOKEN_BLOCK_OPEN || token->kind == TOKEN_COLON;
    struct extent extent = {parser->next, parser->next, TRUE};

    if (nameless) {
        report_no_statement(parser, token);
        if (token->kind == TOKEN_COLON) {
            parser->next++;
            return;
        }
    } else {
        extent = statement_extent(parser);
    }
    struct statement *statement = statement_new(parser, &extent);
    if (nameless)
        statement->span = token->span;
    g_ptr_array_add(block->statements, statement);
    if (peek(parser)->kind == TOKEN_BLOCK_OPEN) {
        parse_braces(parser, statement, depth);
        if (peek(parser)->kind == TOKEN_END && statement->block->close.length != 0 &&
            statement->block->close.offset == statement->block->open.offset)
            mend_unclosed(parser, block);
    }
    if (statement->items->len ==
        0) /* braces without a word: read, so that what is in them is matched, and dropped */
        g_ptr_array_remove(block->statements, statement);
}

/* Up to the brace that closes the block, or the end of the file. */
static void parse_block(struct parser *parser, struct block *block, guint depth)
{
    for (;;) {
        const struct token *token = peek(parser);
        if (token->kind == TOKEN_END)
            return;
        if (token->kind == TOKEN_SEMICOLON) {
            parser->next++;
        } else if (token->kind != TOKEN_BLOCK_CLOSE) {
            parse_statement(parser, block, depth);
        } else {
            parser->next++;
            if (depth > 0) {
                block->close = token->span;
                return;
            }
            if (may_complain(parser))
                report_stray(parser, token, "{");
        }
    }
}

struct block *tree_parse(const struct source *source, struct diagnostics *diagnostics)
{
    g_autoptr(tokens) tokens = lexer_read(source, diagnostics);
    struct parser parser = {.tokens = tokens, .diagnostics = diagnostics};
    struct block *file = block_new((struct span){source, 0, 0});

    file->close.offset = source->length;
    parse_block(&parser, file, 0);
    return file;
}
