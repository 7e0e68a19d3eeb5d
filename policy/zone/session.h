/*
 * session: what the connection tells about the client (semantics.md section 1). Reset at each CONNECT, its
 * TLS part at each HELO; login and TLS survive from message to message. Owned by the daemon's connection or
 * by explain; borrowed here.
 */
#ifndef POLICY_ZONE_SESSION_H
#define POLICY_ZONE_SESSION_H

#include "policy/zone/network.h"

enum socket_role { ROLE_SMTP, ROLE_LOCAL, ROLE_RELEASE };

struct session {
    enum socket_role role;
    struct ip client;
    char *client_name, *helo;
    char *login; /* SASL login as given, NULL none */
    char *auth_type;
    guint tls; /* 0 none, 10 11 12 13 for TLS 1.0 … 1.3; SSLv3 and unreadable versions count as 9 */
    char *cipher;
    char *cert_subject; /* CN of the verified client certificate; NULL none or not verified */
    char *cert_issuer;
};

#define TLS_LOWEST 10 /* what `requires tls` asks for */

void session_clear(struct session *session);     /* everything, at CONNECT */
void session_clear_tls(struct session *session); /* at HELO */
/* "TLSv1.3" → 13; NULL or "" → 0. */
guint session_tls_version(const char *text);

#endif
