#include "tests/support/smtp_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct plan {
    gboolean set;
    char *reply; /* NULL: hang up; "": hang */
    char *when;
};

struct smtp_server {
    int listen_fd, stop[2];
    char *address;
    pthread_t thread;
    pthread_mutex_t lock;
    /* Guarded by lock: */
    struct plan plans[STEP_COUNT];
    char *keywords;
    const char *(*end)(const struct server_message *, gpointer);
    gpointer end_data;
    GPtrArray *taken;
    guint sessions, ended, begun;
    gboolean hangs;
};

/* One connection. */
struct session {
    struct smtp_server *server;
    int fd;
    GString *in; /* not yet read */
    struct server_message *message;
};

static void message_free(gpointer data)
{
    struct server_message *message = data;

    if (message == NULL)
        return;
    g_free(message->queue_id);
    g_free(message->mail);
    g_ptr_array_unref(message->rcpts);
    g_byte_array_unref(message->octets);
    g_free(message);
}

static struct server_message *message_new(struct smtp_server *server, const char *mail)
{
    struct server_message *message = g_new0(struct server_message, 1);

    pthread_mutex_lock(&server->lock);
    message->queue_id = g_strdup_printf("4Q%u", ++server->begun);
    pthread_mutex_unlock(&server->lock);
    message->mail = g_strdup(mail);
    message->rcpts = g_ptr_array_new_with_free_func(g_free);
    message->octets = g_byte_array_new();
    return message;
}

/* ---------------------------------------------------------------- octets */

