/* The simple statements whose work comes with a later release: read with all checks of their form, then
 * [not-available-yet]. */
#include "milter/conf/statement.h"

#include <string.h>

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
    read_and_refuse(reader, reading, ALLOW_HOLD | ALLOW_RECORD);
}

void later_outcome(struct reader *reader, struct reading *reading)
{
    read_and_refuse(reader, reading, ALLOW_HOLD | ALLOW_RECORD | ALLOW_DEFER | ALLOW_DELIVER);
}

void later_release_doubt(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);

    if (!reader_keyword(reader, KW_ASK) && !reader_keyword(reader, KW_RESEND))
        reader_expected(reader, MSG_ASK_OR_RESEND, NULL);
    value_end_not_yet(reader, name, MSG_NONE);
}

/* A password in a configuration is read by everybody who may read the configuration. */
static gboolean has_password(const char *url)
{
    g_autofree char *password = NULL;

    return g_uri_split_with_user(url, G_URI_FLAGS_HAS_PASSWORD, NULL, NULL, &password, NULL, NULL, NULL, NULL,
                                 NULL, NULL, NULL) &&
           password != NULL;
}

void later_store(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);
    const struct item *item = reader_text(reader, MSG_A_STORE);

    if (item == NULL)
        return;
    if (strcmp(item->text, "sqlite") != 0 && !g_str_has_prefix(item->text, "postgresql:"))
        reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_NOT_A_STORE, item->text, NULL));
    else if (has_password(item->text))
        reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_STORE_PASSWORD, NULL));
    else
        value_end_not_yet(reader, name, MSG_NONE);
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

/* role administrator|officer|auditor TEXT,… | members of TEXT */
void later_role(struct reader *reader, struct reading *reading)
{
    static const enum keyword roles[] = {KW_ADMINISTRATOR, KW_OFFICER, KW_AUDITOR, KW_COUNT};
    struct span name = value_taken(reader);

    if (reader_one_of(reader, roles) == KW_COUNT)
        reader_expected(reader, MSG_A_ROLE, NULL);
    if (reader_keyword(reader, KW_MEMBERS_OF)) {
        reader_text(reader, MSG_A_GROUP_OF_PEOPLE);
    } else {
        do {
            if (reader_text(reader, MSG_A_PERSON) == NULL)
                return;
        } while (reader_comma(reader));
    }
    value_end_not_yet(reader, name, MSG_NONE);
}
