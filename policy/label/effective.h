/*
 * effective: from all claims of a message to its label: own O, contained C, effective E = O ⊔ C, quoted Q,
 * and what is wrong with them (semantics.md section 2, items 3–14). Pure; results own their labels.
 */
#ifndef POLICY_LABEL_EFFECTIVE_H
#define POLICY_LABEL_EFFECTIVE_H

#include "policy/autoptr.h"
#include "policy/label/claim.h"

/* Trust of the message's own claims, from the sender's class (semantics.md 2.3). */
enum trust { TRUST_OUTSIDE, TRUST_PEER, TRUST_INSIDE };

struct effective {
    struct label_set *own;       /* O, with the assumed label joined when `assumed` */
    struct label_set *contained; /* C over all parts */
    struct label_set *effective; /* E */
    struct label_set *quoted;    /* Q */
    const struct label
        *display; /* borrowed from own/claims: what `write`, notices and lists show; NULL if E is empty */
    gboolean labelled; /* an own claim of sufficient trust with a value */
    gboolean missing;  /* no own claim of sufficient trust with a value, and none invalid or unmapped */
    gboolean assumed;  /* effective_assume was called */
    const struct claim *invalid; /* first own invalid claim (borrowed from the claims given), or NULL */
    const struct claim *unmapped;
    const struct claim *part_unreadable;         /* first contained claim that is invalid or unmapped */
    const struct claim *conflict_a, *conflict_b; /* two own claims of one scheme that differ; NULL */
    const char *repeated_field; /* a field that a scheme reads and that occurs twice, whoever wrote it;
                                   borrowed; NULL */
    guint above_part;           /* number of the first part whose label O does not cover; 0 none */
    gboolean scheme_ambiguous;
    const struct schemes *schemes; /* borrowed */
};

/*
 * claims: struct claim *, they must outlive the result. accepted: the schemes whose marks count as labelling
 * (S2: what the zone accepts; NULL = every scheme). Claims from outside, and those that are `near`, raise E,
 * but make nothing labelled and never conflict.
 */
struct effective *effective_make(const struct schemes *schemes, const GPtrArray *claims, enum trust trust,
                                 const GPtrArray *accepted);
void effective_free(struct effective *effective);
DEFINE_AUTOPTR(effective, effective_free)

/* Joins an assumed label (unlabelled … treat as LEVEL) into O and E; nothing is ever written of it.
 * Recomputes above_part and display. */
void effective_assume(struct effective *effective, const struct scheme *scheme, const struct level *level,
                      const GPtrArray *claims);

#endif
