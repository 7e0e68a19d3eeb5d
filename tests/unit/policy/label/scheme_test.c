#include "policy/label/scheme.h"
#include "tests/support/scheme_text.h"

#include <string.h>

static void test_cn(void)
{
    g_autoptr(schemes) schemes = schemes_cn();
    const struct scheme *cn = schemes_home(schemes);
    static const char *const names[] = {"公开", "内部", "秘密", "机密", "绝密"};
    static const char *const ascii[] = {"public", "internal", "confidential", "secret", "top-secret"};
    g_assert_cmpstr(cn->name, ==, "cn");
    g_assert_cmpstr(cn->title, ==, "国家秘密标志");
    g_assert_true(cn->home);
    g_assert_cmpuint(cn->levels->len, ==, G_N_ELEMENTS(names));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const struct level *level = g_ptr_array_index(cn->levels, i);
        g_assert_cmpstr(level->name, ==, names[i]);
        g_assert_cmpstr(level->ascii, ==, ascii[i]);
        g_assert_cmpuint(level->rank, ==, i);
        g_assert_cmpint(level->number, ==, -1);
    }
    const struct level *secret = level_called(schemes, "机密");
    g_assert_cmpint(secret->lasts, ==, (gint64)20 * 365 * 86400);
    g_assert_cmpstr(secret->lasts_text, ==, "20y");
    g_assert_cmpstr(g_hash_table_lookup(secret->display, "en"), ==, "Secret");
    g_assert_cmpint(level_called(schemes, "公开")->lasts, ==, 0);
    g_assert_true(scheme_lowest(cn) == level_called(schemes, "公开"));
    g_assert_true(scheme_highest(cn) == level_called(schemes, "绝密"));
    g_assert_cmpuint(cn->fields->len, ==, 3);
    g_assert_cmpuint(cn->first_lines, ==, 12);
    g_assert_cmpuint(cn->last_lines, ==, 0);
    g_assert_cmpuint(cn->except->len, ==, 4);
}

static void test_categories(void)
{
    g_autoptr(schemes) schemes = schemes_cn();
    const struct scheme *cn = schemes_home(schemes);
    const struct category_set *special = scheme_set(cn, "专项"), *audience = scheme_set(cn, "知悉范围");
    g_assert_cmpuint(cn->sets->len, ==, 2);
    g_assert_cmpint(special->kind, ==, CATEGORY_RESTRICTIVE);
    g_assert_cmpint(audience->kind, ==, CATEGORY_PERMISSIVE);
    g_assert_true(audience->open && !special->open);
    g_assert_cmpuint(special->index, ==, 1);
    g_assert_cmpstr(category_set_value(special, "密码")->name, ==, "密码");
    g_assert_cmpstr(category_set_value(special, "CRYPTO")->name, ==, "密码");
    g_assert_null(category_set_value(special, "雷达"));
    g_assert_null(category_set_value(audience, "财务处"));
    g_assert_null(scheme_set(cn, "专"));
    g_assert_cmpuint(cn->combinations->len, ==, 1);
}

static void found(const struct schemes *schemes, const char *text, const char *scheme_name,
                  const char *level_name)
{
    const struct scheme *scheme = NULL;
    const struct level *level = NULL;
    g_assert_cmpint(schemes_level(schemes, text, &scheme, &level), ==, LEVEL_FOUND);
    g_assert_cmpstr(scheme != NULL ? scheme->name : NULL, ==, scheme_name);
    g_assert_cmpstr(level != NULL ? level->name : NULL, ==, level_name);
}

static void not_found(const struct schemes *schemes, const char *text, enum level_found answer)
{
    const struct scheme *scheme = NULL;
    const struct level *level = NULL;
    g_assert_cmpint(schemes_level(schemes, text, &scheme, &level), ==, answer);
    g_assert_true(scheme == NULL && level == NULL);
}

static struct schemes *three_schemes(void)
{
    struct schemes *schemes = schemes_cn();
    schemes_read_text(schemes, "scheme \"au\"\n"
                               "level OFFICIAL rank 1 also \"UNCLASSIFIED\"\n"
                               "level OFFICIAL:Sensitive rank 2 also \"OFFICIAL: Sensitive\"\n"
                               "level SECRET rank 4\n"
                               "level RESTRICTED rank 3 also \"shared\"\n");
    schemes_read_text(schemes, "scheme \"uk\"\n"
                               "level OFFICIAL rank 0\n"
                               "level RESTRICTED rank 1\n"
                               "level 机密 rank 2\n"
                               "level CLOSED rank 3 also \"shared\", \"internal\"\n");
    return schemes;
}

