#include "milter/conf/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Where systemd puts the credentials of the unit (systemd.exec(5)); root sees them there, too. */
#define CREDENTIALS_OF_THE_UNIT "/run/credentials/miji.service"

static const char *credentials_folder(void)
{
    const char *folder = g_getenv("CREDENTIALS_DIRECTORY");

    return folder != NULL ? folder : CREDENTIALS_OF_THE_UNIT;
}

char *key_credential_path(const char *name)
{
    return g_build_filename(credentials_folder(), name, NULL);
}

static gboolean is_credential(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return strcmp(folder, credentials_folder()) == 0;
}

enum key_fault key_file_fault(const char *path, const struct stat *status, uid_t reader)
{
    mode_t mode = status->st_mode & 07777;

    if (!S_ISREG(status->st_mode))
        return KEY_NOT_PLAIN;
    if (status->st_uid != 0 && status->st_uid != reader)
        return KEY_OWNER;
    /* systemd gives a credential to the user of the service by an ACL, whose mask shows as rights of a group.
     */
    if (mode != 0400 && mode != 0600 && !(mode == 0440 && is_credential(path)))
        return KEY_RIGHTS;
    if (status->st_uid != reader && mode != 0440)
        return KEY_UNREADABLE;
    return status->st_size == STORE_KEY_BYTES ? KEY_GOOD : KEY_LENGTH;
}

static gboolean fail(GError **error, const char *path, const char *why)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the key %s %s", path, why);
    return FALSE;
}

static gboolean fail_errno(GError **error, const char *path, const char *what)
{
    int number = errno;

    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(number), "the key %s cannot be %s: %s", path,
                what, g_strerror(number));
    return FALSE;
}

static gboolean is_good(const char *path, const struct stat *status, GError **error)
{
    switch (key_file_fault(path, status, geteuid())) {
    case KEY_GOOD:
        return TRUE;
    case KEY_NOT_PLAIN:
        return fail(error, path, "is no plain file");
    case KEY_OWNER:
        return fail(error, path, "belongs to somebody else");
    case KEY_RIGHTS:
        return fail(error, path, "has another mode than 0400 or 0600");
    case KEY_UNREADABLE:
        return fail(error, path, "belongs to root, and whoever is to use it may not read it");
    case KEY_LENGTH:
        return fail(error, path, "has not 32 octets");
    }
    g_assert_not_reached();
}

/* As many octets as were asked for, or FALSE with errno (0: the file ended). */
static gboolean read_all(int fd, guint8 *bytes, gsize length)
{
    while (length > 0) {
        ssize_t count = read(fd, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            errno = count == 0 ? ENODATA : errno;
            return FALSE;
        }
        bytes += count;
        length -= (gsize)count;
    }
    return TRUE;
}

static gboolean read_open(int fd, const char *path, guint8 key[STORE_KEY_BYTES], GError **error)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return fail_errno(error, path, "looked at");
    if (!is_good(path, &status, error))
        return FALSE;
    return read_all(fd, key, STORE_KEY_BYTES) || fail_errno(error, path, "read");
}

gboolean key_file_read(const char *path, guint8 key[STORE_KEY_BYTES], GError **error)
{
    /* Not blocking, so that a pipe in its place stops nobody; never through a link, which somebody else may
     * turn elsewhere. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && errno == ELOOP)
        return fail(error, path, "is no plain file");
    if (fd < 0)
        return fail_errno(error, path, "opened");
    gboolean good = read_open(fd, path, key, error);
    close(fd);
    return good;
}

static gboolean random_key(guint8 key[STORE_KEY_BYTES])
{
    /* Up to 256 octets come whole, once the kernel has entropy (getrandom(2)). */
    return getrandom(key, STORE_KEY_BYTES, 0) == STORE_KEY_BYTES;
}

static gboolean write_all(int fd, const guint8 *bytes, gsize length)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return FALSE;
        bytes += count;
        length -= (gsize)count;
    }
    return TRUE;
}

/* So that the name of the file is on the disk, too. */
static gboolean sync_folder(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return FALSE;
    gboolean good = fsync(fd) == 0;
    int number = errno;
    close(fd);
    errno = number;
    return good;
}

gboolean key_file_write_new(const char *path, GError **error)
{
    guint8 key[STORE_KEY_BYTES];

    if (!random_key(key))
        return fail_errno(error, path, "made");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (fd < 0) {
        explicit_bzero(key, sizeof key);
        return fail_errno(error, path, "made");
    }
    /* The mode does not depend on the umask, and half a key is no key. */
    gboolean good = fchmod(fd, 0400) == 0 && write_all(fd, key, sizeof key) && fsync(fd) == 0;
    explicit_bzero(key, sizeof key);
    if (!good)
        fail_errno(error, path, "written");
    close(fd);
    if (good && !sync_folder(path))
        good = fail_errno(error, path, "made to last");
    if (!good)
        unlink(path);
    return good;
}
