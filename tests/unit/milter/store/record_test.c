/* What is recorded comes back, and octets that nobody wrote do no harm. */
#include "milter/store/record.h"

#include <string.h>

#include "tests/support/world.h"

#define ROUNDS 3000

static char *any_text(void)
{
    gint length = g_test_rand_int_range(0, 12);
    char *text = g_malloc((gsize)length + 1);

    for (gint i = 0; i < length; i++)
        text[i] = (char)g_test_rand_int_range(1, 256);
    text[length] = '\0';
    return text;
}

static char *maybe_text(void)
{
    return g_test_rand_bit() ? any_text() : NULL;
}

static void fill(struct world *world)
{
    struct session *session = &world->session;
    char **texts[] = {&session->client_name,  &session->helo,        &session->login, &session->auth_type,
                      &session->cert_subject, &session->cert_issuer, &session->cipher};

    world_usual(world, "机密");
    session_clear(session);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = maybe_text();
    session->role = (enum socket_role)g_test_rand_int_range(ROLE_SMTP, ROLE_RELEASE + 1);
    session->tls = (guint)g_test_rand_int_range(0, 14);
    session->client = ip_parse(g_test_rand_bit() ? "2001:db8::7" : "unknown");
    world->envelope->parameters = maybe_text();
    world->envelope->brackets = g_test_rand_bit();
    world->envelope->too_many = g_test_rand_bit();
    world->envelope->queue_id = maybe_text();
    for (gint i = g_test_rand_int_range(1, 5); i > 0; i--) {
        g_autofree char *given = g_strdup_printf("<p%d@agency.gov.cn>", i);
        struct envelope_recipient *recipient = world_to(world, given);
        recipient->rcpt_addr = maybe_text();
        recipient->rcpt_host = maybe_text();
        recipient->rcpt_mailer = maybe_text();
        recipient->notify = maybe_text();
        recipient->orcpt = maybe_text();
    }
}

static void compare_recipients(const struct envelope *was, const struct envelope *is)
{
    g_assert_cmpuint(is->recipients->len, ==, was->recipients->len);
    for (guint i = 0; i < is->recipients->len && i < was->recipients->len; i++) {
        const struct envelope_recipient *a = g_ptr_array_index(was->recipients, i);
        const struct envelope_recipient *b = g_ptr_array_index(is->recipients, i);
        g_assert_cmpstr(a->address->given, ==, b->address->given);
        g_assert_cmpstr(a->rcpt_addr, ==, b->rcpt_addr);
        g_assert_cmpstr(a->rcpt_host, ==, b->rcpt_host);
        g_assert_cmpstr(a->rcpt_mailer, ==, b->rcpt_mailer);
        g_assert_cmpstr(a->notify, ==, b->notify);
        g_assert_cmpstr(a->orcpt, ==, b->orcpt);
    }
}

static GByteArray *make(struct world *world)
{
    struct inputs inputs = world_inputs(world);
    g_autoptr(decision) decision = decide(&inputs, "abc234");

    return record_make(&inputs, decision, ~0u);
}

static void test_round_trip(void)
{
    for (guint round = 0; round < 200 && !g_test_failed(); round++) {
        g_autoptr(world) world = world_new();
        g_autoptr(GError) error = NULL;
        fill(world);
        g_autoptr(GByteArray) octets = make(world);
        g_autoptr(recorded) recorded = record_read(octets->data, octets->len, &error);
        g_assert_no_error(error);
        const struct session *was = &world->session, *is = &recorded->session;
        g_assert_cmpint(is->role, ==, was->role);
        g_assert_cmpmem(is->client.bytes, 16, was->client.bytes, 16);
        g_assert_true(is->client.known == was->client.known);
        g_assert_cmpstr(is->client_name, ==, was->client_name);
        g_assert_cmpstr(is->helo, ==, was->helo);
        g_assert_cmpstr(is->login, ==, was->login);
        g_assert_cmpstr(is->auth_type, ==, was->auth_type);
        g_assert_cmpuint(is->tls, ==, was->tls);
        g_assert_cmpstr(is->cipher, ==, was->cipher);
        g_assert_cmpstr(is->cert_subject, ==, was->cert_subject);
        g_assert_cmpstr(is->cert_issuer, ==, was->cert_issuer);
        g_assert_cmpint(recorded->at_s, ==, world->now);
        g_assert_cmpstr(recorded->envelope->sender->given, ==, world->envelope->sender->given);
        g_assert_cmpstr(recorded->envelope->parameters, ==, world->envelope->parameters);
        g_assert_cmpstr(recorded->envelope->queue_id, ==, world->envelope->queue_id);
        g_assert_true(recorded->envelope->brackets == world->envelope->brackets);
        g_assert_true(recorded->envelope->too_many == world->envelope->too_many);
        compare_recipients(world->envelope, recorded->envelope);
    }
}

