/*
 * directory: who is behind an address, a login or a certificate, and who are the direct members of a group.
 * Four answers: found, absent, unavailable
 * ("cannot ask now") and ambiguous; they are never mixed (semantics.md 1, 4.4; Postfix's dict interface makes
 * the same difference).
 *
 * A message collects its questions in one query: added at MAIL and RCPT (answered from the cache where it is
 * fresh), the misses sent as one batched search by directory_query_send, awaited at end of message. Behind it
 * is a table of functions: LDAP, an LDIF file, and in tests a table in memory.
 *
 * A directory is reference counted and may be used by all threads; a query belongs to one thread at a time
 * (it may move between threads, as libmilter's sessions do). People are immutable and reference counted; they
 * hold their schemes.
 */
#ifndef POLICY_PERSON_DIRECTORY_H
#define POLICY_PERSON_DIRECTORY_H

#include "policy/autoptr.h"
#include "policy/person/clearance.h"

enum person_kind { PERSON_PERSON, PERSON_GROUP };

struct person {
    gint refs;               /* g_atomic_int */
    struct schemes *schemes; /* held */
    enum person_kind kind;
    char *id;   /* DN */
    char *name; /* cn, for people */
    /* char *, canonical; the first is the main address (mail, then mailAlternateAddress …) */
    GPtrArray *addresses;
    GPtrArray *logins;          /* char * */
    GPtrArray *certificates;    /* char *, values of the certificate attribute */
    char *unit;                 /* DN of the unit, or the attribute's value; NULL */
    gboolean verified;          /* real-name flag */
    GPtrArray *clearances;      /* struct clearance * */
    char *clearance_unreadable; /* the first value that could not be read, and why; NULL: all read */
    /* Of a group that ASK_MEMBERS found; else perhaps empty. char *, as they are compared: DNs, logins. */
    GPtrArray *members, *member_logins;
    gboolean members_cut; /* it has more than are kept, or some that cannot be read */
};

struct person *person_new(struct schemes *schemes, const char *id);
struct person *person_ref(struct person *person);
void person_unref(struct person *person);
DEFINE_AUTOPTR(person, person_unref)
/* Does the canonical address belong to the person? */
gboolean person_has_address(const struct person *person, const char *canonical);
/* Is the login one of the person's? In any case. */
gboolean person_has_login(const struct person *person, const char *login);
/* Is the person, by DN or login, a direct member of the group? */
gboolean person_is_member(const struct person *group, const struct person *person);
/* A direct member of a group that a test makes. */
void person_add_member(struct person *group, const char *dn);

enum answer_state { ANSWER_FOUND, ANSWER_ABSENT, ANSWER_UNAVAILABLE, ANSWER_AMBIGUOUS };

struct person_answer {
    enum answer_state state;
    const struct person *person; /* FOUND only; held by the query */
};

/* ASK_MEMBERS: the group with this DN, found as a person of kind PERSON_GROUP; it may lie outside the base.
 */
enum question_kind { ASK_ADDRESS, ASK_LOGIN, ASK_CERTIFICATE, ASK_MEMBERS };
#define QUESTION_KINDS (ASK_MEMBERS + 1)

/* What a directory is made of; strings are copied. Times in milliseconds. */
struct directory_settings {
    GPtrArray *urls; /* char *: ldaps: ldapi: ldap: or one file: */
    char *base;
    enum { BIND_NONE, BIND_SIMPLE, BIND_EXTERNAL, BIND_CERTIFICATE } bind;
    char *bind_dn, *bind_password_file, *bind_certificate_file;
    char *person_filter; /* with %s */
    char *clearance_attribute, *category_attribute, *clearance_until_attribute;
    char *ca_file, *verified_attribute, *login_attribute, *certificate_attribute;
    char *unit_attribute; /* NULL: from the DN */
    /* char *: those named in the person filter with %s; directory_open takes them from there */
    GPtrArray *address_attributes;
    gint64 refresh_ms; /* how long a found answer is fresh */
    gint64 answer_within_ms;
    gint64 connect_within_ms; /* each step of opening a connection; never more than answer_within_ms */
    GTimeZone *time_zone;     /* NULL: the host's */
    char *identity;           /* canonical text of the block: equal text, equal directory */
};
struct directory_settings *directory_settings_new(void); /* defaults of language.md 3 */
struct directory_settings *directory_settings_copy(const struct directory_settings *settings);
void directory_settings_free(struct directory_settings *settings);

/* Can the filter be used? NULL, or what is wrong with it, in words ("the filter has no %s where the address
 * belongs"); new string. */
char *directory_filter_problem(const char *person_filter);

struct directory;

#define DIRECTORY_ERROR directory_error_quark()
GQuark directory_error_quark(void);
enum directory_error { DIRECTORY_ERROR_SETTING, DIRECTORY_ERROR_FILE, DIRECTORY_ERROR_SERVER };

/* Opens by the URL of the settings; takes the settings over; holds the schemes. LDAP connects only when first
 * asked, so it cannot fail for a server that is down; a file: that cannot be read or parsed fails. */
struct directory *directory_open(struct directory_settings *settings, struct schemes *schemes,
                                 GError **error);
/* A directory in memory for tests and case files: takes over the array of struct person * (each searched by
 * address, login, certificate). `down` is asked for each question: TRUE = unavailable; TRUE for "" = the
 * whole directory (directory_query_outage). May be NULL. Nothing is cached. */
struct directory *directory_of_people(GPtrArray *people, gboolean (*down)(const char *value, gpointer data),
                                      gpointer data);
struct directory *directory_ref(struct directory *directory);
/* The last one ends the thread of an LDAP directory; if that is just opening a connection this takes until it
 * is open or has failed. */
void directory_unref(struct directory *directory);
DEFINE_AUTOPTR(directory, directory_unref)

struct directory_query;
struct directory_query *directory_query_new(struct directory *directory);
/* Asks for one value (canonical address, login as given, certificate CN, DN of a group); doubles are one
 * question. Never waits. */
void directory_query_add(struct directory_query *query, enum question_kind kind, const char *value);
/* Sends what the cache could not answer, in as few searches as possible; never waits. More may be added and
 * sent later. */
void directory_query_send(struct directory_query *query);
/* Sends what is unsent and waits until all is answered or deadline (g_get_monotonic_time() microseconds), for
 * no question longer than answer_within_ms from when it was first asked; what is open then is unavailable.
 * TRUE if all was answered, unavailable by an error included. */
gboolean directory_query_wait(struct directory_query *query, gint64 deadline_us);
/* The answer to a question that was added (UNAVAILABLE if it was not, or is not answered). Borrowed from the
 * query. */
struct person_answer directory_query_answer(const struct directory_query *query, enum question_kind kind,
                                            const char *value);
/* TRUE if the whole directory is unreachable now (not just one person): F stays F (semantics.md 7.2.4). */
gboolean directory_query_outage(const struct directory_query *query);
void directory_query_free(struct directory_query *query); /* may be called with a search under way */
DEFINE_AUTOPTR(directory_query, directory_query_free)

/* For `miji status`: searches, hits, misses, failures, seconds since the last good answer, "connected to
 * ldaps://…". */
struct directory_status {
    guint64 hits, misses, searches, failures;
    gboolean connected;
    char *where; /* server in use, or the last error in words; owned by the caller (directory_status_clear) */
    guint cached;
};
void directory_get_status(struct directory *directory, struct directory_status *status);
void directory_status_clear(struct directory_status *status);

#endif
