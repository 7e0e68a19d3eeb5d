/*
 * category: category values as a marking or a field names them behind its level: "专项:密码,核", "专项 密码",
 * or a listed value alone.
 *
 * Pure; any thread.
 */
#ifndef POLICY_LABEL_CATEGORY_H
#define POLICY_LABEL_CATEGORY_H

#include "policy/label/label.h"

/* Adds the values in text (UTF-8) to the label. FALSE and *fault (owned) if one of them cannot be read: an
 * unknown set, a value that a set which is not open does not list, more than LABEL_MAX_VALUES. The label is
 * then not to be used. */
gboolean categories_read(struct label *label, const char *text, gsize length, struct message *fault);

/* What a message may quote of text that somebody sent: folded to one line, nothing hidden, at most
 * CLAIM_MAX_QUOTED_CHARACTERS. New string. */
char *claim_quote(const char *text, gsize length);

#endif
