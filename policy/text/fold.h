/*
 * fold: text as it counts when a word is looked for: the invisible taken out, width and presentation forms
 * taken back (NFKC), and, if asked for, case, white space, and the few traditional and variant forms that
 * stand in classification marks. With a way back: every octet of the result knows the octet of the original
 * that it came from.
 *
 * Pure functions; any thread. The result owns its memory and does not point into the original. Linear in the
 * length, whatever the text is: a run of combining characters is cut at FOLD_MAX_CLUSTER (as in Unicode's
 * stream-safe format), and nothing grows by more than eleven times. ASCII and plain Han characters never
 * reach the Unicode tables.
 */
#ifndef POLICY_TEXT_FOLD_H
#define POLICY_TEXT_FOLD_H

#include "policy/autoptr.h"

enum fold_flag {
    FOLD_CASE = 1 << 0, /* full case folding (NFKC_Casefold) */
    FOLD_FORMS = 1 << 1, /* 絕 is 绝, 機 is 机 …; ☆ ⭐ … are ★, △ is ▲ (the asterisk stays one) */
    FOLD_SPACE = 1 << 2, /* a run of white space and control characters is one space; none at the ends */
    FOLD_MARK = FOLD_CASE | FOLD_FORMS | FOLD_SPACE, /* how marks and the names in them are compared */
};

/* From offset `folded` of the result on, octets come one by one from offset `origin` on; or, if `whole`, all
 * of them from there. */
struct fold_point {
    guint32 folded;
    guint32 origin : 31;
    guint32 whole : 1;
};

struct folded {
    char *text;   /* UTF-8, a NUL follows and none is inside */
    gsize length; /* octets */
    gsize origin_length;
    gboolean bidi; /* the original turned the direction of text (U+202A–202E, 2066–2069) */
    struct fold_point *points;
    guint point_count;
};

/* Folds length octets (at most 2^30); octets that are not valid UTF-8 become U+FFFD each. New. */
struct folded *fold_text(const char *text, gsize length, guint flags);
void folded_free(struct folded *folded);
DEFINE_AUTOPTR(folded, folded_free)

/* Offset in the original of what stands at an offset of the result; of its end for the end. */
gsize folded_origin(const struct folded *folded, gsize offset);

/* The folded text alone, of a string. New. */
char *fold_string(const char *text, guint flags);

/* What FOLD_FORMS makes of one character that is already normal. */
gunichar fold_form(gunichar c);

/* NFC, in which names are kept and compared (language.md 1). text is valid UTF-8. New. */
char *fold_nfc(const char *text);

#endif
