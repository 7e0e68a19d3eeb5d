/* combination: which categories go with which levels and with each other (language.md section 4). */
#include "policy/label/label.h"

enum clause { CLAUSE_LEVELS, CLAUSE_NOT_WITH, CLAUSE_NEEDS };

static gboolean has_clause(const struct combination *line, enum clause clause)
{
    switch (clause) {
    case CLAUSE_LEVELS:
        return line->from_rank >= 0 || line->up_to_rank >= 0;
    case CLAUSE_NOT_WITH:
        return line->not_with != NULL;
    case CLAUSE_NEEDS:
        return line->needs != NULL;
    }
    return FALSE;
}

/* Does the label use this set, or this value of any set? */
static gboolean uses(const struct label *label, const char *name)
{
    const struct category_set *named = scheme_set(label->scheme, name);
    if (named != NULL)
        return label->values[named->index] != NULL;
    for (guint i = 0; i < label->scheme->sets->len; i++) {
        const struct category_value *value =
            category_set_value(g_ptr_array_index(label->scheme->sets, i), name);
        const GPtrArray *mine = label->values[i];
        for (guint j = 0; value != NULL && mine != NULL && j < mine->len; j++)
            if (g_str_equal(g_ptr_array_index(mine, j), value->name))
                return TRUE;
    }
    return FALSE;
}

static gboolean is_met(const struct label *label, const struct combination *line, enum clause clause)
{
    gint rank = (gint)label->level->rank;
    switch (clause) {
    case CLAUSE_LEVELS:
        return (line->from_rank < 0 || rank >= line->from_rank) &&
               (line->up_to_rank < 0 || rank <= line->up_to_rank);
    case CLAUSE_NOT_WITH:
        for (guint i = 0; i < line->not_with->len; i++)
            if (uses(label, g_ptr_array_index(line->not_with, i)))
                return FALSE;
        return TRUE;
    case CLAUSE_NEEDS:
        for (guint i = 0; i < line->needs->len; i++)
            if (!uses(label, g_ptr_array_index(line->needs, i)))
                return FALSE;
        return TRUE;
    }
    return FALSE;
}

/* Is the line about this value (exactly), or about the set as a whole (value NULL)? */
static gboolean is_about(const struct combination *line, const struct category_set *set, const char *value)
{
    if (line->set != set || (line->value == NULL) != (value == NULL))
        return FALSE;
    return value == NULL || g_str_equal(line->value->name, value);
}

/* Are all lines with such a clause met? *any: there was one. */
static gboolean lines_met(const struct label *label, const struct category_set *set, const char *value,
                          enum clause clause, gboolean *any)
{
    const GPtrArray *lines = label->scheme->combinations;
    gboolean met = TRUE;
    *any = FALSE;
    for (guint i = 0; i < lines->len; i++) {
        const struct combination *line = g_ptr_array_index(lines, i);
        if (!has_clause(line, clause) || !is_about(line, set, value))
            continue;
        *any = TRUE;
        met = met && is_met(label, line, clause);
    }
    return met;
}

static gboolean value_is_regular(const struct label *label, const struct category_set *set, const char *value)
{
    static const enum clause clauses[] = {CLAUSE_LEVELS, CLAUSE_NOT_WITH, CLAUSE_NEEDS};
    for (guint i = 0; i < G_N_ELEMENTS(clauses); i++) {
        gboolean any;
        gboolean met = lines_met(label, set, value, clauses[i], &any);
        if (!any)
            met = lines_met(label, set, NULL, clauses[i], &any);
        if (!met)
            return FALSE;
    }
    return TRUE;
}

gboolean label_irregular(const struct label *label)
{
    if (label->scheme->combinations->len == 0)
        return FALSE;
    for (guint i = 0; i < label->scheme->sets->len; i++) {
        const GPtrArray *values = label->values[i];
        for (guint j = 0; values != NULL && j < values->len; j++)
            if (!value_is_regular(label, g_ptr_array_index(label->scheme->sets, i),
                                  g_ptr_array_index(values, j)))
                return TRUE;
    }
    return FALSE;
}
