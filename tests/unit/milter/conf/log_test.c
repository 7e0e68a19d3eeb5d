#include "milter/conf/log.h"

#include <string.h>

static void cleaned(const char *text, const char *expected)
{
    g_autofree char *out = log_clean(text, 1000);
    g_assert_cmpstr(out, ==, expected);
}

static void test_what_may_not_pass(void)
{
    cleaned("机密 to=<bo@x>", "机密 to=<bo@x>");
    cleaned("a\r\nforged line", "a\\x0d\\x0aforged line");
    cleaned("\x1b[31mred", "\\x1b[31mred");
    cleaned("\xff\xfe", "\\xff\\xfe");
    cleaned("a\xe2\x80\xae"
            "b",
            "a\\u{202e}b");
    cleaned("\xc2\x9b", "\\u{9b}");
    cleaned("\xe2\x80", "\\xe2\\x80");
    cleaned("%s%n", "%s%n");
}

static void test_length(void)
{
    g_autofree char *long_text = g_strnfill(5000, 'x');
    g_autofree char *out = log_clean(long_text, 100);
    g_assert_cmpuint(strlen(out), <=, 100);
    g_assert_true(g_str_has_suffix(out, "..."));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/log/clean", test_what_may_not_pass);
    g_test_add_func("/log/length", test_length);
    return g_test_run();
}
