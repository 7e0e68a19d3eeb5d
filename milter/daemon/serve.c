#include "milter/daemon/serve.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/daemon/callbacks.h"
#include "milter/daemon/channel.h"
#include "milter/daemon/control.h"
#include "milter/conf/log.h"
#include "milter/daemon/role_relay.h"
#include "milter/daemon/socket.h"

#define DEFAULT_USER "miji"

gboolean identity_find(const struct conf *conf, struct identity *identity, GError **error)
{
    *identity = (struct identity){.uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0)
        return TRUE;
    const char *name = conf->run_as ? conf->run_as : DEFAULT_USER;
    const struct passwd *found = getpwnam(name);
    if (!found || found->pw_uid == 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                    found ? "run as: %s is root; the daemon must not be"
                          : "run as: there is no user %s (adduser --system %s)",
                    name, name);
        return FALSE;
    }
    identity->uid = found->pw_uid;
    identity->gid = found->pw_gid;
    identity->name = g_strdup(name);
    return TRUE;
}

/* For good: no root, no core file with somebody's mail, no new privileges. */
static gboolean become(const struct identity *identity, GError **error)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (identity->name && (initgroups(identity->name, identity->gid) != 0 || setgid(identity->gid) != 0 ||
                           setuid(identity->uid) != 0)) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot become user %s: %s",
                    identity->name, g_strerror(errno));
        return FALSE;
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return TRUE;
}

static const struct listener *listener_of(const struct conf *conf, enum socket_role role)
{
    for (guint i = 0; i < conf->listeners->len; i++) {
        const struct listener *listener = g_ptr_array_index(conf->listeners, i);
        if (listener->role == role)
            return listener;
    }
    return NULL;
}

/* The sockets that are ours alone; libmilter's is opened by callbacks_open. */
struct sockets {
    int control, local; /* -1: no local role */
};

static gboolean open_one(const struct listener *listener, uid_t owner, int *fd, GError **error)
{
    socket_make_folder(listener->address, owner);
    struct socket_making before = socket_making_begin(listener);
    *fd = socket_listen(listener->address, error);
    socket_making_end(before);
    return *fd >= 0 && socket_grant(listener, owner, error);
}

static gboolean open_sockets(const struct conf *conf, uid_t owner, struct sockets *sockets, GError **error)
{
    const struct listener *local = listener_of(conf, ROLE_LOCAL);
    sockets->local = -1;
    if (local && !open_one(local, owner, &sockets->local, error))
        return FALSE;
    return open_one(&conf->control, owner, &sockets->control, error);
}

/* Read again as the user that we are now: what cannot be read now could not be reloaded later. What only a
 * restart of the whole changes (sockets, user) stays as the supervisor began with it. */
static struct snapshot *load(const struct snapshot *started_with)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    struct snapshot *snapshot = snapshot_load(started_with->conf->path, 0, started_with, diagnostics);
    g_autofree char *text = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line)
            log_line(snapshot ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s", *line);
    return snapshot;
}

static int run(struct service *service, const struct sockets *sockets, int channel)
{
    const struct conf *conf = service->snapshot->conf;
    g_autoptr(GError) error = NULL;
    struct role_relay *relay = NULL;
    if (sockets->local >= 0)
        relay = role_relay_start(sockets->local, listener_of(conf, ROLE_SMTP)->address, service->role_nonce,
                                 &error);
    struct control *control =
        error ? NULL : control_start(service, sockets->control, channel, conf->path, &error);
    if (!control) {
        log_line(LOG_LEVEL_ERROR, "%s", error->message);
        return SERVE_EXIT_CONFIGURATION;
    }
    log_line(LOG_LEVEL_INFO, "serving: generation=%u hash=%.12s sessions=%d messages=%d",
             service->snapshot->generation, service->snapshot->hash, service->most_sessions,
             service->most_messages);
    channel_send(channel, &(struct channel_message){.word = CHANNEL_UP, .fd = -1});
    gboolean good = callbacks_run();
    gboolean wanted = g_atomic_int_get(&service->draining) == 3;
    if (!wanted) {
        log_line(LOG_LEVEL_ERROR, "libmilter ended by itself");
        _exit(1); /* the supervisor starts us again; the control thread still runs */
    }
    control_join(control);
    role_relay_stop(relay);
    log_line(LOG_LEVEL_INFO, "stopped");
    return good ? 0 : 1;
}

static gboolean open_milter(struct service *service, const struct listener *listener, uid_t owner,
                            GError **error)
{
    socket_make_folder(listener->address, owner);
    struct socket_making before = socket_making_begin(listener);
    gboolean opened = callbacks_open(service, listener->address, error);
    socket_making_end(before);
    return opened && socket_grant(listener, owner, error);
}

int serve(const struct snapshot *snapshot, const struct identity *identity, int channel, int inspector_fd)
{
    const struct conf *conf = snapshot->conf;
    g_autoptr(GError) error = NULL;
    struct sockets sockets;
    /* libmilter owns HUP and ends on it. Under another name `pkill -HUP miji-milter` reaches the supervisor
     * only. */
    prctl(PR_SET_NAME, "miji-daemon", 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    struct inspector *inspector = inspector_new(inspector_fd, &conf->inspect);
    /* Threads of libmilter may still be in a callback when we end: the service lives as long as the process.
     */
    static struct service *service;
    service = service_new(snapshot_ref(snapshot), inspector);
    if (!open_sockets(conf, identity->uid, &sockets, &error) ||
        !open_milter(service, listener_of(conf, ROLE_SMTP), identity->uid, &error) ||
        !become(identity, &error)) {
        log_line(LOG_LEVEL_ERROR, "%s", error->message);
        return SERVE_EXIT_CONFIGURATION;
    }
    struct snapshot *full = load(snapshot);
    if (!full)
        return SERVE_EXIT_CONFIGURATION;
    service_swap(service, full);
    return run(service, &sockets, channel);
}
