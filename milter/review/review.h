/*
 * review: what happens to a hold between its making and its end: who may look and vote, the recheck, the way
 * out, deadlines, notices. It stands on the store and on decide and knows nothing of libmilter; what it needs
 * of the daemon is in struct review_host.
 *
 * One for the process. Two threads of its own (releaser: sends; sweeper: looks at deadlines and due tries);
 * commands come on threads of the control socket.
 */
#ifndef MILTER_REVIEW_REVIEW_H
#define MILTER_REVIEW_REVIEW_H

#include "milter/inspect/inspector.h"
#include "milter/store/hold.h"

enum postfix_answer { POSTFIX_KNOWS, POSTFIX_KNOWS_NOT, POSTFIX_SILENT };

struct review_host {
    struct store *store;
    struct inspector *inspector;
    struct snapshot *(*snapshot)(gpointer host); /* a reference */
    /* Has Postfix this queue id, in its queue or its log? May take seconds; SILENT: cannot be told now. */
    enum postfix_answer (*ask_postfix)(gpointer host, const char *queue_id);
    gpointer host;
};

struct review;
/* Looks at what an earlier life left open, then starts the threads. */
struct review *review_start(const struct review_host *host, GError **error);
void review_stop(struct review *review);
const struct review_host *review_host(const struct review *review);
/* Something is to be released or sent: now, not at the next look. */
void review_wake(struct review *review);

#endif
