/*
 * What the tests of the daemon share: one running miji-milter, the people who write, a message that passes
 * and one that does not. Each test ends with scene_check: whatever was done to the daemon, it goes on and
 * decides rightly.
 */
#ifndef TESTS_WIRE_SCENE_H
#define TESTS_WIRE_SCENE_H

#include "milter/conf/control.h"
#include "tests/wire/daemon.h"
#include "tests/wire/mta_message.h"

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Postfix offers all of them; a filter that decides nothing before the end of the message takes all. */
#define ALL_SILENCE                                                                                 \
    (SMFIP_NR_HDR | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | \
     SMFIP_NR_UNKN | SMFIP_NR_EOH | SMFIP_NR_BODY)

extern const struct mta_client scene_bo;       /* inside, logged in; cleared for 机密 */
extern const struct mta_client scene_stranger; /* from the internet */
extern const struct mta_message scene_fine;    /* bo to an, 机密: delivered */
extern const struct mta_message scene_refused; /* bo to mi, 机密: mi is not cleared for it */
extern const struct mta_message scene_public;  /* a stranger to gu, no label: delivered */

/* Starts the daemon for a test program, with more lines of configuration or NULL; ends the program if it
 * cannot. */
struct daemon *scene_open(const char *more);
/* The same with a store; out: daemon_start_keeping. */
struct daemon *scene_open_keeping(const char *out, const char *more);
/* Runs the tests added so far and a last one below `suite`: the daemon stops well and its log is in order.
 * For main. */
int scene_run(const char *suite);
struct daemon *scene_daemon(void);

/* A session that has said HELO. Fails the test if there is none. */
struct mta *scene_session(const struct mta_client *client);
/* Sends a message, and gives the outcome in few words: "accept", "discard", "tempfail", "550 5.7.1", "closed"
 * … Caller frees. */
char *scene_send(struct mta *mta, const struct mta_message *message);
/* The same with all edits and the text of the reply but its reference: "delrcpt <mi@x>; accept". Caller
 * frees. */
char *scene_edits(struct mta *mta, const struct mta_message *message);
/* Asks at the control socket, as the user of the test. Caller frees. */
char *scene_ask(const struct control_request *request, gboolean *ok);
/* The same of a reply. */
char *scene_outcome(const struct mta_reply *reply);
/* "closed" if the filter has closed the connection, else the message. */
char *scene_breakdown(const GError *error);
/* True if the outcome is one of an SMTP server: taken, 4xx or 5xx. */
bool scene_is_clear(const char *outcome);
/* QUIT, and the connection must end without another packet; closes. */
void scene_quit(struct mta *mta);
/* On a new connection the fine message passes, and the other is refused. */
void scene_check(void);

#endif
