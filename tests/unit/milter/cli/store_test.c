/* `miji store`: what it says, in both languages, and that it never writes over anything. */
#include "milter/cli/command.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/conf/key_file.h"

struct fixture {
    char *folder, *key, *said;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("conf-store-XXXXXX", &error);
    g_assert_no_error(error);
    f->key = g_build_filename(f->folder, "store.key", NULL);
    f->said = g_build_filename(f->folder, "said", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    g_unlink(f->key);
    g_unlink(f->said);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0); /* nothing else was left there */
    g_free(f->folder);
    g_free(f->key);
    g_free(f->said);
}

/* Runs `miji store …`; *said is what came on `stream`. */
static int run(struct fixture *f, FILE *stream, enum language language, char **arguments, char **said)
{
    struct invocation invocation = {
        .language = language, .argc = (int)g_strv_length(arguments), .argv = arguments};
    fflush(stream);
    int before = dup(fileno(stream));
    FILE *file = fopen(f->said, "w");
    g_assert_cmpint(dup2(fileno(file), fileno(stream)), >=, 0);
    int status = command_store(&invocation);
    fflush(stream);
    dup2(before, fileno(stream));
    close(before);
    fclose(file);
    g_assert_true(g_file_get_contents(f->said, said, NULL, NULL));
    return status;
}

static void test_new_key(struct fixture *f, gconstpointer data)
{
    char *arguments[] = {"store", "new-key", f->key, NULL};
    guint8 key[STORE_KEY_BYTES], same[STORE_KEY_BYTES];
    g_autofree char *line = g_strdup_printf("\n    key file \"%s\"\n", f->key);
    g_autofree char *owner = g_strdup_printf("\n    chown miji '%s'\n", f->key);
    g_autofree char *said = NULL, *again = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(run(f, stdout, LANGUAGE_EN, arguments, &said), ==, 0);
    g_assert_true(key_file_read(f->key, key, &error));
    g_assert_no_error(error);
    g_assert_nonnull(strstr(said, line));
    g_assert_nonnull(strstr(said, "keep a copy in another place"));
    g_assert_cmpint(strstr(said, owner) != NULL, ==, geteuid() == 0);
    g_assert_cmpint(run(f, stderr, LANGUAGE_EN, arguments, &again), ==, EXIT_CANNOT);
    g_assert_nonnull(strstr(again, "is there already; a key is never replaced"));
    g_assert_true(key_file_read(f->key, same, &error));
    g_assert_cmpmem(key, sizeof key, same, sizeof same);
}

static void test_chinese(struct fixture *f, gconstpointer data)
{
    char *arguments[] = {"store", "new-key", f->key, NULL};
    g_autofree char *line = g_strdup_printf("\n    密钥文件 \"%s\"\n", f->key);
    g_autofree char *said = NULL, *again = NULL;

    g_assert_cmpint(run(f, stdout, LANGUAGE_ZH, arguments, &said), ==, 0);
    g_assert_nonnull(strstr(said, line));
    g_assert_nonnull(strstr(said, "请在别处保存副本"));
    g_assert_cmpint(run(f, stderr, LANGUAGE_ZH, arguments, &again), ==, EXIT_CANNOT);
    g_assert_nonnull(strstr(again, "已存在；密钥绝不覆盖"));
}

/* The line is of use wherever miji.conf lies. */
static void test_relative(struct fixture *f, gconstpointer data)
{
    char *arguments[] = {"store", "new-key", "store.key", NULL};
    g_autofree char *top = g_get_current_dir(), *said = NULL;
    g_autofree char *line = g_strdup_printf("\n    key file \"%s\"\n", f->key);

    g_assert_cmpint(chdir(f->folder), ==, 0);
    g_assert_cmpint(run(f, stdout, LANGUAGE_EN, arguments, &said), ==, 0);
    g_assert_cmpint(chdir(top), ==, 0);
    g_assert_nonnull(strstr(said, line));
}

static void test_misused(struct fixture *f, gconstpointer data)
{
    char *const unknown[] = {"store", "old-key", f->key, NULL}, *const none[] = {"store", NULL},
                *const no_file[] = {"store", "new-key", NULL},
                *const empty[] = {"store", "new-key", "", NULL},
                *const more[] = {"store", "new-key", f->key, "x", NULL};
    char *const *const all[] = {unknown, none, no_file, empty, more};
    char *nowhere[] = {"store", "new-key", "/nonexistent/store.key", NULL};

    for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *english = NULL, *chinese = NULL;
        g_assert_cmpint(run(f, stderr, LANGUAGE_EN, (char **)all[i], &english), ==, EXIT_CANNOT);
        g_assert_cmpint(run(f, stderr, LANGUAGE_ZH, (char **)all[i], &chinese), ==, EXIT_CANNOT);
        g_assert_true(g_str_has_prefix(english, "usage: miji store new-key FILE\n"));
        g_assert_true(g_str_has_prefix(chinese, "用法：miji store new-key 文件\n"));
    }
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    g_autofree char *said = NULL;
    g_assert_cmpint(run(f, stderr, LANGUAGE_EN, nowhere, &said), ==, EXIT_CANNOT);
    g_assert_cmpstr(
        said, ==,
        "miji: there is no new key: the key /nonexistent/store.key cannot be made: No such file or "
        "directory\n");
}

#define ADD(path, function) g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    ADD("/cli/store/new-key", test_new_key);
    ADD("/cli/store/chinese", test_chinese);
    ADD("/cli/store/relative", test_relative);
    ADD("/cli/store/misused", test_misused);
    return g_test_run();
}
