/*
 * What the files of the client share. Not for tests.
 */
#ifndef TESTS_WIRE_MTA_PRIVATE_H
#define TESTS_WIRE_MTA_PRIVATE_H

#include "tests/wire/mta.h"

/* A reply or edit may be as long as a field; a filter that announces more is broken. */
#define MTA_PACKET_MAX (1024 * 1024)
/* About what Postfix keeps back before it writes. */
#define MTA_BUFFER 16384

struct mta {
    int fd;
    unsigned timeout_ms;
    GByteArray *out; /* not yet written */
    GByteArray *in;  /* read, not yet taken; `taken` bytes of it are done with */
    size_t taken;
    struct mta_terms terms;
    uint32_t unwanted;       /* SMFIP_NO*: negotiated away, or unknown to the version */
    char skipping;           /* the event that the filter asked to skip, or 0 */
    bool owes_abort;         /* an ABORT goes out before the next event: smtpd's mail_reset() */
    struct mta_state *state; /* of mta_message.c; released with its own `free` */
    GDestroyNotify free_state;
};

/* True if the filter has sent something that nobody has taken yet; does not look at the socket. */
bool mta_has_unread(const struct mta *mta);

/* Adds one packet of an end-of-message dialogue to the reply. False if it is malformed or not allowed. */
struct mta_reply *mta_reply_new(char stage);
bool mta_reply_add(struct mta_reply *reply, const struct mta_packet *packet, uint32_t actions,
                   GError **error);

/* True once a packet was added that ends the dialogue. */
bool mta_reply_is_final(const struct mta_reply *reply);

#endif
