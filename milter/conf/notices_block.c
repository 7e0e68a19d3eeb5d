/* notices { … }: no notices are sent yet, so it is read with all checks and refused. */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/value.h"

static void read_notices_from(struct reader *reader, gpointer reading)
{
    g_autofree char *address = value_address(reader);

    if (address != NULL)
        value_end(reader);
}

/* zh, en: one or both, in this order */
static void read_language(struct reader *reader, gpointer reading)
{
    gboolean zh = FALSE, en = FALSE;

    do {
        const struct item *item = reader_peek(reader);
        gboolean is_zh = item != NULL && item->kind == ITEM_WORD && g_ascii_strcasecmp(item->text, "zh") == 0;
        gboolean is_en = item != NULL && item->kind == ITEM_WORD && g_ascii_strcasecmp(item->text, "en") == 0;
        if ((!is_zh || zh) && (!is_en || en)) {
            reader_expected(reader, MSG_ZH_OR_EN, NULL);
            return;
        }
        zh |= is_zh;
        en |= is_en;
        reader_take(reader);
    } while (reader_comma(reader));
    value_end(reader);
}

static void read_contact(struct reader *reader, gpointer reading)
{
    if (reader_text(reader, MSG_A_TEXT) != NULL)
        value_end(reader);
}

static void read_template(struct reader *reader, gpointer reading)
{
    if (reader_text(reader, MSG_A_FILE) != NULL)
        value_end(reader);
}

static void read_command(struct reader *reader, gpointer reading)
{
    if (reader_text(reader, MSG_A_FILE) != NULL)
        value_end(reader);
}

static void read_notices_flag(struct reader *reader, gpointer reading)
{
    value_end(reader);
}

static void read_approve_by_mail(struct reader *reader, gpointer reading)
{
    const struct scheme *scheme;
    const struct level *level;

    if (value_level(reading, reader, &scheme, &level))
        value_end(reader);
}

void later_notices(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_NOTICES(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};
    struct span name = value_taken(reader);

    if (!reader_end(reader) || !reader_need_block(reader))
        return;
    block_read(reader->statement->block, kinds, MSG_OF_NOTICES, reader->diagnostics, reading);
    value_not_yet(reader, name, MSG_NONE);
}
