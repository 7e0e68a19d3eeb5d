/* Whole messages in one process: fields, people, parts, findings, candidates. */
#include "milter/inspect/reader.h"

#include <string.h>

#include "milter/inspect/limits.h"

static struct facts *read_octets(const char *message, gsize length)
{
    g_autofree char *copy = g_memdup2(message, length);
    struct inspect_limits limits;

    inspect_limits_init(&limits);
    return inspect_octets(copy, length, &limits);
}

static struct facts *read_message(const char *message)
{
    return read_octets(message, strlen(message));
}

/* "id:part(detail) …" */
static char *findings_of(const struct facts *facts)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < facts->finding_count; i++) {
        const struct fact_finding *finding = &facts->findings[i];
        g_string_append_printf(out, "%s%s:%u", i > 0 ? " " : "", finding_name(finding->id), finding->part);
        if (finding->detail.length > 0)
            g_string_append_printf(out, "(%s)", finding->detail.data);
    }
    return g_string_free(out, FALSE);
}

static char *candidates_of(const struct facts *facts, enum place_kind kind)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < facts->candidate_count; i++) {
        if (facts->candidates[i].place.kind == kind)
            g_string_append_printf(out, "%s%s", out->len > 0 ? "|" : "", facts->candidates[i].text.data);
    }
    return g_string_free(out, FALSE);
}

/* "1^0 c multipart/mixed|2^1 t text/plain utf-8 name 12 flags" */
static char *parts_of(const struct facts *facts)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < facts->part_count; i++) {
        const struct fact_part *part = &facts->parts[i];
        g_string_append_printf(out, "%s%u^%u %c %s", i > 0 ? "|" : "", part->number, part->parent,
                               "ctam"[part->role], part -> type.data);
        if (part->charset.length > 0)
            g_string_append_printf(out, " %s", part->charset.data);
        if (part->name.length > 0)
            g_string_append_printf(out, " '%s'", part->name.data);
        if (part->role != PART_CONTAINER && part->role != PART_MESSAGE)
            g_string_append_printf(out, " %u", (guint)part->size_bytes);
        if (part->flags != 0)
            g_string_append_printf(out, " flags %u", part->flags);
    }
    return g_string_free(out, FALSE);
}

static void expect_findings(const char *message, const char *expected)
{
    g_autoptr(facts) facts = read_message(message);
    g_autofree char *findings = findings_of(facts);

    g_test_message("%.200s", message);
    g_assert_cmpstr(findings, ==, expected);
}

static void test_fields(void)
{
    g_autoptr(facts) facts = read_message("From: =?gbk?B?1cXI/Q==?= <Zhang@Example.org>\nX-Raw: \xbb\xfa\n "
                                          "\xc3\xdc \nX-Bad: =?x-none?Q?=BB=FA?=\n"
                                          "X-Empty:\nSubject: =?utf-8?Q?a?=\n\nbody\n");
    guint at = 0;
    const struct fact_field *field = facts_field(facts, "from", &at);

    g_assert_cmpstr(field->decoded.data, ==, "张三 <Zhang@Example.org>");
    g_assert_cmpstr(field->raw.data, ==, " =?gbk?B?1cXI/Q==?= <Zhang@Example.org>");
    field = facts_field(facts, "X-Raw", &at);
    g_assert_cmpstr(field->decoded.data, ==, "机 密");
    g_assert_cmpstr(field->raw.data, ==, " \xbb\xfa \xc3\xdc ");
    g_assert_cmpuint(field->flags, ==, 0);
    field = facts_field(facts, "X-Bad", &at);
    g_assert_cmpstr(field->decoded.data, ==, "机");
    g_assert_cmpuint(field->flags, ==, FIELD_UNDECODABLE);
    field = facts_field(facts, "X-Empty", &at);
    g_assert_cmpuint(field->raw.length + field->decoded.length, ==, 0);
    g_assert_cmpuint(facts->field_count, ==, 5);
    g_assert_cmpuint(facts->size_bytes, >, 100);
}

