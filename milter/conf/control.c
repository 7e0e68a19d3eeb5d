#include "milter/conf/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Never waits: the queue of a daemon that was stopped is full one day, and would hold up whoever asks for
 * ever. */
static int control_connect(const char *address, GError **error)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = g_str_has_prefix(address, "unix:") ? address + 5 : address;
    int fd = strlen(path) < sizeof to.sun_path
                 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
                 : -1;
    g_strlcpy(to.sun_path, path, sizeof to.sun_path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", address, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads until the other side closes; FALSE when the time is over or the answer is too long. */
static gboolean read_answer(int fd, GString *answer, gint64 deadline_us)
{
    for (;;) {
        gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&waiting, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || answer->len > CONTROL_ANSWER_MAX) {
            errno = ready < 0 ? errno : ETIMEDOUT;
            return FALSE;
        }
        char octets[8192];
        ssize_t n = read(fd, octets, sizeof octets);
        if (n == 0)
            return TRUE;
        if (n > 0)
            g_string_append_len(answer, octets, n);
        else if (errno != EINTR && errno != EAGAIN)
            return FALSE;
    }
}

char *control_ask(const char *address, const char *request, gint64 timeout_ms, gboolean *ok, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + timeout_ms * 1000;
    int fd = control_connect(address, error);
    if (fd < 0)
        return NULL;
    g_autofree char *line = g_strconcat(request, "\n", NULL);
    GString *answer = g_string_new(NULL);
    gboolean got = send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line) &&
                   read_answer(fd, answer, deadline_us);
    int problem = errno;
    close(fd);
    char *end = got ? strchr(answer->str, '\n') : NULL;
    if (!end) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", address,
                    got ? "an answer that is none" : g_strerror(problem));
        g_string_free(answer, TRUE);
        return NULL;
    }
    *ok = g_str_has_prefix(answer->str, "ok\n");
    char *text = g_strdup(end + 1);
    g_string_free(answer, TRUE);
    return text;
}
