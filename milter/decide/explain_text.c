#include "milter/decide/explain_text.h"

static const char *const texts[EXPLAIN_COUNT][2] = {
#define EXPLAIN(id, en, zh) [EXPLAIN_##id] = {en, zh},
#include "milter/decide/explain.def"
#undef EXPLAIN
};

const char *explain_text(enum explain_id id, enum language language)
{
    g_assert(id < EXPLAIN_COUNT);
    return texts[id][language == LANGUAGE_ZH];
}

static char *dash_if_empty(GString *text)
{
    if (text->len == 0)
        g_string_append_c(text, '-');
    return g_string_free(text, FALSE);
}

char *zone_limits_format(const struct zone *zone)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < zone->limits->len; i++) {
        const struct zone_limit *limit = g_ptr_array_index(zone->limits, i);
        g_autofree char *label = label_format(limit->label);
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", label);
    }
    return dash_if_empty(text);
}

char *person_clearances_format(const struct person *person)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < person->clearances->len; i++) {
        g_autofree char *clearance = clearance_format(g_ptr_array_index(person->clearances, i));
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", clearance);
    }
    if (person->clearance_unreadable != NULL)
        g_string_append_printf(text, "%s?", text->len > 0 ? "; " : "");
    return dash_if_empty(text);
}
