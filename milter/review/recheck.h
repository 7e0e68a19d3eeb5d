/*
 * recheck: decide once more, with the recorded session and envelope, today's snapshot, people and time
 * (semantics.md 10.4). Facts are always made again from the contents: they cannot be staler than the
 * inspector and the schemes that read them (contrib/decisions/facts-are-made-again.md).
 */
#ifndef MILTER_REVIEW_RECHECK_H
#define MILTER_REVIEW_RECHECK_H

#include "milter/review/review.h"

struct recheck {
    struct snapshot *snapshot;
    struct recorded *recorded;
    struct directory_query *people;
    struct facts *facts;
    struct approvals *approvals;
    struct inputs inputs;
    struct decision *decision; /* verdicts of today; DELIVER: may be released */
    guint8 *contents;          /* as presented, digest verified */
    gsize length;
    gboolean transient; /* something could not be told now: try again later */
};
/* NULL and error when the contents or the record cannot be read (STORE_ERROR). */
struct recheck *recheck_make(const struct review_host *host, const struct hold *hold, GError **error);
void recheck_free(struct recheck *recheck);
DEFINE_AUTOPTR(recheck, recheck_free)

#endif
