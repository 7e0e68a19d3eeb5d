#include "policy/text/reader.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"
#include "policy/text/scan.h"

#include <string.h>

struct reader reader_start(const struct statement *statement, struct diagnostics *diagnostics)
{
    return (struct reader){.statement = statement, .diagnostics = diagnostics, .broken = statement->bad};
}

const struct item *reader_peek(const struct reader *reader)
{
    if (reader->broken || reader->next >= reader->statement->items->len)
        return NULL;
    return statement_item(reader->statement, reader->next);
}

const struct item *reader_take(struct reader *reader)
{
    const struct item *item = reader_peek(reader);

    reader->next += item != NULL;
    return item;
}

struct span reader_here(const struct reader *reader)
{
    const GPtrArray *items = reader->statement->items;
    struct span span = reader->statement->span;

    if (reader->next < items->len)
        return statement_item(reader->statement, reader->next)->span;
    return (struct span){span.source, span.offset + span.length, 0};
}

gboolean reader_at(const struct reader *reader, enum keyword keyword)
{
    return !reader->broken && keyword_match(keyword, reader->statement, reader->next) > 0;
}

gboolean reader_keyword(struct reader *reader, enum keyword keyword)
{
    guint count = reader->broken ? 0 : keyword_match(keyword, reader->statement, reader->next);

    reader->next += count;
    return count > 0;
}

/* The longest of the keywords that is here, and its number of items. */
static enum keyword longest(const struct reader *reader, const enum keyword *keywords, guint *items)
{
    enum keyword best = KW_COUNT;

    *items = 0;
    for (; !reader->broken && *keywords != KW_COUNT; keywords++) {
        guint count = keyword_match(*keywords, reader->statement, reader->next);
        if (count > *items) {
            best = *keywords;
            *items = count;
        }
    }
    return best;
}

enum keyword reader_one_of(struct reader *reader, const enum keyword *keywords)
{
    guint items;
    enum keyword keyword = longest(reader, keywords, &items);

    reader->next += items;
    return keyword;
}

enum keyword reader_look(const struct reader *reader, const enum keyword *keywords)
{
    guint items;

    return longest(reader, keywords, &items);
}

struct diagnostic *reader_fail(struct reader *reader, enum diagnostic_id id, struct span span,
                               struct message message)
{
    reader->broken = TRUE;
    return diagnostics_report(reader->diagnostics, id, span, message);
}

/* ---- what was expected, after what, what was found */

/* What stands behind the last item, as an argument of a message, and where. */
static char *describe_end(const struct reader *reader, struct span *span)
{
    const struct source *source = span->source;
    const char *end = source->text + source->length;
    const char *p = source->text + span->offset;
    guint length = 0;
    gunichar c = '\n';

    if (reader->statement->block != NULL) {
        *span = reader->statement->block->open;
        return message_arg_with(MSG_FOUND_WORD, "{");
    }
    for (; p < end; p += length) {
        c = character_read(p, end, &length);
        if (!character_is_blank(c))
            break;
    }
    if (p == end || (c != ';' && c != '}' && c != 0xFF1B && c != 0x3002 && c != 0xFF5D))
        return g_strdup(message_arg(MSG_THE_END_OF_LINE));
    *span = (struct span){source, (guint32)(p - source->text), length};
    g_autofree char *mark = span_text(*span);
    return message_arg_with(MSG_FOUND_WORD, mark);
}

/* Does the statement end with its line here? */
static gboolean is_end_of_line(const char *found)
{
    return strcmp(found, message_arg(MSG_THE_END_OF_LINE)) == 0;
}

/* Reports [expected]; `what` is an argument of a message. Adds the help that fits every grammar; the result
 * takes a better one. */
static struct diagnostic *fail_expected(struct reader *reader, const char *what, const char *const *more)
{
    const struct item *item = reader_peek(reader);
    struct span span = reader_here(reader);
    g_autofree char *found = item != NULL ? item_describe(item) : describe_end(reader, &span);
    struct diagnostic *diagnostic;

    if (reader->next > 0) {
        g_autofree char *before = item_describe(statement_item(reader->statement, reader->next - 1));
        diagnostic = reader_fail(reader, DIAG_EXPECTED, span,
                                 message_make(MSG_EXPECTED_AFTER, what, before, found, NULL));
    } else {
        diagnostic =
            reader_fail(reader, DIAG_EXPECTED, span, message_make(MSG_EXPECTED_FIRST, what, found, NULL));
    }
    if (item != NULL && item->kind == ITEM_WORD) {
        g_autofree char *cut = keyword_cut(item->text, more);
        if (cut != NULL)
            diagnostic_help(diagnostic, message_make(MSG_WRITE_APART, cut, NULL));
    } else if (item == NULL && is_end_of_line(found)) {
        diagnostic_help(diagnostic, message_make(MSG_STATEMENT_GOES_ON, NULL));
    }
    return diagnostic;
}

