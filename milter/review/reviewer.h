/*
 * reviewer: who asks at the control socket, and what that person may do (semantics.md 10.3, design.md 9,
 * 9a.5). Rights are asked of the directory at the moment of asking; what it cannot say now is no. Belongs to
 * one thread; borrows the snapshot, which must outlive it.
 */
#ifndef MILTER_REVIEW_REVIEWER_H
#define MILTER_REVIEW_REVIEWER_H

#include "milter/conf/snapshot.h"
#include "milter/store/hold.h"

/* Somebody at the control socket. */
struct reviewer {
    guint uid;
    char *user;            /* login name of the peer's uid; NULL: the uid has none */
    char *name;            /* see reviewer_name */
    gboolean is_root;      /* administrator, never a reviewer; whom the directory is not asked for */
    struct person *person; /* NULL: nobody the directory knows, or two */
    gboolean unavailable;  /* something cannot be asked now: the person, or a group that gives a right */
    gboolean
        roles_unknown; /* … a role: it might be one that forbids what another allows, so nothing is allowed */
    gboolean roles[ROLE_COUNT];
    GPtrArray *queues; /* const struct queue *, whose reviewer the person is; borrowed from the snapshot */
    gint64 now;        /* seconds: of clearances */
};
/* Asks the directory for the person, the roles and the queues, in one query; never NULL. */
struct reviewer *reviewer_find(const struct snapshot *snapshot, guint uid);
/* The same for a login name, NULL none. */
struct reviewer *reviewer_of_login(const struct snapshot *snapshot, guint uid, const char *login);
void reviewer_free(struct reviewer *reviewer);
DEFINE_AUTOPTR(reviewer, reviewer_free)
/* Main address, "root", or "uid 1000": for audit and log. Borrowed. */
const char *reviewer_name(const struct reviewer *reviewer);
/* Roles are for different persons (三员分立): who has two has none, and every command says so. */
gboolean reviewer_has_two_roles(const struct reviewer *reviewer);
/* Is the canonical address, or the one that is left without its tag, the person's? */
gboolean reviewer_has_address(const struct snapshot *snapshot, const struct reviewer *reviewer,
                              const char *canonical);

enum may {
    MAY,
    MAY_NOT_UNKNOWN,   /* nobody that the directory knows, or it cannot be asked */
    MAY_NOT_REVIEWER,  /* of none of the queues, no officer; or a role that never reads mail */
    MAY_NOT_CLEARED,   /* not for this label */
    MAY_NOT_OWN,       /* sender, login, author */
    MAY_NOT_RECIPIENT, /* the slip names the voter as a recipient */
};
/* To see that the hold is there: reviewers of its queue, officers, administrators, auditors. */
enum may reviewer_may_list(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold);
/* To see content: reviewers of its queue and officers whose clearance dominates E at this moment. */
enum may reviewer_may_read(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold);
/* To vote. With `recipients may vote no` the caller also asks whether the voter got the message otherwise:
 * a hold names only those that it holds. */
enum may reviewer_may_vote(const struct snapshot *snapshot, const struct reviewer *reviewer,
                           const struct hold *hold);
/* To say what became of a doubtful release: officers, never the sender's. No content is seen. */
enum may reviewer_may_settle(const struct snapshot *snapshot, const struct reviewer *reviewer,
                             const struct hold *hold);
/* Archive: officers, for copies whose label their clearance dominates. label NULL: system high. */
enum may reviewer_may_read_label(const struct snapshot *snapshot, const struct reviewer *reviewer,
                                 const struct label_set *label);

#endif
