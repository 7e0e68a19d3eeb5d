/* Sessions and the messages in them: given up at every point, several on one connection, clients of every
 * kind. */
#include "tests/wire/scene.h"

#include <string.h>

/* The steps of a message, in order; each leaves the connection in a state of its own. */
enum step { OPENED, NEGOTIATED, GREETED, SENDER, RECIPIENT, DATA, FIELD, END_OF_HEADER, BODY, ASKED, STEPS };

/* Plays a fine message up to a step; ASKED: the end of message was sent, its answer not read. */
static struct mta *play_up_to(enum step last)
{
    g_autoptr(GError) error = NULL;
    struct mta *mta = mta_open(daemon_address(scene_daemon()), &error);
    bool ok = mta != NULL;

    for (enum step step = NEGOTIATED; ok && step <= last; step++) {
        switch (step) {
        case OPENED:
        case STEPS:
            break;
        case NEGOTIATED:
            ok = mta_negotiate(mta, &mta_offer_postfix, &error);
            break;
        case GREETED:
            ok = mta_start(mta, &scene_bo, NULL, &error);
            break;
        case SENDER:
            ok = mta_mail(mta, &scene_fine, NULL, &error);
            break;
        case RECIPIENT:
            ok = mta_rcpt(mta, scene_fine.recipients[0], NULL, &error);
            break;
        case DATA:
            ok = mta_data(mta, NULL, &error);
            break;
        case FIELD:
            for (const char *const *field = scene_fine.fields; ok && *field != NULL; field++)
                ok = mta_field(mta, *field, NULL, &error);
            break;
        case END_OF_HEADER:
            ok = mta_eoh(mta, NULL, &error);
            break;
        case BODY:
            ok = mta_body(mta, &scene_fine, NULL, &error);
            break;
        case ASKED:
            ok = mta_send_packet(mta, SMFIC_BODYEOB, NULL, 0, &error);
            break;
        }
    }
    if (ok)
        mta_flush(mta, &error);
    g_assert_no_error(error);
    return mta;
}

static void test_close_anywhere(void)
{
    for (enum step step = OPENED; step < STEPS; step++) {
        mta_close(play_up_to(step));
        scene_check();
    }
}

static void test_abort_anywhere(void)
{
    for (enum step step = GREETED; step < ASKED; step++) {
        struct mta *mta = play_up_to(step);
        g_autoptr(GError) error = NULL;
        g_autofree char *fine = NULL, *refused = NULL;

        g_assert_true(mta_abort(mta, &error));
        fine = scene_send(mta, &scene_fine);
        refused = scene_send(mta, &scene_refused);
        g_assert_cmpstr(fine, ==, "accept");
        g_assert_cmpstr(refused, ==, "550 5.7.1");
        scene_quit(mta);
    }
}

/* Nothing of a message that was given up stays: neither its recipient (not cleared) nor its label. */
static void test_abort_forgets(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message unlabelled = scene_fine;
    g_autoptr(GError) error = NULL;
    g_autofree char *fine = NULL, *no_label = NULL;

    g_assert_true(mta_mail(mta, &scene_refused, NULL, &error));
    g_assert_true(mta_rcpt(mta, scene_refused.recipients[0], NULL, &error));
    g_assert_true(mta_data(mta, NULL, &error));
    g_assert_true(mta_field(mta, "X-Classification: secret", NULL, &error));
    g_assert_true(mta_abort(mta, &error));
    fine = scene_send(mta, &scene_fine);
    unlabelled.fields = TEXTS("From: bo@agency.gov.cn", "Subject: figures");
    no_label = scene_send(mta, &unlabelled);
    g_assert_cmpstr(fine, ==, "accept");
    g_assert_cmpstr(no_label, ==, "550 5.7.1");
    scene_quit(mta);
}

/* Case 67 of semantics.md 14, and back again. A MAIL without an ABORT between begins a new message as well.
 */
static void test_several_messages(void)
{
    struct mta *mta = scene_session(&scene_bo);

    for (int i = 0; i < 10; i++) {
        g_autofree char *refused = scene_send(mta, &scene_refused);
        g_autofree char *fine = scene_send(mta, &scene_fine);

        g_assert_cmpstr(refused, ==, "550 5.7.1");
        g_assert_cmpstr(fine, ==, "accept");
    }
    scene_quit(mta);
}

