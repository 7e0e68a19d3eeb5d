/* Much at once, much in one message, and nothing at all: every message gets its answer. */
#include "tests/wire/scene.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 64

/* One thread of the burst: its own connection, one message of each kind. */
struct burst {
    pthread_t thread;
    pthread_barrier_t *start;
    gint64 longest_us;
    char *fine, *refused;
};

static char *timed(struct mta *mta, const struct mta_message *message, struct burst *burst)
{
    gint64 start_us = g_get_monotonic_time();
    char *outcome = scene_send(mta, message);

    burst->longest_us = MAX(burst->longest_us, g_get_monotonic_time() - start_us);
    return outcome;
}

static void *run_burst(void *data)
{
    struct burst *burst = data;
    g_autoptr(mta) mta = NULL;

    pthread_barrier_wait(burst->start);
    mta = mta_open_session(daemon_address(scene_daemon()), &scene_bo, NULL);
    if (mta == NULL)
        return NULL;
    mta_set_timeout(mta, 60000);
    burst->fine = timed(mta, &scene_fine, burst);
    burst->refused = timed(mta, &scene_refused, burst);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return (x > y) - (x < y);
}

/*
 * All at the same moment. The bound is no speed: it is far above what two busy cores need, and far below
 * Postfix's 30 s, where a session that libmilter's pool has forgotten would end (facts 1.2).
 */
static void test_burst(void)
{
    static struct burst bursts[SESSIONS];
    gint64 longest_us[SESSIONS];
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, SESSIONS);
    for (unsigned i = 0; i < SESSIONS; i++) {
        bursts[i].start = &start;
        g_assert_cmpint(pthread_create(&bursts[i].thread, NULL, run_burst, &bursts[i]), ==, 0);
    }
    for (unsigned i = 0; i < SESSIONS; i++) {
        pthread_join(bursts[i].thread, NULL);
        g_assert_cmpstr(bursts[i].fine, ==, "accept");
        g_assert_cmpstr(bursts[i].refused, ==, "550 5.7.1");
        longest_us[i] = bursts[i].longest_us;
        g_free(bursts[i].fine);
        g_free(bursts[i].refused);
    }
    pthread_barrier_destroy(&start);
    qsort(longest_us, SESSIONS, sizeof longest_us[0], compare);
    g_assert_cmpint(longest_us[SESSIONS - 1], <, 20 * G_USEC_PER_SEC);
    scene_check();
}

/* `count` recipients inside whom the directory does not know, behind the first ones. */
static char **many_recipients(unsigned count, const char *first)
{
    char **recipients = g_new0(char *, count + 1);

    recipients[0] = g_strdup(first);
    for (unsigned i = 1; i < count; i++)
        recipients[i] = g_strdup_printf("<person%u@agency.gov.cn>", i);
    return recipients;
}

static char *send_to_many(unsigned count, const char *first, const char *label)
{
    struct mta *mta = scene_session(&scene_bo);
    g_auto(GStrv) recipients = many_recipients(count, first);
    g_autofree char *field = g_strconcat("X-Classification: ", label, NULL);
    struct mta_message message = scene_fine;
    char *outcome;

    message.recipients = (const char *const *)recipients;
    message.fields = TEXTS("From: bo@agency.gov.cn", "Subject: figures", field);
    mta_set_timeout(mta, 60000);
    outcome = scene_send(mta, &message);
    scene_quit(mta);
    return outcome;
}

static void test_thousand_recipients(void)
{
    g_autofree char *all_cleared = send_to_many(1000, "<an@agency.gov.cn>", "public");
    g_autofree char *none_cleared = send_to_many(1000, "<mi@agency.gov.cn>", "secret");
    g_autofree char *too_many = send_to_many(1001, "<an@agency.gov.cn>", "public");

    g_assert_cmpstr(all_cleared, ==, "accept");
    g_assert_cmpstr(none_cleared, ==, "550 5.7.1");
    g_assert_cmpstr(too_many, ==, "550 5.5.3");
    scene_check();
}

/* The same recipient, again and again, in all spellings, is one. */
static void test_same_recipient(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;
    g_autofree char *outcome = NULL;

    message.recipients =
        TEXTS("<an@agency.gov.cn>", "<An@Agency.gov.cn>", "<AN@AGENCY.GOV.CN>", "<an@agency.gov.cn>");
    outcome = scene_send(mta, &message);
    g_assert_cmpstr(outcome, ==, "accept");
    scene_quit(mta);
}

