#include "policy/label/duration.h"

#include <string.h>
#include <time.h>

#include "policy/label/limits.h"

/* Years that are dates rather than terms: 机密★2030年. */
#define FIRST_YEAR 1949
#define LAST_YEAR 2999

struct duration duration_copy(const struct duration *duration)
{
    struct duration copy = *duration;
    copy.text = g_strdup(duration->text);
    return copy;
}

void duration_clear(struct duration *duration)
{
    g_free(duration->text);
    *duration = (struct duration){.kind = DURATION_NONE};
}

/* How late the end is by its kind alone. */
static guint lateness(enum duration_kind kind)
{
    switch (kind) {
    case DURATION_UNTIL:
        return 0;
    case DURATION_TERM:
        return 1;
    case DURATION_EVENT:
        return 2;
    case DURATION_FOREVER:
        return 3;
    case DURATION_NONE:
        return 4;
    }
    return 4;
}

const struct duration *duration_later(const struct duration *a, const struct duration *b)
{
    if (a->kind != b->kind)
        return lateness(a->kind) > lateness(b->kind) ? a : b;
    if (a->kind == DURATION_UNTIL)
        return a->until >= b->until ? a : b;
    return a->term_seconds >= b->term_seconds ? a : b;
}

/* ---------------------------------------------------------------- writing */
static char *format_term(gint64 seconds, enum language language)
{
    enum message_id one = MSG_ONE_DAY, many = MSG_DAYS;
    gint64 count = seconds / SECONDS_PER_DAY;
    if (seconds % SECONDS_PER_YEAR == 0) {
        one = MSG_ONE_YEAR, many = MSG_YEARS;
        count = seconds / SECONDS_PER_YEAR;
    } else if (seconds % SECONDS_PER_MONTH == 0) {
        one = MSG_ONE_MONTH, many = MSG_MONTHS;
        count = seconds / SECONDS_PER_MONTH;
    }
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, count);
    const char *args[] = {number, NULL};
    return message_fill(message_text(count == 1 ? one : many, language), args, language);
}

