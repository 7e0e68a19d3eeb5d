/*
 * reply: the only place that turns reasons into SMTP replies (semantics.md section 8). Pure.
 */
#ifndef MILTER_DECIDE_REPLY_H
#define MILTER_DECIDE_REPLY_H

#include "milter/decide/decision.h"

/* The reply for a reason that concerns the message before anything could be decided (busy,
 * store-unavailable): code, status and text with
 * "[MIJI-reference]". Owned by the caller. */
struct reply reply_plain(enum reason_id reason, const char *reference);
void reply_clear(struct reply *reply);

/* The reply for a decision whose act and leading reason are known, in words that its sender may hear. Part of
 * decide. */
struct hearing;
struct reply reply_make(const struct hearing *hearing);

#endif
