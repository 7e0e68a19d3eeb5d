#include "policy/person/filter.h"

#include <string.h>

#include "policy/person/dn.h"

static void test_escape(void)
{
    static const struct {
        const char *value;
        gsize length;
        const char *expected;
    } cases[] = {
        {"bo@x.cn", 7, "bo@x.cn"},
        {"", 0, ""},
        {"a*b", 3, "a\\2ab"},
        {"(a)", 3, "\\28a\\29"},
        {"a\\b", 3, "a\\5cb"},
        {"a\0b", 3, "a\\00b"},
        {"*)(uid=*))(|(uid=*", 18, "\\2a\\29\\28uid=\\2a\\29\\29\\28\\7c\\28uid=\\2a"},
        {"!&|<>~", 6, "\\21\\26\\7c\\3c\\3e\\7e"},
        {"a\nb\x7f", 4, "a\\0ab\\7f"},
        {"张", 3, "\\e5\\bc\\a0"},
        {"\xff\xfe", 2, "\\ff\\fe"}, /* no UTF-8 at all */
        {"o'neil+tag=1/2-3_4 5", 20, "o\\27neil+tag=1/2-3_4 5"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *escaped = filter_escape(cases[i].value, cases[i].length);

        g_assert_cmpstr(escaped, ==, cases[i].expected);
    }
}

static void test_read(void)
{
    static const struct {
        const char *text, *names;
        gboolean only;
    } cases[] = {
        {"(mail=%s)", "mail ", TRUE},
        {"(|(mail=%s)(mailAlternateAddress=%s))", "mail mailAlternateAddress ", TRUE},
        {"(|(mail=%s)(proxyAddresses=smtp:%s))", "mail proxyAddresses=smtp: ", TRUE},
        {"(|(mail=%s)(MAIL=%s)(2.5.4.3=%s))", "mail 2.5.4.3 ", TRUE},
        {"(&(objectClass=inetOrgPerson)(mail=%s)(!(employeeType=gone)))", "mail ", FALSE},
        {"(&(mail=%s))", "mail ", FALSE},
        {"(&(cn=100%)(mail=%s))", "mail ", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(person_filter) filter = person_filter_parse(cases[i].text, &error);
        g_autoptr(GString) names = g_string_new(NULL);

        g_test_message("%s", cases[i].text);
        g_assert_no_error(error);
        for (guint j = 0; filter != NULL && j < filter->addresses->len; j++) {
            const struct address_attribute *attribute = g_ptr_array_index(filter->addresses, j);

            g_string_append_printf(names, "%s%s%s ", attribute->name, attribute->prefix[0] != '\0' ? "=" : "",
                                   attribute->prefix);
        }
        g_assert_cmpstr(names->str, ==, cases[i].names);
        if (filter != NULL)
            g_assert_cmpint(filter->only_addresses, ==, cases[i].only);
    }
}

static void test_wrong(void)
{
    static const char *const cases[][2] = {
        {"", "a filter begins with ("},
        {"mail=%s", "a filter begins with ("},
        {"(mail=%s", "a ( is not closed with )"},
        {"(mail=%s))", "something stands behind the filter's last )"},
        {"(mail=bo)", "the filter has no %s where the address belongs"},
        {"(%s)", "a part of the filter has no attribute=value"},
        {"(=%s)", "a part of the filter has no attribute=value"},
        {"(%s=x)", "%s must stand behind ATTRIBUTE="},
        {"(mail~=%s)", "%s must stand behind ATTRIBUTE="},
        {"(mail>=%s)", "%s must stand behind ATTRIBUTE="},
        {"(mail:caseExactMatch:=%s)", "%s must stand behind ATTRIBUTE="},
        {"(mail=%s*)", "%s must be the end of its value, without * or \\ before it"},
        {"(mail=*%s)", "%s must be the end of its value, without * or \\ before it"},
        {"(mail=\\2a%s)", "%s must be the end of its value, without * or \\ before it"},
        {"(mail=%s%s)", "%s must be the end of its value, without * or \\ before it"},
        {"(!(mail=%s))", "%s stands in a negation"},
        {"(!(&(a=b)(mail=%s)))", "%s stands in a negation"},
        {"(&)", "& and | need at least one filter in ( ), ! exactly one"},
        {"(!(a=b)(c=d))", "& and | need at least one filter in ( ), ! exactly one"},
        {"(|(mail=%s)x)", "a ( is not closed with )"},
    };
    g_autoptr(GString) deep = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problem = directory_filter_problem(cases[i][0]);

        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(problem, ==, cases[i][1]);
    }
    for (guint i = 0; i < 1000; i++)
        g_string_append(deep, "(&");
    g_autofree char *problem = directory_filter_problem(deep->str);
    g_assert_cmpstr(problem, ==, "the filter is nested too deeply");
    g_autofree char *good = directory_filter_problem("(mail=%s)");
    g_assert_null(good);
}

static char *search_filter(const char *template, const struct slot *const *slots, guint count)
{
    g_autoptr(person_filter) filter = person_filter_parse(template, NULL);
    g_autoptr(search) search = search_new(count, 0);
    struct directory_settings *settings = directory_settings_new();
    char *text;

    for (guint i = 0; i < count; i++)
        search->questions[i].slot = slot_ref((struct slot *)slots[i]);
    text = person_filter_search(filter, settings, search);
    directory_settings_free(settings);
    return text;
}

static void test_search(void)
{
    g_autoptr(slot) plain = slot_new(ASK_ADDRESS, "bo@x.cn");
    g_autoptr(slot) odd = slot_new(ASK_ADDRESS, "%s*)(x=%s@x.cn");
    g_autoptr(slot) login = slot_new(ASK_LOGIN, "b*o");
    const struct slot *slots[] = {plain, odd, login};
    g_autofree char *one = search_filter("(mail=%s)", slots, 1);
    g_autofree char *all = search_filter("(|(mail=%s)(a=smtp:%s))", slots, 3);

    g_assert_cmpstr(one, ==, "(|(mail=bo@x.cn))");
    g_assert_cmpstr(all, ==,
                    "(|(|(mail=bo@x.cn)(a=smtp:bo@x.cn))"
                    "(|(mail=\\25s\\2a\\29\\28x=\\25s@x.cn)(a=smtp:\\25s\\2a\\29\\28x=\\25s@x.cn))"
                    "(uid=b\\2ao))");
}

static void test_dn(void)
{
    static const char *const units[][2] = {
        {"uid=bo,ou=财务处,dc=x", "ou=财务处,dc=x"},
        {"uid=bo,ou=预算科,ou=财务处,dc=x", "ou=预算科,ou=财务处,dc=x"},
        {"uid=bo,l=Beijing,OU=a,dc=x", "OU=a,dc=x"},
        {"uid=bo,cn=people,dc=x", "cn=people,dc=x"},
        {"uid=bo+ou=z,ou=a\\,b,dc=x", "ou=a\\2Cb,dc=x"},
        {"dc=x", NULL},
        {"", NULL},
        {"no dn", NULL},
    };
    static const struct {
        const char *dn, *base;
        gboolean below;
    } cases[] = {
        {"uid=bo,ou=people,dc=x", "dc=x", TRUE},
        {"uid=bo,ou=people,dc=x", "OU=People , DC=X", TRUE},
        {"dc=x", "dc=x", TRUE},
        {"dc=x", "ou=people,dc=x", FALSE},
        {"uid=bo,ou=peoples,dc=x", "ou=people,dc=x", FALSE},
        {"uid=bo,dc=x", "", TRUE},
        {"uid=bo\\,dc=x", "dc=x", FALSE},
        {"no dn", "dc=x", FALSE},
        {"uid=bo,dc=x", "no dn", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autofree char *unit = dn_unit(units[i][0]);

        g_assert_cmpstr(unit, ==, units[i][1]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s %s", cases[i].dn, cases[i].base);
        g_assert_cmpint(dn_is_below(cases[i].dn, cases[i].base), ==, cases[i].below);
    }
    g_assert_true(dn_is_valid("uid=bo,dc=x"));
    g_assert_false(dn_is_valid("uid=bo,,dc=x"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/filter/escape", test_escape);
    g_test_add_func("/person/filter/read", test_read);
    g_test_add_func("/person/filter/wrong", test_wrong);
    g_test_add_func("/person/filter/search", test_search);
    g_test_add_func("/person/dn", test_dn);
    return g_test_run();
}
