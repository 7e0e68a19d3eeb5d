/*
 * Attack surface: every file that a person writes: miji.conf, *.scheme, *.rules, word lists, and clearances
 * out of the directory. Any octets must end in a tree and messages: no crash, no hang, nothing in a message
 * that a terminal obeys.
 */
#include "policy/text/character.h"
#include "policy/text/reader.h"

#include <stdint.h>
#include <string.h>

static void read_nothing(struct reader *reader, gpointer context)
{
    reader_end(reader);
    reader_need_block(reader);
}

/* One of the things that a reader takes, from where it stands. */
static void take(struct reader *reader, guint kind)
{
    gint64 seconds;
    guint64 bytes;
    guint number;
    char unit;

    if (kind == 0)
        reader_time(reader, &seconds);
    else if (kind == 1)
        reader_term(reader, &number, &unit);
    else if (kind == 2)
        reader_size(reader, &bytes);
    else if (kind == 3)
        reader_number(reader, 1, 10, &number);
    else if (kind == 4)
        reader_date(reader, &number);
    else if (kind == 5)
        reader_name(reader, MSG_A_NAME);
    else if (kind == 6)
        reader_regex(reader, MSG_A_PATTERN);
    else
        reader_need(reader, KW_HOLD_IN);
    reader_comma(reader);
    reader_end(reader);
}

/* Takes every kind of thing at every place of a statement. */
static void read_items(const struct statement *statement, struct diagnostics *diagnostics)
{
    for (guint n = 0; n < statement->items->len && n < 8; n++)
        for (guint kind = 0; kind < 8; kind++) {
            struct reader reader = reader_start(statement, diagnostics);
            reader.next = n;
            take(&reader, kind);
        }
}

static void read_block(const struct block *block, struct diagnostics *diagnostics)
{
    static const struct statement_kind kinds[] = {
        {KW_ZONE, TRUE, read_nothing},
        {KW_MESSAGE_SIZE, FALSE, read_nothing},
        {KW_FROM, TRUE, read_nothing},
        {KW_COUNT, FALSE, NULL},
    };

    block_read(block, kinds, MSG_A_RULE, diagnostics, NULL);
    for (guint n = 0; n < block->statements->len; n++) {
        const struct statement *statement = block_statement(block, n);
        if (n < 20)
            read_items(statement, diagnostics);
        if (statement->block != NULL)
            read_block(statement->block, diagnostics);
    }
}

static void check(const struct diagnostics *diagnostics, enum diagnostic_form form, enum language language)
{
    g_autofree char *text = diagnostics_render(diagnostics, form, language);

    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        g_assert_true(character_is_sound(g_utf8_get_char(p)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SOURCE_MAX_BYTES)
        return 0;
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    const struct source *source = sources_add(sources, "fuzz", (const char *)data, size);
    g_autoptr(block) block = tree_parse(source, diagnostics);
    g_autofree char *dump = tree_dump(block);

    g_assert_true(g_utf8_validate(dump, -1, NULL));
    read_block(block, diagnostics);
    check(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    check(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_ZH);
    check(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    check(diagnostics, DIAGNOSTIC_JSON, LANGUAGE_ZH);
    return 0;
}
