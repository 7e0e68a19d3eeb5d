/*
 * server: a connection to one LDAP server, secured and bound. Belongs to one thread; libldap's handles are
 * never shared. Private to policy/person.
 */
#ifndef POLICY_PERSON_SERVER_H
#define POLICY_PERSON_SERVER_H

#include <ldap.h>

#include "policy/person/directory.h"

/* Can the URLs be used with these settings? Error in words if not. */
gboolean server_check(const struct directory_settings *settings, GError **error);

/*
 * Connects, secures (StartTLS for ldap:, but to loopback only if there is a `ca file` or a client
 * certificate) and binds. Takes at most connect_within_ms for each of the three steps. NULL and error:
 * "ldaps://a.example: Can't contact LDAP server (…)".
 */
LDAP *server_open(const struct directory_settings *settings, const char *url, GError **error);
void server_close(LDAP *server);

/* What libldap says of its last result, with the server's or TLS library's own words; new string. */
char *server_problem(LDAP *server, int result);

#endif
