/*
 * Attack surface: clearances, categories and ends as whoever keeps the directory writes them. Any octets end
 * in a clearance or in an error. A clearance that was read has a term, covers its own label while it lasts,
 * and nothing before or after it but what is for everybody.
 */
#include "policy/person/clearance.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SCHEME[] =
    "scheme \"cn\"\nlevel 公开 rank 0\nlevel 机密 rank 3 also \"secret\"\n"
    "category set \"专项\" restrictive also \"special\" { value \"密码\"; value \"核\" also \"nuclear\" }\n"
    "category set \"知悉范围\" permissive open\ncategory set \"说明\" informative open\n";
static const char OTHER[] = "scheme \"au\"\nlevel OFFICIAL rank 0\nlevel \"TOP SECRET\" rank 1\n"
                            "category set \"caveat\" restrictive { value \"CODEWORD\" }\n";

static void add_scheme(struct schemes *schemes, const char *text)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "x", text, strlen(text)), diagnostics);

    g_assert_true(scheme_read(schemes, block, diagnostics));
}

static gboolean is_for_everybody(const struct schemes *schemes, const struct label *label)
{
    g_autoptr(GPtrArray) nothing = g_ptr_array_new();

    return clearances_check(nothing, FALSE, schemes, label, 0) == CLEARED_YES;
}

static void check(const struct schemes *schemes, GPtrArray *list)
{
    const struct clearance *clearance = g_ptr_array_index(list, 0);
    const struct label *label = clearance->label;
    g_autofree char *text = clearance_format(clearance);
    enum cleared outside = is_for_everybody(schemes, label) ? CLEARED_YES : CLEARED_NO;

    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_cmpint(clearance->from, <, clearance->until);
    g_assert_cmpint(clearances_check(list, FALSE, schemes, label, clearance->until - 1), ==, CLEARED_YES);
    if (clearance->until != G_MAXINT64)
        g_assert_cmpint(clearances_check(list, FALSE, schemes, label, clearance->until), ==, outside);
    if (clearance->from != G_MININT64)
        g_assert_cmpint(clearances_check(list, FALSE, schemes, label, clearance->from - 1), ==, outside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct schemes *schemes;
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)clearance_free);
    g_autoptr(GError) error = NULL, category_error = NULL, end_error = NULL;
    struct clearance *clearance;

    if (schemes == NULL) {
        schemes = schemes_new();
        add_scheme(schemes, SCHEME);
        add_scheme(schemes, OTHER);
    }
    clearance = clearance_parse(schemes, text, NULL, &error);
    g_assert_true((clearance == NULL) == (error != NULL));
    if (clearance != NULL) {
        g_ptr_array_add(list, clearance);
        check(schemes, list);
    }
    g_assert_true(clearances_add_category(list, schemes, text, &category_error) == (category_error == NULL));
    g_assert_true(clearances_end_at(list, text, &end_error) == (end_error == NULL));
    return 0;
}
