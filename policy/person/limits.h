/*
 * limits: everything about people and directories that somebody else can make large. Reached limits end in a
 * named answer (strange address, unreadable clearance, unavailable directory), never in more memory.
 */
#ifndef POLICY_PERSON_LIMITS_H
#define POLICY_PERSON_LIMITS_H

/* An address in the envelope: RFC 5321 4.5.3.1 gives 64 + 1 + 255. */
#define ADDRESS_MAX_BYTES 320
/* A domain and one label of it: RFC 1035 2.3.4 without the root's dot. */
#define DOMAIN_MAX_BYTES 253
#define DOMAIN_LABEL_MAX_BYTES 63

/* One clearance as text; longer ones are unreadable. */
#define CLEARANCE_MAX_BYTES 1000

/* A login or certificate name; longer ones belong to nobody and are not asked for. */
#define QUESTION_MAX_BYTES 1000

/* One entry of a directory: values kept of one attribute (more make it unreadable), octets kept of one value.
 */
#define ENTRY_MAX_VALUES 1000
#define ENTRY_MAX_VALUE_BYTES 4096
#define ENTRY_MAX_CLEARANCES 64
/* Direct members of one group that are kept; who stands behind them counts as no member. */
#define ENTRY_MAX_MEMBERS 5000

/* Questions that go into one search, searches on the way at once, and waiting to be sent. */
#define SEARCH_MAX_QUESTIONS 50
#define SEARCH_MAX_OPEN 64
#define SEARCH_MAX_WAITING 4096
/* Octets of one answer of an LDAP server. */
#define LDAP_MAX_ANSWER_BYTES (4 * 1024 * 1024)

/* Answers that the cache keeps: found ones, and those that anybody can cause by asking for strangers. */
#define CACHE_MAX_FOUND 200000
#define CACHE_MAX_OTHERS 50000

/* An LDIF file, one of its entries, one of its lines. */
#define LDIF_MAX_BYTES (64 * 1024 * 1024)
#define LDIF_MAX_ENTRY_LINES 10000
#define LDIF_MAX_LINE_BYTES (1024 * 1024)

/* A file with a password. */
#define PASSWORD_MAX_BYTES 1024

#endif
