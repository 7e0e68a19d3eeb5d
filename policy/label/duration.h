/*
 * duration: how long a label holds: the term, date or event behind the sign of a mark (机密★10年,
 * 秘密★启封前).
 *
 * Pure functions; durations own their text. struct duration is in label.h.
 */
#ifndef POLICY_LABEL_DURATION_H
#define POLICY_LABEL_DURATION_H

#include "policy/label/label.h"
#include "policy/text/message.h"

#define SECONDS_PER_DAY ((gint64)86400)
#define SECONDS_PER_YEAR (365 * SECONDS_PER_DAY)  /* as in reader_time: 10y */
#define SECONDS_PER_MONTH (SECONDS_PER_YEAR / 12) /* so that 12 months are a year */

struct duration duration_copy(const struct duration *duration);
void duration_clear(struct duration *duration);

/* The one of the two that ends later; what does not tell its end ends latest (semantics.md 2.6). Borrowed. */
const struct duration *duration_later(const struct duration *a, const struct duration *b);

/* The term that a mark without one has: that of its level, else of the scheme, else none. */
struct duration duration_default(const struct scheme *scheme, const struct level *level);

/*
 * Reads a term at the beginning of folded text: N 年 | N 个月 | N 天, N in digits or 十 二十五 一百; 10y; a
 * date (2030-12-31, 2030年12月31日, also without day or month: then its last day counts); 长期, 永久; an
 * event that ends in 前 or 后. Also in parentheses. Dates end with that day in the host's time zone. Returns
 * the octets read, 0 if there is no term (out is then untouched).
 */
gsize duration_read(const char *text, gsize length, struct duration *out);

/* "10 years", "2030-12-31", "长期"; NULL for none. New string. */
char *duration_format(const struct duration *duration, enum language language);

#endif
