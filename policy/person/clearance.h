/*
 * clearance: what a person may see. Written in the directory as `LEVEL { SET VALUE,… } [from DATE] [until DATE]` in the words of miji.conf
 * ("机密", "cn/机密 专项 密码 until 2027-06-30"; language.md section 3). Several values are several clearances or grants.
 *
 * Immutable after parsing; borrows schemes. Pure; any thread.
 */
#ifndef POLICY_PERSON_CLEARANCE_H
#define POLICY_PERSON_CLEARANCE_H

#include "policy/autoptr.h"
#include "policy/label/label.h"

struct clearance {
    struct label *label;      /* upper bound */
    gboolean all_categories;  /* system high */
    gint64 from, until;       /* seconds since the epoch, from ≤ now < until; G_MININT64 / G_MAXINT64 when not given */
};

/* zone: time zone in which dates are meant (NULL: the host's). NULL and error (why it cannot be read) on failure. */
struct clearance *clearance_parse(const struct schemes *schemes, const char *text, GTimeZone *zone, GError **error);
void clearance_free(struct clearance *clearance);
DEFINE_AUTOPTR(clearance, clearance_free)
char *clearance_format(const struct clearance *clearance);

enum cleared {
    CLEARED_YES,
    CLEARED_NO,
    CLEARED_AMBIGUOUS,   /* two permanent clearances in one scheme at the same time: recorded in conflict */
    CLEARED_UNREADABLE,  /* a value could not be read: unknown, never empty */
};

/* May the holder of these clearances see the label at `now`? One valid clearance or grant alone must dominate it. A permanent clearance has no
 * `until`; no valid clearance in the home scheme means its lowest level (semantics.md 4.4). unreadable: some value could not be read. */
enum cleared clearances_check(const GPtrArray *clearances, gboolean unreadable, const struct schemes *schemes,
                              const struct label *label, gint64 now);
/* … every label of a set. The first answer other than YES, NO before the unknown ones; *which is the label it is about (borrowed). */
enum cleared clearances_check_set(const GPtrArray *clearances, gboolean unreadable, const struct schemes *schemes,
                                  const struct label_set *set, gint64 now, const struct label **which);

#endif
