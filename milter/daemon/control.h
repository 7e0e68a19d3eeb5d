/*
 * control: the daemon's side of the control socket and of the supervisor's channel: one thread that answers
 * `miji status` and `miji reload`, reloads on HUP, drains on TERM, takes new inspectors, and keeps libmilter
 * awake.
 */
#ifndef MILTER_DAEMON_CONTROL_H
#define MILTER_DAEMON_CONTROL_H

#include "milter/daemon/service.h"

struct control;

/* listen_fd: the control socket (taken over); channel: to the supervisor; config: path of miji.conf.
 * libmilter is stopped when all is drained. */
struct control *control_start(struct service *service, int listen_fd, int channel, const char *config,
                              GError **error);
void control_join(struct control *control);

#endif
