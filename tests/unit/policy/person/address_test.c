#include "policy/person/address.h"

#include <string.h>

#include "policy/person/limits.h"

struct parse_case {
    const char *given, *canonical, *local, *domain;
    enum address_form form;
};

static const struct parse_case PARSE_CASES[] = {
    {"<Bo@Agency.GOV.cn>", "bo@agency.gov.cn", "bo", "agency.gov.cn", ADDRESS_PLAIN},
    {"bo@agency.gov.cn", "bo@agency.gov.cn", "bo", "agency.gov.cn", ADDRESS_PLAIN},
    {"<bo+List@x.cn>", "bo+list@x.cn", "bo+list", "x.cn", ADDRESS_PLAIN},
    {"<o'neil.a_b-c{d}=e@x-y.cn>", "o'neil.a_b-c{d}=e@x-y.cn", "o'neil.a_b-c{d}=e", "x-y.cn", ADDRESS_PLAIN},
    {"<root@localhost>", "root@localhost", "root", "localhost", ADDRESS_PLAIN},
    {"<张三@机关.中国>", "张三@xn--d6qt44c.xn--fiqs8s", "张三", "xn--d6qt44c.xn--fiqs8s", ADDRESS_PLAIN},
    {"<ÄB@BÜCHER.example>", "äb@xn--bcher-kva.example", "äb", "xn--bcher-kva.example", ADDRESS_PLAIN},
    {"<bo@XN--D6QT44C.cn>", "bo@xn--d6qt44c.cn", "bo", "xn--d6qt44c.cn", ADDRESS_PLAIN},
    {"<bo@agency。gov．cn>", "bo@agency.gov.cn", "bo", "agency.gov.cn", ADDRESS_PLAIN},
    {"<e\xcc\x81@x.cn>", "\xc3\xa9@x.cn", "\xc3\xa9", "x.cn", ADDRESS_PLAIN}, /* NFC */
    {"<>", "", "", "", ADDRESS_NULL},
    {"", "", "", "", ADDRESS_NULL},
    {NULL, "", "", "", ADDRESS_NULL},
    {"<@a,@b:bo@x.cn>", "bo@x.cn", "bo", "x.cn", ADDRESS_STRANGE},
    {"<\"b o\"@x.cn>", "\"b o\"@x.cn", "\"b o\"", "x.cn", ADDRESS_STRANGE},
    {"<\"bo@y\"@x.cn>", "\"bo@y\"@x.cn", "\"bo@y\"", "x.cn", ADDRESS_STRANGE},
    {"<mi%ext@agency.gov.cn>", "mi%ext@agency.gov.cn", "mi%ext", "agency.gov.cn", ADDRESS_STRANGE},
    {"<ext!mi@agency.gov.cn>", "ext!mi@agency.gov.cn", "ext!mi", "agency.gov.cn", ADDRESS_STRANGE},
    {"<bo@[10.0.0.1]>", "bo@[10.0.0.1]", "bo", "[10.0.0.1]", ADDRESS_STRANGE},
    {"<bo@10.0.0.1>", "bo@10.0.0.1", "bo", "10.0.0.1", ADDRESS_STRANGE},
    {"<@x.cn:>", "@x.cn:", "", "", ADDRESS_STRANGE}, /* only the null sender is canonically nothing */
    {"<bo@>", "bo@", "bo", "", ADDRESS_STRANGE},
    {"<@x.cn>", "@x.cn", "", "x.cn", ADDRESS_STRANGE},
    {"<bo>", "bo", "bo", "", ADDRESS_STRANGE},
    {"<bo@agency.gov.cn.>", "bo@agency.gov.cn", "bo", "agency.gov.cn", ADDRESS_STRANGE},
    {"<bo@x.cn", "<bo@x.cn", "<bo", "x.cn", ADDRESS_STRANGE},
    {"<bo@x..cn>", "bo@x..cn", "bo", "x..cn", ADDRESS_STRANGE},
    {"<bo@-x.cn>", "bo@-x.cn", "bo", "-x.cn", ADDRESS_STRANGE},
    {"<bo@x-.cn>", "bo@x-.cn", "bo", "x-.cn", ADDRESS_STRANGE},
    {"<b..o@x.cn>", "b..o@x.cn", "b..o", "x.cn", ADDRESS_STRANGE},
    {"<.bo@x.cn>", ".bo@x.cn", ".bo", "x.cn", ADDRESS_STRANGE},
    {"<bo.@x.cn>", "bo.@x.cn", "bo.", "x.cn", ADDRESS_STRANGE},
    {"<b o@x.cn>", "b o@x.cn", "b o", "x.cn", ADDRESS_STRANGE},
    {"<a@b@x.cn>", "a@b@x.cn", "a@b", "x.cn", ADDRESS_STRANGE},
    {"<bo\\@x.cn>", "bo\\@x.cn", "bo\\", "x.cn", ADDRESS_STRANGE},
    {"<b\x01o@x.cn>", "b?o@x.cn", "b?o", "x.cn", ADDRESS_STRANGE},
    {"<b\xffo@x.cn>", "b?o@x.cn", "b?o", "x.cn", ADDRESS_STRANGE},
    {"<b\xe2\x80\x8bo@x.cn>", "b?o@x.cn", "b?o", "x.cn", ADDRESS_STRANGE}, /* zero width space */
    {"<bo@x\xe2\x80\x8b.cn>", "bo@x?.cn", "bo", "x?.cn", ADDRESS_STRANGE}, /* the same in the domain */
    {"<bo@x\xe2\x80\xae.cn>", "bo@x?.cn", "bo", "x?.cn", ADDRESS_STRANGE}, /* right-to-left override */
    {"<\xe2\x84\xaa@x.cn>", "k@x.cn", "k", "x.cn", ADDRESS_STRANGE},       /* Kelvin sign is no k */
    {"<\xc4\xb0@x.cn>", "i@x.cn", "i", "x.cn", ADDRESS_STRANGE},           /* nor a dotted I an i */
    {"<a\xc2\xa0"
     "b@x.cn>",
     "a?b@x.cn", "a?b", "x.cn", ADDRESS_STRANGE}, /* no-break space */
};

