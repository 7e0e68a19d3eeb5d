/*
 * Attack surface: what strangers put into LDAP filters (addresses, logins, names in certificates), and the
 * person filter that an administrator writes. The input is a person filter, a NUL, a value. The value comes
 * back out of its escaped form as it was; a filter that is accepted stays one filter with just its
 * parentheses, whatever the value.
 */
#include "policy/person/filter.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_escaped(const char *escaped, const uint8_t *value, size_t size)
{
    size_t n = 0;

    g_assert_null(strpbrk(escaped, "()*|&!"));
    for (const char *p = escaped; *p != '\0'; n++) {
        guchar octet = (guchar)*p++;

        if (octet == '\\') {
            octet = (guchar)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
            p += 2;
        }
        g_assert_true(n < size && octet == value[n]);
    }
    g_assert_cmpuint(n, ==, size);
}

static guint count(const char *text, char c)
{
    guint found = 0;

    for (; *text != '\0'; text++)
        found += *text == c;
    return found;
}

static void check_search(const struct person_filter *filter, const char *value)
{
    struct directory_settings *settings = directory_settings_new();
    g_autoptr(search) search = search_new(2, 0);
    g_autofree char *text = NULL;

    search->questions[0].slot = slot_new(ASK_ADDRESS, value);
    search->questions[1].slot = slot_new(ASK_LOGIN, value);
    text = person_filter_search(filter, settings, search);
    g_assert_cmpuint(count(text, '('), ==, count(filter->text, '(') + 2);
    g_assert_cmpuint(count(text, ')'), ==, count(filter->text, ')') + 2);
    g_assert_cmpuint(count(text, '*'), ==, count(filter->text, '*'));
    directory_settings_free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, '\0', size);
    g_autofree char *text = g_strndup((const char *)data, size);
    const uint8_t *value = nul != NULL ? nul + 1 : data + size;
    size_t length = size - (size_t)(value - data);
    g_autofree char *escaped = filter_escape((const char *)value, length);
    g_autofree char *string = g_strndup((const char *)value, length);
    g_autoptr(GError) error = NULL;
    g_autoptr(person_filter) filter = person_filter_parse(text, &error);

    check_escaped(escaped, value, length);
    g_assert_true((filter == NULL) == (error != NULL));
    if (filter != NULL)
        check_search(filter, string);
    return 0;
}
