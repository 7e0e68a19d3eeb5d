#include "milter/conf/value.h"

#include <string.h>

#include "policy/text/place.h"

static gboolean known_name(struct reader *reader, GHashTable *names, const struct item *item,
                           enum diagnostic_id id, enum message_id message)
{
    if (item == NULL)
        return FALSE;
    if (g_hash_table_contains(names, item->text))
        return TRUE;
    value_suggest(reader_fail(reader, id, item->span, message_make(message, item->text, NULL)), item->text,
                  names);
    return FALSE;
}

const struct item *value_queue(const struct reading *reading, struct reader *reader)
{
    const struct item *item = reader_name(reader, MSG_A_QUEUE);

    return known_name(reader, reading->queues, item, DIAG_UNKNOWN_QUEUE, MSG_UNKNOWN_QUEUE) ? item : NULL;
}

static gboolean refusal_text(struct reader *reader, struct outcome *outcome)
{
    const struct item *item = reader_peek(reader);

    if (item == NULL || item->kind != ITEM_TEXT)
        return TRUE;
    reader_take(reader);
    if (!place_check(item, reader->diagnostics)) {
        reader->broken = TRUE;
        return FALSE;
    }
    outcome->text = g_strdup(item->text);
    return TRUE;
}

/* The words that are possible here, for "expected …". */
static enum message_id wanted(guint allowed)
{
    if (allowed & ALLOW_TREAT_AS)
        return MSG_AN_ANSWER;
    if (allowed & ALLOW_RECORD)
        return allowed & ALLOW_DEFER ? MSG_AN_OUTCOME_OR_RECORD : MSG_A_STOP_OR_RECORD;
    return allowed & ALLOW_DEFER ? MSG_AN_OUTCOME : MSG_A_STOP;
}

static gboolean hold(const struct reading *reading, struct reader *reader, struct outcome *outcome)
{
    const struct item *queue = value_queue(reading, reader);

    if (queue == NULL)
        return FALSE;
    outcome->kind = OUTCOME_HOLD;
    outcome->queue = g_strdup(queue->text);
    return TRUE;
}

static gboolean not_allowed(struct reader *reader, enum keyword word, guint first, guint allowed)
{
    if (word == KW_DELIVER) {
        reader_fail(reader, DIAG_OPEN_DOOR, value_since(reader, first),
                    message_make(MSG_NEVER_DELIVERED, NULL));
        return FALSE;
    }
    reader->next = first;
    reader_expected(reader, wanted(allowed), NULL);
    return FALSE;
}

gboolean value_outcome(const struct reading *reading, struct reader *reader, guint allowed,
                       struct outcome *outcome, struct span *place)
{
    static const enum keyword words[] = {KW_REFUSE,   KW_HOLD_IN, KW_DEFER, KW_DELIVER,
                                         KW_TREAT_AS, KW_RECORD,  KW_COUNT};
    static const struct {
        enum keyword word;
        guint needs;
        enum outcome_kind kind;
    } simple[] = {{KW_DEFER, ALLOW_DEFER, OUTCOME_DEFER},
                  {KW_DELIVER, ALLOW_DELIVER, OUTCOME_DELIVER},
                  {KW_TREAT_AS, ALLOW_TREAT_AS, OUTCOME_TREAT_AS},
                  {KW_RECORD, ALLOW_RECORD, OUTCOME_RECORD}};
    guint first = reader->next;
    enum keyword word = reader_one_of(reader, words);

    outcome_clear(outcome);
    if (word == KW_COUNT) {
        reader_expected(reader, wanted(allowed), NULL);
        return FALSE;
    }
    if (place != NULL)
        *place = value_since(reader, first);
    if (word == KW_HOLD_IN)
        return hold(reading, reader, outcome);
    outcome->kind = OUTCOME_REFUSE;
    for (guint i = 0; i < G_N_ELEMENTS(simple); i++) {
        if (word != simple[i].word)
            continue;
        if (!(allowed & simple[i].needs))
            return not_allowed(reader, word, first, allowed);
        outcome->kind = simple[i].kind;
    }
    if (outcome->kind == OUTCOME_REFUSE)
        return refusal_text(reader, outcome);
    return outcome->kind != OUTCOME_TREAT_AS ||
           value_level(reading, reader, &outcome->scheme, &outcome->level);
}

void value_warn_defer(struct reader *reader, const struct outcome *outcome, struct span place)
{
    if (outcome->kind == OUTCOME_DEFER && !reader->broken)
        diagnostics_report(reader->diagnostics, DIAG_DEFER_FOR_EVER, place,
                           message_make(MSG_DEFER_FOR_EVER, NULL));
}