static gboolean say(struct session *session, const char *text)
{
    g_autofree char *line = g_strconcat(text, "\r\n", NULL);

    return send(session->fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

/* FALSE: the client is gone, or the server stops. */
static gboolean hear(struct session *session)
{
    char octets[65536];
    struct pollfd waiting[] = {{session->fd, POLLIN, 0}, {session->server->stop[0], POLLIN, 0}};

    poll(waiting, G_N_ELEMENTS(waiting), -1);
    if (waiting[1].revents != 0)
        return FALSE;
    ssize_t n = recv(session->fd, octets, sizeof octets, 0);
    if (n > 0)
        g_string_append_len(session->in, octets, n);
    return n > 0;
}

/* A line with its end; NULL: the client is gone. */
static char *hear_line(struct session *session)
{
    for (;;) {
        const char *newline = memchr(session->in->str, '\n', session->in->len);
        if (newline != NULL) {
            gsize length = (gsize)(newline - session->in->str) + 1;
            char *line = g_malloc(length + 1);
            memcpy(line, session->in->str, length);
            line[length] = '\0';
            g_string_erase(session->in, 0, (gssize)length);
            return line;
        }
        if (!hear(session))
            return NULL;
    }
}

/* Until the client is gone; without reading what it sends meanwhile if it shall find nobody there. */
static void hang(struct session *session, gboolean deaf)
{
    struct pollfd waiting[] = {{session->fd, POLLRDHUP, 0}, {session->server->stop[0], POLLIN, 0}};

    pthread_mutex_lock(&session->server->lock);
    session->server->hangs = TRUE;
    pthread_mutex_unlock(&session->server->lock);
    if (deaf)
        poll(waiting, G_N_ELEMENTS(waiting), -1);
    while (!deaf && hear(session))
        continue;
    pthread_mutex_lock(&session->server->lock);
    session->server->hangs = FALSE;
    pthread_mutex_unlock(&session->server->lock);
}

/* ---------------------------------------------------------------- steps */

/* FALSE: the session is over. Else the planned reply or the usual one is said ("" none); *refused tells. */
static gboolean step(struct session *session, enum server_step at, const char *line, const char *usual,
                     gboolean *refused)
{
    struct smtp_server *server = session->server;

    pthread_mutex_lock(&server->lock);
    const struct plan *plan = &server->plans[at];
    gboolean set = plan->set && (plan->when == NULL || strstr(line, plan->when) != NULL);
    g_autofree char *reply = set ? g_strdup(plan->reply) : NULL;
    pthread_mutex_unlock(&server->lock);
    if (set && reply == NULL)
        return FALSE;
    if (set && *reply == '\0') {
        hang(session, at == STEP_OCTETS);
        return FALSE;
    }
    if (refused != NULL)
        *refused = set;
    if (set)
        return say(session, reply);
    return *usual == '\0' || say(session, usual);
}

static gboolean greet(struct session *session)
{
    g_autofree char *text = NULL;
    GString *reply = g_string_new("250-server.example");

    pthread_mutex_lock(&session->server->lock);
    g_auto(GStrv) words = g_strsplit(session->server->keywords, " ", -1);
    pthread_mutex_unlock(&session->server->lock);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0')
            g_string_append_printf(reply, "\r\n250-%s", *word);
    g_string_append(reply, "\r\n250 HELP");
    text = g_string_free(reply, FALSE);
    return step(session, STEP_EHLO, "", text, NULL);
}

/* What the filters say, and then the server. */
static gboolean end_message(struct session *session)
{
    struct smtp_server *server = session->server;
    gboolean refused = FALSE;

    if (!step(session, STEP_DOT, "", "", &refused))
        return FALSE;
    if (refused) {
        g_clear_pointer(&session->message, message_free);
        return TRUE;
    }
    pthread_mutex_lock(&server->lock);
    const char *(*end)(const struct server_message *, gpointer) = server->end;
    gpointer data = server->end_data;
    pthread_mutex_unlock(&server->lock);
    const char *reply = end != NULL ? end(session->message, data) : NULL;
    if (reply != NULL) {
        g_clear_pointer(&session->message, message_free);
        return *reply != '\0' && say(session, reply);
    }
    g_autofree char *done = g_strdup_printf("250 2.0.0 Ok: queued as %s", session->message->queue_id);
    pthread_mutex_lock(&server->lock);
    g_ptr_array_add(server->taken, g_steal_pointer(&session->message));
    pthread_mutex_unlock(&server->lock);
    return step(session, STEP_TAKEN, "", done, NULL);
}

static gboolean hear_message(struct session *session)
{
    gboolean first = TRUE;

    for (;;) {
        if (first && session->in->len == 0 && !hear(session))
            return FALSE;
        gboolean refused = FALSE;
        if (first && (!step(session, STEP_OCTETS, "", "", &refused) || refused))
            return FALSE;
        first = FALSE;
        const char *newline = memchr(session->in->str, '\n', session->in->len);
        if (newline == NULL) {
            if (!hear(session))
                return FALSE;
            continue;
        }
        gsize length = (gsize)(newline - session->in->str) + 1;
        gboolean last = length == 3 && memcmp(session->in->str, ".\r\n", 3) == 0;
        gsize skip = session->in->str[0] == '.' ? 1 : 0;
        if (!last)
            g_byte_array_append(session->message->octets, (const guint8 *)session->in->str + skip,
                                (guint)(length - skip));
        g_string_erase(session->in, 0, (gssize)length);
        if (last)
            return end_message(session);
    }
}

static gboolean obey(struct session *session, const char *line)
{
    gboolean refused = FALSE;

    if (g_str_has_prefix(line, "EHLO "))
        return greet(session);
    if (g_str_has_prefix(line, "MAIL ")) {
        message_free(session->message);
        session->message = message_new(session->server, line);
        return step(session, STEP_MAIL, line, "250 2.1.0 Ok", NULL);
    }
    if (g_str_has_prefix(line, "RCPT ") && session->message != NULL) {
        g_ptr_array_add(session->message->rcpts, g_strdup(line));
        return step(session, STEP_RCPT, line, "250 2.1.5 Ok", NULL);
    }
    if (g_str_has_prefix(line, "DATA") && session->message != NULL)
        return step(session, STEP_DATA, line, "354 go on", &refused) && (refused || hear_message(session));
    if (g_str_has_prefix(line, "RSET"))
        return say(session, "250 2.0.0 Ok");
    if (g_str_has_prefix(line, "QUIT"))
        say(session, "221 2.0.0 Bye");
    return FALSE;
}

static void serve(struct smtp_server *server, int fd)
{
    struct session session = {.server = server, .fd = fd, .in = g_string_new(NULL)};
    gboolean on = step(&session, STEP_CONNECT, "", "220 server.example ESMTP", NULL);

    while (on) {
        g_autofree char *line = hear_line(&session);
        on = line != NULL && obey(&session, g_strchomp(line));
    }
    message_free(session.message);
    g_string_free(session.in, TRUE);
    close(fd);
}

static void *work(void *data)
{
    struct smtp_server *server = data;

    for (;;) {
        struct pollfd waiting[] = {{server->listen_fd, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
        poll(waiting, G_N_ELEMENTS(waiting), -1);
        if (waiting[1].revents != 0)
            return NULL;
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&server->lock);
        server->sessions++;
        pthread_mutex_unlock(&server->lock);
        serve(server, fd);
        pthread_mutex_lock(&server->lock);
        server->ended++;
        pthread_mutex_unlock(&server->lock);
    }
}

/* ---------------------------------------------------------------- for tests */

struct smtp_server *smtp_server_new(void)
{
    struct smtp_server *server = g_new0(struct smtp_server, 1);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;

    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->listen_fd, (struct sockaddr *)&at, sizeof at), ==, 0);
    g_assert_cmpint(listen(server->listen_fd, 10), ==, 0);
    getsockname(server->listen_fd, (struct sockaddr *)&at, &length);
    g_assert_cmpint(pipe(server->stop), ==, 0);
    server->address = g_strdup_printf("inet:%u@127.0.0.1", ntohs(at.sin_port));
    server->keywords = g_strdup("PIPELINING SIZE ETRN ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING");
    server->taken = g_ptr_array_new_with_free_func(message_free);
    pthread_mutex_init(&server->lock, NULL);
    g_assert_cmpint(pthread_create(&server->thread, NULL, work, server), ==, 0);
    return server;
}

void smtp_server_free(struct smtp_server *server)
{
    g_assert_cmpint(write(server->stop[1], "x", 1), ==, 1);
    pthread_join(server->thread, NULL);
    smtp_server_plan_none(server);
    close(server->listen_fd);
    close(server->stop[0]);
    close(server->stop[1]);
    g_ptr_array_unref(server->taken);
    pthread_mutex_destroy(&server->lock);
    g_free(server->keywords);
    g_free(server->address);
    g_free(server);
}

const char *smtp_server_address(const struct smtp_server *server)
{
    return server->address;
}

static void plan(struct smtp_server *server, enum server_step at, const char *when, const char *reply)
{
    pthread_mutex_lock(&server->lock);
    struct plan *slot = &server->plans[at];
    g_free(slot->reply);
    g_free(slot->when);
    *slot = (struct plan){TRUE, g_strdup(reply), g_strdup(when)};
    pthread_mutex_unlock(&server->lock);
}

void smtp_server_plan(struct smtp_server *server, enum server_step at, const char *reply)
{
    plan(server, at, NULL, reply);
}

void smtp_server_plan_rcpt(struct smtp_server *server, const char *when, const char *reply)
{
    plan(server, STEP_RCPT, when, reply);
}

void smtp_server_plan_none(struct smtp_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (gsize i = 0; i < G_N_ELEMENTS(server->plans); i++) {
        g_free(server->plans[i].reply);
        g_free(server->plans[i].when);
        server->plans[i] = (struct plan){0};
    }
    pthread_mutex_unlock(&server->lock);
}

void smtp_server_offer(struct smtp_server *server, const char *keywords)
{
    pthread_mutex_lock(&server->lock);
    g_free(server->keywords);
    server->keywords = g_strdup(keywords);
    pthread_mutex_unlock(&server->lock);
}

void smtp_server_ask(struct smtp_server *server, const char *(*end)(const struct server_message *, gpointer),
                     gpointer data)
{
    pthread_mutex_lock(&server->lock);
    server->end = end;
    server->end_data = data;
    pthread_mutex_unlock(&server->lock);
}

static guint read_count(struct smtp_server *server, const guint *count)
{
    pthread_mutex_lock(&server->lock);
    guint value = *count;
    pthread_mutex_unlock(&server->lock);
    return value;
}

guint smtp_server_count(struct smtp_server *server)
{
    return read_count(server, &server->taken->len);
}

gboolean smtp_server_is_idle(struct smtp_server *server)
{
    for (guint tries = 0; tries < 10000; tries++) {
        pthread_mutex_lock(&server->lock);
        gboolean idle = server->ended == server->sessions;
        pthread_mutex_unlock(&server->lock);
        if (idle)
            return TRUE;
        g_usleep(1000);
    }
    return FALSE;
}

guint smtp_server_sessions(struct smtp_server *server)
{
    return read_count(server, &server->sessions);
}

gboolean smtp_server_hangs(struct smtp_server *server)
{
    return read_count(server, (const guint *)&server->hangs) != 0;
}

const struct server_message *smtp_server_message(struct smtp_server *server, guint index)
{
    g_assert_cmpuint(index, <, smtp_server_count(server));
    return g_ptr_array_index(server->taken, index);
}
