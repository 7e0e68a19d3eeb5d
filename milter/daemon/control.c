#include "milter/daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "milter/conf/log.h"
#include "milter/daemon/callbacks.h"
#include "milter/daemon/channel.h"
#include "milter/daemon/clients.h"
#include "milter/daemon/limits.h"
#include "milter/daemon/question.h"

#define COMMANDS_END_MS ((LIMIT_DRAIN_SECONDS - 30) * 1000)
#define CLIENTS_END_MS 5000

enum review_end { REVIEW_RUNS, REVIEW_ENDED, REVIEW_LEFT /* a command still uses it */ };

struct control {
    struct service *service;
    int listen_fd;
    int channel;        /* stays open when the supervisor is gone: other threads may be about to send */
    gboolean is_orphan; /* it is gone */
    struct questions *questions;
    struct reloader *reloader;
    struct clients *clients;
    pthread_t thread, ender;
    gint serving;          /* atomic: the start is over */
    gint review_end;       /* atomic: enum review_end */
    gboolean is_ending;    /* there is an ender */
    gint64 drain_began_us; /* 0: not draining */
    gint64 look_us;        /* when to look again whether there are descriptors */
    gint64 woken_us;
};

/* In a thread of its own, because what is being released is finished first: the release socket must be served
 * until then. */
static void *end_review(void *data)
{
    struct control *control = data;
    gboolean quiet = clients_end_commands(control->clients, COMMANDS_END_MS);
    struct review *review = g_atomic_pointer_get(&control->service->review);
    if (quiet) {
        g_atomic_pointer_set(&control->service->review, NULL);
        review_stop(review);
    }
    g_atomic_int_set(&control->review_end, quiet ? REVIEW_ENDED : REVIEW_LEFT);
    return NULL;
}

static gboolean review_has_ended(struct control *control)
{
    if (!control->is_ending) {
        control->is_ending = pthread_create(&control->ender, NULL, end_review, control) == 0;
        if (!control->is_ending) /* then its threads end with the process */
            g_atomic_int_set(&control->review_end, REVIEW_LEFT);
    }
    return g_atomic_int_get(&control->review_end) != REVIEW_RUNS;
}

/* Nothing new is begun, what is under way gets its answer, then libmilter is stopped: it cuts connections
 * within five seconds. */
static void drain(struct control *control)
{
    if (!control->drain_began_us || !g_atomic_int_get(&control->serving))
        return;
    gint64 seconds = (g_get_monotonic_time() - control->drain_began_us) / G_USEC_PER_SEC;
    gint under_way = g_atomic_int_get(&control->service->messages);
    if (seconds >= LIMIT_DRAIN_GRACE_SECONDS)
        g_atomic_int_set(&control->service->draining, 2);
    gboolean quiet = review_has_ended(control) && under_way == 0;
    if (!quiet && seconds < LIMIT_DRAIN_SECONDS)
        return;
    if (under_way > 0)
        log_line(LOG_LEVEL_WARNING, "stopping with %d messages under way; their clients will try again",
                 under_way);
    if (g_atomic_int_compare_and_exchange(&control->service->draining, 1, 3) ||
        g_atomic_int_compare_and_exchange(&control->service->draining, 2, 3))
        callbacks_stop();
}

static void wake_libmilter(struct control *control)
{
    gint64 now = g_get_monotonic_time();
    if (now - control->woken_us < G_USEC_PER_SEC || g_atomic_int_get(&control->service->sessions) == 0)
        return;
    control->woken_us = now;
    callbacks_wake();
}

static void begin_drain(struct control *control, const char *why)
{
    if (control->drain_began_us)
        return;
    log_line(LOG_LEVEL_INFO, "stopping: %s, %d messages under way", why,
             g_atomic_int_get(&control->service->messages));
    control->drain_began_us = g_get_monotonic_time();
    g_atomic_int_set(&control->service->draining, 1);
}

static void hear_supervisor(struct control *control)
{
    struct channel_message message = channel_receive(control->channel);
    switch (message.word) {
    case CHANNEL_RELOAD:
        clients_reload(control->clients);
        break;
    case CHANNEL_DRAIN:
        begin_drain(control, "told to");
        break;
    case CHANNEL_INSPECTOR:
        if (message.fd >= 0) {
            inspector_replace_parent(control->service->inspector, message.fd, &message.limits);
            log_line(LOG_LEVEL_INFO, "a new inspector serves");
        }
        break;
    case CHANNEL_CLOSED:
        /* Without the supervisor nobody would restart what dies: stop, so that whoever runs us starts us
         * whole. */
        begin_drain(control, "the supervisor is gone");
        control->is_orphan = TRUE;
        questions_end(control->questions);
        break;
    case CHANNEL_TOLD:
        questions_told(control->questions, message.number, message.answer);
        break;
    case CHANNEL_ASK:
    case CHANNEL_UP:
    case CHANNEL_NOTHING:
        break;
    }
}

/* libmilter does not say that it cannot accept (facts 3.3): somebody has to, before an administrator looks
 * for what eats the processor. */
static void watch_descriptors(struct control *control)
{
    gint64 now = g_get_monotonic_time();
    if (now < control->look_us)
        return;
    int fd = fcntl(control->listen_fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    else
        log_line(LOG_LEVEL_ERROR, "no descriptor is free, no new connection is served: %d sessions, %s",
                 g_atomic_int_get(&control->service->sessions), g_strerror(errno));
    control->look_us = now + (fd >= 0 ? 1 : 60) * G_USEC_PER_SEC;
}

static void *run(void *data)
{
    struct control *control = data;
    while (g_atomic_int_get(&control->service->draining) < 3) {
        gboolean full = !clients_may_come(control->clients);
        struct pollfd ready[2] = {{.fd = full ? -1 : control->listen_fd, .events = POLLIN},
                                  {.fd = control->is_orphan ? -1 : control->channel, .events = POLLIN}};
        int n = poll(ready, 2, full || control->drain_began_us ? 100 : 1000);
        if (n > 0 && ready[0].revents)
            clients_accept(control->clients, control->listen_fd);
        if (n > 0 && ready[1].revents)
            hear_supervisor(control);
        wake_libmilter(control);
        drain(control);
        watch_descriptors(control);
    }
    return NULL;
}

static void control_free(struct control *control)
{
    close(control->listen_fd);
    clients_free(control->clients);
    reloader_free(control->reloader);
    g_free(control);
}

struct control *control_start(struct service *service, const struct control_ends *ends, const char *config,
                              GError **error)
{
    struct control *control = g_new0(struct control, 1);
    control->service = service;
    control->listen_fd = ends->listen_fd;
    control->channel = ends->channel;
    control->questions = ends->questions;
    control->reloader = reloader_new(service, ends->channel, config);
    control->clients = clients_new(service, control->reloader);
    if (pthread_create(&control->thread, NULL, run, control) == 0)
        return control;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot start the control thread: %s",
                g_strerror(errno));
    control_free(control);
    return NULL;
}

void control_set_serving(struct control *control)
{
    g_atomic_int_set(&control->serving, 1);
}

gboolean control_join(struct control *control)
{
    pthread_join(control->thread, NULL);
    questions_end(control->questions);
    if (g_atomic_int_get(&control->review_end) != REVIEW_ENDED ||
        !clients_are_gone(control->clients, CLIENTS_END_MS))
        return FALSE;
    pthread_join(control->ender, NULL);
    control_free(control);
    return TRUE;
}