/* Case 68: from inside, but nobody has said who writes. */
static void test_without_login(void)
{
    struct mta_client nobody = scene_bo;
    struct mta *mta;
    g_autofree char *outcome = NULL;

    nobody.login = NULL;
    mta = scene_session(&nobody);
    outcome = scene_send(mta, &scene_fine);
    g_assert_cmpstr(outcome, ==, "530 5.7.0");
    scene_quit(mta);
}

/* STARTTLS: HELO comes twice, the second time with the TLS macros. */
static void test_starttls(void)
{
    struct mta_client client = scene_bo;
    struct mta *mta;
    g_autofree char *fine = NULL, *refused = NULL;

    client.tls_version = "TLSv1.3";
    client.cert_subject = "bo";
    client.cert_issuer = "agency";
    mta = scene_session(&client);
    fine = scene_send(mta, &scene_fine);
    refused = scene_send(mta, &scene_refused);
    g_assert_cmpstr(fine, ==, "accept");
    g_assert_cmpstr(refused, ==, "550 5.7.1");
    scene_quit(mta);
    scene_check();
}

static void test_helo_again_and_again(void)
{
    struct mta *mta = scene_session(&scene_bo);
    g_autoptr(GError) error = NULL;
    g_autofree char *fine = NULL;

    for (int i = 0; i < 100; i++)
        g_assert_true(mta_helo(mta, "again.example", NULL, &error));
    fine = scene_send(mta, &scene_fine);
    g_assert_cmpstr(fine, ==, "accept");
    scene_quit(mta);
}

/*
 * XCLIENT: Postfix ends the milter's session and opens another. On one connection libmilter drops the second
 * CONNECT and keeps its macros: the client is the one that they name, in both directions.
 */
