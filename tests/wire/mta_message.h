/*
 * Sessions and messages as Postfix 3.7 sends them: the order of events, the macros of each stage (Postfix's
 * default lists, or those that the filter asked for), what is known when: no queue id at MAIL and at the
 * first recipient, TLS only at the second HELO, {rcpt_addr} canonical while the argument stays as typed.
 * Sources: Postfix's milter8.c and smtpd_milter.c; measured on 3.7.11.
 */
#ifndef TESTS_WIRE_MTA_MESSAGE_H
#define TESTS_WIRE_MTA_MESSAGE_H

#include "tests/wire/mta.h"

/* The SMTP client that Postfix speaks for. NULL and 0 are the defaults that the comments name. */
struct mta_client {
    const char *name;         /* client.example */
    const char *address;      /* 192.0.2.1; or IPv6; with local: 127.0.0.1 */
    unsigned port;            /* 40000 */
    const char *helo;         /* client.example */
    const char *login;        /* {auth_authen}; none */
    const char *tls_version;  /* {tls_version}: "TLSv1.3"; none. HELO is then sent twice, as after STARTTLS */
    const char *cert_subject; /* {cert_subject}, {cert_issuer}: of a verified certificate; none */
    const char *cert_issuer;
    const char *daemon_name; /* mx.example */
    bool is_terse; /* no macros before single fields and body chunks: Sendmail's way, not Postfix's */
    bool is_local; /* from pickup(8): localhost, no brackets, the queue id from the start */
};

struct mta_message {
    const char *sender; /* "<a@x>", "<>", with ESMTP arguments: "<a@x> RET=HDRS"; brackets as given */
    const char *const *recipients; /* likewise "<b@y> NOTIFY=NEVER", NULL at the end; may be empty */
    const char *const *fields;     /* "Name: value", folds as LF and blank, NULL at the end; NULL = none */
    const char *body;              /* lines end in CRLF; NULL = none */
    size_t body_length;            /* 0 = up to the NUL */
    const char *queue_id;          /* NULL: one is made up */
};

/* Opens, negotiates as Postfix, and plays CONNECT and HELO. A refusal of the client is an error here. */
struct mta *mta_open_session(const char *address, const struct mta_client *client, GError **error);

/*
 * CONNECT and HELO on a connection that was negotiated: the first client, or the next after XCLIENT or
 * mta_quit_keeping. `reply` (may be NULL): of the first event that was refused, else MTA_NONE or the last.
 * The client is copied.
 */
bool mta_start(struct mta *mta, const struct mta_client *client, struct mta_reply **reply, GError **error);

/* HELO once more, as a client may say it; with the TLS macros if the client of mta_start has them. */
bool mta_helo(struct mta *mta, const char *name, struct mta_reply **reply, GError **error);

/* The parts of mta_send_message, for tests that stop in the middle. */
bool mta_mail(struct mta *mta, const struct mta_message *message, struct mta_reply **reply, GError **error);
bool mta_rcpt(struct mta *mta, const char *recipient, struct mta_reply **reply, GError **error);
bool mta_data(struct mta *mta, struct mta_reply **reply, GError **error);
bool mta_field(struct mta *mta, const char *field, struct mta_reply **reply, GError **error);
bool mta_eoh(struct mta *mta, struct mta_reply **reply, GError **error);
/* In chunks of 65,535 bytes; nothing at all for an empty body. */
bool mta_body(struct mta *mta, const struct mta_message *message, struct mta_reply **reply, GError **error);
bool mta_eom(struct mta *mta, struct mta_reply **reply, GError **error);

/*
 * A whole message. `reply` is the one that decided: an early refusal, or that of end of message. As in
 * Postfix an ABORT follows every message, whatever became of it, before whatever is next. Recipients refused
 * singly are in reply->refused, and when none is left the message ends there.
 */
bool mta_send_message(struct mta *mta, const struct mta_message *message, struct mta_reply **reply,
                      GError **error);

#endif
