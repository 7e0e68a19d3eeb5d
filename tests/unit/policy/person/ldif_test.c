#include "policy/person/ldif.h"

#include <string.h>

#include "policy/person/limits.h"

static GPtrArray *parse(const char *text, GError **error)
{
    return ldif_parse("people.ldif", text, strlen(text), error);
}

/* "DN: NAME=VALUE NAME=VALUE …" of one entry. */
static char *show(const GPtrArray *entries, guint index)
{
    const struct entry *entry = g_ptr_array_index(entries, index);
    GString *out = g_string_new(entry->dn);

    g_string_append_c(out, ':');
    for (guint i = 0; i < entry->attributes->len; i++) {
        const struct attribute *attribute = g_ptr_array_index(entry->attributes, i);

        for (guint j = 0; j < attribute->values->len; j++)
            g_string_append_printf(out, " %s=%s", attribute->name,
                                   (char *)g_ptr_array_index(attribute->values, j));
        if (attribute->broken)
            g_string_append_printf(out, " %s!", attribute->name);
    }
    return g_string_free(out, FALSE);
}

static void test_read(void)
{
    static const struct {
        const char *text, *first;
        guint count;
    } cases[] = {
        {"", NULL, 0},
        {"\n\n# nothing\n", NULL, 0},
        {"version: 1\n\ndn: dc=x\ndc: x\n", "dc=x: dc=x", 1},
        {"\xef\xbb\xbfversion: 1\ndn: dc=x\ndc: x", "dc=x: dc=x", 1},
        {"dn: dc=x\r\ndc: x\r\n\r\ndn: dc=y\r\ndc: y\r\n", "dc=x: dc=x", 2},
        {"dn: dc=x\ncn: a\nCN: b\ncn;lang-zh: c\n", "dc=x: cn=a cn=b cn;lang-zh=c", 1},
        {"dn: dc=x\ncn: long va\n lue\n  goes on\n", "dc=x: cn=long value goes on", 1},
        {"dn: dc=x\n# a comment\n  that goes on\ncn: a\n", "dc=x: cn=a", 1},
        {"dn:: ZGM96I2j\ncn:: 5py65a+G\n", "dc=\xe8\x8d\xa3: cn=机密", 1},
        {"dn:: ZGM9\n eA==\ncn::  5py6\n 5a+G \n", "dc=x: cn=机密", 1},
        {"dn: dc=x\ncn: 机密\n", "dc=x: cn=机密", 1},
        {"dn: dc=x\ncn:\nsn:no space\n", "dc=x: cn= sn=no space", 1},
        {"dn: dc=x\ncn:: AGE=\nsn:: /w==\n", "dc=x: cn! sn!", 1}, /* NUL; no UTF-8 */
        {"dn: dc=x\ncn::\n", "dc=x: cn=", 1},
        {"dn: dc=x\n\n\n\ndn: dc=y\n", "dc=x:", 2},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) entries = parse(cases[i].text, &error);

        g_test_message("case %u", i);
        g_assert_no_error(error);
        if (entries == NULL)
            continue;
        g_assert_cmpuint(entries->len, ==, cases[i].count);
        if (entries->len > 0) {
            g_autofree char *first = show(entries, 0);

            g_assert_cmpstr(first, ==, cases[i].first);
        }
    }
}

