/* Marks beyond the rows of the label vectors: forms, places, near ones, exceptions, several schemes. */
#include "policy/label/duration.h"
#include "policy/label/mark.h"
#include "tests/support/scheme_text.h"

#include <string.h>

static void note(struct mark *mark, gpointer data)
{
    GString *all = data;
    g_autofree char *term = duration_format(&mark->duration, LANGUAGE_ZH);
    g_string_append_printf(all, "%s%s%s%s%s%s%s", all->len > 0 ? " " : "",
                           mark->scheme->home ? "" : mark->scheme->name, mark->scheme->home ? "" : "/",
                           mark->level->name, term != NULL ? "," : "", term != NULL ? term : "",
                           mark->near ? "?" : "");
    if (mark->ambiguous)
        g_string_append_c(all, '!');
    duration_clear(&mark->duration);
}

/* "机密,10年 秘密?": level, term, ? for near, ! for ambiguous; in the order of the text, equal ones as often
 * as found. */
static char *marks_in(const struct schemes *schemes, enum mark_place place, guint line, const char *text)
{
    g_autoptr(folded) folded = fold_text(text, strlen(text), FOLD_MARK);
    GString *all = g_string_new(NULL);
    mark_table_search(schemes->marks, place, line, folded, note, all);
    return g_string_free(all, FALSE);
}

static void finds(const struct schemes *schemes, enum mark_place place, const char *text,
                  const char *expected)
{
    g_autofree char *found = marks_in(schemes, place, 1, text);
    if (!g_str_equal(found, expected))
        g_test_message("in \"%s\"", text);
    g_assert_cmpstr(found, ==, expected);
}

static void test_sign(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_SUBJECT, "关于机密★的通知", "机密");
    finds(cn, MARK_SUBJECT, "机密级★10年", "机密,10年");
    finds(cn, MARK_SUBJECT, "机密 ☆ 10年", "机密,10年");
    finds(cn, MARK_SUBJECT, "绝密★（30年）", "绝密,30年");
    finds(cn, MARK_SUBJECT, "绝密★长期 x", "绝密,长期");
    finds(cn, MARK_SUBJECT, "Secret ★ 5y", "机密,5年");
    finds(cn, MARK_SUBJECT, "TOP-SECRET★", "绝密");
    finds(cn, MARK_SUBJECT, "topsecret★", "");  /* the end of another word */
    finds(cn, MARK_SUBJECT, "最机密★", "机密"); /* Han words may end anywhere */
    finds(cn, MARK_SUBJECT, "★机密", "");
    finds(cn, MARK_SUBJECT, "★★★★★ 好评", "");
    finds(cn, MARK_SUBJECT, "秘密★★", "秘密");
    finds(cn, MARK_SUBJECT, "密★10年", "");
    finds(cn, MARK_LINE, "附件：绝密★30年，请注意", "绝密,30年");
    finds(cn, MARK_FILE_NAME, "机密★10年.docx", "机密,10年");
}

/* An asterisk is a star only before a term. */
static void test_asterisk(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_SUBJECT, "机密*10年", "机密,10年");
    finds(cn, MARK_SUBJECT, "机密＊长期", "机密,长期");
    finds(cn, MARK_SUBJECT, "this is *open* source", "");
    finds(cn, MARK_SUBJECT, "**secret** plan", "");
    finds(cn, MARK_SUBJECT, "机密*会议开始前", "");
    g_autoptr(schemes) other = schemes_new();
    schemes_read_text(
        other, "scheme \"x\"\nlevel 商密 rank 0\nmarking duration \"▲\"\nmarking subject \"[{level}]\"\n");
    finds(other, MARK_SUBJECT, "商密▲5年", "商密,5年");
    finds(other, MARK_SUBJECT, "商密△5年", "商密,5年");
    finds(other, MARK_SUBJECT, "商密★5年", "");
    finds(other, MARK_SUBJECT, "商密*5年", "");
}

/* Around a sign the level may stand in a form, the term behind it. */
static void test_sign_behind_form(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_LINE, "【机密】★10年", "机密,10年");
    finds(cn, MARK_LINE, "附件：【机密】 ★ 10年，请注意", "机密,10年");
    finds(cn, MARK_LINE, "[ Secret ]*5年", "机密,5年");
    finds(cn, MARK_LINE, "【机密】", "机密");
    finds(cn, MARK_LINE, "机密】★10年", "");
    finds(cn, MARK_LINE, "【机密]★10年", "");
    finds(cn, MARK_LINE, "【非密】★", "");
    finds(cn, MARK_FILE_NAME, "【机密】★10年.docx", "机密 机密,10年");
}

