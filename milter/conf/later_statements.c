/* The simple statements whose work comes with a later release: read with all checks of their form, then
 * [not-available-yet]. */
#include "milter/conf/statement.h"

#include "milter/conf/limits.h"
#include "milter/conf/value.h"

void later_text(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);

    if (reader_text(reader, MSG_A_TEXT) != NULL)
        value_end_not_yet(reader, name, MSG_NONE);
}

void later_time(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);
    gint64 milliseconds;

    if (value_time(reader, 1, KEEP_MAX_S, &milliseconds))
        value_end_not_yet(reader, name, MSG_NONE);
}

void later_level(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);
    const struct scheme *scheme;
    const struct level *level;

    if (value_level(reading, reader, &scheme, &level))
        value_end_not_yet(reader, name, MSG_NONE);
}

static void read_and_refuse(struct reader *reader, struct reading *reading, guint allowed)
{
    struct span name = value_taken(reader);
    struct outcome outcome = {.kind = OUTCOME_UNSET};

    if (value_outcome(reading, reader, allowed, &outcome, NULL))
        value_end_not_yet(reader, name, MSG_NONE);
    outcome_clear(&outcome);
}

void later_stop(struct reader *reader, struct reading *reading)
{
    read_and_refuse(reader, reading, ALLOW_RECORD);
}

void later_outcome(struct reader *reader, struct reading *reading)
{
    read_and_refuse(reader, reading, ALLOW_RECORD | ALLOW_DEFER | ALLOW_DELIVER);
}

/* rules TEXT,… [approvals N] */
void later_rules(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);
    guint approvals;

    do {
        if (reader_text(reader, MSG_A_FILE) == NULL)
            return;
    } while (reader_comma(reader));
    if (reader_keyword(reader, KW_APPROVALS) && !reader_number(reader, 1, APPROVALS_MAX, &approvals))
        return;
    value_end_not_yet(reader, name, MSG_NONE);
}

/* hook TEXT command TEXT */
void later_hook(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);

    if (reader_name(reader, MSG_A_NAME) == NULL || !reader_need(reader, KW_COMMAND) ||
        reader_text(reader, MSG_A_FILE) == NULL)
        return;
    value_end_not_yet(reader, name, MSG_NONE);
}
