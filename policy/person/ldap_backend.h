/*
 * ldap_backend: a directory on LDAP servers. One thread owns the connection: it takes searches from a queue,
 * keeps many of them on the way at once, and answers them; it starts with the first search, so that a process
 * may fork after it opened its directory. Private to policy/person.
 *
 * A search that the server does not answer in time is unavailable, and so is every one that ends with an
 * error, a referral or less than everything. A lost connection is opened again at once (the next server when
 * one fails) and what was on the way is sent once more.
 */
#ifndef POLICY_PERSON_LDAP_BACKEND_H
#define POLICY_PERSON_LDAP_BACKEND_H

#include <ldap.h>
#include <pthread.h>

#include "policy/person/entry.h"

struct ldap_backend {
    struct backend backend;
    struct mapping mapping;
    struct person_filter *filter;
    const char **attributes; /* asked for */
    int wake;                /* eventfd: the queue or stop changed */

    pthread_mutex_t lock; /* guards the next seven */
    gboolean started, stop;
    GQueue waiting; /* struct search *, oldest first */
    char *where;    /* server in use, or the last problem in words */
    gboolean connected, outage;
    /* when a server last said something; written by the thread alone, which reads it without the lock */
    gint64 heard_us;
    pthread_t thread; /* if started */

    /* Of the thread alone: */
    LDAP *server;       /* NULL: not connected */
    guint url;          /* which one is in use or is tried next */
    GHashTable *open;   /* message id -> struct search * */
    gboolean congested; /* the socket took no more */
    gboolean troubled;  /* `where` tells of a search that failed */
};

/* The thread. */
void *ldap_backend_work(void *backend);

/* Sends one search: LDAP_SUCCESS, LDAP_BUSY if the connection takes no more now, another code of libldap if
 * it never will. */
int ldap_backend_send(struct ldap_backend *ldap, struct search *search);
/* Takes one message of the server; the search that ended with it, or NULL. */
struct search *ldap_backend_take(struct ldap_backend *ldap, LDAPMessage *message);

#endif
