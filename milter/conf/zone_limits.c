#include "milter/conf/zone_block.h"

#include <string.h>

#include "milter/conf/value.h"

static void add_whole_set(struct label *label, const struct category_set *set)
{
    for (guint i = 0; i < set->values->len; i++)
        label_add_value(label, set, ((struct category_value *)g_ptr_array_index(set->values, i))->name);
}

/* "SET:VALUE" as labels are shown: needed where several sets have the value, or the set is open. */
static gboolean add_qualified(struct label *label, const char *text)
{
    const char *colon = strchr(text, ':');
    g_autofree char *name = colon != NULL ? g_strndup(text, (gsize)(colon - text)) : NULL;
    const struct category_set *set = name != NULL ? scheme_set(label->scheme, name) : NULL;

    if (set == NULL || colon[1] == '\0' || (!set->open && category_set_value(set, colon + 1) == NULL))
        return FALSE;
    label_add_value(label, set, colon + 1);
    return TRUE;
}

static const struct category_set *set_with(const struct scheme *scheme, const char *value, guint *count)
{
    const struct category_set *found = NULL;

    *count = 0;
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        if (category_set_value(set, value) == NULL)
            continue;
        found = set;
        (*count)++;
    }
    return found;
}

static void unknown_category(struct reader *reader, const struct scheme *scheme, const struct item *item,
                             gboolean several)
{
    enum message_id id = several ? MSG_AMBIGUOUS_CATEGORY : MSG_NO_SUCH_CATEGORY;
    struct diagnostic *diagnostic = reader_fail(reader, DIAG_UNKNOWN_CATEGORY, item->span,
                                                message_make(id, scheme->name, item->text, NULL));
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    if (several) {
        diagnostic_help(diagnostic, message_make(MSG_AMBIGUOUS_CATEGORY_HELP, item->text, NULL));
        return;
    }
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        g_hash_table_add(names, set->name);
        for (guint j = 0; j < set->values->len; j++)
            g_hash_table_add(names, ((struct category_value *)g_ptr_array_index(set->values, j))->name);
    }
    value_suggest(diagnostic, item->text, names);
}

/* All values of an open set cannot be named. */
static void open_set(struct reader *reader, const struct item *item)
{
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_UNKNOWN_CATEGORY, item->span, message_make(MSG_OPEN_SET, item->text, NULL));

    diagnostic_help(diagnostic, message_make(MSG_OPEN_SET_HELP, item->text, NULL));
}

/* A value, a set (all its values), or SET:VALUE. label is NULL when the schemes could not be read. */
static gboolean read_category(struct reader *reader, struct label *label)
{
    const struct item *item = reader_text(reader, MSG_A_CATEGORY);
    guint count;

    if (item == NULL)
        return FALSE;
    if (label == NULL)
        return TRUE;
    const struct category_set *with = set_with(label->scheme, item->text, &count);
    const struct category_set *named = scheme_set(label->scheme, item->text);
    if (count == 1 && named == NULL)
        label_add_value(label, with, item->text);
    else if (count == 0 && named != NULL && !named->open)
        add_whole_set(label, named);
    else if (count == 0 && named != NULL)
        open_set(reader, item);
    else if (!add_qualified(label, item->text))
        unknown_category(reader, label->scheme, item, count + (named != NULL) > 1);
    return !reader->broken;
}

static gboolean scheme_is_new(struct reader *reader, const struct zone *zone, const struct scheme *scheme,
                              guint first)
{
    for (guint i = 0; i < zone->limits->len; i++) {
        const struct zone_limit *limit = g_ptr_array_index(zone->limits, i);
        if (limit->label->scheme != scheme)
            continue;
        reader_fail(reader, DIAG_DUPLICATE, statement_item(reader->statement, first)->span,
                    message_make(MSG_LIMIT_TWICE, scheme->name, NULL));
        return FALSE;
    }
    return TRUE;
}

/* Behind a comma in the categories: one more of them, or the next level, which is in quotes when it has a
 * space in it. */
static gboolean is_category(const struct reading *reading, const struct label *label, const struct item *item)
{
    const struct scheme *scheme;
    const struct level *level;
    guint count;

    if (item == NULL || item->kind != ITEM_TEXT)
        return FALSE;
    if (label == NULL || scheme_set(label->scheme, item->text) != NULL)
        return TRUE;
    set_with(label->scheme, item->text, &count);
    return count > 0 || schemes_level(reading->schemes, item->text, &scheme, &level) != LEVEL_FOUND;
}

/* LEVEL [with TEXT,…]; *more: a comma came behind it, and no further category. */
static gboolean read_limit(struct reader *reader, struct reading *reading, struct zone *zone, gboolean *more)
{
    guint first = reader->next;
    const struct scheme *scheme;
    const struct level *level;

    if (!value_level(reading, reader, &scheme, &level))
        return FALSE;
    if (scheme != NULL && !scheme_is_new(reader, zone, scheme, first))
        return FALSE;
    struct label *label = scheme != NULL ? label_new(scheme, level) : NULL;
    if (label != NULL)
        zone_add_limit(zone, label);
    if (!reader_keyword(reader, KW_WITH)) {
        *more = reader_comma(reader);
        return !reader->broken;
    }
    do {
        if (!read_category(reader, label))
            return FALSE;
        *more = reader_comma(reader);
    } while (*more && is_category(reading, label, reader_peek(reader)));
    return TRUE;
}

gboolean zone_limits_read(struct reader *reader, struct reading *reading, struct zone *zone)
{
    gboolean more;

    do {
        if (!read_limit(reader, reading, zone, &more))
            return FALSE;
    } while (more);
    if (!reader_keyword(reader, KW_OTHERWISE))
        return !reader->broken;
    struct span place;
    if (!value_outcome(reading, reader, ALLOW_DEFER, &zone->limit_otherwise, &place))
        return FALSE;
    value_warn_defer(reader, &zone->limit_otherwise, place);
    return TRUE;
}
