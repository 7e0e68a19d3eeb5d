/*
 * Attack surface: addresses of the envelope, as strangers give them. Beyond not crashing: what is plain is
 * made of visible characters, stays what it is when it is parsed again, and matches its own domain; what is
 * shown to people cannot steer a terminal.
 */
#include "policy/person/address.h"

#include <stdint.h>
#include <string.h>

#include "policy/person/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plain(const struct address *address)
{
    g_autoptr(address) again = address_parse(address->canonical);
    g_autofree char *domain = domain_canonical(address->domain);
    g_autofree char *whole = g_strconcat(address->local, "@", address->domain, NULL);
    g_autofree char *untagged = address_untagged(address, "+-");

    g_assert_cmpint(again->form, ==, ADDRESS_PLAIN);
    g_assert_cmpstr(again->canonical, ==, address->canonical);
    g_assert_cmpstr(whole, ==, address->canonical);
    g_assert_cmpstr(domain, ==, address->domain);
    g_assert_true(domain_matches(address->domain, address->canonical));
    g_assert_cmpuint(strlen(address->canonical), <=, 3 * ADDRESS_MAX_BYTES);
    g_assert_null(strpbrk(address->canonical, "\"\\<>()[],:;%! \t"));
    if (untagged != NULL) {
        g_autoptr(address) shorter = address_parse(untagged);

        g_assert_cmpuint(strlen(untagged), <, strlen(address->canonical));
        g_assert_cmpint(shorter->form, !=, ADDRESS_NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *given = g_strndup((const char *)data, size);
    g_autoptr(address) address = address_parse(given);
    g_autofree char *printable = address_printable(given);

    g_assert_cmpstr(address->given, ==, given);
    g_assert_true(g_utf8_validate(address->canonical, -1, NULL) && g_utf8_validate(printable, -1, NULL));
    g_assert_cmpuint(strlen(printable), <=, ADDRESS_MAX_BYTES);
    for (const char *p = printable; *p != '\0'; p = g_utf8_next_char(p))
        g_assert_true(*p == ' ' || g_unichar_isgraph(g_utf8_get_char(p)));
    g_assert_true((address->canonical[0] == '\0') == (address->form == ADDRESS_NULL));
    if (address->form == ADDRESS_PLAIN)
        check_plain(address);
    return 0;
}
