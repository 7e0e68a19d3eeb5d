#include "policy/person/dn.h"

#include <ldap.h>
#include <string.h>

static gboolean dn_read(const char *text, LDAPDN *rdns)
{
    *rdns = NULL;
    return ldap_str2dn(text, rdns, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS;
}

gboolean dn_is_valid(const char *dn)
{
    LDAPDN rdns;
    gboolean valid = dn_read(dn, &rdns);

    if (valid)
        ldap_dnfree(rdns);
    return valid;
}

static guint dn_length(LDAPDN rdns)
{
    guint length = 0;

    while (rdns != NULL && rdns[length] != NULL)
        length++;
    return length;
}

static gboolean is_same(const struct berval *a, const struct berval *b)
{
    g_autofree char *left = g_strndup(a->bv_val, a->bv_len);
    g_autofree char *right = g_strndup(b->bv_val, b->bv_len);
    g_autofree char *left_folded =
        g_utf8_validate(left, -1, NULL) ? g_utf8_casefold(left, -1) : g_strdup(left);
    g_autofree char *right_folded =
        g_utf8_validate(right, -1, NULL) ? g_utf8_casefold(right, -1) : g_strdup(right);

    return strcmp(left_folded, right_folded) == 0;
}

static gboolean is_type(const LDAPAVA *ava, const char *type)
{
    return ava->la_attr.bv_len == strlen(type) &&
           g_ascii_strncasecmp(ava->la_attr.bv_val, type, strlen(type)) == 0;
}

static gboolean is_unit(LDAPRDN rdn)
{
    for (guint i = 0; rdn[i] != NULL; i++)
        if (is_type(rdn[i], "ou") || is_type(rdn[i], "organizationalUnitName") || is_type(rdn[i], "2.5.4.11"))
            return TRUE;
    return FALSE;
}

char *dn_unit(const char *dn)
{
    LDAPDN rdns;
    guint unit = 1;
    char *text = NULL, *result = NULL;

    if (!dn_read(dn, &rdns))
        return NULL;
    if (dn_length(rdns) > 1) {
        while (rdns[unit] != NULL && !is_unit(rdns[unit]))
            unit++;
        if (rdns[unit] == NULL)
            unit = 1;
        if (ldap_dn2str(rdns + unit, &text, LDAP_DN_FORMAT_LDAPV3 | LDAP_DN_PRETTY) == LDAP_SUCCESS) {
            result = g_strdup(text);
            ldap_memfree(text);
        }
    }
    ldap_dnfree(rdns);
    return result;
}

/* Multi-valued RDNs in the same order only: nobody writes a base with one. */
static gboolean is_same_rdn(LDAPRDN a, LDAPRDN b)
{
    guint i;

    for (i = 0; a[i] != NULL && b[i] != NULL; i++)
        if (!is_same(&a[i]->la_attr, &b[i]->la_attr) || !is_same(&a[i]->la_value, &b[i]->la_value))
            return FALSE;
    return a[i] == NULL && b[i] == NULL;
}

gboolean dn_is_below(const char *dn, const char *base)
{
    LDAPDN entry, top = NULL;
    gboolean below = FALSE;

    if (!dn_read(dn, &entry))
        return FALSE;
    if (dn_read(base, &top)) {
        guint length = dn_length(entry), suffix = dn_length(top);

        below = length >= suffix;
        for (guint i = 0; below && i < suffix; i++)
            below = is_same_rdn(entry[length - suffix + i], top[i]);
    }
    ldap_dnfree(top);
    ldap_dnfree(entry);
    return below;
}

char *dn_key(const char *dn)
{
    LDAPDN rdns;
    char *text = NULL, *key = NULL;

    if (!dn_read(dn, &rdns))
        return NULL;
    if (dn_length(rdns) > 0 &&
        ldap_dn2str(rdns, &text, LDAP_DN_FORMAT_LDAPV3 | LDAP_DN_PRETTY) == LDAP_SUCCESS) {
        key = g_utf8_validate(text, -1, NULL) ? g_utf8_casefold(text, -1) : g_strdup(text);
        ldap_memfree(text);
    }
    ldap_dnfree(rdns);
    return key;
}
