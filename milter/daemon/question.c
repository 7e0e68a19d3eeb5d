#include "milter/daemon/question.h"

#include <pthread.h>
#include <time.h>

#include "milter/conf/log.h"
#include "milter/daemon/channel.h"
#include "milter/daemon/limits.h"
#include "milter/daemon/queue_id.h"

/* One thread that waits; on its stack. */
struct question {
    guint32 number;
    gboolean answered;
    enum postfix_answer answer;
    struct question *next;
};

struct questions {
    int channel;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t heard;
    struct question *first;
    guint32 last_number;
    gboolean over;
};

struct questions *questions_new(int channel)
{
    struct questions *questions = g_new0(struct questions, 1);
    pthread_condattr_t monotonic;
    questions->channel = channel;
    pthread_mutex_init(&questions->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&questions->heard, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return questions;
}

void questions_free(struct questions *questions)
{
    if (!questions)
        return;
    pthread_cond_destroy(&questions->heard);
    pthread_mutex_destroy(&questions->lock);
    g_free(questions);
}

static void begin(struct questions *questions, struct question *question)
{
    pthread_mutex_lock(&questions->lock);
    question->number = ++questions->last_number;
    question->next = questions->first;
    questions->first = question;
    pthread_mutex_unlock(&questions->lock);
}

static void await(struct questions *questions, struct question *question)
{
    struct timespec until;
    int problem = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LIMIT_QUESTION_SECONDS;
    pthread_mutex_lock(&questions->lock);
    while (!question->answered && !questions->over && problem == 0)
        problem = pthread_cond_timedwait(&questions->heard, &questions->lock, &until);
    pthread_mutex_unlock(&questions->lock);
}

static void forget(struct questions *questions, struct question *question)
{
    pthread_mutex_lock(&questions->lock);
    struct question **at = &questions->first;
    while (*at != question)
        at = &(*at)->next;
    *at = question->next;
    pthread_mutex_unlock(&questions->lock);
}

enum postfix_answer questions_ask(struct questions *questions, const char *queue_id)
{
    static const char *const words[] = {"known", "not known", "no answer"};
    struct question question = {.answer = POSTFIX_SILENT};
    if (!queue_id_is_of_postfix(queue_id))
        return POSTFIX_SILENT;
    struct channel_message message = {.word = CHANNEL_ASK, .fd = -1};
    g_strlcpy(message.queue_id, queue_id, sizeof message.queue_id);
    begin(questions, &question);
    message.number = question.number;
    if (channel_send(questions->channel, &message))
        await(questions, &question);
    forget(questions, &question);
    log_line(LOG_LEVEL_INFO, "%s: Postfix was asked for it: %s", queue_id, words[question.answer]);
    return question.answer;
}

void questions_told(struct questions *questions, guint32 number, enum postfix_answer answer)
{
    pthread_mutex_lock(&questions->lock);
    for (struct question *each = questions->first; each; each = each->next)
        if (each->number == number) {
            each->answer = answer;
            each->answered = TRUE;
        }
    pthread_cond_broadcast(&questions->heard);
    pthread_mutex_unlock(&questions->lock);
}

void questions_end(struct questions *questions)
{
    pthread_mutex_lock(&questions->lock);
    questions->over = TRUE;
    pthread_cond_broadcast(&questions->heard);
    pthread_mutex_unlock(&questions->lock);
}
