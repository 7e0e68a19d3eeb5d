/*
 * miji.conf(5) says what the program does: its tables are made from settings.def (MIJI_GOLDEN_UPDATE=1 writes
 * them), every id that a configuration can give is explained, its example is right, and what it calls
 * unavailable is what is refused.
 */
#include <string.h>

#include "milter/conf/setting.h"
#include "tests/support/conf_folder.h"
#include "tests/support/golden.h"

#define MANUAL "milter/conf/miji.conf.5"

static char *read_file(const char *relative)
{
    g_autofree char *path = golden_path(relative);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Cells of a terminal. */
static guint width_of(const char *text)
{
    guint width = 0;

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        width += g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1;
    return width;
}

static void append_padded(GString *out, const char *text, guint width)
{
    g_string_append(out, text);
    for (guint i = width_of(text); i < width; i++)
        g_string_append_c(out, ' ');
    g_string_append_c(out, ' ');
}

/* Statement, twin, times, change; what holds when it is not written on a line of its own. */
static void append_row(GString *out, const struct setting_row *row)
{
    append_padded(out, keyword_english(row->keyword), 33);
    append_padded(out, keyword_chinese(row->keyword), 16);
    append_padded(out, row->times == TIMES_ONCE ? "once" : "many", 4);
    g_string_append(out, row->change == CHANGE_RELOAD ? "reload\n" : "restart\n");
    if (row->fallback[0] != '\0')
        g_string_append_printf(out, "      %s\n", row->fallback);
}

static char *settings_table(void)
{
    GString *out = g_string_new(NULL);
    enum keyword block = KW_COUNT;
    guint count;
    const struct setting_row *rows = setting_rows(&count);

    g_string_append(out, ".Bd -literal\n");
    for (guint i = 0; i < count; i++) {
        if (!setting_is_available(&rows[i]))
            continue;
        if (rows[i].block != block)
            g_string_append_printf(out, "\n%s {\n", keyword_english(rows[i].block));
        block = rows[i].block;
        append_row(out, &rows[i]);
    }
    g_string_append(out, ".Ed\n");
    return g_string_free(out, FALSE);
}

static char *later_list(void)
{
    GString *out = g_string_new(".Bl -bullet -compact\n");
    guint count;
    const struct setting_row *rows = setting_rows(&count);

    for (guint i = 0; i < count; i++) {
        if (setting_is_available(&rows[i]))
            continue;
        g_string_append_printf(out, ".It\n.Ic %s", keyword_english(rows[i].keyword));
        if (rows[i].block != KW_COUNT)
            g_string_append_printf(out, "\nin\n.Ic %s", keyword_english(rows[i].block));
        g_string_append_c(out, '\n');
    }
    g_string_append(out, ".El\n");
    return g_string_free(out, FALSE);
}

/* The text between the lines `.\" NAME: begin …` and `.\" NAME: end`, and what is before and behind it; new
 * strings. */
static void cut(const char *manual, const char *name, char **before, char **between, char **behind)
{
    g_autofree char *begin = g_strdup_printf(".\\\" %s: begin", name);
    g_autofree char *end = g_strdup_printf(".\\\" %s: end\n", name);
    const char *first = strstr(manual, begin);
    const char *last = first != NULL ? strstr(first, end) : NULL;

    g_assert_nonnull(last);
    first = strchr(first, '\n') + 1;
    *before = g_strndup(manual, (gsize)(first - manual));
    *between = g_strndup(first, (gsize)(last - first));
    *behind = g_strdup(last);
}

static void compare_part(const char *name, const char *wanted)
{
    g_autofree char *manual = read_file(MANUAL);
    g_autofree char *before = NULL, *between = NULL, *behind = NULL;

    cut(manual, name, &before, &between, &behind);
    if (g_strcmp0(g_getenv("MIJI_GOLDEN_UPDATE"), "1") == 0) {
        g_autofree char *path = golden_path(MANUAL);
        g_autofree char *whole = g_strconcat(before, wanted, behind, NULL);
        g_assert_true(g_file_set_contents(path, whole, -1, NULL));
        return;
    }
    g_assert_cmpstr(between, ==, wanted);
}

static void test_settings(void)
{
    g_autofree char *table = settings_table();

    compare_part("settings", table);
}

static void test_later(void)
{
    g_autofree char *list = later_list();

    compare_part("later", list);
}

static gboolean explains(const char *manual, const char *id)
{
    g_autofree char *item = g_strdup_printf("\n.It Bq %s\n", id);

    if (strstr(manual, item) == NULL)
        g_test_message("[%s] is not explained", id);
    return strstr(manual, item) != NULL;
}

/* Every DIAG_X of a source of milter/conf. */
static void check_source(const char *manual, const char *name)
{
    static const struct {
        const char *c_name;
        enum diagnostic_id id;
    } ids[] = {
#define DIAGNOSTIC(id, name, severity) {"DIAG_" #id, DIAG_##id},
#include "policy/text/diagnostic.def"
#undef DIAGNOSTIC
    };
    g_autofree char *relative = g_build_filename("milter/conf", name, NULL);
    g_autofree char *text = read_file(relative);

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        const char *found = strstr(text, ids[i].c_name);
        gsize length = strlen(ids[i].c_name);
        while (found != NULL && (g_ascii_isalnum(found[length]) || found[length] == '_'))
            found = strstr(found + 1, ids[i].c_name);
        g_assert_true(found == NULL || explains(manual, diagnostic_name(ids[i].id)));
    }
}

