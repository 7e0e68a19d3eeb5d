/* limits: everything in the daemon that somebody outside could make large, on one screen. Each has its own
 * clear outcome. */
#ifndef MILTER_DAEMON_LIMITS_H
#define MILTER_DAEMON_LIMITS_H

#define LIMIT_SPOOL_MEMORY_BYTES (256 * 1024) /* larger messages go to a file in the state directory */
#define LIMIT_SESSIONS 2000                   /* open connections; beyond: messages are deferred as busy */
#define LIMIT_MESSAGES 500                    /* messages between MAIL and answer; beyond: deferred as busy */
#define LIMIT_DESCRIPTORS 4096                /* asked for, where the hard limit lets us */
#define LIMIT_DESCRIPTORS_SPARE \
    64 /* kept free of sessions: directory, control, log; and two for each helper of the inspector */
#define LIMIT_QUEUE_ID 64       /* octets of an MTA's queue id; longer ones are not believed */
#define LIMIT_CONTROL_SECONDS 2 /* for a client of the control socket to say what it wants */
#define LIMIT_CONTROL_CHUNK (64 * 1024)
#define LIMIT_CONTROL_CHUNK_SECONDS 10 /* for it to take so many octets of the answer */
#define LIMIT_CONTROL_SERVED 8   /* commands at once that look into the store; beyond: told to come again */
#define LIMIT_CONTROL_CLIENTS 24 /* clients at once; others wait until one has gone */
#define LIMIT_OFFERED_RECIPIENTS 50000  /* of one message on the release socket: RECIPIENTS_MAX of miji.conf \
                                         */
#define LIMIT_TOKEN 512                 /* octets of a release token; longer ones are none */
#define LIMIT_QUESTIONS 16              /* queue ids that Postfix is asked for at once */
#define LIMIT_QUESTION_SECONDS 30       /* for Postfix to say whether it knows one */
#define LIMIT_FAILURES 4096             /* digests on which an inspector died that are remembered */
#define LIMIT_RELAYED 64                /* connections at once through each of the other sockets */
#define LIMIT_RELAY_BUFFER (128 * 1024) /* octets under way in each direction of such a connection */
#define LIMIT_EOM_SECONDS 60            /* end of message, with progress told */
#define LIMIT_DRAIN_SECONDS 90          /* for messages under way when the daemon is told to stop */
#define LIMIT_DRAIN_GRACE_SECONDS 20    /* after which new messages are deferred */
#define LIMIT_SILENCE_SECONDS \
    3600 /* libmilter's read timeout: a connection without a word this long is closed */

#endif
