#include "tests/wire/mta.h"
#include "tests/wire/mta_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

G_DEFINE_QUARK(mta - error, mta_error)

#define DEFAULT_TIMEOUT_MS 20000

static bool fail_errno(GError **error, const char *what)
{
    enum mta_error code = errno == EPIPE || errno == ECONNRESET ? MTA_ERROR_CLOSED : MTA_ERROR_SYSTEM;

    g_set_error(error, MTA_ERROR, (int)code, "%s: %s", what, g_strerror(errno));
    return false;
}

/* ---- opening and closing */

static int connect_unix(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof address.sun_path) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_SYSTEM, "socket path too long: %s", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        fail_errno(error, path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int connect_inet(const char *port_at_host, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(port_at_host, "@", 2);
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd, yes = 1;

    if (g_strv_length(parts) != 2 || inet_pton(AF_INET, parts[1], &address.sin_addr) != 1) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_SYSTEM, "not PORT@ADDRESS: %s", port_at_host);
        return -1;
    }
    address.sin_port = htons((uint16_t)g_ascii_strtoull(parts[0], NULL, 10));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        fail_errno(error, port_at_host);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

struct mta *mta_open(const char *address, GError **error)
{
    struct mta *mta;
    int fd = -1;

    if (g_str_has_prefix(address, "unix:"))
        fd = connect_unix(address + strlen("unix:"), error);
    else if (g_str_has_prefix(address, "inet:"))
        fd = connect_inet(address + strlen("inet:"), error);
    else
        g_set_error(error, MTA_ERROR, MTA_ERROR_SYSTEM, "neither unix: nor inet:: %s", address);
    if (fd < 0)
        return NULL;
    mta = g_new0(struct mta, 1);
    mta->fd = fd;
    mta->timeout_ms = DEFAULT_TIMEOUT_MS;
    mta->out = g_byte_array_sized_new(MTA_BUFFER);
    mta->in = g_byte_array_sized_new(MTA_BUFFER);
    return mta;
}

void mta_close(struct mta *mta)
{
    if (mta == NULL)
        return;
    close(mta->fd);
    g_byte_array_unref(mta->out);
    g_byte_array_unref(mta->in);
    for (unsigned i = 0; i < MTA_STAGES; i++)
        g_free(mta->terms.macros[i]);
    if (mta->state != NULL)
        mta->free_state(mta->state);
    g_free(mta);
}

void mta_set_timeout(struct mta *mta, unsigned timeout_ms)
{
    mta->timeout_ms = timeout_ms;
}

/* ---- bytes */

static bool wait_for(struct mta *mta, short events, gint64 deadline_us, GError **error)
{
    for (;;) {
        gint64 left_us = deadline_us - g_get_monotonic_time();
        struct pollfd pfd = {.fd = mta->fd, .events = events};
        int n = left_us <= 0 ? 0 : poll(&pfd, 1, (int)(left_us / 1000 + 1));

        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return fail_errno(error, "poll");
        if (n == 0) {
            g_set_error(error, MTA_ERROR, MTA_ERROR_TIMEOUT, "no %s within %u ms",
                        events == POLLIN ? "answer" : "room", mta->timeout_ms);
            return false;
        }
    }
}

static gint64 deadline_of(const struct mta *mta)
{
    return g_get_monotonic_time() + (gint64)mta->timeout_ms * 1000;
}

static bool write_all(struct mta *mta, const char *bytes, size_t length, GError **error)
{
    gint64 deadline_us = deadline_of(mta);

    while (length > 0) {
        ssize_t n = send(mta->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0) {
            bytes += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (!wait_for(mta, POLLOUT, deadline_us, error))
                return false;
        } else if (errno != EINTR) {
            return fail_errno(error, "write to the filter");
        }
    }
    return true;
}

bool mta_flush(struct mta *mta, GError **error)
{
    bool ok = write_all(mta, (const char *)mta->out->data, mta->out->len, error);

    g_byte_array_set_size(mta->out, 0);
    return ok;
}

bool mta_send_bytes(struct mta *mta, const void *bytes, size_t length, GError **error)
{
    return mta_flush(mta, error) && write_all(mta, bytes, length, error);
}

bool mta_send_packet(struct mta *mta, char command, const void *data, size_t length, GError **error)
{
    uint32_t size = htonl((uint32_t)length + 1);

    g_byte_array_append(mta->out, (const guint8 *)&size, sizeof size);
    g_byte_array_append(mta->out, (const guint8 *)&command, 1);
    if (length > 0)
        g_byte_array_append(mta->out, data, (guint)length);
    return mta->out->len < MTA_BUFFER || mta_flush(mta, error);
}

bool mta_has_unread(const struct mta *mta)
{
    return mta->in->len > mta->taken;
}

/* Until at least `want` bytes wait in the buffer. */
static bool fill(struct mta *mta, size_t want, GError **error)
{
    gint64 deadline_us = deadline_of(mta);
    char buffer[MTA_BUFFER];

    while (mta->in->len - mta->taken < want) {
        ssize_t n = recv(mta->fd, buffer, sizeof buffer, MSG_DONTWAIT);

        if (n > 0) {
            g_byte_array_append(mta->in, (const guint8 *)buffer, (guint)n);
        } else if (n == 0) {
            g_set_error(error, MTA_ERROR, MTA_ERROR_CLOSED, "the filter has closed the connection");
            return false;
        } else if (errno == EAGAIN) {
            if (!wait_for(mta, POLLIN, deadline_us, error))
                return false;
        } else if (errno != EINTR) {
            return fail_errno(error, "read from the filter");
        }
    }
    return true;
}

/* ---- packets */

bool mta_receive(struct mta *mta, struct mta_packet *packet, GError **error)
{
    uint32_t size;
    char *start;

    if (!mta_flush(mta, error))
        return false;
    g_byte_array_remove_range(mta->in, 0, (guint)mta->taken);
    mta->taken = 0;
    if (!fill(mta, sizeof size, error))
        return false;
    memcpy(&size, mta->in->data, sizeof size);
    size = ntohl(size);
    if (size == 0 || size > MTA_PACKET_MAX) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "a packet of %u bytes", size);
        return false;
    }
    if (!fill(mta, sizeof size + size, error))
        return false;
    /* Moved down over its own length and command, so that a NUL can stand behind it. */
    start = (char *)mta->in->data;
    packet->command = start[sizeof size];
    packet->length = size - 1;
    memmove(start, start + sizeof size + 1, packet->length);
    start[packet->length] = '\0';
    packet->data = start;
    mta->taken = sizeof size + size;
    return true;
}

bool mta_wait_closed(struct mta *mta, GError **error)
{
    g_autoptr(GError) local = NULL;
    struct mta_packet packet;

    if (mta_receive(mta, &packet, &local)) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "a reply '%c' that nobody waits for",
                    packet.command);
        return false;
    }
    if (g_error_matches(local, MTA_ERROR, MTA_ERROR_CLOSED))
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}
