/* What a snapshot is, and what a reload keeps of the one before. */
#include "milter/conf/snapshot.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/support/conf_folder.h"

#define LDAP                                                                                        \
    "directory \"ldap://127.0.0.1:1\" { base \"dc=agency\"; bind simple \"cn=miji\" password file " \
    "\"secret\" }\n"

static struct snapshot *load(struct conf_folder *folder, const char *text, const struct snapshot *previous)
{
    return conf_folder_load(folder, text, SNAPSHOT_NO_HOST, previous, NULL);
}

static void test_load(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = load(folder, CONF_BASE, NULL);

    g_assert_nonnull(snapshot);
    g_assert_cmpuint(snapshot->generation, ==, 1);
    g_assert_cmpuint(strlen(snapshot->hash), ==, 64);
    g_assert_cmpstr(snapshot->conf->path, ==, folder->conf);
    g_assert_nonnull(snapshot->directory);
    g_assert_cmpuint(snapshot->zones->list->len, ==, 2);
    g_assert_cmpuint(snapshot->conf->listeners->len, ==, 1);
    g_assert_cmpuint(snapshot->zones->local->limits->len, ==, 1);
    const struct zone_limit *limit = g_ptr_array_index(snapshot->zones->local->limits, 0);
    g_assert_true(limit->label->level == scheme_lowest(schemes_home(snapshot->schemes)));
}

/* Hash over names and texts of all files, not of comments left out or order lost. */
static void test_hash(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) first = load(folder, CONF_BASE, NULL);
    g_autoptr(snapshot) again = load(folder, CONF_BASE, NULL);
    g_autoptr(snapshot) comment = load(folder, CONF_BASE "# a comment\n", NULL);

    conf_folder_write(folder, "more.conf", "log \"stderr\"\n", 0644);
    g_autoptr(snapshot) included = load(folder, CONF_BASE "include \"more.conf\"\n", NULL);
    conf_folder_write(folder, "more.conf", "log \"journal\"\n", 0644);
    g_autoptr(snapshot) changed = load(folder, CONF_BASE "include \"more.conf\"\n", NULL);

    g_assert_cmpstr(first->hash, ==, again->hash);
    g_assert_cmpstr(first->hash, !=, comment->hash);
    g_assert_cmpstr(included->hash, !=, changed->hash);
    g_assert_cmpint(included->conf->log, ==, LOG_TO_STDERR);
    g_assert_cmpint(changed->conf->log, ==, LOG_TO_JOURNAL);
    g_assert_cmpstr(first->schemes_hash, ==, changed->schemes_hash);
}

static void test_references(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    struct snapshot *snapshot = load(folder, CONF_BASE, NULL);
    struct snapshot *held = snapshot_ref(snapshot);

    g_assert_true(held == snapshot);
    snapshot_unref(snapshot);
    g_assert_cmpuint(held->zones->list->len, ==, 2);
    snapshot_unref(held);
    snapshot_unref(NULL);
}

static void test_no_directory(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot =
        conf_folder_load(folder, CONF_BASE, SNAPSHOT_NO_HOST | SNAPSHOT_NO_DIRECTORY, NULL, NULL);

    g_assert_nonnull(snapshot);
    g_assert_null(snapshot->directory);
    g_assert_cmpuint(snapshot->generation, ==, 0);
    g_assert_cmpuint(snapshot->conf->directory->urls->len, ==, 1);
}

static void test_bad_files(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autofree char *missing = NULL, *broken = NULL, *nothing = NULL;

    g_assert_null(conf_folder_load(folder, CONF_SCHEME "directory \"file:none.ldif\" { }\n" CONF_ZONES,
                                   SNAPSHOT_NO_HOST, NULL, &missing));
    g_assert_nonnull(strstr(missing, "miji.conf:2:11: error: the directory cannot be opened: "));
    g_assert_nonnull(strstr(missing, "[no-file]"));
    g_assert_nonnull(strstr(folder->chinese, ":2:11: 错误：无法打开目录服务："));
    g_autofree char *setting = NULL;
    g_assert_null(conf_folder_load(
        folder,
        CONF_SCHEME "directory \"ldaps://ldap.example\" { base \"dc=x\"; bind sasl external }\n" CONF_ZONES,
        SNAPSHOT_NO_HOST, NULL, &setting));
    g_assert_nonnull(strstr(setting, "[endpoint]"));
    conf_folder_write(folder, "people.ldif", "this is no LDIF\n", 0644);
    g_assert_null(conf_folder_load(folder, CONF_BASE, SNAPSHOT_NO_HOST, NULL, &broken));
    g_assert_nonnull(strstr(broken, "miji.conf:2:11: error: the directory cannot be opened: "));
    g_assert_cmpint(g_remove(folder->conf), ==, 0);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_assert_null(snapshot_load(folder->conf, SNAPSHOT_NO_HOST, NULL, diagnostics));
    nothing = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_assert_nonnull(strstr(nothing, "cannot be read"));
}

