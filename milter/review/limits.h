/* limits: waits and bounds of the review layer, on one screen. */
#ifndef MILTER_REVIEW_LIMITS_H
#define MILTER_REVIEW_LIMITS_H

/* SMTP to the release listener (RFC 5321 4.5.3.2 allows minutes for the wide world; this is loopback) */
#define LIMIT_SMTP_CONNECT_MS (10 * 1000)
#define LIMIT_SMTP_COMMAND_MS (60 * 1000)
#define LIMIT_SMTP_BLOCK_MS (180 * 1000) /* for a block of the message to be taken */
#define LIMIT_SMTP_END_MS \
    (600 * 1000)                /* 4.5.3.2.6: the answer to the last dot; giving up earlier makes doubts */
#define LIMIT_SMTP_SLICE_MS 100 /* how soon a wait sees that the daemon stops */
#define LIMIT_SMTP_LINE 4096    /* octets of a line of a reply */
#define LIMIT_SMTP_LINES 100    /* lines of a reply */
#define LIMIT_SMTP_TEXT 400     /* octets of a reply that are kept, for reviewers */
#define LIMIT_SMTP_WORD 2048    /* octets of what is passed on of one word: Postfix's line_length_limit */

/* the release */
#ifdef MIJI_FAULTS
#define RELEASE_LOOK_MS 100 /* tests move the clock, and do not want to wait for a look at it */
#else
#define RELEASE_LOOK_MS 2000 /* between two looks for what is due */
#endif
#define RELEASE_PAUSE_MIN_MS (60 * 1000)       /* between two tries … */
#define RELEASE_PAUSE_MAX_MS (60 * 60 * 1000)  /* … growing to this */
#define RELEASE_UNANSWERED_MS (60 * 60 * 1000) /* semantics.md 7.3: the client may come again so long */
#define RELEASE_ASK_MS (20 * 1000)             /* between two questions to Postfix for a queue id */
#define RELEASE_ASKED 2                        /* so often it must not know a queue id to be believed */
#define RELEASE_SILENT 45                      /* so often it cannot be asked: then a person is (15 min) */
#define RELEASE_RECIPIENTS 500                 /* of one envelope: smtpd_recipient_limit is 1000 */
#define RECHECK_PEOPLE_MS (10 * 1000)          /* for the directory */

/* the desk */
#define DESK_NOTE_CHARACTERS 500 /* of a note */
#define DESK_TRACE_LINES 200
#define DESK_COPIES 1000              /* of an archive listing */
#define DESK_TEXT_BYTES (1024 * 1024) /* of a message, as text: more is for --raw */
#define DESK_PARTS 50                 /* that a summary names */
#define DESK_INSPECT_MS 10000         /* for the reader of a summary */
#define DESK_CLOCK_MS (5 * 60 * 1000) /* semantics.md 1: the clock may stand so far before the newest record */

/* deadlines */
#define SWEEP_LOOK_MS (60 * 1000)
#define SWEEP_TWICE_US ((gint64)10 * 60 * G_USEC_PER_SEC) /* semantics.md 10 row 7 */
#define SWEEP_TIDY_US ((gint64)3600 * G_USEC_PER_SEC)

/* A notice (semantics.md 9.3, 9.5). */
#define NOTICE_BYTES 8192
#define NOTICE_ADDRESSES 50
/* Characters of one value in a notice. Together with one recipient they stay below NOTICE_BYTES. */
#define NOTICE_SENTENCE_CHARACTERS 240 /* a reason, a configured text, a reviewer's note */
#define NOTICE_VALUE_CHARACTERS 80     /* label, subject, contact */
#define NOTICE_ENVELOPE_ID_BYTES 100   /* RFC 3461 4.4 */
#define NOTICE_ORIGINAL_BYTES 500      /* RFC 3461 4.2 */
/* References that one digest lists. */
#define DIGEST_REFERENCES 200

/* The outbox (9.5). */
#define OUTBOX_AN_HOUR 30
#define OUTBOX_HOUR_MS ((gint64)3600 * 1000)
#define OUTBOX_LOOK 100 /* notices of one look */
#define OUTBOX_PAUSE_MIN_MS ((gint64)10 * 1000)
#define OUTBOX_PAUSE_MAX_MS ((gint64)3600 * 1000)
#define OUTBOX_KEEP_MS ((gint64)5 * 86400 * 1000)

#endif
