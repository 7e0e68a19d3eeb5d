/* The token of a release: what it is bound to, and the digest that the release socket comes to by itself. */
#include "milter/review/token.h"

#include <string.h>

static const guint8 key[32] = "a key of thirty-two octets, here";

static struct attempt *some_attempt(void)
{
    struct attempt *attempt = g_new0(struct attempt, 1);

    attempt->id = g_strdup("2kx9bcdfghjkmnpqrstvwxyz234");
    attempt->expires_ms = 1800000000000;
    memset(attempt->digest, 7, sizeof attempt->digest);
    attempt->recipients = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(attempt->recipients, g_strdup("<an@agency.gov.cn>"));
    g_ptr_array_add(attempt->recipients, g_strdup("<Bo@agency.gov.cn>"));
    return attempt;
}

static void drop(struct attempt *attempt)
{
    g_ptr_array_unref(attempt->recipients);
    g_free(attempt->id);
    g_free(attempt);
}

static gboolean is_good(const struct attempt *attempt, const char *token)
{
    return token_is_good(key, attempt, token, attempt->digest, attempt->recipients, attempt->expires_ms - 1);
}

static void test_good(void)
{
    struct attempt *attempt = some_attempt();
    g_autofree char *token = token_make(key, attempt);
    g_autofree char *id = token_attempt(token);

    g_assert_true(g_str_has_prefix(token, "v1 2kx9bcdfghjkmnpqrstvwxyz234 1800000000000 "));
    g_assert_cmpuint(strlen(token), <, 200);
    g_assert_cmpstr(id, ==, attempt->id);
    g_assert_true(is_good(attempt, token));
    drop(attempt);
}

/* Another digest, key, expiry, id, or list of recipients: another token. */
static void test_bound(void)
{
    struct attempt *attempt = some_attempt();
    g_autofree char *token = token_make(key, attempt);
    guint8 other[32];

    memset(other, 8, sizeof other);
    g_assert_false(token_is_good(other, attempt, token, attempt->digest, attempt->recipients, 0));
    g_assert_false(token_is_good(key, attempt, token, other, attempt->recipients, 0));
    g_assert_false(is_good(attempt, "v1 x 1800000000000 00"));

    attempt->digest[31] ^= 1;
    g_assert_false(is_good(attempt, token));
    attempt->digest[31] ^= 1;

    attempt->expires_ms++;
    g_assert_false(is_good(attempt, token));
    attempt->expires_ms--;

    attempt->id[3] = 'z';
    g_assert_false(is_good(attempt, token));
    attempt->id[3] = '9';
    g_assert_true(is_good(attempt, token));
    drop(attempt);
}

static void expect_recipients(const struct attempt *attempt, const char *token, const char *list,
                              gboolean good)
{
    g_auto(GStrv) words = g_strsplit(list, " ", -1);
    g_autoptr(GPtrArray) given = g_ptr_array_new();

    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(given, *word);
    g_assert_cmpint(token_is_good(key, attempt, token, attempt->digest, given, 0), ==, good);
}

static void test_recipients(void)
{
    struct attempt *attempt = some_attempt();
    g_autofree char *token = token_make(key, attempt);

    expect_recipients(attempt, token, "<an@agency.gov.cn> <Bo@agency.gov.cn>", TRUE);
    expect_recipients(attempt, token, "<Bo@agency.gov.cn> <an@agency.gov.cn>", FALSE);
    expect_recipients(attempt, token, "<an@agency.gov.cn> <bo@agency.gov.cn>", FALSE);
    expect_recipients(attempt, token, "<an@agency.gov.cn>", FALSE);
    expect_recipients(attempt, token, "<an@agency.gov.cn> <Bo@agency.gov.cn> <x@evil.example>", FALSE);
    expect_recipients(attempt, token, "<an@agency.gov.cn><Bo@agency.gov.cn>", FALSE);
    drop(attempt);
}

static void test_expiry(void)
{
    struct attempt *attempt = some_attempt();
    g_autofree char *token = token_make(key, attempt);

    g_assert_false(
        token_is_good(key, attempt, token, attempt->digest, attempt->recipients, attempt->expires_ms));
    drop(attempt);
}

/* Whatever somebody writes there is an answer, never a crash; one octet changed is no token. */
static void test_forms(void)
{
    static const char *const none[] = {
        "",
        "v1",
        " ",
        "v1   ",
        "v2 a 1 0000000000000000000000000000000000000000000000000000000000000000",
        "v1 a/b 1 0000000000000000000000000000000000000000000000000000000000000000",
        "v1 a -1 0000000000000000000000000000000000000000000000000000000000000000",
        "v1 a 1 000000000000000000000000000000000000000000000000000000000000000",
        "v1 a 1 000000000000000000000000000000000000000000000000000000000000000G",
        "v1 a 1 0000000000000000000000000000000000000000000000000000000000000000 x"};
    struct attempt *attempt = some_attempt();
    g_autofree char *token = token_make(key, attempt);
    g_autofree char *long_one = g_strnfill(100000, 'a');

    for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
        g_assert_null(token_attempt(none[i]));
        g_assert_false(is_good(attempt, none[i]));
    }
    g_assert_null(token_attempt(long_one));
    for (gsize i = 0; token[i] != '\0'; i++) {
        char kept = token[i];
        token[i] = kept == '1' ? '2' : '1';
        g_assert_false(is_good(attempt, token));
        token[i] = kept;
    }
    g_assert_true(is_good(attempt, token));
    drop(attempt);
}

/* ---------------------------------------------------------------- the digest */

static void expect_digest(const char *message, const char *without)
{
    guint8 digest[32], expected[32];
    gsize size = sizeof expected;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    token_digest(message, strlen(message), digest);
    g_checksum_update(sum, (const guchar *)without, -1);
    g_checksum_get_digest(sum, expected, &size);
    g_assert_cmpmem(digest, sizeof digest, expected, size);
}

static void test_digest(void)
{
    expect_digest("A: b\r\nX-Miji-Release: v1 x\r\nC: d\r\n\r\nbody", "A: b\r\nC: d\r\n\r\nbody");
    expect_digest("X-Miji-Release: v1\r\n x\r\n\ty\r\nC: d\r\n\r\n", "C: d\r\n\r\n");
    expect_digest("x-miji-RELEASE:v1\r\nX-Miji-Release :v2\r\nC: d\r\n\r\n", "C: d\r\n\r\n");
    expect_digest("X-Miji-Released: v1\r\n\r\n", "X-Miji-Released: v1\r\n\r\n");
    expect_digest("A: b\r\n X-Miji-Release: c\r\n\r\n", "A: b\r\n X-Miji-Release: c\r\n\r\n");
    expect_digest("A: b\r\n\r\nX-Miji-Release: v1\r\n", "A: b\r\n\r\nX-Miji-Release: v1\r\n");
    expect_digest("X-Miji-Release: v1", "");
    expect_digest("X-Miji-Release", "X-Miji-Release");
    expect_digest("", "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/token/good", test_good);
    g_test_add_func("/review/token/bound", test_bound);
    g_test_add_func("/review/token/recipients", test_recipients);
    g_test_add_func("/review/token/expiry", test_expiry);
    g_test_add_func("/review/token/forms", test_forms);
    g_test_add_func("/review/token/digest", test_digest);
    return g_test_run();
}
