#include "milter/conf/reading.h"

#include "milter/conf/statement.h"
#include "milter/conf/value.h"

/* Names of queues and archives may be used before they are written: they are collected first. A name that
 * stands twice keeps its first place; the reader of the block reports the second. */
static GHashTable *names_of(const struct block *file, enum keyword keyword)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < file->statements->len; i++) {
        const struct statement *statement = block_statement(file, i);
        guint at = keyword_match(keyword, statement, 0);
        if (at == 0 || at >= statement->items->len || statement_item(statement, at)->kind != ITEM_TEXT)
            continue;
        char *name = statement_item(statement, at)->text;
        if (!g_hash_table_contains(names, name))
            g_hash_table_insert(names, name, (gpointer)statement);
    }
    return names;
}

static struct span end_of(const struct block *file)
{
    const struct source *source = file->close.source;

    return (struct span){source, source->length, 0};
}

struct reading *reading_new(const struct files *files, enum snapshot_flags flags,
                            struct diagnostics *diagnostics)
{
    struct reading *reading = g_new0(struct reading, 1);

    reading->diagnostics = diagnostics;
    reading->flags = flags;
    reading->conf = conf_new();
    reading->policy = policy_new();
    reading->zones = zones_new();
    reading->file = files_join(files);
    reading->end = end_of(g_ptr_array_index(files->blocks, 0));
    reading->queues = names_of(reading->file, KW_QUEUE);
    reading->archives = names_of(reading->file, KW_ARCHIVE);
    reading->queue_after = g_hash_table_new(g_str_hash, g_str_equal);
    reading->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reading->zone_names = g_ptr_array_new();
    return reading;
}

void reading_free(struct reading *reading)
{
    if (reading == NULL)
        return;
    conf_free(reading->conf);
    policy_free(reading->policy);
    zones_free(reading->zones);
    files_join_free(reading->file);
    g_hash_table_unref(reading->queues);
    g_hash_table_unref(reading->archives);
    g_hash_table_unref(reading->queue_after);
    g_hash_table_unref(reading->domains);
    g_ptr_array_unref(reading->zone_names);
    g_free(reading);
}

static void note_written(struct reading *reading, enum setting setting, const struct reader *reader)
{
    if (reading->written[setting] == NULL)
        reading->written[setting] = reader->statement;
}

/* Each statement is noted before its own reader sees it. */
#define SETTING(id, change, times, fallback, read, print)           \
    static void enter_##id(struct reader *reader, gpointer context) \
    {                                                               \
        note_written(context, SETTING_##id, reader);                \
        read(reader, context);                                      \
    }
#include "milter/conf/settings.def"

static const struct statement_kind kinds[] = {
#define SETTING(id, change, times, fallback, read, print) KIND(id, times, enter_##id),
#include "milter/conf/settings.def"
    {KW_COUNT, FALSE, NULL}};

void reading_read(struct reading *reading)
{
    block_read(reading->file, kinds, MSG_OF_CONF, reading->diagnostics, reading);
    cross_check(reading);
    if (!(reading->flags & SNAPSHOT_NO_HOST))
        host_check(reading);
}
