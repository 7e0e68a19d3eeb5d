/*
 * filter: LDAP search filters (RFC 4515). The one place where a value is escaped, and the person filter that
 * an administrator writes with %s for the address. Pure; any thread. Private to policy/person.
 */
#ifndef POLICY_PERSON_FILTER_H
#define POLICY_PERSON_FILTER_H

#include "policy/person/backend.h"

/* The octets as an assertion value: everything but ASCII letters, digits and a few signs as \xx, NUL and
 * broken UTF-8 too. New string. */
char *filter_escape(const char *value, gsize length);

/* Is it the name (or OID) of an attribute? */
gboolean filter_is_attribute(const char *name);

/* An attribute that holds addresses: `(proxyAddresses=smtp:%s)` has prefix "smtp:". */
struct address_attribute {
    char *name, *prefix;
};

struct person_filter {
    char *text;
    GPtrArray *addresses;    /* struct address_attribute *, as they come in the text, without doubles */
    gboolean only_addresses; /* nothing but ATTRIBUTE=%s, and | between several */
};

/* NULL and error (in words) if it is no filter, has no %s, or one where an answer could not be matched to its
 * question: in a negation, with another operator than =, or with something behind it. */
struct person_filter *person_filter_parse(const char *text, GError **error);
void person_filter_free(struct person_filter *filter);
DEFINE_AUTOPTR(person_filter, person_filter_free)

/* The filter of one search for all its questions, none of them ASK_MEMBERS. New string. */
char *person_filter_search(const struct person_filter *filter, const struct directory_settings *settings,
                           const struct search *search);

#endif
