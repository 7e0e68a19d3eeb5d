/*
 * zone: a network or a set of domains with the highest level it may carry and the protection that it requires
 * (semantics.md 4.3, language.md 3). Made by the configuration, immutable, owned by the snapshot; all
 * functions are pure.
 */
#ifndef POLICY_ZONE_ZONE_H
#define POLICY_ZONE_ZONE_H

#include "policy/label/label.h"
#include "policy/zone/outcome.h"
#include "policy/zone/session.h"

struct zone_limit {      /* carries up to LEVEL [with TEXT,…] */
    struct label *label; /* level and the categories named */
};

struct zone_requires {
    guint tls; /* 0 no; 10…13 lowest version; "tls" without version is 10 */
    /* `tls verified`: the way out must be verified by Postfix's policy; on the way in as client_certificate
     */
    gboolean tls_verified;
    gboolean client_certificate, login;
};

struct zone {
    char *name;
    guint index;
    gboolean inside, otherwise;
    GArray *clients; /* struct network; NULL none given */
    gboolean login_any;
    GPtrArray *logins;       /* char * or NULL */
    GPtrArray *certificates; /* char *: CN of client certificates, or NULL */
    GPtrArray *recipients;   /* char *: domain patterns, canonical, or NULL */
    struct zone_requires requires;
    GPtrArray *limits;                /* struct zone_limit * */
    struct outcome limit_otherwise;   /* carries … otherwise OUTCOME (default refuse) */
    GArray *relays, *peers, *vouches; /* struct network or NULL */
    GPtrArray *accepts;               /* const struct scheme *: accepts labels of; or NULL */
    gboolean encrypted_counts;        /* encrypted mail counts as labelled */
};

struct zones {
    GPtrArray *list; /* struct zone *, in the order written, the `otherwise` zone last */
    /* zone "local" of the local socket, not in the list; made by zones_new with no limits, so that it carries
     * nothing until the configuration fills it in (unwritten: up to the lowest level) */
    struct zone *local;
};

#define ZONE_LOCAL_NAME "local"

/* A zone with that name and nothing else. */
struct zone *zone_new(const char *name);
/* carries up to: takes the label over. */
void zone_add_limit(struct zone *zone, struct label *label);
void zone_free(struct zone *zone);
struct zones *zones_new(void);
void zones_free(struct zones *zones);

/* The first zone whose origin selectors all fit (kinds joined by and, values of a kind by or); a zone with
 * only `recipient` is never one of origin; the local socket has its own. Logins and common names are compared
 * in any case, as the directory does. person_logins: the login in the forms that count (as given, domain
 * taken off), NULL-terminated, may be NULL. Never NULL. */
const struct zone *zones_origin(const struct zones *zones, const struct session *session,
                                const char *const *person_logins);
/* As above without login and certificate: what the network alone says ("office" for a client that did not log
 * in). */
const struct zone *zones_of_network(const struct zones *zones, struct ip client);
/* The first zone with a fitting `recipient`, else `otherwise`. domain is canonical. Never NULL. */
const struct zone *zones_recipient(const struct zones *zones, const char *domain);
/* Is the domain a recipient domain of an inside zone? */
gboolean zones_is_inside(const struct zones *zones, const char *domain);
const struct zone *zones_find(const struct zones *zones, const char *name);

/* May the zone carry every label of the set? A scheme that is neither stated nor equivalent to a stated one
 * is not carried. *which (may be NULL) is the first label it may not. Inside zones carry all categories of
 * their level, others none unless named. L0 of the home scheme is carried by every zone that states the home
 * scheme; a zone always carries an empty set. */
gboolean zone_carries(const struct zone *zone, const struct label_set *set, const struct label **which);

/* Is what the zone requires met by the client's connection? If not, *what names the first missing thing in
 * words of configuration ("TLS 1.2", "a client certificate", "login"): a message id, so that replies can say
 * it in two languages. */
gboolean zone_protected(const struct zone *zone, const struct session *session, enum message_id *what);

#endif
