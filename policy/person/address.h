/*
 * address: mail addresses as the envelope gives them, and their canonical form (semantics.md 4.1, 4.2; RFC
 * 5321 4.1.2, RFC 5890 A-labels). Pure functions; any thread.
 */
#ifndef POLICY_PERSON_ADDRESS_H
#define POLICY_PERSON_ADDRESS_H

#include "policy/autoptr.h"
#include <glib.h>

enum address_form {
    ADDRESS_PLAIN,
    ADDRESS_NULL, /* <>, or nothing at all: so does cleanup(8) give the null sender of local submission */
    /* source route, quoted local part, % or ! in the local part, literal (bracketed or not), empty or no
       domain, hidden characters, broken UTF-8, no dot-string, a domain that is none or ends in a dot, over
       the limit */
    ADDRESS_STRANGE,
};

struct address {
    char *given; /* octets as given by the client, angle brackets included if they were there */
    /* local part lower-cased, domain a lower-case A-label; "" for NULL; best effort for STRANGE */
    char *canonical;
    char *local, *domain;
    enum address_form form;
};

/* From "<Bo@Agency.GOV.cn>" or "bo@agency.gov.cn" (local submission has no brackets). Never NULL. The % and !
 * forms are strange with any domain; the caller decides whether it matters. Limits: 320 octets, more is
 * STRANGE. */
struct address *address_parse(const char *given);
void address_free(struct address *address);
DEFINE_AUTOPTR(address, address_free)

/* The canonical address without its tag ("bo+list@x" with delimiter "+" is "bo@x"), new; NULL if it has none,
 * or is one that Postfix never splits (split_addr(3): postmaster, owner-…). Each character of delimiter is
 * one. */
char *address_untagged(const struct address *address, const char *delimiter);

/* "agency.gov.cn" or "*.agency.gov.cn" (any depth below, not itself), or "user@domain" for the whole address;
 * pattern already canonical. domain: a canonical domain or whole address. */
gboolean domain_matches(const char *pattern, const char *domain);
/* A domain or *.domain in canonical form, new; NULL if it is none. */
char *domain_canonical(const char *domain);

/* Display form of an address that came from outside: control and non-printable characters as '?', at most 320
 * octets; new. */
char *address_printable(const char *address);

#endif
