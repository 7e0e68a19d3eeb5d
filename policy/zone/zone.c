#include "policy/zone/zone.h"

#include <string.h>

#include "policy/person/address.h"

static void limit_free(gpointer limit)
{
    struct zone_limit *zone_limit = limit;

    label_free(zone_limit->label);
    g_free(zone_limit);
}

struct zone *zone_new(const char *name)
{
    struct zone *zone = g_new0(struct zone, 1);

    zone->name = g_strdup(name);
    zone->limits = g_ptr_array_new_with_free_func(limit_free);
    return zone;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    g_free(zone->name);
    g_clear_pointer(&zone->clients, g_array_unref);
    g_clear_pointer(&zone->logins, g_ptr_array_unref);
    g_clear_pointer(&zone->certificates, g_ptr_array_unref);
    g_clear_pointer(&zone->recipients, g_ptr_array_unref);
    g_clear_pointer(&zone->limits, g_ptr_array_unref);
    outcome_clear(&zone->limit_otherwise);
    g_clear_pointer(&zone->relays, g_array_unref);
    g_clear_pointer(&zone->peers, g_array_unref);
    g_clear_pointer(&zone->vouches, g_array_unref);
    g_clear_pointer(&zone->accepts, g_ptr_array_unref);
    g_free(zone);
}

void zone_add_limit(struct zone *zone, struct label *label)
{
    struct zone_limit *limit = g_new0(struct zone_limit, 1);

    limit->label = label;
    g_ptr_array_add(zone->limits, limit);
}

struct zones *zones_new(void)
{
    struct zones *zones = g_new0(struct zones, 1);

    zones->list = g_ptr_array_new_with_free_func((GDestroyNotify)zone_free);
    zones->local = zone_new(ZONE_LOCAL_NAME);
    return zones;
}

void zones_free(struct zones *zones)
{
    if (zones == NULL)
        return;
    g_ptr_array_unref(zones->list);
    zone_free(zones->local);
    g_free(zones);
}

static const struct zone *zones_otherwise(const struct zones *zones)
{
    for (guint i = zones->list->len; i > 0; i--) {
        const struct zone *zone = g_ptr_array_index(zones->list, i - 1);
        if (zone->otherwise)
            return zone;
    }
    /* A configuration without one is not loaded; should there be none all the same, nothing above the local
     * zone's limit passes. */
    return zones->local;
}

/* Account names and common names are compared as the directory compares them (caseIgnoreMatch): a login in
 * capitals must not miss the line that was written for it. */
static gboolean same_name(const char *a, const char *b)
{
    g_autofree char *folded_a = g_utf8_validate(a, -1, NULL) ? g_utf8_casefold(a, -1) : g_strdup(a);
    g_autofree char *folded_b = g_utf8_validate(b, -1, NULL) ? g_utf8_casefold(b, -1) : g_strdup(b);

    return strcmp(folded_a, folded_b) == 0;
}

static gboolean names_hold(const GPtrArray *names, const char *name)
{
    for (guint i = 0; i < names->len; i++)
        if (same_name(g_ptr_array_index(names, i), name))
            return TRUE;
    return FALSE;
}

static gboolean login_fits(const struct zone *zone, const struct session *session, const char *const *forms)
{
    if (session->login == NULL || session->login[0] == '\0')
        return FALSE;
    if (zone->login_any)
        return TRUE;
    if (names_hold(zone->logins, session->login))
        return TRUE;
    for (; forms != NULL && *forms != NULL; forms++)
        if (names_hold(zone->logins, *forms))
            return TRUE;
    return FALSE;
}

static gboolean origin_fits(const struct zone *zone, const struct session *session, const char *const *forms)
{
    gboolean asks_login = zone->login_any || zone->logins != NULL;

    if (zone->clients == NULL && !asks_login && zone->certificates == NULL)
        return FALSE;
    if (zone->clients != NULL && !networks_contain(zone->clients, session->client))
        return FALSE;
    if (asks_login && !login_fits(zone, session, forms))
        return FALSE;
    return zone->certificates == NULL ||
           (session->cert_subject != NULL && names_hold(zone->certificates, session->cert_subject));
}

const struct zone *zones_origin(const struct zones *zones, const struct session *session,
                                const char *const *person_logins)
{
    if (session->role == ROLE_LOCAL)
        return zones->local;
    for (guint i = 0; i < zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(zones->list, i);
        if (origin_fits(zone, session, person_logins))
            return zone;
    }
    return zones_otherwise(zones);
}

const struct zone *zones_of_network(const struct zones *zones, struct ip client)
{
    struct session session = {.role = ROLE_SMTP, .client = client};

    return zones_origin(zones, &session, NULL);
}

static gboolean recipient_fits(const struct zone *zone, const char *domain)
{
    if (zone->recipients == NULL)
        return FALSE;
    for (guint i = 0; i < zone->recipients->len; i++)
        if (domain_matches(g_ptr_array_index(zone->recipients, i), domain))
            return TRUE;
    return FALSE;
}

const struct zone *zones_recipient(const struct zones *zones, const char *domain)
{
    for (guint i = 0; domain != NULL && i < zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(zones->list, i);
        if (recipient_fits(zone, domain))
            return zone;
    }
    return zones_otherwise(zones);
}

gboolean zones_is_inside(const struct zones *zones, const char *domain)
{
    return zones_recipient(zones, domain)->inside;
}

const struct zone *zones_find(const struct zones *zones, const char *name)
{
    for (guint i = 0; i < zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(zones->list, i);
        if (strcmp(zone->name, name) == 0)
            return zone;
    }
    return strcmp(zones->local->name, name) == 0 ? zones->local : NULL;
}

static gboolean carries_one(const struct zone *zone, const struct label *label)
{
    for (guint i = 0; i < zone->limits->len; i++) {
        const struct zone_limit *limit = g_ptr_array_index(zone->limits, i);
        if (limit->label->scheme == label->scheme)
            return label_dominates(limit->label, zone->inside, label);
    }
    return FALSE;
}

gboolean zone_carries(const struct zone *zone, const struct label_set *set, const struct label **which)
{
    if (which != NULL)
        *which = NULL;
    for (guint i = 0; i < set->labels->len; i++) {
        const struct label *label = g_ptr_array_index(set->labels, i);
        if (carries_one(zone, label))
            continue;
        if (which != NULL)
            *which = label;
        return FALSE;
    }
    return TRUE;
}

static enum message_id tls_named(guint version)
{
    switch (version) {
    case 13:
        return MSG_PROTECTION_TLS_13;
    case 12:
        return MSG_PROTECTION_TLS_12;
    }
    return MSG_PROTECTION_TLS;
}

gboolean zone_protected(const struct zone *zone, const struct session *session, enum message_id *what)
{
    const struct zone_requires *requires = &zone->requires;
    gboolean certificate = requires->client_certificate || requires->tls_verified;

    *what = MSG_NONE;
    if (requires->tls > session->tls || (requires->tls_verified && session->tls < TLS_LOWEST))
        *what = tls_named(requires->tls);
    else if (certificate && session->cert_subject == NULL)
        *what = MSG_PROTECTION_CERTIFICATE;
    else if (requires->login && (session->login == NULL || session->login[0] == '\0'))
        *what = MSG_PROTECTION_LOGIN;
    return *what == MSG_NONE;
}
