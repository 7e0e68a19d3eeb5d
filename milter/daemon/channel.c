#include "milter/daemon/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "milter/daemon/queue_id.h"

struct packet {
    guint32 word, number, answer;
    char queue_id[LIMIT_QUEUE_ID + 1];
    struct inspect_limits limits;
};

gboolean channel_send(int channel, const struct channel_message *message)
{
    struct packet packet;
    memset(&packet, 0, sizeof packet); /* padding is sent, too */
    packet.word = message->word;
    packet.limits = message->limits;
    packet.number = message->number;
    packet.answer = message->answer;
    g_strlcpy(packet.queue_id, message->queue_id, sizeof packet.queue_id);
    struct iovec part = {.iov_base = &packet, .iov_len = sizeof packet};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (message->fd >= 0) {
        header.msg_control = control.space;
        header.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &message->fd, sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof packet;
}

static gboolean is_known(guint32 word)
{
    return word == CHANNEL_UP || word == CHANNEL_RELOAD || word == CHANNEL_DRAIN ||
           word == CHANNEL_INSPECTOR || word == CHANNEL_ASK || word == CHANNEL_TOLD;
}

static void take(struct channel_message *message, const struct packet *packet)
{
    message->word = packet->word;
    message->limits = packet->limits;
    message->number = packet->number;
    message->answer = packet->answer < POSTFIX_SILENT ? packet->answer : POSTFIX_SILENT;
    if (memchr(packet->queue_id, '\0', sizeof packet->queue_id) && queue_id_is_of_postfix(packet->queue_id))
        g_strlcpy(message->queue_id, packet->queue_id, sizeof message->queue_id);
}

struct channel_message channel_receive(int channel)
{
    struct channel_message message = {.word = CHANNEL_NOTHING, .fd = -1};
    struct packet packet;
    struct iovec part = {.iov_base = &packet, .iov_len = sizeof packet};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.space,
                            .msg_controllen = sizeof control.space};
    ssize_t got = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        message.word = CHANNEL_CLOSED;
    if (got <= 0)
        return message;
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(&message.fd, CMSG_DATA(c), sizeof(int));
    if (got == (ssize_t)sizeof packet && is_known(packet.word))
        take(&message, &packet);
    return message;
}
