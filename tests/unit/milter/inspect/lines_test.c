/* Which lines of a text count, and which are quoted; HTML as text. */
#include "milter/inspect/lines.h"

#include <string.h>

#include "milter/inspect/html.h"
#include "milter/inspect/limits.h"

/* "1:own|2>quoted" of one text. */
static char *lines_of(const char *text, gsize length)
{
    g_autoptr(answer) answer = answer_new();
    g_autofree char *copy = g_memdup2(text, length);
    struct lines *lines = lines_new(answer);
    GString *out = g_string_new(NULL);

    lines_add(lines, copy, length);
    lines_finish(lines);
    const GByteArray *flat = answer_finish(answer, length);
    g_autoptr(facts) facts = facts_read(flat->data, flat->len, NULL);
    for (guint i = 0; i < facts->candidate_count; i++) {
        const struct fact_candidate *candidate = &facts->candidates[i];
        g_string_append_printf(out, "%s%u%c%s", i > 0 ? "|" : "", candidate->place.line,
                               candidate->place.kind == PLACE_QUOTED ? '>' : ':', candidate->text.data);
    }
    return g_string_free(out, FALSE);
}

static void check(const char *text, const char *expected)
{
    g_autofree char *lines = lines_of(text, strlen(text));

    g_assert_cmpstr(lines, ==, expected);
}

