#include "policy/label/scheme.h"

#include <string.h>

#include "policy/label/scheme_parts.h"

/* Names are all shown when there are not more. */
#define FEW_NAMES 8

struct level_place {
    const struct scheme *scheme;
    const struct level *level;
};

typedef const struct level *(*level_lookup)(const struct scheme *scheme, const char *name);

/* One step: the home scheme alone (first 0, end 1), or all others. */
static enum level_found find_among(const struct schemes *schemes, guint first, guint end, level_lookup lookup,
                                   const char *name, struct level_place *found)
{
    enum level_found answer = LEVEL_UNKNOWN;
    for (guint i = first; i < MIN(end, schemes->list->len); i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes->list, i);
        const struct level *level = lookup(scheme, name);
        if (level == NULL)
            continue;
        if (answer == LEVEL_FOUND)
            return LEVEL_AMBIGUOUS;
        *found = (struct level_place){scheme, level};
        answer = LEVEL_FOUND;
    }
    return answer;
}

static enum level_found find_level(const struct schemes *schemes, const char *text, struct level_place *found)
{
    const char *slash = strchr(text, '/');
    if (slash != NULL) {
        g_autofree char *name = g_strndup(text, (gsize)(slash - text));
        const struct scheme *scheme = schemes_find(schemes, name);
        if (scheme == NULL)
            return LEVEL_UNKNOWN;
        const struct level *level = scheme_level_named(scheme, slash + 1);
        if (level == NULL)
            level = scheme_level_also(scheme, slash + 1);
        *found = (struct level_place){scheme, level};
        return level != NULL ? LEVEL_FOUND : LEVEL_UNKNOWN;
    }
    static const level_lookup lookups[] = {scheme_level_named, scheme_level_also};
    for (guint i = 0; i < G_N_ELEMENTS(lookups); i++) {
        enum level_found answer = find_among(schemes, 0, 1, lookups[i], text, found);
        if (answer == LEVEL_UNKNOWN)
            answer = find_among(schemes, 1, G_MAXUINT, lookups[i], text, found);
        if (answer != LEVEL_UNKNOWN)
            return answer;
    }
    return LEVEL_UNKNOWN;
}

enum level_found schemes_level(const struct schemes *schemes, const char *text, const struct scheme **scheme,
                               const struct level **level)
{
    struct level_place found = {NULL, NULL};
    enum level_found answer = find_level(schemes, text, &found);
    if (answer == LEVEL_FOUND) {
        *scheme = found.scheme;
        *level = found.level;
    }
    return answer;
}

/* Every name of every level, `also` names behind all others; borrowed strings. */
static GPtrArray *names_of(const GPtrArray *schemes)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < schemes->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes, i);
        for (guint j = 0; j < scheme->levels->len; j++)
            g_ptr_array_add(names, ((struct level *)g_ptr_array_index(scheme->levels, j))->name);
    }
    return names;
}

static void add_also(const GPtrArray *schemes, GPtrArray *names)
{
    for (guint i = 0; i < schemes->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes, i);
        for (guint j = 0; j < scheme->levels->len; j++) {
            const struct level *level = g_ptr_array_index(scheme->levels, j);
            for (guint k = 0; level->also != NULL && k < level->also->len; k++)
                g_ptr_array_add(names, g_ptr_array_index(level->also, k));
        }
    }
}

void level_unknown_help(struct diagnostic *diagnostic, const GPtrArray *schemes, const char *text)
{
    g_autoptr(GPtrArray) names = names_of(schemes);
    guint count = names->len;
    add_also(schemes, names);
    g_ptr_array_add(names, NULL);
    const char *nearest = nearest_name(text, (const char *const *)names->pdata);
    if (nearest != NULL) {
        diagnostic_help(diagnostic, message_make(MSG_DID_YOU_MEAN_BARE, nearest, NULL));
    } else if (count > 0 && count <= FEW_NAMES) {
        GString *all = g_string_new(NULL);
        for (guint i = 0; i < count; i++)
            g_string_append_printf(all, "%s%s", i > 0 ? ", " : "", (const char *)names->pdata[i]);
        diagnostic_help(diagnostic, message_make(MSG_CHOICES, all->str, NULL));
        g_string_free(all, TRUE);
    }
}

/* "cn/机密 or hk/机密" for a name that is in several schemes. */
static char *full_names(const struct schemes *schemes, const char *text)
{
    GString *all = g_string_new(NULL);
    for (guint i = 0; i < schemes->list->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes->list, i);
        if (scheme_level_named(scheme, text) != NULL || scheme_level_also(scheme, text) != NULL)
            g_string_append_printf(all, "%s%s/%s", all->len > 0 ? ", " : "", scheme->name, text);
    }
    return g_string_free(all, FALSE);
}

gboolean schemes_level_item(const struct schemes *schemes, const struct item *item,
                            struct diagnostics *diagnostics, const struct scheme **scheme,
                            const struct level **level)
{
    if (item == NULL)
        return FALSE;
    switch (schemes_level(schemes, item->text, scheme, level)) {
    case LEVEL_FOUND:
        return TRUE;
    case LEVEL_UNKNOWN: {
        struct diagnostic *report = diagnostics_report(diagnostics, DIAG_UNKNOWN_LEVEL, item->span,
                                                       message_make(MSG_UNKNOWN_LEVEL, item->text, NULL));
        level_unknown_help(report, schemes->list, item->text);
        return FALSE;
    }
    case LEVEL_AMBIGUOUS: {
        struct diagnostic *report = diagnostics_report(diagnostics, DIAG_AMBIGUOUS_LEVEL, item->span,
                                                       message_make(MSG_AMBIGUOUS_LEVEL, item->text, NULL));
        g_autofree char *names = full_names(schemes, item->text);
        diagnostic_help(report, message_make(MSG_CHOICES, names, NULL));
        return FALSE;
    }
    }
    return FALSE;
}
