#include "policy/label/limits.h"
#include "policy/label/mark.h"
#include "policy/label/scheme_parts.h"
#include "policy/text/fold.h"
#include "policy/text/limits.h"

#include <string.h>

/* Kinds of names that must not be given twice. */
static const char LEVEL_NAME[] = "level", LEVEL_RANK[] = "rank", LEVEL_NUMBER[] = "number";

/* ---------------------------------------------------------------- shared by all statements */
static void given_clear(gpointer data)
{
    g_free(((struct given *)data)->key);
}

gboolean give_name(struct scheme_reading *reading, struct reader *reader, struct given given,
                   const char *shown, enum message_id say)
{
    for (guint i = 0; i < reading->given->len; i++) {
        const struct given *other = &g_array_index(reading->given, struct given, i);
        if (other->kind != given.kind || other->within != given.within || other->owner == given.owner ||
            !g_str_equal(other->key, given.key))
            continue;
        struct diagnostic *report =
            reader_fail(reader, DIAG_DUPLICATE, given.span, message_make(say, shown, NULL));
        diagnostic_note(report, other->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
        g_free(given.key);
        return FALSE;
    }
    g_array_append_val(reading->given, given);
    return TRUE;
}

gboolean statement_ends(struct reader *reader)
{
    return reader_end(reader) && reader_no_block(reader);
}

GPtrArray *read_texts(struct reader *reader, enum message_id what)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    do {
        const struct item *item = reader_text(reader, what);
        if (item == NULL)
            return NULL;
        if (item->text[0] == '\0') {
            reader_fail(reader, DIAG_EXPECTED, item->span, message_make(MSG_EMPTY_TEXT, NULL));
            return NULL;
        }
        g_ptr_array_add(items, (gpointer)item);
    } while (reader_comma(reader));
    return g_steal_pointer(&items);
}

gboolean read_also(struct reader *reader, GPtrArray **also)
{
    if (!reader_keyword(reader, KW_ALSO))
        return !reader->broken;
    g_autoptr(GPtrArray) items = read_texts(reader, MSG_A_NAME);
    if (items == NULL)
        return FALSE;
    *also = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < items->len; i++)
        g_ptr_array_add(*also, fold_nfc(((const struct item *)g_ptr_array_index(items, i))->text));
    return TRUE;
}

/* en, zh, pt-BR. */
static gboolean is_language(const char *word)
{
    gsize letters = 0;
    while (g_ascii_isalpha(word[letters]))
        letters++;
    return (letters == 2 || letters == 3) && (word[letters] == '\0' || word[letters] == '-');
}

gboolean read_display(struct reader *reader, GHashTable **display)
{
    if (!reader_keyword(reader, KW_DISPLAY))
        return !reader->broken;
    *display = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    do {
        const struct item *code = reader_word(reader, MSG_A_LANGUAGE);
        if (code != NULL && !is_language(code->text))
            reader_fail(reader, DIAG_EXPECTED, code->span,
                        message_make(MSG_NOT_A_LANGUAGE, code->text, NULL));
        else if (code != NULL && g_hash_table_contains(*display, code->text))
            reader_fail(reader, DIAG_DUPLICATE, code->span, message_make(MSG_DUPLICATE, code->text, NULL));
        const struct item *text = reader_text(reader, MSG_A_TEXT);
        if (text == NULL)
            return FALSE;
        g_hash_table_insert(*display, g_strdup(code->text), g_strdup(text->text));
    } while (reader_comma(reader));
    return TRUE;
}

gboolean read_integer(struct reader *reader, gint *number)
{
    guint value;
    *number = -1;
    if (!reader_keyword(reader, KW_NUMBER))
        return !reader->broken;
    if (!reader_number(reader, 0, SCHEME_MAX_NUMBER, &value))
        return FALSE;
    *number = (gint)value;
    return TRUE;
}

const struct level *read_own_level(struct scheme_reading *reading, struct reader *reader)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_LEVEL);
    if (item == NULL)
        return NULL;
    const struct level *level = scheme_level_named(reading->scheme, item->text);
    if (level == NULL)
        level = scheme_level_also(reading->scheme, item->text);
    if (level == NULL) {
        g_autoptr(GPtrArray) own = g_ptr_array_new();
        g_ptr_array_add(own, reading->scheme);
        struct diagnostic *report = reader_fail(reader, DIAG_UNKNOWN_LEVEL, item->span,
                                                message_make(MSG_NO_SUCH_LEVEL, item->text, NULL));
        level_unknown_help(report, own, item->text);
    }
    return level;
}

