#include "policy/label/scheme.h"

#include <string.h>

#include "policy/label/mark.h"
#include "policy/label/scheme_parts.h"
#include "policy/text/fold.h"

/* ---------------------------------------------------------------- making and freeing */
static void table_unref(GHashTable *table)
{
    if (table != NULL)
        g_hash_table_unref(table);
}

static void array_unref(GPtrArray *array)
{
    if (array != NULL)
        g_ptr_array_unref(array);
}

void level_free(struct level *level)
{
    g_free(level->name);
    array_unref(level->also);
    g_free(level->ascii);
    table_unref(level->display);
    g_free(level->lasts_text);
    g_free(level);
}

void category_value_free(struct category_value *value)
{
    g_free(value->name);
    array_unref(value->also);
    table_unref(value->display);
    g_free(value);
}

void category_set_free(struct category_set *set)
{
    g_free(set->name);
    array_unref(set->also);
    array_unref(set->values);
    g_free(set);
}

void combination_free(struct combination *combination)
{
    array_unref(combination->not_with);
    array_unref(combination->needs);
    g_free(combination);
}

static void marking_field_free(gpointer data)
{
    struct marking_field *field = data;
    g_free(field->name);
    g_free(field);
}

static void marker_address_free(gpointer data)
{
    struct marker_address *marker = data;
    g_free(marker->address);
    g_free(marker);
}

struct scheme *scheme_new(void)
{
    struct scheme *scheme = g_new0(struct scheme, 1);
    scheme->name = g_strdup("");
    scheme->levels = g_ptr_array_new_with_free_func((GDestroyNotify)level_free);
    scheme->sets = g_ptr_array_new_with_free_func((GDestroyNotify)category_set_free);
    scheme->combinations = g_ptr_array_new_with_free_func((GDestroyNotify)combination_free);
    scheme->fields = g_ptr_array_new_with_free_func(marking_field_free);
    scheme->subject_forms = g_ptr_array_new_with_free_func(g_free);
    scheme->file_name_forms = g_ptr_array_new_with_free_func(g_free);
    scheme->document_properties = g_ptr_array_new_with_free_func(g_free);
    scheme->duration_signs = g_ptr_array_new_with_free_func(g_free);
    scheme->except = g_ptr_array_new_with_free_func(g_free);
    scheme->marker_addresses = g_ptr_array_new_with_free_func(marker_address_free);
    return scheme;
}

void scheme_free(struct scheme *scheme)
{
    g_free(scheme->name);
    g_free(scheme->title);
    g_ptr_array_unref(scheme->combinations);
    g_ptr_array_unref(scheme->levels);
    g_ptr_array_unref(scheme->sets);
    g_ptr_array_unref(scheme->fields);
    g_ptr_array_unref(scheme->subject_forms);
    g_ptr_array_unref(scheme->file_name_forms);
    g_ptr_array_unref(scheme->document_properties);
    g_ptr_array_unref(scheme->duration_signs);
    g_ptr_array_unref(scheme->except);
    g_ptr_array_unref(scheme->marker_addresses);
    g_free(scheme);
}

struct schemes *schemes_new(void)
{
    struct schemes *schemes = g_new0(struct schemes, 1);
    schemes->refs = 1;
    schemes->list = g_ptr_array_new_with_free_func((GDestroyNotify)scheme_free);
    schemes->marks = mark_table_new(schemes->list);
    return schemes;
}

struct schemes *schemes_ref(struct schemes *schemes)
{
    g_atomic_int_inc(&schemes->refs);
    return schemes;
}

void schemes_unref(struct schemes *schemes)
{
    if (schemes == NULL || !g_atomic_int_dec_and_test(&schemes->refs))
        return;
    mark_table_free(schemes->marks);
    g_ptr_array_unref(schemes->list);
    g_free(schemes);
}

void schemes_add(struct schemes *schemes, struct scheme *scheme)
{
    scheme->home = schemes->list->len == 0;
    g_ptr_array_add(schemes->list, scheme);
    mark_table_free(schemes->marks);
    schemes->marks = mark_table_new(schemes->list);
}

/* ---------------------------------------------------------------- names */
/* The same name in any case; both NFC. */
static gboolean same_in_any_case(const char *a, const char *b)
{
    if (g_str_is_ascii(a) && g_str_is_ascii(b))
        return g_ascii_strcasecmp(a, b) == 0;
    g_autofree char *one = fold_string(a, FOLD_CASE);
    g_autofree char *other = fold_string(b, FOLD_CASE);
    return g_str_equal(one, other);
}

static gboolean is_among(const GPtrArray *also, const char *name)
{
    for (guint i = 0; also != NULL && i < also->len; i++)
        if (same_in_any_case(g_ptr_array_index(also, i), name))
            return TRUE;
    return FALSE;
}

const struct level *scheme_level_named(const struct scheme *scheme, const char *name)
{
    g_autofree char *normal = fold_nfc(name);
    for (guint i = 0; i < scheme->levels->len; i++) {
        const struct level *level = g_ptr_array_index(scheme->levels, i);
        if (g_str_equal(level->name, normal))
            return level;
    }
    return NULL;
}

const struct level *scheme_level_also(const struct scheme *scheme, const char *name)
{
    g_autofree char *normal = fold_nfc(name);
    for (guint i = 0; i < scheme->levels->len; i++) {
        const struct level *level = g_ptr_array_index(scheme->levels, i);
        if (is_among(level->also, normal))
            return level;
    }
    return NULL;
}

const struct level *scheme_lowest(const struct scheme *scheme)
{
    return scheme->levels->len > 0 ? g_ptr_array_index(scheme->levels, 0) : NULL;
}

const struct level *scheme_highest(const struct scheme *scheme)
{
    return scheme->levels->len > 0 ? g_ptr_array_index(scheme->levels, scheme->levels->len - 1) : NULL;
}

const struct category_set *scheme_set(const struct scheme *scheme, const char *name)
{
    g_autofree char *normal = fold_nfc(name);
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        if (g_str_equal(set->name, normal))
            return set;
    }
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        if (is_among(set->also, normal))
            return set;
    }
    return NULL;
}

const struct category_value *category_set_value(const struct category_set *set, const char *name)
{
    g_autofree char *normal = fold_nfc(name);
    for (guint i = 0; i < set->values->len; i++) {
        const struct category_value *value = g_ptr_array_index(set->values, i);
        if (g_str_equal(value->name, normal))
            return value;
    }
    for (guint i = 0; i < set->values->len; i++) {
        const struct category_value *value = g_ptr_array_index(set->values, i);
        if (same_in_any_case(value->name, normal) || is_among(value->also, normal))
            return value;
    }
    return NULL;
}

/* ---------------------------------------------------------------- all schemes */
const struct scheme *schemes_home(const struct schemes *schemes)
{
    return schemes->list->len > 0 ? g_ptr_array_index(schemes->list, 0) : NULL;
}

const struct scheme *schemes_find(const struct schemes *schemes, const char *name)
{
    for (guint i = 0; i < schemes->list->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes->list, i);
        if (g_str_equal(scheme->name, name))
            return scheme;
    }
    return NULL;
}
