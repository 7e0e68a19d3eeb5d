#include "tests/support/liars.h"

#include <sys/socket.h>
#include <unistd.h>

#include "milter/inspect/packet.h"
#include "milter/inspect/reader.h"

static void add(struct liars *liars, int control_fd, guint64 number)
{
    static const char nonsense[] = "no";
    struct control message = {PACKET_MAGIC, CONTROL_WORKER, number};
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    packet_send(control_fd, &(struct packet){&message, sizeof message, NULL, 0, ends[0]}, 0);
    packet_send(ends[1], &(struct packet){nonsense, 2, NULL, 0, -1}, 0);
    close(ends[0]);
    g_array_append_val(liars->fds, ends[1]);
}

void liars_begin(struct liars *liars, guint count)
{
    struct inspect_limits limits;
    int control[2];

    inspect_limits_init(&limits);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), ==, 0);
    liars->inspector = inspector_new(control[0], &limits);
    liars->fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_append_val(liars->fds, control[1]);
    for (guint i = 0; i < count; i++)
        add(liars, control[1], i);
}

void liars_end(struct liars *liars)
{
    inspector_free(liars->inspector);
    for (guint i = 0; i < liars->fds->len; i++)
        close(g_array_index(liars->fds, int, i));
    g_array_unref(liars->fds);
}
