/* review_private: what the files of milter/review share of the review. Internal to milter/review. */
#ifndef MILTER_REVIEW_REVIEW_PRIVATE_H
#define MILTER_REVIEW_REVIEW_PRIVATE_H

#include <pthread.h>

#include "milter/review/release.h"

struct review {
    struct review_host host;
    pthread_t releaser, sweeper;
    gint stop; /* atomic: not 0: every wait ends */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    gboolean woken; /* guarded by lock */

    /* The releaser's thread alone (before it starts: who starts it): */
    GHashTable *pending;   /* attempt's id -> struct pending *: what became of it is not yet known */
    GHashTable *refused;   /* set of "hold's id\nrecipient": the way out refused this one, not the others */
    gint64 pause_until_us; /* the store cannot be written: no tries before */
    gint64 outbox_pause_until_us; /* the same for notices, which wait for nothing else */
    gboolean told_no_way;         /* the log knows that there is no `release through` */

    /* The sweeper's thread alone: */
    GHashTable *passed;  /* hold's id -> gint64 *: when its deadline was first seen passed (`then hold in`) */
    GHashTable *damaged; /* set of hold's ids: the log knows */
    gint64 tidied_us;    /* 0: not yet */
};

/* Without its threads: for review_start, and tests that look themselves. */
struct review *review_new(const struct review_host *host);
void review_free(struct review *review);

gboolean review_stops(const struct review *review);
/* The store could not do it: one line in the log, and a pause. Nothing of it when somebody was quicker
 * (CHANGED): it is looked at again. error NULL: a fault. */
void review_store_failed(struct review *review, const struct hold *hold, const GError *error);

/* One look at what is due, by the releaser's thread. */
void release_look(struct review *review);
/* One look at what is not known to have arrived: open attempts that nobody works on. */
void doubt_look(struct review *review, const struct snapshot *snapshot);
/* The server has it, whatever the store can write now. queue_id may be NULL. */
void doubt_note_taken(struct review *review, const struct attempt *attempt, const char *queue_id);
/* The connection was lost behind the last dot. */
void doubt_note_lost(struct review *review, const struct attempt *attempt);
/* When a release that failed is tried again: the longer it has failed, the longer the pause. */
gint64 release_next_try_ms(const struct hold *hold);
/* What was taken is recorded as released, with its notices. FALSE: not now; it is tried again. */
gboolean doubt_record_taken(struct review *review, const struct snapshot *snapshot, const struct hold *hold,
                            const struct attempt *attempt, const char *queue_id);
/* Whether Postfix has what it was offered. FALSE: not to be told yet, ask at the next look. What is known of
 * the attempt is forgotten when its end is recorded. */
gboolean doubt_ask(struct review *review, const struct attempt *attempt, enum postfix_answer *answer);
void doubt_forget(struct review *review, const struct attempt *attempt);

/* One look at deadlines, by the sweeper's thread. */
void sweep_look(struct review *review);

#endif
