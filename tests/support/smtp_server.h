/*
 * smtp_server: an SMTP server on loopback that does what a test tells it: answers, hangs, hangs up at any
 * step. One session at a time, in a thread of its own. What it took is kept, octets as sent (dots undoubled).
 */
#ifndef TESTS_SUPPORT_SMTP_SERVER_H
#define TESTS_SUPPORT_SMTP_SERVER_H

#include <glib.h>

enum server_step {
    STEP_CONNECT,
    STEP_EHLO,
    STEP_MAIL,
    STEP_RCPT,
    STEP_DATA,
    STEP_OCTETS, /* the first octets of the message have come; hanging here, it reads no more */
    STEP_DOT,    /* the last dot has come, before `end` is asked */
    STEP_TAKEN,  /* the message is taken, before the answer */
    STEP_COUNT
};

struct server_message {
    char *queue_id;   /* "4Q7": of its own, taken or not */
    char *mail;       /* the line: "MAIL FROM:<…> …" */
    GPtrArray *rcpts; /* char *, lines */
    GByteArray *octets;
};

struct smtp_server;
struct smtp_server *smtp_server_new(void);
void smtp_server_free(struct smtp_server *server);
const char *smtp_server_address(const struct smtp_server *server); /* "inet:…@127.0.0.1" */

/* From the next session on: at this step (of RCPT the first whose line has `when` in it; NULL any) the reply
 * is this one ("550 5.1.1 no"), or "" hang, or NULL hang up. */
void smtp_server_plan(struct smtp_server *server, enum server_step step, const char *reply);
void smtp_server_plan_rcpt(struct smtp_server *server, const char *when, const char *reply);
void smtp_server_plan_none(struct smtp_server *server);
/* Keywords that EHLO offers, blanks between; default all that Postfix has. */
void smtp_server_offer(struct smtp_server *server, const char *keywords);
/* Asked at the end of each message, as a milter would be: NULL to take it, the reply, or "" to hang up. */
void smtp_server_ask(struct smtp_server *server, const char *(*end)(const struct server_message *, gpointer),
                     gpointer data);

guint smtp_server_count(struct smtp_server *server); /* of messages taken */
/* Nobody is connected: waits, some seconds at most. */
gboolean smtp_server_is_idle(struct smtp_server *server);
guint smtp_server_sessions(struct smtp_server *server);
gboolean smtp_server_hangs(struct smtp_server *server); /* a session hangs now */
/* Borrowed; only while no session goes on. */
const struct server_message *smtp_server_message(struct smtp_server *server, guint index);

#endif
