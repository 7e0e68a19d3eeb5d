/*
 * Golden files of policy/text: tokens, trees, and the exact text of every error that it can report.
 *
 * The name of an input says what is done with it, up to the first hyphen:
 *   tokens   the tokens, and what the lexer reported
 *   tree     statements and items, and what the parser reported
 *   rules    read as 30.rules with the rule grammar of tests/support/text_grammar.h: the messages in both
 * languages conf     the same as miji.conf with the grammar of settings, and the values forms    as conf, and
 * the messages as lines and as JSON include  files below "==> NAME [MODE]" lines, of which the first is read:
 * messages, and the order of the files
 */
#include "policy/text/include.h"
#include "policy/text/lexer.h"
#include "tests/support/golden.h"
#include "tests/support/text_grammar.h"

#include <glib/gstdio.h>
#include <string.h>

#define RULER "----\n"

static void append_rendered(GString *out, const struct diagnostics *diagnostics, enum diagnostic_form form,
                            enum language language)
{
    g_autofree char *text = diagnostics_render(diagnostics, form, language);

    g_string_append(out, text);
}

static void append_both(GString *out, const struct diagnostics *diagnostics)
{
    append_rendered(out, diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_string_append(out, RULER);
    append_rendered(out, diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_ZH);
}

static void make_tokens(GString *out, const char *input, gsize length)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(tokens) tokens = lexer_read(sources_add(sources, "in", input, length), diagnostics);
    g_autofree char *dump = tokens_dump(tokens);

    g_string_append(out, dump);
    append_both(out, diagnostics);
}

static void make_tree(GString *out, const char *input, gsize length)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "in", input, length), diagnostics);
    g_autofree char *dump = tree_dump(block);

    g_string_append(out, dump);
    append_both(out, diagnostics);
}

static void make_rules(GString *out, const char *input, gsize length)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "30.rules", input, length), diagnostics);

    grammar_read_rules(block, diagnostics);
    append_both(out, diagnostics);
}

static void make_conf(GString *out, const char *input, gsize length, gboolean all_forms)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "miji.conf", input, length), diagnostics);

    grammar_read_settings(block, diagnostics, out);
    append_both(out, diagnostics);
    if (!all_forms)
        return;
    g_string_append(out, RULER);
    append_rendered(out, diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    append_rendered(out, diagnostics, DIAGNOSTIC_LINE, LANGUAGE_ZH);
    append_rendered(out, diagnostics, DIAGNOSTIC_JSON, LANGUAGE_EN);
}

/* ---- files that include files */

static void write_file(const char *directory, const char *head, const char *body)
{
    g_auto(GStrv) words = g_strsplit(head, " ", 2);
    g_autofree char *path = g_build_filename(directory, words[0], NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    gint64 mode = words[1] != NULL ? g_ascii_strtoll(words[1], NULL, 8) : 0644;

    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, body, -1, NULL));
    g_assert_cmpint(g_chmod(path, (int)mode), ==, 0);
}

/* Writes all files; the path of the first one. */
static char *write_files(const char *directory, const char *input)
{
    g_auto(GStrv) parts = g_strsplit(input, "==> ", -1);
    char *first = NULL;

    for (guint n = 1; parts[n] != NULL; n++) {
        char *body = strchr(parts[n], '\n');
        g_assert_nonnull(body);
        *body++ = '\0';
        write_file(directory, parts[n], body);
        if (first == NULL)
            first = g_build_filename(directory, parts[n], NULL);
    }
    return first;
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

static void append_names(GString *out, const struct files *files)
{
    for (guint n = 0; n < files->blocks->len; n++) {
        const struct block *block = g_ptr_array_index(files->blocks, n);
        g_string_append_printf(out, "file %s: %u statements\n", block->open.source->name,
                               block->statements->len);
    }
}

static void make_include(GString *out, const char *input)
{
    g_autofree char *directory = g_dir_make_tmp("miji-golden-XXXXXX", NULL);
    g_autofree char *prefix = g_strconcat(directory, "/", NULL);
    g_autofree char *first = write_files(directory, input);
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(files) files = files_read(sources, first, SOURCE_SAFE, diagnostics);

    append_names(out, files);
    append_both(out, diagnostics);
    g_string_replace(out, prefix, "", 0);
    remove_tree(directory);
}

static char *make(const char *name, const char *input, gsize length, gpointer data)
{
    GString *out = g_string_new(NULL);

    if (g_str_has_prefix(name, "tokens-"))
        make_tokens(out, input, length);
    else if (g_str_has_prefix(name, "tree-"))
        make_tree(out, input, length);
    else if (g_str_has_prefix(name, "rules-"))
        make_rules(out, input, length);
    else if (g_str_has_prefix(name, "include-"))
        make_include(out, input);
    else
        make_conf(out, input, length, g_str_has_prefix(name, "forms-"));
    return g_string_free(out, FALSE);
}

/* Everything that policy/text can report has been seen in some output. */
static void all_ids(void)
{
    static const enum diagnostic_id ids[] = {
        DIAG_ENCODING,
        DIAG_HIDDEN_CHARACTER,
        DIAG_ESCAPE,
        DIAG_QUOTES,
        DIAG_UNCLOSED_TEXT,
        DIAG_BARE_PATH,
        DIAG_UNCLOSED_PATTERN,
        DIAG_PATTERN_FLAG,
        DIAG_UNIT,
        DIAG_RANGE,
        DIAG_DATE,
        DIAG_EXPECTED,
        DIAG_DUPLICATE,
        DIAG_MISSING_COMMA,
        DIAG_UNKNOWN_STATEMENT,
        DIAG_UNCLOSED_PAREN,
        DIAG_UNCLOSED_BLOCK,
        DIAG_STRAY_BRACE,
        DIAG_INCLUDE_CIRCLE,
        DIAG_EMPTY_INCLUDE,
        DIAG_NO_FILE,
        DIAG_UNSAFE_FILE,
    };
    g_autofree char *path = golden_path("tests/golden/text");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GString) all = g_string_new(NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_autofree char *text = NULL;
        if (g_str_has_suffix(name, ".out") && g_file_get_contents(file, &text, NULL, NULL))
            g_string_append(all, text);
    }
    for (guint n = 0; n < G_N_ELEMENTS(ids); n++) {
        g_autofree char *mark = g_strdup_printf("[%s]\n", diagnostic_name(ids[n]));
        if (strstr(all->str, mark) == NULL) {
            g_test_message("no golden file has %s", mark);
            g_test_fail();
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    golden_add("tests/golden/text", make, NULL);
    g_test_add_func("/golden/all-ids-of-text", all_ids);
    return g_test_run();
}
