/*
 * A filter made with libmilter that does what the message says and tells what it saw: the other end for tests
 * of the client. It runs in a process of its own, forked from the test (which must not have threads yet).
 *
 * What it saw is added to each message as one field "X-Seen", a line for each event. What it does comes from
 * "X-Do: WORD ARGUMENTS" fields, carried out in their order at end of message:
 *   addrcpt A | addrcpt_par A ARGS | delrcpt A | chgfrom A ARGS | addheader N V | insheader I N V | chgheader
 * I N V | replbody TEXT | quarantine TEXT | progress accept | discard | reject | tempfail | reply CODE XCODE
 * TEXT | reply2 CODE XCODE TEXT (two lines) | close (ends the process without an answer) A recipient
 * "refuse@…" is refused with a code, "defer@…" deferred; a body that begins with "SKIP" is skipped after its
 * first chunk; a sender "early-…@" is treated so at MAIL: early-reject, early-accept, early-discard.
 */
#ifndef TESTS_WIRE_ECHO_MILTER_H
#define TESTS_WIRE_ECHO_MILTER_H

#include <glib.h>
#include <sys/types.h>

struct echo_options {
    unsigned long protocol;  /* SMFIP_* asked for, as far as offered */
    const char *mail_macros; /* smfi_setsymlist for MAIL, or NULL */
    const char *eom_macros;
    gboolean is_loud; /* answers where it has negotiated silence: what a filter must not do */
};

/* Starts the filter on "unix:…" or "inet:…" and waits until it listens; -1 and error if it cannot. */
pid_t echo_milter_start(const char *address, const struct echo_options *options, GError **error);

/* The same in this process, which it never returns to. `ready_fd` gets a byte when it listens. */
G_GNUC_NORETURN
void echo_milter_run(const char *address, const struct echo_options *options, int ready_fd);

/* Kills it (libmilter takes seconds to stop in good order) and waits. */
void echo_milter_stop(pid_t pid);

#endif