/* Cut, lengthened or changed somewhere: an error or another record, never anything outside of the octets (the
 * address sanitizer looks). */
static void test_damaged(void)
{
    g_autoptr(world) world = world_new();
    fill(world);
    g_autoptr(GByteArray) whole = make(world);
    guint read = 0;

    for (guint i = 0; i < ROUNDS; i++) {
        guint length =
            g_test_rand_bit() ? whole->len : (guint)g_test_rand_int_range(0, (gint32)whole->len + 1);
        g_autofree guint8 *octets = g_memdup2(whole->data, length);
        for (gint c = g_test_rand_int_range(0, 3); c > 0 && length > 0; c--)
            octets[g_test_rand_int_range(0, (gint32)length)] = (guint8)g_test_rand_int_range(0, 256);
        g_autoptr(GError) error = NULL;
        g_autoptr(recorded) recorded = record_read(octets, length, &error);
        if (recorded == NULL)
            g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
        read += recorded != NULL;
    }
    g_assert_cmpuint(read, >, 0);
    g_assert_null(record_read(NULL, 0, NULL));
}

static GPtrArray *any_reasons(void)
{
    GPtrArray *reasons = g_ptr_array_new_with_free_func((GDestroyNotify)reason_free);

    for (gint i = g_test_rand_int_range(0, 6); i > 0; i--) {
        struct reason *reason = g_new0(struct reason, 1);
        *reason = (struct reason){
            .id = (enum reason_id)g_test_rand_int_range(0, REASON_COUNT),
            .check = (enum check_id)g_test_rand_int_range(CHECK_ENVELOPE, CHECK_RULES + 1),
            .answer = (enum check_answer)g_test_rand_int_range(0, CHECK_UNKNOWN_PERSISTENT + 1),
            .cause = g_test_rand_int_range(0, CAUSE_STRUCTURE + 1),
            .part = (guint)g_test_rand_int(),
            .address = maybe_text(),
            .level = maybe_text(),
            .level_ascii = maybe_text(),
            .detail = maybe_text(),
            .detail_en = maybe_text(),
            .detail_zh = maybe_text()};
        g_ptr_array_add(reasons, reason);
    }
    return reasons;
}

static void test_reasons(void)
{
    for (guint round = 0; round < ROUNDS && !g_test_failed(); round++) {
        g_autoptr(GPtrArray) reasons = any_reasons();
        g_autoptr(GByteArray) octets = record_reasons(reasons);
        g_autoptr(GPtrArray) back = record_reasons_read(octets->data, octets->len);
        g_assert_cmpuint(back->len, ==, reasons->len);
        for (guint i = 0; i < back->len && i < reasons->len; i++) {
            const struct reason *a = g_ptr_array_index(reasons, i), *b = g_ptr_array_index(back, i);
            g_autofree char *key = reason_key(a), *back_key = reason_key(b);
            g_assert_cmpstr(key, ==, back_key);
            g_assert_cmpint(a->answer, ==, b->answer);
            g_assert_cmpint(a->cause, ==, b->cause);
            g_assert_cmpuint(a->part, ==, b->part);
            g_assert_cmpstr(a->address, ==, b->address);
            g_assert_cmpstr(a->level, ==, b->level);
            g_assert_cmpstr(a->level_ascii, ==, b->level_ascii);
            g_assert_cmpstr(a->detail, ==, b->detail);
            g_assert_cmpstr(a->detail_en, ==, b->detail_en);
            g_assert_cmpstr(a->detail_zh, ==, b->detail_zh);
        }
    }
}

static void test_damaged_reasons(void)
{
    static const char unknown[] = "+no such reason\0+4\0+1\0+0\0+0\0-\0-\0-\0-\0-\0-\0"
                                  "+hidden\0+10\0+1\0+0\0+0\0-\0-\0-\0-\0-\0-"; /* and one that is known */
    g_autoptr(GPtrArray) known = record_reasons_read(unknown, sizeof unknown);

    g_assert_cmpuint(known->len, ==, 1);
    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) reasons = any_reasons();
        g_autoptr(GByteArray) octets = record_reasons(reasons);
        guint length = octets->len > 0 ? (guint)g_test_rand_int_range(0, (gint32)octets->len) : 0;
        g_autofree guint8 *copy = g_memdup2(octets->data, length);
        for (gint c = g_test_rand_int_range(0, 3); c > 0 && length > 0; c--)
            copy[g_test_rand_int_range(0, (gint32)length)] = (guint8)g_test_rand_int_range(0, 256);
        g_autoptr(GPtrArray) back = record_reasons_read(copy, length);
        g_assert_cmpuint(back->len, <=, reasons->len + 3);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/damaged", test_damaged);
    g_test_add_func("/record/reasons", test_reasons);
    g_test_add_func("/record/damaged-reasons", test_damaged_reasons);
    return g_test_run();
}
