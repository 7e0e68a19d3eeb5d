/* archive TEXT { … } */
#include "milter/conf/statement.h"

#include "milter/conf/limits.h"
#include "milter/conf/value.h"

struct archive_reading {
    struct reading *reading;
    struct archive *archive;
    gboolean has_keep;
};

/* TIME | for the label's duration, at least TIME */
static void read_keep(struct reader *reader, gpointer context)
{
    struct archive_reading *reading = context;
    struct archive *archive = reading->archive;

    reading->has_keep = TRUE;
    if (reader_keyword(reader, KW_FOR_THE_LABELS_DURATION)) {
        archive->for_label = TRUE;
        if (!reader_comma(reader))
            reader_expected(reader, MSG_A_COMMA, NULL);
        if (!reader_need(reader, KW_AT_LEAST))
            return;
    }
    if (value_time(reader, 1, KEEP_MAX_S, &archive->keep_ms))
        value_end(reader);
}

/* by rules | everything | LEVEL and above */
static void read_takes(struct reader *reader, gpointer context)
{
    struct archive_reading *reading = context;
    struct archive *archive = reading->archive;

    if (reader_keyword(reader, KW_BY_RULES)) {
        archive->takes = TAKES_BY_RULES;
    } else if (reader_keyword(reader, KW_EVERYTHING)) {
        archive->takes = TAKES_EVERYTHING;
    } else {
        archive->takes = TAKES_LEVEL;
        if (!value_level(reading->reading, reader, &archive->scheme, &archive->level) ||
            !reader_need(reader, KW_AND_ABOVE))
            return;
    }
    value_end(reader);
}

void read_archive(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_ARCHIVE(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};
    const struct item *name = value_block_name(reader, reading->archives, MSG_AN_ARCHIVE);
    guint errors = diagnostics_errors(reader->diagnostics);

    if (name == NULL)
        return;
    struct archive_reading archive = {.reading = reading, .archive = archive_new(name->text)};
    g_ptr_array_add(reading->conf->archives, archive.archive);
    block_read(reader->statement->block, kinds, MSG_OF_ARCHIVE, reader->diagnostics, &archive);
    if (!archive.has_keep && diagnostics_errors(reader->diagnostics) == errors)
        diagnostic_help(reader_fail(reader, DIAG_MISSING, name->span,
                                    message_make(MSG_ARCHIVE_WITHOUT_KEEP, name->text, NULL)),
                        message_make(MSG_ARCHIVE_WITHOUT_KEEP_HELP, NULL));
}
