/* What this host must have; run as whoever builds. */
#include <glib/gstdio.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/conf_folder.h"

struct fixture {
    struct conf_folder *folder;
    char *user; /* whom the daemon runs as: ourselves, or nobody for root */
    char *state, *head;
    uid_t uid;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());

    f->folder = conf_folder_new();
    f->uid = user->pw_uid;
    f->user = g_strdup(user->pw_name);
    f->state = g_build_filename(f->folder->path, "state", NULL);
    f->head = g_strdup_printf("run as \"%s\"\nstate \"state\"\n", f->user);
    g_assert_cmpint(g_mkdir(f->state, 0700), ==, 0);
    g_assert_cmpint(chown(f->state, f->uid, (gid_t)-1), ==, 0);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    conf_folder_free(f->folder);
    g_free(f->user);
    g_free(f->state);
    g_free(f->head);
}

/* All diagnostics of head + rest + CONF_BASE. */
static char *said(struct fixture *f, const char *head, const char *rest)
{
    g_autofree char *text = g_strconcat(head, rest, CONF_SCHEME CONF_ZONES, NULL);
    char *rendered = NULL;

    snapshot_unref(conf_folder_load(f->folder, text, SNAPSHOT_NO_DIRECTORY, NULL, &rendered));
    return rendered;
}

static void says(const char *rendered, const char *part)
{
    if (strstr(rendered, part) == NULL)
        g_test_message("no \"%s\" in: %s", part, rendered);
    g_assert_nonnull(strstr(rendered, part));
}

static void test_right(struct fixture *f, gconstpointer data)
{
    g_autofree char *rendered = said(f, f->head, CONF_DIRECTORY);

    g_assert_cmpstr(rendered, ==, "");
}

static void test_users(struct fixture *f, gconstpointer data)
{
    g_autofree char *unknown = said(f, "run as \"no-such-user\"\nstate \"state\"\n", CONF_DIRECTORY);
    g_autofree char *root = said(f, "run as \"root\"\nstate \"state\"\n", CONF_DIRECTORY);
    g_autofree char *groups = said(f, f->head,
                                   "listen \"unix:/run/miji/m.sock\" group \"no-such-group\"\n"
                                   "control \"unix:/run/miji/c.sock\" group \"none-such\"\n" CONF_DIRECTORY);

    says(unknown, ":1:1: error: there is no user \"no-such-user\" on this host [user]");
    g_assert_null(strstr(unknown, "[unsafe-file]")); /* nothing can be said of a directory of nobody */
    says(root, ":1:8: error: Miji does not run as root [user]");
    says(groups, ":3:1: error: there is no group \"no-such-group\" on this host [user]");
    says(groups, ":4:1: error: there is no group \"none-such\" on this host [user]");
    says(f->folder->chinese, ":4:1: 错误：本机没有用户组 \"none-such\" [user]");
}

/* Not written: the user of the package, for root; else whoever starts it. */
static void test_default_user(struct fixture *f, gconstpointer data)
{
    g_autofree char *rendered = said(f, "state \"state\"\n", CONF_DIRECTORY);

    if (geteuid() != 0)
        g_assert_cmpstr(rendered, ==, "");
    else if (getpwnam("miji") == NULL)
        says(rendered, "error: there is no user \"miji\" on this host [user]");
    else
        says(rendered, "[unsafe-file]");
}

static void test_state(struct fixture *f, gconstpointer data)
{
    g_autofree char *wide = NULL, *missing = NULL, *file = NULL, *owner = NULL;
    g_autofree char *head = g_strdup_printf("run as \"%s\"\nstate \"none\"\n", f->user);
    g_autofree char *on_file = g_strdup_printf("run as \"%s\"\nstate \"cn.scheme\"\n", f->user);

    g_assert_cmpint(g_chmod(f->state, 0750), ==, 0);
    wide = said(f, f->head, CONF_DIRECTORY);
    says(wide, ":2:1: error: ");
    says(wide, "and be open to nobody else [unsafe-file]");
    says(f->folder->chinese, "，且不对他人开放 [unsafe-file]");
    missing = said(f, head, CONF_DIRECTORY);
    says(missing, "/none cannot be read: No such file or directory [no-file]");
    file = said(f, on_file, CONF_DIRECTORY);
    says(file, "/cn.scheme is not a directory [no-file]");
    if (geteuid() == 0) {
        g_assert_cmpint(g_chmod(f->state, 0700), ==, 0);
        g_assert_cmpint(chown(f->state, 0, (gid_t)-1), ==, 0);
        owner = said(f, f->head, CONF_DIRECTORY);
        says(owner, "must belong to nobody and be open to nobody else [unsafe-file]");
    }
}

