/*
 * control: one thread that listens at the control socket and to the supervisor: it hands clients to threads
 * of their own (clients.h), reloads on HUP, drains on TERM, takes new inspectors, and keeps libmilter awake.
 * It waits for nothing else.
 *
 * Draining: commands end, then the review's threads (what is being released is finished), messages under way
 * get their answers; then libmilter is stopped.
 */
#ifndef MILTER_DAEMON_CONTROL_H
#define MILTER_DAEMON_CONTROL_H

#include "milter/daemon/service.h"

struct control;
struct questions;

struct control_ends {
    int listen_fd;               /* the control socket; taken over */
    int channel;                 /* to the supervisor; borrowed, stays open */
    struct questions *questions; /* borrowed */
};

/* config: path of miji.conf. Commands are told to come again until service->review is set. */
struct control *control_start(struct service *service, const struct control_ends *ends, const char *config,
                              GError **error);
/* The start is over: from now on a drain may end it. */
void control_set_serving(struct control *control);
/* After a drain. TRUE: the review has ended and nobody at the control socket uses the store; FALSE: somebody
 * was too slow, and only the end of the process ends it. */
gboolean control_join(struct control *control);

#endif
