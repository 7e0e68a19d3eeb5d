#include "policy/person/clearance.h"

#include <string.h>

#include "policy/person/limits.h"
#include "policy/text/reader.h"

/* ---- reading */

/* One value of a directory as the statement of the common language that it is. */
struct value {
    struct sources *sources;
    struct diagnostics *diagnostics;
    struct block *block;
    const struct source *source;
};

static void value_clear(struct value *value)
{
    g_clear_pointer(&value->block, block_free);
    g_clear_pointer(&value->diagnostics, diagnostics_free);
    g_clear_pointer(&value->sources, sources_unref);
}

static gboolean is_blank(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isspace(text[i]))
            return FALSE;
    return TRUE;
}

/* Exactly one statement and no more: a comment in a value would hide its end of validity. */
static gboolean value_is_one_statement(const struct value *value)
{
    const struct source *source = value->source;
    const struct span *span;
    guint32 end;

    if (value->block->statements->len != 1)
        return FALSE;
    span = &block_statement(value->block, 0)->span;
    end = span->offset + span->length;
    return block_statement(value->block, 0)->block == NULL && is_blank(source->text, span->offset) &&
           is_blank(source->text + end, source->length - end);
}

/* The first complaint about the value, in English, as the reason why it cannot be read. FALSE for the caller
 * to return. */
static gboolean value_fail(const struct value *value, GError **error)
{
    g_autofree char *lines = diagnostics_render(value->diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);

    g_set_error(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE, "%.*s", (int)strcspn(lines, "\n"), lines);
    return FALSE;
}

static gboolean value_open(struct value *value, const char *text, GError **error)
{
    gsize length = strlen(text);

    if (length > CLEARANCE_MAX_BYTES) {
        g_set_error(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE, "longer than %d octets",
                    CLEARANCE_MAX_BYTES);
        return FALSE;
    }
    value->sources = sources_new();
    value->source = sources_add(value->sources, "clearance", text, length);
    value->diagnostics = diagnostics_new(value->sources);
    value->block = tree_parse(value->source, value->diagnostics);
    if (diagnostics_errors(value->diagnostics) > 0)
        return value_fail(value, error);
    if (!value_is_one_statement(value)) {
        g_set_error_literal(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE,
                            "not one level with its categories and dates, and nothing else");
        return FALSE;
    }
    return TRUE;
}

static gboolean has_also(const GPtrArray *also, const char *name)
{
    g_autofree char *folded = g_utf8_casefold(name, -1);

    for (guint i = 0; also != NULL && i < also->len; i++) {
        g_autofree char *other = g_utf8_casefold(g_ptr_array_index(also, i), -1);

        if (strcmp(folded, other) == 0)
            return TRUE;
    }
    return FALSE;
}

static const struct category_set *find_set(const struct scheme *scheme, const char *name)
{
    const struct category_set *set = scheme_set(scheme, name);

    for (guint i = 0; set == NULL && i < scheme->sets->len; i++) {
        const struct category_set *candidate = g_ptr_array_index(scheme->sets, i);

        if (has_also(candidate->also, name))
            set = candidate;
    }
    return set;
}

/* The value's name as the scheme has it; in an open set any other as it is; NULL if the set has no such
 * value. New string. */
static char *value_name(const struct category_set *set, const char *text)
{
    const struct category_value *listed = category_set_value(set, text);

    if (listed != NULL)
        return g_strdup(listed->name);
    return set->open ? g_utf8_normalize(text, -1, G_NORMALIZE_NFC) : NULL;
}

/* SET VALUE,… of the label's scheme. */
static void read_set(struct reader *reader, struct label *label)
{
    const struct item *name = reader_word_or_text(reader, MSG_CLEARANCE_SET);
    const struct category_set *set = name != NULL ? find_set(label->scheme, name->text) : NULL;

    if (name != NULL && set == NULL)
        reader_fail(reader, DIAG_EXPECTED, name->span,
                    message_make(MSG_NO_CATEGORY_SET, name->text, label->scheme->name, NULL));
    do {
        const struct item *item = reader_word_or_text(reader, MSG_CLEARANCE_VALUE);
        g_autofree char *value = NULL;

        if (item == NULL)
            return;
        value = value_name(set, item->text);
        if (value == NULL)
            reader_fail(reader, DIAG_EXPECTED, item->span,
                        message_make(MSG_NO_CATEGORY_VALUE, item->text, set->name, NULL));
        else
            label_add_value(label, set, value);
    } while (reader_comma(reader));
}

/* The first moment of a day, or of the next one, in the zone; seconds since the epoch. */
static gint64 midnight(guint date, int add_days, GTimeZone *zone)
{
    g_autoptr(GTimeZone) local = zone != NULL ? g_time_zone_ref(zone) : g_time_zone_new_local();
    g_autoptr(GDateTime) day =
        g_date_time_new(local, (int)(date / 10000), (int)(date / 100 % 100), (int)(date % 100), 0, 0, 0);
    g_autoptr(GDateTime) moment = day != NULL ? g_date_time_add_days(day, add_days) : NULL;

    /* The reader takes only days that exist; a year that GLib cannot count is over. */
    return moment != NULL ? g_date_time_to_unix(moment) : G_MININT64;
}

