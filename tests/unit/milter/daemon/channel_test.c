#include "milter/daemon/channel.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_word_limits_descriptor(void)
{
    int ends[2], pipe_ends[2];
    char octet = 0;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), ==, 0);
    g_assert_cmpint(pipe(pipe_ends), ==, 0);
    struct channel_message sent = {.word = CHANNEL_INSPECTOR, .limits.parts = 77, .fd = pipe_ends[0]};
    g_assert_true(channel_send(ends[0], &sent));
    struct channel_message got = channel_receive(ends[1]);
    g_assert_cmpint(got.word, ==, CHANNEL_INSPECTOR);
    g_assert_cmpuint(got.limits.parts, ==, 77);
    g_assert_cmpint(got.fd, >=, 0);
    g_assert_cmpint(write(pipe_ends[1], "!", 1), ==, 1);
    g_assert_cmpint(read(got.fd, &octet, 1), ==, 1);
    g_assert_cmpint(octet, ==, '!');
    close(got.fd);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void test_nothing_nonsense_closed(void)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), ==, 0);
    g_assert_cmpint(channel_receive(ends[1]).word, ==, CHANNEL_NOTHING);
    g_assert_cmpint(send(ends[0], "nonsense", 8, 0), ==, 8);
    g_assert_cmpint(channel_receive(ends[1]).word, ==, CHANNEL_NOTHING);
    struct channel_message unknown = {.word = (enum channel_word)'?', .fd = -1};
    g_assert_true(channel_send(ends[0], &unknown));
    g_assert_cmpint(channel_receive(ends[1]).word, ==, CHANNEL_NOTHING);
    close(ends[0]);
    g_assert_cmpint(channel_receive(ends[1]).word, ==, CHANNEL_CLOSED);
    g_assert_false(channel_send(ends[1], &unknown));
    close(ends[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/channel/message", test_word_limits_descriptor);
    g_test_add_func("/channel/nonsense", test_nothing_nonsense_closed);
    return g_test_run();
}
