#include "policy/text/keyword.h"

#include <string.h>

struct parsed {
    struct sources *sources;
    struct diagnostics *diagnostics;
    struct block *block;
};

static struct parsed parse(const char *text)
{
    struct parsed parsed = {.sources = sources_new()};

    parsed.diagnostics = diagnostics_new(parsed.sources);
    parsed.block = tree_parse(sources_add(parsed.sources, "test", text, strlen(text)), parsed.diagnostics);
    return parsed;
}

static void parsed_clear(struct parsed *parsed)
{
    block_free(parsed->block);
    diagnostics_free(parsed->diagnostics);
    sources_unref(parsed->sources);
}

/* How many items of the text the keyword takes. */
static guint match(enum keyword keyword, const char *text)
{
    struct parsed parsed = parse(text);
    guint count =
        parsed.block->statements->len > 0 ? keyword_match(keyword, block_statement(parsed.block, 0), 0) : 0;

    g_assert_cmpuint(diagnostics_errors(parsed.diagnostics), ==, 0);
    parsed_clear(&parsed);
    return count;
}

static guint words(const char *text)
{
    guint count = 1;

    for (; *text != '\0'; text++)
        count += *text == ' ';
    return count;
}

/* Every keyword, in both languages, goes through the lexer as the words that it is made of. */
static void all(void)
{
    for (guint n = 0; n < KW_COUNT; n++) {
        const char *english = keyword_english(n), *chinese = keyword_chinese(n);
        g_autofree char *upper = g_ascii_strup(english, -1);
        if (match(n, english) != words(english) || match(n, upper) != words(english) ||
            match(n, chinese) != words(chinese)) {
            g_test_message("\"%s\" or \"%s\" is not matched", english, chinese);
            g_test_fail();
        }
    }
}

/* One English keyword with one Chinese spelling is one id, so that a grammar cannot ask for the wrong twin.
 */
static void no_two_alike(void)
{
    static const enum keyword shared[] = {KW_FROM_DATE, KW_SCHEME_FROM, KW_COUNT};

    for (guint a = 0; a < KW_COUNT; a++)
        for (guint b = a + 1; b < KW_COUNT; b++) {
            if (strcmp(keyword_english(a), keyword_english(b)) != 0 || (a == shared[0] && b == shared[1]))
                continue;
            if (strcmp(keyword_chinese(a), keyword_chinese(b)) == 0) {
                g_test_message("two ids are %s %s", keyword_english(a), keyword_chinese(a));
                g_test_fail();
            }
        }
}

static void matching(void)
{
    g_assert_cmpuint(match(KW_IS, "为 x"), ==, 1);
    g_assert_cmpuint(match(KW_IS, "是 x"), ==, 1);
    g_assert_cmpuint(match(KW_IS_NOT, "不是 x"), ==, 1);
    g_assert_cmpuint(match(KW_VERIFIED_ATTRIBUTE, "已验证 属性 \"x\""), ==, 2);
    g_assert_cmpuint(match(KW_HOLD_IN, "hold \"in\""), ==, 0); /* a text is no keyword */
    g_assert_cmpuint(match(KW_HOLD_IN, "hold"), ==, 0);
    g_assert_cmpuint(match(KW_HOLD_IN, "hold, in"), ==, 0);
    g_assert_cmpuint(match(KW_HOLD_IN, "待审于 x"), ==, 0); /* Chinese words stand apart */
    g_assert_cmpuint(match(KW_TLS, "ｔｌｓ"), ==, 1);
    g_assert_cmpuint(match(KW_FOR_THE_LABELS_DURATION, "For the Label's duration, x"), ==, 4);
    g_assert_cmpuint(match(KW_FROM, "from: x"), ==, 1);
    g_assert_cmpuint(match(KW_FROM, "froms"), ==, 0);
    g_assert_true(keyword_is_word(KW_HOLD_IN, "HOLD"));
    g_assert_false(keyword_is_word(KW_HOLD_IN, "in"));
    g_assert_true(keyword_begins_with("已验证"));
    g_assert_false(keyword_begins_with("天河"));
    g_assert_false(keyword_begins_with(""));
}

static void check_cut(const char *word, const char *wanted)
{
    static const char *const levels[] = {"内部", "机密", "内部资料", NULL};
    g_autofree char *cut = keyword_cut(word, levels);

    g_assert_cmpstr(cut, ==, wanted);
}

static void cut(void)
{
    check_cut("任一附件包含身份证号至少3次", "任一附件 包含 身份证号 至少 3 次");
    check_cut("密级不低于机密", "密级 不低于 机密");
    check_cut("密级为内部资料", "密级 为 内部资料"); /* the longest counts */
    check_cut("期限24小时", "期限 24 小时");
    check_cut("包含", NULL);     /* one word */
    check_cut("包含天河", NULL); /* not whole */
    check_cut("outside", NULL);
    check_cut("24h", NULL);
    check_cut("", NULL);
    g_autofree char *monster = g_strnfill(3000, '1');
    check_cut(monster, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/text/keyword/all", all);
    g_test_add_func("/text/keyword/no-two-alike", no_two_alike);
    g_test_add_func("/text/keyword/matching", matching);
    g_test_add_func("/text/keyword/cut", cut);
    return g_test_run();
}