/* Typesetting: spaces between all characters of a mark. */
static void test_spaced(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_LINE, "機 密 級", "机密");
    finds(cn, MARK_LINE, "机 密 级 ★ 10 年", "机密,10年");
    finds(cn, MARK_LINE, "机 密 文 件", "机密");
    finds(cn, MARK_LINE, "密 级 ： 机 密 级", "机密");
    finds(cn, MARK_SUBJECT, "【机 密 级】", "机密");
    finds(cn, MARK_LINE, "机密 级别", "");
}

/* 邮件密级：机密: what stands before the key makes it near, and only if nothing stands behind the level. */
static void test_key_in_word(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_LINE, "邮件密级：机密", "机密?");
    finds(cn, MARK_LINE, "本文件密级: 机密★5年", "机密,5年? 机密,5年"); /* by its key and by its sign */
    finds(cn, MARK_LINE, "应确定密级：绝密、机密、秘密三级", "");
    finds(cn, MARK_LINE, "邮件密级：机密，请注意", "");
    finds(cn, MARK_LINE, "邮件 密级：机密，请注意", "机密");
}

static void test_forms(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_SUBJECT, "【机密】方案", "机密");
    finds(cn, MARK_SUBJECT, "［机密］方案", "机密");
    finds(cn, MARK_SUBJECT, "Re: [ Secret ] plan", "机密");
    finds(cn, MARK_SUBJECT, "[SECRET]", "机密");
    finds(cn, MARK_SUBJECT, "【机密级】", "机密");
    finds(cn, MARK_SUBJECT, "【内部资料】", "内部");
    finds(cn, MARK_SUBJECT, "【机密文件】", "机密");
    finds(cn, MARK_SUBJECT, "【机密 10年】", "机密,10年");
    finds(cn, MARK_SUBJECT, "{机密}", "机密");
    finds(cn, MARK_SUBJECT, "〖绝密〗『秘密』", "绝密 秘密");
    finds(cn, MARK_SUBJECT, "【机秘】", "");
    finds(cn, MARK_SUBJECT, "[secrets]", "");
    finds(cn, MARK_SUBJECT, "【机密性】", "");
    finds(cn, MARK_SUBJECT, "【机密信息】", "");
    finds(cn, MARK_SUBJECT, "[ ]", "");
    finds(cn, MARK_SUBJECT, "[", "");
    finds(cn, MARK_LINE, "【机密】", "机密");
    finds(cn, MARK_LINE, "  【机密★10年】 ", "机密,10年");
    finds(cn, MARK_LINE, "见【机密】字样", "");
    finds(cn, MARK_LINE, "【机密】字样", "");
    finds(cn, MARK_FILE_NAME, "【机密】方案.docx", "机密");
    finds(cn, MARK_FILE_NAME, "《机密》.docx", ""); /* no form of file names */
}

static void test_key(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_SUBJECT, "密级：秘密", "秘密");
    finds(cn, MARK_SUBJECT, "文件密级：机密★5年", "机密,5年 机密,5年");
    finds(cn, MARK_SUBJECT, "密級：【機密】", "机密 机密"); /* by its key and by its form */
    finds(cn, MARK_LINE, "密级：【机密】", "机密");
    finds(cn, MARK_LINE, "密 级 ： 绝 密", "绝密");
    finds(cn, MARK_LINE, "秘密等级：内部 编号：3", "内部");
    finds(cn, MARK_LINE, "| 密级：秘密 | 编号 |", "秘密");
    finds(cn, MARK_LINE, "请按密级：秘密、机密存放", ""); /* inside a sentence */
    finds(cn, MARK_SUBJECT, "密级：机密性", "机密?");
    finds(cn, MARK_SUBJECT, "密级: secretary", "");
    finds(cn, MARK_SUBJECT, "密级：非密", "");
    finds(cn, MARK_SUBJECT, "等级：机密", "");
    finds(cn, MARK_SUBJECT, "密级：", "");
}

static void test_whole(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_LINE, "机密", "机密");
    finds(cn, MARK_LINE, " 机　密 ", "机密");
    finds(cn, MARK_LINE, "机密级", "机密");
    finds(cn, MARK_LINE, "绝密·永久", "绝密,长期");
    finds(cn, MARK_LINE, "秘密 10年", "秘密,10年");
    finds(cn, MARK_LINE, "SECRET", "机密");
    finds(cn, MARK_LINE, "机密。", "");
    finds(cn, MARK_LINE, "机密 会议开始前", "");
    finds(cn, MARK_LINE, "机密计算", "");
    finds(cn, MARK_LINE, "", "");
    finds(cn, MARK_FILE_NAME, "机密", "");
}

