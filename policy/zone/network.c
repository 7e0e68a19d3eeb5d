#include "policy/zone/network.h"

#include <arpa/inet.h>
#include <string.h>

/* RFC 4291 2.5.5.2: ::ffff:a.b.c.d */
static const guint8 mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
#define MAPPED_BITS 96

static gboolean is_ipv4(const guint8 bytes[16])
{
    return memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

static gboolean bytes_parse(const char *text, guint8 bytes[16], gboolean *dotted)
{
    *dotted = inet_pton(AF_INET, text, bytes + 12) == 1;
    if (*dotted) {
        memcpy(bytes, mapped_prefix, sizeof mapped_prefix);
        return TRUE;
    }
    return inet_pton(AF_INET6, text, bytes) == 1;
}

struct ip ip_parse(const char *text)
{
    struct ip ip = {.known = FALSE};
    gboolean dotted;

    if (text == NULL)
        return ip;
    if (g_ascii_strncasecmp(text, "IPv6:", 5) == 0)
        text += 5;
    ip.known = bytes_parse(text, ip.bytes, &dotted);
    if (!ip.known)
        memset(ip.bytes, 0, sizeof ip.bytes);
    return ip;
}

char *ip_format(struct ip ip)
{
    char text[INET6_ADDRSTRLEN];

    if (!ip.known)
        return g_strdup("unknown");
    if (is_ipv4(ip.bytes))
        inet_ntop(AF_INET, ip.bytes + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, ip.bytes, text, sizeof text);
    return g_strdup(text);
}

/* Decimal digits without sign, blank or leading zero. */
static gboolean prefix_parse(const char *text, guint highest, guint *prefix)
{
    guint value = 0;

    if (!g_ascii_isdigit(text[0]) || (text[0] == '0' && text[1] != '\0'))
        return FALSE;
    for (; g_ascii_isdigit(*text); text++) {
        value = value * 10 + (guint)(*text - '0');
        if (value > highest)
            return FALSE;
    }
    *prefix = value;
    return *text == '\0';
}

static guint8 byte_mask(guint prefix, guint byte)
{
    guint first_bit = byte * 8;

    if (prefix >= first_bit + 8)
        return 0xff;
    return prefix <= first_bit ? 0 : (guint8)(0xff << (first_bit + 8 - prefix));
}

gboolean network_parse(const char *text, struct network *network)
{
    const char *slash = strchr(text, '/');
    g_autofree char *address = slash != NULL ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
    struct network parsed = {.prefix = 128};
    gboolean dotted;

    if (!bytes_parse(address, parsed.bytes, &dotted))
        return FALSE;
    if (slash != NULL && !prefix_parse(slash + 1, dotted ? 32 : 128, &parsed.prefix))
        return FALSE;
    if (slash != NULL && dotted)
        parsed.prefix += MAPPED_BITS;
    for (guint i = 0; i < sizeof parsed.bytes; i++)
        if ((parsed.bytes[i] & (guint8)~byte_mask(parsed.prefix, i)) != 0)
            return FALSE;
    *network = parsed;
    return TRUE;
}

char *network_base(const char *text)
{
    const char *slash = strchr(text, '/');
    g_autofree char *address = slash != NULL ? g_strndup(text, (gsize)(slash - text)) : NULL;
    struct ip ip = {.known = TRUE};
    gboolean dotted;
    guint prefix;

    if (slash == NULL || !bytes_parse(address, ip.bytes, &dotted) ||
        !prefix_parse(slash + 1, dotted ? 32 : 128, &prefix))
        return NULL;
    for (guint i = 0; i < sizeof ip.bytes; i++)
        ip.bytes[i] &= byte_mask(prefix + (dotted ? MAPPED_BITS : 0), i);
    g_autofree char *base = ip_format(ip);
    return g_strdup_printf("%s/%u", base, prefix);
}

char *network_format(const struct network *network)
{
    struct ip ip = {.known = TRUE};
    memcpy(ip.bytes, network->bytes, sizeof ip.bytes);
    g_autofree char *address = ip_format(ip);
    gboolean ipv4 = network->prefix >= MAPPED_BITS && is_ipv4(network->bytes);

    if (network->prefix == 128)
        return g_steal_pointer(&address);
    return g_strdup_printf("%s/%u", address, network->prefix - (ipv4 ? MAPPED_BITS : 0));
}

gboolean network_contains(const struct network *network, struct ip ip)
{
    if (!ip.known)
        return FALSE;
    /* ::/0 is every IPv6 address; that the mapped form lies below it must not let IPv4 clients in. */
    if (is_ipv4(ip.bytes) && network->prefix < MAPPED_BITS)
        return FALSE;
    for (guint i = 0; i < sizeof ip.bytes; i++)
        if (((ip.bytes[i] ^ network->bytes[i]) & byte_mask(network->prefix, i)) != 0)
            return FALSE;
    return TRUE;
}

gboolean networks_contain(const GArray *networks_or_null, struct ip ip)
{
    if (networks_or_null == NULL)
        return FALSE;
    for (guint i = 0; i < networks_or_null->len; i++)
        if (network_contains(&g_array_index(networks_or_null, struct network, i), ip))
            return TRUE;
    return FALSE;
}