/* Files that others may write are not obeyed, unless the caller says so. */
static void test_unsafe_files(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autofree char *scheme = NULL;

    g_autofree char *path = g_build_filename(folder->path, "cn.scheme", NULL);
    g_assert_cmpint(g_chmod(path, 0666), ==, 0);
    g_assert_null(conf_folder_load(folder, CONF_BASE, SNAPSHOT_NO_HOST, NULL, &scheme));
    g_assert_nonnull(strstr(scheme, "may be written by others [unsafe-file]"));
    g_assert_nonnull(strstr(folder->chinese, "可被其他用户改写 [unsafe-file]"));
    g_autoptr(snapshot) any =
        conf_folder_load(folder, CONF_BASE, SNAPSHOT_NO_HOST | SNAPSHOT_ANY_OWNER, NULL, NULL);
    g_assert_nonnull(any);
}

static void test_reload_keeps_directory(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    conf_folder_write(folder, "secret", "x\n", 0600);
    g_autoptr(snapshot) first = load(folder, CONF_SCHEME LDAP CONF_ZONES, NULL);
    g_autoptr(snapshot) same = load(folder, "# moved\n" CONF_SCHEME CONF_ZONES LDAP, first);

    g_assert_true(same->directory == first->directory);
    g_assert_true(same->schemes == first->schemes);
    g_assert_cmpuint(same->generation, ==, 2);
    /* levels of the new zones are those of the schemes that were kept */
    const struct zone *office = zones_find(same->zones, "office");
    g_assert_true(((struct zone_limit *)g_ptr_array_index(office->limits, 0))->label->scheme ==
                  schemes_home(first->schemes));
}

static void test_reload_new_directory(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    conf_folder_write(folder, "secret", "x\n", 0600);
    g_autoptr(snapshot) first = load(folder, CONF_SCHEME LDAP CONF_ZONES, NULL);
    g_autoptr(snapshot) base = load(
        folder, CONF_SCHEME "directory \"ldap://127.0.0.1:1\" { base \"dc=other\" }\n" CONF_ZONES, first);
    g_autoptr(snapshot) zone =
        load(folder, "time zone \"Asia/Shanghai\"\n" CONF_SCHEME LDAP CONF_ZONES, first);
    conf_folder_write(folder, "secret", "another\n", 0600);
    g_autoptr(snapshot) password = load(folder, CONF_SCHEME LDAP CONF_ZONES, first);
    conf_folder_write(folder, "secret", "x\n", 0600);

    g_assert_true(base->directory != first->directory);
    g_assert_true(zone->directory != first->directory);
    g_assert_true(password->directory != first->directory);
    g_assert_true(password->schemes == first->schemes);
}

/* Other levels, other people: the clearances in the cache point into the schemes that they were read with. */
static void test_reload_new_schemes(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    conf_folder_write(folder, "secret", "x\n", 0600);
    g_autoptr(snapshot) first = load(folder, CONF_SCHEME LDAP CONF_ZONES, NULL);
    conf_folder_write(folder, "two.scheme", "scheme \"two\"\nlevel low rank 1\nlevel high rank 2\n", 0644);
    g_autoptr(snapshot) second =
        load(folder, "scheme \"cn.scheme\", \"two.scheme\"\n" LDAP CONF_ZONES, first);

    g_assert_nonnull(second);
    g_assert_true(second->schemes != first->schemes);
    g_assert_true(second->directory != first->directory);
}

/* An LDIF file is read again at each reload: that is how its changes come into force. */
static void test_reload_file_directory(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) first = load(folder, CONF_BASE, NULL);
    g_autoptr(snapshot) second = load(folder, CONF_BASE, first);

    g_assert_true(second->schemes == first->schemes);
    g_assert_true(second->directory != first->directory);
}

static void test_reload_failed(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) first = load(folder, CONF_BASE, NULL);
    g_autofree char *rendered = NULL;

    g_assert_null(conf_folder_load(folder, CONF_BASE "lisen \"x\"\n", SNAPSHOT_NO_HOST, first, &rendered));
    g_assert_nonnull(strstr(rendered, "[unknown-statement]"));
    g_assert_nonnull(zones_find(first->zones, "office"));
}