/* The last day that counts, in the host's time zone. */
static char *format_until(gint64 until)
{
    time_t last = (time_t)(until - 1);
    struct tm day;
    if (localtime_r(&last, &day) == NULL)
        return g_strdup("?");
    return g_strdup_printf("%04d-%02d-%02d", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

char *duration_format(const struct duration *duration, enum language language)
{
    switch (duration->kind) {
    case DURATION_NONE:
        return NULL;
    case DURATION_TERM:
        return format_term(duration->term_seconds, language);
    case DURATION_UNTIL:
        return format_until(duration->until);
    case DURATION_EVENT:
        return g_strdup(duration->text);
    case DURATION_FOREVER:
        return g_strdup(message_text(MSG_NO_END, language));
    }
    return NULL;
}

static struct duration with_text(struct duration duration)
{
    duration.text = duration_format(&duration, LANGUAGE_ZH);
    return duration;
}

struct duration duration_default(const struct scheme *scheme, const struct level *level)
{
    struct duration duration = {.kind = DURATION_NONE, .is_default = TRUE};
    gint64 lasts = level->lasts != 0 ? level->lasts : scheme->duration_default;
    if (lasts < 0) {
        duration.kind = DURATION_FOREVER;
    } else if (lasts > 0) {
        duration.kind = DURATION_TERM;
        duration.term_seconds = lasts;
    }
    return with_text(duration);
}

/* ---------------------------------------------------------------- reading */
struct scanner {
    const char *at, *end;
};

static gboolean take(struct scanner *s, const char *word)
{
    gsize length = strlen(word);
    if ((gsize)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return FALSE;
    s->at += length;
    return TRUE;
}

static void skip_space(struct scanner *s)
{
    if (s->at < s->end && *s->at == ' ')
        s->at++;
}

/* Up to `most` digits; FALSE if there is none or one more. */
static gboolean take_digits(struct scanner *s, guint most, gint *number)
{
    guint count = 0;
    gint value = 0;
    const char *p = s->at;
    for (; p < s->end && g_ascii_isdigit(*p) && count < most; p++, count++)
        value = value * 10 + (*p - '0');
    if (count == 0 || (p < s->end && g_ascii_isdigit(*p)))
        return FALSE;
    s->at = p;
    *number = value;
    return TRUE;
}

/* 一 … 九, 两, 〇: its value; -1 for anything else. */
static gint take_chinese_digit(struct scanner *s)
{
    static const char *const digits[] = {"〇", "一", "二", "三", "四", "五",
                                         "六", "七", "八", "九", "零", "两"};
    static const gint values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 2};
    for (guint i = 0; i < G_N_ELEMENTS(digits); i++)
        if (take(s, digits[i]))
            return values[i];
    return -1;
}

/* 十, 十五, 二十, 二十五, 一百, 三: below 1,000. */
static gboolean take_chinese_number(struct scanner *s, gint *number)
{
    const char *start = s->at;
    gint value = 0;
    gint digit = take_chinese_digit(s);
    if (take(s, "百")) {
        value = (digit < 0 ? 1 : digit) * 100;
        digit = take_chinese_digit(s);
        if (digit == 0)
            digit = take_chinese_digit(s);
    }
    if (take(s, "十")) {
        value += (digit < 0 ? 1 : digit) * 10;
        digit = take_chinese_digit(s);
    }
    *number = value + MAX(digit, 0);
    return s->at > start;
}

/* The moment after a day (month 12 and day 0 of the next stand for "the last"). FALSE if there is no such
 * day. */
static gboolean end_of_day(gint year, gint month, gint day, gint64 *until)
{
    if (!g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
        return FALSE;
    struct tm next = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day + 1, .tm_isdst = -1};
    time_t moment = mktime(&next);
    *until = (gint64)moment;
    return moment != (time_t)-1;
}

/* 2030-12-31, 2030.12.31, 2030/12/31. */
static gboolean take_numeric_date(struct scanner *s, gint year, gint64 *until)
{
    gint month, day;
    if (s->at >= s->end || strchr("-./", *s->at) == NULL)
        return FALSE;
    char mark = *s->at++;
    if (!take_digits(s, 2, &month) || s->at >= s->end || *s->at != mark)
        return FALSE;
    s->at++;
    return take_digits(s, 2, &day) && month <= 12 && day <= 31 && end_of_day(year, month, day, until);
}

/* 2030年, 2030年12月, 2030年12月31日. */
static gboolean take_chinese_date(struct scanner *s, gint year, gint64 *until)
{
    gint month = 12, day = 0, number;
    if (!take(s, "年"))
        return FALSE;
    struct scanner part = *s;
    if (take_digits(&part, 2, &number) && take(&part, "月")) {
        month = number;
        *s = part;
        if (take_digits(&part, 2, &number) && (take(&part, "日") || take(&part, "号"))) {
            day = number;
            *s = part;
        }
    }
    if (month < 1 || month > 12)
        return FALSE;
    if (day == 0)
        day = g_date_get_days_in_month((GDateMonth)month, (GDateYear)year);
    return end_of_day(year, month, day, until);
}

static gboolean take_date(struct scanner *s, struct duration *out)
{
    struct scanner date = *s;
    gint year;
    if (!take_digits(&date, 4, &year) || year < FIRST_YEAR || year > LAST_YEAR)
        return FALSE;
    struct scanner other = date;
    if (!take_numeric_date(&date, year, &out->until)) {
        date = other;
        if (!take_chinese_date(&date, year, &out->until))
            return FALSE;
    }
    out->kind = DURATION_UNTIL;
    *s = date;
    return TRUE;
}

static gboolean take_term(struct scanner *s, struct duration *out)
{
    static const struct {
        const char *unit;
        gint64 seconds;
    } units[] = {
        {"年", SECONDS_PER_YEAR}, {"个月", SECONDS_PER_MONTH}, {"月", SECONDS_PER_MONTH},
        {"天", SECONDS_PER_DAY},  {"日", SECONDS_PER_DAY},
    };
    struct scanner term = *s;
    gint number;
    if (!take_digits(&term, 4, &number) && !take_chinese_number(&term, &number))
        return FALSE;
    skip_space(&term);
    gint64 unit = 0;
    for (guint i = 0; i < G_N_ELEMENTS(units) && unit == 0; i++)
        if (take(&term, units[i].unit))
            unit = units[i].seconds;
    if (unit == 0 && take(&term, "y") && !(term.at < term.end && g_ascii_isalnum(*term.at)))
        unit = SECONDS_PER_YEAR;
    gboolean is_date = unit == SECONDS_PER_YEAR && number >= FIRST_YEAR && number <= LAST_YEAR;
    if (unit == 0 || number == 0 || is_date)
        return FALSE;
    out->kind = DURATION_TERM;
    out->term_seconds = number * unit;
    *s = term;
    return TRUE;
}

/* 启封前, 会议开始前, 公布后: letters up to the first 前 or 后. */
static gboolean take_event(struct scanner *s, struct duration *out)
{
    const char *p = s->at;
    for (guint count = 0; count < EVENT_MAX_CHARACTERS && p < s->end; count++) {
        gunichar c = g_utf8_get_char(p);
        if (!g_unichar_isalnum(c))
            return FALSE;
        p = g_utf8_next_char(p);
        if (count > 0 && (c == 0x524D || c == 0x540E)) { /* 前 后 */
            out->kind = DURATION_EVENT;
            out->text = g_strndup(s->at, (gsize)(p - s->at));
            s->at = p;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean take_any(struct scanner *s, struct duration *out)
{
    if (take(s, "长期") || take(s, "永久")) {
        out->kind = DURATION_FOREVER;
        return TRUE;
    }
    return take_date(s, out) || take_term(s, out) || take_event(s, out);
}

gsize duration_read(const char *text, gsize length, struct duration *out)
{
    struct scanner s = {text, text + length};
    struct duration found = {.kind = DURATION_NONE};
    gboolean in_parens = take(&s, "(");
    skip_space(&s);
    if (!take_any(&s, &found))
        return 0;
    struct scanner behind = s;
    skip_space(&behind);
    if (in_parens && !take(&behind, ")")) {
        duration_clear(&found);
        return 0;
    }
    if (found.text == NULL)
        found = with_text(found);
    *out = found;
    return (gsize)((in_parens ? behind.at : s.at) - text);
}
