#include "milter/daemon/clients.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/conf/control.h"
#include "milter/conf/log.h"
#include "milter/daemon/limits.h"
#include "milter/daemon/socket.h"
#include "milter/review/desk.h"
#include "milter/store/audit.h"

struct clients {
    struct service *service;
    struct reloader *reloader;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t fewer; /* one of the two has sunk */
    guint threads, commands;
    gboolean ending;
};

/* What one thread is given. */
struct client {
    struct clients *clients;
    int fd; /* -1: HUP */
    guint uid;
    gboolean is_command; /* counted as one: its answer may be large, and stays in memory until it is taken */
};

struct clients *clients_new(struct service *service, struct reloader *reloader)
{
    struct clients *clients = g_new0(struct clients, 1);
    pthread_condattr_t monotonic;
    clients->service = service;
    clients->reloader = reloader;
    pthread_mutex_init(&clients->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&clients->fewer, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return clients;
}

void clients_free(struct clients *clients)
{
    if (!clients)
        return;
    pthread_cond_destroy(&clients->fewer);
    pthread_mutex_destroy(&clients->lock);
    g_free(clients);
}

/* Adds to one of the two numbers, unless it has reached its most. */
static gboolean count_in(struct clients *clients, guint *number, guint most)
{
    pthread_mutex_lock(&clients->lock);
    gboolean room = *number < most && !(number == &clients->commands && clients->ending);
    *number += room ? 1 : 0;
    pthread_mutex_unlock(&clients->lock);
    return room;
}

static void count_out(struct clients *clients, guint *number)
{
    pthread_mutex_lock(&clients->lock);
    --*number;
    pthread_cond_broadcast(&clients->fewer);
    pthread_mutex_unlock(&clients->lock);
}

static gboolean await_none(struct clients *clients, const guint *number, gint64 timeout_ms)
{
    struct timespec until;
    int problem = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&clients->lock);
    clients->ending = TRUE;
    while (*number > 0 && problem == 0)
        problem = pthread_cond_timedwait(&clients->fewer, &clients->lock, &until);
    gboolean none = *number == 0;
    pthread_mutex_unlock(&clients->lock);
    return none;
}

gboolean clients_end_commands(struct clients *clients, gint64 timeout_ms)
{
    return await_none(clients, &clients->commands, timeout_ms);
}

gboolean clients_are_gone(struct clients *clients, gint64 timeout_ms)
{
    return await_none(clients, &clients->threads, timeout_ms);
}

gboolean clients_may_come(struct clients *clients)
{
    pthread_mutex_lock(&clients->lock);
    gboolean room = clients->threads < LIMIT_CONTROL_CLIENTS;
    pthread_mutex_unlock(&clients->lock);
    return room;
}

static gboolean is_ending(struct clients *clients)
{
    pthread_mutex_lock(&clients->lock);
    gboolean ending = clients->ending;
    pthread_mutex_unlock(&clients->lock);
    return ending;
}

/* ---- what is asked */

static char *name_of(guint uid)
{
    return uid == 0 ? g_strdup("root") : g_strdup_printf("uid %u", uid);
}

static gboolean say(GString *answer, enum message_id id, enum language language)
{
    g_string_append(answer, message_text(id, language));
    return FALSE;
}

static void audit_refusal(struct clients *clients, guint uid, const char *word)
{
    struct store *store = service_borrow_store(clients->service);
    g_autofree char *who = name_of(uid);
    const struct audit_entry entry = {.event = "turned-away", .who = who, .object = word};
    if (!store)
        return;
    store_audit_later(store, &entry);
    service_return_store(clients->service);
}

/* Root and the daemon's own user run the daemon; everybody whom the socket's mode lets in may look at its
 * state. */
static gboolean answer_reload(const struct client *client, const struct control_request *request,
                              GString *answer)
{
    g_autofree char *who = name_of(client->uid);
    gboolean ok;
    if (client->uid != 0 && client->uid != geteuid()) {
        audit_refusal(client->clients, client->uid, "reload");
        return say(answer, MSG_CONTROL_NOT_ALLOWED, request->language);
    }
    g_autofree char *text = reload(client->clients->reloader, who, request->language, &ok);
    g_string_append(answer, text);
    return ok;
}

static gboolean answer_desk(struct client *client, const struct control_request *request, GString *answer)
{
    struct clients *clients = client->clients;
    struct review *review = g_atomic_pointer_get(&clients->service->review);
    gboolean known = TRUE;
    if (!review)
        return say(answer, MSG_CONTROL_STARTING, request->language);
    client->is_command = count_in(clients, &clients->commands, LIMIT_CONTROL_SERVED);
    if (!client->is_command)
        return say(answer, is_ending(clients) ? MSG_CONTROL_STOPPING : MSG_CONTROL_BUSY, request->language);
    gboolean ok = desk_serve(review, client->uid, request, answer, &known);
    if (known)
        return ok;
    g_string_truncate(answer, 0);
    return say(answer, MSG_CONTROL_UNKNOWN, request->language);
}

