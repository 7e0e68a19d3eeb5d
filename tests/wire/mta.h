/*
 * The MTA's side of the milter protocol, versions 2 and 6, for tests and benchmarks: one struct mta is one
 * connection to a filter. Blocking, every wait has a deadline. It is stricter than Postfix: a packet nobody
 * waits for, an edit outside end of message or one that was not negotiated is an error.
 *
 * Three levels. Bytes and packets: anything may be sent, however wrong. Events: one command, its macros and
 * its reply, with the negotiated rules (no reply awaited, event not wanted, skip) applied. Messages, as
 * Postfix 3.7 sends them: mta_message.h.
 *
 * A struct mta belongs to one thread at a time. After an error it can only be closed. Functions that return
 * bool fill `error` exactly when they return false. Protocol: libmilter's mfdef.h; order and lists: Postfix.
 */
#ifndef TESTS_WIRE_MTA_H
#define TESTS_WIRE_MTA_H

#include "policy/autoptr.h"

#include <glib.h>
#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mta;

enum mta_error {
    MTA_ERROR_SYSTEM,   /* socket, connect */
    MTA_ERROR_CLOSED,   /* the filter closed the connection */
    MTA_ERROR_TIMEOUT,  /* no answer in time */
    MTA_ERROR_PROTOCOL, /* the filter broke the protocol */
};
#define MTA_ERROR mta_error_quark()
GQuark mta_error_quark(void);

/* Connects to "unix:/path" or "inet:port@127.0.0.1"; NULL and error if that fails. Nothing is sent. */
struct mta *mta_open(const char *address, GError **error);

/* Closes at once, without QUIT: what a killed smtpd does. NULL is allowed. */
void mta_close(struct mta *mta);
DEFINE_AUTOPTR(mta, mta_close)

/* The deadline for each wait from now on; 20 s unless told. */
void mta_set_timeout(struct mta *mta, unsigned timeout_ms);

/* ---- bytes and packets */

struct mta_packet {
    char command;
    const char *data; /* followed by a NUL that is not counted; good until the next receive */
    size_t length;
};

/* Bytes as they are, after everything that is still buffered. */
bool mta_send_bytes(struct mta *mta, const void *bytes, size_t length, GError **error);

/* One packet, buffered as Postfix does: it goes out with the next flush or wait, or when the buffer is full.
 */
bool mta_send_packet(struct mta *mta, char command, const void *data, size_t length, GError **error);
bool mta_flush(struct mta *mta, GError **error);

/* The next packet of the filter. */
bool mta_receive(struct mta *mta, struct mta_packet *packet, GError **error);

/* Waits until the filter has closed; a packet before that is MTA_ERROR_PROTOCOL. */
bool mta_wait_closed(struct mta *mta, GError **error);

/* ---- negotiation */

struct mta_offer {
    uint32_t version, actions, protocol;
};
extern const struct mta_offer mta_offer_postfix; /* 6, all actions, all protocol bits */
extern const struct mta_offer mta_offer_plain;   /* 6, without SKIP, leading space and negotiated silence */
extern const struct mta_offer mta_offer_v2;      /* 2: no DATA and unknown commands, no new actions */

#define MTA_STAGES (SMFIM_LAST + 1)

struct mta_terms {
    uint32_t version, actions, protocol; /* as the filter answered */
    char *macros[MTA_STAGES];            /* by SMFIM_*: the list it asked for, or NULL */
};

/* Sends the offer and reads the answer, which must be within it. */
bool mta_negotiate(struct mta *mta, const struct mta_offer *offer, GError **error);
const struct mta_terms *mta_terms(const struct mta *mta);

/* ---- events */

enum mta_reply_kind {
    MTA_NONE, /* the event was not wanted, or needs no reply */
    MTA_CONTINUE,
    MTA_ACCEPT,
    MTA_DISCARD,
    MTA_REJECT,
    MTA_TEMPFAIL,
    MTA_CODE, /* text holds it */
    MTA_SKIP,
    MTA_SHUTDOWN,
};

/* One change asked for at end of message; unused members are NULL or 0. */
struct mta_edit {
    char kind;      /* SMFIR_ADDRCPT … SMFIR_QUARANTINE */
    char *name;     /* address, field name */
    char *value;    /* ESMTP arguments, field value, body, reason */
    uint32_t index; /* of a field */
};

struct mta_reply {
    enum mta_reply_kind kind;
    char stage;         /* SMFIC_*: the event it answers */
    char *text;         /* MTA_CODE: "550 5.7.1 …", lines parted by CRLF; else NULL */
    GPtrArray *edits;   /* struct mta_edit, in the order in which they came */
    unsigned progress;  /* how often the filter said that it is still working */
    GPtrArray *refused; /* "<address> 550 …": recipients refused at RCPT (mta_send_message only) */
};

void mta_reply_free(struct mta_reply *reply);
DEFINE_AUTOPTR(mta_reply, mta_reply_free)

/* On one line, for comparisons: "delrcpt <mi@x>; addheader X-A: b; accept". Caller frees. */
char *mta_reply_format(const struct mta_reply *reply);

/* True if the SMTP client may be told that the message was taken (none, continue, accept, discard). */
bool mta_reply_is_positive(const struct mta_reply *reply);

/* Sends name, value, name, value … NULL for the event that follows. */
bool mta_send_macros(struct mta *mta, char event, const char *const *pairs, GError **error);

/*
 * Sends one event, unless it was negotiated away, is unknown to the negotiated version, or follows a SKIP.
 * Waits for its reply unless none was negotiated. `reply` may be NULL if the caller does not care.
 */
bool mta_event(struct mta *mta, const struct mta_packet *event, struct mta_reply **reply, GError **error);

/* True if the event is sent at all, and if a reply to it is awaited. */
bool mta_is_event_wanted(const struct mta *mta, char event);
bool mta_is_reply_awaited(const struct mta *mta, char event);

bool mta_abort(struct mta *mta, GError **error);
/* QUIT, then waits for the filter to close. */
bool mta_quit(struct mta *mta, GError **error);
/*
 * QUIT_NC: the next event is a CONNECT on the same connection, as Sendmail does; Postfix opens a new one
 * instead. libmilter takes it only right behind an end of message; elsewhere it drops it, and the CONNECT,
 * without a word.
 */
bool mta_quit_keeping(struct mta *mta, GError **error);

#endif
