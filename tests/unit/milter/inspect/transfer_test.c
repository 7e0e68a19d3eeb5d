/* base64 and quoted-printable, good and bad. */
#include "milter/inspect/transfer.h"

#include <string.h>

struct row {
    const char *in, *out;
    guint anomalies;
};

static void check(const struct row *row, guint (*decode)(const char *, gsize, GString *),
                  enum transfer_encoding encoding)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_test_message("%s", row->in);
    g_assert_cmpuint(decode(row->in, strlen(row->in), out), ==, row->anomalies);
    g_assert_cmpstr(out->str, ==, row->out);
    if (row->anomalies == 0)
        g_assert_cmpuint(transfer_decoded_size(encoding, row->in, strlen(row->in), NULL), ==, out->len);
}

static void test_base64(void)
{
    static const struct row rows[] = {
        {"", "", 0},
        {"QUJD", "ABC", 0},
        {"QUI=", "AB", 0},
        {"QQ==", "A", 0},
        {"QQ", "A", 0},
        {"QUI", "AB", 0},
        {"QU\r\nJD\r\n", "ABC", 0},
        {"QQ==\nQUJD", "AABC", TRANSFER_PADDING},
        {"Q*U!JD", "ABC", TRANSFER_FOREIGN},
        {"QUJDQ", "ABC", TRANSFER_UNFINISHED},
        {"QUJDQ=", "ABC", TRANSFER_UNFINISHED},
        {"QUJD\n--\nfoot", "ABC~\x8a\x2d", TRANSFER_FOREIGN}, /* a list's footer behind the content */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        check(&rows[i], transfer_base64, TRANSFER_BASE64);
}

static void test_quoted_printable(void)
{
    static const struct row rows[] = {
        {"", "", 0},
        {"a=20b", "a b", 0},
        {"a=e6=9C=BA", "a机", 0},
        {"soft=\nbreak", "softbreak", 0},
        {"soft=  \r\nbreak", "softbreak", 0},
        {"a=ZZb", "a=ZZb", TRANSFER_FOREIGN},
        {"a=", "a", TRANSFER_UNFINISHED},
        {"a=4", "a=4", TRANSFER_FOREIGN},
        {"100=\n", "100", 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        check(&rows[i], transfer_quoted_printable, TRANSFER_QUOTED_PRINTABLE);
}

static void test_find(void)
{
    g_assert_cmpint(transfer_find(NULL), ==, TRANSFER_PLAIN);
    g_assert_cmpint(transfer_find(" "), ==, TRANSFER_PLAIN);
    g_assert_cmpint(transfer_find(" BASE64\r\n"), ==, TRANSFER_BASE64);
    g_assert_cmpint(transfer_find("base64; x=y"), ==, TRANSFER_BASE64);
    g_assert_cmpint(transfer_find("\"base64\""), ==, TRANSFER_BASE64);
    g_assert_cmpint(transfer_find("quoted-printable (yes)"), ==, TRANSFER_QUOTED_PRINTABLE);
    g_assert_cmpint(transfer_find("base"), ==, TRANSFER_UNKNOWN);
    g_assert_cmpint(transfer_find("base64x"), ==, TRANSFER_UNKNOWN);
    g_assert_cmpint(transfer_find(";"), ==, TRANSFER_UNKNOWN);
}

/* No input comes out larger than what was asked for it. */
static void test_random(void)
{
    for (guint round = 0; round < 20000; round++) {
        char in[64];
        gsize length = g_test_rand_int_range(0, sizeof in);
        g_autoptr(GString) out = g_string_new(NULL);
        for (gsize i = 0; i < length; i++)
            in[i] = "ABCDwxyz0189+/==\r\n *\0\xff"[g_test_rand_int_range(0, 22)];
        guint anomalies = transfer_base64(in, length, out), scanned;
        g_assert_cmpuint(out->len, <=, length * 3 / 4 + 1);
        g_assert_cmpuint(transfer_decoded_size(TRANSFER_BASE64, in, length, &scanned), ==, out->len);
        g_assert_cmpuint(scanned, ==, anomalies);
        transfer_quoted_printable(in, length, out);
        transfer_decoded_size(TRANSFER_QUOTED_PRINTABLE, in, length, NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/transfer/base64", test_base64);
    g_test_add_func("/inspect/transfer/quoted-printable", test_quoted_printable);
    g_test_add_func("/inspect/transfer/find", test_find);
    g_test_add_func("/inspect/transfer/random", test_random);
    return g_test_run();
}