/* Nearly right may raise: it is found, but near. */
static void test_near(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_SUBJECT, "机密", "机密?");
    finds(cn, MARK_SUBJECT, "关于会议【机密", "机密?");
    finds(cn, MARK_SUBJECT, "[机密)", "机密?");
    finds(cn, MARK_SUBJECT, "【机密]方案", "机密?");
    finds(cn, MARK_SUBJECT, "【机密 方案", "");
    finds(cn, MARK_SUBJECT, "(open issues)", "");
}

static void test_except(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    finds(cn, MARK_SUBJECT, "【机密】已解密", "");
    finds(cn, MARK_SUBJECT, "非密【机密】", "");
    finds(cn, MARK_SUBJECT, "机密★10年已解密", "");
    finds(cn, MARK_SUBJECT, "【机密★10年】已解密", "");
    finds(cn, MARK_SUBJECT, "已解密[ 机密★10年 ]", "");
    finds(cn, MARK_SUBJECT, "【机密】 已解密", "机密"); /* it does not touch */
    finds(cn, MARK_SUBJECT, "【机密】（已解密）", "机密");
    finds(cn, MARK_SUBJECT, "【机密】已解密【绝密】", ""); /* it touches both */
    finds(cn, MARK_SUBJECT, "【机密】已解密 【绝密】", "绝密");
    finds(cn, MARK_LINE, "密级：机密已解密", "");
    finds(cn, MARK_SUBJECT, "非密★10年", "");
}

/* Nothing is read where a scheme does not read. */
static void test_places(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes,
                      "scheme \"x\"\nlevel 密 rank 0\nmarking duration \"★\"\nmarking first 3 lines\n");
    finds(schemes, MARK_SUBJECT, "密★1年", "");
    finds(schemes, MARK_FILE_NAME, "密★1年", "");
    finds(schemes, MARK_LINE, "密★1年", "密,1年");
    g_autofree char *third = marks_in(schemes, MARK_LINE, 3, "密★");
    g_autofree char *fourth = marks_in(schemes, MARK_LINE, 4, "密★");
    g_assert_cmpstr(third, ==, "密");
    g_assert_cmpstr(fourth, ==, "");
    g_autoptr(schemes) last = schemes_new();
    schemes_read_text(last, "scheme \"x\"\nlevel 密 rank 0\nmarking duration \"★\"\nmarking last 3 lines\n");
    g_autofree char *any =
        marks_in(last, MARK_LINE, 400, "密★"); /* which lines are the last is the inspector's to say */
    g_assert_cmpstr(any, ==, "密");
}

static void test_two_schemes(void)
{
    g_autoptr(schemes) schemes = schemes_cn();
    schemes_read_text(
        schemes,
        "scheme \"hk\"\n"
        "level 機密 rank 1\nlevel 高度機密 rank 2\nlevel 限閱 rank 0\n"
        "marking duration \"★\"\nmarking subject \"【{level}】\", \"<{level}>\"\nmarking first 5 lines\n");
    finds(schemes, MARK_SUBJECT, "【机密】", "机密!");           /* the first scheme's, and said so */
    finds(schemes, MARK_SUBJECT, "【高度機密】", "hk/高度機密"); /* only the second's */
    finds(schemes, MARK_SUBJECT, "高度機密★", "hk/高度機密!");   /* the longer one, not 機密 */
    finds(schemes, MARK_SUBJECT, "[限閱]", "");                  /* not a form of hk */
    finds(schemes, MARK_LINE, "限閱", "hk/限閱");
}

/* A form without an end, and one with words. */
static void test_other_forms(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, "scheme \"x\"\nlevel Secret rank 1\nlevel Open rank 0\n"
                               "marking subject \"Class: {level}\", \"[SEC={level}]\", \"{{{level}\"\n");
    finds(schemes, MARK_SUBJECT, "class: SECRET", "Secret");
    finds(schemes, MARK_SUBJECT, "Class: Secret, urgent", "Secret");
    finds(schemes, MARK_SUBJECT, "class: secrets", "");
    finds(schemes, MARK_SUBJECT, "Plan [sec=open]", "Open");
    finds(schemes, MARK_SUBJECT, "{open", "Open");
}

