#include "tests/support/text_grammar.h"

/* ---- settings */

static void finish(struct reader *reader)
{
    if (reader_end(reader))
        reader_no_block(reader);
}

static void read_state(struct reader *reader, gpointer context)
{
    const struct item *text = reader_text(reader, MSG_A_FILE);

    finish(reader);
    if (text != NULL && !reader->broken)
        g_string_append_printf(context, "file %s\n", text->text);
}

static void read_deadline(struct reader *reader, gpointer context)
{
    gint64 seconds = 0;

    reader_time(reader, &seconds);
    if (reader_keyword(reader, KW_CONF_THEN))
        reader_need(reader, KW_REFUSE);
    finish(reader);
    if (!reader->broken)
        g_string_append_printf(context, "time %" G_GINT64_FORMAT "\n", seconds);
}

static void read_term(struct reader *reader, gpointer context)
{
    guint number = 0;
    char unit = ' ';

    reader_term(reader, &number, &unit);
    finish(reader);
    if (!reader->broken)
        g_string_append_printf(context, "term %u%c\n", number, unit);
}

static void read_limit(struct reader *reader, gpointer context)
{
    guint64 bytes = 0;

    reader_size(reader, &bytes);
    finish(reader);
    if (!reader->broken)
        g_string_append_printf(context, "size %" G_GUINT64_FORMAT "\n", bytes);
}

static void read_count(struct reader *reader, gpointer context)
{
    guint number = 0;

    reader_number(reader, 1, 5, &number);
    finish(reader);
    if (!reader->broken)
        g_string_append_printf(context, "number %u\n", number);
}

static void read_active(struct reader *reader, gpointer context)
{
    guint date = 0;

    if (reader_need(reader, KW_UNTIL))
        reader_date(reader, &date);
    finish(reader);
    if (!reader->broken)
        g_string_append_printf(context, "date %u\n", date);
}

static void read_pattern(struct reader *reader, gpointer context)
{
    const struct item *name = reader_name(reader, MSG_A_NAME);
    const struct item *regex = reader_regex(reader, MSG_A_PATTERN);

    finish(reader);
    if (!reader->broken)
        g_string_append_printf(context, "pattern %s = %s %s\n", name->text, regex->text, regex->flags);
}

static void read_from(struct reader *reader, gpointer context)
{
    do {
        const struct item *item = reader_word_or_text(reader, MSG_A_WORD);
        if (item != NULL)
            g_string_append_printf(context, "value %s\n", item->text);
    } while (reader_comma(reader));
    finish(reader);
}

static void read_level(struct reader *reader, gpointer context)
{
    const struct item *item = reader_word(reader, MSG_A_WORD);

    finish(reader);
    if (item != NULL && !reader->broken)
        g_string_append_printf(context, "word %s\n", item->text);
}

static void read_queue(struct reader *reader, gpointer context)
{
    static const struct statement_kind kinds[] = {
        {KW_DEADLINE, TRUE, read_deadline},
        {KW_APPROVALS, TRUE, read_count},
        {KW_COUNT, FALSE, NULL},
    };

    reader_name(reader, MSG_A_NAME);
    if (reader_end(reader) && reader_need_block(reader))
        block_read(reader->statement->block, kinds, MSG_A_RULE, reader->diagnostics, context);
}

static const struct statement_kind settings[] = {
    {KW_STATE, TRUE, read_state},
    {KW_DEADLINE, TRUE, read_deadline},
    {KW_LASTS, FALSE, read_term},
    {KW_LIMIT, FALSE, read_limit},
    {KW_APPROVALS, FALSE, read_count},
    {KW_ACTIVE, FALSE, read_active},
    {KW_PATTERN, FALSE, read_pattern},
    {KW_FROM, FALSE, read_from},
    {KW_LEVEL, FALSE, read_level},
    {KW_KEY_FILE, FALSE, read_state},
    {KW_KEY_CREDENTIAL, FALSE, read_state},
    {KW_QUEUE, FALSE, read_queue},
    {KW_COUNT, FALSE, NULL},
};

