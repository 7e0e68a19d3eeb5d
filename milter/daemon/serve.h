/*
 * serve: the daemon proper: opens the sockets, gives up root, reads the configuration once more with its
 * directory, then the store key, opens the store, starts control, relays and review, and runs libmilter. A
 * store that cannot be opened is not served over. It ends the other way round: commands, review, messages
 * under way, libmilter, relays, store. Started by the supervisor in a child process without threads.
 */
#ifndef MILTER_DAEMON_SERVE_H
#define MILTER_DAEMON_SERVE_H

#include "milter/conf/snapshot.h"

/* Exit statuses that the supervisor tells apart (sysexits.h): trying again at once would change nothing. */
#define SERVE_EXIT_CONFIGURATION 78

struct identity {
    uid_t uid;
    gid_t gid;
    char *name; /* NULL: stay who we are */
};
/* Who the daemon shall be: `run as`, or user miji if started by root, else who started it. FALSE and error:
 * no such user, or root. */
gboolean identity_find(const struct conf *conf, struct identity *identity, GError **error);

/* Takes both descriptors over. Never returns before the end; the result is the exit status. */
int serve(const struct snapshot *snapshot, const struct identity *identity, int channel, int inspector_fd);

#endif
