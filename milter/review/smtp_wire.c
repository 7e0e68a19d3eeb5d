#include "milter/review/smtp_wire.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "milter/conf/clock.h"
#include "milter/review/limits.h"

static gboolean fail(struct smtp_wire *wire, const char *what, int number)
{
    g_free(wire->problem);
    wire->problem = number != 0 ? g_strdup_printf("%s: %s", what, g_strerror(number)) : g_strdup(what);
    return FALSE;
}

/* In slices: a test moves the clock, and a daemon that stops does not wait for a neighbour. */
static gboolean wait_for(struct smtp_wire *wire, short events, gint64 deadline_us)
{
    for (;;) {
        struct pollfd waiting = {.fd = wire->fd, .events = events};
        int ready = poll(&waiting, 1, LIMIT_SMTP_SLICE_MS);
        if (ready > 0)
            return TRUE;
        if (ready < 0 && errno != EINTR)
            return fail(wire, "poll", errno);
        if (wire->stop != NULL && g_atomic_int_get(wire->stop) != 0)
            return fail(wire, "stopped", 0);
        if (clock_monotonic_us() >= deadline_us)
            return fail(wire, "no answer in time", 0);
    }
}

static gint64 deadline_in(gint64 timeout_ms)
{
    return clock_monotonic_us() + timeout_ms * 1000;
}

/* ---------------------------------------------------------------- connecting */

static gboolean connect_to(struct smtp_wire *wire, const struct sockaddr *to, socklen_t length)
{
    int number = 0;
    socklen_t size = sizeof number;

    wire->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (wire->fd < 0)
        return fail(wire, "socket", errno);
    if (connect(wire->fd, to, length) == 0)
        return TRUE;
    if (errno != EINPROGRESS)
        return fail(wire, "connect", errno);
    if (!wait_for(wire, POLLOUT, deadline_in(LIMIT_SMTP_CONNECT_MS)))
        return FALSE;
    if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0 || number != 0)
        return fail(wire, "connect", number != 0 ? number : errno);
    return TRUE;
}

static gboolean connect_unix(struct smtp_wire *wire, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof to.sun_path)
        return fail(wire, "path too long", 0);
    g_strlcpy(to.sun_path, path, sizeof to.sun_path);
    return connect_to(wire, (struct sockaddr *)&to, sizeof to);
}

static gboolean connect_inet(struct smtp_wire *wire, const char *port, const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    /* No resolver: the configuration lets in addresses and this one name. */
    int problem = getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &hints, &found);

    if (problem != 0)
        return fail(wire, gai_strerror(problem), 0);
    gboolean connected = connect_to(wire, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return connected;
}

gboolean smtp_wire_open(struct smtp_wire *wire, const char *address, const gint *stop)
{
    *wire = (struct smtp_wire){.fd = -1, .stop = stop};
    if (g_str_has_prefix(address, "unix:"))
        return connect_unix(wire, address + strlen("unix:"));
    g_auto(GStrv) halves = g_strsplit(g_str_has_prefix(address, "inet:") ? address + 5 : "", "@", 2);
    if (g_strv_length(halves) != 2)
        return fail(wire, "not an address", 0);
    return connect_inet(wire, halves[0], halves[1]);
}

void smtp_wire_close(struct smtp_wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    g_clear_pointer(&wire->problem, g_free);
}

/* ---------------------------------------------------------------- octets */

gboolean smtp_wire_write(struct smtp_wire *wire, const void *octets, gsize length, gint64 timeout_ms)
{
    gint64 deadline_us = deadline_in(timeout_ms);
    const char *rest = octets;

    while (length > 0) {
        ssize_t n = send(wire->fd, rest, length, MSG_NOSIGNAL);
        if (n > 0) {
            rest += n;
            length -= (gsize)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!wait_for(wire, POLLOUT, deadline_us))
                return FALSE;
        } else if (n < 0 && errno != EINTR) {
            return fail(wire, "lost", errno);
        }
    }
    return TRUE;
}

static gboolean receive(struct smtp_wire *wire, gint64 deadline_us)
{
    ssize_t n;

    if (!wait_for(wire, POLLIN, deadline_us))
        return FALSE;
    do {
        n = recv(wire->fd, wire->in, sizeof wire->in, 0);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return fail(wire, "the connection was closed", 0);
    if (n < 0 && errno != EAGAIN)
        return fail(wire, "lost", errno);
    wire->from = 0;
    wire->to = n > 0 ? (gsize)n : 0;
    return TRUE;
}

/* One line without its end. */
static gboolean receive_line(struct smtp_wire *wire, GString *line, gint64 deadline_us)
{
    g_string_truncate(line, 0);
    for (;;) {
        const char *begin = wire->in + wire->from;
        const char *newline = memchr(begin, '\n', wire->to - wire->from);
        gsize length = newline != NULL ? (gsize)(newline - begin) : wire->to - wire->from;
        if (line->len + length > LIMIT_SMTP_LINE)
            return fail(wire, "a line of the reply is too long", 0);
        g_string_append_len(line, begin, (gssize)length);
        wire->from += length;
        if (newline != NULL) {
            wire->from++;
            if (line->len > 0 && line->str[line->len - 1] == '\r')
                g_string_truncate(line, line->len - 1);
            return TRUE;
        }
        if (!receive(wire, deadline_us))
            return FALSE;
    }
}

/* ---------------------------------------------------------------- replies */

void smtp_reply_clear(struct smtp_reply *reply)
{
    if (reply->text != NULL)
        g_string_free(reply->text, TRUE);
    g_clear_pointer(&reply->lines, g_ptr_array_unref);
    *reply = (struct smtp_reply){0};
}

static gboolean is_reply_line(const GString *line)
{
    return line->len >= 3 && line->str[0] >= '2' && line->str[0] <= '5' && g_ascii_isdigit(line->str[1]) &&
           g_ascii_isdigit(line->str[2]) &&
           (line->str[3] == '\0' || line->str[3] == ' ' || line->str[3] == '-');
}

static void take_line(struct smtp_reply *reply, const GString *line)
{
    const char *text = line->len > 4 ? line->str + 4 : "";

    if (reply->text->len > 0)
        g_string_append_c(reply->text, ' ');
    for (const char *p = text; *p != '\0' && reply->text->len < LIMIT_SMTP_TEXT; p++)
        g_string_append_c(reply->text, *p >= ' ' && *p <= '~' ? *p : '?');
    g_ptr_array_add(reply->lines, g_strdup(text));
}

gboolean smtp_wire_reply(struct smtp_wire *wire, struct smtp_reply *reply, gint64 timeout_ms)
{
    gint64 deadline_us = deadline_in(timeout_ms);
    GString *line = g_string_new(NULL);
    gboolean more = TRUE, good = TRUE;

    *reply = (struct smtp_reply){.text = g_string_new(NULL), .lines = g_ptr_array_new_with_free_func(g_free)};
    while (more && good) {
        good = receive_line(wire, line, deadline_us);
        if (good && (!is_reply_line(line) || reply->lines->len >= LIMIT_SMTP_LINES))
            good = fail(wire, "what it answers is no SMTP", 0);
        if (!good)
            break;
        more = line->str[3] == '-';
        reply->code = (guint)g_ascii_strtoull(line->str, NULL, 10);
        take_line(reply, line);
    }
    g_string_free(line, TRUE);
    return good;
}