void grammar_read_settings(const struct block *block, struct diagnostics *diagnostics, GString *values)
{
    block_read(block, settings, MSG_A_RULE_FILE, diagnostics, values);
}

/* ---- rules */

static void read_person(struct reader *reader)
{
    static const enum keyword words[] = {KW_INSIDE, KW_OUTSIDE, KW_UNIT, KW_ZONE, KW_COUNT};
    enum keyword word = reader_one_of(reader, words);

    if (word == KW_UNIT)
        reader_text(reader, MSG_A_UNIT_NAME);
    else if (word == KW_ZONE)
        reader_text(reader, MSG_A_NAME);
    else if (word == KW_COUNT)
        reader_word_or_text(reader, MSG_A_WORD);
}

static void read_people(struct reader *reader, gpointer context)
{
    do {
        read_person(reader);
    } while (reader_comma(reader));
    finish(reader);
}

static void read_condition(struct reader *reader);

static void read_test(struct reader *reader)
{
    static const enum keyword subjects[] = {KW_ANY_ATTACHMENT, KW_SUBJECT, KW_COUNT};

    if (reader_peek(reader) != NULL && reader_peek(reader)->kind == ITEM_OPEN) {
        reader_take(reader);
        read_condition(reader);
        if (reader_peek(reader) != NULL && reader_peek(reader)->kind == ITEM_CLOSE)
            reader_take(reader);
    } else if (reader_one_of(reader, subjects) == KW_COUNT) {
        gboolean is_text = reader_peek(reader) != NULL && reader_peek(reader)->kind == ITEM_TEXT;
        struct diagnostic *diagnostic = reader_expected(reader, MSG_A_CONDITION, NULL);
        if (diagnostic != NULL && is_text)
            diagnostic_help(diagnostic, message_make(MSG_SEVERAL_VALUES, NULL));
    } else if (!reader_keyword(reader, KW_IS_ENCRYPTED)) {
        if (!reader_keyword(reader, KW_CONTAINS))
            reader_expected(reader, MSG_A_TEST, NULL);
        do {
            reader_text(reader, MSG_A_TEXT);
        } while (reader_comma(reader));
    }
}

static void read_condition(struct reader *reader)
{
    static const enum keyword joins[] = {KW_AND, KW_OR, KW_COUNT};

    do {
        read_test(reader);
    } while (reader_one_of(reader, joins) != KW_COUNT);
}

static void read_when(struct reader *reader, gpointer context)
{
    read_condition(reader);
    finish(reader);
}

static void read_then(struct reader *reader, gpointer context)
{
    if (reader_keyword(reader, KW_HOLD_IN))
        reader_name(reader, MSG_A_QUEUE);
    else if (reader_need(reader, KW_REFUSE) && reader_peek(reader) != NULL)
        reader_text(reader, MSG_A_TEXT);
    finish(reader);
}

static void read_because(struct reader *reader, gpointer context)
{
    reader_text(reader, MSG_A_TEXT);
    finish(reader);
}

static void read_rule(struct reader *reader, gpointer context)
{
    static const struct statement_kind kinds[] = {
        {KW_FROM, TRUE, read_people},   {KW_TO, TRUE, read_people}, {KW_WHEN, TRUE, read_when},
        {KW_UNLESS, TRUE, read_when},   {KW_THEN, TRUE, read_then}, {KW_BECAUSE, TRUE, read_because},
        {KW_ACTIVE, TRUE, read_active}, {KW_COUNT, FALSE, NULL},
    };

    reader_name(reader, MSG_A_NAME);
    if (reader_end(reader) && reader_need_block(reader))
        block_read(reader->statement->block, kinds, MSG_A_RULE, reader->diagnostics, context);
}

void grammar_read_rules(const struct block *block, struct diagnostics *diagnostics)
{
    static const struct statement_kind kinds[] = {{KW_RULE, FALSE, read_rule}, {KW_COUNT, FALSE, NULL}};
    g_autoptr(GString) ignored = g_string_new(NULL);

    block_read(block, kinds, MSG_A_RULE_FILE, diagnostics, ignored);
}
