/* scheme_category: the statements `category set` and `combination`. */
#include "policy/label/scheme_parts.h"
#include "policy/text/fold.h"

static const char SET_NAME[] = "set", VALUE_NAME[] = "value";

/* One run of reading a set's block. */
struct set_reading {
    struct scheme_reading *reading;
    struct category_set *set;
};

/* ---------------------------------------------------------------- category set */
static char *name_key(const char *name)
{
    return fold_string(name, FOLD_CASE);
}

static void give_value(struct set_reading *s, struct reader *reader, const struct category_value *value,
                       struct span span)
{
    struct given given = {VALUE_NAME, s->set, value, name_key(value->name), span};
    give_name(s->reading, reader, given, value->name, MSG_VALUE_TWICE);
    for (guint i = 0; value->also != NULL && i < value->also->len && !reader->broken; i++) {
        const char *also = g_ptr_array_index(value->also, i);
        given.key = name_key(also);
        give_name(s->reading, reader, given, also, MSG_VALUE_TWICE);
    }
}

/* value TEXT,… [number N] [also TEXT,…] [display LANG TEXT,…]; what is said of one value cannot be said of
 * several. */
static void read_value(struct reader *reader, gpointer context)
{
    struct set_reading *s = context;
    g_autoptr(GPtrArray) names = read_texts(reader, MSG_A_CATEGORY_VALUE);
    if (names == NULL)
        return;
    static const enum keyword parts[] = {KW_NUMBER, KW_ALSO, KW_DISPLAY, KW_COUNT};
    if (names->len > 1 && reader_look(reader, parts) != KW_COUNT) {
        diagnostic_help(
            reader_fail(reader, DIAG_EXPECTED, reader_here(reader), message_make(MSG_VALUES_TOGETHER, NULL)),
            message_make(MSG_VALUES_TOGETHER_HELP, NULL));
        return;
    }
    for (guint i = 0; i < names->len && !reader->broken; i++) {
        const struct item *name = g_ptr_array_index(names, i);
        struct category_value *value = g_new0(struct category_value, 1);
        value->name = fold_nfc(name->text);
        value->number = -1;
        g_ptr_array_add(s->set->values, value);
        if (names->len == 1 && !(read_integer(reader, &value->number) && read_also(reader, &value->also) &&
                                 read_display(reader, &value->display)))
            return;
        give_value(s, reader, value, name->span);
    }
    statement_ends(reader);
}

static gboolean read_kind(struct reader *reader, enum category_kind *kind)
{
    static const enum keyword kinds[] = {KW_RESTRICTIVE, KW_PERMISSIVE, KW_INFORMATIVE, KW_COUNT};
    enum keyword found = reader_one_of(reader, kinds);
    if (found == KW_COUNT) {
        reader_expected(reader, MSG_A_CATEGORY_KIND, NULL);
        return FALSE;
    }
    *kind = found == KW_RESTRICTIVE  ? CATEGORY_RESTRICTIVE
            : found == KW_PERMISSIVE ? CATEGORY_PERMISSIVE
                                     : CATEGORY_INFORMATIVE;
    return TRUE;
}

/* [policy oid TEXT]: for formats that come later; where it stands is remembered for not_yet. */
static gboolean read_set_oid(struct reader *reader, guint *first, guint *end)
{
    *first = reader->next;
    if (!reader_keyword(reader, KW_POLICY_OID))
        return !reader->broken;
    *end = reader->next;
    return reader_text(reader, MSG_AN_OID) != NULL;
}

static void give_set(struct scheme_reading *reading, struct reader *reader, const struct category_set *set,
                     struct span span)
{
    struct given given = {SET_NAME, NULL, set, name_key(set->name), span};
    give_name(reading, reader, given, set->name, MSG_SET_TWICE);
    for (guint i = 0; set->also != NULL && i < set->also->len && !reader->broken; i++) {
        const char *also = g_ptr_array_index(set->also, i);
        given.key = name_key(also);
        give_name(reading, reader, given, also, MSG_SET_TWICE);
    }
}

void read_category_set(struct reader *reader, gpointer context)
{
    static const struct statement_kind kinds[] = {{KW_VALUE, FALSE, read_value}, {KW_COUNT, FALSE, NULL}};
    struct scheme_reading *reading = context;
    guint oid = 0, oid_end = 0;
    const struct item *name = reader_name(reader, MSG_A_CATEGORY_SET);
    if (name == NULL)
        return;
    struct category_set *set = g_new0(struct category_set, 1);
    set->name = fold_nfc(name->text);
    set->index = reading->scheme->sets->len;
    set->values = g_ptr_array_new_with_free_func((GDestroyNotify)category_value_free);
    g_ptr_array_add(reading->scheme->sets, set);
    if (!read_kind(reader, &set->kind) || !read_set_oid(reader, &oid, &oid_end) ||
        !read_also(reader, &set->also))
        return;
    set->open = reader_keyword(reader, KW_OPEN);
    if (!reader_end(reader))
        return;
    give_set(reading, reader, set, name->span);
    if (reader->statement->block != NULL) {
        struct set_reading s = {reading, set};
        block_read(reader->statement->block, kinds, MSG_A_CATEGORY_SET_BLOCK, reader->diagnostics, &s);
    } else if (!set->open && !reader->broken) {
        diagnostic_help(
            reader_fail(reader, DIAG_EXPECTED, name->span, message_make(MSG_SET_EMPTY, name->text, NULL)),
            message_make(MSG_SET_EMPTY_HELP, NULL));
    }
    if (oid_end > oid)
        not_yet(reader, oid, oid_end);
}

