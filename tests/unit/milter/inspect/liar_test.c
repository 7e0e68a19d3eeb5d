/* What the daemon makes of answers of a worker that was taken over: the test plays parent and worker. */
#include "milter/inspect/inspector.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/inspect/answer.h"
#include "milter/inspect/packet.h"
#include "milter/inspect/reader.h"

#define PATIENCE (20 * G_USEC_PER_SEC)

/* The daemon's view of a parent and worker that the test plays itself. */
struct liar {
    struct inspector *inspector;
    int control_fd, worker_fd; /* our ends */
};

/* One more worker; our end of its socket. */
static int liar_add_worker(const struct liar *liar, guint64 number)
{
    struct control message = {PACKET_MAGIC, CONTROL_WORKER, number};
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(
        packet_send(liar->control_fd, &(struct packet){&message, sizeof message, NULL, 0, ends[0]}, 0), ==,
        0);
    close(ends[0]);
    return ends[1];
}

static void liar_begin(struct liar *liar)
{
    struct inspect_limits limits;
    int control[2];

    inspect_limits_init(&limits);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), ==, 0);
    liar->inspector = inspector_new(control[0], &limits);
    liar->control_fd = control[1];
    liar->worker_fd = liar_add_worker(liar, 7);
}

/* The daemon must have told the parent to kill that worker, and closed its socket. */
static void liar_end(struct liar *liar, gboolean is_killed)
{
    struct control message = {0};
    struct packet_room room = {&message, sizeof message, NULL, 0, -1};

    if (is_killed) {
        g_assert_cmpint(packet_receive(liar->control_fd, &room, 0), ==, sizeof message);
        g_assert_cmpint(message.kind, ==, CONTROL_KILL);
        g_assert_cmpuint(message.worker, ==, 7);
    }
    inspector_free(liar->inspector);
    close(liar->control_fd);
    close(liar->worker_fd);
}

#define MESSAGE "Subject: x\n\n"

static GByteArray *true_answer(guint64 size_bytes)
{
    g_autoptr(answer) answer = answer_new();
    const GByteArray *flat;
    struct inspect_limits limits;

    inspect_limits_init(&limits);
    inspect_message(MESSAGE, strlen(MESSAGE), &limits, answer);
    flat = answer_finish(answer, size_bytes);
    return g_byte_array_append(g_byte_array_new(), flat->data, flat->len);
}

/* What the liar puts into the socket before it is asked; passed is closed. */
static enum inspect_failure ask_liar(const struct reply *reply, gsize reply_length, const GByteArray *body,
                                     int passed, gboolean is_killed)
{
    struct packet packet = {reply, reply_length, NULL, 0, passed};
    struct liar liar;
    enum inspect_failure failure;

    if (body != NULL) {
        packet.body = body->data;
        packet.length = body->len;
    }
    liar_begin(&liar);
    g_assert_cmpint(packet_send(liar.worker_fd, &packet, 0), ==, 0);
    g_autoptr(facts) facts = inspector_inspect(liar.inspector, MESSAGE, strlen(MESSAGE), -1,
                                               g_get_monotonic_time() + PATIENCE, NULL, NULL, &failure);
    g_assert_cmpint(facts != NULL, ==, failure == INSPECT_OK);
    liar_end(&liar, is_killed);
    if (passed >= 0)
        close(passed);
    return failure;
}

static void test_honest_liar(void)
{
    g_autoptr(GByteArray) answer = true_answer(strlen(MESSAGE));
    struct reply reply = {PACKET_MAGIC, 0, answer->len};

    g_assert_cmpint(ask_liar(&reply, sizeof reply, answer, -1, FALSE), ==, INSPECT_OK);
    g_assert_cmpint(ask_liar(&reply, sizeof reply, NULL, packet_seal(answer->data, answer->len), FALSE), ==,
                    INSPECT_OK);
}

