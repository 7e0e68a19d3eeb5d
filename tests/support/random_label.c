#include "tests/support/random_label.h"

#include "tests/support/scheme_text.h"

struct schemes *random_schemes(void)
{
    static const char *const kinds[] = {"restrictive", "permissive", "informative"};
    g_autoptr(GString) text = g_string_new("scheme \"r\"\n");
    gint levels = g_test_rand_int_range(1, 7), sets = g_test_rand_int_range(0, 5);
    for (gint i = 0; i < levels; i++)
        g_string_append_printf(text, "level L%d rank %d\n", i, i * 10);
    for (gint i = 0; i < sets; i++)
        g_string_append_printf(text, "category set \"S%d\" %s open\n", i, kinds[g_test_rand_int_range(0, 3)]);
    struct schemes *schemes = schemes_new();
    schemes_read_text(schemes, text->str);
    return schemes;
}

struct label *random_label(const struct scheme *scheme)
{
    const struct level *level =
        g_ptr_array_index(scheme->levels, g_test_rand_int_range(0, (gint32)scheme->levels->len));
    struct label *label = label_new(scheme, level);
    for (guint i = 0; i < scheme->sets->len; i++) {
        if (g_test_rand_bit())
            continue;
        for (char value = 'a'; value <= 'e'; value++) {
            const char name[] = {value, '\0'};
            if (g_test_rand_bit())
                label_add_value(label, g_ptr_array_index(scheme->sets, i), name);
        }
    }
    label->nobody = g_test_rand_int_range(0, 20) == 0;
    return label;
}