static void test_needs_restart(void)
{
    static const char other[] = "listen \"unix:/run/x/a.sock\" mode 0600\ncontrol \"unix:/run/x/c.sock\"\n"
                                "state \"/var/lib/other\"\nrun as \"nobody\"\nlog \"stderr\"\n"
                                "sandbox { helpers 3; memory 128MB; time 5s }\n" CONF_BASE;
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) first = load(folder, "sandbox { helpers 2 }\n" CONF_BASE, NULL);
    g_autofree char *warned = NULL, *again = NULL, *back = NULL;
    g_autoptr(snapshot) second = conf_folder_load(folder, other, SNAPSHOT_NO_HOST, first, &warned);
    const struct listener *listener = g_ptr_array_index(second->conf->listeners, 0);

    for (guint i = 0; i < 5; i++) {
        static const char *const names[] = {"listen", "control", "state", "run as", "sandbox"};
        g_autofree char *text =
            g_strdup_printf("\"%s\" changes only when Miji is started again; until then the old "
                            "value holds [needs-restart]",
                            names[i]);
        g_assert_nonnull(strstr(warned, text));
    }
    g_assert_nonnull(
        strstr(folder->chinese, "警告：\"sandbox\" 在 Miji 重新启动后才改变；此前仍用原值 [needs-restart]"));
    g_assert_cmpstr(listener->address, ==, "unix:/run/miji/milter.sock");
    g_assert_cmpuint(listener->mode, ==, 0660);
    g_assert_false(listener->written);
    g_assert_cmpstr(second->conf->control.address, ==, "unix:/run/miji/control.sock");
    g_assert_cmpstr(second->conf->state_directory, ==, "/var/lib/miji");
    g_assert_null(second->conf->run_as);
    g_assert_cmpuint(second->conf->inspect.helpers, ==, 2);
    g_assert_cmpint(second->conf->inspect.cpu_ms, ==, 20000);
    g_assert_cmpint(second->conf->log, ==, LOG_TO_STDERR); /* changes at once */

    /* still not restarted: said again; taken back: nothing to say */
    g_autoptr(snapshot) third = conf_folder_load(folder, other, SNAPSHOT_NO_HOST, second, &again);
    g_assert_cmpstr(again, ==, warned);
    g_assert_cmpstr(third->conf->state_directory, ==, "/var/lib/miji");
    g_autoptr(snapshot) fourth =
        conf_folder_load(folder, "sandbox { helpers 2 }\n" CONF_BASE, SNAPSHOT_NO_HOST, third, &back);
    g_assert_cmpstr(back, ==, "");
    g_assert_cmpuint(fourth->generation, ==, 4);
}

/* Another spelling of the same is no change. */
static void test_same_in_other_words(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autofree char *rendered = NULL;
    g_autoptr(snapshot) first =
        load(folder, "state \"/var/lib/miji\"\nsandbox { helpers 2; memory 1024MB }\n" CONF_BASE, NULL);
    g_autoptr(snapshot) second = conf_folder_load(
        folder, "数据目录: “/var/lib/miji”\n沙箱｛进程数 2；内存 1GB；时长 20 秒｝\n" CONF_BASE,
        SNAPSHOT_NO_HOST, first, &rendered);

    g_assert_nonnull(second);
    g_assert_cmpstr(rendered, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/conf/snapshot/load", test_load);
    g_test_add_func("/conf/snapshot/hash", test_hash);
    g_test_add_func("/conf/snapshot/references", test_references);
    g_test_add_func("/conf/snapshot/no-directory", test_no_directory);
    g_test_add_func("/conf/snapshot/bad-files", test_bad_files);
    g_test_add_func("/conf/snapshot/unsafe-files", test_unsafe_files);
    g_test_add_func("/conf/snapshot/reload-keeps-directory", test_reload_keeps_directory);
    g_test_add_func("/conf/snapshot/reload-new-directory", test_reload_new_directory);
    g_test_add_func("/conf/snapshot/reload-new-schemes", test_reload_new_schemes);
    g_test_add_func("/conf/snapshot/reload-file-directory", test_reload_file_directory);
    g_test_add_func("/conf/snapshot/reload-failed", test_reload_failed);
    g_test_add_func("/conf/snapshot/needs-restart", test_needs_restart);
    g_test_add_func("/conf/snapshot/same-in-other-words", test_same_in_other_words);
    return g_test_run();
}
