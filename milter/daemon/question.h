/*
 * question: the daemon's side of "does Postfix know this queue id?". The daemon itself may not ask Postfix;
 * the supervisor does (inquiry.h). A thread that asks waits until the control thread hears the answer.
 */
#ifndef MILTER_DAEMON_QUESTION_H
#define MILTER_DAEMON_QUESTION_H

#include "milter/review/review.h"

struct questions;
/* channel: to the supervisor; borrowed, stays open. */
struct questions *questions_new(int channel);
void questions_free(struct questions *questions);

/* Waits at most LIMIT_QUESTION_SECONDS. SILENT when nobody answers in time. Any thread. */
enum postfix_answer questions_ask(struct questions *questions, const char *queue_id);
/* The supervisor has answered; one that nobody waits for any more is forgotten. */
void questions_told(struct questions *questions, guint32 number, enum postfix_answer answer);
/* Nobody will be answered any more: who waits hears SILENT. */
void questions_end(struct questions *questions);

#endif
