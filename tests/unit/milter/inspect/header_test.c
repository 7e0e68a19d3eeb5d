/* The header splitter. */
#include "milter/inspect/header.h"

#include <string.h>

#include "milter/inspect/limits.h"

/* "name=value|name=value" of a header; values unfolded. */
static char *dump(const struct header *header)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < header->fields->len; i++) {
        const struct header_field *field = &g_array_index(header->fields, struct header_field, i);
        g_string_append(out, i > 0 ? "|" : "");
        g_string_append_len(out, field->name, field->name_length);
        g_string_append_c(out, '=');
        header_unfold(field, G_MAXSIZE, out);
    }
    return g_string_free(out, FALSE);
}

static void test_split(void)
{
    static const struct {
        const char *message, *fields, *body;
        guint bad_lines;
    } table[] = {
        {"A: b\nC:d\n\nbody", "A= b|C=d", "body", 0},
        {"A: b\r\nC: d\r\n\r\nbody\r\n", "A= b|C= d", "body\r\n", 0},
        {"A: b\n c\n\td\nE:\n\n", "A= b c\td|E=", "", 0},
        {"A : b\nC\t: d\n\n", "A= b|C= d", "", 0},
        {"A: b", "A= b", "", 0},
        {"A: b\n", "A= b", "", 0},
        {"", "", "", 0},
        {"\nbody", "", "body", 0},
        {"From x@y Mon\nA: b\n\n", "A= b", "", 0},
        {"A: b\nFrom x@y Mon\nC: d\n\n", "A= b|C= d", "", 1},
        {" leading\nA: b\n\n", "A= b", "", 1},
        {"A: b\njunk\n of junk\nC: d\n\nbody", "A= b|C= d", "body", 2},
        {": x\nA: b\n\n", "A= b", "", 1},
        {"A B: x\nC: d\n\n", "C= d", "", 1},
        {"\xe6: x\nC: d\n\n", "C= d", "", 1},
        {"A: b\n \nC: d\n\n", "A= b |C= d", "", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        /* exactly its length on the heap: reading further is seen */
        gsize length = strlen(table[i].message);
        g_autofree char *message = g_memdup2(table[i].message, length);
        struct header header;
        header_split(&header, message, length);
        g_autofree char *fields = dump(&header);
        g_test_message("%s", table[i].message);
        g_assert_cmpstr(fields, ==, table[i].fields);
        g_assert_cmpmem(message + header.body, length - header.body, table[i].body, strlen(table[i].body));
        g_assert_cmpuint(header.bad_lines, ==, table[i].bad_lines);
        g_assert_false(header.is_too_large);
        header_clear(&header);
    }
}

static guint flags_of(const char *value, gsize length)
{
    g_autoptr(GString) message = g_string_new("X:");
    struct header header;
    guint flags;

    g_string_append_len(message, value, length);
    g_string_append(message, "\n\n");
    header_split(&header, message->str, message->len);
    flags = g_array_index(header.fields, struct header_field, 0).flags;
    header_clear(&header);
    return flags;
}

static void test_flags(void)
{
    g_autofree char *long_value = g_strnfill(LIMIT_FIELD_CUT, 'x');

    g_assert_cmpuint(flags_of(" plain\ttext\n more\r\n lines", 25), ==, 0);
    g_assert_cmpuint(flags_of("\x1b$B", 3), ==, 0);
    g_assert_cmpuint(flags_of("a\0b", 3), ==, FIELD_CONTROL);
    g_assert_cmpuint(flags_of("a\x01", 2), ==, FIELD_CONTROL);
    g_assert_cmpuint(flags_of("a\x7f", 2), ==, FIELD_CONTROL);
    g_assert_cmpuint(flags_of("a\rb", 3), ==, FIELD_CONTROL);
    g_assert_cmpuint(flags_of(long_value, LIMIT_FIELD_CUT - 1), ==, 0);
    g_assert_cmpuint(flags_of(long_value, LIMIT_FIELD_CUT), ==, FIELD_CUT);
}

static void test_limits(void)
{
    g_autoptr(GString) lines = g_string_new(NULL), bytes = g_string_new("X: ");
    struct header header;

    for (guint i = 0; i < LIMIT_HEADER_LINES; i++)
        g_string_append(lines, "X: y\n");
    header_split(&header, lines->str, lines->len);
    g_assert_false(header.is_too_large);
    header_clear(&header);
    g_string_append(lines, "X: y\n");
    header_split(&header, lines->str, lines->len);
    g_assert_true(header.is_too_large);
    g_assert_cmpint(header.limit, ==, FINDING_TOO_MANY_FIELDS);
    g_assert_cmpuint(header.fields->len, ==, LIMIT_HEADER_LINES);
    header_clear(&header);

    g_string_set_size(bytes, LIMIT_HEADER_BYTES + 1);
    memset(bytes->str + 3, 'x', LIMIT_HEADER_BYTES - 2);
    header_split(&header, bytes->str, bytes->len);
    g_assert_true(header.is_too_large);
    g_assert_cmpint(header.limit, ==, FINDING_HEADER_TOO_LARGE);
    header_clear(&header);
}

static void test_unfold_most(void)
{
    struct header header;
    g_autoptr(GString) out = g_string_new("kept:");

    header_split(&header, "X: ab\n cd\n\n", 11);
    header_unfold(&g_array_index(header.fields, struct header_field, 0), 4, out);
    g_assert_cmpstr(out->str, ==, "kept: ab ");
    header_clear(&header);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/header/split", test_split);
    g_test_add_func("/inspect/header/flags", test_flags);
    g_test_add_func("/inspect/header/limits", test_limits);
    g_test_add_func("/inspect/header/unfold-most", test_unfold_most);
    return g_test_run();
}
