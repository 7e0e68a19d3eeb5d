/* What is too large to be looked at, and fields that stand in the body. */
#include "milter/inspect/prescan.h"

#include <string.h>

#include "milter/inspect/limits.h"

static GString *repeated(const char *begin, const char *line, guint times)
{
    GString *out = g_string_new(begin);

    for (guint i = 0; i < times; i++)
        g_string_append(out, line);
    return out;
}

static void expect(GString *body, gboolean is_too_large, enum finding_id limit)
{
    struct prescan scan;

    prescan_body(&scan, body->str, body->len);
    g_assert_cmpint(scan.is_too_large, ==, is_too_large);
    if (is_too_large)
        g_assert_cmpstr(finding_name(scan.limit), ==, finding_name(limit));
    g_string_free(body, TRUE);
}

static void test_limits(void)
{
    expect(repeated("", "--b\n", LIMIT_BOUNDARY_LINES), FALSE, 0);
    expect(repeated("", "--b\n", LIMIT_BOUNDARY_LINES + 1), TRUE, FINDING_TOO_MANY_BOUNDARY_LINES);
    expect(repeated("", "Content-Type: multipart/mixed\n", LIMIT_MULTIPARTS), FALSE, 0);
    expect(repeated("", "Content-Type: multipart/mixed\n", LIMIT_MULTIPARTS + 1), TRUE,
           FINDING_TOO_MANY_PARTS);
    expect(repeated("", "content-type:\n\tMULTIPART/x\n\n", LIMIT_MULTIPARTS + 1), TRUE,
           FINDING_TOO_MANY_PARTS);
    expect(repeated("--b\n", "X: y\n", LIMIT_HEADER_LINES), FALSE, 0);
    expect(repeated("--b\n", "X: y\n", LIMIT_HEADER_LINES + 1), TRUE, FINDING_TOO_MANY_FIELDS);
    /* a line that is no field does not end a part's fields for the library */
    expect(repeated("--b\njunk\n", "X: y\n", LIMIT_HEADER_LINES + 1), TRUE, FINDING_TOO_MANY_FIELDS);
    expect(repeated("--b\nX:\n", " folded\n", LIMIT_HEADER_LINES + 1), TRUE, FINDING_TOO_MANY_FIELDS);
    /* text of the same form is none: no part begins there */
    expect(repeated("", "X: y\n", LIMIT_HEADER_LINES + 1), FALSE, 0);
    expect(repeated("--b\n\n", "X: y\n", LIMIT_HEADER_LINES + 1), FALSE, 0);
    /* but behind the fields of a message inside */
    expect(repeated("--b\nContent-Type: message/rfc822\n\n", "X: y\n", LIMIT_HEADER_LINES + 1), TRUE,
           FINDING_TOO_MANY_FIELDS);
    expect(repeated("Content-Type: multipart/digest\n\n--b\n\n", "X: y\n", LIMIT_HEADER_LINES + 1), TRUE,
           FINDING_TOO_MANY_FIELDS);
    /* many parts with few fields each */
    GString *parts = g_string_new(NULL);
    for (guint i = 0; i < LIMIT_PART_HEADER_LINES / 1000 + 1; i++) {
        GString *one = repeated("--b\n", "X: y\n", 1000);
        g_string_append_len(parts, one->str, one->len);
        g_string_append_c(parts, '\n');
        g_string_free(one, TRUE);
    }
    expect(parts, TRUE, FINDING_TOO_MANY_FIELDS);
    GString *wide = repeated("--b\nX: ", "0123456789abcdef", LIMIT_HEADER_BYTES / 16 + 1);
    expect(wide, TRUE, FINDING_HEADER_TOO_LARGE);
}

static void test_nul(void)
{
    struct prescan scan;

    prescan_body(&scan, "a\0b", 3);
    g_assert_true(scan.has_nul);
    prescan_body(&scan, "ab\n", 3);
    g_assert_false(scan.has_nul);
}

