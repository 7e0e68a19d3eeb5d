#include "milter/decide/session_facts.h"

#include <string.h>

static const char *if_not_empty(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

const char *session_login(const struct policy *policy, const struct session *session)
{
    return policy->login_counts ? if_not_empty(session->login) : NULL;
}

const char *session_certificate(const struct policy *policy, const struct session *session)
{
    return policy->certificate_counts ? if_not_empty(session->cert_subject) : NULL;
}

char *session_account(const struct zones *zones, const char *login)
{
    const char *at = strrchr(login, '@');

    if (at == NULL || at == login)
        return NULL;
    g_autofree char *domain = domain_canonical(at + 1);
    if (domain == NULL || !zones_is_inside(zones, domain))
        return NULL;
    return g_strndup(login, (gsize)(at - login));
}

gboolean session_is_local(const struct session *session, const struct envelope *envelope)
{
    struct network v4, v6;

    if (session->role == ROLE_LOCAL)
        return TRUE;
    if (envelope->brackets || if_not_empty(session->login) || if_not_empty(session->cert_subject))
        return FALSE;
    return (network_parse("127.0.0.0/8", &v4) && network_contains(&v4, session->client)) ||
           (network_parse("::1", &v6) && network_contains(&v6, session->client));
}

gboolean session_is_relay(const struct zones *zones, const struct session *session)
{
    for (guint i = 0; i < zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(zones->list, i);
        if (networks_contain(zone->relays, session->client))
            return TRUE;
    }
    return FALSE;
}

gboolean session_vouches(const struct zones *zones, const struct session *session)
{
    return networks_contain(zones_of_network(zones, session->client)->vouches, session->client);
}

const struct device *session_device(const struct policy *policy, const struct session *session,
                                    const struct envelope *envelope)
{
    for (guint i = 0; i < policy->devices->len; i++) {
        const struct device *device = g_ptr_array_index(policy->devices, i);
        if (network_contains(&device->network, session->client) &&
            (device->address == NULL || strcmp(device->address, envelope->sender->canonical) == 0))
            return device;
    }
    return NULL;
}

const struct zone *session_zone(const struct zones *zones, const struct session *session,
                                const struct envelope *envelope)
{
    const char *login = if_not_empty(session->login);
    g_autofree char *account = login != NULL ? session_account(zones, login) : NULL;
    const char *forms[] = {account, NULL};
    static const struct session nowhere = {.role = ROLE_SMTP};

    if (session_is_local(session, envelope))
        return zones->local;
    /* An address that is in no network, no login, no certificate: the `otherwise` zone. */
    return zones_origin(zones, session_is_relay(zones, session) ? &nowhere : session, forms);
}
