#include "milter/decide/page.h"

#include <string.h>

static char *one_field(guint indent, guint column, const char *name, const char *value)
{
    struct page page = page_new();

    page_field(&page, indent, column, name, value);
    return page_finish(&page);
}

static void assert_narrow(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        g_assert_cmpuint(page_cells(lines[i]), <=, 80);
        g_assert_false(g_str_has_suffix(lines[i], " "));
    }
}

static void test_field(void)
{
    g_autofree char *short_name = one_field(2, 8, "is", "a person");
    g_autofree char *wide_name = one_field(2, 8, "身份", "人员");
    g_autofree char *long_name = one_field(2, 8, "a long name", "value");
    g_autofree char *nameless = one_field(8, 8, "", "value");
    g_autofree char *bare = one_field(2, 8, "name", NULL);

    g_assert_cmpstr(short_name, ==, "  is    a person\n");
    g_assert_cmpstr(wide_name, ==, "  身份  人员\n");
    g_assert_cmpstr(long_name, ==, "  a long name\n        value\n");
    g_assert_cmpstr(nameless, ==, "        value\n");
    g_assert_cmpstr(bare, ==, "  name\n");
}

static void test_wrapping(void)
{
    g_autofree char *words = one_field(0, 60, "x", "one two three four five six seven");
    g_autofree char *chinese = one_field(0, 60, "x", "一二三四五六七八九，十百");
    g_autofree char *unbroken = one_field(0, 60, "x", "0123456789012345678901234");

    g_assert_cmpstr(words, ==,
                    "x                                                           one two three four\n"
                    "                                                            five six seven\n");
    /* A comma does not begin a line. */
    g_assert_cmpstr(chinese, ==,
                    "x                                                           一二三四五六七八九，\n"
                    "                                                            十百\n");
    g_assert_cmpstr(unbroken, ==,
                    "x                                                           01234567890123456789\n"
                    "                                                            01234\n");
    /* A Chinese word stays whole where the line may end a little earlier. */
    g_autofree char *mixed = one_field(0, 60, "x", "marks differ: 秘密, 机密 and more");
    g_assert_cmpstr(mixed, ==,
                    "x                                                           marks differ: 秘密,\n"
                    "                                                            机密 and more\n");
    assert_narrow(words);
    assert_narrow(chinese);
}

/* Any text, at any column: lines of at most 80 cells, nothing lost but blanks. */
static void test_any_text(void)
{
    static const char *const pieces[] = {"word", " ", "机", "密", "，", ";", "a", "  ", "0123456789", "）"};

    for (guint i = 0; i < 3000; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        guint count = (guint)g_test_rand_int_range(0, 60);

        for (guint j = 0; j < count; j++)
            g_string_append(text, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
        g_autofree char *page = one_field(2, (guint)g_test_rand_int_range(4, 70), "n", text->str);
        g_autofree char *squeezed = g_strdelimit(g_strdup(page), "\n", ' ');
        g_auto(GStrv) left = g_strsplit(squeezed, " ", -1), right = g_strsplit(text->str, " ", -1);
        g_autofree char *a = g_strjoinv("", left), *b = g_strjoinv("", right);
        g_autofree char *named = g_strconcat("n", b, NULL);

        assert_narrow(page);
        g_assert_cmpstr(a, ==, named);
    }
}

static void test_control(void)
{
    g_autofree char *text = one_field(0, 4, "x", "a\x1b[31mb\xff\u202e\nc");

    g_assert_cmpuint(strcspn(text, "\x1b\n"), ==, strlen(text) - 1);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_null(strstr(text, "\u202e"));
}

static char *text_of(const char *octets, gsize length)
{
    struct page page = page_new();

    page_text(&page, octets, length);
    return page_finish(&page);
}

/* A mail as a terminal may have it: its lines, none of which is obeyed or too long. */
static void test_text(void)
{
    static const char mail[] =
        "one\r\n\r\n  two\tthree  \nb\xc3\x28\0z\x1b]0;x\x07\n\xe2\x80\xaeright\r\r\nlast";
    g_autofree char *page = text_of(mail, sizeof mail - 1);
    g_autofree char *none = text_of("", 0), *blank = text_of("\n", 1);
    g_autofree char *wide = g_strnfill(200, 'x');
    g_autofree char *wrapped = text_of(wide, 200);

    g_assert_cmpstr(page, ==, "one\n\n  two   three\nb\uFFFD(\uFFFDz?]0;x?\n?right?\nlast\n");
    g_assert_cmpstr(none, ==, "");
    g_assert_cmpstr(blank, ==, "\n");
    g_assert_cmpuint(strlen(wrapped), ==, 203);
    assert_narrow(wrapped);
}

static void test_any_octets(void)
{
    for (guint i = 0; i < 2000; i++) {
        guint length = (guint)g_test_rand_int_range(0, 400);
        g_autofree char *octets = g_malloc(length + 1);

        for (guint j = 0; j < length; j++)
            octets[j] =
                (char)(g_test_rand_bit() ? g_test_rand_int_range(0, 256) : g_test_rand_int_range(8, 40));
        g_autofree char *page = text_of(octets, length);
        assert_narrow(page);
        g_assert_true(g_utf8_validate(page, -1, NULL));
        for (const char *p = page; *p != '\0'; p = g_utf8_next_char(p))
            g_assert_true(*p == '\n' || g_unichar_isprint(g_utf8_get_char(p)));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/page/field", test_field);
    g_test_add_func("/page/wrapping", test_wrapping);
    g_test_add_func("/page/any-text", test_any_text);
    g_test_add_func("/page/control", test_control);
    g_test_add_func("/page/text", test_text);
    g_test_add_func("/page/any-octets", test_any_octets);
    return g_test_run();
}
