/*
 * clients: those who ask at the control socket. Each is served by a thread of its own, which lives as long as
 * its answer takes: a recheck or a long export holds up neither the others nor the control thread. `status`
 * and `reload` are answered here, everything else by the desk (milter/review/desk.h), which asks who it is.
 */
#ifndef MILTER_DAEMON_CLIENTS_H
#define MILTER_DAEMON_CLIENTS_H

#include "milter/daemon/reload.h"

struct clients;
/* Both borrowed. */
struct clients *clients_new(struct service *service, struct reloader *reloader);
/* After clients_are_gone. */
void clients_free(struct clients *clients);

/* Fewer than LIMIT_CONTROL_CLIENTS are served now. */
gboolean clients_may_come(struct clients *clients);
/* Takes a connection of the listening socket and serves it in a thread. Never waits. */
void clients_accept(struct clients *clients, int listen_fd);
/* A reload that nobody at the socket asked for (HUP), in a thread as well. */
void clients_reload(struct clients *clients);

/* No command of the desk is begun any more, and answers that nobody takes are cut; status is still told. TRUE
 * when those under way have ended, within timeout_ms. */
gboolean clients_end_commands(struct clients *clients, gint64 timeout_ms);
/* All threads have ended, within timeout_ms. */
gboolean clients_are_gone(struct clients *clients, gint64 timeout_ms);

#endif
