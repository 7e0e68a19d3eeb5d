/*
 * trouble: the directory's state in the log: what is wrong with it when the first message has to wait for it,
 * again when that changes or a minute has passed, and once that it answers again. An outage of a day is not a
 * line for each message twice over. Any thread.
 */
#ifndef MILTER_DAEMON_TROUBLE_H
#define MILTER_DAEMON_TROUBLE_H

#include <pthread.h>

#include "policy/person/directory.h"

struct trouble {
    gint there;           /* atomic: said != NULL, for a look without the lock */
    pthread_mutex_t lock; /* guards the two below */
    char *said;           /* what the log says is wrong; NULL nothing */
    gint64 said_us;       /* when */
};
void trouble_init(struct trouble *trouble);

/* A message could not be decided for want of an answer. */
void trouble_begins(struct trouble *trouble, struct directory *directory);
/* A message was decided with the directory's answers; cheap when there was no trouble. */
void trouble_ends(struct trouble *trouble, struct directory *directory);

#endif
