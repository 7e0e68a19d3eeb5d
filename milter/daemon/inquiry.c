#include "milter/daemon/inquiry.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "milter/daemon/limits.h"
#include "milter/daemon/mail_queue.h"
#include "milter/daemon/queue_id.h"

#define LOOK_SECONDS (LIMIT_QUESTION_SECONDS - 5)

struct inquiry {
    guint32 number;
    char queue_id[LIMIT_QUEUE_ID + 1];
};

struct inquiries {
    void (*told)(gpointer data, guint32 number, enum postfix_answer answer);
    gpointer data;
    GArray *waiting; /* struct inquiry, the first is under way */
    pid_t child;
    int fd; /* from the child: one octet; -1 none */
    gint64 due_us;
};

struct inquiries *inquiries_new(void (*told)(gpointer data, guint32 number, enum postfix_answer answer),
                                gpointer data)
{
    struct inquiries *inquiries = g_new0(struct inquiries, 1);
    inquiries->told = told;
    inquiries->data = data;
    inquiries->waiting = g_array_new(FALSE, FALSE, sizeof(struct inquiry));
    inquiries->fd = -1;
    return inquiries;
}

/* In the child: nothing of the supervisor's but the pipe. A group of its own, so that what it starts ends
 * with it. */
static G_GNUC_NORETURN void look(const char *queue_id, int out)
{
    guint8 answer;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(out, STDIN_FILENO) < 0 || fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC) != 0)
        _exit(1);
    syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
    answer = (guint8)mail_queue_look(queue_id);
    _exit(write(STDIN_FILENO, &answer, 1) == 1 ? 0 : 1);
}

static void answer_first(struct inquiries *inquiries, enum postfix_answer answer)
{
    guint32 number = g_array_index(inquiries->waiting, struct inquiry, 0).number;
    g_array_remove_index(inquiries->waiting, 0);
    inquiries->told(inquiries->data, number, answer);
}

static void start_first(struct inquiries *inquiries)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        answer_first(inquiries, POSTFIX_SILENT);
        return;
    }
    const struct inquiry *first = &g_array_index(inquiries->waiting, struct inquiry, 0);
    pid_t pid = fork();
    if (pid == 0)
        look(first->queue_id, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        answer_first(inquiries, POSTFIX_SILENT);
        return;
    }
    setpgid(pid, pid); /* whoever of the two comes first */
    inquiries->child = pid;
    inquiries->fd = ends[0];
    inquiries->due_us = g_get_monotonic_time() + LOOK_SECONDS * G_USEC_PER_SEC;
}

static void go_on(struct inquiries *inquiries)
{
    while (inquiries->fd < 0 && inquiries->waiting->len > 0)
        start_first(inquiries);
}

void inquiries_ask(struct inquiries *inquiries, guint32 number, const char *queue_id)
{
    struct inquiry inquiry = {.number = number};
    if (!queue_id_is_of_postfix(queue_id) || inquiries->waiting->len >= LIMIT_QUESTIONS) {
        inquiries->told(inquiries->data, number, POSTFIX_SILENT);
        return;
    }
    g_strlcpy(inquiry.queue_id, queue_id, sizeof inquiry.queue_id);
    g_array_append_val(inquiries->waiting, inquiry);
    go_on(inquiries);
}

int inquiries_fd(const struct inquiries *inquiries)
{
    return inquiries->fd;
}

static void end_child(struct inquiries *inquiries)
{
    close(inquiries->fd);
    inquiries->fd = -1;
    inquiries->due_us = 0;
    inquiries->child = 0;
}

void inquiries_hear(struct inquiries *inquiries)
{
    guint8 answer = POSTFIX_SILENT;
    if (read(inquiries->fd, &answer, 1) != 1 || answer > POSTFIX_SILENT)
        answer = POSTFIX_SILENT;
    end_child(inquiries);
    answer_first(inquiries, (enum postfix_answer)answer);
    go_on(inquiries);
}

gint64 inquiries_due_us(const struct inquiries *inquiries)
{
    return inquiries->due_us;
}

void inquiries_check(struct inquiries *inquiries)
{
    if (!inquiries->due_us || g_get_monotonic_time() < inquiries->due_us)
        return;
    /* Its end is heard through the pipe. */
    inquiries->due_us = 0;
    kill(-inquiries->child, SIGKILL);
}

void inquiries_drop(struct inquiries *inquiries)
{
    if (inquiries->fd >= 0) {
        kill(-inquiries->child, SIGKILL);
        end_child(inquiries);
    }
    g_array_set_size(inquiries->waiting, 0);
}

void inquiries_free(struct inquiries *inquiries)
{
    if (!inquiries)
        return;
    inquiries_drop(inquiries);
    g_array_unref(inquiries->waiting);
    g_free(inquiries);
}
