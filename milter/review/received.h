/*
 * received: the one Received field that stands in front of a released message, made again from the recorded
 * session: Postfix's own was never presented (semantics.md 10.6; RFC 5321 4.4, RFC 3848, RFC 6531 4.3). Pure.
 */
#ifndef MILTER_REVIEW_RECEIVED_H
#define MILTER_REVIEW_RECEIVED_H

#include "milter/store/hold.h"

struct received {
    const struct recorded *recorded;
    const char *host;      /* ours */
    const char *queue_id;  /* under which it came; NULL */
    const char *recipient; /* "<an@…>" when it goes to nobody else; NULL */
    GTimeZone *zone;       /* NULL: the host's */
};
/* The whole field with its line ends. It tells that there was a login, never whose; octets that the client
 * chose and that could read as anything else are '?'. New. */
char *received_make(const struct received *received);

#endif
