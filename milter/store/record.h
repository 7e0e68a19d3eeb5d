/*
 * record: session, envelope and reasons as octets, and back. Octets from the database are not trusted: every
 * type, count and length is checked. Internal to milter/store; pure.
 */
#ifndef MILTER_STORE_RECORD_H
#define MILTER_STORE_RECORD_H

#include "milter/store/hold.h"

/* Session and envelope with all that was given (semantics.md 10.6): recipients of these fates (bits 1 << enum
 * fate) with each of their forms. New. */
GByteArray *record_make(const struct inputs *inputs, const struct decision *decision, guint fates);
/* NULL and error (DAMAGED). New. */
struct recorded *record_read(const void *octets, gsize length, GError **error);

/* Reasons of one recipient. New. */
GByteArray *record_reasons(const GPtrArray *reasons);
/* struct reason *; those that are not known any more are left out, and what stands behind damaged octets.
 * Never NULL. New. */
GPtrArray *record_reasons_read(const void *octets, gsize length);

#endif
