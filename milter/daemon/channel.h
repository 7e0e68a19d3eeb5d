/*
 * channel: what supervisor and daemon say to each other over a SEQPACKET socket pair: one word, sometimes
 * with limits, a descriptor, or a question about a queue id and its answer.
 */
#ifndef MILTER_DAEMON_CHANNEL_H
#define MILTER_DAEMON_CHANNEL_H

#include "milter/daemon/limits.h"
#include "milter/inspect/inspector.h"
#include "milter/review/review.h"

enum channel_word {
    CHANNEL_CLOSED = 0,   /* the other side is gone */
    CHANNEL_NOTHING,      /* nothing (or nonsense) was there */
    CHANNEL_UP = 'U',     /* daemon: serving */
    CHANNEL_RELOAD = 'R', /* supervisor: HUP came */
    CHANNEL_DRAIN = 'D',  /* supervisor: TERM came */
    CHANNEL_INSPECTOR =
        'I', /* daemon: start an inspector with these limits; supervisor: here is its control channel */
    CHANNEL_ASK = 'A',  /* daemon: has Postfix this queue id? */
    CHANNEL_TOLD = 'T', /* supervisor: the answer to the question of that number */
};

struct channel_message {
    enum channel_word word;
    struct inspect_limits limits;
    int fd; /* -1 none; the receiver's */
    guint32 number;
    char queue_id[LIMIT_QUEUE_ID + 1]; /* ASK; what is no queue id of Postfix is received as "" */
    enum postfix_answer answer;        /* TOLD */
};

/* Never waits. FALSE if the other side is gone, or has not listened for long. */
gboolean channel_send(int channel, const struct channel_message *message);
/* Takes one message that poll announced; never waits. */
struct channel_message channel_receive(int channel);

#endif
