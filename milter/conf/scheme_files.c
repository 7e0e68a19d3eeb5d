#include "milter/conf/scheme_files.h"

#include "milter/conf/snapshot_hash.h"

static void note_files(struct reading *reading, const struct files *files, GChecksum *text)
{
    for (guint i = 0; i < files->blocks->len; i++) {
        const struct block *block = g_ptr_array_index(files->blocks, i);
        if (i == 0)
            g_ptr_array_add(reading->conf->scheme_files, g_strdup(block->open.source->name));
        checksum_source(block->open.source, text);
    }
}

/* One text of a `scheme` statement: the name of a file, or a pattern, each of whose files is a scheme. */
static void read_named(struct reading *reading, struct sources *sources, const struct item *item,
                       struct schemes *schemes, GChecksum *text)
{
    enum source_trust trust = reading->flags & SNAPSHOT_ANY_OWNER ? SOURCE_ANY : SOURCE_SAFE;
    g_autoptr(files) files = files_read_named(sources, item, FALSE, trust, reading->diagnostics);
    struct block *joined = files_join(files);

    if (joined == NULL)
        return;
    note_files(reading, files, text);
    scheme_read(schemes, joined, reading->diagnostics);
    files_join_free(joined);
}

static void read_statement(struct reading *reading, struct sources *sources,
                           const struct statement *statement, struct schemes *schemes, GChecksum *text)
{
    guint at = statement->bad ? 0 : keyword_match(KW_SCHEME, statement, 0);

    for (; at > 0 && at < statement->items->len; at++) {
        const struct item *item = statement_item(statement, at);
        if (item->kind == ITEM_TEXT)
            read_named(reading, sources, item, schemes, text);
    }
}

struct schemes *scheme_files_read(struct reading *reading, struct sources *sources, GChecksum *text)
{
    g_autoptr(schemes) schemes = schemes_new();
    guint errors = diagnostics_errors(reading->diagnostics);

    for (guint i = 0; i < reading->file->statements->len; i++)
        read_statement(reading, sources, block_statement(reading->file, i), schemes, text);
    if (diagnostics_errors(reading->diagnostics) > errors || schemes->list->len == 0)
        return NULL;
    return g_steal_pointer(&schemes);
}
