/*
 * past: what was decided before for the same identity keys (semantics.md 7.4), and what approved slips answer
 * at a recheck (10.4). Values that the store fills and decide reads; owned by the caller.
 */
#ifndef MILTER_DECIDE_PAST_H
#define MILTER_DECIDE_PAST_H

#include "policy/autoptr.h"
#include "policy/check/reason.h"
#include "policy/label/label.h"

enum past_state {
    PAST_NOTHING,
    PAST_HELD,    /* waits in an open hold */
    PAST_SETTLED, /* releasing, or released by the way out: taken care of */
    PAST_ENDED,   /* refused or expired after a hold: refused again */
    PAST_DEFERRED /* 4xx before; own_since_s tells since when by the message's own trouble */
};

struct past_entry {
    enum past_state state;
    gint64 hold;        /* the store's number of the hold; 0 none */
    gint64 at_s;        /* ENDED: when */
    gint64 own_since_s; /* DEFERRED: start of the defer clock; 0: it does not run (general trouble) */
};

struct past {
    GHashTable *entries; /* canonical recipient -> struct past_entry *; absent: PAST_NOTHING */
};

struct past *past_new(void);
void past_free(struct past *past);
DEFINE_AUTOPTR(past, past_free)
void past_set(struct past *past, const char *canonical, struct past_entry entry); /* copies */
/* Never NULL: PAST_NOTHING for a stranger; past may be NULL. */
const struct past_entry *past_of(const struct past *past, const char *canonical);

/* What approved slips answer. A reason counts as answered for a recipient when an approved slip names it with
 * the same key (reason_key: id, check, part, place, value). */
struct approvals {
    GHashTable *answered;     /* set of "canonical recipient\nreason key" */
    struct label_set *stated; /* `approve --as`: what E is; NULL: none stated */
};
struct approvals *approvals_new(void);
void approvals_free(struct approvals *approvals);
DEFINE_AUTOPTR(approvals, approvals_free)
void approvals_add(struct approvals *approvals, const char *canonical, const char *reason_key);
gboolean approvals_has(const struct approvals *approvals, const char *canonical, const struct reason *reason);

/* May an approval answer this reason at all? Checks 2, 3, 5, 10, 11, 12 are never waived by a vote. */
gboolean reason_may_be_waived(const struct reason *reason);
/* What makes two reasons the same: id, check, part, value ("label-conflict 4 0 机密, 秘密"); new string. */
char *reason_key(const struct reason *reason);

#endif
