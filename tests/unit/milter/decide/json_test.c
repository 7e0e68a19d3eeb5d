#include "milter/decide/json.h"

/* Strings as they stand between the quotes. */
static void test_strings(void)
{
    static const char *const table[][2] = {
        {"plain 机密★", "plain 机密★"},
        {"a \"quote\" and \\", "a \\\"quote\\\" and \\\\"},
        {"line\nline\r\t", "line\\u000aline\\u000d\\u0009"},
        {"\033[31mred\007\177", "\\u001b[31mred\\u0007\\u007f"},
        {"\302\23331m", "\\u009b31m"},             /* CSI in one character */
        {"\342\200\256txt.exe", "\\u202etxt.exe"}, /* right to left */
        {"\363\240\200\201", "\\udb40\\udc01"},    /* U+E0001, a tag */
        {"\360\237\230\200", "\360\237\230\200"},
        {"\377", "\357\277\275"}, /* U+FFFD */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        struct json json = json_new();
        json_string(&json, NULL, table[i][0]);
        g_autofree char *text = json_finish(&json);
        g_autofree char *expected = g_strdup_printf("\"%s\"\n", table[i][1]);
        g_assert_cmpstr(text, ==, expected);
    }
}

static void test_members(void)
{
    struct json json = json_new();

    json_open(&json, NULL, '{');
    json_string(&json, "none", NULL);
    json_number(&json, "n", -1);
    json_open(&json, "list", '[');
    json_boolean(&json, NULL, TRUE);
    json_boolean(&json, NULL, FALSE);
    json_close(&json, ']');
    json_close(&json, '}');
    g_autofree char *text = json_finish(&json);
    g_assert_cmpstr(text, ==, "{\"none\":null,\"n\":-1,\"list\":[true,false]}\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/decide/json/strings", test_strings);
    g_test_add_func("/decide/json/members", test_members);
    return g_test_run();
}