static void test_fields_in_body(void)
{
    static const struct {
        const char *body;
        gsize length;     /* 0: strlen */
        const char *name; /* NULL: none */
    } table[] = {
        {"X-Classification: 机密\nTo: b\n\ntext", 0, "X-Classification"},
        {"Subject: x\n\ntext", 0, "Subject"},
        {"received: from x\n", 0, "received"},
        {"X-Class\0ification: 机密\n\ntext", 31, "X-Classification"},
        {"X-Class\x01ification: 机密\n\ntext", 0, "X-Classification"},
        /* a line that is no field, or continues none, ended the header; the rest of it follows */
        {"this is no field\nX-Classification: 机密\nTo: b\n\ntext", 0, "X-Classification"},
        {" leading continuation\nTo: b\nMIME-Version: 1.0\n\ntext", 0, "MIME-Version"},
        {"no field\r\nSIO-Label: x\r\n\ty\r\n\r\ntext", 0, "SIO-Label"},
        {"--b2\nX-Classification: 机密\n\ntext\n", 0, "X-Classification"}, /* another one */
        {"--\nX-Classification: 机密\n\ntext\n", 0, "X-Classification"},
        /* fields that people write, too, with others */
        {"To: b\nX-Classification: 机密\n\ntext", 0, "X-Classification"},
        {"From: a\nTo: b\nDate: c\nMessage-Id: <d>\n\ntext", 0, "Message-Id"},
        {"From: a\nTo: b,\n c\nSubject: 【机密】\n\ntext", 0, "Subject"},
        {"To: b\nClassification: 机密\n\ntext", 0, "Classification"},
        {"Date: today\nSecurity-Label: x\n\ntext", 0, "Security-Label"},
        {"To: b\nDate: c\nProtective-Marking: x", 0, "Protective-Marking"}, /* and no text */
        {"  continuation\nFrom: a\nTo: b\nSubject: 【机密】\n\ntext", 0, "Subject"},
        {"T\0o: b\n\ntext", 12, "To"},
        {"\x01To: b\nhow are you\n", 0, "To"},
        /* text */
        {"To: all offices\nDate: today\n\nThe meeting is at ten.", 0, NULL},
        {"From: the office\n\ntext", 0, NULL},
        {"Date: today", 0, NULL},
        {"To: all offices\nFrom: the office\nRe: meeting\n\ntext", 0, NULL},
        {"To: all offices\nthe subject: is this\nSubject: no, this\n\ntext", 0, NULL},
        {"To: all offices\nThe meeting is at ten.\nX-Ray: at eleven\n\ntext", 0, NULL},
        {"From: bob\nSent: Monday\nTo: you\n\nSubject: text", 0, NULL},
        {"  indented\nNote: text\n\ntext", 0, NULL},
        {"", 0, NULL},
        {"\nX-Classification: 机密\n", 0, NULL},
        {"Note: see below\n\ntext", 0, NULL},
        {"Note: see below\nTime: 10:00\nPlace: here\n\ntext", 0, NULL},
        {"Classification: SECRET\n\ntext", 0, NULL},
        {"http://example.org/\n", 0, NULL},
        {"密级：机密\n\ntext", 0, NULL},
        {"Hello,\nFrom: bob\nTo: you\nSubject: x\n\ntext", 0, NULL},
        {"-----Original Message-----\nFrom: bob\nSent: Monday\nTo: you\nSubject: x\n\ntext", 0, NULL},
        {"Look at this:\nX-Ray: yes\nand this line\n\ntext", 0, NULL},
        {"--b1 \nContent-Type: text/plain\n\ntext\n", 0, NULL}, /* the boundary */
        {"Hello", 0, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        gsize length = table[i].length > 0 ? table[i].length : strlen(table[i].body);
        g_autofree char *copy = g_memdup2(table[i].body, length);
        char name[64];
        g_test_message("%s", table[i].body);
        g_assert_cmpint(
            body_begins_with_fields(copy, length, "multipart/mixed; boundary=\"b1\"", name, sizeof name), ==,
            table[i].name != NULL);
        if (table[i].name != NULL)
            g_assert_cmpstr(name, ==, table[i].name);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/prescan/limits", test_limits);
    g_test_add_func("/inspect/prescan/nul", test_nul);
    g_test_add_func("/inspect/prescan/fields-in-body", test_fields_in_body);
    return g_test_run();
}