static void test_long_field(void)
{
    g_autoptr(GString) message = g_string_new("X-Long: ");

    for (guint i = 0; i < 20000; i++)
        g_string_append(message, "机密");
    g_string_append(message, "\nX-Next: y\n\n");
    g_autoptr(facts) facts = read_octets(message->str, message->len);
    g_assert_cmpuint(facts->fields[0].flags, ==, FIELD_SHORTENED | FIELD_CUT);
    g_assert_cmpuint(facts->fields[0].raw.length, ==, FACTS_FIELD_BYTES);
    g_assert_cmpuint(facts->fields[0].decoded.length, <=, FACTS_FIELD_BYTES);
    g_assert_true(g_str_has_prefix(facts->fields[0].decoded.data, "机密机密"));
    g_assert_cmpstr(facts->fields[1].decoded.data, ==, "y");
    g_autofree char *findings = findings_of(facts);
    g_assert_cmpstr(findings, ==, "field-cut:0(X-Long)");
}

static void test_people(void)
{
    static const struct {
        const char *header, *mailboxes;
        gboolean bad_from;
        const char *bad; /* fields that cannot be read */
    } table[] = {
        {"From: a@b, \"C, D\" <c@d>\nSender: e@f\n\n", "0.0 a@b|0.0 c@d|1.1 e@f", FALSE, ""},
        {"From: a@b\nTo: x\nFrom: c@d\n\n", "0.0 a@b|0.2 c@d", FALSE, ""},
        {"Resent-From: r@s\nResent-Sender: t@u\nFROM: a@b\n\n", "2.0 r@s|3.1 t@u|0.2 a@b", FALSE, ""},
        {"From: nobody\n\n", "", TRUE, ""},
        {"From: a@b\nFrom: nobody\n\n", "0.0 a@b", TRUE, ""},
        {"From:\n\n", "", TRUE, ""},
        {"To: a@b\n\n", "", FALSE, ""},
        {"From: a@b\nSender: x <y\n\n", "0.0 a@b", FALSE, "Sender"},
        {"Resent-Sender: a@b, <\nResent-From: c\nFrom: a@b\n\n", "3.0 a@b|0.2 a@b", FALSE,
         "Resent-Sender Resent-From"},
        /* raw GBK whose second octets are @ and \ */
        {"From: \x81@\x81\\ <a@b>\n\n", "0.0 a@b", FALSE, ""},
        {"From: \xff\xff@b\n\n", "", TRUE, ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(facts) facts = read_message(table[i].header);
        g_autoptr(GString) out = g_string_new(NULL), bad = g_string_new(NULL);
        g_autofree char *findings = findings_of(facts);
        for (guint m = 0; m < facts->mailbox_count; m++)
            g_string_append_printf(out, "%s%d.%u %s", m > 0 ? "|" : "", facts->mailboxes[m].field,
                                   facts->mailboxes[m].field_index, facts->mailboxes[m].address.data);
        for (guint f = 0; f < facts->field_count; f++) {
            if ((facts->fields[f].flags & FIELD_BAD_MAILBOXES) != 0)
                g_string_append_printf(bad, "%s%s", bad->len > 0 ? " " : "", facts->fields[f].name.data);
        }
        g_test_message("%s", table[i].header);
        g_assert_cmpstr(out->str, ==, table[i].mailboxes);
        g_assert_cmpint(facts->bad_from, ==, table[i].bad_from);
        g_assert_cmpstr(bad->str, ==, table[i].bad);
        g_assert_cmpstr(findings, ==, "");
    }
}

static void test_subject(void)
{
    static const char *const table[][3] = {
        {"Subject: hello\n\n", "hello", ""},
        {"Subject: =?utf-8?B?44CQ5py65a+G44CR?= x\n\n", "【机密】 x", ""},
        /* GBK called Big5, UTF-8 called GB 2312: every reading */
        {"Subject: =?big5?B?u/rD3KHvMTDE6g==?=\n\n", "儂躇∴10爛|机密★10年", ""},
        {"Subject: =?gb2312?B?5py65a+G?=\n\n", "鏈哄瘑|机密", ""},
        {"Subject: [SEC=SEC=?utf-8?Q?RET?=]\n\n", "[SEC=SECRET]|[SEC=SEC=?utf-8?Q?RET?=]", ""},
        {"Subject: \xbb\xfa\xc3\xdc\n\n", "机密|儂躇", ""},
        {"Subject: a\nSubject: b\n\n", "a|b", ""},
        {"Subject:\n\n", "", ""},
        {"Subject: =?x-none?Q?=BB=FA?=\n\n", "机|儂", "unknown-charset:0(Subject)"},
        {"Subject: \xe2\x80\xae机密\n\n", "\xe2\x80\xae机密", "bidi-in-subject:0"},
        {"Subject: =?utf-8?B?AGEAYg==?=\n\n", "ab", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(facts) facts = read_message(table[i][0]);
        g_autofree char *subjects = candidates_of(facts, PLACE_SUBJECT), *findings = findings_of(facts);
        g_test_message("%s", table[i][0]);
        g_assert_cmpstr(subjects, ==, table[i][1]);
        g_assert_cmpstr(findings, ==, table[i][2]);
    }
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static void test_parts(void)
{
    static const char *const table[][3] = {
        {"A: b\n\nfirst\nlast\n", "1^0 t text/plain 11", "first|last"},
        {"Content-Type: text/html; charset=utf-8\n\n<p>one<p>two", "1^0 t text/html utf-8 12", "one|two"},
        {"Content-Type: application/pdf; name=x.pdf\nContent-Transfer-Encoding: base64\n\nQUJD\n",
         "1^0 a application/pdf 'x.pdf' 3", ""},
        {"Content-Type: text/plain\nContent-Disposition: attachment; filename=x.txt\n\na",
         "1^0 a text/plain 'x.txt' 1", ""},
        {"Content-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: base64\n\nu/rD3AoxMMTqCg==\n",
         "1^0 t text/plain gb2312 10", "机密|10年|儂躇|10爛"}, /* the latter as Big5 */
        {"Content-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: "
         "quoted-printable\n\n=BB=FA=\n=C3=DC\n",
         "1^0 t text/plain gb2312 5", "机密|儂躇"},
        {MIXED "preamble\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n--b\nContent-Type: text/plain; "
               "name=n.txt\n\nthree\n--b--\nepilogue\n",
         "1^0 c multipart/mixed|2^1 t text/plain 3|3^1 t text/html 6|4^1 a text/plain 'n.txt' 5", "one|two"},
        {"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: "
         "text/html\n\n<p>html\n--b--\n",
         "1^0 c multipart/alternative|2^1 t text/plain 5|3^1 t text/html 7", "plain|html"},
        {"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: "
         "text/html\n\n<p>html\n--b--\n",
         "1^0 c multipart/alternative|2^1 t text/plain 1|3^1 t text/html 7", "html"},
        {MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nplain\n--c\nContent-Type: "
               "text/html\n\nhtml\n--c--\n--b\n"
               "Content-Type: text/html\n\n<p>footer\n--b--\n",
         "1^0 c multipart/mixed|2^1 c multipart/alternative|3^2 t text/plain 5|4^2 t text/html 4|5^1 t "
         "text/html 9",
         "plain|html|footer"},
        {MIXED "--b\n\nown\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n\ninner text\n--b--\n",
         "1^0 c multipart/mixed|2^1 t text/plain 3|3^1 m message/rfc822|4^3 t text/plain 10", "own"},
        {"Content-Type: message/rfc822\n\nSubject: inner\n\ninner text\n",
         "1^0 m message/rfc822|2^1 t text/plain 11", ""},
        {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: inner\n\ninner text\n--b--\n",
         "1^0 c multipart/digest|2^1 m message/rfc822|3^2 t text/plain 10", ""},
        {"Content-Type: multipart/signed; boundary=b\n\n--b\n\nsigned\n--b\nContent-Type: text/plain\n\nbut "
         "not this\n--b--\n",
         "1^0 c multipart/signed|2^1 t text/plain 6|3^1 t text/plain 12", "signed"},
        /* names in all their forms */
        {MIXED "--b\nContent-Type: application/x; name*0*=gb2312''%BB%FA; name*1*=%C3%DC; "
               "name*2=\".doc\"\n\na\n--b\n"
               "Content-Type: application/x\nContent-Disposition: attachment; filename=\"=?gbk?B?u/o=?= "
               "=?gbk?B?w9w=?=.doc\"\n\nb\n--b\n"
               "Content-Type: application/x\nContent-Disposition: attachment; "
               "filename=\"\xbb\xfa\xc3\xdc.doc\"\n\nc\n--b--\n",
         "1^0 c multipart/mixed|2^1 a application/x '机密.doc' 1|3^1 a application/x '机密.doc' 1|4^1 a "
         "application/x '机密.doc' 1",
         ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        for (guint crlf = 0; crlf < 2; crlf++) {
            g_auto(GStrv) split = g_strsplit(table[i][0], "\n", -1);
            g_autofree char *message = g_strjoinv(crlf ? "\r\n" : "\n", split);
            g_autoptr(facts) facts = read_message(message);
            g_autofree char *parts = parts_of(facts), *lines = candidates_of(facts, PLACE_LINE),
                            *findings = findings_of(facts);
            g_test_message("%.200s", message);
            if (!crlf)
                g_assert_cmpstr(parts, ==, table[i][1]);
            g_assert_cmpstr(lines, ==, table[i][2]);
            if (i + 1 < G_N_ELEMENTS(table)) /* the last has 8-bit parameters */
                g_assert_cmpstr(findings, ==, "");
        }
    }
}

/* The rows rfc2231-filename of the vectors. */
static void test_file_name_vectors(void)
{
    const char *top = g_getenv("MIJI_TOP");
    g_autofree char *path = g_build_filename(top != NULL ? top : ".", "tests/data/label-vectors.tsv", NULL);
    g_autofree char *content = NULL;
    guint rows = 0;

    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) columns = g_strsplit(lines[i], "\t", 4);
        if (g_strv_length(columns) < 3 || strcmp(columns[0], "rfc2231-filename") != 0)
            continue;
        g_auto(GStrv) expected = g_strsplit(columns[2], " => ", 2);
        g_autofree char *message =
            g_strdup_printf("Content-Type: application/x\nContent-Disposition: %s\n\nx\n", columns[1]);
        g_autoptr(facts) facts = read_message(message);
        g_assert_cmpstr(facts->parts[0].name.data, ==, expected[0]);
        rows++;
    }
    g_assert_cmpuint(rows, >=, 2);
}

static void test_report(void)
{
    g_autoptr(facts) facts = read_message(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nfailed\n--b\n"
        "Content-Type: message/delivery-status\n\nAction: failed\n--b--\n");
    g_autofree char *parts = parts_of(facts), *lines = candidates_of(facts, PLACE_LINE);

    g_assert_true(facts->is_report);
    g_assert_cmpstr(parts, ==, "1^0 c multipart/report|2^1 t text/plain 6|3^1 a message/delivery-status 14");
    g_assert_cmpstr(lines, ==, "failed");
}

static void test_encrypted(void)
{
    expect_findings(
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\n"
        "Content-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: "
        "application/octet-stream\n\nx\n--b--\n",
        "encrypted:1(multipart/encrypted) encrypted:2(OpenPGP)");
    expect_findings("Content-Type: application/pkcs7-mime; "
                    "smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\nQUJD\n",
                    "encrypted:1(S/MIME)");
    expect_findings("Content-Type: application/x-pkcs7-mime\n\nx\n", "encrypted:1(S/MIME)");
    expect_findings("Content-Type: application/octet-stream; name=smime.P7M\n\nx\n", "encrypted:1(S/MIME)");
    expect_findings("Content-Type: application/pkcs7-mime; smime-type=certs-only\n\nx\n", "");
    expect_findings("A: b\n\nHello\n-----BEGIN PGP MESSAGE-----\n\nx\n", "encrypted:1(OpenPGP)");
    expect_findings("A: b\n\nHello -----BEGIN PGP MESSAGE-----\n\nx\n", "");
}

/* Each anomaly of the structure has its finding. */
/* Whatever type the message before had, the same one included. */
static void test_types_in_turn(void)
{
    static const struct {
        const char *field, *type, *charset, *findings;
    } rows[] = {
        {"text/plain; charset=utf-8", "text/plain", "utf-8", ""},
        {"text/plain; charset=utf-8; charset=gbk", "text/plain", "utf-8", "malformed:0(charset)"},
        {"text/html; charset=big5", "text/html", "big5", ""},
    };
    static const guint turns[] = {0, 0, 1, 1, 2, 2, 1, 0, 2, 0, 1, 2};

    for (guint n = 0; n < G_N_ELEMENTS(turns); n++) {
        g_autofree char *message = g_strdup_printf("Content-Type: %s\n\nx\n", rows[turns[n]].field);
        g_autoptr(facts) facts = read_message(message);
        g_autofree char *findings = findings_of(facts);
        g_assert_cmpuint(facts->part_count, ==, 1);
        g_assert_cmpstr(facts->parts[0].type.data, ==, rows[turns[n]].type);
        g_assert_cmpstr(facts->parts[0].charset.data, ==, rows[turns[n]].charset);
        g_assert_cmpstr(findings, ==, rows[turns[n]].findings);
    }
}

static void test_structure_findings(void)
{
    expect_findings("Content-Type: text/plain\nContent-Type: text/html\n\nx\n", "duplicate-content-type:0");
    expect_findings("Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; "
                    "boundary=c\n\n--b\n\nx\n--b--\n--c\n\ny\n--c--\n",
                    "duplicate-content-type:0");
    expect_findings(MIXED "--b\nContent-Type: text/plain\nContent-Type: text/html\n\nx\n--b--\n",
                    "duplicate-content-type:0");
    expect_findings("Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n\nx\n--b--\n",
                    "duplicate-boundary:0");
    expect_findings("Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n", "missing-boundary:0(mixed)");
    expect_findings(MIXED "no boundary here\n", "missing-boundary:0(never ends)");
    expect_findings(MIXED "--b\n\nx\n", "missing-boundary:0(never ends)");
    expect_findings(MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--b--\n",
                    "missing-boundary:0(mixed)");
    expect_findings(
        "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\nLS1iCg==\n",
        "missing-boundary:0(never ends) encoded-multipart:1(multipart/mixed)");
    expect_findings("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTogYgo=\n",
                    "encoded-multipart:1(message/rfc822)");
    expect_findings("Content-Type: message/partial; id=x; number=1; total=2\n\nA: b\n\nx\n",
                    "partial-message:1(message/partial)");
    expect_findings("Content-Type: message/external-body; access-type=URL\n\nA: b\n\nx\n",
                    "partial-message:1(message/external-body)");
    expect_findings("Content-Type: nonsense\n\nx\n", "malformed:0(Content-Type)");
    expect_findings("Content-Type: text/plain; charset=utf-8; charset=gbk\n\nx\n", "malformed:0(charset)");
    expect_findings(MIXED "--b\nno field\n\nx\n--b--\n", "bad-field:0(in a part)");
    expect_findings("A: b\nno field\nC: d\n\nx\n", "bad-field:0");
    expect_findings("A: b\x01\n\nx\n", "nul-in-header:0(A)");
    expect_findings("A: b\n\nX-Classification: x\n\nx\n", "fields-in-body:0(X-Classification)");
    expect_findings("Content-Transfer-Encoding: x-own\n\nx\n", "damaged:1(transfer encoding)");
}

static void test_text_findings(void)
{
    expect_findings("Content-Transfer-Encoding: base64\n\nQUJD*QUJD\n", "bad-base64:1(octets)");
    expect_findings("Content-Transfer-Encoding: base64\n\nQQ==\nQUJD\n", "bad-base64:1(padding)");
    expect_findings("Content-Transfer-Encoding: base64\n\nQUJDQ\n", "bad-base64:1(end)");
    expect_findings("Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nQUJD*QUJD\n",
                    "bad-base64:1(octets)");
    expect_findings(MIXED "--b\n\nx\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: "
                          "base64\n\nQQ==\nQUJD\n--b--\n",
                    "bad-base64:3(padding)");
    expect_findings(MIXED "--b\n\nx\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: "
                          "base64\n\nQUJD\nQQ==\n\n--b--\n",
                    "");
    expect_findings("Content-Transfer-Encoding: quoted-printable\n\na=ZZ\n", "bad-quoted-printable:1");
    expect_findings("Content-Type: text/plain; charset=x-none\n\nabc\n", "unknown-charset:1(x-none)");
    expect_findings("Content-Type: text/plain; charset=utf-8\n\n\xbb\xfa\n", "wrong-charset:1(utf-8)");
    expect_findings("Content-Type: text/plain; charset=us-ascii\n\n机密\n", "wrong-charset:1(us-ascii)");
    expect_findings("A: b\n\n机密\n", "");
    g_autoptr(facts) facts = read_octets("A: b\n\n机\0密\n", 14);
    g_autofree char *findings = findings_of(facts), *lines = candidates_of(facts, PLACE_LINE);
    g_assert_cmpstr(findings, ==, "bare-nul:0 bare-nul:1");
    g_assert_cmpstr(lines, ==, "机密");
}

/* Whatever charset a text is called by, a mark in it is found. */
static void test_wrong_charset_of_text(void)
{
    static const char *const table[][2] = {
        /* and as Big5, which these octets are, too */
        {"Content-Type: text/plain; charset=utf-8\n\n\xbb\xfa\xc3\xdc\n", "机密|儂躇"},
        {"Content-Type: text/plain; charset=gb2312\n\n机密★10年\n", "机密★10年"},
        {"Content-Type: text/plain\n\n\xbb\xfa\xc3\xdc\n", "机密|儂躇"},
        {"Content-Type: text/plain; charset=x-none\n\n\xbb\xfa\xc3\xdc\n", "机密|儂躇"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(facts) facts = read_message(table[i][0]);
        g_autofree char *lines = candidates_of(facts, PLACE_LINE);
        g_assert_cmpstr(lines, ==, table[i][1]);
    }
}

static void test_depth_and_number(void)
{
    g_autoptr(GString) deep = g_string_new(NULL), many = g_string_new(MIXED);

    for (guint i = 0; i < 13; i++)
        g_string_append_printf(deep, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
    g_string_append(deep, "\nx\n");
    for (guint i = 13; i-- > 0;)
        g_string_append_printf(deep, "--b%u--\n", i);
    expect_findings(deep->str, "too-deep:13");
    for (guint i = 0; i < 2000; i++)
        g_string_append(many, "--b\n\nx\n");
    g_string_append(many, "--b--\n");
    g_autoptr(facts) facts = read_octets(many->str, many->len);
    g_autofree char *findings = findings_of(facts);
    g_assert_cmpstr(findings, ==, "too-many-parts:0");
    g_assert_cmpuint(facts->part_count, ==, 2000);
}

/* What facts 2.1.3 measured as gigabytes and minutes. */
static void test_bombs(void)
{
    g_autoptr(GString) parts = g_string_new(MIXED), fields = g_string_new(NULL), nested = g_string_new(NULL);
    gint64 begin = g_get_monotonic_time();

    for (guint i = 0; i < 1000000; i++)
        g_string_append(parts, "--b\n");
    expect_findings(parts->str, "too-many-boundary-lines:0(body)");
    for (guint i = 0; i < 200000; i++)
        g_string_append(fields, "X: y\n");
    expect_findings(fields->str, "too-many-fields:0(header)");
    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(nested, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
    for (guint i = 0; i < 1000000; i++)
        g_string_append(nested, "--\n");
    expect_findings(nested->str, "too-many-parts:0(body)");
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 20 * G_USEC_PER_SEC);
}

static void test_text_limit(void)
{
    g_autoptr(GString) text = g_string_new("A: b\n\n");
    struct inspect_limits limits;

    inspect_limits_init(&limits);
    limits.text_size_bytes = 1000;
    for (guint i = 0; i < 100; i++)
        g_string_append(text, "0123456789\n");
    g_autoptr(facts) facts = inspect_octets(text->str, text->len, &limits);
    g_autofree char *findings = findings_of(facts);
    g_assert_cmpstr(findings, ==, "text-too-large:1");
}

static void test_empty(void)
{
    g_autoptr(facts) facts = read_message("");

    g_assert_cmpuint(facts->field_count, ==, 0);
    g_assert_cmpuint(facts->size_bytes, ==, 0);
    g_assert_cmpuint(facts->part_count, ==, 1);
    g_assert_cmpuint(facts->finding_count, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/reader/fields", test_fields);
    g_test_add_func("/inspect/reader/long-field", test_long_field);
    g_test_add_func("/inspect/reader/people", test_people);
    g_test_add_func("/inspect/reader/subject", test_subject);
    g_test_add_func("/inspect/reader/parts", test_parts);
    g_test_add_func("/inspect/reader/file-name-vectors", test_file_name_vectors);
    g_test_add_func("/inspect/reader/report", test_report);
    g_test_add_func("/inspect/reader/encrypted", test_encrypted);
    g_test_add_func("/inspect/reader/types-in-turn", test_types_in_turn);
    g_test_add_func("/inspect/reader/structure-findings", test_structure_findings);
    g_test_add_func("/inspect/reader/text-findings", test_text_findings);
    g_test_add_func("/inspect/reader/wrong-charset-of-text", test_wrong_charset_of_text);
    g_test_add_func("/inspect/reader/depth-and-number", test_depth_and_number);
    g_test_add_func("/inspect/reader/bombs", test_bombs);
    g_test_add_func("/inspect/reader/text-limit", test_text_limit);
    g_test_add_func("/inspect/reader/empty", test_empty);
    return g_test_run();
}
