#include "policy/text/fold.h"

#include <string.h>

static void folds(const char *text, guint flags, const char *expected)
{
    g_autofree char *folded = fold_string(text, flags);
    g_assert_cmpstr(folded, ==, expected);
}

static void test_plain(void)
{
    folds("", FOLD_MARK, "");
    folds("abc ABC 09 ~", 0, "abc ABC 09 ~");
    folds("abc ABC", FOLD_CASE, "abc abc");
    folds("机密文件", FOLD_MARK, "机密文件");
    folds("机密A文件", FOLD_MARK, "机密a文件");
}

static void test_width(void)
{
    folds("ＡＢｃ１２！～", 0, "ABc12!~");
    folds("ＡＢｃ", FOLD_CASE, "abc");
    folds("（［｛：，＊", 0, "([{:,*");
    folds("机　密", FOLD_SPACE, "机 密");
    folds("ｶﾞ", 0, "ガ"); /* half-width kana with its sound mark is one character */
    folds("Ａ́", 0, "Á");  /* U+FF21 U+0301 */
}

static void test_compatibility(void)
{
    folds("㊙密", FOLD_MARK, "秘密");      /* U+3299 */
    folds("\u2F46", 0, "无");              /* a Kangxi radical */
    folds("10\uF98E", 0, "10年");          /* a compatibility ideograph */
    folds("\U0002F814", FOLD_FORMS, "内"); /* first 內, then 内 */
    folds("ﬁ", 0, "fi");
    folds("e\u0301", 0, "é");
    folds("각", 0, "각"); /* Hangul jamo U+1100 U+1161 U+11A8 */
    folds("ΐ", FOLD_CASE, "ΐ");
    folds("Straße", FOLD_CASE, "strasse");
    folds("ДОМ", FOLD_CASE, "дом");
    folds("ДОМ", 0, "ДОМ");
}

static void test_forms(void)
{
    folds("絕密機密祕密內部公開長期個月啟啓封後級絶", FOLD_FORMS, "绝密机密秘密内部公开长期个月启启封后级绝");
    folds("絕密", FOLD_CASE, "絕密");
    folds("☆⭐🌟✭✮✪✫✬✯⋆⭑✰★", FOLD_FORMS, "★★★★★★★★★★★★★");
    folds("△▴▲", FOLD_FORMS, "▲▲▲");
    folds("*＊", FOLD_FORMS, "**");
}

