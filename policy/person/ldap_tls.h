/*
 * ldap_tls: the TLS of connections to LDAP servers: certificates, versions, what is demanded. Any thread.
 * Private to policy/person.
 *
 * libldap 2.5 with GnuTLS loses memory with each context that is made (its ciphers and the client
 * certificate), so contexts are made once for a state of the files and kept as long as the process lives. A
 * file that changed makes a new one.
 */
#ifndef POLICY_PERSON_LDAP_TLS_H
#define POLICY_PERSON_LDAP_TLS_H

#include <ldap.h>

#include "policy/person/directory.h"

/* Whose certificates are trusted: `ca file`, else the system's. Borrowed. */
const char *ldap_tls_ca_file(const struct directory_settings *settings);

/* Prepares a handle that is not connected yet: TLS 1.2 or later, a server's certificate demanded and compared
 * with its name, ours if the settings bind with one. */
gboolean ldap_tls_set(LDAP *server, const struct directory_settings *settings, GError **error);

#endif
