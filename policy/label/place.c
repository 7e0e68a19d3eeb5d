/* place: where a claim stands, as a class and in words. */
#include "policy/label/claim.h"

enum place_class place_class(enum place_kind kind)
{
    switch (kind) {
    case PLACE_FIELD:
    case PLACE_SUBJECT:
    case PLACE_LINE:
    case PLACE_MARKER:
    case PLACE_SIGNATURE:
        return PLACE_OWN;
    case PLACE_PART_TEXT:
    case PLACE_PART_FIELD:
    case PLACE_PART_NAME:
    case PLACE_PART_PROPERTY:
        return PLACE_CONTAINED;
    case PLACE_QUOTED:
        return PLACE_IN_QUOTE;
    case PLACE_HISTORY:
        return PLACE_PAST;
    }
    return PLACE_PAST;
}

static enum message_id words_of(enum place_kind kind)
{
    switch (kind) {
    case PLACE_FIELD:
        return MSG_PLACE_FIELD;
    case PLACE_SUBJECT:
        return MSG_PLACE_SUBJECT;
    case PLACE_LINE:
        return MSG_PLACE_LINE;
    case PLACE_MARKER:
        return MSG_PLACE_MARKER;
    case PLACE_SIGNATURE:
        return MSG_PLACE_SIGNATURE;
    case PLACE_PART_TEXT:
        return MSG_PLACE_PART_TEXT;
    case PLACE_PART_FIELD:
        return MSG_PLACE_PART_FIELD;
    case PLACE_PART_NAME:
        return MSG_PLACE_PART_NAME;
    case PLACE_PART_PROPERTY:
        return MSG_PLACE_PART_PROPERTY;
    case PLACE_QUOTED:
        return MSG_PLACE_QUOTED;
    case PLACE_HISTORY:
        return MSG_PLACE_HISTORY;
    }
    return MSG_PLACE_SUBJECT;
}

char *place_format(const struct place *place, enum language language)
{
    g_autofree char *line = g_strdup_printf("%u", place->line);
    g_autofree char *part = g_strdup_printf("%u", place->part);
    const char *args[] = {place->field != NULL ? place->field : "", line, part, NULL};
    return message_fill(message_text(words_of(place->kind), language), args, language);
}
