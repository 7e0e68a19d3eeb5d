#include "milter/daemon/role_relay.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milter/daemon/apply.h"
#include "milter/daemon/limits.h"
#include "milter/conf/log.h"
#include "milter/daemon/socket.h"

/* The MTA's side and libmilter's side of one connection. */
struct pair {
    int mta, filter;
    GByteArray *held;               /* from the MTA, not yet looked at */
    GByteArray *to_filter, *to_mta; /* octets under way */
    enum { STAGE_NEGOTIATION, STAGE_CONNECT, STAGE_OPEN } stage;
    gboolean introduced, broken;
};

struct role_relay {
    int listen_fd, stop_fd;
    char *target, *word;
    GPtrArray *pairs; /* the thread's own */
    pthread_t thread;
};

static void pair_free(gpointer data)
{
    struct pair *pair = data;
    close(pair->mta);
    close(pair->filter);
    g_byte_array_unref(pair->held);
    g_byte_array_unref(pair->to_filter);
    g_byte_array_unref(pair->to_mta);
    g_free(pair);
}

static void accept_pair(struct role_relay *relay)
{
    int mta = socket_accept(relay->listen_fd, SOCK_NONBLOCK);
    if (mta < 0)
        return;
    g_autoptr(GError) error = NULL;
    int filter = relay->pairs->len < LIMIT_RELAYED ? socket_connect(relay->target, &error) : -1;
    if (filter < 0) {
        log_line(LOG_LEVEL_WARNING, "local socket: %s",
                 error ? error->message : "too many connections at once");
        close(mta); /* Postfix answers for us: milter_default_action */
        return;
    }
    struct pair *pair = g_new0(struct pair, 1);
    pair->mta = mta;
    pair->filter = filter;
    pair->held = g_byte_array_new();
    pair->to_filter = g_byte_array_new();
    pair->to_mta = g_byte_array_new();
    g_ptr_array_add(relay->pairs, pair);
}

/* The length of the first packet in the buffer with its four octets of length, 0 while it is not whole. */
static gsize first_packet(struct pair *pair, const GByteArray *in)
{
    guint32 length;
    if (in->len < sizeof length)
        return 0;
    memcpy(&length, in->data, sizeof length);
    length = GUINT32_FROM_BE(length);
    if (length == 0 || length > LIMIT_RELAY_BUFFER / 2) {
        pair->broken = TRUE;
        return 0;
    }
    return in->len < sizeof length + length ? 0 : sizeof length + length;
}

static void pass_on(struct pair *pair, gsize length)
{
    g_byte_array_append(pair->to_filter, pair->held->data, (guint)length);
    g_byte_array_remove_range(pair->held, 0, (guint)length);
}

static void append_length(GByteArray *out, gsize length)
{
    guint32 big_endian = GUINT32_TO_BE((guint32)length);
    g_byte_array_append(out, (const guint8 *)&big_endian, sizeof big_endian);
}

/* A packet of macros of CONNECT (D, C) with ours behind those that the MTA sends: length octets in front, 0
 * for none. */
static void add_word(struct role_relay *relay, struct pair *pair, gsize length)
{
    gsize ours = sizeof ROLE_SYMBOL + strlen(relay->word) + 1;
    append_length(pair->to_filter, ours + (length ? length - 4 : 2));
    g_byte_array_append(pair->to_filter, length ? pair->held->data + 4 : (const guint8 *)"DC",
                        length ? (guint)length - 4 : 2);
    g_byte_array_append(pair->to_filter, (const guint8 *)ROLE_SYMBOL, sizeof ROLE_SYMBOL);
    g_byte_array_append(pair->to_filter, (const guint8 *)relay->word, (guint)strlen(relay->word) + 1);
    g_byte_array_remove_range(pair->held, 0, (guint)length);
    pair->introduced = TRUE;
}

/* libmilter keeps one set of macros a stage, the last one, and forgets later stages at CONNECT: so every such
 * packet before it gets our word, and an MTA that sends none gets one. */
static void introduce(struct role_relay *relay, struct pair *pair, gsize length)
{
    const guint8 *packet = pair->held->data + 4;
    if (length >= 6 && packet[0] == 'D' && packet[1] == 'C') {
        add_word(relay, pair, length);
    } else if (packet[0] == 'C') {
        if (!pair->introduced)
            add_word(relay, pair, 0);
        pair->stage = STAGE_OPEN;
    } else {
        pass_on(pair, length);
    }
}

