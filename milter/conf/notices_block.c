/* notices { … } */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/value.h"

static struct notices *notices_of(gpointer reading)
{
    return &((struct reading *)reading)->conf->notices;
}

static void read_notices_from(struct reader *reader, gpointer reading)
{
    char *address = value_address(reader);

    if (address != NULL)
        value_set(&notices_of(reading)->from, address);
    value_end(reader);
}

/* zh, en: one or both, in this order */
static void read_language(struct reader *reader, gpointer reading)
{
    struct notices *notices = notices_of(reading);

    notices->language_count = 0;
    do {
        const struct item *item = reader_peek(reader);
        gboolean word = item != NULL && item->kind == ITEM_WORD;
        gboolean is_zh = word && g_ascii_strcasecmp(item->text, "zh") == 0;
        gboolean is_en = word && g_ascii_strcasecmp(item->text, "en") == 0;
        enum language language = is_zh ? LANGUAGE_ZH : LANGUAGE_EN;
        gboolean again = notices->language_count > 0 && notices->languages[0] == language;
        if ((!is_zh && !is_en) || again || notices->language_count == G_N_ELEMENTS(notices->languages)) {
            reader_expected(reader, MSG_ZH_OR_EN, NULL);
            return;
        }
        notices->languages[notices->language_count++] = language;
        reader_take(reader);
    } while (reader_comma(reader));
    value_end(reader);
}

/* It stands in replies and notices between other words. */
static void read_contact(struct reader *reader, gpointer reading)
{
    const struct item *item = reader_text(reader, MSG_A_CONTACT);

    if (item == NULL || !value_end(reader))
        return;
    if (item->text[0] == '\0' || strpbrk(item->text, "\r\n\t") != NULL) {
        reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_NOT_ONE_LINE, NULL));
        return;
    }
    value_set(&notices_of(reading)->contact, g_strdup(item->text));
    value_set(&((struct reading *)reading)->policy->contact, g_strdup(item->text));
}

static void later_file(struct reader *reader)
{
    struct span name = value_taken(reader);

    if (reader_text(reader, MSG_A_FILE) != NULL)
        value_end_not_yet(reader, name, MSG_NONE);
}

static void later_template(struct reader *reader, gpointer reading)
{
    later_file(reader);
}

static void later_command(struct reader *reader, gpointer reading)
{
    later_file(reader);
}

static void later_name_members(struct reader *reader, gpointer reading)
{
    value_end_not_yet(reader, value_taken(reader), MSG_NONE);
}

static void read_tell_recipients_no(struct reader *reader, gpointer reading)
{
    notices_of(reading)->tell_recipients = FALSE;
    value_end(reader);
}

/* off | LEVEL */
static void read_approve_by_mail(struct reader *reader, gpointer reading)
{
    struct span name = value_taken(reader);
    const struct scheme *scheme;
    const struct level *level;

    if (reader_keyword(reader, KW_OFF))
        value_end(reader);
    else if (value_level(reading, reader, &scheme, &level))
        value_end_not_yet(reader, name, MSG_APPROVE_BY_MAIL_HELP);
}

void read_notices(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_NOTICES(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};

    if (reader_end(reader) && reader_need_block(reader))
        block_read(reader->statement->block, kinds, MSG_OF_NOTICES, reader->diagnostics, reading);
}
