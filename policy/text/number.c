#include "policy/text/reader.h"

#include "policy/text/character.h"
#include "policy/text/limits.h"

#include <string.h>

/* More digits than any limit of ours has. */
#define MAX_DIGITS 12
#define MAX_YEARS 1000
#define MAX_GIGABYTES (1024 * 1024)

static const struct {
    const char *name, *chinese;
    gint64 seconds;
} times[] = {
    {"s", "秒", 1},         {"m", "分钟", 60},          {"h", "小时", 3600},
    {"d", "天", 24 * 3600}, {"w", "周", 7 * 24 * 3600}, {"y", "年", G_GINT64_CONSTANT(365) * 24 * 3600},
};

static const struct {
    const char *name;
    guint64 bytes;
} sizes[] = {
    {"KB", 1024},
    {"MB", 1024 * 1024},
    {"GB", 1024 * 1024 * 1024},
};

/* A number as it stands in a word. */
struct quantity {
    gint64 number; /* -1: too many digits */
    struct span span;
    char *digits;
    const char *unit; /* behind the digits, or the next word; "" */
    struct span unit_span;
    guint items; /* that it takes: 1, or 2 when the unit stands apart */
};

static int find_time(const char *unit)
{
    for (guint n = 0; n < G_N_ELEMENTS(times); n++)
        if (strcmp(unit, times[n].name) == 0 || strcmp(unit, times[n].chinese) == 0)
            return (int)n;
    return -1;
}

static int find_size(const char *unit)
{
    for (guint n = 0; n < G_N_ELEMENTS(sizes); n++)
        if (g_ascii_strcasecmp(unit, sizes[n].name) == 0)
            return (int)n;
    return -1;
}

static gboolean is_unit(const char *word)
{
    return find_time(word) >= 0 || find_size(word) >= 0;
}

/* The number that begins at the present item; FALSE if there is none. Clear digits. */
static gboolean quantity_look(const struct reader *reader, struct quantity *quantity)
{
    const struct item *item = reader_peek(reader);

    *quantity = (struct quantity){.unit = "", .items = 1};
    if (item == NULL || item->kind != ITEM_WORD || !g_ascii_isdigit(item->text[0]))
        return FALSE;
    gsize length = strspn(item->text, "0123456789");
    quantity->digits = g_strndup(item->text, length);
    quantity->number = length <= MAX_DIGITS ? g_ascii_strtoll(quantity->digits, NULL, 10) : -1;
    quantity->span = item->span;
    quantity->unit = item->text + length;
    quantity->unit_span = item->span;
    if (quantity->unit[0] != '\0')
        return TRUE;
    guint next = reader->next + 1;
    if (next < reader->statement->items->len) {
        const struct item *unit = statement_item(reader->statement, next);
        if (unit->kind == ITEM_WORD && is_unit(unit->text)) {
            quantity->unit = unit->text;
            quantity->unit_span = unit->span;
            quantity->items = 2;
        }
    }
    return TRUE;
}

static void fail_range(struct reader *reader, const struct quantity *quantity, enum message_id message)
{
    g_autofree char *shorter = character_shorten(quantity->digits, DIAGNOSTIC_MAX_ARG);
    g_autofree char *written = g_strconcat(shorter, quantity->unit, NULL);

    reader_fail(reader, DIAG_RANGE, quantity->span, message_make(message, written, NULL));
}

/* The unit is missing, or none that is known. */
static void fail_unit(struct reader *reader, const struct quantity *quantity, gboolean is_time)
{
    g_autofree char *digits = character_shorten(quantity->digits, DIAGNOSTIC_MAX_ARG);
    g_autofree char *unit = character_shorten(quantity->unit, DIAGNOSTIC_MAX_ARG);

    if (unit[0] == '\0')
        diagnostic_help(reader_fail(reader, DIAG_UNIT, quantity->span,
                                    message_make(is_time ? MSG_UNIT_TIME : MSG_UNIT_SIZE, digits, NULL)),
                        message_make(is_time ? MSG_UNIT_TIME_HELP : MSG_UNIT_SIZE_HELP, digits, NULL));
    else
        diagnostic_help(
            reader_fail(reader, DIAG_UNIT, quantity->unit_span,
                        message_make(is_time ? MSG_UNIT_UNKNOWN_TIME : MSG_UNIT_UNKNOWN_SIZE, unit, NULL)),
            message_make(is_time ? MSG_UNITS_TIME : MSG_UNITS_SIZE, NULL));
}