void not_yet(struct reader *reader, guint first, guint end)
{
    if (reader->broken)
        return;
    const struct statement *statement = reader->statement;
    g_autoptr(GString) words = g_string_new(NULL);
    for (guint i = first; i < end; i++)
        g_string_append_printf(words, "%s%s", i > first ? " " : "", statement_item(statement, i)->text);
    struct span span =
        span_join(statement_item(statement, first)->span, statement_item(statement, end - 1)->span);
    struct diagnostic *report =
        reader_fail(reader, DIAG_NOT_YET, span, message_make(MSG_SCHEME_NOT_YET, words->str, NULL));
    diagnostic_help(report, message_make(MSG_SCHEME_NOT_YET_HELP, NULL));
}

/* ---------------------------------------------------------------- scheme, policy */
static gboolean is_scheme_name(const char *name)
{
    if (*name == '\0')
        return FALSE;
    for (const char *p = name; *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && *p != '-')
            return FALSE;
    return TRUE;
}

static void read_scheme(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    struct scheme *scheme = reading->scheme;
    reading->has_scheme = TRUE;
    if (reader->statement != block_statement(reading->file, 0)) {
        reader_fail(reader, DIAG_EXPECTED, reader->statement->span, message_make(MSG_SCHEME_NOT_FIRST, NULL));
        return;
    }
    const struct item *name = reader_name(reader, MSG_A_SCHEME_NAME);
    if (name == NULL)
        return;
    const struct scheme *same = schemes_find(reading->schemes, name->text);
    if (!is_scheme_name(name->text)) {
        diagnostic_help(reader_fail(reader, DIAG_EXPECTED, name->span,
                                    message_make(MSG_BAD_SCHEME_NAME, name->text, NULL)),
                        message_make(MSG_BAD_SCHEME_NAME_HELP, NULL));
    } else if (same != NULL) {
        diagnostic_note(
            reader_fail(reader, DIAG_DUPLICATE, name->span, message_make(MSG_SCHEME_TWICE, name->text, NULL)),
            same->defined, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    } else {
        g_free(scheme->name);
        scheme->name = g_strdup(name->text);
        scheme->defined = name->span;
    }
    if (reader_keyword(reader, KW_TITLE)) {
        const struct item *title = reader_text(reader, MSG_A_TEXT);
        scheme->title = title != NULL ? g_strdup(title->text) : NULL;
    }
    statement_ends(reader);
}

/* Names that foreign formats know the scheme by; the formats come later, and these with them. */
static void read_policy_oid(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    const struct item *oid = reader_text(reader, MSG_AN_OID);
    if (oid != NULL &&
        !(g_ascii_isdigit(oid->text[0]) && strspn(oid->text, "0123456789.") == strlen(oid->text)))
        reader_fail(reader, DIAG_EXPECTED, oid->span, message_make(MSG_NOT_AN_OID, oid->text, NULL));
    statement_ends(reader);
    not_yet(reader, 0, words);
}

static void read_policy_names(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    g_autoptr(GPtrArray) names = read_texts(reader, MSG_A_NAME);
    statement_ends(reader);
    not_yet(reader, 0, words);
}

/* ---------------------------------------------------------------- level */
static const enum keyword level_parts[] = {KW_RANK, KW_NUMBER, KW_ALSO, KW_DISPLAY, KW_LASTS, KW_COUNT};

static gboolean has_letter(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_isalpha(g_utf8_get_char(p)))
            return TRUE;
    return FALSE;
}

static const struct item *read_level_name(struct reader *reader)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_LEVEL);
    if (item == NULL)
        return NULL;
    if (!has_letter(item->text) || strchr(item->text, '/') != NULL || g_ascii_isdigit(item->text[0])) {
        diagnostic_help(reader_fail(reader, DIAG_EXPECTED, item->span,
                                    message_make(MSG_BAD_LEVEL_NAME, item->text, NULL)),
                        message_make(MSG_BAD_LEVEL_NAME_HELP, NULL));
        return NULL;
    }
    if (g_utf8_strlen(item->text, -1) > NAME_MAX_CHARACTERS) {
        g_autofree char *limit = g_strdup_printf("%d", NAME_MAX_CHARACTERS);
        g_autofree char *length = g_strdup_printf("%ld", g_utf8_strlen(item->text, -1));
        reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_NAME_TOO_LONG, limit, length, NULL));
        return NULL;
    }
    return item;
}

