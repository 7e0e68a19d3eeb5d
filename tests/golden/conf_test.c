/*
 * Golden files of miji.conf: what is said about each mistake, in both languages; of inputs dump-… also what
 * they mean (conf_dump). Most include base.conf beside them, which has what every configuration needs; what
 * this host lacks is not asked.
 */
#include "milter/conf/dump.h"
#include "tests/support/golden.h"

#include <string.h>
#include <unistd.h>

#define RULER "----\n"
#define FLAGS (SNAPSHOT_NO_DIRECTORY | SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST)

static void append_rendered(GString *out, const struct diagnostics *diagnostics, enum language language)
{
    g_autofree char *text = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, language);

    g_string_append(out, text);
}

static char *make(const char *name, const char *input, gsize length, gpointer data)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autofree char *path = g_strconcat(name, ".in", NULL);
    g_autoptr(snapshot) snapshot = snapshot_load(path, FLAGS, NULL, diagnostics);
    GString *out = g_string_new(NULL);

    append_rendered(out, diagnostics, LANGUAGE_EN);
    g_string_append(out, RULER);
    append_rendered(out, diagnostics, LANGUAGE_ZH);
    if (snapshot != NULL && g_str_has_prefix(name, "dump-")) {
        g_autofree char *dump = conf_dump(snapshot);
        g_string_append(out, RULER);
        g_string_append(out, dump);
    }
    return g_string_free(out, FALSE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_autofree char *top = g_get_current_dir();
    g_setenv("MIJI_TOP", top,
             FALSE); /* inputs are named from their own directory, so that messages name them short */
    golden_add("tests/golden/conf", make, NULL);
    g_autofree char *directory = golden_path("tests/golden/conf");
    return chdir(directory) == 0 ? g_test_run() : 2;
}
