/* Labels go into a record and come back, and what is no record is no label. */
#include "policy/label/label_record.h"

#include <string.h>

#include "tests/support/random_label.h"
#include "tests/support/scheme_text.h"
#include "tests/support/schemes.h"

#define ROUNDS 3000

static void expect_round_trip(const struct schemes *schemes, const struct label_set *set)
{
    g_autofree char *text = label_set_record(set);
    g_autoptr(label_set) back = label_set_recall(schemes, text);

    g_assert_null(strpbrk(text, "\r\n\t"));
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_nonnull(back);
    if (back == NULL)
        return;
    g_assert_true(label_set_equal(set, back));
    g_autofree char *again = label_set_record(back);
    g_assert_cmpstr(again, ==, text);
}

static void test_random(void)
{
    for (guint i = 0; i < ROUNDS && !g_test_failed(); i++) {
        g_autoptr(schemes) schemes = random_schemes();
        g_autoptr(label_set) set = label_set_new();
        g_autoptr(label) label = random_label(schemes_home(schemes));
        if (g_test_rand_bit())
            label->duration =
                (struct duration){.kind = DURATION_UNTIL, .until = g_test_rand_int_range(-9, G_MAXINT32)};
        g_ptr_array_add(set->labels, label_copy(label));
        expect_round_trip(schemes, set);
    }
}

static void test_several_schemes(void)
{
    g_autoptr(schemes) schemes = support_schemes();
    g_autoptr(label) home = support_label(schemes, "机密", NULL);
    g_autoptr(label) other = support_label(schemes, "au/TOP SECRET", "caveat=CODEWORD", NULL);
    g_autoptr(label_set) set = label_set_new();

    expect_round_trip(schemes, set); /* the empty one */
    home->duration = (struct duration){.kind = DURATION_UNTIL, .until = 1893456000};
    label_set_join(set, home);
    label_set_join(set, other);
    expect_round_trip(schemes, set);
    g_autofree char *text = label_set_record(set);
    g_assert_cmpstr(text, ==, "cn/机密;<1893456000 au/TOP%20SECRET;=caveat=CODEWORD");
    g_autoptr(label_set) back = label_set_recall(schemes, text);
    const struct label *recalled = g_ptr_array_index(back->labels, 0);
    g_assert_cmpint(recalled->duration.kind, ==, DURATION_UNTIL);
    g_assert_cmpint(recalled->duration.until, ==, 1893456000);
}

/* Names may hold every mark of the form. */
static void test_names(void)
{
    static const char *const values[] = {"a;b", "a=b", "a,b", "a b", "%41", "!", "<1", "a/b", "a\nb", "★"};
    g_autoptr(schemes) schemes = schemes_new();

    schemes_read_text(schemes, "scheme \"r\"\nlevel \"L one; =%\" rank 1\n"
                               "category set \"S=;,\" restrictive open\n");
    const struct scheme *scheme = schemes_home(schemes);
    g_autoptr(label) label = label_new(scheme, scheme_lowest(scheme));
    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        label_add_value(label, g_ptr_array_index(scheme->sets, 0), values[i]);
    g_autoptr(label_set) set = label_set_new();
    label_set_join(set, label);
    expect_round_trip(schemes, set);
}

/* A label that is not wholly known is not known: who looks is asked for system high. */
static void test_none(void)
{
    static const char *const texts[] = {"cn",
                                        "cn/",
                                        "/",
                                        "cn/机密 ",
                                        " cn/机密",
                                        "cn/机密/",
                                        "cn/超密",
                                        "xx/机密",
                                        "cn/机密;",
                                        "cn/机密;x",
                                        "cn/机密;!!",
                                        "cn/机密;<",
                                        "cn/机密;<x",
                                        "cn/机密;<1;<2",
                                        "cn/机密;=",
                                        "cn/机密;=无=a",
                                        "cn/机密 cn/公开",
                                        "cn/%",
                                        "cn/%4",
                                        "cn/%00",
                                        "cn/%FF",
                                        "cn/\xff",
                                        "au/SECRET;=caveat=",
                                        "au/SECRET;=caveat=UNHEARD",
                                        "au/SECRET;=caveat=CODEWORD,",
                                        "au/SECRET;=caveat;=caveat=CODEWORD",
                                        "cn/机密\n",
                                        "cn/机密;<99999999999999999999"};
    g_autoptr(schemes) schemes = support_schemes();

    g_assert_null(label_set_recall(schemes, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(label_set) set = label_set_recall(schemes, texts[i]);
        g_test_message("%s", texts[i]);
        g_assert_null(set);
    }
    g_autofree char *much = g_strnfill((2 << 20), ' ');
    g_assert_null(label_set_recall(schemes, much));
}

/* Whatever octets stand in a database, nothing is read outside of them. */
static void test_mutations(void)
{
    g_autoptr(schemes) schemes = support_schemes();
    g_autoptr(label) label = support_label(schemes, "au/SECRET", "caveat=CODEWORD", NULL);
    g_autoptr(label_set) set = label_set_new();

    label_set_join(set, label);
    for (guint i = 0; i < ROUNDS; i++) {
        g_autofree char *text = label_set_record(set);
        gint changes = g_test_rand_int_range(1, 4);
        for (gint c = 0; c < changes; c++)
            text[g_test_rand_int_range(0, (gint32)strlen(text))] = (char)g_test_rand_int_range(1, 256);
        g_autoptr(label_set) back = label_set_recall(schemes, text);
        if (back == NULL)
            continue;
        g_autofree char *again = label_set_record(back);
        g_autoptr(label_set) twice = label_set_recall(schemes, again);
        g_assert_true(twice != NULL && label_set_equal(back, twice));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/label_record/random", test_random);
    g_test_add_func("/label_record/several-schemes", test_several_schemes);
    g_test_add_func("/label_record/names", test_names);
    g_test_add_func("/label_record/none", test_none);
    g_test_add_func("/label_record/mutations", test_mutations);
    return g_test_run();
}
