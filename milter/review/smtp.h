/*
 * smtp: hands one message to a listener on loopback (RFC 5321; 1870 SIZE, 3461 DSN, 6152 8BITMIME, 6531
 * SMTPUTF8) and says how that ended. The octets go out as they are, dots doubled; parameters of the envelope
 * go out as they were given, as far as the server offers their extension.
 *
 * Blocking, with a deadline on every wait; any thread. Owns nothing of what it is given.
 */
#ifndef MILTER_REVIEW_SMTP_H
#define MILTER_REVIEW_SMTP_H

#include "policy/autoptr.h"

enum smtp_end {
    SMTP_UNKNOWN, /* lost, or no answer in time, after the last dot went out: the server may have it */
    SMTP_PUT_OFF, /* 4xx, nobody there, or lost before the last dot went out: the server has not got it */
    SMTP_REFUSED, /* 5xx to any step, or it cannot be said in SMTP: the server has not got it */
    SMTP_TAKEN,   /* 250 to the last dot: the server has it */
};

struct smtp_recipient {
    const char *path;           /* "<an@agency.gov.cn>" */
    const char *notify, *orcpt; /* values as given, in xtext where they were; NULL */
};

struct smtp_piece {
    const void *octets;
    gsize length;
};

struct smtp_message {
    const char *through;    /* inet:port@host, as `release through` has it; unix:/path for tests */
    const char *helo;       /* our name */
    const char *sender;     /* "<bo@agency.gov.cn>", "<>" */
    const char *parameters; /* of MAIL as recorded; ENVID, RET, BODY, SMTPUTF8 are passed on; NULL */
    gboolean headers_only;  /* RET=HDRS whatever was asked for; a server without DSN does not get it */
    const struct smtp_recipient *recipients;
    guint recipient_count;
    const struct smtp_piece *pieces; /* the message: lines end in CRLF, the last one too */
    guint piece_count;
    const gint *stop; /* atomic: not 0 ends every wait at once, as lost; NULL never */
};

struct smtp_result {
    enum smtp_end end;
    guint code;     /* of the reply that decided; 0 none */
    char *text;     /* that reply, or what happened, one line, printable; never NULL */
    char *queue_id; /* "queued as …" of a TAKEN; NULL not told */
    gint recipient; /* index of the one whose RCPT the reply was to; -1 none */
};

/* All or nothing: one recipient refused, and none gets it (RSET before DATA). */
void smtp_send(const struct smtp_message *message, struct smtp_result *result);
void smtp_result_clear(struct smtp_result *result);

/* The argument of RCPT or MAIL for an address as it was given: in brackets, where local submission had none.
 * New. */
char *smtp_path(const char *given);

#endif