/* ---------------------------------------------------------------- combination */
static gboolean is_known(const struct scheme *scheme, const char *name)
{
    if (scheme_set(scheme, name) != NULL)
        return TRUE;
    for (guint i = 0; i < scheme->sets->len; i++)
        if (category_set_value(g_ptr_array_index(scheme->sets, i), name) != NULL)
            return TRUE;
    return FALSE;
}

static const char *nearest_category(const struct scheme *scheme, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        g_ptr_array_add(names, set->name);
        for (guint j = 0; j < set->values->len; j++)
            g_ptr_array_add(names, ((struct category_value *)g_ptr_array_index(set->values, j))->name);
    }
    g_ptr_array_add(names, NULL);
    return nearest_name(name, (const char *const *)names->pdata);
}

/* TEXT,…, each the name of a set or of a value. */
static GPtrArray *read_categories(struct scheme_reading *reading, struct reader *reader)
{
    g_autoptr(GPtrArray) items = read_texts(reader, MSG_A_CATEGORY);
    for (guint i = 0; items != NULL && i < items->len; i++) {
        const struct item *item = g_ptr_array_index(items, i);
        if (is_known(reading->scheme, item->text))
            continue;
        struct diagnostic *report = reader_fail(reader, DIAG_UNKNOWN_CATEGORY, item->span,
                                                message_make(MSG_UNKNOWN_CATEGORY, item->text, NULL));
        const char *nearest = nearest_category(reading->scheme, item->text);
        if (nearest != NULL)
            diagnostic_help(report, message_make(MSG_DID_YOU_MEAN, nearest, NULL));
        return NULL;
    }
    return g_steal_pointer(&items);
}

static GPtrArray *copy_names(const GPtrArray *items)
{
    if (items == NULL)
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < items->len; i++)
        g_ptr_array_add(names, fold_nfc(((const struct item *)g_ptr_array_index(items, i))->text));
    return names;
}

/* from LEVEL [up to LEVEL], or up to LEVEL. */
static void read_levels(struct scheme_reading *reading, struct reader *reader, struct combination *clause)
{
    guint first = reader->next;
    const struct level *from = NULL, *up_to = NULL;
    if (reader_keyword(reader, KW_SCHEME_FROM))
        from = read_own_level(reading, reader);
    if (reader_keyword(reader, KW_SCHEME_UP_TO))
        up_to = read_own_level(reading, reader);
    if (reader->broken)
        return;
    clause->from_rank = from != NULL ? (gint)from->rank : -1;
    clause->up_to_rank = up_to != NULL ? (gint)up_to->rank : -1;
    if (from == NULL || up_to == NULL || from->rank <= up_to->rank)
        return;
    struct span span = span_join(statement_item(reader->statement, first)->span,
                                 statement_item(reader->statement, reader->next - 1)->span);
    reader_fail(reader, DIAG_RANGE, span, message_make(MSG_LEVELS_REVERSED, from->name, up_to->name, NULL));
}

static struct combination *combination_new(const struct combination *clause, const struct category_set *set,
                                           const struct category_value *value)
{
    struct combination *combination = g_new(struct combination, 1);
    *combination = *clause;
    combination->set = set;
    combination->value = value;
    if (clause->not_with != NULL)
        combination->not_with = g_ptr_array_ref(clause->not_with);
    if (clause->needs != NULL)
        combination->needs = g_ptr_array_ref(clause->needs);
    return combination;
}

/* The clause for a set, or for the value of that name in every set that lists it. */
static void add_clause(struct scheme *scheme, const char *name, const struct combination *clause)
{
    const struct category_set *named = scheme_set(scheme, name);
    if (named != NULL) {
        g_ptr_array_add(scheme->combinations, combination_new(clause, named, NULL));
        return;
    }
    for (guint i = 0; i < scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(scheme->sets, i);
        const struct category_value *value = category_set_value(set, name);
        if (value != NULL)
            g_ptr_array_add(scheme->combinations, combination_new(clause, set, value));
    }
}

void read_combination(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    struct combination clause = {.from_rank = -1, .up_to_rank = -1};
    g_autoptr(GPtrArray) names = read_categories(reading, reader);
    g_autoptr(GPtrArray) others = NULL;
    if (names == NULL)
        return;
    if (reader_at(reader, KW_SCHEME_FROM) || reader_at(reader, KW_SCHEME_UP_TO)) {
        read_levels(reading, reader, &clause);
    } else if (reader_keyword(reader, KW_NOT_WITH)) {
        others = read_categories(reading, reader);
        clause.not_with = copy_names(others);
    } else if (reader_keyword(reader, KW_NEEDS)) {
        others = read_categories(reading, reader);
        clause.needs = copy_names(others);
    } else {
        reader_expected(reader, MSG_A_COMBINATION, NULL);
    }
    if (statement_ends(reader))
        for (guint i = 0; i < names->len; i++)
            add_clause(reading->scheme, ((const struct item *)g_ptr_array_index(names, i))->text, &clause);
    g_clear_pointer(&clause.not_with, g_ptr_array_unref);
    g_clear_pointer(&clause.needs, g_ptr_array_unref);
}
