/* limits { … } and sandbox { … } */
#include "milter/conf/limits.h"

#include "milter/conf/statement.h"
#include "milter/conf/value.h"

static struct conf *conf_of(gpointer reading)
{
    return ((struct reading *)reading)->conf;
}

static void read_message_size(struct reader *reader, gpointer reading)
{
    guint64 *bytes = &conf_of(reading)->message_size_bytes;

    if (value_size(reader, MESSAGE_MIN_BYTES, MESSAGE_MAX_BYTES, bytes) && value_end(reader))
        ((struct reading *)reading)->policy->max_message_bytes = *bytes;
}

static void read_text_size(struct reader *reader, gpointer reading)
{
    if (value_size(reader, TEXT_MIN_BYTES, TEXT_MAX_BYTES, &conf_of(reading)->inspect.text_size_bytes))
        value_end(reader);
}

/* No archive is opened yet. */
static void later_unpacked(struct reader *reader, gpointer reading)
{
    struct span name = value_taken(reader);
    guint64 bytes;

    if (value_size(reader, TEXT_MIN_BYTES, UNPACKED_MAX_BYTES, &bytes))
        value_end_not_yet(reader, name, MSG_NONE);
}

static void read_parts(struct reader *reader, gpointer reading)
{
    if (reader_number(reader, 1, PARTS_MAX, &conf_of(reading)->inspect.parts))
        value_end(reader);
}

static void read_depth(struct reader *reader, gpointer reading)
{
    if (reader_number(reader, 1, DEPTH_MAX, &conf_of(reading)->inspect.depth))
        value_end(reader);
}

static void read_recipients(struct reader *reader, gpointer reading)
{
    guint *recipients = &conf_of(reading)->recipients;

    if (reader_number(reader, 1, RECIPIENTS_MAX, recipients) && value_end(reader))
        ((struct reading *)reading)->policy->max_recipients = *recipients;
}

static void later_group_depth(struct reader *reader, gpointer reading)
{
    struct span name = value_taken(reader);
    guint number;

    if (reader_number(reader, 1, GROUP_DEPTH_MAX, &number))
        value_end_not_yet(reader, name, MSG_NONE);
}

static void later_group_members(struct reader *reader, gpointer reading)
{
    struct span name = value_taken(reader);
    guint number;

    if (reader_number(reader, 1, GROUP_MEMBERS_MAX, &number))
        value_end_not_yet(reader, name, MSG_NONE);
}

/* For the whole end of message, and so for a worker, too. */
static void read_limits_time(struct reader *reader, gpointer reading)
{
    struct conf *conf = conf_of(reading);

    if (value_time(reader, TIME_MIN_S, TIME_MAX_S, &conf->time_ms) && value_end(reader))
        conf->inspect.time_ms = conf->time_ms;
}

void read_limits(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_LIMITS(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};

    if (reader_end(reader) && reader_need_block(reader))
        block_read(reader->statement->block, kinds, MSG_OF_LIMITS, reader->diagnostics, reading);
}

static void read_helpers(struct reader *reader, gpointer reading)
{
    if (reader_number(reader, 1, HELPERS_MAX, &conf_of(reading)->inspect.helpers))
        value_end(reader);
}

static void read_memory(struct reader *reader, gpointer reading)
{
    if (value_size(reader, MEMORY_MIN_BYTES, MEMORY_MAX_BYTES, &conf_of(reading)->inspect.memory_bytes))
        value_end(reader);
}

static void read_sandbox_time(struct reader *reader, gpointer reading)
{
    if (value_time(reader, TIME_MIN_S, TIME_MAX_S, &conf_of(reading)->inspect.cpu_ms))
        value_end(reader);
}

void read_sandbox(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_SANDBOX(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};

    if (reader_end(reader) && reader_need_block(reader))
        block_read(reader->statement->block, kinds, MSG_OF_SANDBOX, reader->diagnostics, reading);
}
