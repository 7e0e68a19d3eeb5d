#include "policy/label/label.h"
#include "policy/label/duration.h"
#include "tests/support/scheme_text.h"

static const char SCHEME[] =
    "scheme \"x\"\n"
    "level 公开 rank 0 also \"public\"\nlevel 秘密 rank 1 also \"secret\"\nlevel 绝密 rank 2 also \"top\"\n"
    "category set \"专项\" restrictive { value \"密码\" also \"crypto\"; value \"核\" }\n"
    "category set \"范围\" permissive open\n"
    "category set \"提示\" informative open\n";

/* "秘密 专项=密码,核 范围=A": a level and values by set. */
static struct label *label_from(const struct schemes *schemes, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    struct label *label = label_new(schemes_home(schemes), level_called(schemes, words[0]));
    for (guint i = 1; words[i] != NULL; i++) {
        g_auto(GStrv) sides = g_strsplit(words[i], "=", 2);
        g_auto(GStrv) values = g_strsplit(sides[1], ",", -1);
        for (guint j = 0; values[j] != NULL; j++)
            label_add_value(label, scheme_set(label->scheme, sides[0]), values[j]);
    }
    return label;
}

static struct schemes *schemes_x(void)
{
    struct schemes *schemes = schemes_new();
    schemes_read_text(schemes, SCHEME);
    return schemes;
}

struct pair {
    const char *upper, *lower;
    gboolean answer;
};

static void test_dominates(void)
{
    static const struct pair pairs[] = {
        {"秘密", "公开", TRUE},
        {"秘密", "秘密", TRUE},
        {"公开", "秘密", FALSE},
        {"绝密", "秘密 专项=密码", FALSE},
        {"绝密 专项=密码", "秘密 专项=密码", TRUE},
        {"绝密 专项=密码", "秘密 专项=密码,核", FALSE},
        {"绝密 专项=核,密码", "秘密 专项=密码", TRUE},
        {"绝密", "秘密 范围=A", FALSE},
        {"绝密 范围=A", "秘密 范围=A,B", TRUE}, /* holding one is enough */
        {"绝密 范围=B,C", "秘密 范围=A,B", TRUE},
        {"绝密 范围=C", "秘密 范围=A,B", FALSE},
        {"绝密 范围=C", "秘密", TRUE},
        {"绝密", "秘密 提示=x", TRUE}, /* informative: no check */
        {"公开 专项=密码,核 范围=A", "秘密 专项=密码 范围=A", FALSE},
    };
    g_autoptr(schemes) schemes = schemes_x();
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(label) upper = label_from(schemes, pairs[i].upper);
        g_autoptr(label) lower = label_from(schemes, pairs[i].lower);
        if (label_dominates(upper, FALSE, lower) != pairs[i].answer)
            g_test_message("%s, %s", pairs[i].upper, pairs[i].lower);
        g_assert_cmpint(label_dominates(upper, FALSE, lower), ==, pairs[i].answer);
        /* with all categories only the level counts */
        g_assert_cmpint(label_dominates(upper, TRUE, lower), ==, upper->level->rank >= lower->level->rank);
    }
}

static void test_covers(void)
{
    static const struct pair pairs[] = {
        {"秘密", "公开", TRUE},
        {"秘密", "秘密 专项=密码", FALSE},
        {"秘密 专项=密码", "秘密", TRUE},
        {"秘密 范围=A", "秘密", TRUE},  /* fewer readers above */
        {"秘密", "秘密 范围=A", FALSE}, /* everybody above, A below */
        {"秘密 范围=A", "秘密 范围=A,B", TRUE},
        {"秘密 范围=A,B", "秘密 范围=A", FALSE},
        {"秘密", "秘密 提示=x", TRUE},
    };
    g_autoptr(schemes) schemes = schemes_x();
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(label) upper = label_from(schemes, pairs[i].upper);
        g_autoptr(label) lower = label_from(schemes, pairs[i].lower);
        if (label_covers(upper, lower) != pairs[i].answer)
            g_test_message("%s, %s", pairs[i].upper, pairs[i].lower);
        g_assert_cmpint(label_covers(upper, lower), ==, pairs[i].answer);
    }
}

