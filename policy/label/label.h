/*
 * label: the value of a classification: scheme, level, category values, end of validity; and the order among
 * them.
 *
 * Labels are values owned by whoever made them; they borrow their scheme, which must outlive them. Pure
 * functions, any thread. Labels as marks are partly ordered by label_covers: reflexive, antisymmetric (up to
 * informative values) and transitive, and label_join is its least upper bound. label_dominates asks what a
 * holder may see; it is no order among labels, since a holder of one permissive value sees labels that have
 * nothing else in common, but it goes with the order: who dominates a label dominates every label that it
 * covers (semantics.md 2.6; X.841, ADatP-4774.1 dominance).
 */
#ifndef POLICY_LABEL_LABEL_H
#define POLICY_LABEL_LABEL_H

#include "policy/autoptr.h"
#include "policy/label/scheme.h"

/* How long a label holds. `from` is when its term starts (issue date), unknown for most marks. */
enum duration_kind {
    DURATION_NONE,    /* the scheme knows no terms */
    DURATION_TERM,    /* term_seconds from an unknown start */
    DURATION_UNTIL,   /* ends at a moment */
    DURATION_EVENT,   /* "启封前": never ends by itself */
    DURATION_FOREVER, /* 长期 */
};

struct duration {
    enum duration_kind kind;
    gboolean is_default; /* not written on the mark, but the level's own term */
    gint64 term_seconds;
    gint64 until; /* seconds since the epoch, exclusive */
    char *text;   /* as written, for display: "10年", "启封前"; NULL */
};

struct label {
    const struct scheme *scheme;
    const struct level *level;
    GPtrArray **values; /* one array per set of the scheme, in its order: sorted names (char *) without
                           doubles; NULL = set not used */
    gboolean nobody;    /* a permissive intersection came out empty: no clearance dominates it */
    struct duration duration;
};

struct label *label_new(const struct scheme *scheme, const struct level *level);
struct label *label_copy(const struct label *label);
void label_free(struct label *label);
DEFINE_AUTOPTR(label, label_free)

/* Adds a category value to a set of the label's scheme (kept sorted, doubles ignored). */
void label_add_value(struct label *label, const struct category_set *set, const char *value);

/* What may be seen by holding `upper`: level at least, every restrictive value, one of each permissive set
 * that `lower` uses; a set that `lower` does not use asks nothing. FALSE for different schemes and for
 * nobody. `all_categories`: upper has every category (inside zones, system high). */
gboolean label_dominates(const struct label *upper, gboolean all_categories, const struct label *lower);

/* The order of two labels as marks on messages (thread, attachment): as above, but a permissive audience of
 * `lower` must be a superset of (or unused against) that of `upper`: upper's readers are among lower's
 * readers. */
gboolean label_covers(const struct label *upper, const struct label *lower);

gboolean label_equal(const struct label *a, const struct label *b); /* level and categories, not duration */

/* Differ in level, or in restrictive or permissive values: two such claims are in conflict
 * (semantics.md 2.11). */
gboolean label_differs(const struct label *a, const struct label *b);

/* Outside the scheme's `combination` lines: still counts in full, and rules can ask. */
gboolean label_irregular(const struct label *label);

/* Least upper bound of two labels of one scheme; new. Permissive sets intersect, a label that does not use a
 * set stands for everybody; an empty intersection is nobody, and the permissive values are then gone.
 * Durations: the later end, an unknown one latest. */
struct label *label_join(const struct label *a, const struct label *b);

/* "机密", "机密 专项:密码" for people, with "scheme/" before it unless of the home scheme, and " ∅" behind it
 * for nobody; the level alone in ASCII for SMTP replies ("secret"). New strings. */
char *label_format(const struct label *label);
char *label_format_ascii(const struct label *label);

/*
 * A set of labels, at most one per scheme: what a message carries. Join adds; nothing lowers
 * (semantics.md 2.6).
 */
struct label_set {
    GPtrArray *labels; /* struct label *, order of the schemes' first appearance */
};

struct label_set *label_set_new(void);
struct label_set *label_set_copy(const struct label_set *set);
void label_set_free(struct label_set *set);
DEFINE_AUTOPTR(label_set, label_set_free)
void label_set_join(struct label_set *set, const struct label *label); /* copies */
void label_set_join_all(struct label_set *set, const struct label_set *other);
const struct label *label_set_of(const struct label_set *set,
                                 const struct scheme *scheme); /* borrowed or NULL */
/* Every label of lower is covered by the label of the same scheme in upper. */
gboolean label_set_covers(const struct label_set *upper, const struct label_set *lower);
gboolean label_set_equal(const struct label_set *a, const struct label_set *b);
char *label_set_format(const struct label_set *set); /* "机密" or "机密 + au/SECRET" */
char *label_set_format_ascii(const struct label_set *set);

#endif