/* language.md 1: exact name in the home scheme, then in the others, then also names in the same order. */
static void test_lookup(void)
{
    g_autoptr(schemes) schemes = three_schemes();
    found(schemes, "机密", "cn", "机密");       /* the home scheme before uk */
    found(schemes, "SECRET", "au", "SECRET");   /* an exact name before an also name of the home scheme */
    found(schemes, "secret", "cn", "机密");     /* only also */
    found(schemes, "Top-Secret", "cn", "绝密"); /* also in any case */
    found(schemes, "絕密", "cn", "绝密");
    found(schemes, "official: SENSITIVE", "au", "OFFICIAL:Sensitive");
    found(schemes, "internal", "cn", "内部"); /* also of the home scheme before also of another */
    found(schemes, "uk/机密", "uk", "机密");
    found(schemes, "au/unclassified", "au", "OFFICIAL");
    not_found(schemes, "机秘", LEVEL_UNKNOWN);
    not_found(schemes, "Secret Service", LEVEL_UNKNOWN);
    not_found(schemes, "official", LEVEL_UNKNOWN); /* names are exact */
    not_found(schemes, "us/SECRET", LEVEL_UNKNOWN);
    not_found(schemes, "cn/SECRETS", LEVEL_UNKNOWN);
    not_found(schemes, "", LEVEL_UNKNOWN);
    not_found(schemes, "/", LEVEL_UNKNOWN);
    not_found(schemes, "OFFICIAL", LEVEL_AMBIGUOUS);
    not_found(schemes, "RESTRICTED", LEVEL_AMBIGUOUS);
    not_found(schemes, "shared", LEVEL_AMBIGUOUS);
}

/* Names are compared after NFC. */
static void test_normal_form(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, "scheme \"fr\"\nlevel \"Tre\u0300s secret\" rank 0\n");
    found(schemes, "Tr\u00E8s secret", "fr", "Tr\u00E8s secret");
    found(schemes, "Tre\u0300s secret", "fr", "Tr\u00E8s secret");
}

static void item_reports(const struct schemes *schemes, const char *text, const char *expected)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "x", text, strlen(text)), diagnostics);
    const struct scheme *scheme = NULL;
    const struct level *level = NULL;
    const struct item *item = statement_item(block_statement(block, 0), 0);
    gboolean good = schemes_level_item(schemes, item, diagnostics, &scheme, &level);
    g_autofree char *report = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_assert_cmpstr(report, ==, expected);
    g_assert_cmpint(good, ==, *expected == '\0');
}

static void test_item(void)
{
    g_autoptr(schemes) schemes = three_schemes();
    item_reports(schemes, "机密", "");
    item_reports(schemes, "机秘",
                 "x:1:1: error: no scheme has a level 机秘 [unknown-level]\n"
                 "    1 | 机秘\n"
                 "      | ^~~~\n"
                 "  help: did you mean 机密?\n");
    item_reports(schemes, "OFFICIAL",
                 "x:1:1: error: more than one scheme has a level OFFICIAL [ambiguous-level]\n"
                 "    1 | OFFICIAL\n"
                 "      | ^~~~~~~~\n"
                 "  help: possible here: au/OFFICIAL, uk/OFFICIAL\n");
    g_assert_false(schemes_level_item(schemes, NULL, NULL, NULL, NULL)); /* a reader that has reported it */
    g_autoptr(schemes) cn = schemes_cn();
    item_reports(cn, "PLUTONIUM",
                 "x:1:1: error: no scheme has a level PLUTONIUM [unknown-level]\n"
                 "    1 | PLUTONIUM\n"
                 "      | ^~~~~~~~~\n"
                 "  help: possible here: 公开, 内部, 秘密, 机密, 绝密\n");
}

static void test_ascii(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, "scheme \"x\"\nlevel SECRET rank 3 also \"s\"\nlevel 密 rank 7\nlevel 秘 rank "
                               "8 also \"隐\", \"hid\"\n");
    g_assert_cmpstr(level_called(schemes, "SECRET")->ascii, ==, "SECRET");
    g_assert_cmpstr(level_called(schemes, "密")->ascii, ==, "level-7");
    g_assert_cmpstr(level_called(schemes, "秘")->ascii, ==, "hid");
}

