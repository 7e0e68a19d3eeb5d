/* The dump: the same for the same meaning, and a configuration itself. */
#include "milter/conf/dump.h"

#include <string.h>

#include "milter/conf/value.h"
#include "tests/support/conf_folder.h"
#include "tests/support/golden.h"

#define FLAGS (SNAPSHOT_NO_DIRECTORY | SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST)

static char *dump_of(const char *path)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(snapshot) snapshot = snapshot_load(path, FLAGS, NULL, diagnostics);
    g_autofree char *text = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);

    g_assert_cmpstr(text, ==, "");
    return snapshot != NULL ? conf_dump(snapshot) : g_strdup("");
}

/* English, Chinese, and Chinese in full-width punctuation are one language. */
static void test_languages(void)
{
    g_autofree char *english = golden_path("tests/golden/conf/dump-english.in");
    g_autofree char *chinese = golden_path("tests/golden/conf/dump-chinese.in");
    g_autofree char *wide = golden_path("tests/golden/conf/dump-wide.in");
    g_autofree char *dump = dump_of(english), *same = dump_of(chinese), *third = dump_of(wide);

    g_assert_cmpuint(strlen(dump), >, 1000);
    g_assert_cmpstr(dump, ==, same);
    g_assert_cmpstr(dump, ==, third);
}

static void test_reads_itself(void)
{
    static const char *const inputs[] = {"tests/golden/conf/dump-english.in",
                                         "tests/golden/conf/dump-defaults.in"};
    g_autoptr(conf_folder) folder = conf_folder_new();

    for (guint i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autofree char *relative = golden_path(inputs[i]);
        g_autofree char *path = g_canonicalize_filename(relative, NULL);
        g_autofree char *first = dump_of(path); /* absolute paths, since it is read from elsewhere */
        conf_folder_write(folder, "dumped.conf", first, 0644);
        g_autofree char *dumped = g_build_filename(folder->path, "dumped.conf", NULL);
        g_autofree char *second = dump_of(dumped);
        g_assert_cmpstr(first, ==, second);
    }
}

/* Signs that mean something in a text, or cannot be seen in a file, come back as what they were. */
static void test_escapes(void)
{
    static const char text[] = CONF_BASE "zone \"local\" { carries up to 公开 otherwise refuse \"a \\\"b\\\" "
                                         "“c” \\\\ \\n\\t\\u{200B}\\u{FEFF}“\" }\n";
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, text, FLAGS, NULL, NULL);
    g_assert_nonnull(snapshot);
    const char *wanted = "a \"b\" “c” \\ \n\t\342\200\213\357\273\277“";
    g_assert_cmpstr(snapshot->zones->local->limit_otherwise.text, ==, wanted);
    g_autofree char *first = conf_dump(snapshot);
    g_autoptr(snapshot) again = conf_folder_load(folder, first, FLAGS, NULL, NULL);
    g_assert_nonnull(again);
    g_assert_cmpstr(again->zones->local->limit_otherwise.text, ==, wanted);
}

/* What settings.def says that holds when nothing is written, holds. */
static void test_fallbacks(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, CONF_BASE, FLAGS, NULL, NULL);
    guint rows, tested = 0;
    const struct setting_row *row = setting_rows(&rows);

    for (guint i = 0; i < rows; i++, row++) {
        gboolean in_dump =
            setting_is_available(row) && row->fallback[0] != '\0' && row->fallback[0] != '(' &&
            (row->block == KW_COUNT || row->block == KW_DIRECTORY || row->block == KW_UNLABELLED ||
             row->block == KW_LIMITS || row->block == KW_SANDBOX || row->block == KW_NOTICES);
        if (!in_dump)
            continue;
        g_autofree char *dump = conf_dump(snapshot);
        const char *indent = row->block == KW_COUNT ? "\n" : "\n    ";
        g_autofree char *line =
            g_strdup_printf("%s%s %s\n", indent, keyword_english(row->keyword), row->fallback);
        g_autofree char *whole = g_strconcat("\n", dump, NULL);
        if (strstr(whole, line) == NULL)
            g_test_message("not in the dump: %s", line);
        g_assert_nonnull(strstr(whole, line));
        tested++;
    }
    g_assert_cmpuint(tested, >, 28);
}

/* The configuration that the issue was written with gives nothing but [not-available-yet]. */
static void test_example(void)
{
    g_autofree char *path = golden_path("tests/golden/conf/example.in");
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);

    g_assert_null(snapshot_load(path, FLAGS, NULL, diagnostics));
    g_assert_cmpuint(diagnostics_errors(diagnostics), >, 10);
    g_assert_cmpuint(diagnostics_count(diagnostics, DIAG_NOT_YET), ==, diagnostics_errors(diagnostics));
    g_assert_cmpuint(diagnostics_warnings(diagnostics), ==, 0);
}

/* The whole configuration in README.md is right: it is what people copy. */
static void test_readme(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autofree char *path = golden_path("README.md");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    const char *begin = strstr(text, "\nlisten ");
    g_assert_nonnull(begin);
    const char *end = strstr(begin, "\n```");
    g_assert_nonnull(end);
    g_autofree char *conf = g_strndup(begin, (gsize)(end - begin + 1));
    g_auto(GStrv) parts = g_strsplit(conf, "/usr/local/share/miji/schemes/", -1);
    g_autofree char *here = g_strjoinv("", parts); /* the copy of the folder */
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, here, FLAGS, NULL, NULL);
    g_assert_nonnull(snapshot);
}

static void test_formats(void)
{
    static const struct {
        guint64 bytes;
        const char *text;
    } sizes[] = {{1024, "1KB"}, {1536, "2KB"}, {1048576, "1MB"}, {1049600, "1025KB"}, {3221225472, "3GB"}};
    static const struct {
        gint64 seconds;
        const char *text;
    } times[] = {{0, "0s"},      {59, "59s"},        {60, "60s"},    {90, "90s"},      {7200, "2h"},
                 {86400, "24h"}, {31536000, "365d"}, {604800, "7d"}, {157680000, "5y"}};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *text = size_format(sizes[i].bytes);
        g_assert_cmpstr(text, ==, sizes[i].text);
    }
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *text = time_format(times[i].seconds);
        g_assert_cmpstr(text, ==, times[i].text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/conf/dump/languages", test_languages);
    g_test_add_func("/conf/dump/reads-itself", test_reads_itself);
    g_test_add_func("/conf/dump/escapes", test_escapes);
    g_test_add_func("/conf/dump/fallbacks", test_fallbacks);
    g_test_add_func("/conf/dump/example", test_example);
    g_test_add_func("/conf/dump/readme", test_readme);
    g_test_add_func("/conf/dump/formats", test_formats);
    return g_test_run();
}
