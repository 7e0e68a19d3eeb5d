/* Address lists as RFC 5322 has them, as mailers send them, and as nobody should read them. */
#include "milter/inspect/mailbox.h"

#include <string.h>

static void check(const char *value, const char *expected)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *copy = g_memdup2(value, strlen(value)); /* no NUL behind it */
    gboolean is_read = mailboxes_parse(copy, strlen(value), addresses);

    g_test_message("%s", value);
    g_assert_cmpint(is_read, ==, expected != NULL);
    if (!is_read)
        return;
    g_ptr_array_add(addresses, NULL);
    g_autofree char *joined = g_strjoinv("|", (char **)addresses->pdata);
    g_assert_cmpstr(joined, ==, expected);
}

static void test_good(void)
{
    static const char *const table[][2] = {
        {"bob@example.org", "bob@example.org"},
        {" <bob@example.org> ", "bob@example.org"},
        {"Bob <bob@example.org>", "bob@example.org"},
        {"\"Bob, the \\\"Boss\\\" <x@y>\" <bob@example.org>", "bob@example.org"},
        {"Bob (a (nested \\) comment) here) <bob@example.org> (tail)", "bob@example.org"},
        {"bob@example.org (Bob)", "bob@example.org"},
        {"bob (who) @ (where) example . org", "bob@example.org"},
        {"\"b o b\"@example.org", "\"b o b\"@example.org"},
        {"\"b\\\"b\"@example.org", "\"b\\\"b\"@example.org"},
        {"a.b.c@d.e", "a.b.c@d.e"},
        {"bob@[192.0.2.1]", "bob@[192.0.2.1]"},
        {"a@b, C <c@d>,\t\"E\" <e@f>", "a@b|c@d|e@f"},
        {",a@b,,c@d,", "a@b|c@d"},
        {"Friends: a@b, C <c@d>;", "a@b|c@d"},
        {"Friends: a@b;, c@d", "a@b|c@d"},
        {"<@relay,@other:bob@example.org>", "bob@example.org"},
        {"J. R. Bob <bob@example.org>", "bob@example.org"},
        {"[Support] Bob <bob@example.org>", "bob@example.org"},
        {"=?utf-8?B?5byg5LiJ?= <zhang@example.org>", "zhang@example.org"},
        {"=?utf-8?Q?a=2Cb?= =?utf-8?Q?c?= <a@b>", "a@b"},
        {"张三 <张三@例子.中国>", "张三@例子.中国"},
        {"bob@example.org <Bob@Example.org>", "Bob@Example.org"},
        {"\"bob@evil\" <bob@example.org>", "bob@example.org"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        check(table[i][0], table[i][1]);
}

static void test_bad(void)
{
    static const char *const table[] = {
        "",
        "   ",
        "bob",
        "<>",
        "<bob>",
        "Bob <bob@example.org",
        "Bob bob@example.org>",
        "boss@example.org <bob@example.org>", /* programs differ in whom they show */
        "Bob, Junior <bob@example.org>",
        "a@b c@d",
        "a@b <c@d> <e@f>",
        "<a@b>, <c@d> e",
        "undisclosed-recipients:;",
        "Group: a@b",
        "Group: a@b, Inner: c@d;;",
        "a@b;",
        "a@b, (unclosed",
        "\"unclosed <a@b>",
        "a@@b",
        "@b",
        "a@",
        ".a@b",
        "a..b@c",
        "a@b..c",
        "a@[1.2.3.4",
        "=?utf-8?B?5byg5LiJIDxhQGI+?=", /* the address inside the encoded-word */
        "a\x01@b",
        "<@a b@c>",
        "a@b\\",
        "Bob <bob@example.org>x",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        check(table[i], NULL);
}

static void test_nul_and_size(void)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) many = g_string_new(NULL), deep = g_string_new(NULL);

    g_assert_false(mailboxes_parse("a@b\0,c@d", 8, addresses));
    for (guint i = 0; i < 2000; i++)
        g_string_append(many, "a@b,");
    g_ptr_array_set_size(addresses, 0);
    g_assert_false(mailboxes_parse(many->str, many->len, addresses));
    g_assert_cmpuint(addresses->len, ==, 1000);
    for (guint i = 0; i < 20000; i++)
        g_string_append_c(deep, '(');
    g_assert_false(mailboxes_parse(deep->str, deep->len, addresses));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/mailbox/good", test_good);
    g_test_add_func("/inspect/mailbox/bad", test_bad);
    g_test_add_func("/inspect/mailbox/nul-and-size", test_nul_and_size);
    return g_test_run();
}
