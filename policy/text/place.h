/*
 * place: the places {name} in texts that go into a notice or refusal (language.md 5.8): {level} {recipient} …
 * and {{ for a brace.
 *
 * Constant table; any thread.
 */
#ifndef POLICY_TEXT_PLACE_H
#define POLICY_TEXT_PLACE_H

#include "policy/text/tree.h"

/* Are all places of a TEXT item known? Reports [placeholder] at each one that is not, and at a brace without
 * a partner. */
gboolean place_check(const struct item *text, struct diagnostics *diagnostics);

#endif