struct diagnostic *reader_expected(struct reader *reader, enum message_id what, const char *const *more)
{
    return reader->broken ? NULL : fail_expected(reader, message_arg(what), more);
}

/* The keyword as the statement would write it: Chinese where it began in Chinese. */
static const char *keyword_for(const struct reader *reader, enum keyword keyword)
{
    const struct item *first = statement_item(reader->statement, 0);
    gboolean is_chinese = first->kind == ITEM_WORD && (guchar)first->text[0] >= 0x80;

    return is_chinese && keyword_chinese(keyword)[0] != '\0' ? keyword_chinese(keyword)
                                                             : keyword_english(keyword);
}

gboolean reader_need(struct reader *reader, enum keyword keyword)
{
    if (reader->broken || reader_keyword(reader, keyword))
        return !reader->broken;
    const char *wanted[] = {keyword_for(reader, keyword), NULL};
    const struct item *item = reader_peek(reader);
    g_autofree char *what = message_arg_with(MSG_QUOTED, wanted[0]);
    gboolean is_near = item != NULL && item->kind == ITEM_WORD && nearest_name(item->text, wanted) != NULL;
    struct diagnostic *diagnostic = fail_expected(reader, what, NULL);

    if (is_near)
        diagnostic_help(diagnostic, message_make(MSG_DID_YOU_MEAN, wanted[0], NULL));
    return FALSE;
}

/* ---- texts, words, patterns */

/* The path that a slash without quotes began: up to what ends a word. */
static struct span path_span(const struct item *item)
{
    const struct source *source = item->span.source;
    const char *begin = source->text + item->span.offset;
    const char *end = source->text + source->length;
    const char *p = begin;
    guint length;

    for (; p < end; p += length) {
        gunichar c = character_read(p, end, &length);
        if (scan_ends_word(c))
            break;
    }
    return (struct span){source, item->span.offset, (guint32)(p - begin)};
}

static void fail_path(struct reader *reader, const struct item *item)
{
    struct span span = path_span(item);
    g_autofree char *path = item->kind == ITEM_WORD ? g_strdup(item->text) : span_text(span);
    g_autofree char *shorter = character_shorten(path, DIAGNOSTIC_MAX_ARG);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", shorter);

    diagnostic_help(reader_fail(reader, DIAG_BARE_PATH, span, message_make(MSG_BARE_PATH, NULL)),
                    message_make(MSG_WRITE_THIS, quoted, NULL));
}

/* A word where a text belongs: quotes were forgotten, unless it is a word of the language. */
static void fail_text(struct reader *reader, enum message_id what)
{
    const struct item *item = reader_peek(reader);

    if (item != NULL && (item->kind == ITEM_REGEX || (item->kind == ITEM_WORD && item->text[0] == '/'))) {
        fail_path(reader, item);
        return;
    }
    struct diagnostic *diagnostic = fail_expected(reader, message_arg(what), NULL);
    if (item == NULL || item->kind != ITEM_WORD || keyword_begins_with(item->text))
        return;
    const GPtrArray *items = reader->statement->items;
    gboolean goes_on = reader->next + 1 < items->len &&
                       statement_item(reader->statement, reader->next + 1)->kind == ITEM_COMMA;
    g_autofree char *shorter = character_shorten(item->text, DIAGNOSTIC_MAX_ARG);
    g_autofree char *whole = g_strconcat(shorter, goes_on ? "…" : "", NULL);
    diagnostic_help(diagnostic, message_make(MSG_WRITE_IN_QUOTES, whole, NULL));
}

/* Takes the item if it is of the kind. */
static const struct item *take_kind(struct reader *reader, enum item_kind kind)
{
    const struct item *item = reader_peek(reader);

    return item != NULL && item->kind == kind ? reader_take(reader) : NULL;
}

const struct item *reader_text(struct reader *reader, enum message_id what)
{
    const struct item *item = take_kind(reader, ITEM_TEXT);

    if (item == NULL && !reader->broken)
        fail_text(reader, what);
    return item;
}

