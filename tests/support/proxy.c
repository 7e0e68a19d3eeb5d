#include "tests/support/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 64
#define NO_STALL G_MAXUINT
#define CHUNK 16384

/* Octets of an answer on their way to the client. */
struct parcel {
    gint64 due_us;
    guint length;
    guint sent;
    char octets[CHUNK];
};

struct pair {
    int client, server;
    GQueue parcels; /* struct parcel * */
};

struct proxy {
    int listener, wake;
    guint port, target;
    pthread_t thread;
    pthread_mutex_t lock; /* guards everything below */
    guint delay_ms, stall_after, connections;
    gboolean cut, stop;
    struct pair pairs[MAX_PAIRS]; /* of the thread */
    guint count;
};

static int loopback(guint port, gboolean listening)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((guint16)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = listening ? bind(fd, (struct sockaddr *)&address, sizeof address)
                           : connect(fd, (struct sockaddr *)&address, sizeof address);

    if (result == 0 && (!listening || listen(fd, 64) == 0))
        return fd;
    close(fd);
    return -1;
}

static void close_pair(struct proxy *proxy, guint index)
{
    struct pair *pair = &proxy->pairs[index];

    close(pair->client);
    close(pair->server);
    g_queue_clear_full(&pair->parcels, g_free);
    *pair = proxy->pairs[--proxy->count];
}

static void accept_pair(struct proxy *proxy)
{
    int client = accept(proxy->listener, NULL, NULL);
    int server = client >= 0 ? loopback(proxy->target, FALSE) : -1;

    proxy->connections++;
    if (server < 0 || proxy->count == MAX_PAIRS) {
        close(client);
        close(server);
        return;
    }
    proxy->pairs[proxy->count] = (struct pair){.client = client, .server = server};
    g_queue_init(&proxy->pairs[proxy->count++].parcels);
}

/* FALSE: the connection is over. */
static gboolean pass_question(struct pair *pair)
{
    char octets[CHUNK];
    gssize length = recv(pair->client, octets, sizeof octets, 0);

    return length > 0 && send(pair->server, octets, (gsize)length, MSG_NOSIGNAL) == length;
}

static gboolean take_answer(struct proxy *proxy, struct pair *pair)
{
    struct parcel *parcel = g_new0(struct parcel, 1);
    gssize length = recv(pair->server, parcel->octets, sizeof parcel->octets, 0);

    if (length <= 0) {
        g_free(parcel);
        return FALSE;
    }
    parcel->length = (guint)length;
    parcel->due_us = g_get_monotonic_time() + proxy->delay_ms * 1000;
    g_queue_push_tail(&pair->parcels, parcel);
    return TRUE;
}

/* Sends what is due; ms until something is, or -1. */
static int pass_answers(struct proxy *proxy, struct pair *pair)
{
    struct parcel *parcel;

    while ((parcel = g_queue_peek_head(&pair->parcels)) != NULL && proxy->stall_after > 0) {
        gint64 left_us = parcel->due_us - g_get_monotonic_time();
        guint length = MIN(parcel->length - parcel->sent, proxy->stall_after);

        if (left_us > 0)
            return (int)(left_us / 1000) + 1;
        if (send(pair->client, parcel->octets + parcel->sent, length, MSG_NOSIGNAL) < 0)
            return -1; /* the next reading finds out */
        parcel->sent += length;
        if (proxy->stall_after != NO_STALL)
            proxy->stall_after -= length;
        if (parcel->sent == parcel->length)
            g_free(g_queue_pop_head(&pair->parcels));
    }
    return -1;
}

/* With the lock held. */
static int serve(struct proxy *proxy, struct pollfd *fds, guint pairs)
{
    int wait_ms = -1;

    for (guint i = pairs; i-- > 0;) {
        struct pair *pair = &proxy->pairs[i];

        if ((fds[2 + 2 * i].revents != 0 && !pass_question(pair)) ||
            (fds[3 + 2 * i].revents != 0 && !take_answer(proxy, pair)) || proxy->cut)
            close_pair(proxy, i);
    }
    proxy->cut = FALSE;
    if (fds[0].revents != 0)
        accept_pair(proxy);
    for (guint i = 0; i < proxy->count; i++) {
        int ms = pass_answers(proxy, &proxy->pairs[i]);

        if (ms >= 0 && (wait_ms < 0 || ms < wait_ms))
            wait_ms = ms;
    }
    return wait_ms;
}

static void *work(void *data)
{
    struct proxy *proxy = data;
    struct pollfd fds[2 + 2 * MAX_PAIRS];
    int wait_ms = -1;
    guint64 ignored;

    pthread_mutex_lock(&proxy->lock);
    while (!proxy->stop) {
        guint pairs = proxy->count;

        fds[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = proxy->wake, .events = POLLIN};
        for (guint i = 0; i < pairs; i++) {
            fds[2 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].client, .events = POLLIN};
            fds[3 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].server, .events = POLLIN};
        }
        pthread_mutex_unlock(&proxy->lock);
        poll(fds, 2 + 2 * pairs, wait_ms);
        if (fds[1].revents != 0 && read(proxy->wake, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
            g_error("proxy: read");
        pthread_mutex_lock(&proxy->lock);
        wait_ms = serve(proxy, fds, pairs);
    }
    while (proxy->count > 0)
        close_pair(proxy, 0);
    pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

struct proxy *proxy_new(guint target_port)
{
    struct proxy *proxy = g_new0(struct proxy, 1);
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    proxy->listener = loopback(0, TRUE);
    proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    proxy->target = target_port;
    proxy->stall_after = NO_STALL;
    getsockname(proxy->listener, (struct sockaddr *)&address, &length);
    proxy->port = ntohs(address.sin_port);
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_create(&proxy->thread, NULL, work, proxy);
    return proxy;
}

static void unlock_and_wake(struct proxy *proxy)
{
    guint64 one = 1;

    pthread_mutex_unlock(&proxy->lock);
    if (write(proxy->wake, &one, sizeof one) < 0)
        g_error("proxy: write");
}

void proxy_free(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->stop = TRUE;
    unlock_and_wake(proxy);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    close(proxy->wake);
    pthread_mutex_destroy(&proxy->lock);
    g_free(proxy);
}

guint proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

void proxy_delay(struct proxy *proxy, guint ms)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->delay_ms = ms;
    unlock_and_wake(proxy);
}

void proxy_stall_after(struct proxy *proxy, guint octets)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->stall_after = octets;
    unlock_and_wake(proxy);
}

void proxy_flow(struct proxy *proxy)
{
    proxy_stall_after(proxy, NO_STALL);
}

void proxy_cut(struct proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->cut = TRUE;
    unlock_and_wake(proxy);
}

guint proxy_connections(struct proxy *proxy)
{
    guint connections;

    pthread_mutex_lock(&proxy->lock);
    connections = proxy->connections;
    pthread_mutex_unlock(&proxy->lock);
    return connections;
}
