/*
 * policy: the choices of miji.conf that decide asks for (language.md section 3), with their defaults. Filled
 * by milter/conf, immutable, owned by the snapshot. OUTCOME_UNSET everywhere means the default that
 * semantics.md names.
 */
#ifndef POLICY_CHECK_POLICY_H
#define POLICY_CHECK_POLICY_H

#include "policy/autoptr.h"
#include "policy/zone/zone.h"

struct device {
    char *address; /* canonical, or NULL for `any` */
    struct network network;
    const struct scheme *scheme;
    const struct level *level; /* NULL: the lowest of the home scheme */
};

/* One line of `undecidable`. causes: bit 1 << enum finding_cause (DIRECTORY, OVERLOAD, ENCRYPTED, DAMAGED,
 * LIMIT, LABEL); 0 = every cause. The values are those of finding_cause in rules/facts.h, which this layer
 * does not know; milter/conf proves that they agree. The word `damaged` also means a structure that programs
 * read differently. */
enum undecidable_cause {
    UNDECIDABLE_DIRECTORY = 1 << 1,
    UNDECIDABLE_OVERLOAD = 1 << 2,
    UNDECIDABLE_ENCRYPTED = 1 << 3,
    UNDECIDABLE_DAMAGED = 1 << 4,
    UNDECIDABLE_LIMIT = 1 << 5,
    UNDECIDABLE_LABEL = 1 << 6,
    UNDECIDABLE_STRUCTURE = 1 << 7,
};
/* What a line may deliver: only what cannot be read is ever let through unread (semantics.md 7.1). */
#define UNDECIDABLE_MAY_DELIVER (UNDECIDABLE_ENCRYPTED | UNDECIDABLE_DAMAGED | UNDECIDABLE_LIMIT)
struct undecidable_line {
    guint causes;
    const struct scheme *scheme;
    const struct level *up_to; /* NULL: any level, known or not */
    struct outcome outcome;
};

struct policy {
    gboolean login_counts, certificate_counts; /* sender is …; both by default */
    gboolean certificate_first;                /* `sender is client certificate, login` */
    GPtrArray *devices;                        /* struct device * */
    struct outcome forged_envelope, forged_from;
    struct outcome unlabelled_inside, unlabelled_outside;
    struct outcome label_conflict, thread_downgrade, attachment_above;
    struct outcome sender_not_cleared, recipient_not_cleared;
    gboolean refuse_all;           /* some recipients not cleared refuse all */
    gboolean outside_hold_refused; /* outside mixed hold refused */
    const struct scheme *unknown_person_scheme;
    const struct level *unknown_person; /* NULL: lowest level of the home scheme */
    char *recipient_delimiter;          /* NULL none */
    GPtrArray *undecidable;             /* struct undecidable_line *, last one `otherwise` */
    GPtrArray *queues;                  /* char *, names in file order; empty: hold is refuse */
    guint max_recipients;
    guint64 max_message_bytes;
    char *contact; /* {contact} in texts; NULL */
    gint64 defer_at_most_ms;
};

struct policy *policy_new(void); /* every default of language.md 3, no undecidable block: directory, overload
                                    defer; otherwise hold */
void policy_free(struct policy *policy);
/* A new last line of `undecidable` that fits everything and says nothing (OUTCOME_UNSET); borrowed, to be
 * filled in. */
struct undecidable_line *policy_add_undecidable(struct policy *policy);
DEFINE_AUTOPTR(policy, policy_free)

/* The first fitting line for a cause (enum finding_cause; CAUSE_NONE for what has no word) and the label
 * known so far (NULL = nothing was read: no line with `up to` fits; empty = read, and none found: only lines
 * that do not deliver fit, semantics.md 2.14). home = the home scheme; labels of other schemes count as
 * system high, so no `up to` fits. A line that delivers is passed over for causes outside
 * UNDECIDABLE_MAY_DELIVER, whatever causes it names. Never NULL when the last line is `otherwise`;
 * OUTCOME_UNSET means hold in the first queue, else refuse. `defer` for a persistent unknown is read as hold
 * by the caller. */
const struct outcome *policy_undecidable(const struct policy *policy, gint cause,
                                         const struct label_set *known, const struct scheme *home);

#endif