/* Message sizes on both sides of every place where they change hands: datagram, memory, file. */
static void test_sizes(void)
{
    static const size_t sizes[] = {0, 1, 60000, 65535, 65536, 131072, 262143, 262144, 300000, 3000000};
    g_autofree char *body = g_strnfill(3000000, 'x');
    struct mta *mta = scene_session(&scene_bo);

    for (size_t at = 76; at + 2 < 3000000; at += 78)
        memcpy(body + at, "\r\n", 2);
    mta_set_timeout(mta, 60000);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct mta_message fine = scene_fine, refused = scene_refused;
        g_autofree char *fine_outcome = NULL, *refused_outcome = NULL;

        fine.body = refused.body = sizes[i] > 0 ? body : NULL;
        fine.body_length = refused.body_length = sizes[i];
        fine_outcome = scene_send(mta, &fine);
        refused_outcome = scene_send(mta, &refused);
        g_assert_cmpstr(fine_outcome, ==, "accept");
        g_assert_cmpstr(refused_outcome, ==, "550 5.7.1");
    }

    scene_quit(mta);
}

/* limits { message size 4MB } */
static void test_too_large(void)
{
    g_autofree char *body = g_strnfill(5000000, 'x');
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;
    g_autofree char *outcome = NULL, *after = NULL;

    mta_set_timeout(mta, 60000);
    message.body = body;
    outcome = scene_send(mta, &message);
    after = scene_send(mta, &scene_fine);
    g_assert_cmpstr(outcome, ==, "552 5.3.4");
    g_assert_cmpstr(after, ==, "accept");
    scene_quit(mta);
    scene_check();
}

/* No fields, no body, no recipients: an outcome all the same. */
static void test_nothing(void)
{
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) reply = NULL;
    struct mta_message message = scene_fine;
    g_autofree char *no_fields = NULL, *no_recipient = NULL;

    message.fields = NULL;
    message.body = NULL;
    no_fields = scene_send(mta, &message);
    g_assert_cmpstr(no_fields, ==, "550 5.7.1");
    g_assert_true(mta_mail(mta, &scene_fine, NULL, &error) && mta_data(mta, NULL, &error));
    g_assert_true(mta_field(mta, "X-Classification: secret", NULL, &error) && mta_eoh(mta, NULL, &error));
    /* libmilter drops an end of message without a recipient, as RFC 5321 has none: then there is no answer to
     * read. */
    mta_set_timeout(mta, 500);
    if (mta_eom(mta, &reply, &error)) {
        no_recipient = scene_outcome(reply);
        g_assert_cmpstr(no_recipient, !=, "accept");
    } else {
        g_assert_error(error, MTA_ERROR, MTA_ERROR_TIMEOUT);
    }
    mta_close(mta);
    scene_check();
}

static bool is_edit_of(const struct mta_reply *reply, char kind)
{
    for (unsigned i = 0; i < reply->edits->len; i++)
        if (((struct mta_edit *)reply->edits->pdata[i])->kind == kind)
            return true;
    return false;
}

/* Edits stand before the reply (the client would see one behind it), and with a refusal there are none. */
static void test_edits(void)
{
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(GError) error = NULL;
    g_autoptr(mta_reply) fine = NULL, refused = NULL;

    g_assert_true(mta_send_message(mta, &scene_fine, &fine, &error));
    g_assert_true(mta_send_message(mta, &scene_refused, &refused, &error));
    g_assert_no_error(error);
    g_assert_true(mta_reply_is_positive(fine));
    g_assert_false(is_edit_of(fine, SMFIR_DELRCPT));
    g_assert_cmpuint(refused->edits->len, ==, 0);
    g_assert_nonnull(strstr(refused->text, "mi@agency.gov.cn"));
    g_assert_nonnull(strstr(refused->text, "[MIJI-"));
    scene_quit(mta);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open("limits { message size 4MB; recipients 1000 }\n");
    g_test_add_func("/wire/load/burst", test_burst);
    g_test_add_func("/wire/load/thousand-recipients", test_thousand_recipients);
    g_test_add_func("/wire/load/same-recipient", test_same_recipient);
    g_test_add_func("/wire/load/sizes", test_sizes);
    g_test_add_func("/wire/load/too-large", test_too_large);
    g_test_add_func("/wire/load/nothing", test_nothing);
    g_test_add_func("/wire/load/edits", test_edits);
    return scene_run("/wire/load");
}
