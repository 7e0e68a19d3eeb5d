/* The release socket: an open attempt's own message, in time, once; anything else is turned away and audited.
 */
#include "milter/review/token.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/audit.h"
#include "tests/support/releasing.h"

#define HOUR_MS ((gint64)3600 * 1000)

static void expect_turned_away(struct releasing *releasing, const char *token,
                               const struct server_message *like, const char *path, const char *why)
{
    g_autoptr(GPtrArray) given = g_ptr_array_new();
    const char *said = NULL;
    guint8 digest[32];

    g_ptr_array_add(given, (gpointer)path);
    token_digest(like->octets->data, like->octets->len, digest);
    g_assert_false(release_admit(releasing->store, token, digest, given, "4FORGED", &said));
    g_assert_cmpstr(said, ==, why);
    g_assert_false(release_admit_later(said));
}

static guint audited(struct releasing *releasing, const char *event)
{
    g_autoptr(GPtrArray) records = store_audit_records(releasing->store, 0, 1000, NULL);
    guint count = 0;

    for (guint i = 0; i < records->len; i++)
        count += strcmp(((struct audit_record *)g_ptr_array_index(records, i))->event, event) == 0;
    return count;
}

static void test_turned_away(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing_filter(releasing, "451 4.7.1 signer");
    releasing_look(releasing, 1);
    releasing->guarded = FALSE;
    releasing_filter(releasing, NULL);
    releasing_look(releasing, 2); /* taken without being offered: an attempt whose token is fresh is over */
    const struct server_message *message = smtp_server_message(releasing->server, 0);
    gsize start = 0, end = 0;
    g_assert_true(token_find_field(message->octets->data, message->octets->len, &start, &end));
    g_autofree char *field = g_strndup((const char *)message->octets->data + start, end - start);
    const char *token = g_strstrip(strchr(field, ':') + 1);
    guint before = audited(releasing, "forged-token");

    expect_turned_away(releasing, NULL, message, "<an@agency.gov.cn>", "no token");
    expect_turned_away(releasing, "open sesame", message, "<an@agency.gov.cn>", "no token of ours");
    expect_turned_away(releasing,
                       "v1 nobody 1 0000000000000000000000000000000000000000000000000000000000000000",
                       message, "<an@agency.gov.cn>", "no such attempt");
    expect_turned_away(releasing, token, message, "<an@agency.gov.cn>", "the token was used before");
    g_assert_cmpuint(audited(releasing, "forged-token"), ==, before + 4);
    hold_free(hold);
    releasing_free(releasing);
}

/* An open attempt: its own message and recipients, in time, once. */
static void test_once(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");
    g_autoptr(GPtrArray) canonical = g_ptr_array_new(), given = g_ptr_array_new();
    struct server_message like = {.octets = g_byte_array_new()};
    guint8 digest[32];
    const char *why = NULL;

    g_byte_array_append(like.octets, (const guint8 *)"A: b\r\n\r\n", 8);
    token_digest(like.octets->data, like.octets->len, digest);
    g_ptr_array_add(canonical, (gpointer) "an@agency.gov.cn");
    g_ptr_array_add(given, (gpointer) "<an@agency.gov.cn>");
    g_autoptr(attempt) attempt = store_attempt_begin(releasing->store, hold, canonical, given, digest,
                                                     clock_wall_ms() + HOUR_MS, NULL);
    g_autofree char *token = token_make(store_token_key(releasing->store), attempt);
    static const char not_its[] = "not the message or not the recipients of the token";
    expect_turned_away(releasing, token, &like, "<x@evil.example>", not_its);
    g_byte_array_append(like.octets, (const guint8 *)"x", 1);
    expect_turned_away(releasing, token, &like, "<an@agency.gov.cn>", not_its);
    g_byte_array_set_size(like.octets, 8);
    g_assert_true(release_admit(releasing->store, token, digest, given, "4GOOD", &why));
    g_assert_null(why);
    expect_turned_away(releasing, token, &like, "<an@agency.gov.cn>", "the token was used before");
    g_byte_array_unref(like.octets);
    hold_free(hold);
    releasing_free(releasing);
}

static void test_late(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");
    g_autoptr(GPtrArray) canonical = g_ptr_array_new(), given = g_ptr_array_new();
    struct server_message like = {.octets = g_byte_array_new()};
    guint8 digest[32];

    token_digest("", 0, digest);
    g_ptr_array_add(canonical, (gpointer) "an@agency.gov.cn");
    g_ptr_array_add(given, (gpointer) "<an@agency.gov.cn>");
    g_autoptr(attempt) attempt = store_attempt_begin(releasing->store, hold, canonical, given, digest,
                                                     clock_wall_ms() + HOUR_MS, NULL);
    g_autofree char *token = token_make(store_token_key(releasing->store), attempt);
    clock_advance(HOUR_MS);
    expect_turned_away(releasing, token, &like, "<an@agency.gov.cn>", "the token is too old");
    g_byte_array_unref(like.octets);
    hold_free(hold);
    releasing_free(releasing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/admit/turned-away", test_turned_away);
    g_test_add_func("/review/admit/once", test_once);
    g_test_add_func("/review/admit/late", test_late);
    return g_test_run();
}
