#include "tests/support/golden.h"

#include <string.h>

struct golden {
    char *base; /* path without .in and .out */
    golden_make make;
    gpointer data;
};

char *golden_path(const char *relative)
{
    const char *top = g_getenv("MIJI_TOP");

    return g_build_filename(top != NULL ? top : ".", relative, NULL);
}

static void golden_free(gpointer data)
{
    struct golden *golden = data;

    g_free(golden->base);
    g_free(golden);
}

/* The number of the first line in which two texts differ, and those lines. */
static void show_difference(const char *path, const char *wanted, const char *made)
{
    g_auto(GStrv) left = g_strsplit(wanted, "\n", -1);
    g_auto(GStrv) right = g_strsplit(made, "\n", -1);
    guint n = 0;

    while (left[n] != NULL && right[n] != NULL && strcmp(left[n], right[n]) == 0)
        n++;
    g_test_message("%s differs at line %u", path, n + 1);
    g_test_message("  expected: %s", left[n] != NULL ? left[n] : "(the end)");
    g_test_message("  made:     %s", right[n] != NULL ? right[n] : "(the end)");
}

static void compare(gconstpointer data)
{
    const struct golden *golden = data;
    g_autofree char *in = g_strconcat(golden->base, ".in", NULL);
    g_autofree char *out = g_strconcat(golden->base, ".out", NULL);
    g_autofree char *name = g_path_get_basename(golden->base);
    g_autofree char *input = NULL, *wanted = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    g_file_get_contents(in, &input, &length, &error);
    g_assert_no_error(error);
    g_autofree char *made = golden->make(name, input, length, golden->data);
    if (g_strcmp0(g_getenv("MIJI_GOLDEN_UPDATE"), "1") == 0) {
        g_file_set_contents(out, made, -1, &error);
        g_assert_no_error(error);
        return;
    }
    if (!g_file_get_contents(out, &wanted, NULL, &error)) {
        g_test_message("%s", error->message);
        g_test_fail();
    } else if (strcmp(wanted, made) != 0) {
        show_difference(out, wanted, made);
        g_test_fail();
    }
}

static void fail(gconstpointer data)
{
    g_test_message("%s", (const char *)data);
    g_test_fail();
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list(const char *path)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

static void add_failure(const char *set, const char *name, char *why)
{
    g_autofree char *path = g_strdup_printf("/golden/%s/%s", set, name);

    g_test_add_data_func_full(path, why, fail, g_free);
}

/* One file of the directory; TRUE if it is an input. */
static gboolean add_file(const char *directory, const char *set, const char *name, const struct golden *form)
{
    gboolean is_input = g_str_has_suffix(name, ".in");
    g_autofree char *stem = g_strndup(name, strcspn(name, "."));
    g_autofree char *base = g_build_filename(directory, stem, NULL);

    if (g_str_has_suffix(name, ".out")) {
        g_autofree char *in = g_strconcat(base, ".in", NULL);
        if (!g_file_test(in, G_FILE_TEST_EXISTS))
            add_failure(set, name, g_strdup_printf("%s/%s has no input", directory, name));
    }
    if (is_input) {
        g_autofree char *path = g_strdup_printf("/golden/%s/%s", set, stem);
        struct golden *golden = g_new0(struct golden, 1);
        *golden = *form;
        golden->base = g_steal_pointer(&base);
        g_test_add_data_func_full(path, golden, compare, golden_free);
    }
    return is_input;
}

void golden_add(const char *directory, golden_make make, gpointer data)
{
    g_autofree char *path = golden_path(directory);
    g_autofree char *set = g_path_get_basename(directory);
    g_autoptr(GPtrArray) names = list(path);
    const struct golden form = {NULL, make, data};
    guint inputs = 0;

    for (guint n = 0; n < names->len; n++)
        inputs += add_file(path, set, g_ptr_array_index(names, n), &form);
    if (inputs == 0)
        add_failure(set, "none", g_strdup_printf("there is no input in %s", path));
}