/* Takes a number and the unit behind it, as an index into times; -1 when it was reported. */
static int take_time(struct reader *reader, struct quantity *quantity)
{
    if (!quantity_look(reader, quantity)) {
        reader_expected(reader, MSG_A_TIME, NULL);
        return -1;
    }
    int unit = find_time(quantity->unit);
    if (unit < 0)
        fail_unit(reader, quantity, TRUE);
    else if (quantity->number < 0 ||
             quantity->number > MAX_YEARS * times[G_N_ELEMENTS(times) - 1].seconds / times[unit].seconds)
        fail_range(reader, quantity, MSG_RANGE_TIME);
    if (reader->broken)
        return -1;
    reader->next += quantity->items;
    return unit;
}

gboolean reader_time(struct reader *reader, gint64 *seconds)
{
    struct quantity quantity;
    int unit = take_time(reader, &quantity);

    if (unit >= 0)
        *seconds = quantity.number * times[unit].seconds;
    g_free(quantity.digits);
    return unit >= 0;
}

gboolean reader_term(struct reader *reader, guint *number, char *unit)
{
    struct quantity quantity;
    int found = take_time(reader, &quantity);

    if (found >= 0 && quantity.number > G_MAXINT32) { /* a thousand years in seconds */
        fail_range(reader, &quantity, MSG_RANGE_TIME);
        found = -1;
    }
    if (found >= 0) {
        *number = (guint)quantity.number;
        *unit = times[found].name[0];
    }
    g_free(quantity.digits);
    return found >= 0;
}

gboolean reader_size(struct reader *reader, guint64 *bytes)
{
    struct quantity quantity;
    int unit = -1;

    if (!quantity_look(reader, &quantity)) {
        reader_expected(reader, MSG_A_SIZE, NULL);
        return FALSE;
    }
    unit = find_size(quantity.unit);
    if (unit < 0) {
        fail_unit(reader, &quantity, FALSE);
    } else if (quantity.number < 0 ||
               (guint64)quantity.number > MAX_GIGABYTES * (sizes[2].bytes / sizes[unit].bytes)) {
        fail_range(reader, &quantity, MSG_RANGE_SIZE);
    } else {
        *bytes = (guint64)quantity.number * sizes[unit].bytes;
        reader->next += quantity.items;
    }
    g_free(quantity.digits);
    return !reader->broken;
}

gboolean reader_number(struct reader *reader, guint minimum, guint maximum, guint *number)
{
    const struct item *item = reader_peek(reader);
    gsize digits = item != NULL && item->kind == ITEM_WORD ? strspn(item->text, "0123456789") : 0;

    if (digits == 0 || item->text[digits] != '\0') {
        reader_expected(reader, MSG_A_NUMBER, NULL);
        return FALSE;
    }
    guint64 value = digits <= MAX_DIGITS ? g_ascii_strtoull(item->text, NULL, 10) : G_MAXUINT64;
    if (value < minimum || value > maximum) {
        g_autofree char *shorter = character_shorten(item->text, DIAGNOSTIC_MAX_ARG);
        g_autofree char *from = g_strdup_printf("%u", minimum), *to = g_strdup_printf("%u", maximum);
        reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_RANGE_NUMBER, shorter, from, to, NULL));
        return FALSE;
    }
    *number = (guint)value;
    reader->next++;
    return TRUE;
}

/* "2026-12-31": FALSE for every other shape. */
static gboolean date_split(const char *text, guint *year, guint *month, guint *day)
{
    static const char shape[] = "dddd-dd-dd";

    if (strlen(text) != strlen(shape))
        return FALSE;
    for (guint n = 0; shape[n] != '\0'; n++)
        if (shape[n] == 'd' ? !g_ascii_isdigit(text[n]) : text[n] != shape[n])
            return FALSE;
    *year = (guint)g_ascii_strtoull(text, NULL, 10);
    *month = (guint)g_ascii_strtoull(text + 5, NULL, 10);
    *day = (guint)g_ascii_strtoull(text + 8, NULL, 10);
    return TRUE;
}

gboolean reader_date(struct reader *reader, guint *date)
{
    const struct item *item = reader_peek(reader);
    guint year, month, day;

    if (item == NULL || item->kind != ITEM_WORD || !g_ascii_isdigit(item->text[0])) {
        reader_expected(reader, MSG_A_DATE, NULL);
        return FALSE;
    }
    g_autofree char *shorter = character_shorten(item->text, DIAGNOSTIC_MAX_ARG);
    if (!date_split(item->text, &year, &month, &day)) {
        diagnostic_help(
            reader_fail(reader, DIAG_DATE, item->span, message_make(MSG_DATE_SHAPE, shorter, NULL)),
            message_make(MSG_DATE_SHAPE_HELP, NULL));
        return FALSE;
    }
    if (year == 0 || !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
        reader_fail(reader, DIAG_DATE, item->span, message_make(MSG_DATE_NO_SUCH_DAY, shorter, NULL));
        return FALSE;
    }
    *date = year * 10000 + month * 100 + day;
    reader->next++;
    return TRUE;
}
