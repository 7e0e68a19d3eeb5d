#include "milter/decide/programs.h"

#include <string.h>

/* The value up to its parameters or comments is this word. */
static gboolean field_says(const struct fact_field *field, const char *word)
{
    const char *value = field->decoded.data;
    gsize length = strcspn(value, " \t;(");

    return length == strlen(word) && g_ascii_strncasecmp(value, word, length) == 0;
}

gboolean facts_are_of_programs(const struct facts *facts)
{
    const struct fact_field *field;

    if (facts == NULL)
        return FALSE;
    if (facts_field_count(facts, "List-Id") > 0)
        return TRUE;
    for (guint at = 0; (field = facts_field(facts, "Auto-Submitted", &at)) != NULL;)
        if (!field_says(field, "no"))
            return TRUE;
    for (guint at = 0; (field = facts_field(facts, "Precedence", &at)) != NULL;)
        if (field_says(field, "bulk") || field_says(field, "list") || field_says(field, "junk"))
            return TRUE;
    return FALSE;
}
