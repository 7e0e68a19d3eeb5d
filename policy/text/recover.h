/*
 * recover: where a statement begins that somebody forgot to close the one before. Asked only when a brace or
 * a parenthesis is known to be missing, so it may guess from words and indentation; a right file is never
 * guessed about.
 */
#ifndef POLICY_TEXT_RECOVER_H
#define POLICY_TEXT_RECOVER_H

#include "policy/text/lexer.h"

/* The first token of tokens[from, to) that begins another statement although the parenthesis before is open:
 * it is the first of its line, and a word that begins a clause, or not deeper than the statement, which
 * begins at token `start`. `to` if none. */
guint recover_in_paren(const struct tokens *tokens, guint start, guint from, guint to);

/* The first statement in the block that stands there only because the block was never closed; their number if
 * none. `opener` is the statement that the block belongs to. */
guint recover_in_block(const struct statement *opener);

#endif
