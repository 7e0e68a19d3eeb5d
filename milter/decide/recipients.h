/*
 * recipients: who is addressed: each canonical address once with all its given forms, its zones, and who is
 * behind it (semantics.md 4.1–4.3). Part of decide.
 */
#ifndef MILTER_DECIDE_RECIPIENTS_H
#define MILTER_DECIDE_RECIPIENTS_H

#include "milter/decide/hearing.h"

/* Fills decision->recipients in the order of the envelope. */
void recipients_gather(struct hearing *hearing);
void recipient_free(struct decided_recipient *recipient);

/* Zones other than that of its address to which Postfix says it goes ({rcpt_addr}, {rcpt_host} of any given
 * form): they must carry the message, too. struct zone *, new; NULL: none, as nearly always. */
GPtrArray *recipient_other_zones(const struct hearing *hearing, const struct decided_recipient *recipient);

/* Postfix's own reading of the address ({rcpt_addr}) is a strange one. */
gboolean recipient_is_rewritten_strangely(const struct snapshot *snapshot,
                                          const struct envelope_recipient *recipient);

#endif
