/*
 * network: IP addresses and networks. IPv4-mapped IPv6 addresses count as IPv4. Pure; any thread.
 */
#ifndef POLICY_ZONE_NETWORK_H
#define POLICY_ZONE_NETWORK_H

#include <glib.h>

struct ip {
    guint8 bytes[16]; /* IPv4 in the mapped form ::ffff:a.b.c.d */
    gboolean known;   /* FALSE: no address (unknown client): is in no network */
};

struct network {
    guint8 bytes[16];
    guint prefix; /* 0–128 over the mapped form */
};

/* "10.1.2.3", "2001:db8::1", Postfix's "IPv6:…" prefix allowed. Unknown if it is none. */
struct ip ip_parse(const char *text);
char *ip_format(struct ip ip); /* new; "unknown" */

/* "10.0.0.0/8", "fd00::/32", "10.0.0.25". FALSE if it is none, or host bits are set below the prefix. */
gboolean network_parse(const char *text, struct network *network);
/* What was meant when only host bits are wrong: "10.1.2.3/8" is "10.0.0.0/8". New; NULL if it is no address
 * with a prefix. */
char *network_base(const char *text);
char *network_format(const struct network *network); /* as network_parse reads it; new */
/* IPv4 addresses are only in IPv4 networks: ::/0 is every IPv6 address and no other. */
gboolean network_contains(const struct network *network, struct ip ip);
gboolean networks_contain(const GArray *networks_or_null, struct ip ip); /* of struct network */

#endif
