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

/* One role's socket. */
struct entrance {
    int listen_fd;
    const char *name;
    char *word;
    guint open; /* pairs that came through it */
};

/* The MTA's side and libmilter's side of one connection. */
struct pair {
    struct entrance *entrance;
    int mta, filter;
    GByteArray *held;               /* from the MTA, not yet looked at */
    GByteArray *to_filter, *to_mta; /* octets under way */
    enum { STAGE_NEGOTIATION, STAGE_CONNECT, STAGE_OPEN } stage;
    gboolean introduced, broken;
};

struct role_relay {
    int stop_fd;
    char *target;
    GArray *entrances; /* struct entrance, never changed in number */
    GPtrArray *pairs;  /* the thread's own */
    pthread_t thread;
};

static void pair_free(gpointer data)
{
    struct pair *pair = data;
    pair->entrance->open--;
    close(pair->mta);
    close(pair->filter);
    g_byte_array_unref(pair->held);
    g_byte_array_unref(pair->to_filter);
    g_byte_array_unref(pair->to_mta);
    g_free(pair);
}

static void accept_pair(struct role_relay *relay, struct entrance *entrance)
{
    int mta = socket_accept(entrance->listen_fd, SOCK_NONBLOCK);
    if (mta < 0)
        return;
    g_autoptr(GError) error = NULL;
    int filter = entrance->open < LIMIT_RELAYED ? socket_connect(relay->target, &error) : -1;
    if (filter < 0) {
        log_line(LOG_LEVEL_WARNING, "%s socket: %s", entrance->name,
                 error ? error->message : "too many connections at once");
        close(mta); /* Postfix answers for us: milter_default_action */
        return;
    }
    struct pair *pair = g_new0(struct pair, 1);
    pair->entrance = entrance;
    entrance->open++;
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
static void add_word(struct pair *pair, gsize length)
{
    const char *word = pair->entrance->word;
    gsize ours = sizeof ROLE_SYMBOL + strlen(word) + 1;
    append_length(pair->to_filter, ours + (length ? length - 4 : 2));
    g_byte_array_append(pair->to_filter, length ? pair->held->data + 4 : (const guint8 *)"DC",
                        length ? (guint)length - 4 : 2);
    g_byte_array_append(pair->to_filter, (const guint8 *)ROLE_SYMBOL, sizeof ROLE_SYMBOL);
    g_byte_array_append(pair->to_filter, (const guint8 *)word, (guint)strlen(word) + 1);
    g_byte_array_remove_range(pair->held, 0, (guint)length);
    pair->introduced = TRUE;
}

/* libmilter keeps one set of macros a stage, the last one, and forgets later stages at CONNECT: so every such
 * packet before it gets our word, and an MTA that sends none gets one. */
static void introduce(struct pair *pair, gsize length)
{
    const guint8 *packet = pair->held->data + 4;
    if (length >= 6 && packet[0] == 'D' && packet[1] == 'C') {
        add_word(pair, length);
    } else if (packet[0] == 'C') {
        if (!pair->introduced)
            add_word(pair, 0);
        pair->stage = STAGE_OPEN;
    } else {
        pass_on(pair, length);
    }
}

/* Negotiation first, then our word until CONNECT, then everything as it comes. */
static void forward(struct pair *pair)
{
    while (pair->stage != STAGE_OPEN) {
        gsize length = first_packet(pair, pair->held);
        if (!length)
            return;
        if (pair->stage == STAGE_CONNECT) {
            introduce(pair, length);
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

static void serve_pair(struct pair *pair, short mta, short filter)
{
    if (mta & (POLLIN | POLLHUP | POLLERR))
        take(pair, pair->mta, pair->held);
    forward(pair);
    if (filter & (POLLIN | POLLHUP | POLLERR))
        take(pair, pair->filter, pair->to_mta);
    if (pair->to_filter->len)
        give(pair, pair->filter, pair->to_filter);
    if (pair->to_mta->len)
        give(pair, pair->mta, pair->to_mta);
}

static void add_polled(GArray *polled, int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    g_array_append_val(polled, one);
}

/* The word to stop, the sockets, then both sides of each pair. */
static GArray *what_to_poll(struct role_relay *relay)
{
    GArray *polled = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    add_polled(polled, relay->stop_fd, POLLIN);
    for (guint i = 0; i < relay->entrances->len; i++)
        add_polled(polled, g_array_index(relay->entrances, struct entrance, i).listen_fd, POLLIN);
    for (guint i = 0; i < relay->pairs->len; i++) {
        const struct pair *pair = g_ptr_array_index(relay->pairs, i);
        add_polled(polled, pair->mta, wanted(pair->held->len + pair->to_filter->len, pair->to_mta));
        add_polled(polled, pair->filter, wanted(pair->to_mta->len, pair->to_filter));
    }
    return polled;
}

static void serve_pairs(struct role_relay *relay, const struct pollfd *ready)
{
    for (guint i = relay->pairs->len; i-- > 0;) {
        struct pair *pair = g_ptr_array_index(relay->pairs, i);
        serve_pair(pair, ready[2 * i].revents, ready[2 * i + 1].revents);
        if (pair->broken)
            g_ptr_array_remove_index_fast(relay->pairs, i);
    }
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
        stopping = ready[0].revents != 0;
        serve_pairs(relay, ready + 1 + relay->entrances->len);
        for (guint i = 0; i < relay->entrances->len; i++)
            if (ready[1 + i].revents)
                accept_pair(relay, &g_array_index(relay->entrances, struct entrance, i));
    }
    return NULL;
}

static void relay_free(struct role_relay *relay)
{
    g_ptr_array_unref(relay->pairs);
    for (guint i = 0; i < relay->entrances->len; i++) {
        close(g_array_index(relay->entrances, struct entrance, i).listen_fd);
        g_free(g_array_index(relay->entrances, struct entrance, i).word);
    }
    g_array_unref(relay->entrances);
    if (relay->stop_fd >= 0)
        close(relay->stop_fd);
    g_free(relay->target);
    g_free(relay);
}

struct role_relay *role_relay_start(const struct role_socket *sockets, guint count, const char *target,
                                    GError **error)
{
    struct role_relay *relay = g_new0(struct role_relay, 1);
    relay->stop_fd = eventfd(0, EFD_CLOEXEC);
    relay->target = g_strdup(target);
    relay->entrances = g_array_new(FALSE, FALSE, sizeof(struct entrance));
    relay->pairs = g_ptr_array_new_with_free_func(pair_free);
    for (guint i = 0; i < count; i++) {
        struct entrance entrance = {
            .listen_fd = sockets[i].listen_fd, .name = sockets[i].name, .word = g_strdup(sockets[i].word)};
        g_array_append_val(relay->entrances, entrance);
    }
    if (relay->stop_fd >= 0 && pthread_create(&relay->thread, NULL, run, relay) == 0)
        return relay;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot serve the sockets of other roles: %s",
                g_strerror(errno));
    relay_free(relay);
    return NULL;
}

void role_relay_stop(struct role_relay *relay)
{
    if (!relay)
        return;
    eventfd_write(relay->stop_fd, 1);
    pthread_join(relay->thread, NULL);
    relay_free(relay);
}
