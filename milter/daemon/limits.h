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
#define LIMIT_QUEUE_ID 64         /* octets of an MTA's queue id; longer ones are not believed */
#define LIMIT_CONTROL_REQUEST 512 /* octets of a request on the control socket */
#define LIMIT_CONTROL_SECONDS \
    2 /* for a client of the control socket to send and take: others, and the supervisor, wait meanwhile */
#define LIMIT_FAILURES 4096             /* digests on which an inspector died that are remembered */
#define LIMIT_RELAYED 64                /* connections at once through the `local` socket */
#define LIMIT_RELAY_BUFFER (128 * 1024) /* octets under way in each direction of such a connection */
#define LIMIT_EOM_SECONDS 60            /* end of message, with progress told */
#define LIMIT_DRAIN_SECONDS 90          /* for messages under way when the daemon is told to stop */
#define LIMIT_DRAIN_GRACE_SECONDS 20    /* after which new messages are deferred */
#define LIMIT_SILENCE_SECONDS \
    3600 /* libmilter's read timeout: a connection without a word this long is closed */

#endif