static void joins(const struct schemes *schemes, const char *a, const char *b, const char *expected)
{
    g_autoptr(label) one = label_from(schemes, a);
    g_autoptr(label) other = label_from(schemes, b);
    g_autoptr(label) join = label_join(one, other);
    g_autofree char *text = label_format(join);
    g_assert_cmpstr(text, ==, expected);
}

static void test_join(void)
{
    g_autoptr(schemes) schemes = schemes_x();
    joins(schemes, "秘密", "公开", "秘密");
    joins(schemes, "秘密 专项=密码", "绝密 专项=核", "绝密 专项:密码,核");
    joins(schemes, "秘密 范围=A,B", "公开 范围=B,C", "秘密 范围:B");
    joins(schemes, "秘密 范围=A,B", "公开",
          "秘密 范围:A,B"); /* who does not use the set stands for everybody */
    joins(schemes, "秘密 范围=A", "秘密 范围=B", "秘密 ∅"); /* semantics.md 14, case 22 */
    joins(schemes, "公开 提示=x", "公开 提示=y", "公开 提示:x,y");
}

static void test_values(void)
{
    g_autoptr(schemes) schemes = schemes_x();
    g_autoptr(label) label = label_from(schemes, "秘密 专项=核,crypto,密码,CRYPTO 范围=乙,甲,乙");
    g_autofree char *text = label_format(label);
    g_autofree char *ascii = label_format_ascii(label);
    g_assert_cmpstr(text, ==,
                    "秘密 专项:密码,核 范围:乙,甲"); /* also names are their value's, sorted, no doubles */
    g_assert_cmpstr(ascii, ==, "secret");
    g_autoptr(label) same = label_from(schemes, "秘密 专项=密码,核 范围=甲,乙");
    g_assert_true(label_equal(label, same));
    g_autoptr(label) noted = label_from(schemes, "秘密 专项=密码,核 范围=甲,乙 提示=x");
    g_assert_false(label_equal(label, noted));
    g_assert_false(label_differs(label, noted));
}

static void test_other_scheme(void)
{
    g_autoptr(schemes) schemes = schemes_x();
    schemes_read_text(schemes, "scheme \"au\"\nlevel SECRET rank 1\n");
    const struct scheme *au = schemes_find(schemes, "au");
    g_autoptr(label) foreign = label_new(au, scheme_lowest(au));
    g_autoptr(label) own = label_from(schemes, "绝密");
    g_assert_false(label_dominates(own, TRUE, foreign));
    g_assert_false(label_covers(own, foreign));
    g_assert_false(label_equal(own, foreign));
    g_assert_true(label_differs(own, foreign));
    g_autofree char *text = label_format(foreign);
    g_autofree char *ascii = label_format_ascii(foreign);
    g_assert_cmpstr(text, ==, "au/SECRET");
    g_assert_cmpstr(ascii, ==, "au/SECRET");
}

static void test_set(void)
{
    g_autoptr(schemes) schemes = schemes_x();
    schemes_read_text(schemes, "scheme \"au\"\nlevel SECRET rank 1\n");
    const struct scheme *home = schemes_home(schemes), *au = schemes_find(schemes, "au");
    g_autoptr(label) low = label_from(schemes, "公开");
    g_autoptr(label) high = label_from(schemes, "绝密");
    g_autoptr(label) foreign = label_new(au, scheme_lowest(au));
    g_autoptr(label_set) set = label_set_new();
    g_autoptr(label_set) empty = label_set_new();
    label_set_join(set, low);
    g_autoptr(label_set) before = label_set_copy(set);
    label_set_join(set, foreign);
    label_set_join(set, high);
    g_autofree char *text = label_set_format(set);
    g_autofree char *ascii = label_set_format_ascii(set);
    g_assert_cmpstr(text, ==, "绝密 + au/SECRET");
    g_assert_cmpstr(ascii, ==, "top + au/SECRET");
    g_assert_true(label_equal(label_set_of(set, home), high));
    g_assert_null(label_set_of(before, au));
    g_assert_true(label_set_covers(set, before) && label_set_covers(set, empty) &&
                  label_set_covers(set, set));
    g_assert_false(label_set_covers(before, set));
    g_assert_false(label_set_covers(empty, before));
    g_assert_true(label_set_equal(set, set));
    g_assert_false(label_set_equal(set, before));
    label_set_join_all(before, set);
    g_assert_true(label_set_equal(set, before));
}

