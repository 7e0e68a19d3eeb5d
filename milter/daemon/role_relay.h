/*
 * role_relay: libmilter listens on one socket only, but the roles `local` and `release` have sockets of their
 * own (language.md 3). Connections to them are passed on, octet for octet, to the socket that libmilter
 * listens on; to the macros of CONNECT one is added, {miji_role}, whose value is a random word of this
 * process and the role, so that nobody else can claim it. Why so:
 * contrib/decisions/one-libmilter-many-sockets.md.
 *
 * One thread of its own; local submissions and releases are few.
 */
#ifndef MILTER_DAEMON_ROLE_RELAY_H
#define MILTER_DAEMON_ROLE_RELAY_H

#include <glib.h>

struct role_relay;

struct role_socket {
    int listen_fd;    /* open; taken over */
    const char *name; /* for the log; constant */
    const char *word; /* value of {miji_role}; copied */
};

/* target: address of libmilter's socket. NULL and error if the thread cannot start. */
struct role_relay *role_relay_start(const struct role_socket *sockets, guint count, const char *target,
                                    GError **error);
/* Ends its connections and the thread. */
void role_relay_stop(struct role_relay *relay);

#endif
