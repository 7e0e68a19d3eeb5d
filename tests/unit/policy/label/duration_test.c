#include "policy/label/duration.h"
#include "tests/support/scheme_text.h"

#include <string.h>

#define YEAR SECONDS_PER_YEAR

/* The whole of `text` but `rest` is read, as this kind, and shown like that. */
static void reads(const char *text, const char *rest, enum duration_kind kind, const char *shown)
{
    struct duration duration = {.kind = DURATION_NONE};
    gsize used = duration_read(text, strlen(text), &duration);
    g_autofree char *chinese = duration_format(&duration, LANGUAGE_ZH);
    g_assert_cmpstr(text + used, ==, rest);
    g_assert_cmpint(duration.kind, ==, kind);
    g_assert_cmpstr(chinese, ==, shown);
    g_assert_cmpstr(duration.text, ==, shown);
    duration_clear(&duration);
    g_assert_null(duration.text);
}

static void reads_nothing(const char *text)
{
    struct duration duration = {.kind = DURATION_FOREVER};
    g_assert_cmpuint(duration_read(text, strlen(text), &duration), ==, 0);
    g_assert_cmpint(duration.kind, ==, DURATION_FOREVER); /* untouched */
}

static void test_terms(void)
{
    reads("10年", "", DURATION_TERM, "10年");
    reads("10 年 方案", " 方案", DURATION_TERM, "10年");
    reads("6个月", "", DURATION_TERM, "6个月");
    reads("12个月", "", DURATION_TERM, "1年");
    reads("30天", "", DURATION_TERM, "30天");
    reads("10y", "", DURATION_TERM, "10年");
    reads("(30年)", "", DURATION_TERM, "30年");
    reads("( 30年 )x", "x", DURATION_TERM, "30年");
    reads("十年", "", DURATION_TERM, "10年");
    reads("十五年", "", DURATION_TERM, "15年");
    reads("二十年", "", DURATION_TERM, "20年");
    reads("二十五年", "", DURATION_TERM, "25年");
    reads("三年", "", DURATION_TERM, "3年");
    reads("两年", "", DURATION_TERM, "2年");
    reads("一百零五年", "", DURATION_TERM, "105年");
    reads("百年", "", DURATION_TERM, "100年");
    reads("9999年", "", DURATION_TERM, "9999年");
    reads_nothing("10");
    reads_nothing("0年");
    reads_nothing("10yes");
    reads_nothing("12345年");
    reads_nothing("(30年");
    reads_nothing("年");
    reads_nothing("");
}

static void test_ends(void)
{
    reads("长期", "", DURATION_FOREVER, "长期");
    reads("永久保存", "保存", DURATION_FOREVER, "长期");
    reads("启封前", "", DURATION_EVENT, "启封前");
    reads("会议开始前。", "。", DURATION_EVENT, "会议开始前");
    reads("公布后解密", "解密", DURATION_EVENT, "公布后");
    reads_nothing("前");
    reads_nothing("关于会议的通知");
    reads_nothing("会议 开始前");
    reads_nothing("一二三四五六七八九十一二三四五六七八九十一前"); /* longer than a condition may be */
}

static void test_dates(void)
{
    reads("2030-12-31", "", DURATION_UNTIL, "2030-12-31");
    reads("2030.1.5", "", DURATION_UNTIL, "2030-01-05");
    reads("2030/02/28后", "后", DURATION_UNTIL, "2030-02-28");
    reads("2030年12月31日", "", DURATION_UNTIL, "2030-12-31");
    reads("2028年2月", "", DURATION_UNTIL, "2028-02-29");
    reads("2030年", "", DURATION_UNTIL, "2030-12-31");
    reads("2030年12月31号前", "前", DURATION_UNTIL, "2030-12-31");
    reads_nothing("2030-02-30");
    reads_nothing("2030-13-01");
    reads_nothing("2030-12/31");
    reads_nothing("2030-12");
    reads_nothing("2030年13月"); /* and a term of 2030 years it is not */
}

/* A date includes its day: it ends with the next midnight, in the zone of the host. */
static void test_day_is_included(void)
{
    struct duration duration = {.kind = DURATION_NONE};
    g_assert_cmpuint(duration_read("2026-12-31", 10, &duration), ==, 10);
    g_autoptr(GDateTime) midnight = g_date_time_new_local(2027, 1, 1, 0, 0, 0);
    g_assert_cmpint(duration.until, ==, g_date_time_to_unix(midnight));
    duration_clear(&duration);
}

static void test_english(void)
{
    static const struct {
        gint64 seconds;
        const char *shown;
    } terms[] = {{YEAR, "1 year"},
                 {10 * YEAR, "10 years"},
                 {SECONDS_PER_MONTH, "1 month"},
                 {7 * SECONDS_PER_MONTH, "7 months"},
                 {SECONDS_PER_DAY, "1 day"},
                 {9 * SECONDS_PER_DAY, "9 days"}};
    for (guint i = 0; i < G_N_ELEMENTS(terms); i++) {
        const struct duration duration = {.kind = DURATION_TERM, .term_seconds = terms[i].seconds};
        g_autofree char *shown = duration_format(&duration, LANGUAGE_EN);
        g_assert_cmpstr(shown, ==, terms[i].shown);
    }
    const struct duration forever = {.kind = DURATION_FOREVER}, none = {.kind = DURATION_NONE};
    g_autofree char *shown = duration_format(&forever, LANGUAGE_EN);
    g_assert_cmpstr(shown, ==, "no limit");
    g_assert_null(duration_format(&none, LANGUAGE_EN));
}

static void test_default(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, "scheme \"x\"\nlevel A rank 0\nlevel B rank 1 lasts 20y\nlevel C rank 2 lasts "
                               "no limit\nduration default 5y\n");
    static const struct {
        const char *level, *shown;
    } levels[] = {{"A", "5年"}, {"B", "20年"}, {"C", "长期"}};
    for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
        struct duration duration =
            duration_default(schemes_home(schemes), level_called(schemes, levels[i].level));
        g_assert_true(duration.is_default);
        g_assert_cmpstr(duration.text, ==, levels[i].shown);
        duration_clear(&duration);
    }
    g_autoptr(schemes) cn = schemes_cn();
    struct duration none = duration_default(schemes_home(cn), level_called(cn, "公开"));
    g_assert_cmpint(none.kind, ==, DURATION_NONE);
    g_assert_null(none.text);
}

/* semantics.md 2.6: the latest end; what does not tell its end ends latest. */
static void test_later(void)
{
    const struct duration rising[] = {
        {.kind = DURATION_UNTIL, .until = 5},
        {.kind = DURATION_UNTIL, .until = 6},
        {.kind = DURATION_TERM, .term_seconds = 1},
        {.kind = DURATION_TERM, .term_seconds = 2},
        {.kind = DURATION_EVENT},
        {.kind = DURATION_FOREVER},
        {.kind = DURATION_NONE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rising); i++) {
        for (guint j = 0; j < G_N_ELEMENTS(rising); j++)
            g_assert_true(duration_later(&rising[i], &rising[j]) == &rising[MAX(i, j)]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/duration/terms", test_terms);
    g_test_add_func("/duration/ends", test_ends);
    g_test_add_func("/duration/dates", test_dates);
    g_test_add_func("/duration/day-is-included", test_day_is_included);
    g_test_add_func("/duration/english", test_english);
    g_test_add_func("/duration/default", test_default);
    g_test_add_func("/duration/later", test_later);
    return g_test_run();
}
