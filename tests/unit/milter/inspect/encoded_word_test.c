/* The joiner, against tests/data/label-vectors.tsv (rows rfc2047) and what real mailers send. */
#include "milter/inspect/encoded_word.h"

#include <string.h>

#include "milter/inspect/charset.h"

static char *decode(const char *value, enum reading reading, guint *flags)
{
    GString *out = g_string_new(NULL);
    guint got = encoded_word_decode(value, strlen(value), reading, out);

    if (flags != NULL)
        *flags = got;
    return g_string_free(out, FALSE);
}

/* \\xNN of the vectors' file, the only escape there. */
static char *unescape(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && text[1] == 'x') {
            g_string_append_c(out,
                              (char)(g_ascii_xdigit_value(text[2]) << 4 | g_ascii_xdigit_value(text[3])));
            text += 3;
        } else {
            g_string_append_c(out, *text);
        }
    }
    return g_string_free(out, FALSE);
}

static char *path_of(const char *name)
{
    const char *top = g_getenv("MIJI_TOP");

    return g_build_filename(top != NULL ? top : ".", name, NULL);
}

static void test_vectors(void)
{
    g_autofree char *path = path_of("tests/data/label-vectors.tsv"), *content = NULL;
    guint rows = 0;

    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) columns = g_strsplit(lines[i], "\t", 4);
        if (g_strv_length(columns) < 3 || strcmp(columns[0], "rfc2047") != 0)
            continue;
        g_autofree char *input = unescape(columns[1]);
        g_auto(GStrv) expected = g_strsplit(columns[2], " => ", 2);
        g_autofree char *text = decode(input, READING_DECLARED, NULL);
        g_assert_cmpstr(text, ==, expected[0]);
        rows++;
    }
    g_assert_cmpuint(rows, >=, 11);
}

static void test_words(void)
{
    static const struct {
        const char *value, *text;
        guint flags;
    } table[] = {
        {"", "", 0},
        {"plain text", "plain text", 0},
        {"=?utf-8?q?a_b=5Fc?=", "a b_c", 0},
        {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab", 0},
        {"=?utf-8?Q?a?=  \t=?utf-8?Q?b?= c", "ab c", 0},
        {"x =?utf-8?Q?a?= y", "x a y", 0},
        {"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab", READING_LENIENT},
        {"x=?utf-8?Q?a?=y", "xay", READING_LENIENT},
        {"\"=?utf-8?Q?a?=\"", "\"a\"", READING_LENIENT},
        {"=?utf-8*zh-CN?B?5py65a+G?=", "机密", 0},
        /* a padded word before another one: the MIME library stops there */
        {"=?gbk?B?u/o=?= =?gbk?B?w9w=?=", "机密", READING_DOUBTFUL},
        /* a character split across words, and case of the charset */
        {"=?gbk?B?uw==?= =?GBK?Q?=FA?=", "机", READING_DOUBTFUL},
        {"=?utf-8?Q?=E6=9C?= =?UTF-8?Q?=BA?=", "机", 0},
        /* different charsets are not joined */
        {"=?utf-8?Q?=E6=9C=BA?= =?gbk?B?w9w=?=", "机密", READING_DOUBTFUL},
        /* ISO-2022: each word returns to ASCII by itself */
        {"=?iso-2022-jp?B?GyRCNSFMKRsoQg==?= =?iso-2022-jp?B?GyRCNSFMKRsoQg==?=", "機密機密", 0},
        {"=?hz-gb-2312?Q?~{;zC\\~}10?=", "机密10", 0},
        {"=?x-nobody?Q?=BB=FA?=", "机", READING_UNKNOWN_CHARSET | READING_DOUBTFUL},
        {"=?x-nobody?Q?abc?=", "abc", READING_UNKNOWN_CHARSET},
        {"=?utf-8?B?u/rD3A==?=", "机密", READING_INVALID | READING_DOUBTFUL},
        {"=?us-ascii?Q?=E6=9C=BA?=", "机", READING_INVALID},
        {"=?utf-8?Q?=FF=FF=FF?=", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", READING_INVALID | READING_DOUBTFUL},
        /* no words */
        {"=?utf-8?X?a?=", "=?utf-8?X?a?=", 0},
        {"=?utf-8?Q?a", "=?utf-8?Q?a", 0},
        {"=?utf-8?Q?=", "=?utf-8?Q?=", 0},
        {"=??Q?a?=", "=??Q?a?=", 0},
        {"a = b =? c", "a = b =? c", 0},
        {"=?", "=?", 0},
        {"=?utf-8?Q?"
         "?=",
         "", 0},
        {"=?utf-8?Q?100=?=", "100=", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        guint flags;
        g_autofree char *text = decode(table[i].value, READING_DECLARED, &flags);
        g_test_message("%s", table[i].value);
        g_assert_cmpstr(text, ==, table[i].text);
        g_assert_cmpuint(flags, ==, table[i].flags);
    }
}

static void test_readings(void)
{
    static const struct {
        const char *value;
        enum reading reading;
        const char *text;
    } table[] = {
        {"=?big5?B?u/rD3KHvMTDE6g==?=", READING_GB18030, "机密★10年"},
        {"=?gb2312?B?5py65a+G?=", READING_DECLARED, "鏈哄瘑"}, /* valid GB18030, alas */
        {"=?gb2312?B?5py65a+G?=", READING_UTF_8, "机密"},
        {"=?iso-8859-1?Q?=BB=FA=C3=DC?=", READING_GB18030, "机密"},
        {"=?gb2312?B?vvexSw==?=", READING_BIG5, "機密"},
        {"[SEC=SEC=?utf-8?Q?RET?=]", READING_STRICT, "[SEC=SEC=?utf-8?Q?RET?=]"},
        {"[SEC=SEC=?utf-8?Q?RET?=]", READING_DECLARED, "[SEC=SECRET]"},
        {"=?utf-8?Q?a b?=", READING_STRICT, "=?utf-8?Q?a b?="},
        {"=?utf-8?Q?a b?=", READING_DECLARED, "a b"},
        /* what is not valid in the forced charset stays as declared */
        {"=?utf-8?Q?=E6=9C=BA?= =?big5?B?vvex?=", READING_UTF_8, "机機\xef\xbf\xbd"},
        {"\xbe\xf7\xb1\x4b", READING_BIG5, "機密"},
        {"\xbb\xfa\xc3\xdc", READING_DECLARED, "机密"},
        {"\xe6\x9c\xba\xe5\xaf\x86", READING_DECLARED, "机密"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = decode(table[i].value, table[i].reading, NULL);
        g_assert_cmpstr(text, ==, table[i].text);
    }
}

/* NULs travel: the caller decides. */
static void test_nul(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    encoded_word_decode("a\0=?utf-8?B?YQBi?=", 18, READING_DECLARED, out);
    g_assert_cmpmem(out->str, out->len, "a\0a\0b", 5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_assert_true(charset_open_all());
    g_test_add_func("/inspect/encoded-word/vectors", test_vectors);
    g_test_add_func("/inspect/encoded-word/words", test_words);
    g_test_add_func("/inspect/encoded-word/readings", test_readings);
    g_test_add_func("/inspect/encoded-word/nul", test_nul);
    return g_test_run();
}
