/*
 * role_relay: libmilter listens on one socket only, but the `local` role has a socket of its own (language.md
 * 3). Connections to it are passed on, octet for octet, to the socket that libmilter listens on; to the
 * macros of CONNECT one is added, {miji_role}, whose value is a random word of this process, so that nobody
 * else can claim the role. Why so: contrib/decisions/one-libmilter-many-sockets.md.
 *
 * One thread of its own; local submissions are few.
 */
#ifndef MILTER_DAEMON_ROLE_RELAY_H
#define MILTER_DAEMON_ROLE_RELAY_H

#include <glib.h>

struct role_relay;

/* listen_fd: the open socket of the role (taken over); target: address of libmilter's socket; word: the value
 * of {miji_role}. NULL and error if the thread cannot start. */
struct role_relay *role_relay_start(int listen_fd, const char *target, const char *word, GError **error);
/* Ends its connections and the thread. */
void role_relay_stop(struct role_relay *relay);

#endif
