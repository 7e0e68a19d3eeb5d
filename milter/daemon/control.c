#include "milter/daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/conf/control.h"
#include "milter/daemon/callbacks.h"
#include "milter/daemon/channel.h"
#include "milter/daemon/limits.h"
#include "milter/conf/log.h"
#include "milter/daemon/socket.h"

struct control {
    struct service *service;
    int listen_fd, channel;
    char *config;
    pthread_t thread;
    gint64 drain_began_us; /* 0: not draining */
    gint64 look_us;        /* when to look again whether there are descriptors */
    gint64 woken_us;
};

static gboolean same_limits(const struct inspect_limits *a, const struct inspect_limits *b)
{
    return a->text_size_bytes == b->text_size_bytes && a->unpacked_bytes == b->unpacked_bytes &&
           a->memory_bytes == b->memory_bytes && a->parts == b->parts && a->depth == b->depth &&
           a->helpers == b->helpers && a->time_ms == b->time_ms && a->cpu_ms == b->cpu_ms;
}

/* Builds a new snapshot aside and swaps it in; the old one stays if anything is wrong. The findings as text;
 * new. */
static char *reload(struct control *control, enum language language, gboolean *ok)
{
    gint64 start = g_get_monotonic_time();
    struct snapshot *old = service_snapshot(control->service);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *new = snapshot_load(control->config, 0, old, diagnostics);
    g_autofree char *lines = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    for (char **line = each; *line; line++)
        if (**line)
            log_line(new ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "reload: %s", *line);
    char *text = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, language);
    *ok = new != NULL;
    if (!new) {
        log_line(LOG_LEVEL_ERROR, "reload: nothing was changed, generation %u stays in force",
                 old->generation);
        snapshot_unref(old);
        return text;
    }
    if (!same_limits(&old->conf->inspect, &new->conf->inspect))
        channel_send(
            control->channel,
            &(struct channel_message){.word = CHANNEL_INSPECTOR, .limits = new->conf->inspect, .fd = -1});
    log_line(LOG_LEVEL_INFO, "reload: generation=%u hash=%.12s ms=%" G_GINT64_FORMAT, new->generation,
             new->hash, (g_get_monotonic_time() - start) / 1000);
    service_count(control->service, COUNT_RELOADS);
    service_swap(control->service, new);
    snapshot_unref(old);
    return text;
}

/* Root and the daemon's own user run the daemon; everybody whom the socket's mode lets in may look at its
 * state. */
static gboolean may_reload(int client)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static char *answer(struct control *control, int client, const char *line, gboolean *ok)
{
    g_autoptr(control_request) request = control_request_parse(line);

    *ok = FALSE;
    if (request == NULL)
        return g_strdup(message_text(MSG_CONTROL_UNKNOWN, LANGUAGE_EN));
    if (strcmp(request->word, "status") == 0) {
        *ok = TRUE;
        return service_status(control->service, request->json, request->language);
    }
    if (strcmp(request->word, "reload") == 0) {
        if (may_reload(client))
            return reload(control, request->language, ok);
        return g_strdup(message_text(MSG_CONTROL_NOT_ALLOWED, request->language));
    }
    return g_strdup(message_text(MSG_CONTROL_UNKNOWN, request->language));
}

/* One line within the time that a client has; FALSE if none came. */
static gboolean read_request(int client, char request[LIMIT_CONTROL_REQUEST])
{
    gsize length = 0;
    gint64 deadline = g_get_monotonic_time() + LIMIT_CONTROL_SECONDS * G_USEC_PER_SEC;
    while (length + 1 < LIMIT_CONTROL_REQUEST) {
        gint64 left_ms = (deadline - g_get_monotonic_time()) / 1000;
        struct pollfd waiting = {.fd = client, .events = POLLIN};
        if (left_ms <= 0 || poll(&waiting, 1, (int)left_ms) != 1)
            return FALSE;
        ssize_t n = read(client, request + length, LIMIT_CONTROL_REQUEST - 1 - length);
        if (n <= 0)
            return FALSE;
        length += (gsize)n;
        request[length] = '\0';
        char *end = strchr(request, '\n');
        if (end) {
            *end = '\0';
            return TRUE;
        }
    }
    return FALSE;
}

static void serve_client(struct control *control)
{
    int client = socket_accept(control->listen_fd, 0);
    if (client < 0)
        return;
    struct timeval within = {.tv_sec = LIMIT_CONTROL_SECONDS};
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &within, sizeof within);
    char request[LIMIT_CONTROL_REQUEST];
    gboolean ok = FALSE;
    if (read_request(client, request)) {
        g_autofree char *text = answer(control, client, request, &ok);
        g_autofree char *whole = g_strconcat(ok ? "ok\n" : "failed\n", text, NULL);
        const char *p = whole;
        for (gsize left = strlen(whole); left;) {
            ssize_t n = send(client, p, left, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            p += n;
            left -= (gsize)n;
        }
    }
    close(client);
}

/* Nothing new is begun, what is under way gets its answer, then libmilter is stopped: it cuts connections
 * within five seconds. */
static void drain(struct control *control)
{
    if (!control->drain_began_us)
        return;
    gint64 seconds = (g_get_monotonic_time() - control->drain_began_us) / G_USEC_PER_SEC;
    gint under_way = g_atomic_int_get(&control->service->messages);
    if (seconds >= LIMIT_DRAIN_GRACE_SECONDS)
        g_atomic_int_set(&control->service->draining, 2);
    if (under_way > 0 && seconds < LIMIT_DRAIN_SECONDS)
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
    gboolean ok;
    switch (message.word) {
    case CHANNEL_RELOAD:
        g_free(reload(control, LANGUAGE_EN, &ok));
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
        close(control->channel);
        control->channel = -1;
        break;
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
    int fd = fcntl(control->channel >= 0 ? control->channel : control->listen_fd, F_DUPFD_CLOEXEC, 0);
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
        struct pollfd ready[2] = {{.fd = control->listen_fd, .events = POLLIN},
                                  {.fd = control->channel, .events = POLLIN}};
        int n = poll(ready, 2, control->drain_began_us ? 100 : 1000);
        if (n > 0 && ready[0].revents)
            serve_client(control);
        if (n > 0 && ready[1].revents)
            hear_supervisor(control);
        wake_libmilter(control);
        drain(control);
        watch_descriptors(control);
    }
    return NULL;
}

struct control *control_start(struct service *service, int listen_fd, int channel, const char *config,
                              GError **error)
{
    struct control *control = g_new0(struct control, 1);
    control->service = service;
    control->listen_fd = listen_fd;
    control->channel = channel;
    control->config = g_strdup(config);
    if (pthread_create(&control->thread, NULL, run, control) == 0)
        return control;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot start the control thread: %s",
                g_strerror(errno));
    g_free(control->config);
    g_free(control);
    return NULL;
}

void control_join(struct control *control)
{
    pthread_join(control->thread, NULL);
    close(control->listen_fd);
    g_free(control->config);
    g_free(control);
}
