/* What is said about scheme files, word for word, in English and Chinese. */
#include "policy/label/scheme.h"
#include "tests/support/golden.h"

static char *findings(const char *name, const char *input, gsize length, gpointer data)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autofree char *file = g_strconcat(name, ".scheme", NULL);
    g_autoptr(block) block = tree_parse(sources_add(sources, file, input, length), diagnostics);
    g_autoptr(schemes) schemes = schemes_new();
    gboolean good = scheme_read(schemes, block, diagnostics);
    g_assert_cmpint(good, ==, diagnostics_errors(diagnostics) == 0);
    g_autofree char *english = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_autofree char *chinese = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_ZH);
    return g_strconcat(good ? "loaded\n" : "not loaded\n", english, "\n", chinese, NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    golden_add("tests/golden/scheme", findings, NULL);
    return g_test_run();
}
