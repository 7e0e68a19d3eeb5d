#include "policy/zone/network.h"

#include <string.h>

static void test_ip(void)
{
    static const struct {
        const char *text, *formatted;
    } rows[] = {
        {"10.1.2.3", "10.1.2.3"},
        {"::ffff:10.1.2.3", "10.1.2.3"},
        {"::FFFF:0a01:0203", "10.1.2.3"},
        {"IPv6:::ffff:10.1.2.3", "10.1.2.3"},
        {"IPv6:2001:db8::1", "2001:db8::1"},
        {"ipv6:2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::", "::"},
        {"0.0.0.0", "0.0.0.0"},
        {"unknown", "unknown"},
        {"", "unknown"},
        {NULL, "unknown"},
        {"10.1.2", "unknown"},
        {"10.1.2.3.4", "unknown"},
        {"10.01.2.3", "unknown"},
        {"10.1.2.256", "unknown"},
        {"fe80::1%eth0", "unknown"},
        {"10.0.0.0/8", "unknown"},
        {" 10.1.2.3", "unknown"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *formatted = ip_format(ip_parse(rows[i].text));
        g_test_message("%s", rows[i].text);
        g_assert_cmpstr(formatted, ==, rows[i].formatted);
    }
}

static void test_network_parse(void)
{
    static const struct {
        const char *text, *formatted; /* NULL: is none */
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"10.0.0.25", "10.0.0.25"},
        {"10.0.0.25/32", "10.0.0.25"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"fd00:10::/32", "fd00:10::/32"},
        {"2001:db8::1", "2001:db8::1"},
        {"2001:db8::1/128", "2001:db8::1"},
        {"::/0", "::/0"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"10.0.0.1/8", NULL},
        {"10.128.0.0/8", NULL},
        {"fd00::1/32", NULL},
        {"10.0.0.0/33", NULL},
        {"::/129", NULL},
        {"10.0.0.0/", NULL},
        {"10.0.0.0/08", NULL},
        {"10.0.0.0/ 8", NULL},
        {"10.0.0.0/+8", NULL},
        {"10.0.0.0/8x", NULL},
        {"10.0.0.0/4294967304", NULL},
        {"10.0.0.0/8/8", NULL},
        {"10.0.0.0/255.0.0.0", NULL},
        {"10/8", NULL},
        {"/8", NULL},
        {"", NULL},
        {"agency.gov.cn", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct network network;
        g_test_message("%s", rows[i].text);
        g_assert_cmpint(network_parse(rows[i].text, &network), ==, rows[i].formatted != NULL);
        if (rows[i].formatted == NULL)
            continue;
        g_autofree char *formatted = network_format(&network);
        g_assert_cmpstr(formatted, ==, rows[i].formatted);
    }
}

static void test_network_base(void)
{
    g_autofree char *ipv4 = network_base("10.1.2.3/8");
    g_autofree char *ipv6 = network_base("fd00:10::1/32");
    g_autofree char *none = network_base("10.1.2.3");
    g_autofree char *broken = network_base("10.1.2.3/64");

    g_assert_cmpstr(ipv4, ==, "10.0.0.0/8");
    g_assert_cmpstr(ipv6, ==, "fd00:10::/32");
    g_assert_null(none);
    g_assert_null(broken);
}

static gboolean contains(const char *network_text, const char *ip_text)
{
    struct network network;

    g_assert_true(network_parse(network_text, &network));
    return network_contains(&network, ip_parse(ip_text));
}

static void test_contains(void)
{
    g_assert_true(contains("10.0.0.0/8", "10.255.255.255"));
    g_assert_false(contains("10.0.0.0/8", "11.0.0.0"));
    g_assert_true(contains("10.0.0.0/8", "::ffff:10.9.9.9"));
    g_assert_true(contains("10.0.0.0/8", "IPv6:::ffff:10.9.9.9"));
    g_assert_true(contains("10.9.9.9", "::ffff:10.9.9.9"));
    g_assert_false(contains("10.0.0.0/8", "::10.9.9.9"));
    g_assert_true(contains("192.168.7.128/25", "192.168.7.200"));
    g_assert_false(contains("192.168.7.128/25", "192.168.7.127"));
    g_assert_true(contains("fd00:10::/32", "fd00:10:ffff::1"));
    g_assert_false(contains("fd00:10::/32", "fd00:11::1"));
    g_assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
    g_assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
    g_assert_true(contains("0.0.0.0/0", "198.51.100.1"));
    g_assert_false(contains("0.0.0.0/0", "2001:db8::1"));
    g_assert_true(contains("::/0", "2001:db8::1"));
    g_assert_false(contains("::/0", "198.51.100.1"));
    g_assert_false(contains("0.0.0.0/0", "unknown"));
    g_assert_false(contains("::/0", "unknown"));
}

static void test_many(void)
{
    g_autoptr(GArray) networks = g_array_new(FALSE, FALSE, sizeof(struct network));
    struct network network;

    g_assert_false(networks_contain(NULL, ip_parse("10.0.0.1")));
    g_assert_false(networks_contain(networks, ip_parse("10.0.0.1")));
    g_assert_true(network_parse("192.0.2.0/24", &network));
    g_array_append_val(networks, network);
    g_assert_true(network_parse("10.0.0.1", &network));
    g_array_append_val(networks, network);
    g_assert_true(networks_contain(networks, ip_parse("10.0.0.1")));
    g_assert_true(networks_contain(networks, ip_parse("192.0.2.77")));
    g_assert_false(networks_contain(networks, ip_parse("10.0.0.2")));
}

/* For any address and prefix: the network made of its first bits holds it, and, flipped in one of those bits,
 * does not. */
static void test_property(void)
{
    for (guint round = 0; round < 2000; round++) {
        struct ip ip = {.known = TRUE};
        struct network network = {.prefix = (guint)g_test_rand_int_range(1, 129)};
        for (guint i = 0; i < 16; i++)
            ip.bytes[i] = (guint8)g_test_rand_int_range(0, 256);
        ip.bytes[0] |= 0x20; /* no IPv4 */
        g_autofree char *address = ip_format(ip);
        g_autofree char *text = g_strdup_printf("%s/%u", address, network.prefix);
        g_autofree char *base = network_base(text);
        guint bit = (guint)g_test_rand_int_range(0, (gint)network.prefix);

        g_assert_true(network_parse(base, &network));
        g_assert_true(network_contains(&network, ip));
        ip.bytes[bit / 8] ^= (guint8)(0x80 >> (bit % 8));
        g_assert_false(network_contains(&network, ip));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/zone/network/ip", test_ip);
    g_test_add_func("/zone/network/parse", test_network_parse);
    g_test_add_func("/zone/network/base", test_network_base);
    g_test_add_func("/zone/network/contains", test_contains);
    g_test_add_func("/zone/network/many", test_many);
    g_test_add_func("/zone/network/property", test_property);
    return g_test_run();
}
