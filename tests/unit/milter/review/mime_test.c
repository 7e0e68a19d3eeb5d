/* Fields and parts of our own messages, to the octet; and the values of DSN parameters. */
#include "milter/review/mime.h"

#include <string.h>

#include "milter/review/dsn.h"

static void assert_field(const char *value, const char *wanted)
{
    g_autoptr(GString) out = g_string_new(NULL);

    mime_field(out, "Subject", value);
    g_assert_cmpstr(out->str, ==, wanted);
}

static void test_field(void)
{
    assert_field("one two", "Subject: one two\r\n");
    assert_field("", "Subject:\r\n");
    assert_field("  a\tb  ", "Subject: a b\r\n");
    assert_field("a\r\nBcc: b", "Subject: a Bcc: b\r\n");
    assert_field("\xe6\x9c\xba\x01", "Subject: ????\r\n");
    assert_field(
        "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 123 123456",
        "Subject: 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 123\r\n 123456\r\n");
}

static void assert_text_field(const char *value, const char *wanted)
{
    g_autoptr(GString) out = g_string_new(NULL);

    mime_text_field(out, "Subject", value);
    g_assert_cmpstr(out->str, ==, wanted);
}

static void test_text_field(void)
{
    assert_text_field("plain", "Subject: plain\r\n");
    assert_text_field("公开", "Subject: =?UTF-8?B?5YWs5byA?=\r\n");
    assert_text_field("=?x", "Subject: =?UTF-8?B?PT94?=\r\n"); /* looks like an encoded-word */
    assert_text_field("\r\nX: y", "Subject: X: y\r\n");
    /* Whole characters in each word, and no line above 78. */
    assert_text_field("您的邮件未能送达全部收件人 / Your mail",
                      "Subject: =?UTF-8?B?5oKo55qE6YKu5Lu25pyq6IO96YCB6L6+5YWo6YOo5pS25Lu25Lq6IC8g?=\r\n"
                      " =?UTF-8?B?WW91ciBtYWls?=\r\n");
}

static void test_text_part(void)
{
    g_autoptr(GString) ascii = g_string_new(NULL), chinese = g_string_new(NULL), wide = g_string_new(NULL);
    g_autofree char *line = g_strnfill(79, 'x');

    mime_text_part(ascii, "one\ntwo");
    g_assert_cmpstr(ascii->str, ==,
                    "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
                    "one\r\ntwo\r\n");
    mime_text_part(chinese, "密\n");
    g_assert_cmpstr(chinese->str, ==,
                    "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                    "5a+GDQo=\r\n");
    mime_text_part(wide, line);
    g_assert_nonnull(strstr(wide->str, "base64"));
}

static void test_date(void)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc(), east = g_time_zone_new_offset(8 * 3600);
    g_autofree char *there = mime_date(1780315200, east), *here = mime_date(1780315200, utc);
    g_autofree char *never = mime_date(G_MAXINT64, utc);

    g_assert_cmpstr(there, ==, "Mon, 1 Jun 2026 20:00:00 +0800");
    g_assert_cmpstr(here, ==, "Mon, 1 Jun 2026 12:00:00 +0000");
    g_assert_cmpstr(never, ==, "Thu, 1 Jan 1970 00:00:00 +0000");
}

static void test_xtext(void)
{
    static const char *const pairs[][2] = {{"plain", "plain"}, {"a+2Bb", "a+b"}, {"+3D", "="},
                                           {"+0D", NULL},      {"a+", NULL},     {"a+2", NULL},
                                           {"+GG", NULL},      {"\x80", NULL},   {"", ""}};

    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autofree char *text = mime_xtext(pairs[i][0], strlen(pairs[i][0]));
        g_assert_cmpstr(text, ==, pairs[i][1]);
    }
}

static void assert_envelope_id(const char *parameters, const char *wanted)
{
    g_autofree char *id = dsn_envelope_id(parameters);

    g_assert_cmpstr(id, ==, wanted);
}

static void test_parameters(void)
{
    g_autofree char *many = g_strnfill(101, 'x'), *too_long = g_strconcat("ENVID=", many, NULL);

    assert_envelope_id(NULL, NULL);
    assert_envelope_id("RET=HDRS BODY=8BITMIME", NULL);
    assert_envelope_id("RET=HDRS envid=QQ+2B1 BODY=8BITMIME", "QQ+1");
    assert_envelope_id("ENVID=", NULL);
    assert_envelope_id("ENVID=a+0Ab", NULL);
    assert_envelope_id(too_long, NULL);
    g_assert_true(dsn_is_never("NEVER"));
    g_assert_true(dsn_is_never("never"));
    g_assert_false(dsn_is_never("SUCCESS,FAILURE"));
    g_assert_false(dsn_is_never(NULL));
}

static void test_line(void)
{
    g_autofree char *line = mime_line(" a\nb\tc\x01\xff ", 100), *cut = mime_line("密密密密", 2);

    g_assert_cmpstr(line, ==, "a b c·\xef\xbf\xbd");
    g_assert_cmpstr(cut, ==, "密密…");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/mime/field", test_field);
    g_test_add_func("/review/mime/text-field", test_text_field);
    g_test_add_func("/review/mime/text-part", test_text_part);
    g_test_add_func("/review/mime/date", test_date);
    g_test_add_func("/review/mime/xtext", test_xtext);
    g_test_add_func("/review/mime/parameters", test_parameters);
    g_test_add_func("/review/mime/line", test_line);
    return g_test_run();
}
