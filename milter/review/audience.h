/*
 * audience: who may be told anything at all (semantics.md 9.1, 9.2, 9.4). Pure but for the answers of the
 * directory that it is given; any thread.
 */
#ifndef MILTER_REVIEW_AUDIENCE_H
#define MILTER_REVIEW_AUDIENCE_H

#include "milter/decide/decision.h"

/* Held, released: told to people, where the queue (NULL, or of none today: as if it did) tells the sender. */
gboolean audience_hears_courtesies(const struct snapshot *snapshot, enum sender_class class,
                                   const char *queue);
/* An address without its brackets that a notice can be sent to; new, NULL: none. */
char *audience_address(const char *given);

/* Does who is behind an inside address dominate the label (NULL: not known, system high is asked)? people:
 * answered (inputs_ask_recipient); what the directory cannot say is no. */
gboolean audience_may_know(const struct snapshot *snapshot, const struct directory_query *people,
                           const struct address *address, const struct label_set *label, gint64 now_s);

#endif
