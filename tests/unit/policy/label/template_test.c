#include "policy/label/template.h"

static void splits(const char *text, const char *before, const char *after)
{
    g_autofree char *one = NULL, *other = NULL;
    g_assert_cmpint(template_split(text, &one, &other), ==, before != NULL);
    g_assert_cmpstr(one, ==, before);
    g_assert_cmpstr(other, ==, after);
}

static void test_split(void)
{
    splits("【{level}】", "【", "】");
    splits("密级：{level}", "密级：", "");
    splits("{level}", "", "");
    splits("{{{level}}", "{", "}");
    splits("a{{b{x}c}{{", "a{b", "c}{");
    splits("none", NULL, NULL);
    splits("", NULL, NULL);
    splits("{level}{level}", NULL, NULL);
}

static void test_pieces(void)
{
    g_autoptr(GPtrArray) pieces = template_parse("a{b}{{c{d");
    static const struct template_piece expected[] = {{FALSE, "a"}, {TRUE, "b"}, {FALSE, "{c"}, {TRUE, NULL}};
    g_assert_cmpuint(pieces->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < pieces->len; i++) {
        const struct template_piece *piece = g_ptr_array_index(pieces, i);
        g_assert_cmpint(piece->is_place, ==, expected[i].is_place);
        g_assert_cmpstr(piece->text, ==, expected[i].text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/template/split", test_split);
    g_test_add_func("/template/pieces", test_pieces);
    return g_test_run();
}