/* Every default-ignorable character of facts 9.4 goes, between two characters and alone. */
static void test_ignorable(void)
{
    static const struct {
        gunichar first, last;
    } ranges[] = {
        {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C},   {0x115F, 0x1160},
        {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x200B, 0x200F},   {0x202A, 0x202E},
        {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
        for (gunichar c = ranges[i].first; c <= ranges[i].last; c++) {
            char octets[7] = "";
            octets[g_unichar_to_utf8(c, octets)] = '\0';
            g_autofree char *text = g_strconcat("机", octets, "密a", octets, "b", octets, NULL);
            g_autofree char *folded = fold_string(text, FOLD_MARK);
            if (!g_str_equal(folded, "机密ab"))
                g_test_message("U+%04X is not taken out", c);
            g_assert_cmpstr(folded, ==, "机密ab");
        }
    }
}

static void test_space(void)
{
    folds("  a \t\r\n b  ", FOLD_SPACE, "a b");
    folds(" \n ", FOLD_SPACE, "");
    folds("a\u00A0b\u2003c\u2028d\u3000e\u2800f\xc2\x85"
          "g",
          FOLD_SPACE, "a b c d e f g");
    folds("a\x01"
          "b\x7f"
          "c",
          FOLD_SPACE, "a b c");
    folds("a  b", 0, "a  b");
    g_autoptr(folded) nul = fold_text("a\0b", 3, FOLD_SPACE);
    g_assert_cmpstr(nul->text, ==, "a b");
    g_autoptr(folded) kept = fold_text("a\0b", 3, 0);
    g_assert_cmpstr(kept->text, ==,
                    "a\uFFFD"
                    "b");
}

static void test_invalid(void)
{
    folds("a\xff"
          "b\xe4\xb8",
          FOLD_MARK,
          "a\uFFFD"
          "b\uFFFD\uFFFD");
    folds("\xe6\x9c", 0, "\uFFFD\uFFFD");
    folds("\xed\xa0\x80", 0, "\uFFFD\uFFFD\uFFFD"); /* a surrogate */
}

static void test_bidi(void)
{
    g_autoptr(folded) turned = fold_text("\u202E密机", strlen("\u202E密机"), FOLD_MARK);
    g_assert_true(turned->bidi);
    g_assert_cmpstr(turned->text, ==, "密机");
    g_autoptr(folded) inside = fold_text("e\u2066\u0301", strlen("e\u2066\u0301"), FOLD_MARK);
    g_assert_true(inside->bidi);
    g_autoptr(folded) straight = fold_text("机\u200E密", strlen("机\u200E密"), FOLD_MARK);
    g_assert_false(straight->bidi);
}

/* Where each character of the result came from. */
static void test_origin(void)
{
    const char *text = "  Ａb\u200b机 \t 機ﬁ★";
    g_autoptr(folded) folded = fold_text(text, strlen(text), FOLD_MARK);
    g_assert_cmpstr(folded->text, ==, "ab机 机fi★");
    static const struct {
        gsize at, origin;
    } points[] = {{0, 2}, {1, 5}, {2, 9}, {5, 12}, {6, 15}, {9, 18}, {10, 18}, {11, 21}, {14, 24}};
    for (guint i = 0; i < G_N_ELEMENTS(points); i++)
        g_assert_cmpuint(folded_origin(folded, points[i].at), ==, points[i].origin);
}

static void test_nfc(void)
{
    g_autofree char *composed = fold_nfc("e\u0301机密");
    g_assert_cmpstr(composed, ==, "é机密");
    g_autofree char *same = fold_nfc("ﬁ　Ａ");
    g_assert_cmpstr(same, ==, "ﬁ　Ａ");
}

/* Stacked characters do not make it slow: the time of a text twice as long is not four times as long. */
static void test_stacked(void)
{
    g_autoptr(GString) text = g_string_new("a");
    for (guint i = 0; i < 100000; i++) /* combining classes in falling order, the worst for a sort */
        g_string_append_unichar(text, i % 2 == 0 ? 0x0301 : 0x0327);
    gint64 start = g_get_monotonic_time();
    g_autoptr(folded) folded = fold_text(text->str, text->len, FOLD_MARK);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    g_assert_cmpuint(folded->length, >, 100000);
}

/* Random text of awkward characters: valid UTF-8 comes out, the second folding changes nothing, the way back
 * rises. */
static void test_random(void)
{
    static const gunichar awkward[] = {'a',    'Z',     ' ',     '*',     0x0301, 0x0327, 0x00C5, 0x1100,
                                       0x1161, 0x11A8,  0xAC00,  0x200B,  0x202E, 0x3000, 0x4E00, 0x6A5F,
                                       0x9FFF, 0x2605,  0x2606,  0xFB01,  0xFDFA, 0xFF21, 0xFF76, 0xFF9E,
                                       0xFFA0, 0x1F31F, 0x2F814, 0xE0001, 0x0345, 0x1F80, 0x3099, 0x304B};
    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (gint i = g_test_rand_int_range(0, 12); i > 0; i--)
            g_string_append_unichar(text, awkward[g_test_rand_int_range(0, G_N_ELEMENTS(awkward))]);
        if (g_test_rand_int_range(0, 8) == 0)
            g_string_append_c(text, (char)g_test_rand_int_range(0, 256));
        g_autoptr(folded) once = fold_text(text->str, text->len, FOLD_MARK);
        g_autoptr(folded) twice = fold_text(once->text, once->length, FOLD_MARK);
        g_assert_true(g_utf8_validate(once->text, (gssize)once->length, NULL));
        g_assert_cmpstr(once->text, ==, twice->text);
        gsize last = 0;
        for (gsize at = 0; at <= once->length; at++) {
            gsize origin = folded_origin(once, at);
            g_assert_cmpuint(origin, <=, text->len);
            if (at == once->length || (once->text[at] & 0xC0) != 0x80) {
                g_assert_cmpuint(origin, >=, last);
                last = origin;
            }
        }
        if (g_test_failed()) {
            g_test_message("%s", text->str);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/fold/plain", test_plain);
    g_test_add_func("/fold/width", test_width);
    g_test_add_func("/fold/compatibility", test_compatibility);
    g_test_add_func("/fold/forms", test_forms);
    g_test_add_func("/fold/ignorable", test_ignorable);
    g_test_add_func("/fold/space", test_space);
    g_test_add_func("/fold/invalid", test_invalid);
    g_test_add_func("/fold/bidi", test_bidi);
    g_test_add_func("/fold/origin", test_origin);
    g_test_add_func("/fold/nfc", test_nfc);
    g_test_add_func("/fold/stacked", test_stacked);
    g_test_add_func("/fold/random", test_random);
    return g_test_run();
}
