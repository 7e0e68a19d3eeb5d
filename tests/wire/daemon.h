/*
 * The real miji-milter of the build under test, in a private directory below /tmp: as nobody when the test
 * runs as root, with the people of ldap-schema/example.ldif as its directory and its log on stderr, which is
 * kept in a file.
 *
 * The build is $MIJI_BUILD, the source tree $MIJI_TOP (both set by tests/prove), else .build and the current
 * directory. Linux only: processes are found in /proc.
 */
#ifndef TESTS_WIRE_DAEMON_H
#define TESTS_WIRE_DAEMON_H

#include "policy/autoptr.h"

#include <stdbool.h>
#include <sys/types.h>

struct daemon;

/*
 * Starts it and waits until its sockets accept. `more` (may be NULL) is put into the configuration's text,
 * before the zone of all others. NULL and error, with the log, if it does not come up.
 */
struct daemon *daemon_start(const char *more, GError **error);

/* The same with a store key, a queue "labels" for labels that disagree, an archive for 绝密, officers, and
 * `out`
 * ("inet:…@127.0.0.1", must outlive the daemon) as the listener to which released mail goes; NULL: as above.
 * In `more`, @DIR@ is the private directory. */
struct daemon *daemon_start_keeping(const char *out, const char *more, GError **error);
/* Again after daemon_stop, over the same files. */
bool daemon_run(struct daemon *miji, GError **error);
/* The configuration anew, with other lines behind it. */
bool daemon_write_conf(const struct daemon *miji, const char *more, GError **error);

/* TERM, and waits for the end; false if it does not end with status 0 in time, or leaves a process behind. */
bool daemon_stop(struct daemon *miji, GError **error);

/* Kills what still runs, removes the directory. NULL is allowed. */
void daemon_free(struct daemon *miji);
DEFINE_AUTOPTR(daemon, daemon_free)

/* "unix:…" of the role smtp, and of the role local. */
const char *daemon_address(const struct daemon *miji);
const char *daemon_local_address(const struct daemon *miji);
const char *daemon_release_address(const struct daemon *miji);
/* Holds miji.conf, control.sock, state … */
const char *daemon_directory(const struct daemon *miji);

pid_t daemon_pid(const struct daemon *miji);
/* Sends a signal to the supervisor. */
void daemon_signal(struct daemon *miji, int signal);
/* All living processes below the supervisor: GArray of pid_t, in no order. */
GArray *daemon_children(const struct daemon *miji);

/* Everything logged so far, a sanitizer's reports included. Caller frees. */
char *daemon_log(const struct daemon *miji);
/* Waits up to 20 s for a line that holds all the words (NULL at the end); caller frees. NULL and error if
 * none comes. */
char *daemon_wait_line(const struct daemon *miji, const char *const *words, GError **error);

/* Sets LD_PRELOAD and more for the program that this process becomes next: its syslog goes to `file`.
 * The spy is copied to `file`.so. */
void daemon_preload_spy(const char *file);

/* What libmilter wrote to syslog, caught by tests/wire/preload/syslog_spy.c: "" if nothing. Caller frees. */
char *daemon_syslog(const struct daemon *miji);

#endif
