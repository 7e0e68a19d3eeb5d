/*
 * socket: addresses as miji.conf writes them, unix:/path and inet:port@host: opened, connected to, given to a
 * group.
 */
#ifndef MILTER_DAEMON_SOCKET_H
#define MILTER_DAEMON_SOCKET_H

#include "milter/conf/conf.h"

/* Before listening: the socket file of a dead process goes. FALSE and error when a living one listens there:
 * nobody takes its place away. */
gboolean socket_clear(const char *address, GError **error);
/* socket_clear, then listens; non-blocking, close-on-exec. -1 and error. */
int socket_listen(const char *address, GError **error);
/* Connects within five seconds; non-blocking, close-on-exec. -1 and error. */
int socket_connect(const char *address, GError **error);
/* A connection of a listening socket that poll announced, close-on-exec, with more SOCK_ flags; -1 if there
 * is none. Where there is no descriptor for it, it says so and pauses: poll announces it again at once. */
int socket_accept(int listen_fd, int flags);
/* Mode and group of a unix: socket as written; nothing for inet:. FALSE and error also when there is no
 * socket at that path, or a link. */
gboolean socket_grant(const struct listener *listener, uid_t owner, GError **error);
/* Between the two, a socket file is made with the mode and (where root makes it) the group as written: whom
 * they let in is not turned away in the moment before socket_grant. Before there are threads. */
struct socket_making {
    mode_t umask;
    gid_t group;
};
struct socket_making socket_making_begin(const struct listener *listener);
void socket_making_end(struct socket_making before);
/* Makes the folder of a unix: socket when root starts us without a service manager that would have made it
 * (/run is empty after a boot). What cannot be made is told by the socket that then cannot be opened. */
void socket_make_folder(const char *address, uid_t owner);
/* Path of a unix: address, NULL for others; borrowed. */
const char *socket_path(const char *address);

#endif
