#include "milter/daemon/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "milter/daemon/channel.h"
#include "milter/daemon/inquiry.h"
#include "milter/daemon/limits.h"
#include "milter/conf/log.h"
#include "milter/daemon/serve.h"

#ifdef MIJI_FAULTS
#define PAUSE_FIRST_MS 20 /* tests kill it by the hundred */
#else
#define PAUSE_FIRST_MS 250
#endif
#define PAUSE_MOST_MS 15000
#define INSPECTOR_LIVED_US G_USEC_PER_SEC /* one that lived so long did not die of how it starts */
#define KILL_AFTER_MS ((LIMIT_DRAIN_SECONDS + 15) * 1000)

/* When something that ended is started again: soon, and later each time that it did not live. */
struct revival {
    gint64 pause_ms; /* before the next start */
    gint64 due_us;   /* 0 none */
};

struct supervisor {
    const struct supervisor_options *options;
    /* without a directory; of the start: what a restart of the daemon begins with */
    struct snapshot *snapshot;
    struct identity identity;
    struct inspect_limits limits;
    int signals;            /* signalfd */
    int channel;            /* to the daemon; -1 none */
    int ready_pipe;         /* the process that waits for us to be up; -1 none */
    GPid daemon, inspector; /* 0 none */
    gboolean up, ever_up, stopping;
    gint64 inspector_since_us;
    struct revival daemon_again, inspector_again;
    struct inquiries *inquiries;
    gint64 kill_at_us; /* 0 none due */
    int status;
};

static void revive_later(struct revival *revival, gboolean lived)
{
    if (lived || !revival->pause_ms)
        revival->pause_ms = PAUSE_FIRST_MS;
    revival->due_us = g_get_monotonic_time() + revival->pause_ms * 1000;
    revival->pause_ms = MIN(revival->pause_ms * 2, PAUSE_MOST_MS);
}

static gboolean is_due(struct revival *revival)
{
    if (!revival->due_us || g_get_monotonic_time() < revival->due_us)
        return FALSE;
    revival->due_us = 0;
    return TRUE;
}

static gboolean start_inspector(struct supervisor *supervisor, int *fd)
{
    g_autoptr(GError) error = NULL;
    *fd = inspector_start_parent(supervisor->options->inspector, &supervisor->limits, &supervisor->inspector,
                                 &error);
    if (*fd < 0)
        log_line(LOG_LEVEL_ERROR, "the inspector does not start: %s", error->message);
    supervisor->inspector_since_us = g_get_monotonic_time();
    supervisor->inspector_again.due_us = 0;
    return *fd >= 0;
}

/* In the child: nothing of the supervisor's but what is handed over. */
static G_GNUC_NORETURN void be_daemon(struct supervisor *supervisor, int channel, int inspector_fd)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    close(supervisor->signals); /* ready_pipe stays: what goes wrong is said there, see log_also_to */
    _exit(serve(supervisor->snapshot, &supervisor->identity, channel, inspector_fd));
}

static gboolean start_daemon(struct supervisor *supervisor)
{
    int ends[2], inspector_fd;
    if (!start_inspector(supervisor, &inspector_fd))
        return FALSE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        log_line(LOG_LEVEL_ERROR, "cannot make a socket pair: %s", g_strerror(errno));
        close(inspector_fd);
        return FALSE;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_daemon(supervisor, ends[1], inspector_fd);
    }
    close(ends[1]);
    close(inspector_fd);
    if (pid < 0) {
        log_line(LOG_LEVEL_ERROR, "cannot fork: %s", g_strerror(errno));
        close(ends[0]);
        return FALSE;
    }
    supervisor->daemon = pid;
    supervisor->channel = ends[0];
    supervisor->up = FALSE;
    return TRUE;
}

/* Tells whoever waits for the start how it went: systemd, and the process that was called without -f. */
static void tell_ready(struct supervisor *supervisor)
{
    sd_notify(0, "READY=1");
    log_also_to(-1);
    if (supervisor->ready_pipe >= 0) {
        if (write(supervisor->ready_pipe, "+", 1) < 0)
            log_line(LOG_LEVEL_WARNING, "nobody waits for the start any more");
        close(supervisor->ready_pipe);
        supervisor->ready_pipe = -1;
    }
}

static void renew_inspector(struct supervisor *supervisor)
{
    struct channel_message message = {.word = CHANNEL_INSPECTOR, .limits = supervisor->limits};
    if (supervisor->channel < 0)
        return;
    if (!start_inspector(supervisor, &message.fd)) {
        revive_later(&supervisor->inspector_again, FALSE);
        return;
    }
    /* If the daemon cannot take it now, it ends with its channel, and another one is due. */
    channel_send(supervisor->channel, &message);
    close(message.fd);
}

