/* join: the least upper bound of labels, and sets of labels of several schemes (semantics.md 2.6). */
#include "policy/label/label.h"

#include <string.h>

#include "policy/label/duration.h"

static void unite(struct label *label, const struct category_set *set, const GPtrArray *values)
{
    for (guint i = 0; values != NULL && i < values->len; i++)
        label_add_value(label, set, g_ptr_array_index(values, i));
}

static gboolean contains(const GPtrArray *values, const char *value)
{
    for (guint i = 0; i < values->len; i++)
        if (g_str_equal(g_ptr_array_index(values, i), value))
            return TRUE;
    return FALSE;
}

/* Who does not use the set stands for everybody; no common value leaves nobody. */
static void intersect(struct label *label, const struct category_set *set, const GPtrArray *a,
                      const GPtrArray *b)
{
    gboolean a_used = a != NULL && a->len > 0, b_used = b != NULL && b->len > 0;
    if (!a_used || !b_used) {
        unite(label, set, a_used ? a : b);
        return;
    }
    for (guint i = 0; i < a->len; i++)
        if (contains(b, g_ptr_array_index(a, i)))
            label_add_value(label, set, g_ptr_array_index(a, i));
    if (label->values[set->index] == NULL)
        label->nobody = TRUE;
}

static void forget_audience(struct label *label)
{
    for (guint i = 0; i < label->scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(label->scheme->sets, i);
        if (set->kind == CATEGORY_PERMISSIVE && label->values[i] != NULL)
            g_clear_pointer(&label->values[i], g_ptr_array_unref);
    }
}

struct label *label_join(const struct label *a, const struct label *b)
{
    g_assert(a->scheme == b->scheme);
    struct label *label = label_new(a->scheme, a->level->rank >= b->level->rank ? a->level : b->level);
    label->nobody = a->nobody || b->nobody;
    for (guint i = 0; i < a->scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(a->scheme->sets, i);
        switch (set->kind) {
        case CATEGORY_RESTRICTIVE:
        case CATEGORY_INFORMATIVE:
            unite(label, set, a->values[i]);
            unite(label, set, b->values[i]);
            break;
        case CATEGORY_PERMISSIVE:
            intersect(label, set, a->values[i], b->values[i]);
            break;
        }
    }
    if (label->nobody)
        forget_audience(label);
    label->duration = duration_copy(duration_later(&a->duration, &b->duration));
    return label;
}

/* ---------------------------------------------------------------- sets */
struct label_set *label_set_new(void)
{
    struct label_set *set = g_new0(struct label_set, 1);
    set->labels = g_ptr_array_new_with_free_func((GDestroyNotify)label_free);
    return set;
}

struct label_set *label_set_copy(const struct label_set *set)
{
    struct label_set *copy = label_set_new();
    label_set_join_all(copy, set);
    return copy;
}

void label_set_free(struct label_set *set)
{
    if (set == NULL)
        return;
    g_ptr_array_unref(set->labels);
    g_free(set);
}

void label_set_join(struct label_set *set, const struct label *label)
{
    for (guint i = 0; i < set->labels->len; i++) {
        struct label *mine = g_ptr_array_index(set->labels, i);
        if (mine->scheme != label->scheme)
            continue;
        set->labels->pdata[i] = label_join(mine, label);
        label_free(mine);
        return;
    }
    g_ptr_array_add(set->labels, label_copy(label));
}

void label_set_join_all(struct label_set *set, const struct label_set *other)
{
    for (guint i = 0; i < other->labels->len; i++)
        label_set_join(set, g_ptr_array_index(other->labels, i));
}

const struct label *label_set_of(const struct label_set *set, const struct scheme *scheme)
{
    for (guint i = 0; i < set->labels->len; i++) {
        const struct label *label = g_ptr_array_index(set->labels, i);
        if (label->scheme == scheme)
            return label;
    }
    return NULL;
}

gboolean label_set_covers(const struct label_set *upper, const struct label_set *lower)
{
    for (guint i = 0; i < lower->labels->len; i++) {
        const struct label *low = g_ptr_array_index(lower->labels, i);
        const struct label *high = label_set_of(upper, low->scheme);
        if (high == NULL || !label_covers(high, low))
            return FALSE;
    }
    return TRUE;
}

gboolean label_set_equal(const struct label_set *a, const struct label_set *b)
{
    if (a->labels->len != b->labels->len)
        return FALSE;
    for (guint i = 0; i < a->labels->len; i++) {
        const struct label *one = g_ptr_array_index(a->labels, i);
        const struct label *other = label_set_of(b, one->scheme);
        if (other == NULL || !label_equal(one, other))
            return FALSE;
    }
    return TRUE;
}

static char *format_all(const struct label_set *set, char *(*format)(const struct label *))
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < set->labels->len; i++) {
        g_autofree char *one = format(g_ptr_array_index(set->labels, i));
        g_string_append_printf(text, "%s%s", i > 0 ? " + " : "", one);
    }
    return g_string_free(text, FALSE);
}

char *label_set_format(const struct label_set *set)
{
    return format_all(set, label_format);
}

char *label_set_format_ascii(const struct label_set *set)
{
    return format_all(set, label_format_ascii);
}
