#include "policy/label/label.h"

#include <string.h>

#include "policy/label/duration.h"
#include "policy/text/fold.h"

struct label *label_new(const struct scheme *scheme, const struct level *level)
{
    struct label *label = g_new0(struct label, 1);
    label->scheme = scheme;
    label->level = level;
    label->values = g_new0(GPtrArray *, scheme->sets->len);
    return label;
}

static GPtrArray *values_copy(const GPtrArray *values)
{
    if (values == NULL)
        return NULL;
    GPtrArray *copy = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < values->len; i++)
        g_ptr_array_add(copy, g_strdup(g_ptr_array_index(values, i)));
    return copy;
}

struct label *label_copy(const struct label *label)
{
    struct label *copy = label_new(label->scheme, label->level);
    for (guint i = 0; i < label->scheme->sets->len; i++)
        copy->values[i] = values_copy(label->values[i]);
    copy->nobody = label->nobody;
    copy->duration = duration_copy(&label->duration);
    return copy;
}

void label_free(struct label *label)
{
    if (label == NULL)
        return;
    for (guint i = 0; i < label->scheme->sets->len; i++)
        if (label->values[i] != NULL)
            g_ptr_array_unref(label->values[i]);
    g_free(label->values);
    duration_clear(&label->duration);
    g_free(label);
}

void label_add_value(struct label *label, const struct category_set *set, const char *value)
{
    const struct category_value *listed = category_set_value(set, value);
    char *name = listed != NULL ? g_strdup(listed->name) : fold_nfc(value);
    if (label->values[set->index] == NULL)
        label->values[set->index] = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *values = label->values[set->index];
    guint at = 0;
    while (at < values->len && strcmp(g_ptr_array_index(values, at), name) < 0)
        at++;
    if (at < values->len && g_str_equal(g_ptr_array_index(values, at), name))
        g_free(name);
    else
        g_ptr_array_insert(values, (gint)at, name);
}

static void format_values(GString *text, const char *set, const GPtrArray *values)
{
    g_string_append_printf(text, " %s", set);
    for (guint i = 0; i < values->len; i++)
        g_string_append_printf(text, "%c%s", i == 0 ? ':' : ',', (const char *)g_ptr_array_index(values, i));
}

char *label_format(const struct label *label)
{
    GString *text = g_string_new(NULL);
    if (!label->scheme->home)
        g_string_append_printf(text, "%s/", label->scheme->name);
    g_string_append(text, label->level->name);
    for (guint i = 0; i < label->scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(label->scheme->sets, i);
        if (label->values[i] != NULL)
            format_values(text, set->name, label->values[i]);
    }
    if (label->nobody)
        g_string_append(text, " ∅");
    return g_string_free(text, FALSE);
}

char *label_format_ascii(const struct label *label)
{
    return g_strconcat(label->scheme->home ? "" : label->scheme->name, label->scheme->home ? "" : "/",
                       label->level->ascii, NULL);
}
