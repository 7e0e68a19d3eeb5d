/* The store key: what is taken for one, and how one is made. Most is asked of key_file_fault, since only root
 * can give files away; what can be done as anybody is done with files. */
#include "milter/conf/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READER ((uid_t)4711)
#define OTHER ((uid_t)4712)

/* What was synced, in order: 'f' a file that is a key, 'd' a folder, '?' anything else; the one of number
 * `sync_fails` (from 1) fails. */
static char synced[8];
static guint sync_fails;

int fsync(int fd)
{
    gsize count = strlen(synced);
    struct stat status;
    int looked = fstat(fd, &status);

    if (count + 1 < sizeof synced)
        synced[count] = looked != 0                                                         ? '?'
                        : S_ISDIR(status.st_mode)                                           ? 'd'
                        : status.st_size == STORE_KEY_BYTES && status.st_mode % 512 == 0400 ? 'f'
                                                                                            : '?';
    if (count + 1 == sync_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static void watch_syncs(guint fails)
{
    memset(synced, '\0', sizeof synced);
    sync_fails = fails;
}

struct fixture {
    char *folder, *path;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("conf-key-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->folder, "store.key", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    g_unlink(f->path);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

static void write_key(const struct fixture *f, gsize length, mode_t mode)
{
    guint8 bytes[STORE_KEY_BYTES + 1];
    g_autoptr(GError) error = NULL;

    memset(bytes, 'k', sizeof bytes);
    bytes[3] = '\0';
    bytes[4] = '\n';
    g_assert_cmpuint(length, <=, sizeof bytes);
    g_file_set_contents(f->path, (const char *)bytes, (gssize)length, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(f->path, (int)mode), ==, 0);
}

/* NULL when it was read. */
static char *refusal(const char *path)
{
    guint8 key[STORE_KEY_BYTES];
    g_autoptr(GError) error = NULL;

    if (key_file_read(path, key, &error)) {
        g_assert_no_error(error);
        return NULL;
    }
    g_assert_nonnull(error);
    return g_strdup(error != NULL ? error->message : "");
}

static void is_refused(const char *path, const char *why)
{
    g_autofree char *said = refusal(path);

    if (said == NULL || strstr(said, why) == NULL)
        g_test_message("\"%s\", not \"%s\"", said != NULL ? said : "(taken)", why);
    g_assert_nonnull(said);
    g_assert_true(said != NULL && strstr(said, why) != NULL);
}

static void test_faults(void)
{
    static const struct {
        mode_t mode;
        uid_t owner;
        off_t size;
        enum key_fault wanted;
    } cases[] = {
        {S_IFREG | 0400, READER, 32, KEY_GOOD},      {S_IFREG | 0600, READER, 32, KEY_GOOD},
        {S_IFREG | 0600, OTHER, 32, KEY_OWNER},      {S_IFREG | 0400, 0, 32, KEY_UNREADABLE},
        {S_IFREG | 0600, 0, 32, KEY_UNREADABLE},     {S_IFREG | 0440, 0, 32, KEY_RIGHTS},
        {S_IFREG | 0640, READER, 32, KEY_RIGHTS},    {S_IFREG | 0404, READER, 32, KEY_RIGHTS},
        {S_IFREG | 0700, READER, 32, KEY_RIGHTS},    {S_IFREG | 0000, READER, 32, KEY_RIGHTS},
        {S_IFREG | 04400, READER, 32, KEY_RIGHTS},   {S_IFREG | 0400, READER, 31, KEY_LENGTH},
        {S_IFREG | 0400, READER, 33, KEY_LENGTH},    {S_IFREG | 0400, READER, 0, KEY_LENGTH},
        {S_IFDIR | 0400, READER, 32, KEY_NOT_PLAIN}, {S_IFLNK | 0777, READER, 32, KEY_NOT_PLAIN},
        {S_IFIFO | 0400, READER, 32, KEY_NOT_PLAIN},
    };

    g_unsetenv("CREDENTIALS_DIRECTORY");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct stat status = {.st_mode = cases[i].mode, .st_uid = cases[i].owner, .st_size = cases[i].size};
        g_assert_cmpint(key_file_fault("/etc/miji/store.key", &status, READER), ==, cases[i].wanted);
    }
    /* root reads what is its own */
    struct stat own = {.st_mode = S_IFREG | 0400, .st_uid = 0, .st_size = 32};
    g_assert_cmpint(key_file_fault("/etc/miji/store.key", &own, 0), ==, KEY_GOOD);
}

/* What systemd gives by an ACL looks as if a group might read it; only in its own folder is that believed. */
static void test_credential(void)
{
    struct stat acl = {.st_mode = S_IFREG | 0440, .st_uid = 0, .st_size = 32};
    struct stat wide = {.st_mode = S_IFREG | 0444, .st_uid = 0, .st_size = 32};

    g_setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x.service", TRUE);
    g_autofree char *path = key_credential_path("store");
    g_assert_cmpstr(path, ==, "/run/credentials/x.service/store");
    g_assert_cmpint(key_file_fault(path, &acl, READER), ==, KEY_GOOD);
    g_assert_cmpint(key_file_fault(path, &wide, READER), ==, KEY_RIGHTS);
    g_assert_cmpint(key_file_fault("/run/credentials/x.service/deeper/store", &acl, READER), ==, KEY_RIGHTS);
    g_assert_cmpint(key_file_fault("/run/credentials/miji.service/store", &acl, READER), ==, KEY_RIGHTS);
    g_assert_cmpint(key_file_fault("/etc/miji/store", &acl, READER), ==, KEY_RIGHTS);
    g_unsetenv("CREDENTIALS_DIRECTORY");
    g_autofree char *of_unit = key_credential_path("store");
    g_assert_cmpstr(of_unit, ==, "/run/credentials/miji.service/store");
    g_assert_cmpint(key_file_fault(of_unit, &acl, READER), ==, KEY_GOOD);
    g_assert_cmpint(key_file_fault(path, &acl, READER), ==, KEY_RIGHTS);
}

static void test_read(struct fixture *f, gconstpointer data)
{
    guint8 key[STORE_KEY_BYTES], wanted[STORE_KEY_BYTES];
    g_autoptr(GError) error = NULL;

    memset(wanted, 'k', sizeof wanted);
    wanted[3] = '\0';
    wanted[4] = '\n';
    write_key(f, STORE_KEY_BYTES, 0400);
    g_assert_true(key_file_read(f->path, key, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(key, sizeof key, wanted, sizeof wanted);
    write_key(f, STORE_KEY_BYTES, 0600);
    g_assert_true(key_file_read(f->path, key, &error));
    g_assert_no_error(error);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
    static const mode_t modes[] = {0440, 0640, 0604, 0660, 0644, 0500};

    is_refused(f->path, "cannot be opened: No such file or directory");
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        write_key(f, STORE_KEY_BYTES, modes[i]);
        is_refused(f->path, "has another mode than 0400 or 0600");
    }
    write_key(f, STORE_KEY_BYTES - 1, 0400);
    is_refused(f->path, "has not 32 octets");
    write_key(f, STORE_KEY_BYTES + 1, 0400);
    is_refused(f->path, "has not 32 octets");
    is_refused(f->folder, "is no plain file");
    g_assert_cmpint(g_unlink(f->path), ==, 0);
    g_assert_cmpint(mkfifo(f->path, 0400), ==, 0);
    is_refused(f->path, "is no plain file"); /* and does not wait for a writer */
}

static void test_link(struct fixture *f, gconstpointer data)
{
    g_autofree char *target = g_build_filename(f->folder, "target", NULL);

    write_key(f, STORE_KEY_BYTES, 0400);
    g_assert_cmpint(g_rename(f->path, target), ==, 0);
    g_assert_null(refusal(target));
    g_assert_cmpint(symlink(target, f->path), ==, 0);
    is_refused(f->path, "is no plain file");
    g_assert_cmpint(g_unlink(target), ==, 0);
}

static void test_somebody_elses(struct fixture *f, gconstpointer data)
{
    write_key(f, STORE_KEY_BYTES, 0400);
    if (geteuid() == 0) {
        g_assert_cmpint(chown(f->path, OTHER, (gid_t)-1), ==, 0);
        is_refused(f->path, "belongs to somebody else");
    } else {
        struct stat status;
        g_assert_cmpint(lstat(f->path, &status), ==, 0);
        g_assert_cmpint(key_file_fault(f->path, &status, geteuid() + 1), ==, KEY_OWNER);
    }
}

static void test_new(struct fixture *f, gconstpointer data)
{
    g_autofree char *second = g_build_filename(f->folder, "second.key", NULL);
    guint8 key[STORE_KEY_BYTES], other[STORE_KEY_BYTES];
    g_autoptr(GError) error = NULL;
    mode_t mask = umask(0);
    struct stat status;

    watch_syncs(0);
    g_assert_true(key_file_write_new(f->path, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(synced, ==, "fd"); /* the whole file, then its name */
    g_assert_cmpint(stat(f->path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0400);
    umask(0777);
    g_assert_true(key_file_write_new(second, &error));
    g_assert_no_error(error);
    umask(mask);
    g_assert_true(key_file_read(f->path, key, &error));
    g_assert_true(key_file_read(second, other, &error));
    g_assert_no_error(error);
    g_assert_true(memcmp(key, other, sizeof key) != 0);
    g_assert_cmpint(g_unlink(second), ==, 0);
}

/* Whatever is there stays what it is: a key, a link to nowhere, a folder. */
static void test_never_over(struct fixture *f, gconstpointer data)
{
    g_autofree char *nowhere = g_build_filename(f->folder, "nowhere", NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;

    write_key(f, STORE_KEY_BYTES, 0600);
    g_assert_false(key_file_write_new(f->path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_clear_error(&error);
    g_assert_true(g_file_get_contents(f->path, &text, &length, NULL));
    g_assert_cmpuint(length, ==, STORE_KEY_BYTES);
    g_assert_cmpint(text[0], ==, 'k');
    g_assert_cmpint(g_unlink(f->path), ==, 0);
    g_assert_cmpint(symlink(nowhere, f->path), ==, 0);
    g_assert_false(key_file_write_new(f->path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_clear_error(&error);
    g_assert_false(g_file_test(nowhere, G_FILE_TEST_EXISTS));
    g_assert_false(key_file_write_new(f->folder, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
}

static void fails_and_leaves_nothing(struct fixture *f, const char *why)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(key_file_write_new(f->path, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error != NULL ? error->message : "", why));
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

/* A key that may not last, or could not be written whole, is none: nothing stays behind that looks like one.
 */
static void test_not_whole(struct fixture *f, gconstpointer data)
{
    g_autofree char *deep = g_build_filename(f->folder, "none", "store.key", NULL);
    g_autoptr(GError) error = NULL;
    struct rlimit before, small;

    g_assert_false(key_file_write_new(deep, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    watch_syncs(1);
    fails_and_leaves_nothing(f, "cannot be written: Input/output error");
    watch_syncs(2);
    fails_and_leaves_nothing(f, "cannot be made to last: Input/output error");
    watch_syncs(0);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    small = before;
    small.rlim_cur = STORE_KEY_BYTES / 2;
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    fails_and_leaves_nothing(f, "cannot be written: File too large");
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    signal(SIGXFSZ, SIG_DFL);
}

#define ADD(path, function) g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/conf/key-file/faults", test_faults);
    g_test_add_func("/conf/key-file/credential", test_credential);
    ADD("/conf/key-file/read", test_read);
    ADD("/conf/key-file/refused", test_refused);
    ADD("/conf/key-file/link", test_link);
    ADD("/conf/key-file/somebody-elses", test_somebody_elses);
    ADD("/conf/key-file/new", test_new);
    ADD("/conf/key-file/never-over", test_never_over);
    ADD("/conf/key-file/not-whole", test_not_whole);
    return g_test_run();
}