const struct item *reader_name(struct reader *reader, enum message_id what)
{
    const struct item *item = reader_text(reader, what);
    guint characters = item != NULL ? character_count(item->text, strlen(item->text)) : 0;

    if (characters <= NAME_MAX_CHARACTERS)
        return item;
    g_autofree char *limit = g_strdup_printf("%d", NAME_MAX_CHARACTERS);
    g_autofree char *number = g_strdup_printf("%u", characters);
    reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_NAME_TOO_LONG, limit, number, NULL));
    return NULL;
}

const struct item *reader_word(struct reader *reader, enum message_id what)
{
    const struct item *item = take_kind(reader, ITEM_WORD);

    if (item == NULL)
        reader_expected(reader, what, NULL);
    return item;
}

const struct item *reader_word_or_text(struct reader *reader, enum message_id what)
{
    const struct item *item = take_kind(reader, ITEM_WORD);

    return item != NULL || reader->broken ? item : reader_text(reader, what);
}

/* What stands behind the slash that closes a pattern. */
static struct span flags_span(const struct item *item)
{
    const char *begin = item->span.source->text + item->span.offset;
    guint32 n = 1;

    while (n < item->span.length && begin[n] != '/')
        n += begin[n] == '\\' ? 2 : 1;
    n = MIN(n + 1, item->span.length);
    return (struct span){item->span.source, item->span.offset + n, item->span.length - n};
}

const struct item *reader_regex(struct reader *reader, enum message_id what)
{
    const struct item *item = take_kind(reader, ITEM_REGEX);

    if (item == NULL) {
        reader_expected(reader, what, NULL);
    } else if (item->fault == ITEM_UNCLOSED) {
        diagnostic_help(
            reader_fail(reader, DIAG_UNCLOSED_PATTERN, item->span, message_make(MSG_UNCLOSED_PATTERN, NULL)),
            message_make(MSG_CLOSE_PATTERN, NULL));
    } else if (item->fault == ITEM_FLAGS) {
        struct span span = flags_span(item);
        g_autofree char *flags = span_text(span);
        diagnostic_help(
            reader_fail(reader, DIAG_PATTERN_FLAG, span, message_make(MSG_PATTERN_FLAG, flags, NULL)),
            message_make(MSG_PATTERN_FLAG_HELP, NULL));
    }
    return reader->broken ? NULL : item;
}

gboolean reader_comma(struct reader *reader)
{
    if (take_kind(reader, ITEM_COMMA) != NULL)
        return TRUE;
    reader->list = reader->next + 1;
    return FALSE;
}

/* ---- the end */

/* A value of a list rather than a word of the language. */
static gboolean is_value(const struct item *item)
{
    return item->kind == ITEM_TEXT || (item->kind == ITEM_WORD && !keyword_begins_with(item->text));
}

/* A word or text in quotes, as the file has it. */
static char *quote(const struct item *item)
{
    g_autofree char *escaped = text_escape(item->text);
    g_autofree char *shorter = character_shorten(escaped, DIAGNOSTIC_MAX_ARG);

    return g_strdup_printf("\"%s\"", shorter);
}

gboolean reader_end(struct reader *reader)
{
    const struct item *item = reader_peek(reader);

    if (item == NULL)
        return !reader->broken;
    const struct item *before = reader->next > 0 ? statement_item(reader->statement, reader->next - 1) : NULL;
    if (before != NULL && reader->list == reader->next + 1 && is_value(item) &&
        (before->kind == ITEM_WORD || before->kind == ITEM_TEXT)) {
        g_autofree char *left = quote(before), *right = quote(item);
        diagnostic_help(reader_fail(reader, DIAG_MISSING_COMMA, item->span,
                                    message_make(MSG_MISSING_COMMA, left, right, NULL)),
                        message_make(MSG_SEPARATE_VALUES, NULL));
    } else {
        fail_expected(reader, message_arg(MSG_THE_END_OF_STATEMENT), NULL);
    }
    return FALSE;
}

gboolean reader_need_block(struct reader *reader)
{
    if (reader->broken)
        return FALSE;
    if (reader->statement->block == NULL)
        fail_expected(reader, message_arg(MSG_A_BLOCK), NULL);
    return !reader->broken;
}

gboolean reader_no_block(struct reader *reader)
{
    if (!reader->broken && reader->statement->block != NULL) {
        reader->next = reader->statement->items->len;
        fail_expected(reader, message_arg(MSG_THE_END_OF_STATEMENT), NULL);
    }
    return !reader->broken;
}
