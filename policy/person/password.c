#include "policy/person/password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/person/directory.h"
#include "policy/person/limits.h"

static gboolean fail(const char *path, const char *problem, GError **error)
{
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE, "%s: %s", path, problem);
    return FALSE;
}

gboolean secret_file_check(int fd, const char *path, GError **error)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return fail(path, g_strerror(errno), error);
    if (!S_ISREG(status.st_mode))
        return fail(path, "is no regular file", error);
    /* root, who asks with the daemon's configuration, reads what belongs to the daemon's user */
    if (status.st_uid != 0 && geteuid() != 0 && status.st_uid != geteuid())
        return fail(path, "belongs to neither root nor the user that reads it", error);
    if ((status.st_mode & 027) != 0)
        return fail(path, "others may read or write it (chmod 0640 or less)", error);
    return TRUE;
}

static gboolean cut(char *text, gsize length, const char *path, GError **error)
{
    if (memchr(text, '\0', length) != NULL)
        return fail(path, "has a NUL octet", error);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    return length > 0 || fail(path, "is empty", error);
}

char *password_read(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text = NULL;
    gssize length = 0;
    gboolean good;

    if (fd < 0) {
        fail(path, g_strerror(errno), error);
        return NULL;
    }
    good = secret_file_check(fd, path, error);
    if (good) {
        text = g_malloc0(PASSWORD_MAX_BYTES + 2);
        length = read(fd, text, PASSWORD_MAX_BYTES + 1);
        good = length >= 0 || fail(path, g_strerror(errno), error);
        good = good && (length <= PASSWORD_MAX_BYTES || fail(path, "is too long for a password", error));
        good = good && cut(text, (gsize)length, path, error);
    }
    close(fd);
    if (good)
        return text;
    if (text != NULL)
        explicit_bzero(text, PASSWORD_MAX_BYTES + 2);
    g_free(text);
    return NULL;
}

void password_free(char *password)
{
    if (password == NULL)
        return;
    explicit_bzero(password, strlen(password));
    g_free(password);
}
