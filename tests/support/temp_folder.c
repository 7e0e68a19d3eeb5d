#include "tests/support/temp_folder.h"

#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>

static GPtrArray *made;

char *temp_folder_new(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "miji-test-XXXXXX", NULL);

    g_assert_nonnull(g_mkdtemp(path));
    if (made == NULL)
        made = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(made, g_strdup(path));
    return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

void temp_folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void temp_folders_remove(void)
{
    for (guint i = 0; made != NULL && i < made->len; i++)
        temp_folder_remove(g_ptr_array_index(made, i));
    g_clear_pointer(&made, g_ptr_array_unref);
}
