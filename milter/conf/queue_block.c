/* queue TEXT { … } and archive TEXT { … }: nothing can be held or kept yet, so they are read with all checks
 * and refused. */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/limits.h"
#include "milter/conf/value.h"

struct block_reading {
    struct reading *reading;
    const struct item *name;
    gboolean has_needed; /* reviewers, keep */
};

/* manager of sender | members of TEXT | TEXT, with commas */
static gboolean read_people(struct reader *reader)
{
    do {
        if (reader_keyword(reader, KW_MANAGER_OF_SENDER))
            continue;
        enum message_id what = reader_keyword(reader, KW_MEMBERS_OF) ? MSG_A_GROUP_OF_PEOPLE : MSG_A_REVIEWER;
        if (reader_text(reader, what) == NULL)
            return FALSE;
    } while (reader_comma(reader));
    return TRUE;
}

static void read_reviewers(struct reader *reader, gpointer context)
{
    ((struct block_reading *)context)->has_needed = TRUE;
    if (read_people(reader))
        value_end(reader);
}

static void read_deputies(struct reader *reader, gpointer context)
{
    gint64 milliseconds;

    if (!read_people(reader))
        return;
    if (reader_keyword(reader, KW_AFTER) && !value_time(reader, 1, KEEP_MAX_S, &milliseconds))
        return;
    value_end(reader);
}

/* N [above LEVEL, otherwise N] */
static void read_approvals(struct reader *reader, gpointer context)
{
    const struct scheme *scheme;
    const struct level *level;
    guint number;

    if (!reader_number(reader, 1, APPROVALS_MAX, &number))
        return;
    if (reader_keyword(reader, KW_ABOVE)) {
        if (!value_level(((struct block_reading *)context)->reading, reader, &scheme, &level))
            return;
        if (!reader_comma(reader))
            reader_expected(reader, MSG_A_COMMA, NULL);
        if (!reader_need(reader, KW_OTHERWISE) || !reader_number(reader, 1, APPROVALS_MAX, &number))
            return;
    }
    value_end(reader);
}

static void read_remind(struct reader *reader, gpointer context)
{
    gint64 milliseconds;

    if (reader_need(reader, KW_EVERY) && value_time(reader, 60, KEEP_MAX_S, &milliseconds))
        value_end(reader);
}

/* TIME then refuse | hold in TEXT; time alone never lets mail out (semantics.md 13.15). */
static void read_deadline(struct reader *reader, gpointer context)
{
    static const enum keyword ends[] = {KW_REFUSE, KW_HOLD_IN, KW_DELIVER, KW_COUNT};
    struct block_reading *block = context;
    gint64 milliseconds;

    if (!value_time(reader, 60, KEEP_MAX_S, &milliseconds) || !reader_need(reader, KW_CONF_THEN))
        return;
    struct span place = reader_here(reader);
    enum keyword end = reader_one_of(reader, ends);
    if (end == KW_COUNT) {
        reader_expected(reader, MSG_REFUSE_OR_HOLD, NULL);
    } else if (end == KW_DELIVER) {
        reader_fail(reader, DIAG_OPEN_DOOR, place, message_make(MSG_DEADLINE_DELIVERS, NULL));
    } else if (end == KW_HOLD_IN && value_queue(block->reading, reader)) {
        const struct item *next = statement_item(reader->statement, reader->next - 1);
        g_hash_table_insert(block->reading->queue_after, block->name->text, (gpointer)next);
    }
    value_end(reader);
}

static void read_tell(struct reader *reader, gpointer context)
{
    do {
        if (reader_keyword(reader, KW_SENDER) || reader_keyword(reader, KW_REVIEWERS))
            continue;
        if (reader_text(reader, MSG_A_TARGET) == NULL)
            return;
    } while (reader_comma(reader));
    value_end(reader);
}

static void read_no_value(struct reader *reader, gpointer context)
{
    value_end(reader);
}

/* The name of a queue or archive; [duplicate] if another block has it. */
static const struct item *read_block_name(struct reader *reader, GHashTable *names, enum message_id what)
{
    const struct item *name = reader_name(reader, what);

    if (name == NULL || !reader_end(reader) || !reader_need_block(reader))
        return NULL;
    const struct statement *first = g_hash_table_lookup(names, name->text);
    if (first == reader->statement)
        return name;
    diagnostic_note(
        reader_fail(reader, DIAG_DUPLICATE, name->span, message_make(MSG_NAME_TWICE, name->text, NULL)),
        first->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    return NULL;
}

static void read_later_block(struct reader *reader, struct block_reading *block, struct span name,
                             const struct statement_kind *kinds, enum message_id what, enum message_id needed)
{
    guint errors = diagnostics_errors(reader->diagnostics);

    block_read(reader->statement->block, kinds, what, reader->diagnostics, block);
    if (!block->has_needed && diagnostics_errors(reader->diagnostics) == errors)
        reader_fail(reader, DIAG_MISSING, block->name->span, message_make(needed, block->name->text, NULL));
    value_not_yet(reader, name, MSG_NONE);
}

void later_queue(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_QUEUE(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};
    struct span name = value_taken(reader);
    struct block_reading block = {.reading = reading};

    block.name = read_block_name(reader, reading->queues, MSG_A_QUEUE);
    if (block.name != NULL)
        read_later_block(reader, &block, name, kinds, MSG_OF_QUEUE, MSG_QUEUE_WITHOUT_REVIEWERS);
}

/* TIME | for the label's duration, at least TIME */
static void read_keep(struct reader *reader, gpointer context)
{
    gint64 milliseconds;

    ((struct block_reading *)context)->has_needed = TRUE;
    if (reader_keyword(reader, KW_FOR_THE_LABELS_DURATION)) {
        if (!reader_comma(reader))
            reader_expected(reader, MSG_A_COMMA, NULL);
        if (!reader_need(reader, KW_AT_LEAST))
            return;
    }
    if (value_time(reader, 1, KEEP_MAX_S, &milliseconds))
        value_end(reader);
}

/* by rules | everything | LEVEL and above */
static void read_takes(struct reader *reader, gpointer context)
{
    const struct scheme *scheme;
    const struct level *level;

    if (!reader_keyword(reader, KW_BY_RULES) && !reader_keyword(reader, KW_EVERYTHING)) {
        if (!value_level(((struct block_reading *)context)->reading, reader, &scheme, &level) ||
            !reader_need(reader, KW_AND_ABOVE))
            return;
    }
    value_end(reader);
}

void later_archive(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_ARCHIVE(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};
    struct span name = value_taken(reader);
    struct block_reading block = {.reading = reading};

    block.name = read_block_name(reader, reading->archives, MSG_AN_ARCHIVE);
    if (block.name != NULL)
        read_later_block(reader, &block, name, kinds, MSG_OF_ARCHIVE, MSG_ARCHIVE_WITHOUT_KEEP);
}