static void test_parse(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(PARSE_CASES); i++) {
        const struct parse_case *c = &PARSE_CASES[i];
        g_autoptr(address) address = address_parse(c->given);

        g_test_message("case %u: %s", i, c->canonical);
        g_assert_cmpstr(address->given, ==, c->given != NULL ? c->given : "");
        g_assert_cmpstr(address->canonical, ==, c->canonical);
        g_assert_cmpstr(address->local, ==, c->local);
        g_assert_cmpstr(address->domain, ==, c->domain);
        g_assert_cmpint(address->form, ==, c->form);
    }
}

static void test_limits(void)
{
    g_autofree char *longest = g_strnfill(ADDRESS_MAX_BYTES - strlen("@x.cn"), 'a');
    g_autofree char *fits = g_strconcat("<", longest, "@x.cn>", NULL);
    g_autofree char *over = g_strconcat("<", longest, "a@x.cn>", NULL);
    g_autofree char *huge = g_strnfill(1000000, '@');
    g_autofree char *label = g_strnfill(DOMAIN_LABEL_MAX_BYTES + 1, 'a');
    g_autofree char *in_label = g_strconcat("bo@", label, ".cn", NULL);
    g_autoptr(address) fitting = address_parse(fits);
    g_autoptr(address) longer = address_parse(over);
    g_autoptr(address) largest = address_parse(huge);
    g_autoptr(address) wide = address_parse(in_label);

    g_assert_cmpint(fitting->form, ==, ADDRESS_PLAIN);
    g_assert_cmpint(longer->form, ==, ADDRESS_STRANGE);
    g_assert_cmpint(largest->form, ==, ADDRESS_STRANGE);
    g_assert_cmpint(wide->form, ==, ADDRESS_STRANGE);
    g_assert_cmpuint(strlen(largest->canonical), <=, 2 * ADDRESS_MAX_BYTES + 1);
    g_assert_cmpuint(strlen(largest->given), ==, 1000000);
}

/* What is canonical stays as it is when it is parsed again. */
static void test_canonical_is_stable(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(PARSE_CASES); i++) {
        g_autoptr(address) once = address_parse(PARSE_CASES[i].given);
        g_autoptr(address) again = address_parse(once->canonical);

        if (once->form == ADDRESS_PLAIN) {
            g_assert_cmpstr(again->canonical, ==, once->canonical);
            g_assert_cmpint(again->form, ==, ADDRESS_PLAIN);
        }
    }
}