static void test_durations_of_a_join(void)
{
    g_autoptr(schemes) schemes = schemes_x();
    g_autoptr(label) a = label_from(schemes, "秘密");
    g_autoptr(label) b = label_from(schemes, "秘密");
    a->duration =
        (struct duration){.kind = DURATION_TERM, .term_seconds = SECONDS_PER_YEAR, .text = g_strdup("1年")};
    b->duration = (struct duration){.kind = DURATION_EVENT, .text = g_strdup("启封前")};
    g_autoptr(label) join = label_join(a, b);
    g_assert_cmpint(join->duration.kind, ==, DURATION_EVENT);
    g_assert_cmpstr(join->duration.text, ==, "启封前");
}

/* ---------------------------------------------------------------- combinations */
static void is_irregular(const char *lines, const char *label_text, gboolean expected)
{
    g_autofree char *text = g_strconcat(SCHEME, lines, NULL);
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, text);
    g_autoptr(label) label = label_from(schemes, label_text);
    if (label_irregular(label) != expected)
        g_test_message("%s: %s", lines, label_text);
    g_assert_cmpint(label_irregular(label), ==, expected);
}

static void test_combinations(void)
{
    is_irregular("", "公开 专项=密码", FALSE);
    is_irregular("combination \"专项\" from 秘密\n", "公开 专项=密码", TRUE);
    is_irregular("combination \"专项\" from 秘密\n", "秘密 专项=密码", FALSE);
    is_irregular("combination \"专项\" from 秘密\n", "公开 范围=A", FALSE);
    is_irregular("combination \"专项\" from 秘密 up to 秘密\n", "绝密 专项=密码", TRUE);
    is_irregular("combination \"专项\" up to 秘密\n", "绝密 专项=密码", TRUE);
    is_irregular("combination \"专项\" up to 秘密\n", "公开 专项=密码", FALSE);
    /* a line for a value beats the line for its set … */
    is_irregular("combination \"专项\" from 秘密\ncombination \"核\" from 公开\n", "公开 专项=核", FALSE);
    is_irregular("combination \"专项\" from 秘密\ncombination \"核\" from 公开\n", "公开 专项=核,密码", TRUE);
    /* … of the same kind */
    is_irregular("combination \"专项\" from 秘密\ncombination \"核\" not with \"范围\"\n", "公开 专项=核",
                 TRUE);
    is_irregular("combination \"核\" not with \"范围\"\n", "公开 专项=核 范围=A", TRUE);
    is_irregular("combination \"核\" not with \"范围\"\n", "公开 专项=密码 范围=A", FALSE);
    is_irregular("combination \"核\" not with \"crypto\"\n", "公开 专项=密码,核", TRUE);
    is_irregular("combination \"范围\" needs \"专项\", \"提示\"\n", "公开 范围=A 专项=核", TRUE);
    is_irregular("combination \"范围\" needs \"专项\", \"提示\"\n", "公开 范围=A 专项=核 提示=x", FALSE);
    is_irregular("combination \"范围\" needs \"专项\"\n", "公开", FALSE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/label/dominates", test_dominates);
    g_test_add_func("/label/covers", test_covers);
    g_test_add_func("/label/join", test_join);
    g_test_add_func("/label/values", test_values);
    g_test_add_func("/label/other-scheme", test_other_scheme);
    g_test_add_func("/label/set", test_set);
    g_test_add_func("/label/durations-of-a-join", test_durations_of_a_join);
    g_test_add_func("/label/combinations", test_combinations);
    return g_test_run();
}
