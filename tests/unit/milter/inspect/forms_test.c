/* One text in several forms: a mark counts in each that somebody's program shows. */
#include "milter/inspect/reader.h"

#include <string.h>

static struct facts *read_message(const char *message)
{
    g_autofree char *copy = g_memdup2(message, strlen(message));
    struct inspect_limits limits;

    inspect_limits_init(&limits);
    return inspect_octets(copy, strlen(message), &limits);
}

/* "3:text|…" of one kind of place; the number is that of the line, or of the part. */
static char *candidates_of(const struct facts *facts, enum place_kind kind)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < facts->candidate_count; i++) {
        const struct fact_candidate *candidate = &facts->candidates[i];
        if (candidate->place.kind == kind)
            g_string_append_printf(out, "%s%u:%s", out->len > 0 ? "|" : "",
                                   kind == PLACE_PART_NAME ? candidate->place.part : candidate->place.line,
                                   candidate->text.data);
    }
    return g_string_free(out, FALSE);
}

static gboolean has_finding(const struct facts *facts, enum finding_id id)
{
    for (guint i = 0; i < facts->finding_count; i++)
        if (facts->findings[i].id == id)
            return TRUE;
    return FALSE;
}

static void check(const char *message, enum place_kind kind, const char *expected)
{
    g_autoptr(facts) facts = read_message(message);
    g_autofree char *candidates = candidates_of(facts, kind);

    g_test_message("%.200s", message);
    g_assert_cmpstr(candidates, ==, expected);
}

static void check_contains(const char *message, enum place_kind kind, const char *expected)
{
    g_autoptr(facts) facts = read_message(message);
    g_autofree char *candidates = candidates_of(facts, kind);

    g_test_message("%.200s", message);
    g_test_message("%s", candidates);
    g_assert_nonnull(strstr(candidates, expected));
}

#define ALTERNATIVE "Content-Type: multipart/alternative; boundary=b\n\n"
#define HTML "--b\nContent-Type: text/html; charset=utf-8\n\n"

static void test_alternatives(void)
{
    check(ALTERNATIVE "--b\n\nno HTML here\n" HTML "<p>机密\n--b--\n", PLACE_LINE, "1:no HTML here|1:机密");
    check(ALTERNATIVE HTML "<p>机密\n--b\n\nno HTML here\n--b--\n", PLACE_LINE, "1:机密|1:no HTML here");
    /* each form begins where the text of the message before it ended */
    check("Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\ntwo\n--a\n" ALTERNATIVE
          "--b\n\nx\ny\nz\n" HTML "<p>u<p>v\n--b--\n--a\n\nend\n--a--\n",
          PLACE_LINE, "1:one|2:two|3:x|4:y|5:z|3:u|4:v|5:end");
    /* a form that is a multipart itself */
    check(ALTERNATIVE "--b\n\nx\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: "
                      "text/html\n\n<p>y\n--c\nContent-Type: text/html\n\n<p>z\n--c--\n--b--\n",
          PLACE_LINE, "1:x|1:y|1:z");
    check(ALTERNATIVE "--b\n\nx\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\ny\n--c\n"
                      "Content-Type: text/html\n\n<p>z\n--c--\n--b--\n",
          PLACE_LINE, "1:x|1:y|1:z");
}

/* Neither form pushes the first or last lines of the other out. */
static void test_long_alternatives(void)
{
    g_autoptr(GString) message = g_string_new(ALTERNATIVE "--b\n\n");

    for (guint i = 0; i < 200; i++)
        g_string_append_printf(message, "plain %u\n", i);
    g_string_append(message, HTML);
    for (guint i = 0; i < 200; i++)
        g_string_append_printf(message, "<p>html %u\n", i);
    g_string_append(message, "--b--\n");
    check_contains(message->str, PLACE_LINE, "1:plain 0|");
    check_contains(message->str, PLACE_LINE, "200:plain 199");
    check_contains(message->str, PLACE_LINE, "1:html 0|");
    check_contains(message->str, PLACE_LINE, "200:html 199");
}

