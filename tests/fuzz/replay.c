/*
 * replay: runs a fuzz target over its corpus, as a test program: TAP, one result for each file of
 * tests/fuzz/corpus/NAME of the target NAME_fuzz, or for the files that are named as arguments (a crash that
 * a fuzzer found). A target that crashes takes the program with it, and the wrapper of the tests sees that; a
 * target that hangs runs into the wrapper's time limit.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *corpus(const char *program)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *target = g_path_get_basename(program);
    const char *top = g_getenv("MIJI_TOP");

    if (g_str_has_suffix(target, "_fuzz"))
        target[strlen(target) - strlen("_fuzz")] = '\0';
    g_autofree char *directory = g_build_filename(top != NULL ? top : ".", "tests/fuzz/corpus", target, NULL);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
        g_ptr_array_add(paths, g_build_filename(directory, name, NULL));
    g_ptr_array_sort(paths, compare);
    return paths;
}

/* FALSE when the file cannot be read. */
static gboolean replay(const char *path, guint number)
{
    g_autofree char *data = NULL;
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GError) error = NULL;
    gsize size = 0;

    printf("# %s\n", name); /* so that a crash has a name */
    fflush(stdout);
    if (!g_file_get_contents(path, &data, &size, &error)) {
        printf("not ok %u - %s\n", number, error->message);
        return FALSE;
    }
    /* A copy of exactly this size, so that a read behind it is seen. */
    uint8_t *exact = g_memdup2(data, size);
    LLVMFuzzerTestOneInput(exact, size);
    g_free(exact);
    printf("ok %u - %s\n", number, name);
    return TRUE;
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    gboolean good = TRUE;

    for (int n = 1; n < argc; n++)
        if (argv[n][0] != '-')
            g_ptr_array_add(paths, g_strdup(argv[n]));
    if (paths->len == 0) {
        g_ptr_array_unref(paths);
        paths = corpus(argv[0]);
    }
    printf("1..%u\n", MAX(paths->len, 1));
    if (paths->len == 0) {
        printf("not ok 1 - the corpus is empty\n");
        return 1;
    }
    for (guint n = 0; n < paths->len; n++)
        good &= replay(g_ptr_array_index(paths, n), n + 1);
    return good ? 0 : 1;
}
