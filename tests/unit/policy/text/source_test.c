#include "policy/text/source.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct source *add(struct sources *sources, const char *text)
{
    return sources_add(sources, "test", text, strlen(text));
}

static void check_position(const struct source *source, guint32 offset, guint32 line, guint32 column)
{
    struct position position = source_position(source, offset);

    g_assert_cmpuint(position.line, ==, line);
    g_assert_cmpuint(position.column, ==, column);
}

static void positions(void)
{
    g_autoptr(sources) sources = sources_new();
    const struct source *source = add(sources, "a机密b\n\r\n\xFF\xFE x\nlast");

    check_position(source, 0, 1, 1);
    check_position(source, 1, 1, 2);
    check_position(source, 4, 1, 3); /* a Chinese character is one column */
    check_position(source, 7, 1, 4);
    check_position(source, 8, 1, 5); /* the line end belongs to its line */
    check_position(source, 9, 2, 1);
    check_position(source, 13, 3, 3); /* a wrong octet is one column */
    check_position(source, 20, 4, 5);
    check_position(source, 4000, 4, 5);
}

static void lines(void)
{
    g_autoptr(sources) sources = sources_new();
    const struct source *source = add(sources, "one\r\n\ntwo\r");
    guint32 length;

    g_assert_cmpuint(source->line_count, ==, 3);
    g_assert_cmpint(strncmp(source_line(source, 1, &length), "one", 3), ==, 0);
    g_assert_cmpuint(length, ==, 3);
    source_line(source, 2, &length);
    g_assert_cmpuint(length, ==, 0);
    source_line(source, 3, &length);
    g_assert_cmpuint(length, ==, 4); /* a CR alone ends no line */
}

static void empty_and_bom(void)
{
    g_autoptr(sources) sources = sources_new();
    const struct source *empty = add(sources, "");
    const struct source *bom = add(sources, "\xEF\xBB\xBFx");
    const struct source *only_bom = add(sources, "\xEF\xBB\xBF");

    check_position(empty, 0, 1, 1);
    g_assert_cmpuint(empty->line_count, ==, 1);
    g_assert_cmpstr(bom->text, ==, "x");
    check_position(bom, 0, 1, 1);
    g_assert_cmpuint(only_bom->length, ==, 0);
}

static void spans(void)
{
    g_autoptr(sources) sources = sources_new();
    const struct source *source = add(sources, "hold in \"x\"");
    struct span whole = span_join((struct span){source, 0, 4}, (struct span){source, 8, 3});
    g_autofree char *text = span_text(whole);

    g_assert_cmpstr(text, ==, "hold in \"x\"");
}

static void count(const struct source *source, gpointer data)
{
    g_assert_cmpuint(source->order, ==, (*(guint *)data)++);
}

/* ---- files */

struct place {
    char *directory;
    char *path;
};

static void place_up(struct place *place, gconstpointer data)
{
    place->directory = g_dir_make_tmp("miji-source-XXXXXX", NULL);
    place->path = g_build_filename(place->directory, "a.conf", NULL);
    g_assert_true(g_file_set_contents(place->path, "state \"x\"\n", -1, NULL));
    g_assert_cmpint(g_chmod(place->path, 0640), ==, 0);
}

static void place_down(struct place *place, gconstpointer data)
{
    g_remove(place->path);
    g_remove(place->directory);
    g_free(place->path);
    g_free(place->directory);
}

static void check_failure(const char *path, enum source_trust trust, enum source_error code,
                          const char *words)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(GError) error = NULL;

    g_assert_null(sources_load(sources, path, trust, &error));
    g_assert_error(error, SOURCE_ERROR, (gint)code);
    if (error != NULL)
        g_assert_nonnull(strstr(error->message, words));
}