/* Negotiation first, then our word until CONNECT, then everything as it comes. */
static void forward(struct role_relay *relay, struct pair *pair)
{
    while (pair->stage != STAGE_OPEN) {
        gsize length = first_packet(pair, pair->held);
        if (!length)
            return;
        if (pair->stage == STAGE_CONNECT) {
            introduce(relay, pair, length);
        } else {
            pass_on(pair, length);
            pair->stage = STAGE_CONNECT;
        }
    }
    pass_on(pair, pair->held->len);
}

static void take(struct pair *pair, int fd, GByteArray *into)
{
    guint8 octets[16384];
    ssize_t n = recv(fd, octets, sizeof octets, MSG_DONTWAIT);
    if (n > 0)
        g_byte_array_append(into, octets, (guint)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        pair->broken = TRUE;
}

static void give(struct pair *pair, int fd, GByteArray *from)
{
    ssize_t n = send(fd, from->data, from->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        g_byte_array_remove_range(from, 0, (guint)n);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        pair->broken = TRUE;
}

static short wanted(gsize in, const GByteArray *out)
{
    return (short)((in < LIMIT_RELAY_BUFFER ? POLLIN : 0) | (out->len ? POLLOUT : 0));
}

static void serve_pair(struct role_relay *relay, struct pair *pair, short mta, short filter)
{
    if (mta & (POLLIN | POLLHUP | POLLERR))
        take(pair, pair->mta, pair->held);
    forward(relay, pair);
    if (filter & (POLLIN | POLLHUP | POLLERR))
        take(pair, pair->filter, pair->to_mta);
    if (pair->to_filter->len)
        give(pair, pair->filter, pair->to_filter);
    if (pair->to_mta->len)
        give(pair, pair->mta, pair->to_mta);
}

static GArray *what_to_poll(struct role_relay *relay)
{
    GArray *polled = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    struct pollfd listening = {.fd = relay->listen_fd, .events = POLLIN},
                  stopping = {.fd = relay->stop_fd, .events = POLLIN};
    g_array_append_val(polled, listening);
    g_array_append_val(polled, stopping);
    for (guint i = 0; i < relay->pairs->len; i++) {
        const struct pair *pair = g_ptr_array_index(relay->pairs, i);
        struct pollfd mta = {.fd = pair->mta,
                             .events = wanted(pair->held->len + pair->to_filter->len, pair->to_mta)};
        struct pollfd filter = {.fd = pair->filter, .events = wanted(pair->to_mta->len, pair->to_filter)};
        g_array_append_val(polled, mta);
        g_array_append_val(polled, filter);
    }
    return polled;
}

static void *run(void *data)
{
    struct role_relay *relay = data;
    gboolean stopping = FALSE;
    while (!stopping) {
        g_autoptr(GArray) polled = what_to_poll(relay);
        if (poll((struct pollfd *)polled->data, polled->len, -1) < 0 && errno != EINTR)
            break;
        const struct pollfd *ready = (const struct pollfd *)polled->data;
        stopping = ready[1].revents != 0;
        for (guint i = relay->pairs->len; i-- > 0;) {
            struct pair *pair = g_ptr_array_index(relay->pairs, i);
            serve_pair(relay, pair, ready[2 + 2 * i].revents, ready[3 + 2 * i].revents);
            if (pair->broken)
                g_ptr_array_remove_index_fast(relay->pairs, i);
        }
        if (ready[0].revents)
            accept_pair(relay);
    }
    return NULL;
}

struct role_relay *role_relay_start(int listen_fd, const char *target, const char *word, GError **error)
{
    struct role_relay *relay = g_new0(struct role_relay, 1);
    relay->listen_fd = listen_fd;
    relay->stop_fd = eventfd(0, EFD_CLOEXEC);
    relay->target = g_strdup(target);
    relay->word = g_strdup(word);
    relay->pairs = g_ptr_array_new_with_free_func(pair_free);
    if (relay->stop_fd >= 0 && pthread_create(&relay->thread, NULL, run, relay) == 0)
        return relay;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot serve the local socket: %s",
                g_strerror(errno));
    return NULL;
}

void role_relay_stop(struct role_relay *relay)
{
    if (!relay)
        return;
    eventfd_write(relay->stop_fd, 1);
    pthread_join(relay->thread, NULL);
    g_ptr_array_unref(relay->pairs);
    close(relay->listen_fd);
    close(relay->stop_fd);
    g_free(relay->target);
    g_free(relay->word);
    g_free(relay);
}
