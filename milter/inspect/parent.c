#include "milter/inspect/parent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milter/inspect/packet.h"
#include "milter/inspect/reader.h"
#include "milter/inspect/sandbox.h"
#include "milter/inspect/worker.h"

/* A worker that lived so long did not die of how it starts. */
#define YOUNG_US (200 * 1000)
#define BACK_OFF_LEAST_US (10 * 1000)
#define BACK_OFF_MOST_US (1000 * 1000)

struct slot {
    pid_t pid; /* 0: empty */
    guint64 worker;
    gint64 started_us;
};

struct parent {
    int control_fd, signal_fd;
    sigset_t old_mask;
    const struct inspect_limits *limits;
    struct sandbox sandbox;
    struct slot *slots;
    guint count;
    guint64 last_worker;
    gboolean is_draining;
    gint64 back_off_us, start_again_us; /* 0: at once */
};

static int tell(const struct parent *parent, enum control_kind kind, guint64 worker, int fd)
{
    struct control control = {PACKET_MAGIC, kind, worker};
    const struct packet packet = {&control, sizeof control, NULL, 0, fd};

    return packet_send(parent->control_fd, &packet, MSG_DONTWAIT);
}

/* The child's side of fork. */
static G_GNUC_NORETURN void become_worker(const struct parent *parent, int fd)
{
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &parent->old_mask, NULL);
    worker_run(fd, &parent->sandbox, parent->limits);
}

/* FALSE if it has to be tried again later. */
static gboolean start_worker(struct parent *parent, struct slot *slot)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return FALSE;
    slot->pid = fork();
    if (slot->pid == 0)
        become_worker(parent, ends[1]);
    close(ends[1]);
    if (slot->pid < 0) {
        slot->pid = 0;
        close(ends[0]);
        return FALSE;
    }
    slot->worker = ++parent->last_worker;
    slot->started_us = g_get_monotonic_time();
    /* If the daemon cannot take it now, the worker ends with its socket, and another one is tried later. */
    tell(parent, CONTROL_WORKER, slot->worker, ends[0]);
    close(ends[0]);
    return TRUE;
}

static void back_off(struct parent *parent)
{
    parent->back_off_us = CLAMP(parent->back_off_us * 2, BACK_OFF_LEAST_US, BACK_OFF_MOST_US);
    parent->start_again_us = g_get_monotonic_time() + parent->back_off_us;
}

static void fill_slots(struct parent *parent)
{
    if (parent->start_again_us > g_get_monotonic_time())
        return;
    parent->start_again_us = 0;
    for (guint i = 0; i < parent->count; i++) {
        if (parent->slots[i].pid == 0 && !start_worker(parent, &parent->slots[i])) {
            back_off(parent);
            return;
        }
    }
}

static void bury(struct parent *parent, struct slot *slot)
{
    gboolean is_young = g_get_monotonic_time() - slot->started_us < YOUNG_US;

    tell(parent, CONTROL_GONE, slot->worker, -1);
    slot->pid = 0;
    if (is_young)
        back_off(parent);
    else
        parent->back_off_us = parent->start_again_us = 0;
}

static void bury_all(struct parent *parent)
{
    struct signalfd_siginfo ignored;
    pid_t pid;

    while (read(parent->signal_fd, &ignored, sizeof ignored) > 0)
        ;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (guint i = 0; i < parent->count; i++) {
            if (parent->slots[i].pid == pid)
                bury(parent, &parent->slots[i]);
        }
    }
}

/* Reads what the daemon says; FALSE when it is gone, or wants no more of us. */
static gboolean obey(struct parent *parent)
{
    struct control control;
    struct packet_room room = {&control, sizeof control, NULL, 0, -1};
    gssize got = packet_receive(parent->control_fd, &room, MSG_DONTWAIT);

    if (room.passed >= 0)
        close(room.passed);
    if (got < 0)
        return errno == EAGAIN || errno == ECONNRESET; /* it left something unread: its last word comes next */
    if (got != sizeof control || control.magic != PACKET_MAGIC)
        return FALSE;
    parent->is_draining = control.kind == CONTROL_DRAIN;
    if (parent->is_draining)
        return FALSE;
    for (guint i = 0; i < parent->count && control.kind == CONTROL_KILL; i++) {
        if (parent->slots[i].pid != 0 && parent->slots[i].worker == control.worker)
            kill(parent->slots[i].pid, SIGKILL);
    }
    return TRUE;
}

static void serve(struct parent *parent)
{
    struct pollfd polled[2] = {{parent->control_fd, POLLIN, 0}, {parent->signal_fd, POLLIN, 0}};

    do {
        fill_slots(parent);
        gint64 wait_us = parent->start_again_us > 0 ? parent->start_again_us - g_get_monotonic_time() : -1;
        int timeout_ms = parent->start_again_us > 0 ? (int)(MAX(wait_us, 0) / 1000 + 1) : -1;
        if (poll(polled, G_N_ELEMENTS(polled), timeout_ms) <= 0)
            polled[0].revents = polled[1].revents = 0;
        if (polled[1].revents != 0)
            bury_all(parent);
    } while (polled[0].revents == 0 || obey(parent));
}

static gboolean has_workers(const struct parent *parent)
{
    guint i = 0;

    while (i < parent->count && parent->slots[i].pid == 0)
        i++;
    return i < parent->count;
}

/* A worker without a message ends when the daemon closes its socket, one with a message behind its answer. */
static void drain(struct parent *parent)
{
    gint64 until_us = g_get_monotonic_time() + parent->limits->time_ms * 1000;
    struct pollfd polled = {parent->signal_fd, POLLIN, 0};

    while (has_workers(parent) && g_get_monotonic_time() < until_us) {
        poll(&polled, 1, (int)MAX((until_us - g_get_monotonic_time()) / 1000, 0) + 1);
        bury_all(parent);
    }
}

static void end_workers(struct parent *parent)
{
    for (guint i = 0; i < parent->count; i++) {
        if (parent->slots[i].pid != 0)
            kill(parent->slots[i].pid, SIGKILL);
    }
    for (guint i = 0; i < parent->count; i++) {
        if (parent->slots[i].pid != 0)
            waitpid(parent->slots[i].pid, NULL, 0);
    }
}

/* Signals: those of a terminal are the supervisor's business; TERM ends the process, and the workers die with
 * their parent. */
static gboolean take_signals(struct parent *parent)
{
    sigset_t mask;

    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&parent->old_mask);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    if (sigprocmask(SIG_SETMASK, &mask, NULL) != 0)
        return FALSE;
    parent->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    return parent->signal_fd >= 0;
}

int parent_run(int control_fd, const struct inspect_limits *limits, const char *user)
{
    struct parent parent = {.control_fd = control_fd, .limits = limits, .count = MAX(limits->helpers, 1)};

    worker_sandbox(limits, &parent.sandbox);
    if (geteuid() == 0 && !sandbox_find_user(user, &parent.sandbox)) {
        fprintf(stderr, "miji-inspect: there is no user %s for the workers\n", user);
        return 2;
    }
    if (!inspect_prepare()) {
        fputs("miji-inspect: this system cannot convert GB18030 and Big5\n", stderr);
        return 2;
    }
    if (!take_signals(&parent)) {
        perror("miji-inspect: signals");
        return 2;
    }
    sandbox_leave_network();
    parent.slots = g_new0(struct slot, parent.count);
    serve(&parent);
    if (parent.is_draining)
        drain(&parent);
    end_workers(&parent);
    g_free(parent.slots);
    close(parent.signal_fd);
    return 0;
}
