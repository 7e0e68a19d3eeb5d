/* order: what dominates, covers, equals what (semantics.md 2.6, X.841). */
#include "policy/label/label.h"

#include <string.h>

static guint count(const GPtrArray *values)
{
    return values != NULL ? values->len : 0;
}

/* Both sorted. */
static gboolean is_subset(const GPtrArray *part, const GPtrArray *whole)
{
    guint at = 0;
    for (guint i = 0; i < count(part); i++) {
        const char *value = g_ptr_array_index(part, i);
        while (at < count(whole) && strcmp(g_ptr_array_index(whole, at), value) < 0)
            at++;
        if (at == count(whole) || !g_str_equal(g_ptr_array_index(whole, at), value))
            return FALSE;
    }
    return TRUE;
}

static gboolean is_disjoint(const GPtrArray *a, const GPtrArray *b)
{
    guint i = 0, j = 0;
    while (i < count(a) && j < count(b)) {
        int order = strcmp(g_ptr_array_index(a, i), g_ptr_array_index(b, j));
        if (order == 0)
            return FALSE;
        if (order < 0)
            i++;
        else
            j++;
    }
    return TRUE;
}

static gboolean same_values(const GPtrArray *a, const GPtrArray *b)
{
    return count(a) == count(b) && is_subset(a, b);
}

gboolean label_dominates(const struct label *upper, gboolean all_categories, const struct label *lower)
{
    if (upper->scheme != lower->scheme || upper->nobody || lower->nobody ||
        upper->level->rank < lower->level->rank)
        return FALSE;
    for (guint i = 0; i < lower->scheme->sets->len && !all_categories; i++) {
        const struct category_set *set = g_ptr_array_index(lower->scheme->sets, i);
        switch (set->kind) {
        case CATEGORY_RESTRICTIVE:
            if (!is_subset(lower->values[i], upper->values[i]))
                return FALSE;
            break;
        case CATEGORY_PERMISSIVE:
            if (count(lower->values[i]) > 0 && is_disjoint(lower->values[i], upper->values[i]))
                return FALSE;
            break;
        case CATEGORY_INFORMATIVE:
            break;
        }
    }
    return TRUE;
}

/* Everybody whom `upper` admits is admitted by `lower`: no values stand for everybody. */
static gboolean audience_covers(const GPtrArray *upper, const GPtrArray *lower)
{
    return count(lower) == 0 || (count(upper) > 0 && is_subset(upper, lower));
}

gboolean label_covers(const struct label *upper, const struct label *lower)
{
    if (upper->scheme != lower->scheme || upper->level->rank < lower->level->rank ||
        (lower->nobody && !upper->nobody))
        return FALSE;
    for (guint i = 0; i < lower->scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(lower->scheme->sets, i);
        switch (set->kind) {
        case CATEGORY_RESTRICTIVE:
            if (!is_subset(lower->values[i], upper->values[i]))
                return FALSE;
            break;
        case CATEGORY_PERMISSIVE:
            if (!upper->nobody && !audience_covers(upper->values[i], lower->values[i]))
                return FALSE;
            break;
        case CATEGORY_INFORMATIVE:
            break;
        }
    }
    return TRUE;
}

/* The values of nobody's permissive sets say nothing. */
static gboolean same_categories(const struct label *a, const struct label *b, gboolean informative_too)
{
    for (guint i = 0; i < a->scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(a->scheme->sets, i);
        gboolean counts = TRUE;
        switch (set->kind) {
        case CATEGORY_RESTRICTIVE:
            break;
        case CATEGORY_PERMISSIVE:
            counts = !a->nobody;
            break;
        case CATEGORY_INFORMATIVE:
            counts = informative_too;
            break;
        }
        if (counts && !same_values(a->values[i], b->values[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean label_equal(const struct label *a, const struct label *b)
{
    return a->scheme == b->scheme && a->level == b->level && a->nobody == b->nobody &&
           same_categories(a, b, TRUE);
}

gboolean label_differs(const struct label *a, const struct label *b)
{
    return a->scheme != b->scheme || a->level != b->level || a->nobody != b->nobody ||
           !same_categories(a, b, FALSE);
}
