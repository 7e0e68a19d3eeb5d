/*
 * limits: how long what decide says may become, whatever a message holds.
 */
#ifndef MILTER_DECIDE_LIMITS_H
#define MILTER_DECIDE_LIMITS_H

/* "550 5.7.1 text [MIJI-xxxxxx]" CR LF: one line of SMTP (RFC 5321 4.5.3.1.5). */
#define REPLY_LINE_BYTES 512
/* Recipients in the place {recipients} of a configured text; the line itself cuts more. */
#define REPLY_RECIPIENTS_BYTES 400
/* Authors whose addresses have a tag: so many are looked up; with more of them none is anybody's own. */
#define TAGGED_AUTHORS 20
/* Addresses named in a log line; the rest is a number. */
#define LOG_ADDRESSES 10
/* Recipients and claims that explain describes one by one; the rest is a number. */
#define EXPLAIN_RECIPIENTS 200
#define EXPLAIN_CLAIMS 50
/* What a claim's text shows of itself. */
#define EXPLAIN_RAW_CHARACTERS 60

#endif
