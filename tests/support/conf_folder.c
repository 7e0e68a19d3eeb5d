#include "tests/support/conf_folder.h"

#include <glib/gstdio.h>

#include "tests/support/golden.h"

void conf_folder_write(struct conf_folder *folder, const char *name, const char *text, guint mode)
{
    g_autofree char *path = g_build_filename(folder->path, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(path, (int)mode), ==, 0);
}

static void copy_scheme(struct conf_folder *folder)
{
    g_autofree char *path = golden_path("policy/schemes/cn.scheme");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    conf_folder_write(folder, "cn.scheme", text, 0644);
}

struct conf_folder *conf_folder_new(void)
{
    struct conf_folder *folder = g_new0(struct conf_folder, 1);
    g_autoptr(GError) error = NULL;

    folder->path = g_dir_make_tmp("conf-XXXXXX", &error);
    g_assert_no_error(error);
    folder->conf = g_build_filename(folder->path, "miji.conf", NULL);
    copy_scheme(folder);
    conf_folder_write(folder, "people.ldif",
                      "dn: cn=bo\nobjectClass: person\nmail: bo@agency.gov.cn\nuid: bo\n", 0644);
    return folder;
}

void conf_folder_free(struct conf_folder *folder)
{
    GDir *dir = g_dir_open(folder->path, 0, NULL);

    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder->path, name, NULL);
        g_remove(path);
    }
    g_dir_close(dir);
    g_rmdir(folder->path);
    g_free(folder->path);
    g_free(folder->conf);
    g_free(folder->chinese);
    g_free(folder);
}

struct snapshot *conf_folder_load(struct conf_folder *folder, const char *text, enum snapshot_flags flags,
                                  const struct snapshot *previous, char **rendered)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);

    conf_folder_write(folder, "miji.conf", text, 0644);
    struct snapshot *snapshot = snapshot_load(folder->conf, flags, previous, diagnostics);
    g_autofree char *lines = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_free(folder->chinese);
    folder->chinese = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_ZH);
    if (rendered != NULL)
        *rendered = g_steal_pointer(&lines);
    else if (snapshot == NULL)
        g_test_message("%s", lines);
    return snapshot;
}
