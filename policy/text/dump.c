#include "policy/text/tree.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"

#include <string.h>

char *text_escape(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\n')
            g_string_append(out, "\\n");
        else if (*p == '\t')
            g_string_append(out, "\\t");
        else if (*p == '\\')
            g_string_append(out, "\\\\");
        else
            g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

static void append_place(GString *out, guint depth, const char *kind, struct span span)
{
    struct position position = source_position(span.source, span.offset);

    for (guint n = 0; n < depth; n++)
        g_string_append(out, "  ");
    g_string_append_printf(out, "%s %u:%u", kind, position.line, position.column);
}

static void append_item(GString *out, guint depth, const struct item *item)
{
    static const char *const kinds[] = {"word", "text", "regex", "comma", "open", "close"};
    g_autofree char *escaped = item->text != NULL ? text_escape(item->text) : NULL;

    append_place(out, depth, kinds[item->kind], item->span);
    if (escaped != NULL)
        g_string_append_printf(out, " %s", escaped);
    if (item->flags[0] != '\0')
        g_string_append_printf(out, " %s", item->flags);
    if (item->fault != ITEM_SOUND)
        g_string_append(out, item->fault == ITEM_FLAGS ? " wrong flags" : " unclosed");
    g_string_append_c(out, '\n');
}

static void append_block(GString *out, guint depth, const struct block *block)
{
    for (guint n = 0; n < block->statements->len; n++) {
        const struct statement *statement = block_statement(block, n);
        append_place(out, depth, "statement", statement->span);
        g_string_append(out, statement->bad ? " bad\n" : "\n");
        for (guint i = 0; i < statement->items->len; i++)
            append_item(out, depth + 1, statement_item(statement, i));
        if (statement->block != NULL) {
            append_place(out, depth + 1, "block", statement->block->open);
            g_string_append_c(out, '\n');
            append_block(out, depth + 2, statement->block);
        }
    }
}

char *tree_dump(const struct block *block)
{
    GString *out = g_string_new(NULL);

    append_block(out, 0, block);
    return g_string_free(out, FALSE);
}

char *item_describe(const struct item *item_or_null)
{
    enum message_id form = MSG_FOUND_WORD;
    g_autofree char *text = NULL;

    if (item_or_null == NULL)
        return g_strdup(message_arg(MSG_THE_END_OF_LINE));
    /* Texts and patterns as they stand in the file: with escapes resolved they might be several lines. */
    if (item_or_null->kind == ITEM_TEXT) {
        g_autofree char *escaped = text_escape(item_or_null->text);
        form = MSG_FOUND_TEXT;
        text = character_shorten(escaped, DIAGNOSTIC_MAX_ARG);
    } else if (item_or_null->kind == ITEM_WORD) {
        text = character_shorten(item_or_null->text, DIAGNOSTIC_MAX_ARG);
    } else {
        g_autofree char *written = span_text(item_or_null->span);
        form = item_or_null->kind == ITEM_REGEX ? MSG_FOUND_PATTERN : MSG_FOUND_WORD;
        text = character_shorten(written, DIAGNOSTIC_MAX_ARG);
    }
    return message_arg_with(form, text);
}