/* Statements may name what is defined after them; levels come sorted by rank, wherever they stand. */
static void test_order(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    schemes_read_text(schemes, "scheme \"x\"\ncombination \"S\" from B\nlevel B rank 5\nlevel A rank "
                               "2\ncategory set \"S\" permissive open\n");
    const struct scheme *scheme = schemes_home(schemes);
    g_assert_cmpstr(scheme_lowest(scheme)->name, ==, "A");
    const struct combination *line = g_ptr_array_index(scheme->combinations, 0);
    g_assert_cmpint(line->from_rank, ==, 5);
    g_assert_cmpint(line->up_to_rank, ==, -1);
    g_assert_true(line->set == scheme_set(scheme, "S"));
}

static void test_second_is_not_home(void)
{
    g_autoptr(schemes) schemes = three_schemes();
    g_assert_cmpuint(schemes->list->len, ==, 3);
    g_assert_false(schemes_find(schemes, "au")->home);
    g_assert_null(schemes_find(schemes, "us"));
    g_autoptr(schemes) none = schemes_new();
    g_assert_null(schemes_home(none));
}

static void test_same_name(void)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    const char *text = "scheme \"x\"\nlevel A rank 0\n";
    g_autoptr(block) first = tree_parse(sources_add(sources, "one", text, strlen(text)), diagnostics);
    g_autoptr(block) second = tree_parse(sources_add(sources, "two", text, strlen(text)), diagnostics);
    g_autoptr(schemes) schemes = schemes_new();
    g_assert_true(scheme_read(schemes, first, diagnostics));
    g_assert_false(scheme_read(schemes, second, diagnostics));
    g_autofree char *report = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_assert_cmpstr(report, ==,
                    "two:1:8: error: there are two schemes \"x\" [duplicate]\n"
                    "    1 | scheme \"x\"\n"
                    "      |        ^~~\n"
                    "  note: one:1:8: it was first given here\n");
}

/* The other scheme's levels are checked when it was read before. */
static void test_equivalent_of_known_scheme(void)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    const char *text =
        "scheme \"x\"\nlevel A rank 0\nequivalent scheme \"cn\" { A is 公开; A reads as 公幵 }\n";
    g_autoptr(block) block = tree_parse(sources_add(sources, "x", text, strlen(text)), diagnostics);
    g_autoptr(schemes) schemes = schemes_cn();
    g_assert_false(scheme_read(schemes, block, diagnostics));
    g_autofree char *report = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_assert_nonnull(strstr(report, "x:3:46: error: this scheme has no level 公幵 [unknown-level]"));
    g_assert_null(strstr(report, "x:3:26"));
}

/* One reference outlives the other. */
static void test_references(void)
{
    struct schemes *schemes = schemes_cn();
    struct schemes *other = schemes_ref(schemes);
    schemes_unref(schemes);
    g_assert_cmpstr(schemes_home(other)->name, ==, "cn");
    schemes_unref(other);
    schemes_unref(NULL);
}

/* Whatever is wrong, the scheme is there as far as it could be read, and nothing that names it is complained
 * about. */
static void test_broken(void)
{
    g_autofree char *report = scheme_findings(
        "scheme \"x\"\nlevel A rank\nlevel B rank 1\ncategory set \"S\" open\ncombination \"S\" from A\n");
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_assert_true(g_str_has_prefix(lines[0], "x.scheme:2:13: error: expected a number after"));
    g_assert_true(g_str_has_prefix(lines[1], "x.scheme:4:18: error: expected \"restrictive\""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/scheme/cn", test_cn);
    g_test_add_func("/scheme/categories", test_categories);
    g_test_add_func("/scheme/lookup", test_lookup);
    g_test_add_func("/scheme/normal-form", test_normal_form);
    g_test_add_func("/scheme/item", test_item);
    g_test_add_func("/scheme/ascii", test_ascii);
    g_test_add_func("/scheme/order", test_order);
    g_test_add_func("/scheme/second-is-not-home", test_second_is_not_home);
    g_test_add_func("/scheme/same-name", test_same_name);
    g_test_add_func("/scheme/equivalent-of-known-scheme", test_equivalent_of_known_scheme);
    g_test_add_func("/scheme/references", test_references);
    g_test_add_func("/scheme/broken", test_broken);
    return g_test_run();
}