/* A form is shown whatever it is called; a file beside a form is none. */
static void test_named_alternatives(void)
{
    check(ALTERNATIVE "--b\n\nx\n--b\nContent-Type: text/html; name=m.htm\n\n<p>机密\n--b--\n", PLACE_LINE,
          "1:x|1:机密");
    check(ALTERNATIVE
          "--b\n\nx\n--b\nContent-Type: text/html\nContent-Disposition: attachment\n\n<p>机密\n--b--\n",
          PLACE_LINE, "1:x|1:机密");
    check(ALTERNATIVE "--b\n\nx\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: "
                      "text/html\n\n<p>y\n--c\nContent-Type: text/plain; name=z.txt\n\nz\n--c--\n--b--\n",
          PLACE_LINE, "1:x|1:y");
}

/* Words that are whole only when what a style hides is taken away; and the hidden text itself. */
static void test_hidden(void)
{
    static const char *const hiding[] = {
        "style=display:none",         "style=\"color:red; Display : NONE !important\"",
        "style=\"display/**/:none\"", "style='visibility: hidden'",
        "style='font-size:0px'",      "style='mso-hide:all'",
        "style='opacity: 0.0'",       "hidden",
        "style=max-height:0",
    };
    static const char *const showing[] = {
        "style=display:inline",
        "style='font-size:0.9em'",
        "style='opacity:1'",
        "class=hidden",
        "style=''",
        "style",
        "style='x:\"display:none\"'",
        "style='/*display:none'",
        "style=font-size:",
    };
    gchar *message;

    for (gsize i = 0; i < G_N_ELEMENTS(hiding); i++) {
        message = g_strdup_printf(
            "Content-Type: text/html; charset=utf-8\n\n<p>机<span %s>JU<b>N</b>K</span>密<p>end\n",
            hiding[i]);
        check(message, PLACE_LINE, "1:机密|2:end|1:机JUNK密");
        g_free(message);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(showing); i++) {
        message = g_strdup_printf("Content-Type: text/html; charset=utf-8\n\n<p>机<span %s>JUNK</span>密\n",
                                  showing[i]);
        check(message, PLACE_LINE, "1:机JUNK密");
        g_free(message);
    }
    /* a block that is hidden ends no line of what is seen */
    check(
        "Content-Type: text/html; charset=utf-8\n\n<div>机<div style=display:none>a<p>b<br>c</div>密<p>end\n",
        PLACE_LINE, "1:机密|2:end|1:机|2:a|3:b|4:c|5:密|6:end");
    /* never closed, closed too often, empty elements */
    check("Content-Type: text/html; charset=utf-8\n\n<p>机密<p>a<span style=display:none>b\n", PLACE_LINE,
          "1:机密|2:a|2:ab");
    check("Content-Type: text/html; charset=utf-8\n\n</span><img style=display:none>机<br "
          "style=display:none>密</p></span>\n",
          PLACE_LINE, "1:机密|1:机|2:密");
    check("Content-Type: text/html; charset=utf-8\n\n<body style=display:none>机密\n", PLACE_LINE, "1:机密");
    /* in a charset that is called by another name */
    check_contains("Content-Type: text/html; charset=iso-8859-1\n\n<p>\xbb\xfa<i hidden>x</i>\xc3\xdc\n",
                   PLACE_LINE, "1:机密");
}