static void test_own_and_quoted(void)
{
    static const char *const table[][2] = {
        {"", ""},
        {"\n \n\t\n", ""},
        {"a\n\n  b  \r\nc", "1:a|3:b|4:c"},
        {"a\n> b\n>> c\n>\nd", "1:a|2>b|3>c|5:d"},
        {"a\n-----Original Message-----\nb\n> c", "1:a|2>-----Original Message-----|3>b|4>c"},
        {"a\n----- 原始邮件 -----\n机密", "1:a|2>----- 原始邮件 -----|3>机密"},
        {"a\n---------- Forwarded message ---------\nFrom: x\n",
         "1:a|2>---------- Forwarded message ---------|3>From: x"},
        {"a\nOn Mon, 23 Nov 2026, Bob wrote:\nb", "1:a|2>On Mon, 23 Nov 2026, Bob wrote:|3>b"},
        {"a\nOn Mon, 23 Nov 2026, Bob\n<b@x> wrote:\nb", "1:a|2>On Mon, 23 Nov 2026, Bob|3><b@x> wrote:|4>b"},
        {"a\n在 2026年11月23日，张三 写道：\nb", "1:a|2>在 2026年11月23日，张三 写道：|3>b"},
        {"a\n发件人：张三\n发送时间：今天\n主题：机密\n\nb",
         "1:a|2>发件人：张三|3>发送时间：今天|4>主题：机密|6>b"},
        {"a\nFrom: Bob\nSent: Monday\nTo: you\n\nb", "1:a|2>From: Bob|3>Sent: Monday|4>To: you|6>b"},
        /* not separators */
        {"a\nFrom: here to there\nb\nc", "1:a|2:From: here to there|3:b|4:c"},
        {"On Monday\nb", "1:On Monday|2:b"},
        {"-- \n机密", "1:--|2:机密"},
        {"-----BEGIN-----\nb", "1:-----BEGIN-----|2:b"},
        {"他写道：\nb", "1:他写道：|2:b"},
        /* a quoted separator does not make what follows outside of the quote quoted */
        {"> -----Original Message-----\n> b\nc", "1>-----Original Message-----|2>b|3:c"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        check(table[i][0], table[i][1]);
}

/* Programs end a line also at a bare CR, VT, FF, U+0085, U+2028 and U+2029; only line feeds are counted, so
 * that no line gets a higher number by it. */
static void test_line_ends(void)
{
    static const char *const table[][2] = {
        {"a\r机密\rb\r\nc", "1:a|1:机密|1:b|2:c"},
        {"a\v机密\fb\n\fc", "1:a|1:机密|1:b|2:c"},
        {"a\xe2\x80\xa8机密\xe2\x80\xa9"
         "b\xc2\x85"
         "c\nd",
         "1:a|1:机密|1:b|1:c|2:d"},
        {"a\r\r\n机密", "1:a|2:机密"},
        {"> a\r机密", "1>a|1:机密"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        check(table[i][0], table[i][1]);
}

/* The head of a memo is the sender's own text; so is what stands below it. */
static void test_memo(void)
{
    check("发件人：财务处\n收件人：各处室\n日期：今天\n密级：机密\n",
          "1:发件人：财务处|2:收件人：各处室|3:日期：今天|4:密级：机密");
    check("\n \nFrom: Bob\nTo: you\nSubject: x\n机密", "3:From: Bob|4:To: you|5:Subject: x|6:机密");
    check("____\nFrom: Bob\nTo: you\nSubject: x\n机密", "1:____|2>From: Bob|3>To: you|4>Subject: x|5>机密");
}

static void test_first_and_last(void)
{
    g_autoptr(GString) text = g_string_new(NULL), expected = g_string_new(NULL);

    for (guint i = 1; i <= 500; i++) {
        g_string_append_printf(text, "L%u\n", i);
        if (i <= LIMIT_OWN_LINES || i > 500 - LIMIT_OWN_LINES)
            g_string_append_printf(expected, "%s%u:L%u", i > 1 ? "|" : "", i, i);
    }
    check(text->str, expected->str);
}

/* Between 50 and 100 lines each appears once. */
static void test_overlap(void)
{
    g_autoptr(GString) text = g_string_new(NULL), expected = g_string_new(NULL);

    for (guint i = 1; i <= 77; i++) {
        g_string_append_printf(text, "L%u\n", i);
        g_string_append_printf(expected, "%s%u:L%u", i > 1 ? "|" : "", i, i);
    }
    check(text->str, expected->str);
}

static void test_quoted_limit(void)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint block = 0; block < 10; block++) {
        g_string_append(text, "-----Original Message-----\n");
        for (guint i = 0; i < 300; i++)
            g_string_append(text, "x\n");
    }
    g_autofree char *lines = lines_of(text->str, text->len);
    g_auto(GStrv) split = g_strsplit(lines, "|", -1);
    g_assert_cmpuint(g_strv_length(split), ==, LIMIT_ALL_QUOTED_LINES);
    g_assert_cmpstr(split[LIMIT_QUOTED_LINES], ==, "302>-----Original Message-----");
}

static void test_long_line_and_nul(void)
{
    g_autoptr(GString) text = g_string_new("机\xef\xbc\x9a");

    for (guint i = 0; i < 2000; i++)
        g_string_append(text, "密");
    g_autofree char *lines = lines_of(text->str, text->len);
    g_assert_cmpuint(strlen(lines), ==, 2 + LIMIT_LINE_BYTES - 1); /* 1,024 is within a character */
    g_assert_true(g_utf8_validate(lines, -1, NULL));
    g_autofree char *nul = lines_of("机\0密\n\0\n", 9);
    g_assert_cmpstr(nul, ==, "1:机密");
}

static void check_html(const char *html, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_test_message("%s", html);
    g_assert_true(html_to_text(html, strlen(html), HTML_WHOLE, out, NULL));
    g_assert_cmpstr(out->str, ==, expected);
}

static void test_html(void)
{
    check_html("<p>a<p>b", "a\nb\n");
    check_html("<html><head><title>t</title><style>p{}</style><script>x<y</script></head><body>  a \n "
               "b<br>c</body></html>",
               "a b\nc\n");
    check_html("机&#23494;&nbsp;&lt;x&gt;", "机密 <x>\n");
    check_html("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n");
    check_html("a<blockquote>b<div>c</div></blockquote>d", "a\n> b\n> c\nd\n");
    check_html("<pre>a\n  b</pre>", "a\nb\n");
    /* a charset that the document names does not count: it is UTF-8 by now */
    check_html("<meta http-equiv=Content-Type content='text/html; charset=gb2312'><p>镕基</p>", "镕基\n");
    check_html("<img src=x>", "");
    check_html("<style>p { color: red }</style><!-- words --><img src=x>&nbsp;", "");
    check_html("", "");
    check_html("text only", "text only\n");
    check_html("<a<b>x</", "x\n");
}

/* Deep and wide: linear. */
static void test_html_bomb(void)
{
    g_autoptr(GString) deep = g_string_new(NULL), out = g_string_new(NULL);

    for (guint i = 0; i < 100000; i++)
        g_string_append(deep, "<div>");
    g_string_append(deep, "机密");
    g_assert_true(html_to_text(deep->str, deep->len, HTML_WHOLE, out, NULL));
    g_assert_cmpstr(out->str, ==, "机密\n");
    /* characters at every border of the chunks that the parser is fed with */
    g_string_truncate(deep, 0);
    g_string_truncate(out, 0);
    for (guint i = 0; i < 30000; i++)
        g_string_append(deep, "机");
    g_assert_true(html_to_text(deep->str, deep->len, HTML_WHOLE, out, NULL));
    g_assert_cmpuint(out->len, ==, deep->len + 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/lines/line-ends", test_line_ends);
    g_test_add_func("/inspect/lines/memo", test_memo);
    g_test_add_func("/inspect/lines/own-and-quoted", test_own_and_quoted);
    g_test_add_func("/inspect/lines/first-and-last", test_first_and_last);
    g_test_add_func("/inspect/lines/overlap", test_overlap);
    g_test_add_func("/inspect/lines/quoted-limit", test_quoted_limit);
    g_test_add_func("/inspect/lines/long-line-and-nul", test_long_line_and_nul);
    g_test_add_func("/inspect/html/text", test_html);
    g_test_add_func("/inspect/html/bomb", test_html_bomb);
    return g_test_run();
}
