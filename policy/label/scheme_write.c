/* scheme_write: the statements that write labels or speak of other schemes. They are read and checked whole;
 * their work comes later. */
#include "policy/label/scheme_parts.h"

#include <string.h>

/* ---------------------------------------------------------------- writing */
/* "X-Classification: {level}{duration}"; with a format that is not plain, the name alone. */
static gboolean check_written_field(struct reader *reader, const struct item *item,
                                    enum marking_format format)
{
    const char *colon = strchr(item->text, ':');
    g_autofree char *name =
        colon != NULL ? g_strndup(item->text, (gsize)(colon - item->text)) : g_strdup(item->text);
    if (!check_field_name(reader, item, name))
        return FALSE;
    if (format == FORMAT_PLAIN && colon == NULL) {
        diagnostic_help(
            reader_fail(reader, DIAG_TEMPLATE, item->span, message_make(MSG_TEMPLATE_NO_LEVEL, NULL)),
            message_make(MSG_WRITE_FIELD_HELP, name, NULL));
        return FALSE;
    }
    if (format != FORMAT_PLAIN && colon != NULL) {
        diagnostic_help(
            reader_fail(reader, DIAG_TEMPLATE, item->span, message_make(MSG_TEMPLATE_AND_FORMAT, NULL)),
            message_make(MSG_WRITE_IN_QUOTES, name, NULL));
        return FALSE;
    }
    return format != FORMAT_PLAIN ||
           check_template(reader, item, TEMPLATE_LEVEL | TEMPLATE_DURATION | TEMPLATE_CATEGORIES);
}

void read_write_field(struct reader *reader, gpointer context)
{
    guint words = reader->next, first, end;
    enum marking_format format;
    const struct item *item = reader_text(reader, MSG_A_WRITTEN_FIELD);
    if (item != NULL && read_format(reader, &format, &first, &end) &&
        check_written_field(reader, item, format))
        statement_ends(reader);
    not_yet(reader, 0, words);
}

void read_write_subject(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    const struct item *item = reader_text(reader, MSG_A_FORM);
    if (item != NULL &&
        check_template(reader, item, TEMPLATE_LEVEL | TEMPLATE_DURATION | TEMPLATE_CATEGORIES)) {
        if (!reader_keyword(reader, KW_AT_START))
            reader_keyword(reader, KW_AT_END);
        statement_ends(reader);
    }
    not_yet(reader, 0, words);
}

/* regrade field TEXT by WHO,…: WHO = post TEXT | members of TEXT. */
void read_regrade_field(struct reader *reader, gpointer context)
{
    guint words = reader->next;
    const struct item *name = reader_text(reader, MSG_A_FIELD_NAME);
    if (name == NULL || !check_field_name(reader, name, name->text) || !reader_need(reader, KW_SCHEME_BY))
        return;
    do {
        if (!reader_keyword(reader, KW_POST) && !reader_keyword(reader, KW_MEMBERS_OF))
            reader_expected(reader, MSG_WHO_MAY_REGRADE, NULL);
        if (reader_text(reader, MSG_A_NAME) == NULL)
            return;
    } while (reader_comma(reader));
    statement_ends(reader);
    not_yet(reader, 0, words);
}

/* ---------------------------------------------------------------- other schemes */
static gboolean read_direction(struct reader *reader)
{
    static const enum keyword directions[] = {KW_IS, KW_READS_AS, KW_WRITTEN_FOR, KW_COUNT};
    if (reader_one_of(reader, directions) == KW_COUNT)
        reader_expected(reader, MSG_A_DIRECTION, NULL);
    return !reader->broken;
}

/* The other scheme's level can be checked only if that scheme was read before. */
static void read_their_level(struct reader *reader, const struct scheme *theirs)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_LEVEL);
    if (item == NULL || theirs == NULL || scheme_level_named(theirs, item->text) != NULL ||
        scheme_level_also(theirs, item->text) != NULL)
        return;
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, (gpointer)theirs);
    struct diagnostic *report = reader_fail(reader, DIAG_UNKNOWN_LEVEL, item->span,
                                            message_make(MSG_NO_SUCH_LEVEL, item->text, NULL));
    level_unknown_help(report, one, item->text);
}

static void read_equivalence(struct scheme_reading *reading, struct reader *reader,
                             const struct scheme *theirs)
{
    if (!reader_keyword(reader, KW_CATEGORY)) {
        if (read_own_level(reading, reader) != NULL && read_direction(reader))
            read_their_level(reader, theirs);
    } else if (reader_text(reader, MSG_A_CATEGORY) != NULL && !reader_keyword(reader, KW_DROP) &&
               read_direction(reader)) {
        reader_text(reader, MSG_A_CATEGORY);
    }
    statement_ends(reader);
}

void read_equivalent(struct reader *reader, gpointer context)
{
    struct scheme_reading *reading = context;
    guint words = reader->next;
    const struct item *name = reader_name(reader, MSG_A_SCHEME_NAME);
    if (name == NULL || !reader_end(reader) || !reader_need_block(reader))
        return;
    const struct block *block = reader->statement->block;
    for (guint i = 0; i < block->statements->len; i++) {
        struct reader line = reader_start(block_statement(block, i), reader->diagnostics);
        read_equivalence(reading, &line, schemes_find(reading->schemes, name->text));
    }
    not_yet(reader, 0, words);
}
