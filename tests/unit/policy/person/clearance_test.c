#include "policy/person/clearance.h"

#include <string.h>

#include "policy/person/limits.h"
#include "tests/support/schemes.h"

static struct schemes *schemes;
static GTimeZone *shanghai;

static struct clearance *parse(const char *text, GError **error)
{
    return clearance_parse(schemes, text, shanghai, error);
}

static gint64 at(const char *iso)
{
    g_autoptr(GDateTime) moment = g_date_time_new_from_iso8601(iso, shanghai);

    return g_date_time_to_unix(moment);
}

static void test_read(void)
{
    static const struct {
        const char *text, *label, *from, *until;
        gboolean permanent;
    } cases[] = {
        {"机密", "机密", NULL, NULL, TRUE},
        {"  机密\n", "机密", NULL, NULL, TRUE},
        {"cn/机密", "机密", NULL, NULL, TRUE},
        {"secret", "机密", NULL, NULL, TRUE},
        {"au/SECRET", "au/SECRET", NULL, NULL, TRUE},
        {"\"TOP SECRET\"", "au/TOP SECRET", NULL, NULL, TRUE},
        {"机密 专项 密码", "机密 专项:密码", NULL, NULL, TRUE},
        {"机密 专项 CRYPTO", "机密 专项:密码", NULL, NULL, TRUE},
        {"au/SECRET Handling CODEWORD", "au/SECRET caveat:CODEWORD", NULL, NULL, TRUE},
        {"机密 专项 密码、核", "机密 专项:密码,核", NULL, NULL, TRUE},
        {"机密 专项 密码, \"核\" 知悉范围 一处，二处", "机密 知悉范围:一处,二处 专项:密码,核", NULL, NULL,
         TRUE},
        {"机密 until 2027-06-30", "机密", NULL, "2027-07-01T00:00:00", FALSE},
        {"机密 至 2027-06-30", "机密", NULL, "2027-07-01T00:00:00", FALSE},
        {"机密 自 2026-12-31", "机密", "2026-12-31T00:00:00", NULL, TRUE},
        {"机密 专项 密码 from 2026-01-01 UNTIL 2026-12-31", "机密 专项:密码", "2026-01-01T00:00:00",
         "2027-01-01T00:00:00", FALSE},
        {"机密 自 2026-12-31 至 2026-12-31", "机密", "2026-12-31T00:00:00", "2027-01-01T00:00:00", FALSE},
        {"机密 until ２０２７-０６-３０", "机密", NULL, "2027-07-01T00:00:00", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(clearance) clearance = parse(cases[i].text, &error);

        g_test_message("%s", cases[i].text);
        g_assert_no_error(error);
        if (clearance == NULL)
            continue;
        g_autofree char *label = label_format(clearance->label);
        g_assert_cmpstr(label, ==, cases[i].label);
        g_assert_cmpint(clearance->from, ==, cases[i].from != NULL ? at(cases[i].from) : G_MININT64);
        g_assert_cmpint(clearance->until, ==, cases[i].until != NULL ? at(cases[i].until) : G_MAXINT64);
        g_assert_cmpint(clearance->permanent, ==, cases[i].permanent);
        g_assert_false(clearance->all_categories);
    }
}

static void test_unreadable(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"机秘", "clearance:1:1: error: no scheme has a level 机秘 [unknown-level]"},
        {"", "not one level with its categories and dates, and nothing else"},
        {"机密\n绝密", "not one level with its categories and dates, and nothing else"},
        {"机密;", "not one level with its categories and dates, and nothing else"},
        {"机密 # until 2027-06-30", "not one level with its categories and dates, and nothing else"},
        {"# x\n机密", "not one level with its categories and dates, and nothing else"},
        {"机密 { }", "not one level with its categories and dates, and nothing else"},
        {"机密 专项", "clearance:1:6: error: expected a value of the category set after \"专项\", but found "
                      "the end of the "
                      "line [expected]"},
        {"机密 专项 电", "clearance:1:7: error: 电 is not a value of 专项 [expected]"},
        {"机密 密码", "clearance:1:4: error: scheme cn has no category set 密码 [expected]"},
        {"au/SECRET 专项 密码", "clearance:1:11: error: scheme au has no category set 专项 [expected]"},
        {"机密 until 2027-02-30", "clearance:1:10: error: there is no day 2027-02-30 [date]"},
        {"机密 until", NULL},
        {"机密 until soon", NULL},
        {"机密 至 2027-06-30 自 2026-01-01", NULL},
        {"机密 until 2027-06-30 专项 密码", NULL},
        {"机密 自 2027-01-01 至 2026-12-31",
         "clearance:1:4: error: the clearance ends before it begins [range]"},
        {"机密 专项 密码 核", NULL},
        {"机密 专项 密码、", NULL},
        {"机密 /专项/", NULL},
        {"机\u200b密", NULL},
        {"机密 \"until\" 2027-06-30", NULL}, /* in quotes it is no keyword */
        {"机\xff密", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(clearance) clearance = parse(cases[i].text, &error);

        g_test_message("case %u", i);
        g_assert_null(clearance);
        g_assert_error(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE);
        if (cases[i].why != NULL && error != NULL)
            g_assert_cmpstr(error->message, ==, cases[i].why);
    }
    g_autofree char *zeros = g_strnfill(CLEARANCE_MAX_BYTES, '0');
    g_autofree char *huge = g_strconcat("机密 知悉范围 ", zeros, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(parse(huge, &error));
    g_assert_error(error, CLEARANCE_ERROR, CLEARANCE_ERROR_UNREADABLE);
}

/* ---- the check */

static GPtrArray *clearances(const char *first, ...)
{
    GPtrArray *array = g_ptr_array_new_with_free_func((GDestroyNotify)clearance_free);
    va_list texts;

    va_start(texts, first);
    for (const char *text = first; text != NULL; text = va_arg(texts, const char *)) {
        g_autoptr(GError) error = NULL;
        struct clearance *clearance = parse(text, &error);

        g_assert_no_error(error);
        if (clearance != NULL)
            g_ptr_array_add(array, clearance);
    }
    va_end(texts);
    return array;
}

static const char *const ANSWERS[] = {[CLEARED_YES] = "yes",
                                      [CLEARED_NO] = "no",
                                      [CLEARED_AMBIGUOUS] = "ambiguous",
                                      [CLEARED_UNREADABLE] = "unreadable"};

#define MANY 3
static void test_check(void)
{
    static const struct {
        const char *held[MANY], *level, *value, *answer;
    } cases[] = {
        {{"机密"}, "机密", NULL, "yes"},
        {{"机密"}, "公开", NULL, "yes"},
        {{"机密"}, "绝密", NULL, "no"},
        {{"机密"}, "机密", "专项=密码", "no"},
        {{"机密 专项 密码"}, "机密", "专项=密码", "yes"},
        {{"机密 专项 密码"}, "机密", "专项=核", "no"},
        {{"机密 知悉范围 一处"}, "秘密", "知悉范围=一处", "yes"},
        {{"机密"}, "秘密", "知悉范围=一处", "no"},
        /* Nothing recorded: the lowest level of the home scheme, without categories, and of no other scheme.
         */
        {{NULL}, "公开", NULL, "yes"},
        {{NULL}, "内部", NULL, "no"},
        {{NULL}, "公开", "专项=密码", "no"},
        {{NULL}, "au/OFFICIAL", NULL, "no"},
        {{"机密"}, "au/OFFICIAL", NULL, "no"},
        {{"机密", "au/SECRET"}, "au/SECRET", NULL, "yes"},
        /* In time (now is 2026-06-15): from included, until excluded; a day ends with it. */
        {{"机密 until 2026-06-14"}, "机密", NULL, "no"},
        {{"机密 until 2026-06-15"}, "机密", NULL, "yes"},
        {{"机密 from 2026-06-16"}, "机密", NULL, "no"},
        {{"机密 from 2026-06-15"}, "机密", NULL, "yes"},
        {{"机密 until 2026-06-14"}, "公开", NULL, "yes"},
        /* A grant beside the permanent clearance; the pieces of both never add up. */
        {{"秘密", "机密 until 2026-12-31"}, "机密", NULL, "yes"},
        {{"秘密 专项 密码", "机密 until 2026-12-31"}, "机密", "专项=密码", "no"},
        {{"秘密", "机密 until 2026-12-31", "绝密 until 2026-12-31"}, "绝密", NULL, "yes"},
        /* Two permanent ones: a mistake, unless the answer is the same whichever is meant and no. */
        {{"秘密", "机密"}, "绝密", NULL, "no"},
        {{"秘密", "机密"}, "机密", NULL, "ambiguous"},
        {{"秘密", "机密"}, "内部", NULL, "ambiguous"},
        {{"秘密", "机密"}, "公开", NULL, "yes"},
        {{"秘密", "机密", "绝密 until 2026-12-31"}, "绝密", NULL, "yes"},
        {{"秘密", "机密 from 2026-06-16"}, "秘密", NULL, "yes"},
        {{"秘密 until 2026-06-14", "机密 from 2026-06-15"}, "机密", NULL, "yes"},
        {{"机密", "au/SECRET"}, "机密", NULL, "yes"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const *held = cases[i].held;
        g_autoptr(GPtrArray) list = clearances(held[0], held[1], held[2], NULL);
        g_autoptr(label) label = support_label(schemes, cases[i].level, cases[i].value, NULL);
        gint64 now = at("2026-06-15T12:00:00");

        g_test_message("%s %s", held[0] != NULL ? held[0] : "nothing", cases[i].level);
        g_assert_cmpstr(ANSWERS[clearances_check(list, FALSE, schemes, label, now)], ==, cases[i].answer);
    }
}

/* Case 65: valid until 2026-12-31. */
static void test_last_second(void)
{
    g_autoptr(GPtrArray) list = clearances("机密 until 2026-12-31", NULL);
    g_autoptr(label) label = support_label(schemes, "机密", NULL);

    g_assert_cmpint(clearances_check(list, FALSE, schemes, label, at("2026-12-31T23:59:59")), ==,
                    CLEARED_YES);
    g_assert_cmpint(clearances_check(list, FALSE, schemes, label, at("2027-01-01T00:00:00")), ==, CLEARED_NO);
}

/* A value that could not be read makes everything unknown that is not for everybody. */
static void test_check_unreadable(void)
{
    g_autoptr(GPtrArray) list = clearances("机密", "绝密 until 2026-12-31", NULL);
    g_autoptr(label) secret = support_label(schemes, "机密", NULL);
    g_autoptr(label) public = support_label(schemes, "公开", NULL);
    gint64 now = at("2026-06-15T12:00:00");

    g_assert_cmpint(clearances_check(list, TRUE, schemes, secret, now), ==, CLEARED_UNREADABLE);
    g_assert_cmpint(clearances_check(list, TRUE, schemes, public, now), ==, CLEARED_YES);
}

static void test_check_set(void)
{
    g_autoptr(GPtrArray) both = clearances("秘密", "机密", "au/OFFICIAL", NULL);
    g_autoptr(label_set) set = label_set_new();
    g_autoptr(label) confidential = support_label(schemes, "秘密", NULL);
    g_autoptr(label) official = support_label(schemes, "au/OFFICIAL", NULL);
    g_autoptr(label) secret = support_label(schemes, "au/SECRET", NULL);
    gint64 now = at("2026-06-15T12:00:00");
    const struct label *which;

    g_assert_cmpint(clearances_check_set(both, FALSE, schemes, set, now, &which), ==, CLEARED_YES);
    g_assert_null(which);
    label_set_join(set, confidential);
    label_set_join(set, official);
    g_assert_cmpint(clearances_check_set(both, FALSE, schemes, set, now, &which), ==, CLEARED_AMBIGUOUS);
    g_assert_true(which == label_set_of(set, confidential->scheme));
    label_set_join(set, secret); /* a clear no beats the unclear answer before it */
    g_assert_cmpint(clearances_check_set(both, FALSE, schemes, set, now, &which), ==, CLEARED_NO);
    g_assert_true(which == label_set_of(set, secret->scheme));
}

/* Of every set of clearances: where the answer is said not to depend on time, it is the same at every moment;
 * and where it is said to, there is something that ends or begins. */
static void test_depend_on_time(void)
{
    static const char *const texts[] = {"机密",
                                        "内部",
                                        "绝密 from 2027-01-01",
                                        "机密 until 2026-12-31",
                                        "内部 from 2026-01-01 until 2027-12-31",
                                        "au/SECRET until 2026-12-31"};
    static const char *const levels[] = {"公开", "内部", "机密", "绝密", "au/SECRET"};
    static const char *const moments[] = {"2025-06-15T12:00:00", "2026-06-15T12:00:00", "2027-06-15T12:00:00",
                                          "2028-06-15T12:00:00"};
    guint depending = 0;

    for (guint set = 0; set < 1u << G_N_ELEMENTS(texts); set++) {
        g_autoptr(GPtrArray) list = clearances(NULL);
        for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
            if (set & 1u << i)
                g_ptr_array_add(list, parse(texts[i], NULL));
        for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
            g_autoptr(label) label = support_label(schemes, levels[i], NULL);
            enum cleared first = clearances_check(list, FALSE, schemes, label, at(moments[0]));

            if (clearances_depend_on_time(list, FALSE, schemes, label)) {
                g_assert_cmpuint(set & ~3u, !=, 0);
                depending++;
                continue;
            }
            for (guint j = 1; j < G_N_ELEMENTS(moments); j++)
                g_assert_cmpint(clearances_check(list, FALSE, schemes, label, at(moments[j])), ==, first);
        }
    }
    g_assert_cmpuint(depending, >, 64); /* of 320 */
    g_assert_cmpuint(depending, <, 256);
}

/* ---- attributes of their own */

static void test_categories(void)
{
    static const struct {
        const char *category;
        gboolean added;
        const char *cn, *au;
    } cases[] = {
        {"专项 密码", TRUE, "机密 专项:密码", "au/SECRET"},
        {"专项 密码、核", TRUE, "机密 专项:密码,核", "au/SECRET"},
        {"核", TRUE, "机密 专项:核", "au/SECRET"},
        {"CODEWORD", TRUE, "机密", "au/SECRET caveat:CODEWORD"},
        {"知悉范围 一处", TRUE, "机密 知悉范围:一处", "au/SECRET"},
        {"一处", FALSE, NULL, NULL},
        {"专项 电", FALSE, NULL, NULL},
        {"专项 密码 核", FALSE, NULL, NULL},
        {"专项 密码,", FALSE, NULL, NULL},
        {"专项", FALSE, NULL, NULL},
        {"nothing known", FALSE, NULL, NULL},
        {"", FALSE, NULL, NULL},
        {"/核/", FALSE, NULL, NULL},
        {"核 # x", FALSE, NULL, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) list = clearances("机密", "au/SECRET", NULL);
        g_autoptr(GError) error = NULL;

        g_test_message("%s", cases[i].category);
        g_assert_cmpint(clearances_add_category(list, schemes, cases[i].category, &error), ==,
                        cases[i].added);
        g_assert_true((error == NULL) == cases[i].added);
        if (!cases[i].added)
            continue;
        g_autofree char *cn = label_format(((struct clearance *)g_ptr_array_index(list, 0))->label);
        g_autofree char *au = label_format(((struct clearance *)g_ptr_array_index(list, 1))->label);
        g_assert_cmpstr(cn, ==, cases[i].cn);
        g_assert_cmpstr(au, ==, cases[i].au);
    }
}

static void test_end(void)
{
    static const struct {
        const char *time, *expected;
    } cases[] = {
        {"20270630160000Z", "2027-07-01T00:00:00"},
        {"2027063016Z", "2027-07-01T00:00:00"},
        {"202706301600Z", "2027-07-01T00:00:00"},
        {"20270701000000+0800", "2027-07-01T00:00:00"},
        {"20270701000000+08", "2027-07-01T00:00:00"},
        {"20270630160000.5Z", "2027-07-01T00:00:00"},
        {"20270630160000", NULL},
        {"2027-06-30", NULL},
        {"20271330160000Z", NULL},
        {"20270630160000Zx", NULL},
        {"20270630160000+8", NULL},
        {"20270630160000.Z", NULL},
        {"", NULL},
        {"２０２７", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) list = clearances("秘密", "机密 until 2026-12-31", NULL);
        const struct clearance *permanent = g_ptr_array_index(list, 0), *grant = g_ptr_array_index(list, 1);
        g_autoptr(GError) error = NULL;

        g_test_message("%s", cases[i].time);
        g_assert_cmpint(clearances_end_at(list, cases[i].time, &error), ==, cases[i].expected != NULL);
        g_assert_true((error == NULL) == (cases[i].expected != NULL));
        g_assert_cmpint(permanent->until, ==, cases[i].expected != NULL ? at(cases[i].expected) : G_MAXINT64);
        g_assert_true(permanent->permanent);
        g_assert_cmpint(grant->until, ==, at("2027-01-01T00:00:00")); /* its own end is the earlier one */
    }
}

static void test_format(void)
{
    g_autoptr(clearance) plain = parse("机密 专项 密码", NULL);
    g_autoptr(clearance) grant = parse("机密 自 2026-01-01 至 2026-12-31", NULL);
    g_autofree char *plain_text = clearance_format(plain);
    g_autofree char *grant_text = clearance_format(grant);

    g_assert_cmpstr(plain_text, ==, "机密 专项:密码");
    g_assert_cmpstr(grant_text, ==, "机密 from 2026-01-01 before 2027-01-01");
}

int main(int argc, char **argv)
{
    int failed;

    g_setenv("TZ", "Asia/Shanghai", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    schemes = support_schemes();
    shanghai = g_time_zone_new_identifier("Asia/Shanghai");
    g_test_add_func("/person/clearance/read", test_read);
    g_test_add_func("/person/clearance/unreadable", test_unreadable);
    g_test_add_func("/person/clearance/check", test_check);
    g_test_add_func("/person/clearance/last-second", test_last_second);
    g_test_add_func("/person/clearance/check-unreadable", test_check_unreadable);
    g_test_add_func("/person/clearance/check-set", test_check_set);
    g_test_add_func("/clearance/depend-on-time", test_depend_on_time);
    g_test_add_func("/person/clearance/categories", test_categories);
    g_test_add_func("/person/clearance/end", test_end);
    g_test_add_func("/person/clearance/format", test_format);
    failed = g_test_run();
    g_time_zone_unref(shanghai);
    schemes_unref(schemes);
    return failed;
}
