/*
 * reviewer: who asks at the control socket, and what that person may do (semantics.md 10.3, design.md 9,
 * 9a.5). Rights are asked of the directory at the moment of asking; what it cannot say now is no.
 */
#ifndef MILTER_REVIEW_REVIEWER_H
#define MILTER_REVIEW_REVIEWER_H

#include "milter/conf/snapshot.h"
#include "milter/store/hold.h"

/* Somebody at the control socket. */
struct reviewer {
    char *user;            /* login name of the peer's uid; NULL: the uid has none */
    gboolean is_root;      /* administrator, never a reviewer */
    struct person *person; /* NULL: nobody the directory knows */
    gboolean unavailable;  /* the directory cannot be asked now */
    gboolean roles[ROLE_COUNT];
    GPtrArray *queues; /* const struct queue *, whose reviewer the person is; borrowed from the snapshot */
    gint64 now;        /* seconds: of clearances */
};
/* Asks the directory for the person, the roles and the queues; never NULL. */
struct reviewer *reviewer_find(const struct snapshot *snapshot, guint uid);
void reviewer_free(struct reviewer *reviewer);
DEFINE_AUTOPTR(reviewer, reviewer_free)
/* Main address, "root", or "uid 1000": for audit and log. Borrowed. */
const char *reviewer_name(struct reviewer *reviewer);

enum may {
    MAY,
    MAY_NOT_UNKNOWN,     /* nobody that the directory knows, or it cannot be asked */
    MAY_NOT_REVIEWER,    /* of none of the queues, no officer */
    MAY_NOT_CLEARED,     /* not for this label */
    MAY_NOT_OWN,         /* sender, login, author */
    MAY_NOT_RECIPIENT,   /* the slip names the voter as a recipient */
};
/* To see that the hold is there: reviewers of its queue, officers, administrators, auditors. */
enum may reviewer_may_list(const struct snapshot *snapshot, const struct reviewer *reviewer, const struct hold *hold);
/* To see content: reviewers of its queue and officers whose clearance dominates E at this moment. */
enum may reviewer_may_read(const struct snapshot *snapshot, const struct reviewer *reviewer, const struct hold *hold);
/* To vote. */
enum may reviewer_may_vote(const struct snapshot *snapshot, const struct reviewer *reviewer, const struct hold *hold);
/* Archive: officers, for copies whose label their clearance dominates. label NULL: system high. */
enum may reviewer_may_read_label(const struct snapshot *snapshot, const struct reviewer *reviewer,
                                 const struct label_set *label);

#endif