static gboolean read_lasts(struct reader *reader, struct level *level)
{
    if (!reader_keyword(reader, KW_LASTS))
        return !reader->broken;
    guint first = reader->next;
    if (reader_keyword(reader, KW_NO_LIMIT))
        level->lasts = -1;
    else if (!reader_time(reader, &level->lasts))
        return FALSE;
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = first; i < reader->next; i++)
        g_string_append_printf(text, "%s%s", i > first ? " " : "",
                               statement_item(reader->statement, i)->text);
    level->lasts_text = g_strdup(text->str);
    return TRUE;
}

static char *ascii_name(const struct level *level)
{
    if (g_str_is_ascii(level->name))
        return g_strdup(level->name);
    for (guint i = 0; level->also != NULL && i < level->also->len; i++)
        if (g_str_is_ascii(g_ptr_array_index(level->also, i)))
            return g_strdup(g_ptr_array_index(level->also, i));
    return g_strdup_printf("level-%u", level->rank);
}

/* No two levels may have names that a mark could not tell apart, nor one rank or number. */
static void give_level(struct scheme_reading *reading, struct reader *reader, const struct level *level,
                       struct span span)
{
    struct given given = {LEVEL_NAME, NULL, level, mark_key(level->name), span};
    give_name(reading, reader, given, level->name, MSG_LEVEL_TWICE);
    for (guint i = 0; level->also != NULL && i < level->also->len && !reader->broken; i++) {
        const char *also = g_ptr_array_index(level->also, i);
        given.key = mark_key(also);
        give_name(reading, reader, given, also, MSG_LEVEL_TWICE);
    }
    if (!reader->broken) {
        given.kind = LEVEL_RANK;
        given.key = g_strdup_printf("%u", level->rank);
        give_name(reading, reader, given, given.key, MSG_RANK_TWICE);
    }
    if (!reader->broken && level->number >= 0) {
        given.kind = LEVEL_NUMBER;
        given.key = g_strdup_printf("%d", level->number);
        give_name(reading, reader, given, given.key, MSG_NUMBER_TWICE);
    }
}

/* Also a level whose line is wrong is kept, so that lines which name it are not complained about. */
static void read_level(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    reading->has_level = TRUE;
    const struct item *name = read_level_name(reader);
    if (name == NULL)
        return;
    struct level *level = g_new0(struct level, 1);
    level->name = fold_nfc(name->text);
    level->number = -1;
    g_ptr_array_add(reading->scheme->levels, level);
    gboolean read = reader_need(reader, KW_RANK) && reader_number(reader, 0, SCHEME_MAX_RANK, &level->rank) &&
                    read_integer(reader, &level->number) && read_also(reader, &level->also) &&
                    read_display(reader, &level->display) && read_lasts(reader, level);
    level->ascii = ascii_name(level);
    if (read && reader_look(reader, level_parts) != KW_COUNT)
        diagnostic_help(
            reader_fail(reader, DIAG_EXPECTED, reader_here(reader), message_make(MSG_LEVEL_ORDER, NULL)),
            message_make(MSG_LEVEL_ORDER_HELP, NULL));
    if (statement_ends(reader))
        give_level(reading, reader, level, name->span);
}

/* ---------------------------------------------------------------- duration, expiry */
static void read_duration(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    if (reader_need(reader, KW_DEFAULT) && reader_time(reader, &reading->scheme->duration_default))
        statement_ends(reader);
}

static void read_expired(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    guint words = reader->next;
    read_own_level(reading, reader);
    statement_ends(reader);
    not_yet(reader, 0, words);
}

/* ---------------------------------------------------------------- the file */
static void keep_for_later(struct reader *reader, gpointer context)
{
    g_ptr_array_add(((struct scheme_reading *)context)->later, (gpointer)reader->statement);
}

