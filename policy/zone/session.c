#include "policy/zone/session.h"

#include <string.h>

void session_clear_tls(struct session *session)
{
    session->tls = 0;
    g_clear_pointer(&session->cipher, g_free);
    g_clear_pointer(&session->cert_subject, g_free);
    g_clear_pointer(&session->cert_issuer, g_free);
}

void session_clear(struct session *session)
{
    session_clear_tls(session);
    g_clear_pointer(&session->client_name, g_free);
    g_clear_pointer(&session->helo, g_free);
    g_clear_pointer(&session->login, g_free);
    g_clear_pointer(&session->auth_type, g_free);
    *session = (struct session){.role = ROLE_SMTP};
}

guint session_tls_version(const char *text)
{
    /* The names that Postfix takes from OpenSSL's SSL_get_version(). */
    static const struct {
        const char *name;
        guint version;
    } names[] = {{"TLSv1.3", 13}, {"TLSv1.2", 12}, {"TLSv1.1", 11}, {"TLSv1", 10}};

    if (text == NULL || text[0] == '\0')
        return 0;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(text, names[i].name) == 0)
            return names[i].version;
    return 9;
}