static void test_secrets(struct fixture *f, gconstpointer data)
{
    static const char simple[] = "directory \"ldaps://ldap.example\" { base \"dc=x\"; "
                                 "bind simple \"cn=miji\" password file \"secret\" }\n";
    static const char certificate[] = "directory \"ldaps://ldap.example\" { base \"dc=x\"; "
                                      "bind certificate \"secret\"; ca file \"ca.pem\" }\n";
    static const guint good[] = {0400, 0440, 0600, 0640}, bad[] = {0644, 0660, 0604, 0602, 0620, 0777};

    g_autofree char *missing = said(f, f->head, simple);
    says(missing, "/secret cannot be read: No such file or directory [no-file]");
    conf_folder_write(f->folder, "ca.pem", "x", 0644);
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        conf_folder_write(f->folder, "secret", "x", good[i]);
        g_autofree char *password = said(f, f->head, simple);
        g_autofree char *bound = said(f, f->head, certificate);
        g_assert_cmpstr(password, ==, "");
        g_assert_cmpstr(bound, ==, "");
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        conf_folder_write(f->folder, "secret", "x", bad[i]);
        g_autofree char *password = said(f, f->head, simple);
        g_autofree char *bound = said(f, f->head, certificate);
        says(password, "/secret holds a secret that others may read or change [unsafe-file]");
        says(bound, "/secret holds a secret that others may read or change [unsafe-file]");
        says(f->folder->chinese, "/secret 内有秘密，却可被他人读取或改写 [unsafe-file]");
    }
    conf_folder_write(f->folder, "secret", "x", 0600);
    conf_folder_write(f->folder, "ca.pem", "x", 0646);
    g_autofree char *ca = said(f, f->head, certificate);
    says(ca, "/ca.pem may be written by others [unsafe-file]");
    g_autofree char *folder =
        said(f, f->head, "directory \"ldaps://ldap.example\" { base \"dc=x\"; ca file \"state\" }\n");
    says(folder, "/state is not a file [no-file]");
}

/* The key of what is kept: as host_check sees it; which files are keys is asked in key_file_test. */
static void test_key(struct fixture *f, gconstpointer data)
{
    static const char key[] = CONF_DIRECTORY "key file \"store.key\"\n";
    static const char octets[] = "0123456789abcdef0123456789abcdef";
    g_autofree char *path = g_build_filename(f->folder->path, "store.key", NULL);

    g_autofree char *missing = said(f, f->head, key);
    says(missing, ":4:10: error: ");
    says(missing, "/store.key cannot be read: No such file or directory [no-file]");
    conf_folder_write(f->folder, "store.key", octets, 0400);
    g_assert_cmpint(chown(path, f->uid, (gid_t)-1), ==, 0);
    g_autofree char *good = said(f, f->head, key);
    g_assert_cmpstr(good, ==, "");
    g_assert_cmpint(g_chmod(path, 0640), ==, 0);
    g_autofree char *wide = said(f, f->head, key);
    says(wide, "/store.key has another mode than 0400 or 0600 [unsafe-file]");
    says(f->folder->chinese, "/store.key 的权限不是 0400 或 0600 [unsafe-file]");
    conf_folder_write(f->folder, "store.key", "0123456789abcdef0123456789abcde", 0600);
    g_assert_cmpint(chown(path, f->uid, (gid_t)-1), ==, 0);
    g_autofree char *brief = said(f, f->head, key);
    says(brief, "/store.key has not 32 octets [no-file]");
    says(f->folder->chinese, "/store.key 不是 32 字节 [no-file]");
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(symlink(f->folder->conf, path), ==, 0);
    g_autofree char *link = said(f, f->head, key);
    says(link, "/store.key is not a file (a link is not followed) [no-file]");
    if (geteuid() == 0) {
        g_assert_cmpint(g_unlink(path), ==, 0);
        conf_folder_write(f->folder, "store.key", octets, 0400);
        g_autofree char *of_root = said(f, f->head, key);
        says(of_root, "/store.key belongs to root, and user nobody cannot read it [no-file]");
        says(f->folder->chinese, "/store.key 属于 root，用户 nobody 无法读取 [no-file]");
        g_assert_cmpint(chown(path, f->uid + 1, (gid_t)-1), ==, 0);
        g_autofree char *of_another = said(f, f->head, key);
        says(of_another, "/store.key belongs neither to root nor to user nobody [unsafe-file]");
    }
}

static void test_credential(struct fixture *f, gconstpointer data)
{
    static const char key[] = CONF_DIRECTORY "key credential \"store\"\n";
    g_autofree char *path = g_build_filename(f->folder->path, "store", NULL);

    g_setenv("CREDENTIALS_DIRECTORY", f->folder->path, TRUE);
    g_autofree char *missing = said(f, f->head, key);
    says(missing, ":4:16: error: ");
    says(missing, "/store cannot be read: No such file or directory [no-file]");
    conf_folder_write(f->folder, "store", "0123456789abcdef0123456789abcdef", 0440);
    g_assert_cmpint(chown(path, f->uid, (gid_t)-1), ==, 0);
    g_autofree char *good = said(f, f->head, key);
    g_assert_cmpstr(good, ==, "");
    g_unsetenv("CREDENTIALS_DIRECTORY");
}

#define ADD(path, function) g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    ADD("/conf/host/right", test_right);
    ADD("/conf/host/users", test_users);
    ADD("/conf/host/default-user", test_default_user);
    ADD("/conf/host/state", test_state);
    ADD("/conf/host/secrets", test_secrets);
    ADD("/conf/host/key", test_key);
    ADD("/conf/host/credential", test_credential);
    return g_test_run();
}
