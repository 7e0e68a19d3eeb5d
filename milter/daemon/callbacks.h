/*
 * callbacks: libmilter's events, translated. They decide nothing: replies are negotiated away, SMFIS_NOREPLY
 * is returned wherever nothing is decided, never ACCEPT before the end of message (facts: measured three
 * times cheaper, and an early ACCEPT switches the filter off for the whole connection). With callbacks.c and
 * apply.c the only places that know libmilter.
 */
#ifndef MILTER_DAEMON_CALLBACKS_H
#define MILTER_DAEMON_CALLBACKS_H

#include "milter/daemon/service.h"

/* Registers with libmilter and opens the socket (unix: or inet:port@host, as in miji.conf). FALSE and error
 * if it cannot. Once per process. */
gboolean callbacks_open(struct service *service, const char *address, GError **error);
/* Runs libmilter until callbacks_stop. FALSE if it failed. */
gboolean callbacks_run(void);
/* From another thread, every second while there are sessions: libmilter's pool now and then forgets one that
 * has something to say until the next connection comes. So one comes
 * (contrib/decisions/libmilter-is-woken.md). */
void callbacks_wake(void);
/* From another thread: connections are cut, so drain first. Threads of libmilter may still be in a callback
 * afterwards. */
void callbacks_stop(void);

#endif
