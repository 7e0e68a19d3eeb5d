/*
 * hold: a message that waits for a decision, or waited (semantics.md 10). State is per recipient; a slip is
 * the part of a hold that one queue decides, today one for each hold. Values are copies, owned by the caller
 * (hold_free); changes compare versions, so that of two who act at once one is told STORE_ERROR_CHANGED.
 */
#ifndef MILTER_STORE_HOLD_H
#define MILTER_STORE_HOLD_H

#include "milter/store/store.h"

enum hold_state { HOLD_HELD, HOLD_RELEASING, HOLD_RELEASED, HOLD_REFUSED, HOLD_EXPIRED };
const char *hold_state_name(enum hold_state state); /* "held" */
enum hold_kind { KIND_HOLD, KIND_REFUSED /* a refusal of the local socket: kept, never released */ };

struct hold_recipient {
    char *canonical;
    enum hold_state state;
    gint64 changed_ms;
    char *queue_id;     /* RELEASED: of Postfix, or "later attempt" when that had none; NULL */
    gboolean via_later; /* RELEASED, REFUSED: by a later attempt of the client, not by review (rows 3, 12) */
    GPtrArray *reasons; /* struct reason *, why it was held, as recorded (texts in both languages work) */
    char *leading;      /* id of the leading reason */
};

struct slip {
    gint64 number;
    guint version;
    char *queue;
    gboolean approved;  /* by as many as it needs */
    gboolean failing;   /* its release was refused (recheck-failed, release-failed): for reviewers */
    char *trouble;      /* why it waits though approved ("recheck-failed not-cleared"); NULL */
    gint64 deadline_ms; /* wall clock */
    gboolean passed;    /* its end was seen passed once: store_hold_expire */
    gint64 approved_ms; /* 0: not yet */
    gint64 next_try_ms; /* of a release that waits */
};

struct hold_vote {
    gint64 at_ms;
    char *person; /* main address */
    char *what;   /* "approve", "refuse", "note", "again", "done" */
    char *label;  /* approve --as, as people read it; NULL */
    char *note;   /* NULL */
};

struct hold {
    gint64 number; /* in the store */
    char *id;      /* 27 letters and digits without look-alikes */
    enum hold_kind kind;
    enum hold_state state; /* the least finished of its recipients */
    gint64 at_ms;
    char *reference; /* "MIJI-k3x9qa" */
    char *queue_id;  /* under which it came; NULL */
    enum sender_class class;
    char *login, *sender, *zone; /* login NULL none; sender canonical, "" null; zone of origin */
    char *person;                /* id (DN) of the sender of class person; NULL */
    char *owner_address;         /* main address of that person; NULL */
    char *authors;               /* canonical author addresses of From, blanks between; "" */
    guint64 size;
    char *display;           /* label for people */
    struct label_set *label; /* E, in today's schemes; NULL: system high is asked of who wants to look */
    char *label_text;        /* the same as recorded */
    gboolean courtesy;       /* no automatic or list mail: notices of success may be sent (9.4) */
    gboolean answered;       /* the client has had the answer: see store_holds_due */
    guint seen_again;
    guint generation;
    char *snapshot_hash;
    struct slip slip;
    GPtrArray *recipients; /* struct hold_recipient * */
    GPtrArray *votes;      /* struct hold_vote *, notes included, oldest first */
};
void hold_free(struct hold *hold);
DEFINE_AUTOPTR(hold, hold_free)
/* The short form that people see and may type: 8 characters. */
#define HOLD_SHORT_CHARACTERS 8

/* What was recorded of the message, for a recheck: owned copies in the form that decide takes. */
struct recorded {
    struct session session;
    struct envelope *envelope; /* the recipients that were held only */
    gint64 at_s;
};
void recorded_free(struct recorded *recorded);
DEFINE_AUTOPTR(recorded, recorded_free)

struct hold_filter {
    gboolean closed;   /* also those that are over */
    const char *queue; /* NULL: any */
    gint64 since_ms;   /* 0: all */
    guint limit;       /* 0: all */
};
/* Newest last. schemes are borrowed by the labels and must outlive them. */
GPtrArray *store_holds(struct store *store, const struct schemes *schemes, const struct hold_filter *filter,
                       GError **error);
/* By id, by a beginning of it (4 characters at least), or by reference; ABSENT, or SEVERAL when it is a
 * beginning that several have. */
struct hold *store_hold(struct store *store, const struct schemes *schemes, const char *name, GError **error);
struct recorded *store_hold_recorded(struct store *store, const struct hold *hold, GError **error);
/* The octets as presented, digest verified; DAMAGED if not. New, *length. */
guint8 *store_hold_contents(struct store *store, const struct hold *hold, gsize *length, GError **error);

/* ---- votes; who: main address of the person. All compare hold->slip.version. */
gboolean store_hold_approve(struct store *store, const struct hold *hold, const char *who,
                            const struct label_set *stated, const char *note, GError **error);
/* All recipients that are still held: refused. notices (may be NULL): N2, stored in the same transaction. */
gboolean store_hold_refuse(struct store *store, const struct hold *hold, const char *who, const char *note,
                           const GPtrArray *notices, GError **error);
gboolean store_hold_note(struct store *store, const struct hold *hold, const char *who, const char *note,
                         GError **error);
/* The label that the approvers stated, in today's schemes; NULL if none did or it is no longer known. New. */
struct label_set *store_hold_stated(struct store *store, const struct hold *hold,
                                    const struct schemes *schemes);

/* ---- time (row 7, 6). A first look marks, a second one 10 min of monotonic time later ends it (then, and
 * only then, notices are stored); TRUE for both. Only recipients that are still held; CHANGED before the
 * deadline of a slip that is not approved (of an approved one `release within` decides, which the caller
 * knows). DAMAGED when the contents cannot be read: such a hold never expires (row 14). */
gboolean store_hold_expire(struct store *store, const struct hold *hold, const GPtrArray *notices,
                           GError **error);
/* It has not passed after all (the clock was wrong): that look does not count. */
gboolean store_hold_not_passed(struct store *store, const struct hold *hold, GError **error);
gboolean store_hold_requeue(struct store *store, const struct hold *hold, const char *queue,
                            gint64 deadline_ms, GError **error);

#endif