static void read_dates(struct reader *reader, struct clearance *clearance, GTimeZone *zone)
{
    struct span span = reader_here(reader);
    guint date;

    if (reader_keyword(reader, KW_FROM_DATE) && reader_date(reader, &date))
        clearance->from = midnight(date, 0, zone);
    clearance->permanent = !reader_keyword(reader, KW_UNTIL);
    if (!clearance->permanent && reader_date(reader, &date))
        clearance->until = midnight(date, 1, zone);
    if (!reader->broken && clearance->from >= clearance->until)
        reader_fail(reader, DIAG_RANGE, span, message_make(MSG_CLEARANCE_NEVER_VALID, NULL));
}

static struct clearance *read_clearance(struct reader *reader, const struct schemes *schemes, GTimeZone *zone)
{
    g_autoptr(clearance) clearance = g_new0(struct clearance, 1);
    const struct item *name = reader_word_or_text(reader, MSG_CLEARANCE_LEVEL);
    const struct scheme *scheme;
    const struct level *level;

    if (name == NULL || !schemes_level_item(schemes, name, reader->diagnostics, &scheme, &level))
        return NULL;
    clearance->label = label_new(scheme, level);
    clearance->from = G_MININT64;
    clearance->until = G_MAXINT64;
    while (reader_peek(reader) != NULL && !reader_at(reader, KW_FROM_DATE) && !reader_at(reader, KW_UNTIL) &&
           !reader->broken)
        read_set(reader, clearance->label);
    read_dates(reader, clearance, zone);
    return reader_end(reader) ? g_steal_pointer(&clearance) : NULL;
}

struct clearance *clearance_parse(const struct schemes *schemes, const char *text, GTimeZone *zone,
                                  GError **error)
{
    struct value value = {NULL, NULL, NULL, NULL};
    struct clearance *clearance = NULL;

    if (value_open(&value, text, error)) {
        struct reader reader = reader_start(block_statement(value.block, 0), value.diagnostics);

        clearance = read_clearance(&reader, schemes, zone);
        if (clearance == NULL)
            value_fail(&value, error);
    }
    value_clear(&value);
    return clearance;
}

/* ---- the parts of a clearance in attributes of their own */

static void add_to_scheme(const GPtrArray *clearances, const struct scheme *scheme,
                          const struct category_set *set, const char *value)
{
    for (guint i = 0; i < clearances->len; i++) {
        struct clearance *clearance = g_ptr_array_index(clearances, i);

        if (clearance->label->scheme == scheme)
            label_add_value(clearance->label, set, value);
    }
}

/* A lone value: the one set of all schemes that lists it. */
static gboolean add_lone_value(const GPtrArray *clearances, const struct schemes *schemes, const char *text)
{
    const struct scheme *scheme = NULL;
    const struct category_set *set = NULL;
    guint found = 0;

    for (guint i = 0; i < schemes->list->len; i++) {
        const struct scheme *candidate = g_ptr_array_index(schemes->list, i);

        for (guint j = 0; j < candidate->sets->len; j++) {
            if (category_set_value(g_ptr_array_index(candidate->sets, j), text) == NULL)
                continue;
            scheme = candidate;
            set = g_ptr_array_index(candidate->sets, j);
            found++;
        }
    }
    if (found == 1)
        add_to_scheme(clearances, scheme, set, category_set_value(set, text)->name);
    return found == 1;
}

/* SET VALUE,… in every scheme that has the set; FALSE if none has it, or one that has it does not know a
 * value. */
static gboolean add_set_values(const GPtrArray *clearances, const struct schemes *schemes,
                               const struct statement *statement)
{
    gboolean found = FALSE;

    for (guint i = 0; i < schemes->list->len; i++) {
        const struct scheme *scheme = g_ptr_array_index(schemes->list, i);
        const struct category_set *set = find_set(scheme, statement_item(statement, 0)->text);

        for (guint j = 1; set != NULL && j < statement->items->len; j += 2) {
            g_autofree char *value = value_name(set, statement_item(statement, j)->text);

            if (value == NULL)
                return FALSE;
            add_to_scheme(clearances, scheme, set, value);
            found = TRUE;
        }
    }
    return found;
}

/* One name, or names with commas between them behind the first: VALUE, or SET VALUE,VALUE. */
static gboolean has_shape(const struct statement *statement)
{
    for (guint i = 0; i < statement->items->len; i++) {
        enum item_kind kind = statement_item(statement, i)->kind;
        gboolean is_name = kind == ITEM_WORD || kind == ITEM_TEXT;

        if (i >= 2 && i % 2 == 0 ? kind != ITEM_COMMA : !is_name)
            return FALSE;
    }
    return statement->items->len == 1 || statement->items->len % 2 == 0;
}

gboolean clearances_add_category(const GPtrArray *clearances, const struct schemes *schemes, const char *text,
                                 GError **error)
{
    struct value value = {NULL, NULL, NULL, NULL};
    gboolean added = FALSE;

    if (value_open(&value, text, error)) {
        const struct statement *statement = block_statement(value.block, 0);

        added = has_shape(statement) &&
                (statement->items->len == 1
                     ? add_lone_value(clearances, schemes, statement_item(statement, 0)->text)
                     : add_set_values(clearances, schemes, statement));
        if (!added)
            g_set_error_literal(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE,
                                "not a category set with its values, nor a value of one set alone");
    }
    value_clear(&value);
    return added;
}
