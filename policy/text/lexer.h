/*
 * lexer: the tokens of a source (language.md section 1), and every error of spelling at its place:
 * [encoding], [hidden-character], [escape], [quotes], [unclosed-text], [range] of long texts.
 *
 * After an error it goes on as if the mistake had been mended, and marks the token, so that nobody complains
 * about the consequences. What is wrong with a pattern is kept in the token: it may be a path without quotes,
 * which only the grammar knows. The tokens own their texts and point into the source. Not for several threads
 * at once.
 */
#ifndef POLICY_TEXT_LEXER_H
#define POLICY_TEXT_LEXER_H

#include "policy/text/tree.h"

enum token_kind {
    TOKEN_WORD,
    TOKEN_TEXT,
    TOKEN_REGEX,
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_BLOCK_OPEN,
    TOKEN_BLOCK_CLOSE,
    TOKEN_SEMICOLON,
    TOKEN_COLON,
    TOKEN_END /* of the file; the last token, and the only one of this kind */
};

struct token {
    enum token_kind kind;
    enum item_fault fault; /* REGEX */
    gboolean first;        /* on its line */
    gboolean bad;          /* an error in it was reported */
    struct span span;
    char *text;        /* WORD TEXT REGEX: as in struct item; else NULL */
    const char *flags; /* REGEX: constant; else NULL */
};

struct tokens {
    GArray *array;    /* struct token */
    gboolean damaged; /* the file has octets that are no UTF-8: braces and quotes in it may be parts of
                         characters */
};

struct tokens *lexer_read(const struct source *source, struct diagnostics *diagnostics);
void tokens_free(struct tokens *tokens);
DEFINE_AUTOPTR(tokens, tokens_free)

#define tokens_at(tokens, n) (&g_array_index((tokens)->array, struct token, (n)))

/* One line for each token, for golden tests: line:column kind text. New string. */
char *tokens_dump(const struct tokens *tokens);

#endif
