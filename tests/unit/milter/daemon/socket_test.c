#include "milter/daemon/socket.h"

#include <glib/gstdio.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

/* Mode and group are right from the first moment, not only behind socket_grant. */
static void test_made_as_written(void)
{
    g_autofree char *folder = g_dir_make_tmp("miji-socket-XXXXXX", NULL);
    g_autofree char *address = g_strdup_printf("unix:%s/s", folder);
    struct listener *listener = listener_new(address, ROLE_SMTP);
    const struct group *group = getgrnam("nogroup");
    mode_t umask_before = umask(0027);
    gid_t group_before = getegid();
    struct stat st;

    g_assert_nonnull(group);
    listener->group = g_strdup("nogroup");
    listener->mode = 0620;
    struct socket_making before = socket_making_begin(listener);
    int fd = socket_listen(address, NULL);
    socket_making_end(before);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(stat(socket_path(address), &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0620);
    g_assert_cmpuint(st.st_gid, ==, geteuid() == 0 ? group->gr_gid : group_before);
    g_assert_cmpuint(getegid(), ==, group_before);
    g_assert_cmpint(umask(umask_before), ==, 0027);
    close(fd);
    g_unlink(socket_path(address));
    g_rmdir(folder);
    listener_free(listener);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/socket/made-as-written", test_made_as_written);
    return g_test_run();
}
