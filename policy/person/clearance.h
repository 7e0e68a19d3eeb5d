/*
 * clearance: what a person may see. Written in the directory as `LEVEL { SET VALUE,… } [from DATE] [until
 * DATE]` in the words of miji.conf
 * ("机密", "cn/机密 专项 密码 until 2027-06-30"; language.md section 3). Several values are several
 * clearances or grants.
 *
 * Immutable after parsing; borrows schemes. Pure; any thread.
 */
#ifndef POLICY_PERSON_CLEARANCE_H
#define POLICY_PERSON_CLEARANCE_H

#include "policy/autoptr.h"
#include "policy/label/label.h"

struct clearance {
    struct label *label;     /* upper bound */
    gboolean all_categories; /* system high */
    /* seconds since the epoch, from ≤ now < until; G_MININT64 / G_MAXINT64 when not given */
    gint64 from, until;
    /* its text has no `until`: the person's clearance, of which a scheme has one; else a grant beside it */
    gboolean permanent;
};

#define CLEARANCE_ERROR clearance_error_quark()
GQuark clearance_error_quark(void);
enum clearance_error { CLEARANCE_ERROR_UNREADABLE };

/* zone: time zone in which dates are meant (NULL: the host's). NULL and error (why it cannot be read) on
 * failure. */
struct clearance *clearance_parse(const struct schemes *schemes, const char *text, GTimeZone *zone,
                                  GError **error);
void clearance_free(struct clearance *clearance);
DEFINE_AUTOPTR(clearance, clearance_free)
/* For people: "机密 专项:密码 before 2027-07-01" (the first moment at which it does not hold), times of the
 * host; new string. */
char *clearance_format(const struct clearance *clearance);

/*
 * Directories that keep the parts of a clearance in attributes of their own (language.md 3, `category
 * attribute`, `clearance until attribute`). A category is `SET VALUE,…`, or one VALUE that a single set
 * lists; it joins every clearance whose scheme has the set. An end is a generalized time (RFC 4517 3.3.13);
 * the earlier one counts where a clearance has its own. It makes no grant of a permanent clearance.
 */
gboolean clearances_add_category(const GPtrArray *clearances, const struct schemes *schemes, const char *text,
                                 GError **error);
gboolean clearances_end_at(const GPtrArray *clearances, const char *generalized_time, GError **error);

enum cleared {
    CLEARED_YES,
    CLEARED_NO,
    CLEARED_AMBIGUOUS,  /* two permanent clearances in one scheme at the same time: recorded in conflict */
    CLEARED_UNREADABLE, /* a value could not be read: unknown, never empty */
};

/*
 * May the holder of these clearances see the label at `now`? One valid clearance or grant alone must dominate
 * it; everybody is cleared for the lowest level of the home scheme without categories, whatever else is
 * recorded (semantics.md 4.4). unreadable: some value could not be read. Two permanent clearances valid at
 * once: NO if neither dominates, YES if a grant does, else AMBIGUOUS
 * (contrib/decisions/permanent-clearances-and-grants.md).
 */
enum cleared clearances_check(const GPtrArray *clearances, gboolean unreadable, const struct schemes *schemes,
                              const struct label *label, gint64 now);
/* Would the answer be another one at another moment? For a clock that cannot be believed (semantics.md 1):
 * when TRUE, the answer of clearances_check is not known. */
gboolean clearances_depend_on_time(const GPtrArray *clearances, gboolean unreadable,
                                   const struct schemes *schemes, const struct label *label);
/* … every label of a set. The first answer other than YES, NO before the unknown ones; *which is the label it
 * is about (borrowed). */
enum cleared clearances_check_set(const GPtrArray *clearances, gboolean unreadable,
                                  const struct schemes *schemes, const struct label_set *set, gint64 now,
                                  const struct label **which);
/* … system high, which is asked of who wants to see what nobody can label: the highest level of the home
 * scheme with every restrictive category (semantics.md 1). An open restrictive set has values that nobody can
 * list: only who has all_categories has them all. */
enum cleared clearances_check_system_high(const GPtrArray *clearances, gboolean unreadable,
                                          const struct schemes *schemes, gint64 now);

#endif
