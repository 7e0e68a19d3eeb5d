/*
 * structure: the parts of a message. Their tree is read by GMime (only here), from the fields Content-… of
 * the header that we split and the body where it stands: no content is copied. Every warning of its parser
 * becomes a finding. A message of one part does not need the parser.
 *
 * structure_prepare once, before the sandbox and before threads. One thread at a time.
 */
#ifndef MILTER_INSPECT_STRUCTURE_H
#define MILTER_INSPECT_STRUCTURE_H

#include "milter/inspect/header.h"
#include "milter/inspect/text.h"

void structure_prepare(void);

/* Reports the parts of a message with this header and body, and appends the parts of the message's own text
 * (struct own_text, which point into body).
 */
void structure_report(const struct header *header, struct bytes body, const struct inspect_limits *limits,
                      struct answer *answer, GArray *texts);

#endif
