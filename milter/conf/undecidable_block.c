/* undecidable { [CAUSE,…] [up to LEVEL] OUTCOME … otherwise OUTCOME } */
#include "milter/conf/statement.h"

#include "milter/conf/value.h"
#include "rules/facts.h"

/* policy/check does not know the facts; its bits are those of finding_cause. */
G_STATIC_ASSERT(UNDECIDABLE_DIRECTORY == 1 << CAUSE_DIRECTORY && UNDECIDABLE_OVERLOAD == 1 << CAUSE_OVERLOAD);
G_STATIC_ASSERT(UNDECIDABLE_ENCRYPTED == 1 << CAUSE_ENCRYPTED && UNDECIDABLE_DAMAGED == 1 << CAUSE_DAMAGED);
G_STATIC_ASSERT(UNDECIDABLE_LIMIT == 1 << CAUSE_LIMIT && UNDECIDABLE_LABEL == 1 << CAUSE_LABEL);
G_STATIC_ASSERT(UNDECIDABLE_STRUCTURE == 1 << CAUSE_STRUCTURE);

#define TRANSIENT (UNDECIDABLE_DIRECTORY | UNDECIDABLE_OVERLOAD)

static const enum keyword cause_words[] = {KW_DIRECTORY, KW_OVERLOAD, KW_ENCRYPTED, KW_DAMAGED,
                                           KW_LIMIT,     KW_LABEL,    KW_COUNT};

static guint cause_bits(enum keyword word)
{
    static const struct {
        enum keyword word;
        guint bits;
    } causes[] = {
        {KW_DIRECTORY, UNDECIDABLE_DIRECTORY}, {KW_OVERLOAD, UNDECIDABLE_OVERLOAD},
        {KW_ENCRYPTED, UNDECIDABLE_ENCRYPTED}, {KW_DAMAGED, UNDECIDABLE_DAMAGED | UNDECIDABLE_STRUCTURE},
        {KW_LIMIT, UNDECIDABLE_LIMIT},         {KW_LABEL, UNDECIDABLE_LABEL}};

    for (guint i = 0; i < G_N_ELEMENTS(causes); i++)
        if (causes[i].word == word)
            return causes[i].bits;
    return 0;
}

static gboolean read_causes(struct reader *reader, guint *causes)
{
    if (reader_look(reader, cause_words) == KW_COUNT)
        return !reader->broken;
    do {
        enum keyword word = reader_one_of(reader, cause_words);
        if (word == KW_COUNT) {
            reader_expected(reader, MSG_A_CAUSE, NULL);
            return FALSE;
        }
        *causes |= cause_bits(word);
    } while (reader_comma(reader));
    return TRUE;
}

/* Semantics.md 2.14: the level is one of the home scheme. */
static gboolean read_up_to(struct reader *reader, struct reading *reading, struct undecidable_line *line)
{
    struct span place;

    if (!reader_keyword(reader, KW_UP_TO))
        return !reader->broken;
    place = reader_here(reader);
    if (!value_level(reading, reader, &line->scheme, &line->up_to))
        return FALSE;
    if (reading->schemes == NULL || line->scheme == schemes_home(reading->schemes))
        return TRUE;
    g_autofree char *text = span_text(place);
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_UNKNOWN_LEVEL, place, message_make(MSG_NOT_A_HOME_LEVEL, text, NULL));
    diagnostic_help(diagnostic, message_make(MSG_HOME_SCHEME_IS, schemes_home(reading->schemes)->name, NULL));
    return FALSE;
}

static void open_door(struct reader *reader, struct span place, enum message_id message, enum message_id help)
{
    diagnostic_help(reader_fail(reader, DIAG_OPEN_DOOR, place, message_make(message, NULL)),
                    message_make(help, NULL));
}

static void check_line(struct reader *reader, const struct undecidable_line *line, gboolean has_level,
                       struct span place)
{
    gboolean transient = line->causes != 0 && (line->causes & ~(guint)TRANSIENT) == 0;

    if (line->outcome.kind == OUTCOME_DELIVER) {
        if (!has_level)
            open_door(reader, place, MSG_OPEN_DOOR, MSG_OPEN_DOOR_HELP);
        else if (line->causes & (TRANSIENT | UNDECIDABLE_LABEL))
            open_door(reader, place, MSG_OPEN_DOOR_CAUSE, MSG_OPEN_DOOR_CAUSE_HELP);
    } else if (line->outcome.kind == OUTCOME_DEFER && !transient) {
        diagnostics_report(reader->diagnostics, DIAG_DEFER_FOR_EVER, place,
                           message_make(MSG_DEFER_IS_HOLD, NULL));
    }
}

/* [CAUSE,…] [up to LEVEL], one of them at least: a line without both would be the last one. */
static gboolean read_conditions(struct reader *reader, struct reading *reading, struct undecidable_line *line,
                                gboolean *has_level)
{
    guint first = reader->next;

    if (!read_causes(reader, &line->causes))
        return FALSE;
    *has_level = reader_at(reader, KW_UP_TO);
    if (!read_up_to(reader, reading, line))
        return FALSE;
    if (reader->next > first)
        return TRUE;
    reader_expected(reader, MSG_AN_UNDECIDABLE_LINE, NULL);
    return FALSE;
}

static void read_line(struct reader *reader, struct reading *reading, gboolean last)
{
    struct undecidable_line *line = policy_add_undecidable(reading->policy);
    gboolean has_level = FALSE;
    struct span place;

    if (!last && !read_conditions(reader, reading, line, &has_level))
        return;
    if (value_outcome(reading, reader, ALLOW_DEFER | ALLOW_DELIVER, &line->outcome, &place) &&
        value_end(reader))
        check_line(reader, line, has_level, place);
}

static void report_behind(struct reader *reader, const struct statement *otherwise, gboolean last)
{
    struct span span = reader->statement->span;

    if (last) {
        diagnostic_note(reader_fail(reader, DIAG_DUPLICATE, span,
                                    message_make(MSG_DUPLICATE, keyword_english(KW_OTHERWISE), NULL)),
                        otherwise->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    } else {
        diagnostic_note(reader_fail(reader, DIAG_UNREACHABLE, span, message_make(MSG_LINE_UNREACHABLE, NULL)),
                        otherwise->span, message_make(MSG_LINE_TAKES_ALL, NULL));
    }
}

static void read_lines(const struct block *block, struct reading *reading)
{
    const struct statement *otherwise = NULL;

    for (guint i = 0; i < block->statements->len; i++) {
        const struct statement *statement = block_statement(block, i);
        struct reader reader = reader_start(statement, reading->diagnostics);
        gboolean last = reader_keyword(&reader, KW_OTHERWISE);
        if (otherwise != NULL)
            report_behind(&reader, otherwise, last);
        else
            read_line(&reader, reading, last);
        if (last && otherwise == NULL)
            otherwise = statement;
    }
    if (otherwise != NULL)
        return;
    struct diagnostic *diagnostic = diagnostics_report(reading->diagnostics, DIAG_NO_OTHERWISE, block->close,
                                                       message_make(MSG_NO_OTHERWISE, NULL));
    diagnostic_help(diagnostic, message_make(MSG_NO_OTHERWISE_HELP, NULL));
}

void read_undecidable(struct reader *reader, struct reading *reading)
{
    if (!reader_end(reader) || !reader_need_block(reader))
        return;
    g_ptr_array_set_size(reading->policy->undecidable, 0);
    read_lines(reader->statement->block, reading);
}