static void load(struct place *place, gconstpointer data)
{
    g_autoptr(sources) sources = sources_new();
    g_autofree char *other = g_build_filename(place->directory, ".", "a.conf", NULL);
    g_autoptr(GError) error = NULL;
    const struct source *source = sources_load(sources, place->path, SOURCE_SAFE, &error);
    guint number = 0;

    g_assert_no_error(error);
    g_assert_cmpstr(source->text, ==, "state \"x\"\n");
    g_assert_cmpstr(source->name, ==, place->path);
    g_assert_true(sources_load(sources, other, SOURCE_SAFE, &error) == source);
    sources_add(sources, "memory", "", 0);
    sources_foreach(sources, count, &number);
    g_assert_cmpuint(number, ==, 2);
}

static void load_fails(struct place *place, gconstpointer data)
{
    g_autofree char *none = g_build_filename(place->directory, "none", NULL);

    check_failure(none, SOURCE_ANY, SOURCE_ERROR_NO_FILE, "No such file or directory");
    check_failure(place->directory, SOURCE_ANY, SOURCE_ERROR_NO_FILE, "it is not a regular file");
    g_assert_cmpint(g_chmod(place->path, 0642), ==, 0);
    check_failure(place->path, SOURCE_SAFE, SOURCE_ERROR_UNSAFE, "may be written by others");
    g_assert_cmpint(g_chmod(place->path, 0640), ==, 0);
}

/* A pipe in rules.d must not hold up the program. */
static void load_pipe(struct place *place, gconstpointer data)
{
    g_remove(place->path);
    g_assert_cmpint(mkfifo(place->path, 0600), ==, 0);
    check_failure(place->path, SOURCE_SAFE, SOURCE_ERROR_NO_FILE, "it is not a regular file");
}

static void load_size(struct place *place, gconstpointer data)
{
    g_autofree char *text = g_malloc(SOURCE_MAX_BYTES + 1);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(GError) error = NULL;

    memset(text, '\n', SOURCE_MAX_BYTES + 1);
    g_assert_true(g_file_set_contents(place->path, text, SOURCE_MAX_BYTES + 1, NULL));
    check_failure(place->path, SOURCE_ANY, SOURCE_ERROR_TOO_LARGE, "is larger than 1 MB");
    g_assert_true(g_file_set_contents(place->path, text, SOURCE_MAX_BYTES, NULL));
    const struct source *source = sources_load(sources, place->path, SOURCE_ANY, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(source->line_count, ==, SOURCE_MAX_BYTES + 1);
}

/* Somebody else's file is not configuration. Only root can make one. */
static void load_owner(struct place *place, gconstpointer data)
{
    if (geteuid() != 0 || chown(place->path, 65534, 65534) != 0) {
        /* Without that right: a file of root's is read, whoever we are. */
        g_autoptr(sources) sources = sources_new();
        g_assert_nonnull(sources_load(sources, "/etc/passwd", SOURCE_SAFE, NULL));
        return;
    }
    check_failure(place->path, SOURCE_SAFE, SOURCE_ERROR_UNSAFE, "belongs to neither root nor the user");
}

static void references(void)
{
    struct sources *sources = sources_new();
    const struct source *source = add(sources, "x");

    sources_unref(sources_ref(sources));
    g_assert_cmpstr(source->text, ==, "x");
    sources_unref(sources);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/text/source/positions", positions);
    g_test_add_func("/text/source/lines", lines);
    g_test_add_func("/text/source/empty-and-bom", empty_and_bom);
    g_test_add_func("/text/source/spans", spans);
    g_test_add_func("/text/source/references", references);
    g_test_add("/text/source/load", struct place, NULL, place_up, load, place_down);
    g_test_add("/text/source/load-fails", struct place, NULL, place_up, load_fails, place_down);
    g_test_add("/text/source/load-pipe", struct place, NULL, place_up, load_pipe, place_down);
    g_test_add("/text/source/load-size", struct place, NULL, place_up, load_size, place_down);
    g_test_add("/text/source/load-owner", struct place, NULL, place_up, load_owner, place_down);
    return g_test_run();
}