static void tell_answer(gpointer data, guint32 number, enum postfix_answer answer)
{
    struct supervisor *supervisor = data;
    if (supervisor->channel >= 0)
        channel_send(
            supervisor->channel,
            &(struct channel_message){.word = CHANNEL_TOLD, .number = number, .answer = answer, .fd = -1});
}

static void hear_daemon(struct supervisor *supervisor)
{
    struct channel_message message = channel_receive(supervisor->channel);
    switch (message.word) {
    case CHANNEL_UP:
        supervisor->up = supervisor->ever_up = TRUE;
        tell_ready(supervisor);
        break;
    case CHANNEL_INSPECTOR:
        supervisor->limits = message.limits;
        renew_inspector(supervisor);
        break;
    case CHANNEL_ASK:
        inquiries_ask(supervisor->inquiries, message.number, message.queue_id);
        break;
    case CHANNEL_CLOSED:
        close(supervisor->channel);
        supervisor->channel = -1; /* SIGCHLD tells the rest */
        inquiries_drop(supervisor->inquiries);
        break;
    case CHANNEL_RELOAD:
    case CHANNEL_DRAIN:
    case CHANNEL_TOLD:
    case CHANNEL_NOTHING:
        break;
    }
    if (message.fd >= 0)
        close(message.fd);
}

static void daemon_ended(struct supervisor *supervisor, int status)
{
    supervisor->daemon = 0;
    supervisor->inspector_again.due_us = 0; /* it comes with the next daemon */
    gboolean configuration = WIFEXITED(status) && WEXITSTATUS(status) == SERVE_EXIT_CONFIGURATION;
    if (supervisor->stopping) {
        supervisor->status = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 2;
        return;
    }
    if (configuration && !supervisor->ever_up) {
        log_line(LOG_LEVEL_ERROR, "not started: see the line before");
        supervisor->stopping = TRUE;
        supervisor->status = 2;
        return;
    }
    if (WIFSIGNALED(status))
        log_line(LOG_LEVEL_ERROR, "the daemon died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (configuration)
        log_line(LOG_LEVEL_ERROR, "the daemon cannot start again (see the line before); tried again soon");
    else
        log_line(LOG_LEVEL_ERROR, "the daemon ended with status %d", WEXITSTATUS(status));
    revive_later(&supervisor->daemon_again, supervisor->up);
}

static void inspector_ended(struct supervisor *supervisor)
{
    supervisor->inspector = 0;
    if (supervisor->daemon && !supervisor->stopping)
        revive_later(&supervisor->inspector_again,
                     g_get_monotonic_time() - supervisor->inspector_since_us >= INSPECTOR_LIVED_US);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == supervisor->daemon)
            daemon_ended(supervisor, status);
        else if (pid == supervisor->inspector)
            inspector_ended(supervisor);
    }
}

static void stop(struct supervisor *supervisor)
{
    if (supervisor->stopping)
        return;
    supervisor->stopping = TRUE;
    supervisor->kill_at_us = g_get_monotonic_time() + (gint64)KILL_AFTER_MS * 1000;
    sd_notify(0, "STOPPING=1");
    if (supervisor->channel >= 0)
        channel_send(supervisor->channel, &(struct channel_message){.word = CHANNEL_DRAIN, .fd = -1});
}

static void hear_signal(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    if (read(supervisor->signals, &info, sizeof info) != sizeof info)
        return;
    switch (info.ssi_signo) {
    case SIGCHLD:
        reap(supervisor);
        break;
    case SIGHUP:
        if (supervisor->channel >= 0)
            channel_send(supervisor->channel, &(struct channel_message){.word = CHANNEL_RELOAD, .fd = -1});
        break;
    case SIGTERM:
    case SIGINT:
        stop(supervisor);
        break;
    }
}

static int wait_ms(const struct supervisor *supervisor)
{
    const gint64 due[] = {supervisor->daemon_again.due_us, supervisor->inspector_again.due_us,
                          supervisor->kill_at_us, inquiries_due_us(supervisor->inquiries)};
    gint64 next = G_MAXINT64;
    for (gsize i = 0; i < G_N_ELEMENTS(due); i++)
        if (due[i])
            next = MIN(next, due[i]);
    return next == G_MAXINT64 ? -1 : (int)CLAMP((next - g_get_monotonic_time()) / 1000 + 1, 0, 60000);
}

/* What is due by the clock. */
static void do_due(struct supervisor *supervisor)
{
    inquiries_check(supervisor->inquiries);
    if (supervisor->kill_at_us && g_get_monotonic_time() >= supervisor->kill_at_us) {
        supervisor->kill_at_us = 0;
        if (supervisor->daemon)
            kill(supervisor->daemon, SIGKILL);
    }
    if (!supervisor->stopping && is_due(&supervisor->daemon_again) && !start_daemon(supervisor))
        revive_later(&supervisor->daemon_again, FALSE);
    if (supervisor->daemon && is_due(&supervisor->inspector_again)) {
        log_line(LOG_LEVEL_ERROR, "the inspector's parent ended, starting another");
        renew_inspector(supervisor);
    }
}

