#include "tests/support/scheme_text.h"

#include "tests/support/golden.h"

#include <string.h>

static void end_with(struct diagnostics *diagnostics)
{
    g_autofree char *text = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_error("%s", text);
}

static void read_source(struct schemes *schemes, struct sources *sources, const struct source *source)
{
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(source, diagnostics);
    scheme_read(schemes, block, diagnostics);
    if (diagnostics_errors(diagnostics) + diagnostics_warnings(diagnostics) > 0)
        end_with(diagnostics);
}

void schemes_read_text(struct schemes *schemes, const char *text)
{
    g_autoptr(sources) sources = sources_new();
    read_source(schemes, sources, sources_add(sources, "<scheme>", text, strlen(text)));
}

void schemes_read_file(struct schemes *schemes, const char *path)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *below_top = golden_path(path);
    const struct source *source = sources_load(sources, below_top, SOURCE_ANY, &error);
    if (source == NULL)
        g_error("%s", error->message);
    read_source(schemes, sources, source);
}

struct schemes *schemes_cn(void)
{
    struct schemes *schemes = schemes_new();
    schemes_read_file(schemes, "policy/schemes/cn.scheme");
    return schemes;
}

const struct level *level_called(const struct schemes *schemes, const char *name)
{
    const struct level *level = scheme_level_named(schemes_home(schemes), name);
    if (level == NULL)
        g_error("no level %s", name);
    return level;
}

char *scheme_findings(const char *text)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "x.scheme", text, strlen(text)), diagnostics);
    g_autoptr(schemes) schemes = schemes_new();
    scheme_read(schemes, block, diagnostics);
    return diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
}
