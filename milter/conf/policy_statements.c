/* The statements about who a sender is and what is to happen. */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/limits.h"
#include "milter/conf/value.h"

void read_sender_is(struct reader *reader, struct reading *reading)
{
    static const enum keyword ways[] = {KW_LOGIN, KW_CLIENT_CERTIFICATE, KW_COUNT};
    struct policy *policy = reading->policy;

    policy->login_counts = policy->certificate_counts = FALSE;
    do {
        guint first = reader->next;
        enum keyword way = reader_one_of(reader, ways);
        gboolean *counts = way == KW_LOGIN ? &policy->login_counts : &policy->certificate_counts;
        if (way == KW_COUNT) {
            reader_expected(reader, MSG_A_WAY_TO_KNOW, NULL);
            return;
        }
        if (*counts) {
            const struct item *item = statement_item(reader->statement, first);
            reader_fail(reader, DIAG_DUPLICATE, item->span,
                        message_make(MSG_DUPLICATE, keyword_english(way), NULL));
            return;
        }
        *counts = TRUE;
        policy->certificate_first |= way == KW_CLIENT_CERTIFICATE && !policy->login_counts;
    } while (reader_comma(reader));
    value_end(reader);
}

void read_device(struct reader *reader, struct reading *reading)
{
    struct device *device = g_new0(struct device, 1);

    g_ptr_array_add(reading->policy->devices, device);
    if (!reader_keyword(reader, KW_ANY))
        device->address = value_address(reader);
    if (!reader_need(reader, KW_AT) || !value_network(reader, &device->network))
        return;
    if (reader_keyword(reader, KW_UP_TO) && !value_level(reading, reader, &device->scheme, &device->level))
        return;
    value_end(reader);
}

void read_recipient_delimiter(struct reader *reader, struct reading *reading)
{
    const struct item *item = reader_text(reader, MSG_A_DELIMITER);

    if (item == NULL || !value_end(reader))
        return;
    if (item->text[0] == '\0' || strpbrk(item->text, "@ \t\n") != NULL || !g_str_is_ascii(item->text))
        reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_NOT_A_DELIMITER, item->text, NULL));
    else
        value_set(&reading->policy->recipient_delimiter, g_strdup(item->text));
}

/* What concerns the message itself: asking again later changes nothing. */
static void read_certain(struct reader *reader, struct reading *reading, guint allowed,
                         struct outcome *outcome)
{
    struct span place;

    if (!value_outcome(reading, reader, allowed, outcome, &place) || !value_end(reader))
        return;
    value_warn_defer(reader, outcome, place);
}

void read_forged_envelope(struct reader *reader, struct reading *reading)
{
    read_certain(reader, reading, ALLOW_RECORD | ALLOW_DEFER | ALLOW_DELIVER,
                 &reading->policy->forged_envelope);
}

void read_forged_from(struct reader *reader, struct reading *reading)
{
    read_certain(reader, reading, ALLOW_RECORD | ALLOW_DEFER | ALLOW_DELIVER, &reading->policy->forged_from);
}

void read_label_conflict(struct reader *reader, struct reading *reading)
{
    read_certain(reader, reading, ALLOW_RECORD, &reading->policy->label_conflict);
}

void read_sender_not_cleared(struct reader *reader, struct reading *reading)
{
    read_certain(reader, reading, ALLOW_DEFER, &reading->policy->sender_not_cleared);
}

void read_recipient_not_cleared(struct reader *reader, struct reading *reading)
{
    read_certain(reader, reading, ALLOW_DEFER, &reading->policy->recipient_not_cleared);
}

static void read_from_inside(struct reader *reader, gpointer reading)
{
    struct outcome *outcome = &((struct reading *)reading)->policy->unlabelled_inside;

    read_certain(reader, reading, ALLOW_DEFER | ALLOW_DELIVER | ALLOW_TREAT_AS, outcome);
}

static void read_from_outside(struct reader *reader, gpointer reading)
{
    struct outcome *outcome = &((struct reading *)reading)->policy->unlabelled_outside;

    read_certain(reader, reading, ALLOW_DEFER | ALLOW_DELIVER | ALLOW_TREAT_AS, outcome);
}

void read_unlabelled(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_UNLABELLED(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};

    if (reader_end(reader) && reader_need_block(reader))
        block_read(reader->statement->block, kinds, MSG_OF_UNLABELLED, reader->diagnostics, reading);
}

void read_some_recipients(struct reader *reader, struct reading *reading)
{
    if (reader_keyword(reader, KW_REFUSE_ALL))
        reading->policy->refuse_all = TRUE;
    else if (!reader_keyword(reader, KW_SPLIT))
        reader_expected(reader, MSG_SPLIT_OR_REFUSE_ALL, NULL);
    value_end(reader);
}

void read_outside_mixed(struct reader *reader, struct reading *reading)
{
    if (reader_keyword(reader, KW_HOLD_REFUSED))
        reading->policy->outside_hold_refused = TRUE;
    else if (!reader_keyword(reader, KW_REFUSE_ALL))
        reader_expected(reader, MSG_REFUSE_ALL_OR_HOLD, NULL);
    value_end(reader);
}

void read_unknown_person(struct reader *reader, struct reading *reading)
{
    struct policy *policy = reading->policy;

    if (value_level(reading, reader, &policy->unknown_person_scheme, &policy->unknown_person))
        value_end(reader);
}

void read_defer_at_most(struct reader *reader, struct reading *reading)
{
    if (value_time(reader, 1, KEEP_MAX_S, &reading->policy->defer_at_most_ms))
        value_end(reader);
}