/* Long hostile text takes linear time. */
static void test_long(void)
{
    static const char *const units[] = {
        "★", "[", "密级:", "机密★", "【机密", "机 ", "(", "密 级 : ", "机密★一二三四五六七八九十", "[机密★"};
    g_autoptr(schemes) cn = schemes_cn();
    for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < 200000)
            g_string_append(text, units[i]);
        gint64 start = g_get_monotonic_time();
        g_autofree char *found = marks_in(cn, MARK_SUBJECT, 0, text->str);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
        g_assert_nonnull(found);
    }
}

/* What is passed over without folding holds no mark: on random lines of all that marks are made of. */
static void test_filter(void)
{
    static const char *const pieces[] = {
        "机",   "密",       "機",     "机密",         "絕",   "绝密", "秘",   "㊙",   "祕",
        "★",    "☆",        "*",      "＊",           ":",    "：",   "密级", "密級", "等级",
        "保密", "10年",     "十",     "年",           "长期", " ",    "　",   "\t",   "\u200b",
        "【",   "】",       "[",      "［",           "(",    ")",    "《",   "，",   "。",
        "、",   "a",        "Secret", "ＳＥＣＲＥＴ", "open", "会议", "·",    "é",    "е",
        "\xff", "\xe6\x9c", "级",     "文件",         "前",   "ﬁ"};
    g_autoptr(schemes) schemes = schemes_cn();
    schemes_read_text(
        schemes,
        "scheme \"x\"\nlevel Éclair rank 0\nmarking duration \"//\", \"、、\"\nmarking first 9 lines\n");
    guint passed = 0, held = 0;
    for (guint round = 0; round < 100000; round++) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (gint i = g_test_rand_int_range(0, 7); i > 0; i--)
            g_string_append(line, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        g_autofree char *found = marks_in(schemes, MARK_LINE, 1, line->str);
        gboolean may_hold = mark_table_may_hold(schemes->marks, line->str, line->len);
        if (*found != '\0' && !may_hold)
            g_test_message("passed over: %s", line->str);
        g_assert_true(may_hold || *found == '\0');
        passed += !may_hold;
        held += *found != '\0';
    }
    g_assert_cmpuint(passed, >, 1000);
    g_assert_cmpuint(held, >, 1000);
}

static void test_value(void)
{
    g_autoptr(schemes) cn = schemes_cn();
    static const struct {
        const char *text, *level, *rest;
    } values[] = {
        {"机密", "机密", ""},
        {"[机密]", "机密", ""},
        {"《 绝密 》", "绝密", ""},
        {"密级：机密★10年", "机密", ""},
        {"【密级：机密】", "机密", ""},
        {"密级：【机密】", "机密", ""},
        {"机密★10年 专项:密码", "机密", "专项:密码"},
        {"[机密 专项:密码]", "机密", "专项:密码"},
        {"Secret;crypto", "机密", ";crypto"},
        {"机密性", NULL, NULL},
        {"secretary", NULL, NULL},
        {"机秘", NULL, NULL},
        {"[]", NULL, NULL},
        {"[", NULL, NULL},
        {"", NULL, NULL},
        {"密级：", NULL, NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(folded) folded = fold_text(values[i].text, strlen(values[i].text), FOLD_MARK);
        struct mark mark = {.level = NULL};
        gsize end = 0;
        gboolean found = mark_table_value(cn->marks, schemes_home(cn), folded, &mark, &end);
        g_assert_cmpint(found, ==, values[i].level != NULL);
        g_assert_cmpstr(found ? mark.level->name : NULL, ==, values[i].level);
        g_autofree char *rest = found ? g_strndup(folded->text + mark.end, end - mark.end) : NULL;
        g_assert_cmpstr(rest, ==, values[i].rest);
        if (found)
            duration_clear(&mark.duration);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/mark/sign-behind-form", test_sign_behind_form);
    g_test_add_func("/mark/spaced", test_spaced);
    g_test_add_func("/mark/key-in-word", test_key_in_word);
    g_test_add_func("/mark/sign", test_sign);
    g_test_add_func("/mark/asterisk", test_asterisk);
    g_test_add_func("/mark/forms", test_forms);
    g_test_add_func("/mark/key", test_key);
    g_test_add_func("/mark/whole", test_whole);
    g_test_add_func("/mark/near", test_near);
    g_test_add_func("/mark/except", test_except);
    g_test_add_func("/mark/places", test_places);
    g_test_add_func("/mark/two-schemes", test_two_schemes);
    g_test_add_func("/mark/other-forms", test_other_forms);
    g_test_add_func("/mark/long", test_long);
    g_test_add_func("/mark/filter", test_filter);
    g_test_add_func("/mark/value", test_value);
    return g_test_run();
}
