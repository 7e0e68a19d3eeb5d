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

#include "milter/conf/clock.h"
#include "milter/conf/key_file.h"
#include "milter/conf/log.h"
#include "milter/daemon/callbacks.h"
#include "milter/daemon/channel.h"
#include "milter/daemon/control.h"
#include "milter/daemon/question.h"
#include "milter/daemon/reload.h"
#include "milter/daemon/role_relay.h"
#include "milter/daemon/socket.h"

#define DEFAULT_USER "miji"
#define STORE_CLOSE_MS 5000

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

/* The sockets that are ours alone; libmilter's is opened by callbacks_open. -1: no such role. */
struct sockets {
    int control, local, release;
};

static gboolean open_one(const struct listener *listener, uid_t owner, int *fd, GError **error)
{
    *fd = -1;
    if (!listener)
        return TRUE;
    socket_make_folder(listener->address, owner);
    struct socket_making before = socket_making_begin(listener);
    *fd = socket_listen(listener->address, error);
    socket_making_end(before);
    return *fd >= 0 && socket_grant(listener, owner, error);
}

static gboolean open_sockets(const struct conf *conf, uid_t owner, struct sockets *sockets, GError **error)
{
    return open_one(listener_of(conf, ROLE_LOCAL), owner, &sockets->local, error) &&
           open_one(listener_of(conf, ROLE_RELEASE), owner, &sockets->release, error) &&
           open_one(&conf->control, owner, &sockets->control, error);
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

/* ---- the store, and who works with it */

/* Without a key nothing can be kept that needs contents: the configuration has no queue and no archive then.
 */
static gboolean read_key(const struct conf *conf, guint8 key[STORE_KEY_BYTES], const guint8 **found,
                         GError **error)
{
    *found = NULL;
    if (!conf->key_file)
        return TRUE;
    *found = key;
    return key_file_read(conf->key_file, key, error);
}

static struct store *open_store(const struct conf *conf, GError **error)
{
    guint8 key[STORE_KEY_BYTES];
    const guint8 *found;
    g_autofree char *said = NULL;
    struct store *store =
        read_key(conf, key, &found, error) ? store_open(conf->state_directory, found, &said, error) : NULL;
    explicit_bzero(key, sizeof key);
    g_auto(GStrv) lines = g_strsplit(said ? said : "", "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line)
            log_line(LOG_LEVEL_WARNING, "store: %s", *line);
    if (!store)
        g_prefix_error(error, "store: ");
    return store;
}

/* Mail in a queue that the configuration no longer has can be found and decided by officers only: not silent.
 */
static void warn_of_queue(struct store *store, const struct snapshot *snapshot)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *queue = reload_queue_missing(store, snapshot, &error);
    if (error)
        log_line(LOG_LEVEL_ERROR, "store: %s", error->message);
    if (queue)
        log_line(LOG_LEVEL_ERROR,
                 "the queue \"%s\" holds mail, but the configuration does not know it: put it back, or its "
                 "reviewers cannot decide",
                 queue);
}

static struct snapshot *host_snapshot(gpointer host)
{
    return service_snapshot(host);
}

static enum postfix_answer host_ask_postfix(gpointer host, const char *queue_id)
{
    struct service *service = host;
    return questions_ask(service->questions, queue_id);
}

static gboolean start_review(struct service *service, struct store *store, GError **error)
{
    struct review_host host = {.store = store,
                               .inspector = service->inspector,
                               .snapshot = host_snapshot,
                               .ask_postfix = host_ask_postfix,
                               .host = service};
    struct review *review = review_start(&host, error);
    g_atomic_pointer_set(&service->review, review);
    return review != NULL;
}

/* ---- serving */

static gboolean start_relay(struct service *service, const struct conf *conf, const struct sockets *sockets,
                            struct role_relay **relay, GError **error)
{
    struct role_socket relayed[2];
    guint count = 0;
    const struct listener *target = listener_of(conf, ROLE_SMTP);
    if (sockets->local >= 0)
        relayed[count++] = (struct role_socket){
            .listen_fd = sockets->local, .name = "local", .word = service->role_words[ROLE_LOCAL]};
    if (sockets->release >= 0)
        relayed[count++] = (struct role_socket){
            .listen_fd = sockets->release, .name = "release", .word = service->role_words[ROLE_RELEASE]};
    *relay = count ? role_relay_start(relayed, count, target->address, error) : NULL;
    return count == 0 || *relay;
}

/* What runs beside libmilter. */
struct running {
    struct control *control;
    struct role_relay *relay;
};

/* The control thread comes before the review, which may want to ask Postfix at once. */
static gboolean start(struct service *service, const struct sockets *sockets, int channel,
                      struct running *running, GError **error)
{
    g_autoptr(snapshot) snapshot = service_snapshot(service);
    const struct conf *conf = snapshot->conf;
    struct store *store = open_store(conf, error);
    if (!store)
        return FALSE;
    service_open_store(service, store);
    warn_of_queue(store, snapshot);
    service->questions = questions_new(channel);
    const struct control_ends ends = {
        .listen_fd = sockets->control, .channel = channel, .questions = service->questions};
    running->control = control_start(service, &ends, conf->path, error);
    return running->control && start_relay(service, conf, sockets, &running->relay, error) &&
           start_review(service, store, error);
}

/* After libmilter: the relays, then the store, when nobody is left who uses it. What was promised is durable
 * in any case. */
static void stop(struct service *service, const struct running *running)
{
    gboolean quiet = control_join(running->control);
    role_relay_stop(running->relay);
    if (!quiet || !service_close_store(service, STORE_CLOSE_MS))
        log_line(LOG_LEVEL_WARNING, "the store is left open: somebody still uses it");
    log_line(LOG_LEVEL_INFO, "stopped");
}

static void say_serving(struct service *service)
{
    g_autoptr(snapshot) snapshot = service_snapshot(service);
    log_line(LOG_LEVEL_INFO, "serving: generation=%u hash=%.12s sessions=%d messages=%d",
             snapshot->generation, snapshot->hash, service->most_sessions, service->most_messages);
}

static int run(struct service *service, const struct sockets *sockets, int channel)
{
    g_autoptr(GError) error = NULL;
    struct running running = {0};
    if (!start(service, sockets, channel, &running, &error)) {
        log_line(LOG_LEVEL_ERROR, "%s", error->message);
        return SERVE_EXIT_CONFIGURATION;
    }
    say_serving(service);
    log_also_to(-1);
    channel_send(channel, &(struct channel_message){.word = CHANNEL_UP, .fd = -1});
    control_set_serving(running.control);
    gboolean good = callbacks_run();
    gboolean wanted = g_atomic_int_get(&service->draining) == 3;
    if (!wanted) {
        log_line(LOG_LEVEL_ERROR, "libmilter ended by itself");
        _exit(1); /* the supervisor starts us again; the other threads still run */
    }
    stop(service, &running);
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
    clock_follow(g_getenv("MIJI_CLOCK"));
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
