/* What miji.scheme(5) says is so: its example loads, its message is given, its identifiers exist, and none
 * that is given is missing. */
#include "tests/support/golden.h"
#include "tests/support/scheme_text.h"

#include <string.h>

static char *manual(void)
{
    g_autofree char *path = golden_path("policy/label/miji.scheme.5");
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* The first literal block behind a heading; new string. */
static char *block_behind(const char *text, const char *heading)
{
    const char *at = strstr(text, heading);
    const char *start = at != NULL ? strstr(at, ".Bd -literal\n") : NULL;
    const char *end = start != NULL ? strstr(start, ".Ed\n") : NULL;
    g_assert_nonnull(end);
    start += strlen(".Bd -literal\n");
    return g_strndup(start, (gsize)(end - start));
}

static void test_example(void)
{
    g_autofree char *text = manual();
    g_autofree char *example = block_behind(text, ".Sh EXAMPLES");
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, example);
    g_assert_cmpuint(schemes_home(schemes)->levels->len, ==, 3);
    g_assert_nonnull(strstr(text, ".Dl 密级 机密  序 3  又称 \\(dqsecret\\(dq  期限 20 年\n"));
    g_autoptr(schemes) chinese = schemes_new();
    schemes_read_text(chinese, "scheme \"x\"\n密级 机密  序 3  又称 \"secret\"  期限 20 年\n");
    g_assert_cmpint(level_called(chinese, "机密")->lasts, ==, level_called(schemes, "机密")->lasts);
}

/* The message shown is the one that the example gives with a line more. */
static void test_message(void)
{
    g_autofree char *text = manual();
    g_autofree char *example = block_behind(text, ".Sh EXAMPLES");
    g_autofree char *shown = block_behind(text, ".Sh DIAGNOSTICS");
    g_auto(GStrv) halves = g_strsplit(example, "\ncategory", 2);
    g_autofree char *wrong = g_strconcat(halves[0], "level 绝密 rank 3\n\ncategory", halves[1], NULL);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block =
        tree_parse(sources_add(sources, "agency.scheme", wrong, strlen(wrong)), diagnostics);
    g_autoptr(schemes) schemes = schemes_new();
    scheme_read(schemes, block, diagnostics);
    g_autofree char *given = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_assert_cmpstr(given, ==, shown);
}

static void test_identifiers_exist(void)
{
    g_autofree char *text = manual();
    g_auto(GStrv) lines = g_strsplit(strstr(text, ".Sh DIAGNOSTICS"), "\n", -1);
    guint count = 0;
    for (guint i = 0; lines[i] != NULL; i++) {
        if (!g_str_has_prefix(lines[i], ".It Bq "))
            continue;
        g_auto(GStrv) ids = g_strsplit(lines[i] + strlen(".It Bq "), " , Bq ", -1);
        for (guint j = 0; ids[j] != NULL; j++) {
            gboolean exists = FALSE;
            for (guint id = 0; id < DIAG_COUNT && !exists; id++)
                exists = g_str_equal(diagnostic_name((enum diagnostic_id)id), ids[j]);
            if (!exists)
                g_test_message("%s", ids[j]);
            g_assert_true(exists);
            count++;
        }
    }
    g_assert_cmpuint(count, >, 20);
}

static void test_no_identifier_is_missing(void)
{
    g_autofree char *text = manual();
    g_autofree char *path = golden_path("tests/golden/scheme");
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    g_autoptr(GRegex) last = g_regex_new(" \\[([a-z-]+)\\]$", G_REGEX_MULTILINE, 0, NULL);
    guint count = 0;
    for (const char *name = g_dir_read_name(directory); name != NULL; name = g_dir_read_name(directory)) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_autofree char *output = NULL;
        g_autoptr(GMatchInfo) match = NULL;
        if (!g_str_has_suffix(name, ".out") || !g_file_get_contents(file, &output, NULL, NULL))
            continue;
        for (g_regex_match(last, output, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
            g_autofree char *id = g_match_info_fetch(match, 1);
            g_autofree char *item = g_strconcat("Bq ", id, NULL);
            if (strstr(text, item) == NULL)
                g_test_message("%s", id);
            g_assert_nonnull(strstr(text, item));
            count++;
        }
    }
    g_assert_cmpuint(count, >, 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/manual/example", test_example);
    g_test_add_func("/manual/message", test_message);
    g_test_add_func("/manual/identifiers-exist", test_identifiers_exist);
    g_test_add_func("/manual/no-identifier-is-missing", test_no_identifier_is_missing);
    return g_test_run();
}
