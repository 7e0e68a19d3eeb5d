/* The text of a message for its reviewer: decoded as the inspector decodes it, in its sandbox. */
#include "milter/inspect/readable.h"

#include <string.h>

#include "milter/inspect/reader.h"

static char *text_of(const char *octets, gsize length)
{
    g_autoptr(GError) error = NULL;
    GString *text = readable_text(octets, length, &error);

    g_assert_no_error(error);
    return text != NULL ? g_string_free(text, FALSE) : NULL;
}

static void expect(const char *message, const char *expected)
{
    g_autofree char *text = text_of(message, strlen(message));

    g_assert_cmpstr(text, ==, expected);
}

static void test_texts(void)
{
    expect("Subject: x\r\n\r\nplain\r\n", "plain\r\n");
    expect("Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5py65a+G\r\n",
           "机密\n");
    expect("Content-Type: text/plain; charset=GBK\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
           "=BB=FA=C3=DC\r\n",
           "机密\r\n");
    expect(
        "Content-Type: text/html; charset=UTF-8\r\n\r\n<p>one<p style='display:none'>hid<script>x</script>",
        "one\nhid\n");
    expect("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\nContent-Type: "
           "text/html\r\n"
           "Content-Disposition: inline\r\n\r\n<b>second</b>\r\n--b--\r\n",
           "[2]\nfirst\n\n[html 3]\nsecond\n");
    expect("", "");
    expect("Subject: no body\r\n", "");
}

/* Octets that are not to be obeyed stay what they are here: whoever shows the text makes them harmless. */
static void test_control(void)
{
    expect("Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\nG1szMW0=\r\n",
           "\x1b[31m\n");
}

static void test_limits(void)
{
    g_autoptr(GString) bomb = g_string_new("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 30000; i++)
        g_string_append(bomb, "--b\r\n\r\n");
    g_assert_null(readable_text(bomb->str, bomb->len, &error));
    g_assert_error(error, READABLE_ERROR, 0);
    g_assert_cmpstr(error ? error->message : NULL, ==, "too many lines or parts");
}

/* More than a pipe holds at once. */
static void test_large(void)
{
    g_autoptr(GString) message = g_string_new("Subject: x\r\n\r\n");

    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(message, "line %u\r\n", i);
    g_autofree char *text = text_of(message->str, message->len);
    g_assert_true(text && g_str_has_suffix(text, "line 99999\r\n"));
    g_assert_cmpuint(text ? strlen(text) : 0, ==, message->len - strlen("Subject: x\r\n\r\n"));
}

/* Any octets give valid UTF-8 or an error. */
static void test_any(void)
{
    struct inspect_limits limits;

    inspect_limits_init(&limits);
    for (guint i = 0; i < 300; i++) {
        g_autoptr(GString) message = g_string_new("Content-Type: text/");
        g_autoptr(GString) out = g_string_new(NULL);
        guint length = (guint)g_test_rand_int_range(0, 300);

        g_string_append(message, g_test_rand_bit() ? "html\r\n\r\n" : "plain; charset=big5\r\n\r\n");
        for (guint j = 0; j < length; j++)
            g_string_append_c(message, (char)g_test_rand_int_range(0, 256));
        if (readable_make(message->str, message->len, &limits, out, NULL))
            g_assert_true(g_utf8_validate_len(out->str, out->len, NULL) || memchr(out->str, '\0', out->len));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspect/readable/texts", test_texts);
    g_test_add_func("/inspect/readable/control", test_control);
    g_test_add_func("/inspect/readable/limits", test_limits);
    g_test_add_func("/inspect/readable/large", test_large);
    g_test_add_func("/inspect/readable/any", test_any);
    return g_test_run();
}
