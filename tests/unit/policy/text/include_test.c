/* What golden files (include-*) cannot make: directories that cannot be read, and files that a statement
 * names. */
#include "policy/text/include.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct place {
    char *directory;
    struct sources *sources;
    struct diagnostics *diagnostics;
};

static void up(struct place *place, gconstpointer data)
{
    place->directory = g_dir_make_tmp("miji-include-[x]-XXXXXX", NULL);
    place->sources = sources_new();
    place->diagnostics = diagnostics_new(place->sources);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

static void down(struct place *place, gconstpointer data)
{
    diagnostics_free(place->diagnostics);
    sources_unref(place->sources);
    remove_tree(place->directory);
    g_free(place->directory);
}

static char *write_file(const struct place *place, const char *name, const char *text)
{
    char *path = g_build_filename(place->directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

/* The paths that a pattern of a file stands for, each behind a blank, without the directory. */
static char *match(const struct place *place, const char *pattern)
{
    g_autofree char *name = g_build_filename(place->directory, "miji.conf", NULL);
    const struct source *from = sources_add(place->sources, name, "", 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = files_match(from, pattern, &error);
    GString *out = g_string_new(NULL);

    if (paths == NULL)
        g_string_append_printf(out, "error: %s", error->message);
    for (guint n = 0; paths != NULL && n < paths->len; n++) {
        const char *path = g_ptr_array_index(paths, n);
        g_string_append_printf(out, " %s",
                               g_str_has_prefix(path, place->directory) ? path + strlen(place->directory) + 1
                                                                        : path);
    }
    return g_string_free(out, FALSE);
}

static void check_match(const struct place *place, const char *pattern, const char *wanted)
{
    g_autofree char *made = match(place, pattern);

    g_assert_cmpstr(made, ==, wanted);
}

static void patterns(struct place *place, gconstpointer data)
{
    g_autofree char *a = write_file(place, "d/B.rules", "");
    g_autofree char *b = write_file(place, "d/a.rules", "");
    g_autofree char *c = write_file(place, "d/é.rules", "");
    g_autofree char *d = write_file(place, "e/a.rules", "");

    check_match(place, "d/*.rules",
                " d/B.rules d/a.rules d/é.rules"); /* octets, not the alphabet of a locale */
    check_match(place, "?/a.rules", " d/a.rules e/a.rules");
    check_match(place, "d/[ab].rules", " d/a.rules");
    check_match(place, "d/none-*", "");
    check_match(place, "none/*.rules", "");
    check_match(place, "d/none", " d/none");
    check_match(place, "/etc/passwd", " /etc/passwd");
    check_match(place, "/etc/pass[w]d", " /etc/passwd");
}

/* A directory that cannot be searched is an error: it might hold rules. */
static void unreadable(struct place *place, gconstpointer data)
{
    g_autofree char *loop = g_build_filename(place->directory, "loop", NULL);

    g_assert_cmpint(symlink("loop", loop), ==, 0);
    check_match(place, "loop/*.rules", "error: Too many levels of symbolic links");
    g_autofree char *path = write_file(place, "miji.conf", "include \"loop/*.rules\"\n");
    g_autoptr(files) files = files_read(place->sources, path, SOURCE_SAFE, place->diagnostics);
    g_autofree char *made = diagnostics_render(place->diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_assert_nonnull(strstr(
        made, "error: \"loop/*.rules\" cannot be searched: Too many levels of symbolic links [no-file]\n"));
    g_assert_cmpuint(files->blocks->len, ==, 1);
}

static void top_file(struct place *place, gconstpointer data)
{
    g_autofree char *none = g_build_filename(place->directory, "none", NULL);
    g_autoptr(files) files = files_read(place->sources, none, SOURCE_SAFE, place->diagnostics);
    g_autofree char *made = diagnostics_render(place->diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_autofree char *wanted =
        g_strdup_printf("error: \"%s\" cannot be read: No such file or directory [no-file]\n", none);

    g_assert_cmpuint(files->blocks->len, ==, 0);
    g_assert_cmpstr(made, ==, wanted);
}

/* `rules "…"` of miji.conf: the item names the files, which may include others. */
static void named(struct place *place, gconstpointer data)
{
    g_autofree char *a = write_file(place, "d/a.rules", "include \"../e/*\"\n");
    g_autofree char *b = write_file(place, "d/b.rules", "x y\n");
    g_autofree char *c = write_file(place, "e/c.rules", "z\n");
    g_autofree char *path = write_file(place, "miji.conf", "rules \"d/*.rules\", \"f/*.rules\"\n");
    g_autoptr(files) conf = files_read(place->sources, path, SOURCE_SAFE, place->diagnostics);
    const struct statement *statement = block_statement((const struct block *)conf->blocks->pdata[0], 0);

    g_autoptr(files) rules =
        files_read_named(place->sources, statement_item(statement, 1), TRUE, SOURCE_SAFE, place->diagnostics);
    g_assert_cmpuint(rules->blocks->len, ==, 3);
    g_assert_cmpstr(((const struct block *)rules->blocks->pdata[0])->open.source->name, ==, a);
    g_assert_cmpuint(diagnostics_warnings(place->diagnostics), ==, 0);

    g_autoptr(files) none =
        files_read_named(place->sources, statement_item(statement, 3), TRUE, SOURCE_SAFE, place->diagnostics);
    g_assert_cmpuint(none->blocks->len, ==, 0);
    g_assert_cmpuint(diagnostics_warnings(place->diagnostics), ==, 1);
    g_assert_cmpuint(diagnostics_errors(place->diagnostics), ==, 0);

    g_autoptr(files) needed = files_read_named(place->sources, statement_item(statement, 3), FALSE,
                                               SOURCE_SAFE, place->diagnostics);
    g_assert_cmpuint(needed->blocks->len, ==, 0);
    g_assert_cmpuint(diagnostics_errors(place->diagnostics), ==, 1);
}

/* A thousand files are read, more are not. */
static void too_many(struct place *place, gconstpointer data)
{
    for (guint n = 0; n < 1001; n++) {
        g_autofree char *name = g_strdup_printf("d/%04u", n);
        g_autofree char *file = write_file(place, name, "x\n");
    }
    g_autofree char *path = write_file(place, "miji.conf", "include \"d/*\"\n");
    g_autoptr(files) files = files_read(place->sources, path, SOURCE_SAFE, place->diagnostics);

    g_assert_cmpuint(files->blocks->len, ==, 1000);
    g_assert_cmpuint(diagnostics_errors(place->diagnostics), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add("/text/include/patterns", struct place, NULL, up, patterns, down);
    g_test_add("/text/include/unreadable", struct place, NULL, up, unreadable, down);
    g_test_add("/text/include/top-file", struct place, NULL, up, top_file, down);
    g_test_add("/text/include/named", struct place, NULL, up, named, down);
    g_test_add("/text/include/too-many", struct place, NULL, up, too_many, down);
    return g_test_run();
}
