#include "policy/text/message.h"

#include <string.h>

/* The places {0}… that a template has, as bits. */
static guint places(const char *template)
{
    guint found = 0;

    for (const char *p = template; *p != '\0'; p++) {
        if (*p != '{')
            continue;
        if (p[1] == '{')
            p++;
        else if (p[1] >= '0' && p[1] < '0' + MESSAGE_MAX_ARGS && p[2] == '}')
            found |= 1u << (p[1] - '0');
    }
    return found;
}

/* Both languages say the same about the same arguments. */
static void both_languages(void)
{
    for (guint id = MSG_NONE + 1; id < MSG_COUNT; id++) {
        const char *english = message_text(id, LANGUAGE_EN), *chinese = message_text(id, LANGUAGE_ZH);
        if (english[0] == '\0' || chinese[0] == '\0' || !g_utf8_validate(english, -1, NULL) ||
            !g_utf8_validate(chinese, -1, NULL) || places(english) != places(chinese)) {
            g_test_message("\"%s\" and \"%s\" do not agree", english, chinese);
            g_test_fail();
        }
    }
}

static void check_fill(const char *template, const char *wanted)
{
    const char *args[] = {"a", "b", "{0}", NULL};
    g_autofree char *filled = message_fill(template, args, LANGUAGE_EN);

    g_assert_cmpstr(filled, ==, wanted);
}

static void fill(void)
{
    check_fill("", "");
    check_fill("{0}{1}", "ab");
    check_fill("{1} {0} {1}", "b a b");
    check_fill("{{0}", "{0}");
    check_fill("{{{0}}", "{a}");
    check_fill("{2}", "{0}"); /* what an argument says is not read again */
    check_fill("[{3}]", "[]");
    check_fill("{6} {x} {", "{6} {x} {");
    g_autofree char *none = message_fill("{0}", NULL, LANGUAGE_EN);
    g_assert_cmpstr(none, ==, "");
}

static void check_format(struct message message, const char *english, const char *chinese)
{
    g_autofree char *en = message_format(&message, LANGUAGE_EN);
    g_autofree char *zh = message_format(&message, LANGUAGE_ZH);

    g_assert_cmpstr(en, ==, english);
    g_assert_cmpstr(zh, ==, chinese);
    message_clear(&message);
    g_assert_cmpint(message.id, ==, MSG_NONE);
    g_assert_null(message.args[0]);
}

/* An argument that is itself a message speaks the language of the sentence. */
static void nested(void)
{
    g_autofree char *text = message_arg_with(MSG_FOUND_TEXT, "协议");
    g_autofree char *statement = message_arg_with(MSG_A_STATEMENT_OF, message_arg(MSG_A_RULE));

    check_format(message_make(MSG_EXPECTED_FIRST, message_arg(MSG_A_COMMA), text, NULL),
                 "expected a comma, but found text \"协议\"", "此处应为逗号，却是文字\"协议\"");
    check_format(message_make(MSG_EXPECTED_FIRST, statement, message_arg(MSG_THE_END_OF_LINE), NULL),
                 "expected a statement of a rule, but found the end of the line",
                 "此处应为规则的语句，却是行尾");
}

/* Somebody else's octets that look like the marks of nested messages do no harm. */
static void foreign_marks(void)
{
    check_format(message_make(MSG_WRITE_THIS, "\001NO_SUCH_MESSAGE", NULL), "write ", "请写作 ");
    check_format(message_make(MSG_WRITE_THIS, "\001", NULL), "write ", "请写作 ");
    check_format(message_make(MSG_WRITE_THIS, "\001WRITE_THIS\002\001WRITE_THIS\002\001WRITE_THIS", NULL),
                 "write write write {0}", "请写作 请写作 请写作 {0}");
}

static void many_args(void)
{
    struct message message = message_make(MSG_NONE, "1", "2", "3", "4", "5", "6", NULL);

    g_assert_cmpstr(message.args[5], ==, "6");
    message_clear(&message);
}

/* ---- the choice of language */

static void set(const char *name, const char *value)
{
    if (value != NULL)
        g_setenv(name, value, TRUE);
    else
        g_unsetenv(name);
}

static void check_environment(const char *language, const char *all, const char *lang, enum language wanted)
{
    enum language chosen = wanted == LANGUAGE_EN ? LANGUAGE_ZH : LANGUAGE_EN;

    set("LANGUAGE", language);
    set("LC_ALL", all);
    set("LC_MESSAGES", NULL);
    set("LANG", lang);
    g_assert_true(language_choose(NULL, &chosen));
    g_assert_cmpint(chosen, ==, wanted);
}

static void environment(void)
{
    check_environment(NULL, NULL, NULL, LANGUAGE_EN);
    check_environment(NULL, NULL, "zh_CN.UTF-8", LANGUAGE_ZH);
    check_environment(NULL, "", "zh_CN", LANGUAGE_ZH);
    check_environment(NULL, "C", "zh_CN.UTF-8", LANGUAGE_EN);
    check_environment(NULL, "fr_FR", "zh_CN.UTF-8", LANGUAGE_EN);
    check_environment("zh_CN:en", "C", NULL, LANGUAGE_ZH);
    check_environment("fr:zh", NULL, "en_GB", LANGUAGE_ZH);
    check_environment("fr:en:zh", NULL, "zh_CN", LANGUAGE_EN);
    check_environment("fr", NULL, "zh_CN", LANGUAGE_ZH);
    check_environment(":", NULL, "zhuang", LANGUAGE_EN);
    set("LC_MESSAGES", "zh_TW");
    enum language chosen = LANGUAGE_EN;
    set("LANG", "en_GB");
    g_assert_true(language_choose(NULL, &chosen));
    g_assert_cmpint(chosen, ==, LANGUAGE_ZH);
}

static void option(void)
{
    static const struct {
        const char *value;
        gboolean known;
        enum language language;
    } cases[] = {
        {"en", TRUE, LANGUAGE_EN},  {"zh", TRUE, LANGUAGE_ZH},      {"zh_CN.UTF-8", TRUE, LANGUAGE_ZH},
        {"ZH", TRUE, LANGUAGE_ZH},  {"zh-Hans", TRUE, LANGUAGE_ZH}, {"", FALSE, LANGUAGE_EN},
        {"fr", FALSE, LANGUAGE_EN}, {"C", FALSE, LANGUAGE_EN},      {"z", FALSE, LANGUAGE_EN},
    };

    set("LANGUAGE", "zh");
    for (guint n = 0; n < G_N_ELEMENTS(cases); n++) {
        enum language chosen = LANGUAGE_ZH;
        g_assert_cmpint(language_choose(cases[n].value, &chosen), ==, cases[n].known);
        g_assert_cmpint(chosen, ==, cases[n].language);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/text/message/both-languages", both_languages);
    g_test_add_func("/text/message/fill", fill);
    g_test_add_func("/text/message/nested", nested);
    g_test_add_func("/text/message/foreign-marks", foreign_marks);
    g_test_add_func("/text/message/many-args", many_args);
    g_test_add_func("/text/language/environment", environment);
    g_test_add_func("/text/language/option", option);
    return g_test_run();
}