static gboolean answer_request(struct client *client, const char *line, GString *answer)
{
    g_autoptr(control_request) request = control_request_parse(line);
    if (!request)
        return say(answer, MSG_CONTROL_UNKNOWN, LANGUAGE_EN);
    gboolean bare = request->values->len == 0 && g_hash_table_size(request->named) == 0;
    if (bare && strcmp(request->word, "status") == 0) {
        g_autofree char *text = service_status(client->clients->service, request->json, request->language);
        g_string_append(answer, text);
        return TRUE;
    }
    if (bare && strcmp(request->word, "reload") == 0)
        return answer_reload(client, request, answer);
    return answer_desk(client, request, answer);
}

/* ---- octets */

static int left_ms(gint64 deadline_us)
{
    return (int)CLAMP((deadline_us - g_get_monotonic_time() + 999) / 1000, 0, 60000);
}

/* One line within the time that a client has; FALSE if none came. */
static gboolean read_request(int fd, char request[CONTROL_REQUEST_MAX])
{
    gsize length = 0;
    gint64 deadline = g_get_monotonic_time() + LIMIT_CONTROL_SECONDS * G_USEC_PER_SEC;
    while (length + 1 < CONTROL_REQUEST_MAX) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (poll(&waiting, 1, left_ms(deadline)) != 1)
            return FALSE;
        ssize_t n = recv(fd, request + length, CONTROL_REQUEST_MAX - 1 - length, MSG_DONTWAIT);
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

/* FALSE: the client does not take it, or is gone. */
static gboolean send_chunk(int fd, const char *octets, gsize length)
{
    gint64 deadline = g_get_monotonic_time() + LIMIT_CONTROL_CHUNK_SECONDS * G_USEC_PER_SEC;
    while (length) {
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        if (poll(&waiting, 1, left_ms(deadline)) != 1)
            return FALSE;
        ssize_t n = send(fd, octets, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return FALSE;
        octets += MAX(n, 0);
        length -= (gsize)MAX(n, 0);
    }
    return TRUE;
}

/* A client that takes nothing for a while is left, at the end of the daemon at once. */
static void send_answer(struct clients *clients, int fd, const GString *answer)
{
    gsize at = 0;
    while (at < answer->len) {
        gsize length = MIN(answer->len - at, LIMIT_CONTROL_CHUNK);
        if ((at > 0 && is_ending(clients)) || !send_chunk(fd, answer->str + at, length))
            return;
        at += length;
    }
}

static void serve_client(struct client *client)
{
    char request[CONTROL_REQUEST_MAX];
    if (client->fd < 0) {
        gboolean ok;
        g_free(reload(client->clients->reloader, "", LANGUAGE_EN, &ok));
        return;
    }
    if (read_request(client->fd, request)) {
        g_autoptr(GString) body = g_string_new(NULL), answer = g_string_new(NULL);
        gboolean ok = answer_request(client, request, body);
        g_string_append_printf(answer, "%s %" G_GSIZE_FORMAT "\n", ok ? "ok" : "failed", body->len);
        send_answer(client->clients, client->fd, answer);
        send_answer(client->clients, client->fd, body);
    }
    close(client->fd);
}

static void *run(void *data)
{
    struct client *client = data;
    struct clients *clients = client->clients;
    serve_client(client);
    if (client->is_command)
        count_out(clients, &clients->commands);
    g_free(client);
    count_out(clients, &clients->threads);
    return NULL;
}

static void start(struct clients *clients, int fd, guint uid)
{
    struct client *client = g_new0(struct client, 1);
    pthread_attr_t detached;
    pthread_t thread;
    *client = (struct client){.clients = clients, .fd = fd, .uid = uid};
    count_in(clients, &clients->threads, G_MAXUINT);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int problem = pthread_create(&thread, &detached, run, client);
    pthread_attr_destroy(&detached);
    if (problem == 0)
        return;
    log_line(LOG_LEVEL_ERROR, "cannot start a thread for the control socket: %s", g_strerror(problem));
    if (fd >= 0)
        close(fd);
    g_free(client);
    count_out(clients, &clients->threads);
}

void clients_accept(struct clients *clients, int listen_fd)
{
    int fd = socket_accept(listen_fd, 0);
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        start(clients, fd, peer.uid);
    else
        close(fd);
}

void clients_reload(struct clients *clients)
{
    start(clients, -1, 0);
}
