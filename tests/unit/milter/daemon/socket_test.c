#include "milter/daemon/socket.h"

#include <glib/gstdio.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* A place below a folder of our own. */
static char *place(void)
{
    g_autofree char *folder = g_dir_make_tmp("miji-socket-XXXXXX", NULL);
    return g_strdup_printf("unix:%s/s", folder);
}

static void leave(const char *address)
{
    g_autofree char *folder = g_path_get_dirname(socket_path(address));
    g_unlink(socket_path(address));
    g_rmdir(folder);
}

static gboolean answers(const char *address)
{
    int fd = socket_connect(address, NULL);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Who comes second is told so, and the first one goes on. */
static void test_one_that_serves_is_left_alone(void)
{
    g_autofree char *address = place();
    g_autoptr(GError) error = NULL, cleared = NULL;
    int first = socket_listen(address, NULL);
    g_assert_cmpint(first, >=, 0);
    g_assert_cmpint(socket_listen(address, &error), ==, -1);
    g_assert_nonnull(error);
    g_assert_true(g_str_has_suffix(error->message, "Address already in use; does another miji-milter run?"));
    g_assert_false(socket_clear(address, &cleared));
    g_assert_nonnull(cleared);
    g_assert_true(answers(address));
    close(first);
    leave(address);
}

/* A daemon that was stopped for a while does not answer: that is not death. */
static void test_full_queue_is_not_death(void)
{
    g_autofree char *address = place();
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) waiting = g_array_new(FALSE, FALSE, sizeof(int));
    int first = socket_listen(address, NULL), fd;
    g_assert_cmpint(first, >=, 0);
    while ((fd = socket_connect(address, NULL)) >= 0 && waiting->len < 4096)
        g_array_append_val(waiting, fd);
    g_assert_cmpint(fd, ==, -1);
    g_assert_cmpint(socket_listen(address, &error), ==, -1);
    g_assert_nonnull(error);
    g_assert_true(g_file_test(socket_path(address), G_FILE_TEST_EXISTS));
    for (guint i = 0; i < waiting->len; i++)
        close(g_array_index(waiting, int, i));
    close(first);
    leave(address);
}

static void test_what_a_dead_one_left_is_replaced(void)
{
    g_autofree char *address = place();
    g_autoptr(GError) error = NULL;
    close(socket_listen(address, NULL));
    g_assert_true(g_file_test(socket_path(address), G_FILE_TEST_EXISTS));
    int fd = socket_listen(address, &error);
    g_assert_no_error(error);
    g_assert_true(answers(address));
    close(fd);
    leave(address);
}

/* Root grants in a folder of the daemon's user, who may have been taken over. */
static void test_nothing_is_granted_through_a_link(void)
{
    g_autofree char *address = place();
    g_autoptr(GError) error = NULL;
    g_autofree char *target = g_strconcat(socket_path(address), ".target", NULL);
    struct listener *listener = listener_new(address, ROLE_SMTP);
    struct stat st;
    listener->mode = 0666;
    g_assert_true(g_file_set_contents(target, "", 0, NULL));
    g_assert_cmpint(chmod(target, 0600), ==, 0);
    g_assert_cmpint(symlink(target, socket_path(address)), ==, 0);
    g_assert_false(socket_grant(listener, 65534, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(stat(target, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpuint(st.st_uid, ==, geteuid());
    g_unlink(target);
    leave(address);
    listener_free(listener);
}

/* A socket cannot be given to a group in which one is not: the unit of systemd starts as user miji. */
static void grant_as_nobody(const struct listener *listener)
{
    g_autoptr(GError) error = NULL;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
        _exit(2);
    gboolean granted = socket_grant(listener, 65534, &error);
    _exit(!granted && strstr(error->message, " to group root: ") != NULL ? 0 : 1);
}

static void test_group_of_others(void)
{
    g_autofree char *address = place();
    struct listener *listener = listener_new(address, ROLE_SMTP);
    g_autofree char *folder = g_path_get_dirname(socket_path(address));
    int fd = socket_listen(address, NULL), status = -1;
    g_assert_cmpint(chmod(folder, 0755), ==, 0);
    listener->mode = 0660;
    listener->group = g_strdup("root");
    if (geteuid() == 0) /* its owner may set its mode, and not this group */
        g_assert_cmpint(chown(socket_path(address), 65534, 65534), ==, 0);
    pid_t child = fork();
    if (child == 0)
        grant_as_nobody(listener);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    close(fd);
    leave(address);
    listener_free(listener);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/socket/made-as-written", test_made_as_written);
    g_test_add_func("/socket/one-that-serves", test_one_that_serves_is_left_alone);
    g_test_add_func("/socket/full-queue", test_full_queue_is_not_death);
    g_test_add_func("/socket/dead", test_what_a_dead_one_left_is_replaced);
    g_test_add_func("/socket/group-of-others", test_group_of_others);
    g_test_add_func("/socket/link", test_nothing_is_granted_through_a_link);
    return g_test_run();
}
