/* The rows cn-subject and cn-body of tests/data/label-vectors.tsv whose levels the shipped scheme has. */
#include "policy/label/claim.h"
#include "policy/label/duration.h"
#include "tests/support/golden.h"
#include "tests/support/scheme_text.h"

#include <string.h>

struct row {
    const struct schemes *schemes;
    gboolean is_body;
    char *text, *expected;
};

/* The escapes of column 2: \n \t \r \\ \xHH \uXXXX \UXXXXXXXX. */
static char *unescape(const char *text)
{
    GString *out = g_string_new(NULL);
    while (*text != '\0') {
        if (*text != '\\') {
            g_string_append_c(out, *text++);
            continue;
        }
        guint digits = text[1] == 'x' ? 2 : text[1] == 'u' ? 4 : text[1] == 'U' ? 8 : 0;
        if (digits == 0) {
            const char *from = "ntr\\", *to = "\n\t\r\\";
            g_string_append_c(out, to[strchr(from, text[1]) - from]);
            text += 2;
            continue;
        }
        g_autofree char *number = g_strndup(text + 2, digits);
        guint64 value = g_ascii_strtoull(number, NULL, 16);
        if (digits == 2)
            g_string_append_c(out, (char)value);
        else
            g_string_append_unichar(out, (gunichar)value);
        text += 2 + digits;
    }
    return g_string_free(out, FALSE);
}

static void read_all(const struct row *row, GPtrArray *claims)
{
    if (!row->is_body) {
        struct place place = {.kind = PLACE_SUBJECT};
        claims_read(row->schemes, &place, row->text, strlen(row->text), claims);
        return;
    }
    g_auto(GStrv) lines = g_strsplit(row->text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        struct place place = {.kind = PLACE_LINE, .line = i + 1};
        claims_read(row->schemes, &place, lines[i], strlen(lines[i]), claims);
    }
}

/* "level=机密; expiry=10年" of the highest claim, or "none". */
static char *describe(const GPtrArray *claims)
{
    const struct label *best = NULL;
    for (guint i = 0; i < claims->len; i++) {
        const struct claim *claim = g_ptr_array_index(claims, i);
        g_assert_cmpint(claim->state, ==, CLAIM_VALUE);
        g_assert_false(claim->near);
        if (best == NULL || claim->label->level->rank > best->level->rank)
            best = claim->label;
    }
    if (best == NULL)
        return g_strdup("none");
    g_autofree char *term = duration_format(&best->duration, LANGUAGE_ZH);
    const char *form = best->duration.kind == DURATION_EVENT ? "event(%s)"
                       : best->duration.is_default           ? "default(%s)"
                                                             : "%s";
    g_auto(GStrv) around = g_strsplit(form, "%s", 2);
    return g_strconcat("level=", best->level->name, "; expiry=", around[0], term, around[1], NULL);
}

static void test_row(gconstpointer data)
{
    const struct row *row = data;
    g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    read_all(row, claims);
    g_autofree char *found = describe(claims);
    g_assert_cmpstr(found, ==, row->expected);
}

static gboolean has_level(const struct schemes *schemes, const char *expected)
{
    if (g_str_equal(expected, "none"))
        return TRUE;
    g_autofree char *name = g_strndup(expected + strlen("level="), strcspn(expected, ";") - strlen("level="));
    return scheme_level_named(schemes_home(schemes), name) != NULL;
}

static guint add_rows(const struct schemes *schemes, GPtrArray *rows)
{
    g_autofree char *file = NULL;
    g_autofree char *path = golden_path("tests/data/label-vectors.tsv");
    g_assert_true(g_file_get_contents(path, &file, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(file, "\n", -1);
    guint left_out = 0;
    for (guint i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++) {
        g_auto(GStrv) columns = g_strsplit(lines[i], "\t", -1);
        gboolean is_body = g_str_equal(columns[0], "cn-body");
        if (!is_body && !g_str_equal(columns[0], "cn-subject"))
            continue;
        if (!has_level(schemes, columns[2])) {
            left_out++;
            continue;
        }
        struct row *row = g_new(struct row, 1);
        *row = (struct row){schemes, is_body, unescape(columns[1]), g_strdup(columns[2])};
        g_ptr_array_add(rows, row);
        g_autofree char *name = g_strdup_printf("/vectors/%s/%u", columns[0], i + 1);
        g_test_add_data_func(name, row, test_row);
    }
    return left_out;
}

static void row_free(gpointer data)
{
    struct row *row = data;
    g_free(row->text);
    g_free(row->expected);
    g_free(row);
}

static guint left_out;
static GPtrArray *rows;

/* So that a changed file or scheme cannot make the test small: 41 rows, three of them about levels that cn
 * has not (商密). */
static void test_count(void)
{
    g_assert_cmpuint(left_out, ==, 3);
    g_assert_cmpuint(rows->len, ==, 41);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_autoptr(schemes) schemes = schemes_cn();
    rows = g_ptr_array_new_with_free_func(row_free);
    left_out = add_rows(schemes, rows);
    g_test_add_func("/vectors/count", test_count);
    int status = g_test_run();
    g_ptr_array_unref(rows);
    return status;
}