static const struct statement_kind statements[] = {
    {KW_SCHEME, TRUE, read_scheme},
    {KW_POLICY_OID, TRUE, read_policy_oid},
    {KW_POLICY_URI, TRUE, read_policy_names},
    {KW_POLICY_NAME, TRUE, read_policy_names},
    {KW_LEVEL, FALSE, read_level},
    {KW_DURATION, TRUE, read_duration},
    {KW_EXPIRED_DROPS_TO, TRUE, keep_for_later},
    {KW_CATEGORY_SET, FALSE, read_category_set},
    {KW_COMBINATION, FALSE, keep_for_later},
    {KW_MARKING_FIELD, FALSE, read_marking_field},
    {KW_MARKING_SUBJECT, FALSE, read_marking_subject},
    {KW_MARKING_FIRST, TRUE, read_marking_first},
    {KW_MARKING_LAST, TRUE, read_marking_last},
    {KW_MARKING_DOCUMENT_PROPERTY, FALSE, read_marking_document_property},
    {KW_MARKING_DOCUMENT_FIRST_PAGE, TRUE, read_marking_document_first_page},
    {KW_MARKING_FILE_NAME, FALSE, read_marking_file_name},
    {KW_MARKING_SIGNATURE, TRUE, read_marking_signature},
    {KW_MARKING_ADDRESS, FALSE, keep_for_later},
    {KW_MARKING_DURATION, FALSE, read_marking_duration},
    {KW_MARKING_EXCEPT, FALSE, read_marking_except},
    {KW_WRITE_FIELD, FALSE, read_write_field},
    {KW_WRITE_SUBJECT, TRUE, read_write_subject},
    {KW_REGRADE_FIELD, TRUE, read_regrade_field},
    {KW_EQUIVALENT_SCHEME, FALSE, keep_for_later},
    {KW_COUNT, FALSE, NULL},
};

/* Those that were kept: they name levels and sets, which may be defined after them. */
static void read_later(struct scheme_reading *reading, struct diagnostics *diagnostics)
{
    static const struct statement_kind later[] = {
        {KW_EXPIRED_DROPS_TO, TRUE, read_expired},
        {KW_COMBINATION, FALSE, read_combination},
        {KW_MARKING_ADDRESS, FALSE, read_marking_address},
        {KW_EQUIVALENT_SCHEME, FALSE, read_equivalent},
    };
    for (guint i = 0; i < reading->later->len; i++) {
        struct reader reader = reader_start(g_ptr_array_index(reading->later, i), diagnostics);
        for (guint j = 0; j < G_N_ELEMENTS(later); j++) {
            if (!reader_keyword(&reader, later[j].keyword))
                continue;
            later[j].read(&reader, reading);
            break;
        }
    }
}

static gint by_rank(gconstpointer a, gconstpointer b)
{
    const struct level *one = *(struct level *const *)a, *other = *(struct level *const *)b;
    return one->rank < other->rank ? -1 : one->rank > other->rank;
}

/* What the file as a whole must have. */
static void check_whole(const struct scheme_reading *reading, struct diagnostics *diagnostics)
{
    const GPtrArray *all = reading->file->statements;
    struct span start = all->len > 0 ? block_statement(reading->file, 0)->span : reading->file->open;
    if (!reading->has_scheme) {
        struct diagnostic *report =
            diagnostics_report(diagnostics, DIAG_EXPECTED, start, message_make(MSG_SCHEME_FIRST, NULL));
        diagnostic_help(report, message_make(MSG_SCHEME_FIRST_HELP, NULL));
    } else if (!reading->has_level) {
        struct diagnostic *report =
            diagnostics_report(diagnostics, DIAG_EXPECTED, start, message_make(MSG_NO_LEVELS, NULL));
        diagnostic_help(report, message_make(MSG_NO_LEVELS_HELP, NULL));
    }
}

gboolean scheme_read(struct schemes *schemes, const struct block *file, struct diagnostics *diagnostics)
{
    guint errors = diagnostics_errors(diagnostics);
    struct scheme_reading reading = {
        .schemes = schemes,
        .scheme = scheme_new(),
        .file = file,
        .given = g_array_new(FALSE, FALSE, sizeof(struct given)),
        .later = g_ptr_array_new(),
    };
    g_array_set_clear_func(reading.given, given_clear);
    block_read(file, statements, MSG_A_SCHEME, diagnostics, &reading);
    g_ptr_array_sort(reading.scheme->levels, by_rank);
    read_later(&reading, diagnostics);
    check_whole(&reading, diagnostics);
    schemes_add(schemes, reading.scheme);
    g_array_unref(reading.given);
    g_ptr_array_unref(reading.later);
    return diagnostics_errors(diagnostics) == errors;
}
