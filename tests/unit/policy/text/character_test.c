#include "policy/text/character.h"

#include <string.h>

static void check_read(const char *text, gsize octets, gunichar wanted, guint wanted_length)
{
    guint length = 0;

    g_assert_cmphex(character_read(text, text + octets, &length), ==, wanted);
    g_assert_cmpuint(length, ==, wanted_length);
}

static void read_any(void)
{
    check_read("a", 1, 'a', 1);
    check_read("\0", 1, 0, 1);
    check_read("密", 3, 0x5BC6, 3);
    check_read("密", 2, CHARACTER_INVALID, 1); /* cut short by the end of the text */
    check_read("\xF0\x9F\x94\x92", 4, 0x1F512, 4);
    check_read("\xC0\xAF", 2, CHARACTER_INVALID, 1);         /* overlong */
    check_read("\xED\xA0\x80", 3, CHARACTER_INVALID, 1);     /* half of a pair */
    check_read("\xF4\x90\x80\x80", 4, CHARACTER_INVALID, 1); /* beyond Unicode */
    check_read("\x80", 1, CHARACTER_INVALID, 1);
    check_read("\xFF", 1, CHARACTER_INVALID, 1);
}

/* The same answer as GLib's for every beginning of a character, at every place of a word of eight octets, and
 * wherever the text ends. */
static void all_valid(void)
{
    static const guchar edges[] = {0x00, 0x01, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    char text[16];
    guint valid = 0;

    for (guint lead = 0; lead < 256; lead++) {
        for (guint n = 0; n < 11 * 11 * 11; n++) {
            const guint place = n % 9;
            memset(text, 'a', sizeof text);
            text[place] = (char)lead;
            text[place + 1] = (char)edges[n % 11];
            text[place + 2] = (char)edges[n / 11 % 11];
            text[place + 3] = (char)edges[n / 121];
            for (gsize length = place; length <= sizeof text; length++) {
                const char *end;
                gboolean wanted = g_utf8_validate_len(text, length, &end);
                g_assert_cmpint(character_all_valid(text, length), ==, wanted);
                g_assert_cmpuint(character_valid_length(text, length), ==, (gsize)(end - text));
                valid += wanted;
            }
        }
    }
    g_assert_cmpuint(valid, >, 10000);
    g_assert_true(character_all_valid("", 0));
    g_assert_true(character_all_valid("机密", 6));
    g_assert_false(character_all_valid("a\0b", 3));
}

/* The list of language.md section 1, and its neighbours. */
static void hidden(void)
{
    static const gunichar all[] = {0x00AD, 0x061C, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x202A, 0x202B,
                                   0x202C, 0x202D, 0x202E, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF};
    guint count = 0;

    for (gunichar c = 0; c < 0x110000; c++)
        count += character_is_hidden(c);
    g_assert_cmpuint(count, ==, G_N_ELEMENTS(all));
    for (guint n = 0; n < G_N_ELEMENTS(all); n++) {
        g_assert_true(character_is_hidden(all[n]));
        g_assert_false(character_is_sound(all[n]));
    }
}

static void controls(void)
{
    guint count = 0;

    for (gunichar c = 0; c < 0x110000; c++)
        count += character_is_control(c);
    g_assert_cmpuint(count, ==, 32 - 2 + 33);
    g_assert_false(character_is_control('\t'));
    g_assert_false(character_is_control('\n'));
    g_assert_true(character_is_control('\r'));
    g_assert_true(character_is_control(0));
    g_assert_true(character_is_control(0x7F));
    g_assert_true(character_is_control(0x9F));
    g_assert_false(character_is_sound(CHARACTER_INVALID));
    g_assert_true(character_is_sound(0x5BC6));
}

static void widths(void)
{
    g_assert_cmpuint(character_cells('a'), ==, 1);
    g_assert_cmpuint(character_cells(0x5BC6), ==, 2);
    g_assert_cmpuint(character_cells(0x2605), ==, 1); /* ★ is ambiguous */
    g_assert_cmpuint(character_cells(0x3000), ==, 2);
    g_assert_cmpuint(character_cells(0xFF08), ==, 2);
    g_assert_cmpuint(character_cells(0x0301), ==, 0);
    g_assert_cmpuint(character_cells(0x200B), ==, 1); /* shown as · */
    g_assert_cmpuint(character_cells(CHARACTER_INVALID), ==, 1);
    g_assert_cmphex(character_fold_width(0xFF13), ==, '3');
    g_assert_cmphex(character_fold_width(0xFF5E), ==, '~');
    g_assert_cmphex(character_fold_width(0xFF5F), ==, 0xFF5F);
    g_assert_cmphex(character_fold_width(0x5BC6), ==, 0x5BC6);
}

static void counts(void)
{
    g_assert_cmpuint(character_count("", 0), ==, 0);
    g_assert_cmpuint(character_count("a密\xFF\x80", 6), ==, 4);
}

static void check_visible(const char *text, gsize length, const char *wanted)
{
    g_autofree char *visible = character_visible(text, length);

    g_assert_cmpstr(visible, ==, wanted);
}

/* Nothing that a terminal obeys, or that reads differently from what it says, comes through. */
static void visible(void)
{
    check_visible("a\tb", 3, "a\tb");
    check_visible("\x1B[2Ja\0b\r\n\x7F", 10, "·[2Ja·b···");
    check_visible("a\xE2\x80\xAE"
                  "b\xFF\xC2\x9B\xE2\x80\xA8",
                  11, "a·b\xEF\xBF\xBD··");
}

static void check_shorten(const char *text, guint characters, const char *wanted)
{
    g_autofree char *shorter = character_shorten(text, characters);

    g_assert_cmpstr(shorter, ==, wanted);
}

static void shorten(void)
{
    check_shorten("机密文件", 4, "机密文件");
    check_shorten("机密文件", 3, "机密文…");
    check_shorten("", 3, "");
    check_shorten("abc", 0, "…");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/text/character/read", read_any);
    g_test_add_func("/text/character/all-valid", all_valid);
    g_test_add_func("/text/character/hidden", hidden);
    g_test_add_func("/text/character/controls", controls);
    g_test_add_func("/text/character/widths", widths);
    g_test_add_func("/text/character/counts", counts);
    g_test_add_func("/text/character/visible", visible);
    g_test_add_func("/text/character/shorten", shorten);
    return g_test_run();
}
