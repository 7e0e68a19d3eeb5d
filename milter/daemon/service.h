/*
 * service: what all connections of the daemon share: the snapshot in force, the inspector, counters, whether
 * it drains. One for the process; every function from any thread.
 */
#ifndef MILTER_DAEMON_SERVICE_H
#define MILTER_DAEMON_SERVICE_H

#include <pthread.h>

#include "milter/conf/snapshot.h"
#include "milter/daemon/failures.h"
#include "milter/daemon/trouble.h"
#include "milter/inspect/inspector.h"
#include "milter/review/review.h"

/* What has been answered since the start, for `miji status`. */
enum counter {
    COUNT_DELIVERED, /* messages accepted */
    COUNT_REFUSED,   /* 5xx */
    COUNT_DEFERRED,  /* 4xx, busy not counted */
    COUNT_BUSY,      /* 4.3.2 without a look */
    COUNT_DISCARDED, /* 250, all of it held, kept or taken care of before */
    COUNT_ABORTED,   /* begun and given up by the client */
    COUNT_INSPECTOR_FAILED,
    COUNT_RELOADS,
    COUNT_COUNTERS
};

struct service {
    pthread_mutex_t lock; /* guards snapshot; held for a load and a reference only */
    struct snapshot *snapshot;
    struct inspector *inspector;
    struct failures *failures;
    struct trouble trouble;
    gint sessions, messages; /* atomic: open connections; messages between MAIL and answer */
    gint most_sessions, most_messages;
    gint most_open; /* connections at all: those beyond most_sessions are put off as busy, those beyond this
                       are closed */
    gint draining;  /* atomic: 0 no, 1 finish what is under way, 2 defer what comes */
    gint counters[COUNT_COUNTERS]; /* atomic */
    gint64 started_us;             /* monotonic */
    /* prove that {miji_role} comes from our own relay; by role, "" for smtp */
    char role_words[ROLE_RELEASE + 1][33];
    struct questions *questions; /* to Postfix, by way of the supervisor; set once at the start */
    struct review *review;       /* g_atomic_pointer; NULL before it runs and when it has ended */
    struct store *store;         /* by service_borrow_store only; guarded by lock, as the next two */
    guint borrowers;             /* who uses it now */
    pthread_cond_t returned;     /* borrowers is 0 again */
};

/* Takes the snapshot and the inspector over. Computes the admission limits from the process's descriptor
 * limit. Never freed: threads of libmilter may use it until the process ends. */
struct service *service_new(struct snapshot *snapshot, struct inspector *inspector);

struct snapshot *service_snapshot(struct service *service); /* a reference of the caller's own */
/* Swaps a new snapshot in (taken over); the old one lives until its last transaction ends. */
void service_swap(struct service *service, struct snapshot *snapshot);

/*
 * The store, for one message or command; NULL when it is closed. Return it. Threads of libmilter may come at
 * any time until the process ends: it is closed when nobody has it, and nobody gets it afterwards.
 */
struct store *service_borrow_store(struct service *service);
void service_return_store(struct service *service);
void service_open_store(struct service *service, struct store *store); /* takes it over */
/* FALSE: somebody did not return it within timeout_ms; it stays open until the process ends. */
gboolean service_close_store(struct service *service, gint64 timeout_ms);

void service_count(struct service *service, enum counter counter);
guint service_counted(const struct service *service, enum counter counter);

/* Six random characters that name a message to people: "k3x9qa". */
void service_reference(char reference[7]);

/* For `miji status`: text in one language or JSON; new string. */
char *service_status(struct service *service, gboolean json, enum language language);

#endif
