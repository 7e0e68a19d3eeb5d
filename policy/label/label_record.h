/*
 * label_record: labels as text for records: read back with the schemes of the day. One line, scheme, level
 * and values by name: names may hold anything, so they are escaped. Pure.
 */
#ifndef POLICY_LABEL_LABEL_RECORD_H
#define POLICY_LABEL_LABEL_RECORD_H

#include "policy/label/label.h"

/* New; "" for an empty set. Durations are not kept but their end. */
char *label_set_record(const struct label_set *set);
/* New; NULL when the text is none, or a scheme, level or value is no longer known: the label is then unknown. */
struct label_set *label_set_recall(const struct schemes *schemes, const char *text);

#endif