static void loop(struct supervisor *supervisor)
{
    while (supervisor->daemon || !supervisor->stopping) {
        struct pollfd ready[3] = {{.fd = supervisor->signals, .events = POLLIN},
                                  {.fd = supervisor->channel, .events = POLLIN},
                                  {.fd = inquiries_fd(supervisor->inquiries), .events = POLLIN}};
        int n = poll(ready, 3, wait_ms(supervisor));
        if (n > 0 && ready[2].revents)
            inquiries_hear(supervisor->inquiries);
        if (n > 0 && ready[1].revents)
            hear_daemon(supervisor);
        if (n > 0 && ready[0].revents)
            hear_signal(supervisor);
        do_due(supervisor);
    }
}

/* Diagnostics go to the terminal as people read them; NULL when nothing can start. */
static struct snapshot *read_configuration(const struct supervisor_options *options)
{
    enum language language;
    language_choose(NULL, &language);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *snapshot = snapshot_load(options->config, SNAPSHOT_NO_DIRECTORY, NULL, diagnostics);
    g_autofree char *text = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, language);
    if (*text)
        fprintf(stderr, "%s", text);
    if (!snapshot)
        fprintf(stderr, "miji-milter: %s\n", message_text(MSG_NOT_STARTED, language));
    return snapshot;
}

static int catch_signals(void)
{
    sigset_t caught;
    sigemptyset(&caught);
    sigaddset(&caught, SIGHUP);
    sigaddset(&caught, SIGTERM);
    sigaddset(&caught, SIGINT);
    sigaddset(&caught, SIGCHLD);
    sigprocmask(SIG_BLOCK, &caught, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Nothing of the caller's is kept: neither its terminal or pipe, which would wait for us to end, nor its
 * folder. */
static gboolean let_go(gboolean logs_to_stderr)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    gboolean done = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
                    (logs_to_stderr || dup2(null, STDERR_FILENO) >= 0) && chdir("/") == 0;
    if (null >= 0)
        close(null);
    return done;
}

/* The start as it is heard: errors, as they are shown, then "+" when the daemon serves. */
static gboolean hear_start(int fd)
{
    char text[4096];
    gboolean up = FALSE;
    while (!up) {
        ssize_t n = read(fd, text, sizeof text);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        up = text[n - 1] == '+';
        fwrite(text, 1, (gsize)n - (gsize)up, stderr);
    }
    return up;
}

/* Detaches: the caller's process waits until the daemon serves and ends with what came of it. */
static int detach(gboolean logs_to_stderr)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid > 0) {
        close(ends[1]);
        _exit(hear_start(ends[0]) ? 0 : 2);
    }
    close(ends[0]);
    setsid();
    return let_go(logs_to_stderr) ? ends[1] : -1;
}

/* With its configuration read: the exit status. */
static int supervise(struct supervisor *supervisor)
{
    const struct conf *conf = supervisor->snapshot->conf;
    g_autoptr(GError) error = NULL;
    if (!identity_find(conf, &supervisor->identity, &error)) {
        fprintf(stderr, "miji-milter: %s\n", error->message);
        return 2;
    }
    supervisor->limits = conf->inspect;
    if (!supervisor->options->foreground &&
        (supervisor->ready_pipe = detach(conf->log == LOG_TO_STDERR)) < 0) {
        fprintf(stderr, "miji-milter: cannot detach: %s\n", g_strerror(errno));
        return 2;
    }
    log_open("miji-milter", conf->log, conf->log_facility);
    if (conf->log != LOG_TO_STDERR)
        log_also_to(supervisor->options->foreground ? STDERR_FILENO : supervisor->ready_pipe);
    supervisor->signals = catch_signals();
    supervisor->inquiries = inquiries_new(tell_answer, supervisor);
    if (supervisor->signals < 0 || !start_daemon(supervisor))
        return 2;
    loop(supervisor);
    return supervisor->status;
}

int supervisor_run(const struct supervisor_options *options)
{
    struct supervisor supervisor = {.options = options, .channel = -1, .ready_pipe = -1};
    /* What our caller left open is none of ours. */
    syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
    supervisor.snapshot = read_configuration(options);
    if (!supervisor.snapshot)
        return 1;
    int status = supervise(&supervisor);
    inquiries_free(supervisor.inquiries);
    g_free(supervisor.identity.name);
    snapshot_unref(supervisor.snapshot);
    return status;
}
