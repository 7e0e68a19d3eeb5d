/* Charsets: names, conversion, and what is not valid. */
#include "milter/inspect/charset.h"

#include <string.h>

static void test_names(void)
{
    static const struct {
        const char *name;
        enum charset_id id;
    } table[] = {
        {"UTF-8", CHARSET_UTF_8},
        {"utf8", CHARSET_UTF_8},
        {"UTF-8*zh-CN", CHARSET_UTF_8},
        {"GB2312", CHARSET_GB18030},
        {"gb_2312-80", CHARSET_GB18030},
        {"x-gbk", CHARSET_GB18030},
        {"CP54936", CHARSET_GB18030},
        {"Windows-936", CHARSET_GB18030},
        {"HZ-GB-2312", CHARSET_HZ},
        {"x-x-big5", CHARSET_BIG5},
        {"unicode-1-1-utf-7", CHARSET_UTF_7},
        {"", CHARSET_UNKNOWN},
        {"utf-8//TRANSLIT", CHARSET_UNKNOWN},
        {"iso-2022-cn-ext", CHARSET_UNKNOWN},
        {"gb", CHARSET_GB18030},
        {"gbx", CHARSET_UNKNOWN},
        {"utf", CHARSET_UNKNOWN},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        g_assert_cmpint(charset_find(table[i].name, strlen(table[i].name)), ==, table[i].id);
}

/* Each charset of the table is one that this system really converts. */
static void test_all_open(void)
{
    for (enum charset_id id = 0; id < CHARSET_COUNT; id++) {
        g_autoptr(GString) out = g_string_new(NULL);
        const char *octets = id == CHARSET_UTF_16BE ? "\0A" : "A\0\0\0";
        gsize length = id == CHARSET_UTF_32 ? 4 : id >= CHARSET_UTF_16 && id <= CHARSET_UTF_16BE ? 2 : 1;
        g_test_message("%d", id);
        g_assert_cmpuint(charset_decode(id, octets, length, out), ==, 0);
        g_assert_cmpstr(out->str, ==, "A");
    }
}

static void test_decode(void)
{
    static const struct {
        enum charset_id id;
        const char *octets, *text;
        guint invalid;
    } table[] = {
        {CHARSET_GB18030,
         "\xbb\xfa\xc3\xdc\xa1\xef"
         "10\xc4\xea",
         "机密★10年", 0},
        {CHARSET_GB18030, "\xe9\x46\x86\xb4\x88\xd2\xa9\x96", "镕喆堃〇", 0}, /* GBK beyond GB 2312 */
        {CHARSET_BIG5, "\xbe\xf7\xb1\x4b\xa1\xb9", "機密★", 0},
        {CHARSET_HZ, "~{;zC\\!o~}10~{Dj~}", "机密★10年", 0},
        {CHARSET_HZ, "a~~b~\nc~{;z\nC\\", "a~bc机\nC\\", 0},
        {CHARSET_UTF_7, "+ZzpbxiYF-10+XnQ-", "机密★10年", 0},
        {CHARSET_UTF_8, "a\xe6\x9c\xba", "a机", 0},
        {CHARSET_UTF_8,
         "a\xff"
         "b\xe6\x9c",
         "a\xef\xbf\xbd"
         "b\xef\xbf\xbd\xef\xbf\xbd",
         3},
        {CHARSET_UTF_8, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3}, /* a surrogate */
        {CHARSET_ASCII,
         "a\xe6"
         "b",
         "a\xef\xbf\xbd"
         "b",
         1},
        {CHARSET_GB18030, "\xbb\xfa\xff\xc3\xdc", "机\xef\xbf\xbd密", 1},
        {CHARSET_GB18030, "a\xbb", "a\xef\xbf\xbd", 1}, /* unfinished */
        {CHARSET_ISO_8859_1, "\xe9", "é", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_cmpuint(charset_decode(table[i].id, table[i].octets, strlen(table[i].octets), out), ==,
                         table[i].invalid);
        g_assert_cmpstr(out->str, ==, table[i].text);
        g_string_assign(out, "x");
        g_assert_cmpint(charset_decode_strict(table[i].id, table[i].octets, strlen(table[i].octets), out), ==,
                        table[i].invalid == 0);
        if (table[i].invalid != 0)
            g_assert_cmpstr(out->str, ==, "x");
    }
}

/* One conversion that ends within a state or a character does not spoil the next. */
static void test_state_is_reset(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    charset_decode(CHARSET_ISO_2022_JP, "\x1b$B5!", 5, out);
    g_string_truncate(out, 0);
    g_assert_cmpuint(charset_decode(CHARSET_ISO_2022_JP, "5!", 2, out), ==, 0);
    g_assert_cmpstr(out->str, ==, "5!");
}

static void test_nul(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_cmpuint(charset_decode(CHARSET_UTF_8, "\xe6\x9c\xba\0a\xff\0", 7, out), ==, 1);
    g_assert_cmpmem(out->str, out->len, "机\0a\xef\xbf\xbd\0", 9);
    g_string_truncate(out, 0);
    g_assert_true(charset_decode_strict(CHARSET_UTF_8, "\xe6\x9c\xba\0", 4, out));
    g_assert_cmpuint(out->len, ==, 4);
}

static void test_guess(void)
{
    static const struct {
        const char *octets, *text;
        enum charset_id id;
        gboolean invalid;
    } table[] = {
        {"abc", "abc", CHARSET_UTF_8, FALSE},
        {"\xe6\x9c\xba\xe5\xaf\x86", "机密", CHARSET_UTF_8, FALSE},
        {"\xbb\xfa\xc3\xdc", "机密", CHARSET_GB18030, FALSE},
        {"\xff\xff", "\xef\xbf\xbd\xef\xbf\xbd", CHARSET_GB18030, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        gboolean invalid = !table[i].invalid;
        g_assert_cmpint(charset_guess(table[i].octets, strlen(table[i].octets), out, &invalid), ==,
                        table[i].id);
        g_assert_cmpstr(out->str, ==, table[i].text);
        g_assert_cmpint(invalid, ==, table[i].invalid);
    }
}

/* Output that is three times as long as the input, beyond any first guess of its size. */
static void test_long(void)
{
    g_autoptr(GString) in = g_string_new(NULL), out = g_string_new(NULL);

    for (guint i = 0; i < 100000; i++)
        g_string_append(in, "\xbb\xfa\xc3\xdc\xff");
    g_assert_cmpuint(charset_decode(CHARSET_GB18030, in->str, in->len, out), ==, 100000);
    g_assert_cmpuint(out->len, ==, 900000);
    g_assert_true(g_utf8_validate_len(out->str, out->len, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_assert_true(charset_open_all());
    g_test_add_func("/inspect/charset/names", test_names);
    g_test_add_func("/inspect/charset/all-open", test_all_open);
    g_test_add_func("/inspect/charset/decode", test_decode);
    g_test_add_func("/inspect/charset/state-is-reset", test_state_is_reset);
    g_test_add_func("/inspect/charset/nul", test_nul);
    g_test_add_func("/inspect/charset/guess", test_guess);
    g_test_add_func("/inspect/charset/long", test_long);
    return g_test_run();
}
