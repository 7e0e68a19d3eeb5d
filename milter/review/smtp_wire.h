/*
 * smtp_wire: a connection to an SMTP server, octets and replies, with a deadline on every wait. Internal to
 * smtp.c; one thread at a time.
 */
#ifndef MILTER_REVIEW_SMTP_WIRE_H
#define MILTER_REVIEW_SMTP_WIRE_H

#include "policy/autoptr.h"

struct smtp_wire {
    int fd;
    const gint *stop; /* atomic: not 0 ends waiting; NULL never */
    char in[4096];    /* received and not yet read: [from, to) */
    gsize from, to;
    char *problem; /* why the last call failed; owned */
};

struct smtp_reply {
    guint code;
    GString *text;    /* all lines, printable, line ends as blanks; without the code */
    GPtrArray *lines; /* char *: the same, each by itself (EHLO) */
};
void smtp_reply_clear(struct smtp_reply *reply);

/* address: inet:port@host or unix:/path. FALSE: problem says why. */
gboolean smtp_wire_open(struct smtp_wire *wire, const char *address, const gint *stop);
void smtp_wire_close(struct smtp_wire *wire);
gboolean smtp_wire_write(struct smtp_wire *wire, const void *octets, gsize length, gint64 timeout_ms);
/* A whole reply (RFC 5321 4.2.1). FALSE: lost, late or not SMTP; what *reply holds is then to be cleared all
 * the same. */
gboolean smtp_wire_reply(struct smtp_wire *wire, struct smtp_reply *reply, gint64 timeout_ms);

#endif
