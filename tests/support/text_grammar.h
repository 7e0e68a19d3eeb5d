/*
 * text_grammar: two small languages on top of policy/text, with one statement for each thing that a reader
 * can take, so that its messages are tested without the grammars that the programs have.
 *
 * Settings: `state TEXT`, `deadline TIME`, `term TIME`, `limit SIZE`, `count N` (1 to 5), `active until
 * DATE`, `pattern TEXT REGEX`, `from VALUE,…`, `key file TEXT`, `key credential TEXT`, `queue TEXT { deadline
 * TIME … }`. Rules: `rule TEXT { from to when then because }` with simple people, conditions and actions.
 */
#ifndef TESTS_SUPPORT_TEXT_GRAMMAR_H
#define TESTS_SUPPORT_TEXT_GRAMMAR_H

#include "policy/text/reader.h"

/* Appends a line to values for each value that was read. */
void grammar_read_settings(const struct block *block, struct diagnostics *diagnostics, GString *values);
void grammar_read_rules(const struct block *block, struct diagnostics *diagnostics);

#endif
