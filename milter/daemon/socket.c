#include "milter/daemon/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "milter/conf/log.h"

#define CONNECT_MS 5000
#define ACCEPT_PAUSE_US (250 * 1000)

static gboolean fail(GError **error, const char *what, const char *address)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot %s %s: %s%s", what, address,
                g_strerror(errno), errno == EADDRINUSE ? "; does another miji-milter run?" : "");
    return FALSE;
}

const char *socket_path(const char *address)
{
    if (g_str_has_prefix(address, "unix:"))
        return address + 5;
    return address[0] == '/' ? address : NULL;
}

void socket_make_folder(const char *address, uid_t owner)
{
    const char *path = socket_path(address);
    if (!path || geteuid() != 0)
        return;
    g_autofree char *folder = g_path_get_dirname(path);
    if (mkdir(folder, 0755) == 0 && lchown(folder, owner, (gid_t)-1) != 0)
        rmdir(folder);
}

/* Fills an address structure; FALSE with errno set. */
static gboolean resolve(const char *address, struct sockaddr_storage *to, socklen_t *length)
{
    memset(to, 0, sizeof *to);
    const char *path = socket_path(address);
    if (path) {
        struct sockaddr_un *un = (struct sockaddr_un *)to;
        if (strlen(path) >= sizeof un->sun_path) {
            errno = ENAMETOOLONG;
            return FALSE;
        }
        un->sun_family = AF_UNIX;
        g_strlcpy(un->sun_path, path, sizeof un->sun_path);
        *length = sizeof *un;
        return TRUE;
    }
    const char *at = strchr(address, '@'), *colon = strchr(address, ':');
    if (!at || !colon || colon > at) {
        errno = EINVAL;
        return FALSE;
    }
    g_autofree char *port = g_strndup(colon + 1, (gsize)(at - colon - 1));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found = NULL;
    if (getaddrinfo(at + 1, port, &hints, &found) != 0 || !found) {
        errno = EADDRNOTAVAIL;
        return FALSE;
    }
    memcpy(to, found->ai_addr, found->ai_addrlen);
    *length = found->ai_addrlen;
    freeaddrinfo(found);
    return TRUE;
}

/* 0 when somebody listens there, else errno. A full queue is somebody's, too. */
static int try_connect(const char *address)
{
    struct sockaddr_storage to;
    socklen_t length;
    if (!resolve(address, &to, &length))
        return errno;
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int problem = fd >= 0 && connect(fd, (struct sockaddr *)&to, length) == 0 ? 0 : errno;
    if (fd >= 0)
        close(fd);
    return problem == EAGAIN ? 0 : problem;
}

gboolean socket_clear(const char *address, GError **error)
{
    const char *path = socket_path(address);
    struct stat st;
    if (!path || lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return TRUE;
    errno = try_connect(address);
    if (errno == ENOENT || (errno == ECONNREFUSED && unlink(path) == 0))
        return TRUE;
    if (errno == 0)
        errno = EADDRINUSE;
    return fail(error, "listen on", address);
}

int socket_listen(const char *address, GError **error)
{
    struct sockaddr_storage to;
    socklen_t length;
    int fd = -1, one = 1;
    if (!socket_clear(address, error))
        return -1;
    if (resolve(address, &to, &length)) {
        fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && to.ss_family != AF_UNIX)
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&to, length) == 0 && listen(fd, 64) == 0)
            return fd;
    }
    fail(error, "listen on", address);
    if (fd >= 0)
        close(fd);
    return -1;
}

int socket_connect(const char *address, GError **error)
{
    struct sockaddr_storage to;
    socklen_t length;
    int fd = -1;
    if (resolve(address, &to, &length)) {
        fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&to, length) == 0)
            return fd;
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        int problem = 0;
        socklen_t size = sizeof problem;
        if (fd >= 0 && errno == EINPROGRESS && poll(&waiting, 1, CONNECT_MS) == 1 &&
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0) {
            if (problem == 0)
                return fd;
            errno = problem;
        }
    }
    fail(error, "connect to", address);
    if (fd >= 0)
        close(fd);
    return -1;
}

int socket_accept(int listen_fd, int flags)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | flags);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        log_line(LOG_LEVEL_WARNING, "cannot accept a connection: %s", g_strerror(errno));
        g_usleep(ACCEPT_PAUSE_US);
    }
    return fd;
}

struct socket_making socket_making_begin(const struct listener *listener)
{
    const struct group *group = listener->group ? getgrnam(listener->group) : NULL;
    struct socket_making before = {.umask = umask(0777 & ~listener->mode), .group = getegid()};
    if (group && geteuid() == 0 && setegid(group->gr_gid) != 0)
        umask(0777); /* then nobody, until socket_grant */
    return before;
}

void socket_making_end(struct socket_making before)
{
    umask(before.umask);
    if (before.group != getegid() && setegid(before.group) != 0)
        g_error("setegid: %s", g_strerror(errno));
}

/* The folder may be somebody's who puts a link in the place of the socket: what is granted is the socket or
 * nothing. */
static gboolean grant(const char *path, uid_t owner, gid_t group, mode_t mode)
{
    struct stat st;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return FALSE;
    g_autofree char *itself = g_strdup_printf("/proc/self/fd/%d", fd);
    gboolean is_socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
    gboolean done =
        is_socket && fchownat(fd, "", owner, group, AT_EMPTY_PATH) == 0 && chmod(itself, mode) == 0;
    int problem = is_socket ? errno : ENOTSOCK;
    close(fd);
    errno = problem;
    return done;
}

gboolean socket_grant(const struct listener *listener, uid_t owner, GError **error)
{
    const char *path = socket_path(listener->address);
    if (!path)
        return TRUE;
    gid_t group = (gid_t)-1;
    if (listener->group) {
        const struct group *found = getgrnam(listener->group);
        if (!found) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "there is no group %s for %s",
                        listener->group, listener->address);
            return FALSE;
        }
        group = found->gr_gid;
    }
    if (grant(path, geteuid() == 0 ? owner : (uid_t)-1, group, listener->mode))
        return TRUE;
    if (errno == EPERM && listener->group) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PERM,
                    "cannot give %s to group %s: the user that Miji runs as must be in that group "
                    "(adduser USER %s)",
                    listener->address, listener->group, listener->group);
        return FALSE;
    }
    return fail(error, "set owner and mode of", listener->address);
}
