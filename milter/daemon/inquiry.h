/*
 * inquiry: the supervisor's side of "does Postfix know this queue id?": a child process looks (mail_queue.h),
 * one at a time and for a limited time, while the supervisor goes on. Only its loop uses it.
 */
#ifndef MILTER_DAEMON_INQUIRY_H
#define MILTER_DAEMON_INQUIRY_H

#include <sys/types.h>

#include "milter/review/review.h"

struct inquiries;
/* told: called with each answer; number is the one that was asked with. */
struct inquiries *inquiries_new(void (*told)(gpointer data, guint32 number, enum postfix_answer answer),
                                gpointer data);
/* Drops what is under way. */
void inquiries_free(struct inquiries *inquiries);
/* Never waits. What is no queue id, or one too many, is SILENT at once. */
void inquiries_ask(struct inquiries *inquiries, guint32 number, const char *queue_id);
/* To be polled for reading; -1 when nothing is under way. */
int inquiries_fd(const struct inquiries *inquiries);
/* The child has said something, or ended. */
void inquiries_hear(struct inquiries *inquiries);
/* When inquiries_check is to be called, in monotonic microseconds; 0 never. Late children are killed. */
gint64 inquiries_due_us(const struct inquiries *inquiries);
void inquiries_check(struct inquiries *inquiries);
/* Forgets all: nobody waits for an answer any more. The caller reaps the child. */
void inquiries_drop(struct inquiries *inquiries);

#endif