static void test_ids_of_sources(void)
{
    g_autofree char *manual = read_file(MANUAL);
    g_autofree char *path = golden_path("milter/conf");
    GDir *dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ".c"))
            continue;
        check_source(manual, name);
        count++;
    }
    g_dir_close(dir);
    g_assert_cmpuint(count, >, 15);
}

/* Every [id] at the end of a line of the golden files. */
static void test_ids_of_goldens(void)
{
    g_autofree char *manual = read_file(MANUAL);
    g_autofree char *path = golden_path("tests/golden/conf");
    g_autoptr(GRegex) regex = g_regex_new(": .*\\[([a-z-]+)\\]$", G_REGEX_MULTILINE, 0, NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ".out"))
            continue;
        g_autofree char *relative = g_build_filename("tests/golden/conf", name, NULL);
        g_autofree char *text = read_file(relative);
        g_autoptr(GMatchInfo) match = NULL;
        for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
            g_autofree char *id = g_match_info_fetch(match, 1);
            g_assert_true(explains(manual, id));
            count++;
        }
    }
    g_dir_close(dir);
    g_assert_cmpuint(count, >, 200);
}

static void test_no_other_ids(void)
{
    g_autofree char *manual = read_file(MANUAL);
    g_autoptr(GRegex) regex = g_regex_new("^\\.It Bq ([a-z-]+)$", G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    for (g_regex_match(regex, manual, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *id = g_match_info_fetch(match, 1);
        gboolean known = FALSE;
        for (guint i = 0; i < DIAG_COUNT; i++)
            known |= strcmp(diagnostic_name((enum diagnostic_id)i), id) == 0;
        g_assert_true(known);
    }
}

/* Every statement that works has an item of its own. */
static void test_items(void)
{
    g_autofree char *manual = read_file(MANUAL);
    guint count;
    const struct setting_row *rows = setting_rows(&count);

    for (guint i = 0; i < count; i++) {
        if (!setting_is_available(&rows[i]) || rows[i].block == KW_UNLABELLED)
            continue;
        g_autofree char *item = g_strdup_printf("\n.It Ic %s", keyword_english(rows[i].keyword));
        if (strstr(manual, item) == NULL)
            g_test_message("no item: %s", keyword_english(rows[i].keyword));
        g_assert_nonnull(strstr(manual, item));
    }
}

static void test_example(void)
{
    g_autofree char *manual = read_file(MANUAL);
    g_autofree char *before = NULL, *between = NULL, *behind = NULL;
    g_autoptr(conf_folder) folder = conf_folder_new();

    cut(manual, "example", &before, &between, &behind);
    const char *begin = strchr(between, '\n') + 1; /* behind .Bd */
    const char *end = strstr(begin, "\n.Ed\n");
    g_assert_nonnull(end);
    g_autofree char *conf = g_strndup(begin, (gsize)(end - begin + 1));
    g_auto(GStrv) parts = g_strsplit(conf, "/usr/local/share/miji/schemes/", -1);
    g_autofree char *here = g_strjoinv("", parts); /* the copy of the folder */
    g_autofree char *rendered = NULL;
    g_autoptr(snapshot) snapshot =
        conf_folder_load(folder, here, SNAPSHOT_NO_DIRECTORY | SNAPSHOT_NO_HOST, NULL, &rendered);
    g_assert_cmpstr(rendered, ==, "");
    g_assert_nonnull(snapshot);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/conf/manual/settings", test_settings);
    g_test_add_func("/conf/manual/later", test_later);
    g_test_add_func("/conf/manual/ids-of-sources", test_ids_of_sources);
    g_test_add_func("/conf/manual/ids-of-goldens", test_ids_of_goldens);
    g_test_add_func("/conf/manual/no-other-ids", test_no_other_ids);
    g_test_add_func("/conf/manual/items", test_items);
    g_test_add_func("/conf/manual/example", test_example);
    return g_test_run();
}
