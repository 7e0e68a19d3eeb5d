/*
 * reader: one message in, facts out. The sandboxed worker runs it; tests, fuzzers and `miji explain` run it
 * in their own process.
 *
 * inspect_prepare once, before a sandbox closes and before threads. Then one thread of the process at a time:
 * charset converters have state.
 */
#ifndef MILTER_INSPECT_READER_H
#define MILTER_INSPECT_READER_H

#include "milter/inspect/answer.h"
#include "milter/inspect/inspector.h"

/* FALSE if this system cannot convert GB18030 and Big5: then no mail can be read. May be called again. */
gboolean inspect_prepare(void);

/* language.md 3: the values without miji.conf. */
void inspect_limits_init(struct inspect_limits *limits);

/* Clears the answer and fills it. The octets are not changed and not kept. Reads any octets; ends in time
 * proportional to their number. */
void inspect_message(const void *data, gsize length, const struct inspect_limits *limits,
                     struct answer *answer);

/* The same as facts, through facts_read; never NULL. The caller frees. */
struct facts *inspect_octets(const void *data, gsize length, const struct inspect_limits *limits);

#endif
