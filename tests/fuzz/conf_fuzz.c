/*
 * Attack surface: miji.conf, which only its administrator writes, but mistakes are not limited by intent: any
 * octets must end in messages or in a configuration whose dump reads as the same configuration. No file but
 * the text itself is read.
 */
#include <stdint.h>
#include <string.h>

#include "milter/conf/dump.h"
#include "milter/conf/reading.h"

#define FLAGS (SNAPSHOT_NO_DIRECTORY | SNAPSHOT_ANY_OWNER | SNAPSHOT_NO_HOST)

static const char scheme_text[] = "scheme \"cn\"\n"
                                  "level 公开 rank 0 also \"public\"\n"
                                  "level 内部 rank 1\n"
                                  "level 机密 rank 3 also \"secret\"\n"
                                  "level \"top secret\" rank 4\n"
                                  "category set \"专项\" restrictive { value \"密码\", \"核\" }\n"
                                  "category set \"范围\" permissive open\n";

static struct files *files_of(const struct source *source, struct diagnostics *diagnostics)
{
    struct files *files = g_new0(struct files, 1);

    files->blocks = g_ptr_array_new_with_free_func((GDestroyNotify)block_free);
    files->includers = g_ptr_array_new();
    g_ptr_array_add(files->blocks, tree_parse(source, diagnostics));
    g_ptr_array_add(files->includers, NULL);
    return files;
}

static struct schemes *read_schemes(struct sources *sources, struct diagnostics *diagnostics)
{
    struct schemes *schemes = schemes_new();
    g_autoptr(files) files =
        files_of(sources_add(sources, "cn.scheme", scheme_text, strlen(scheme_text)), diagnostics);

    g_assert(scheme_read(schemes, g_ptr_array_index(files->blocks, 0), diagnostics));
    return schemes;
}

static void render_all(const struct diagnostics *diagnostics)
{
    for (guint form = DIAGNOSTIC_TEXT; form <= DIAGNOSTIC_JSON; form++) {
        g_autofree char *english = diagnostics_render(diagnostics, (enum diagnostic_form)form, LANGUAGE_EN);
        g_autofree char *chinese = diagnostics_render(diagnostics, (enum diagnostic_form)form, LANGUAGE_ZH);
        g_assert(g_utf8_validate(english, -1, NULL) && g_utf8_validate(chinese, -1, NULL));
    }
}

/* The dump of a text; NULL when something is wrong with it. */
static char *dump_of(const char *text, gsize length)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(schemes) schemes = read_schemes(sources, diagnostics);
    g_autoptr(files) files = files_of(sources_add(sources, "miji.conf", text, length), diagnostics);
    g_autoptr(reading) reading = reading_new(files, FLAGS, diagnostics);

    reading->schemes = schemes;
    reading_read(reading);
    render_all(diagnostics);
    if (diagnostics_errors(diagnostics) > 0)
        return NULL;
    g_ptr_array_add(reading->conf->scheme_files, g_strdup("cn.scheme"));
    struct snapshot snapshot = {
        .conf = reading->conf, .schemes = schemes, .zones = reading->zones, .policy = reading->policy};
    return conf_dump(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SOURCE_MAX_BYTES)
        return 0;
    g_autofree char *first = dump_of((const char *)data, size);
    g_autofree char *second = first != NULL ? dump_of(first, strlen(first)) : NULL;

    g_assert_cmpstr(first, ==, second);
    return 0;
}
