/*
 * dn: distinguished names (RFC 4514), as far as people need them. Pure; any thread. Used within policy/person,
 * and by milter/conf to see whether a group is named by one.
 */
#ifndef POLICY_PERSON_DN_H
#define POLICY_PERSON_DN_H

#include "policy/autoptr.h"

/* Can it be read as a DN? */
gboolean dn_is_valid(const char *dn);
/* The DN of the nearest unit (ou) above the entry, new; without one, of what is directly above it; NULL at
 * the top. */
char *dn_unit(const char *dn);
/* Is the entry the base or below it? Types and values in any case. */
gboolean dn_is_below(const char *dn, const char *base);
/* The DN as DNs are compared: types and values in any case, escapes and blanks around the parts as they fall,
 * the values of an RDN in their order. New; NULL if it is no DN, or that of nothing (""). */
char *dn_key(const char *dn);

#endif
