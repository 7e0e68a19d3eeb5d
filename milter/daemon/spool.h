/*
 * spool: the octets of one message as the MTA presents it: header rebuilt with CRLF, empty line, body. In
 * memory up to LIMIT_SPOOL_MEMORY_BYTES, then in an unnamed file of the state directory, which a crash leaves
 * no trace of. The digest of semantics.md 7.4 is taken on the way.
 *
 * Owned by one transaction; not for several threads at once.
 */
#ifndef MILTER_DAEMON_SPOOL_H
#define MILTER_DAEMON_SPOOL_H

#include "policy/autoptr.h"
#include <glib.h>

struct spool;

/* directory: where a file is made if the message grows; max_bytes: above it the rest is counted, not kept
 * (spool_too_large). */
struct spool *spool_new(const char *directory, guint64 max_bytes);
void spool_free(struct spool *spool);
DEFINE_AUTOPTR(spool, spool_free)

/* One field: value as libmilter gives it (LF between folded lines); leading_space: the value still has the
 * blanks after the colon. queue_id tells which Message-Id the MTA made itself. FALSE when it cannot be
 * written (disk full): the message is then deferred. */
gboolean spool_add_field(struct spool *spool, const char *name, const char *value, gboolean leading_space,
                         const char *queue_id);
/* The same line as it goes into the message, "Name: value CRLF", to out instead. */
void spool_render_field(GString *out, const char *name, const char *value, gboolean leading_space);
/* The empty line behind the header. */
gboolean spool_end_header(struct spool *spool);
gboolean spool_add_body(struct spool *spool, const void *octets, gsize length);

/* Nothing may be added afterwards; gives the digest. FALSE when something could not be written before. */
gboolean spool_finish(struct spool *spool, guint8 digest[32]);

/* What could not be done, for the log; "" when all was well. Static or until the next call of this thread. */
const char *spool_problem(const struct spool *spool);
gboolean spool_too_large(const struct spool *spool);
guint64 spool_size(const struct spool *spool);
/* Octets in memory, or NULL when they are in a file. Borrowed. */
const void *spool_memory(const struct spool *spool, gsize *length);
/* A descriptor of its own, for reading only, when the message is in a file; -1 when it is in memory or cannot
 * be opened. The caller closes it. */
int spool_open_file(const struct spool *spool);

#endif
