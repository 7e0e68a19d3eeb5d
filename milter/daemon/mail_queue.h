/*
 * mail_queue: does Postfix know a queue id (semantics.md 10, row 11)? Looks into its queue with postqueue(1),
 * then into its log for a line of the queue manager. Blocks; the supervisor calls it in a child process of
 * its own, for only root may read both (inquiry.h). No shell; nothing of the environment but MAIL_CONFIG.
 */
#ifndef MILTER_DAEMON_MAIL_QUEUE_H
#define MILTER_DAEMON_MAIL_QUEUE_H

#include <stdio.h>

#include "milter/review/review.h"

/* KNOWS_NOT only when both the queue and the log could be read. queue_id: queue_id_is_of_postfix. */
enum postfix_answer mail_queue_look(const char *queue_id);

/* Is the queue id in what `postqueue -j` prints? */
gboolean mail_queue_lists(FILE *listing, const char *queue_id);
/* Has qmgr(8) taken the message over, by a log in the form of syslog or postlog? */
gboolean mail_queue_logged(FILE *log, const char *queue_id);

#endif