static void test_wrong(void)
{
    static const char *const cases[][2] = {
        {"version: 2\n", "people.ldif:1: this version of LDIF is not read, only version 1"},
        {"version: 1\nversion: 1\n", "people.ldif:2: an entry begins with dn:"},
        {"dn: dc=x\n\nversion: 1\n", "people.ldif:3: an entry begins with dn:"},
        {"cn: a\n", "people.ldif:1: an entry begins with dn:"},
        {"# one\n# two\n\ncn: a\n", "people.ldif:4: an entry begins with dn:"},
        {"dn: dc=x\ndn: dc=y\n",
         "people.ldif:2: dn: stands inside an entry; an empty line is missing before it"},
        {"dn: no dn\n", "people.ldif:1: this is no distinguished name"},
        {"dn:: AA==\n", "people.ldif:1: this is no distinguished name"},
        {"dn: dc=x\n\ndn: DC=X\n", "people.ldif:3: an entry of this name stands above"},
        {"dn: dc=x\nchangetype: modify\n", "people.ldif:2: the file has changes of entries, not entries"},
        {"dn: dc=x\njpegPhoto:< file:///etc/passwd\n", "people.ldif:2: values from a URL are not read"},
        {"dn: dc=x\ncn:: 5py\n", "people.ldif:2: the value is no base64"},
        {"dn: dc=x\ncn:: 5p=6\n", "people.ldif:2: the value is no base64"},
        {"dn: dc=x\ncn:: 5py65a\n +G!\n", "people.ldif:2: the value is no base64"},
        {"dn: dc=x\ncn a\n", "people.ldif:2: expected ATTRIBUTE: value"},
        {"dn: dc=x\nc n: a\n", "people.ldif:2: this is no name of an attribute"},
        {"dn: dc=x\n: a\n", "people.ldif:2: this is no name of an attribute"},
        {" dn: dc=x\n", "people.ldif:1: a continued line stands behind nothing that it continues"},
        {"dn: dc=x\n\n cn: a\n", "people.ldif:3: a continued line stands behind nothing that it continues"},
    };
    static const char NUL[] = "dn: dc=x\ncn: a\0b\n";
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) problem = NULL;
        g_autoptr(GPtrArray) entries = parse(cases[i][0], &problem);

        g_test_message("case %u", i);
        g_assert_null(entries);
        g_assert_error(problem, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE);
        if (problem != NULL)
            g_assert_cmpstr(problem->message, ==, cases[i][1]);
    }
    g_assert_null(ldif_parse("people.ldif", NUL, sizeof NUL - 1, &error));
    g_assert_cmpstr(error->message, ==, "people.ldif:2: the line has a NUL octet");
}

static void test_limits(void)
{
    g_autofree char *wide = g_strnfill(LDIF_MAX_LINE_BYTES + 1, 'a');
    g_autofree char *line = g_strconcat("dn: dc=x\ncn: ", wide, NULL);
    g_autoptr(GString) folded = g_string_new("dn: dc=x\ncn: a");
    g_autoptr(GString) many = g_string_new("dn: dc=x\n");
    g_autoptr(GString) values = g_string_new("dn: dc=x\n");
    g_autoptr(GError) line_error = NULL, folded_error = NULL, many_error = NULL, values_error = NULL;

    for (guint i = 0; i < LDIF_MAX_LINE_BYTES; i++)
        g_string_append(folded, "\n a");
    for (guint i = 0; i <= LDIF_MAX_ENTRY_LINES; i++)
        g_string_append(many, "cn: a\n");
    for (guint i = 0; i <= ENTRY_MAX_VALUES; i++)
        g_string_append(values, "cn: a\n");
    g_assert_null(parse(line, &line_error));
    g_assert_cmpstr(line_error->message, ==, "people.ldif:2: the line is too long");
    g_assert_null(parse(folded->str, &folded_error));
    g_assert_cmpstr(folded_error->message, ==, "people.ldif:2: the line is too long");
    g_assert_null(parse(many->str, &many_error));
    g_assert_cmpstr(many_error->message, ==, "people.ldif:10002: the entry has too many lines");
    g_autoptr(GPtrArray) entries = parse(values->str, &values_error);
    g_assert_no_error(values_error);
    g_assert_true(((struct attribute *)g_ptr_array_index(
                       ((struct entry *)g_ptr_array_index(entries, 0))->attributes, 0))
                      ->broken);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/ldif/read", test_read);
    g_test_add_func("/person/ldif/wrong", test_wrong);
    g_test_add_func("/person/ldif/limits", test_limits);
    return g_test_run();
}
