#include "milter/inspect/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_DESCRIPTORS 4
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int packet_send(int fd, const struct packet *packet, int flags)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } ancillary;
    struct iovec pieces[2] = {{(gpointer)packet->head, packet->head_length},
                              {(gpointer)packet->body, packet->length}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = packet->length > 0 ? 2 : 1};
    ssize_t sent;

    if (packet->passed >= 0) {
        memset(&ancillary, 0, sizeof ancillary);
        message.msg_control = &ancillary;
        message.msg_controllen = sizeof ancillary;
        ancillary.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof packet->passed), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&ancillary.header), &packet->passed, sizeof packet->passed);
    }
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

/* The first descriptor that came, the others closed. */
static int take_descriptor(struct msghdr *message)
{
    int first = -1;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (gsize at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
            if (first < 0)
                first = fd;
            else
                close(fd);
        }
    }
    return first;
}

gssize packet_receive(int fd, struct packet_room *room, int flags)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } ancillary;
    struct iovec pieces[2] = {{room->head, room->head_length}, {room->body, room->most}};
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = room->most > 0 ? 2 : 1,
                             .msg_control = &ancillary,
                             .msg_controllen = sizeof ancillary};
    ssize_t got;

    room->passed = -1;
    do {
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -1;
    room->passed = take_descriptor(&message);
    if ((message.msg_flags & MSG_TRUNC) == 0)
        return got;
    if (room->passed >= 0)
        close(room->passed);
    room->passed = -1;
    errno = EMSGSIZE;
    return -1;
}

static gboolean write_all(int fd, const char *octets, gsize length)
{
    while (length > 0) {
        ssize_t written = write(fd, octets, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return FALSE;
        octets += written;
        length -= written;
    }
    return TRUE;
}

int packet_seal(gconstpointer octets, gsize length)
{
    int fd = memfd_create("miji", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

    if (fd < 0)
        return -1;
    if (write_all(fd, octets, length) && fcntl(fd, F_ADD_SEALS, ALL_SEALS) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

gpointer packet_map_sealed(int fd, gsize length)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat status;
    gpointer map;

    if (seals < 0 || (seals & ALL_SEALS) != ALL_SEALS || fstat(fd, &status) != 0)
        return NULL;
    if (!S_ISREG(status.st_mode) || status.st_size < 0 || (guint64)status.st_size != length || length == 0)
        return NULL;
    map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    return map != MAP_FAILED ? map : NULL;
}
