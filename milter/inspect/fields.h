/*
 * fields: the top-level header becomes facts: fields raw and decoded, readings of the subject as candidates,
 * mailboxes, findings on what makes a header doubtful (semantics.md 2.9).
 */
#ifndef MILTER_INSPECT_FIELDS_H
#define MILTER_INSPECT_FIELDS_H

#include "milter/inspect/answer.h"
#include "milter/inspect/header.h"

void fields_report(const struct header *header, struct answer *answer);

/* Text of a mail without any charset (names of files, values of parameters): encoded-words, or raw octets;
 * valid UTF-8, NULs left out. */
void text_decode_unlabelled(const char *value, gsize length, GString *out);

/* Candidates at a place: every reading of such a text that somebody's program may show. */
void text_report_readings(const char *value, gsize length, const struct place *place, struct answer *answer);

#endif