static void test_nonsense(void)
{
    g_autoptr(GByteArray) answer = true_answer(strlen(MESSAGE)), other = true_answer(1);
    struct reply good = {PACKET_MAGIC, 0, answer->len}, magic = {1, 0, answer->len},
                 longer = {PACKET_MAGIC, 0, answer->len + 1}, huge = {PACKET_MAGIC, 0, G_MAXUINT64};

    g_assert_cmpint(ask_liar(&good, 3, NULL, -1, TRUE), ==, INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&magic, sizeof magic, answer, -1, TRUE), ==, INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&longer, sizeof longer, answer, -1, TRUE), ==, INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&huge, sizeof huge, answer, -1, TRUE), ==, INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&good, sizeof good, other, -1, TRUE), ==,
                    INSPECT_NONSENSE); /* facts of another message */
    answer->data[0] ^= 1;
    g_assert_cmpint(ask_liar(&good, sizeof good, answer, -1, TRUE), ==, INSPECT_NONSENSE);
}

/* Descriptors that could change while we read, or are no memory at all. */
static void test_unsafe_descriptors(void)
{
    g_autoptr(GByteArray) answer = true_answer(strlen(MESSAGE));
    struct reply good = {PACKET_MAGIC, 0, answer->len}, longer = {PACKET_MAGIC, 0, answer->len + 1},
                 huge = {PACKET_MAGIC, 0, G_MAXINT64};
    g_autofree char *path = NULL;
    int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    g_assert_cmpint(write(fd, answer->data, answer->len), ==, answer->len);
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), ==, 0); /* could shrink */
    g_assert_cmpint(ask_liar(&good, sizeof good, NULL, fd, TRUE), ==, INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&longer, sizeof longer, NULL, packet_seal(answer->data, answer->len), TRUE), ==,
                    INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&huge, sizeof huge, NULL, packet_seal(answer->data, answer->len), TRUE), ==,
                    INSPECT_NONSENSE);
    fd = g_file_open_tmp(NULL, &path, NULL);
    g_assert_cmpint(write(fd, answer->data, answer->len), ==, answer->len);
    unlink(path);
    g_assert_cmpint(ask_liar(&good, sizeof good, NULL, fd, TRUE), ==, INSPECT_NONSENSE);
    g_assert_cmpint(ask_liar(&good, sizeof good, NULL, open("/dev/zero", O_RDONLY | O_CLOEXEC), TRUE), ==,
                    INSPECT_NONSENSE);
}

static void *inspect_in_thread(void *data)
{
    struct liar *liar = data;
    enum inspect_failure failure;
    g_autoptr(facts) facts = inspector_inspect(liar->inspector, MESSAGE, strlen(MESSAGE), -1,
                                               g_get_monotonic_time() + PATIENCE, NULL, NULL, &failure);

    return GINT_TO_POINTER(failure);
}

/* A worker that dies of the message, and one that dies with it unread: that one was not its fault. */
static void test_died(void)
{
    for (guint is_read = 0; is_read < 2; is_read++) {
        g_autoptr(GByteArray) answer = true_answer(strlen(MESSAGE));
        struct reply reply = {PACKET_MAGIC, 0, answer->len};
        const struct packet packet = {&reply, sizeof reply, answer->data, answer->len, -1};
        struct inspector_status status;
        struct request request;
        struct liar liar;
        pthread_t thread;
        void *failure;
        char room[100];
        struct packet_room whole = {&request, sizeof request, room, sizeof room, -1};

        liar_begin(&liar);
        g_assert_cmpint(pthread_create(&thread, NULL, inspect_in_thread, &liar), ==, 0);
        /* the message is there when one may look at it */
        g_assert_cmpint(recv(liar.worker_fd, room, sizeof room, MSG_PEEK), >, 0);
        if (is_read)
            g_assert_cmpint(packet_receive(liar.worker_fd, &whole, 0), >, 0);
        close(liar.worker_fd);
        liar.worker_fd = liar_add_worker(&liar, 8);
        g_assert_cmpint(packet_send(liar.worker_fd, &packet, 0), ==, 0);
        pthread_join(thread, &failure);
        g_assert_cmpint(GPOINTER_TO_INT(failure), ==, is_read ? INSPECT_DIED : INSPECT_OK);
        inspector_get_status(liar.inspector, &status);
        g_assert_cmpuint(status.died, ==, is_read);
        liar_end(&liar, TRUE); /* of worker 7 */
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_assert_true(inspect_prepare());
    g_test_add_func("/inspect/liar/honest", test_honest_liar);
    g_test_add_func("/inspect/liar/died", test_died);
    g_test_add_func("/inspect/liar/nonsense", test_nonsense);
    g_test_add_func("/inspect/liar/unsafe-descriptors", test_unsafe_descriptors);
    return g_test_run();
}
