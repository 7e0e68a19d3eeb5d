/* Both sides of "does Postfix know this queue id?": a thread asks, the supervisor's side answers over the
 * channel, and whoever is not answered hears that nobody can tell. */
#include "milter/daemon/question.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/daemon/channel.h"
#include "milter/daemon/inquiry.h"

struct asker {
    struct questions *questions;
    const char *queue_id;
    enum postfix_answer answer;
    pthread_t thread;
};

static void *ask(void *data)
{
    struct asker *asker = data;

    asker->answer = questions_ask(asker->questions, asker->queue_id);
    return NULL;
}

static struct channel_message await(int channel)
{
    struct pollfd waiting = {.fd = channel, .events = POLLIN};

    g_assert_cmpint(poll(&waiting, 1, 20000), ==, 1);
    return channel_receive(channel);
}

/* Answers come back in another order than the questions. */
static void test_answers(void)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    struct questions *questions = questions_new(ends[0]);
    struct asker askers[] = {{questions, "AAAAA1", POSTFIX_SILENT, 0},
                             {questions, "BBBBB2", POSTFIX_SILENT, 0},
                             {questions, "CCCCC3", POSTFIX_SILENT, 0}};
    struct channel_message asked[G_N_ELEMENTS(askers)];

    for (gsize i = 0; i < G_N_ELEMENTS(askers); i++)
        g_assert_cmpint(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(askers); i++) {
        asked[i] = await(ends[1]);
        g_assert_cmpint(asked[i].word, ==, CHANNEL_ASK);
    }
    questions_told(questions, 12345, POSTFIX_KNOWS); /* nobody asked that */
    for (gsize i = G_N_ELEMENTS(askers); i-- > 0;)
        questions_told(questions, asked[i].number,
                       asked[i].queue_id[0] == 'A'   ? POSTFIX_KNOWS
                       : asked[i].queue_id[0] == 'B' ? POSTFIX_KNOWS_NOT
                                                     : POSTFIX_SILENT);
    for (gsize i = 0; i < G_N_ELEMENTS(askers); i++)
        pthread_join(askers[i].thread, NULL);
    g_assert_cmpint(askers[0].answer, ==, POSTFIX_KNOWS);
    g_assert_cmpint(askers[1].answer, ==, POSTFIX_KNOWS_NOT);
    g_assert_cmpint(askers[2].answer, ==, POSTFIX_SILENT);
    questions_free(questions);
    close(ends[0]);
    close(ends[1]);
}

static void test_nobody_answers(void)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    struct questions *questions = questions_new(ends[0]);
    struct asker asker = {questions, "AAAAA1", POSTFIX_KNOWS, 0};

    g_assert_cmpint(questions_ask(questions, "; rm"), ==, POSTFIX_SILENT);
    g_assert_cmpint(channel_receive(ends[1]).word, ==, CHANNEL_NOTHING);
    g_assert_cmpint(pthread_create(&asker.thread, NULL, ask, &asker), ==, 0);
    await(ends[1]);
    questions_end(questions);
    pthread_join(asker.thread, NULL);
    g_assert_cmpint(asker.answer, ==, POSTFIX_SILENT);
    close(ends[1]);
    g_assert_cmpint(questions_ask(questions, "AAAAA1"), ==, POSTFIX_SILENT);
    questions_free(questions);
    close(ends[0]);
}

/* What a packet on the channel says is believed only if it is a queue id. */
static void test_channel(void)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    struct channel_message sent = {.word = CHANNEL_ASK, .number = 7, .queue_id = "-h ../x", .fd = -1};

    g_assert_true(channel_send(ends[0], &sent));
    g_assert_cmpstr(channel_receive(ends[1]).queue_id, ==, "");
    g_strlcpy(sent.queue_id, "4Xk2c51zQyz", sizeof sent.queue_id);
    g_assert_true(channel_send(ends[0], &sent));
    struct channel_message got = channel_receive(ends[1]);
    g_assert_cmpstr(got.queue_id, ==, "4Xk2c51zQyz");
    g_assert_cmpuint(got.number, ==, 7);
    sent = (struct channel_message){.word = CHANNEL_TOLD, .number = 8, .answer = 99, .fd = -1};
    g_assert_true(channel_send(ends[1], &sent));
    got = channel_receive(ends[0]);
    g_assert_cmpint(got.word, ==, CHANNEL_TOLD);
    g_assert_cmpint(got.answer, ==, POSTFIX_SILENT);
    close(ends[0]);
    close(ends[1]);
}

struct answers {
    guint count;
    guint32 numbers[64];
    enum postfix_answer last;
};

static void note(gpointer data, guint32 number, enum postfix_answer answer)
{
    struct answers *answers = data;

    answers->numbers[answers->count++] = number;
    answers->last = answer;
}

/* The child looks at this machine's Postfix, which has never heard of the id, or cannot be asked. */
static void test_inquiries(void)
{
    struct answers answers = {0};
    struct inquiries *inquiries = inquiries_new(note, &answers);

    inquiries_ask(inquiries, 1, "no id");
    g_assert_cmpuint(answers.count, ==, 1);
    g_assert_cmpint(answers.last, ==, POSTFIX_SILENT);
    g_assert_cmpint(inquiries_fd(inquiries), ==, -1);
    inquiries_ask(inquiries, 2, "AAAAAzzzzz1");
    inquiries_ask(inquiries, 3, "AAAAAzzzzz2");
    g_assert_cmpuint(answers.count, ==, 1);
    while (inquiries_fd(inquiries) >= 0) {
        struct pollfd waiting = {.fd = inquiries_fd(inquiries), .events = POLLIN};
        g_assert_cmpint(inquiries_due_us(inquiries), >, g_get_monotonic_time());
        g_assert_cmpint(poll(&waiting, 1, 30000), ==, 1);
        inquiries_hear(inquiries);
        g_assert_cmpint(answers.last, !=, POSTFIX_KNOWS);
    }
    g_assert_cmpuint(answers.count, ==, 3);
    g_assert_cmpuint(answers.numbers[1], ==, 2);
    g_assert_cmpuint(answers.numbers[2], ==, 3);
    for (guint32 i = 0; i < 20; i++)
        inquiries_ask(inquiries, 100 + i, "AAAAAzzzzz3");
    g_assert_cmpuint(answers.count, ==, 7); /* the last four are too many */
    inquiries_drop(inquiries);
    g_assert_cmpint(inquiries_fd(inquiries), ==, -1);
    g_assert_cmpuint(answers.count, ==, 7);
    inquiries_free(inquiries);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/question/answers", test_answers);
    g_test_add_func("/question/nobody-answers", test_nobody_answers);
    g_test_add_func("/question/channel", test_channel);
    g_test_add_func("/question/inquiries", test_inquiries);
    return g_test_run();
}