static void test_second_connect(void)
{
    struct mta *mta = scene_session(&scene_stranger);
    struct mta_message secret = scene_public;
    g_autoptr(GError) error = NULL;
    g_autofree char *before = scene_send(mta, &scene_public), *as_bo = NULL, *as_stranger = NULL;

    g_assert_true(mta_start(mta, &scene_bo, NULL, &error));
    as_bo = scene_send(mta, &scene_fine);
    g_assert_true(mta_start(mta, &scene_stranger, NULL, &error));
    g_assert_no_error(error);
    secret.fields = TEXTS("From: x@example.net", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    as_stranger = scene_send(mta, &secret);
    g_assert_cmpstr(before, ==, "accept");
    g_assert_cmpstr(as_bo, ==, "accept");
    g_assert_cmpstr(as_stranger, ==, "550 5.7.1");
    scene_quit(mta);
}

/* QUIT_NC: the next client on the same connection inherits nothing, neither the login nor the zone. */
static void test_connection_for_the_next_client(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message secret = scene_public;
    g_autofree char *of_bo = scene_send(mta, &scene_fine), *of_stranger = NULL, *public = NULL,
                    *of_bo_again = NULL;
    g_autoptr(GError) error = NULL;

    secret.fields = TEXTS("From: x@example.net", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    g_assert_true(mta_quit_keeping(mta, &error));
    g_assert_true(mta_start(mta, &scene_stranger, NULL, &error));
    of_stranger = scene_send(mta, &secret);
    public = scene_send(mta, &scene_public);
    g_assert_true(mta_quit_keeping(mta, &error));
    g_assert_true(mta_start(mta, &scene_bo, NULL, &error));
    g_assert_no_error(error);
    of_bo_again = scene_send(mta, &scene_fine);
    g_assert_cmpstr(of_bo, ==, "accept");
    g_assert_cmpstr(of_stranger, ==, "550 5.7.1");
    g_assert_cmpstr(public, ==, "accept");
    g_assert_cmpstr(of_bo_again, ==, "accept");
    scene_quit(mta);
}

/* sendmail(1): no brackets, localhost. Public mail passes without a label; a marked one is put off, never
 * bounced. */
static void test_local_submission(void)
{
    struct mta *mta = scene_session(&(struct mta_client){.is_local = true});
    struct mta_message message = {
        .sender = "root@agency.gov.cn",
        .recipients = TEXTS("bo@agency.gov.cn"),
        .fields = TEXTS("From: root@agency.gov.cn (Cron Daemon)", "To: bo@agency.gov.cn", "Subject: backup"),
        .body = "done\r\n",
    };
    g_autofree char *cron = scene_send(mta, &message), *marked = NULL;

    message.sender = "x@example.net";
    message.fields = TEXTS("From: x@example.net", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    marked = scene_send(mta, &message);
    g_assert_cmpstr(cron, ==, "accept");
    g_assert_true(marked[0] == '4' || strcmp(marked, "tempfail") == 0);
    scene_quit(mta);
    scene_check();
}

/* The local socket's rights are not had by saying its words on the other socket. */
static void test_local_words_elsewhere(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open(daemon_address(scene_daemon()), &error);
    g_autofree char *outcome = NULL;
    struct mta_message message = scene_public;

    g_assert_true(mta_negotiate(mta, &mta_offer_postfix, &error));
    g_assert_true(mta_send_macros(mta, SMFIC_CONNECT, TEXTS("{miji_role}", "local"), &error));
    g_assert_true(mta_start(mta, &scene_stranger, NULL, &error));
    g_assert_no_error(error);
    message.fields = TEXTS("From: x@example.net", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    outcome = scene_send(mta, &message);
    g_assert_cmpstr(outcome, ==, "550 5.7.1");
    scene_quit(g_steal_pointer(&mta));
}

/* Nor are they lost: macros of CONNECT that come twice replace each other in libmilter. Its refusals are 4xx.
 */
static void test_local_twice_told(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(mta) mta = mta_open(daemon_local_address(scene_daemon()), &error);
    g_autofree char *outcome = NULL;
    struct mta_message message = scene_public;

    g_assert_true(mta_negotiate(mta, &mta_offer_postfix, &error));
    g_assert_true(mta_send_macros(mta, SMFIC_CONNECT, TEXTS("j", "mx"), &error));
    g_assert_true(mta_send_macros(mta, SMFIC_HELO, TEXTS("{tls_version}", "TLSv1.3"), &error));
    g_assert_true(mta_start(mta, &scene_stranger, NULL, &error));
    g_assert_no_error(error);
    message.fields = TEXTS("From: x@example.net", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    outcome = scene_send(mta, &message);
    g_assert_true(outcome[0] == '4');
    scene_quit(g_steal_pointer(&mta));
}

/* Load balancers and monitoring: connect and close, hundreds of times, on both sockets. */
static void test_health_checks(void)
{
    for (int i = 0; i < 300; i++) {
        const char *address =
            i % 3 == 0 ? daemon_local_address(scene_daemon()) : daemon_address(scene_daemon());
        g_autoptr(GError) error = NULL;
        g_autoptr(mta) mta = mta_open(address, &error);

        g_assert_no_error(error);
        if (i % 3 == 2) {
            g_assert_true(mta_negotiate(mta, &mta_offer_postfix, &error));
            g_assert_true(mta_quit(mta, &error));
        }
    }
    scene_check();
}

/* IPv6 clients, and addresses that are none: the zone follows the address, and what cannot be read is
 * outside. */
static void test_client_addresses(void)
{
    static const struct {
        const char *address, *outcome;
    } cases[] = {
        {"2001:db8:10::7", "accept"},
        {"2001:db8:11::7", "550 5.7.1"},
        {"10.255.255.255", "accept"},
        {"11.0.0.0", "550 5.7.1"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mta_client client = scene_bo;
        struct mta *mta;
        g_autofree char *outcome = NULL;

        client.address = cases[i].address;
        mta = scene_session(&client);
        outcome = scene_send(mta, &scene_fine);
        g_assert_cmpstr(outcome, ==, cases[i].outcome);
        scene_quit(mta);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open(NULL);
    g_test_add_func("/wire/session/close-anywhere", test_close_anywhere);
    g_test_add_func("/wire/session/abort-anywhere", test_abort_anywhere);
    g_test_add_func("/wire/session/abort-forgets", test_abort_forgets);
    g_test_add_func("/wire/session/several-messages", test_several_messages);
    g_test_add_func("/wire/session/without-login", test_without_login);
    g_test_add_func("/wire/session/starttls", test_starttls);
    g_test_add_func("/wire/session/helo-again-and-again", test_helo_again_and_again);
    g_test_add_func("/wire/session/second-connect", test_second_connect);
    g_test_add_func("/wire/session/connection-for-the-next-client", test_connection_for_the_next_client);
    g_test_add_func("/wire/session/local-submission", test_local_submission);
    g_test_add_func("/wire/session/local-words-elsewhere", test_local_words_elsewhere);
    g_test_add_func("/wire/session/local-twice-told", test_local_twice_told);
    g_test_add_func("/wire/session/health-checks", test_health_checks);
    g_test_add_func("/wire/session/client-addresses", test_client_addresses);
    return scene_run("/wire/session");
}
