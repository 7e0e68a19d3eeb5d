/*
 * ldif: entries from LDIF text (RFC 2849), strictly: what is not understood is an error with its line, never
 * skipped. Values may be UTF-8 as they are (as ldapadd takes them); changes and values from URLs are refused.
 * Pure; any thread. Private to policy/person.
 */
#ifndef POLICY_PERSON_LDIF_H
#define POLICY_PERSON_LDIF_H

#include "policy/person/entry.h"

/* The entries as an array of struct entry * (freed with it), in their order. name: what the text is called in
 * messages. NULL and error ("people.ldif:12: …") if the text is no LDIF, or a DN occurs twice. Lines are
 * counted as they stand in the text. */
GPtrArray *ldif_parse(const char *name, const char *text, gsize length, GError **error);

#endif