static void test_untagged(void)
{
    static const struct {
        const char *given, *delimiter, *expected;
    } cases[] = {
        {"bo+list@x.cn", "+", "bo@x.cn"},
        {"bo+a+b@x.cn", "+", "bo@x.cn"},
        {"bo-list@x.cn", "+-", "bo@x.cn"},
        {"bo@x.cn", "+", NULL},
        {"+list@x.cn", "+", NULL},
        {"bo+list@x.cn", "", NULL},
        {"bo+list@x.cn", NULL, NULL},
        {"owner-bo@x.cn", "-", NULL},
        {"bo-request@x.cn", "-", NULL},
        {"Postmaster@x.cn", "-o", NULL},
        {"mailer-daemon@x.cn", "-", NULL},
        {"double-bounce@x.cn", "-", NULL},
        {"owner-bo+a@x.cn", "+", "owner-bo@x.cn"},
        {"bo%y+a@x.cn", "+", NULL},
        {"", "+", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(address) address = address_parse(cases[i].given);
        g_autofree char *untagged = address_untagged(address, cases[i].delimiter);

        g_test_message("%s", cases[i].given);
        g_assert_cmpstr(untagged, ==, cases[i].expected);
    }
}

static void test_domains(void)
{
    static const struct {
        const char *pattern, *domain;
        gboolean matches;
    } cases[] = {
        {"agency.gov.cn", "agency.gov.cn", TRUE},
        {"agency.gov.cn", "a.agency.gov.cn", FALSE},
        {"*.agency.gov.cn", "a.agency.gov.cn", TRUE},
        {"*.agency.gov.cn", "a.b.agency.gov.cn", TRUE},
        {"*.agency.gov.cn", "agency.gov.cn", FALSE},
        {"*.agency.gov.cn", "xagency.gov.cn", FALSE},
        {"*.agency.gov.cn", ".agency.gov.cn", FALSE},
        {"agency.gov.cn", "bo@agency.gov.cn", TRUE},
        {"*.agency.gov.cn", "bo@a.agency.gov.cn", TRUE},
        {"bo@agency.gov.cn", "bo@agency.gov.cn", TRUE},
        {"bo@agency.gov.cn", "mi@agency.gov.cn", FALSE},
        {"bo@agency.gov.cn", "agency.gov.cn", FALSE},
        {"agency.gov.cn", "", FALSE},
        {"*.agency.gov.cn", "", FALSE},
    };
    static const char *const canonical[][2] = {
        {"Agency.GOV.cn", "agency.gov.cn"},
        {"*.Agency.cn", "*.agency.cn"},
        {"机关.中国", "xn--d6qt44c.xn--fiqs8s"},
        {"*.机关.cn", "*.xn--d6qt44c.cn"},
        {"*.", NULL},
        {"", NULL},
        {"*", NULL},
        {"a.*.cn", NULL},
        {"[10.0.0.1]", NULL},
        {"bo@x.cn", NULL},
        {"x.cn.", NULL},
        {"x cn", NULL},
        {"\xff.cn", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s %s", cases[i].pattern, cases[i].domain);
        g_assert_cmpint(domain_matches(cases[i].pattern, cases[i].domain), ==, cases[i].matches);
    }
    for (guint i = 0; i < G_N_ELEMENTS(canonical); i++) {
        g_autofree char *domain = domain_canonical(canonical[i][0]);

        g_assert_cmpstr(domain, ==, canonical[i][1]);
    }
}

static void test_printable(void)
{
    g_autofree char *clean = address_printable("张三 <bo@x.cn>");
    g_autofree char *dirty = address_printable("a\nb\x1b[31m\xff\xe2\x80\xae"
                                               "c");
    g_autofree char *many = g_strnfill(200, 'x');
    g_autofree char *wide = g_strconcat(many, many, NULL);
    g_autofree char *cut = address_printable(wide);

    g_assert_cmpstr(clean, ==, "张三 <bo@x.cn>");
    g_assert_cmpstr(dirty, ==, "a?b?[31m??c");
    g_assert_cmpuint(strlen(cut), ==, ADDRESS_MAX_BYTES);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/address/parse", test_parse);
    g_test_add_func("/person/address/limits", test_limits);
    g_test_add_func("/person/address/stable", test_canonical_is_stable);
    g_test_add_func("/person/address/untagged", test_untagged);
    g_test_add_func("/person/address/domains", test_domains);
    g_test_add_func("/person/address/printable", test_printable);
    return g_test_run();
}