/* Programs show what stands behind the end, and a beginning that closes what was not opened. */
static void test_html_ends(void)
{
    static const char html[] = "Content-Type: text/html; charset=utf-8\n\n";
    static const char *const table[][2] = {
        {"<html><body><p>a</body></html>机密\n", "1:a|2:机密"},
        {"<html>a</html></html><p>机密</p></html>b\n", "1:a|2:机密|3:b"},
        {"</span>机密\n", "1:机密"},
        {"</html>机密\n", "1:机密"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *message = g_strconcat(html, table[i][0], NULL);
        check(message, PLACE_LINE, table[i][1]);
    }
}

/* RFC 2387 3.2: the root need not be the first part. */
static void test_related(void)
{
    check("Content-Type: multipart/related; boundary=b; start=\"<r>\"; "
          "type=\"text/html\"\n\n--b\nContent-Type: "
          "image/png\n\nx\n--b\nContent-Type: text/html\nContent-ID: <r>\n\n<p>机密\n--b--\n",
          PLACE_LINE, "1:机密");
    check("Content-Type: multipart/related; boundary=b\n\n--b\n\nfirst\n--b\n\nsecond\n--b--\n", PLACE_LINE,
          "1:first");
}

/* GBK and Big5 under a name that fits any octets, and UTF-8 under a name that fits these, too. */
static void test_charsets(void)
{
    check_contains("Content-Type: text/plain; charset=iso-8859-1\n\n\xbb\xfa\xc3\xdc\n", PLACE_LINE,
                   "1:机密");
    check_contains("Content-Type: text/plain; charset=windows-1252\n\n\xbb\xfa\xc3\xdc\n", PLACE_LINE,
                   "1:机密");
    check_contains("Content-Type: text/plain; charset=big5\n\n\xbb\xfa\xc3\xdc\n", PLACE_LINE, "1:机密");
    check_contains("Content-Type: text/plain; charset=iso-8859-1\n\n机密\n", PLACE_LINE, "1:机密");
    check_contains("Content-Type: text/plain; charset=gbk\n\n机密\n", PLACE_LINE, "1:机密");
    check_contains("A: b\n\n\xbe\xf7\xb1\x4b\n", PLACE_LINE, "1:機密"); /* Big5, valid in GB18030 */
    check_contains("Content-Type: text/html\n\n<meta charset=big5><p>\xbe\xf7\xb1\x4b\n", PLACE_LINE,
                   "1:機密");
    check_contains("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
                   "quoted-printable\n\n=BB=FA=C3=DC\n",
                   PLACE_LINE, "1:机密");
    /* what is UTF-8 and says so has one reading */
    check("Content-Type: text/plain; charset=utf-8\n\n机密\n", PLACE_LINE, "1:机密");
    check("A: b\n\n机密\n", PLACE_LINE, "1:机密");
    check("Content-Type: text/plain; charset=gbk\n\nabc\n", PLACE_LINE, "1:abc");
}

/* The other readings begin where the first did, and look at the beginning only. */
static void test_charsets_far(void)
{
    g_autoptr(GString) message =
        g_string_new("Content-Type: text/plain; charset=iso-8859-1\n\nx\n\xbb\xfa\xc3\xdc\n");

    for (guint i = 0; i < 20000; i++)
        g_string_append(message, "0123456789\n");
    g_string_append(message, "\xff\n");
    check_contains(message->str, PLACE_LINE, "2:机密");
    g_string_append(message, "y\n\xbb\xfa\xc3\xdc\n");
    check_contains(message->str, PLACE_LINE, "|20005:机密");
    g_string_truncate(message, 0);
    g_string_append(message, "Content-Type: text/html; charset=iso-8859-1\n\n\xbb\xfa\xc3\xdc <br>");
    for (guint i = 0; i < 100000; i++)
        g_string_append(message, "\xa1\xa1 ");
    g_string_append(message, "<br>x\n<p>\xbb\xfa&#9733;\xc3\xdc\n");
    check_contains(message->str, PLACE_LINE, "1:机密|");
    check_contains(message->str, PLACE_LINE, "4:机★密|");
    /* so much that the middle is not read */
    for (guint i = 0; i < 400000; i++)
        g_string_append(message, "\xa1\xa1 ");
    g_string_append(message, "<p>\xbb\xfa&#9733;\xc3\xdc!\n");
    check_contains(message->str, PLACE_LINE, "1:机密|");
    check_contains(message->str, PLACE_LINE, ":机★密!|");
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n"

static void test_names(void)
{
    check(MIXED "Content-Type: application/x; name=\"【机密】a.doc\"\n\nx\n--b--\n", PLACE_PART_NAME,
          "3:【机密】a.doc");
    check(MIXED "Content-Type: application/x; name=\"a.doc\"\nContent-Disposition: attachment; "
                "filename=\"【机密】a.doc\"\n\nx\n--b--\n",
          PLACE_PART_NAME, "3:【机密】a.doc|3:a.doc");
    check(MIXED "Content-Type: application/x; name=\"【机密】a.doc\"\nContent-Disposition: attachment; "
                "filename=\"a.doc\"\n\nx\n--b--\n",
          PLACE_PART_NAME, "3:a.doc|3:【机密】a.doc");
    check(MIXED "Content-Disposition: attachment; filename*=gb18030''%BB%FA%C3%DC.txt\n\nx\n--b--\n",
          PLACE_PART_NAME, "3:机密.txt");
    /* RFC 6266 4.3, which mail programs follow, too: both */
    check_contains(MIXED "Content-Disposition: attachment; filename=\"a.doc\"; "
                         "filename*=utf-8''%E3%80%90%E6%9C%BA%E5%AF%86%E3%80%91.doc\n\nx\n--b--\n",
                   PLACE_PART_NAME, "【机密】.doc");
    check_contains(MIXED
                   "Content-Disposition: attachment; filename*=utf-8''a.doc; filename=\"【机密】.doc\"\n\n"
                   "x\n--b--\n",
                   PLACE_PART_NAME, "【机密】.doc");
    check_contains(MIXED "Content-Disposition: attachment; filename*=utf-8''a.doc; "
                         "filename=\"=?utf-8?B?44CQ5py65a+G44CRLmRvYw==?=\"\n\nx\n--b--\n",
                   PLACE_PART_NAME, "【机密】.doc");
    check_contains(MIXED
                   "Content-Disposition: attachment; filename=\"=?big5?B?u/rD3A==?=.txt\"\n\nx\n--b--\n",
                   PLACE_PART_NAME, "3:机密.txt");
    check("Content-Disposition: attachment; filename=\"机密★.txt\"\n\nx\n", PLACE_PART_NAME, "1:机密★.txt");
    check(MIXED "\nx\n--b--\n", PLACE_PART_NAME, "");
}

static void test_long_name(void)
{
    g_autofree char *padding = g_strnfill(5000, 'a');
    g_autofree char *message = g_strdup_printf(
        MIXED "Content-Disposition: attachment; filename=\"%s【机密】.doc\"\n\nx\n--b--\n", padding);
    g_autoptr(facts) facts = read_message(message);

    g_assert_true(has_finding(facts, FINDING_TEXT_TOO_LARGE));
}

/* Nobody may say that there is no mark in a subject of which only the beginning was looked at. */
static void test_long_subject(void)
{
    g_autofree char *padding = g_strnfill(5000, 'a'), *short_padding = g_strnfill(3000, 'a');
    g_autofree char *blanks = g_strnfill(20000, ' ');
    g_autofree char *blank_message = g_strdup_printf("Subject: a%s【机密】\n\nx\n", blanks);
    g_autoptr(GString) encoded = g_string_new("Subject:");
    g_autofree char *message = g_strdup_printf("Subject: %s【机密】\n\nx\n", padding);
    g_autofree char *short_message = g_strdup_printf("Subject: %s【机密】\n\nx\n", short_padding);

    for (guint i = 0; i < 400; i++)
        g_string_append(encoded, " =?utf-8?B?5Lit5paH5Y2g5L2N5aGr5YWF?=\n");
    g_string_append(encoded, "\nx\n");
    g_autoptr(facts) too_long = read_message(message);
    g_autoptr(facts) not_too_long = read_message(short_message);
    g_autoptr(facts) too_long_encoded = read_message(encoded->str);
    g_autoptr(facts) too_long_blank = read_message(blank_message);

    g_assert_true(has_finding(too_long, FINDING_TEXT_TOO_LARGE));
    g_assert_true(has_finding(too_long_encoded, FINDING_TEXT_TOO_LARGE));
    g_assert_true(has_finding(too_long_blank, FINDING_TEXT_TOO_LARGE));
    g_assert_false(has_finding(not_too_long, FINDING_TEXT_TOO_LARGE));
    check_contains(short_message, PLACE_SUBJECT, "【机密】");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/forms/alternatives", test_alternatives);
    g_test_add_func("/inspect/forms/long-alternatives", test_long_alternatives);
    g_test_add_func("/inspect/forms/named-alternatives", test_named_alternatives);
    g_test_add_func("/inspect/forms/hidden", test_hidden);
    g_test_add_func("/inspect/forms/html-ends", test_html_ends);
    g_test_add_func("/inspect/forms/related", test_related);
    g_test_add_func("/inspect/forms/charsets", test_charsets);
    g_test_add_func("/inspect/forms/charsets-far", test_charsets_far);
    g_test_add_func("/inspect/forms/names", test_names);
    g_test_add_func("/inspect/forms/long-name", test_long_name);
    g_test_add_func("/inspect/forms/long-subject", test_long_subject);
    return g_test_run();
}
