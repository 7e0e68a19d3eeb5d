/*
 * content: one message as presented, sealed: in its row up to 256 KB, else in a file of the folder `contents`
 * that is whole, synced, named and its folder synced before the row is written (semantics.md 7.3.1; RFC-less
 * habit of mail queues). Internal to milter/store.
 */
#ifndef MILTER_STORE_CONTENT_H
#define MILTER_STORE_CONTENT_H

#include "milter/store/seal.h"

#define CONTENT_IN_ROW_BYTES (256 * 1024) /* as presented */

struct content;
/* Seals and, when large, writes the file: the slow part, on the caller's thread. octets, or fd by pread. NULL
 * and error (disk full, no key). */
struct content *content_prepare(struct store *store, const void *octets, gsize length, int fd,
                                GError **error);
/* In a writer's job: the row. Its number, or 0 and error. */
gint64 content_insert(struct content *content, struct database *database, GError **error);
/* SHA-256 of the octets as presented, 32 octets; borrowed. */
const guint8 *content_digest(const struct content *content);
/* After the job: kept says whether the transaction is durable; else a file is removed again. */
void content_finish(struct content *content, gboolean kept);

/* Octets as presented, digest verified. New, with a NUL behind them. DAMAGED when anything is wrong with
 * them. */
guint8 *content_read(struct store *store, gint64 number, gsize *length, GError **error);
/* In a job: removes the row if no hold and no archive copy needs it; the file's name goes to files (char *),
 * to be removed after the commit. */
gboolean content_release(struct database *database, gint64 number, GPtrArray *files, GError **error);
/* Removes files that content_release gave, after its commit. */
void content_remove_files(struct store *store, const GPtrArray *files);
/* Are there files of contents, whether a row names them or not? */
gboolean content_has_files(struct store *store);
/* At the start, and by store_tidy: files without a row go to the folder orphans, but those that are being written; rows
 * without a file are counted. What a commit that failed left in the log is written over before. said (may be
 * NULL): for the log. */
gboolean content_reconcile(struct store *store, struct database *database, GString *said, GError **error);

#endif
