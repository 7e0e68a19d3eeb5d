/*
 * limits: everything that a mail can make large in a worker, beside the limits of miji.conf (struct
 * inspect_limits).
 */
#ifndef MILTER_INSPECT_LIMITS_H
#define MILTER_INSPECT_LIMITS_H

/* Before GMime sees anything (it takes 4.6 GB for 3.5 million boundary lines, 132 MB for 200,000 fields; time
 * grows with nesting × boundary lines). */
#define LIMIT_HEADER_LINES 2000       /* of the message, of one part */
#define LIMIT_HEADER_BYTES (1 << 20)  /* of the message, of one part */
#define LIMIT_PART_HEADER_LINES 50000 /* of all parts together */
#define LIMIT_BOUNDARY_LINES 20000    /* lines that begin with -- */
#define LIMIT_MULTIPARTS 200          /* Content-Type: multipart/… */

/* A field of so many octets may have been cut by the MTA (Postfix cuts at 60,000 for milters). */
#define LIMIT_FIELD_CUT 59000

/* Mailboxes: of one field, and how much of it is read. */
#define LIMIT_MAILBOXES 1000
#define LIMIT_MAILBOX_BYTES LIMIT_FIELD_CUT

/* Own text: lines that become candidates, from either end; lines of each quoted block, and of all of them. */
#define LIMIT_OWN_LINES 50
#define LIMIT_QUOTED_LINES 50
#define LIMIT_ALL_QUOTED_LINES 200
#define LIMIT_LINE_BYTES 1024

/* Text whose charset is not sure: so much of its beginning, and of its end, is read in the others. */
#define LIMIT_READING_BYTES (32 << 10)
/* The same of HTML, before it is made text. */
#define LIMIT_READING_HTML_BYTES (512 << 10)

/* Fields that stand in the body: lines that are looked at. */
#define LIMIT_MISPLACED_LINES 100

/* HTML: depth of block quotes that is counted. */
#define LIMIT_QUOTE_DEPTH 8

/* A worker is replaced after so many messages, or when it once needed so much memory. */
#define LIMIT_WORKER_MESSAGES 5000
#define LIMIT_WORKER_RESIDENT_KB (128 << 10)
/* Processor time that a worker may use before it is replaced, beside the time of one message. */
#define LIMIT_WORKER_CPU_SECONDS 60

/* A message that travels inside its datagram, and an answer. */
#define LIMIT_DATAGRAM_BYTES (64 << 10)

#endif
