/*
 * The table of semantics.md 7.2 through the real daemon: for each mixture of verdicts and each kind of
 * sender, the edits that are sent and the reply behind them. What is accepted has exactly the edits of 7.3;
 * what is discarded, refused or put off has none.
 */
#include "tests/wire/scene.h"

#include <string.h>

/* weak: a network whose mail is nobody's, but may carry 秘密; waiting: who writes there waits for a decision.
 */
static const char zones[] = "zone \"weak\" {\n"
                            "    client         192.0.2.0/24\n"
                            "    carries up to  秘密\n"
                            "}\n"
                            "zone \"waiting\" {\n"
                            "    recipient      hold.example\n"
                            "    carries up to  公开 otherwise hold in \"labels\"\n"
                            "}\n";

#define NEUTRAL "550 5.7.1 Message not accepted under the security policy of this site"
#define AN "<an@agency.gov.cn>"
#define MI "<mi@agency.gov.cn>"
#define NI "<ni@agency.gov.cn>"
#define WAITING "<somebody@hold.example>"
#define HEADERS_ONLY "chgfrom <bo@agency.gov.cn> RET=HDRS; "

enum who { BO, BO_NULL, OUTSIDE };

static struct mta *session_of(enum who who)
{
    return scene_session(who == OUTSIDE ? &scene_stranger : &scene_bo);
}

/* A message of its own each time: nothing is known of it from before. */
static char *send_marked(enum who who, const char *label, const char *const *recipients)
{
    static int number;
    g_autofree char *id = g_strdup_printf("Message-ID: <mixture-%d@pc7>", ++number);
    g_autofree char *field = g_strconcat("X-Classification: ", label, NULL);
    const char *own = who == OUTSIDE ? "From: x@example.net" : "From: bo@agency.gov.cn";
    struct mta_message message = {
        .sender = who == OUTSIDE   ? "<x@example.net>"
                  : who == BO_NULL ? "<>"
                                   : "<bo@agency.gov.cn>",
        .recipients = recipients,
        .fields = TEXTS(own, "To: somebody@agency.gov.cn", "Subject: figures", id, field),
        .body = "Here they are.\r\n",
    };
    struct mta *mta = session_of(who);
    char *text = scene_edits(mta, &message);

    scene_quit(mta);
    return text;
}

static void test_table(void)
{
    static const struct {
        enum who who;
        const char *label;
        const char *recipients[5];
        const char *outcome;
    } rows[] = {
        /* D */
        {BO, "public", {AN, MI}, "accept"},
        {BO, "confidential", {AN, MI}, HEADERS_ONLY "accept"},
        {BO_NULL, "confidential", {AN, MI}, "accept"},
        {OUTSIDE, "public", {AN, NI, WAITING}, "accept"},
        /* R */
        {BO, "secret", {MI, NI}, "550 5.7.1 mi@agency.gov.cn may not receive mail marked secret"},
        {BO_NULL, "secret", {MI, NI}, NEUTRAL},
        {OUTSIDE, "confidential", {NI}, NEUTRAL},
        {OUTSIDE, "secret", {AN, WAITING}, NEUTRAL},
        /* H */
        {BO, "confidential", {WAITING}, "discard"},
        {BO_NULL, "confidential", {WAITING}, "discard"},
        /* D + R: each form that was given */
        {BO, "confidential", {NI, AN}, HEADERS_ONLY "delrcpt " NI "; accept"},
        {BO,
         "confidential",
         {"<Ni@agency.gov.cn>", AN, NI, "<NI@AGENCY.gov.cn> NOTIFY=NEVER"},
         HEADERS_ONLY "delrcpt <Ni@agency.gov.cn>; delrcpt " NI "; delrcpt <NI@AGENCY.gov.cn>; accept"},
        {BO_NULL, "confidential", {AN, NI}, NEUTRAL},
        /* D + H */
        {BO, "confidential", {AN, WAITING}, HEADERS_ONLY "delrcpt " WAITING "; accept"},
        {BO_NULL, "confidential", {WAITING, AN}, "delrcpt " WAITING "; accept"},
        /* R + H */
        {BO, "confidential", {NI, WAITING}, "discard"},
        {BO_NULL, "confidential", {NI, WAITING}, NEUTRAL},
        /* D + R + H */
        {BO,
         "confidential",
         {NI, AN, WAITING, MI},
         HEADERS_ONLY "delrcpt " NI "; delrcpt " WAITING "; accept"},
        {BO_NULL, "confidential", {NI, AN, WAITING}, NEUTRAL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *outcome = send_marked(rows[i].who, rows[i].label, rows[i].recipients);
        g_test_message("row %zu", i);
        g_assert_cmpstr(outcome, ==, rows[i].outcome);
    }
}

static void reload(const char *more)
{
    g_autoptr(control_request) request = control_request_new("reload", FALSE, LANGUAGE_EN);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat(zones, more, NULL), *answer = NULL;
    gboolean ok = FALSE;

    g_assert_true(daemon_write_conf(scene_daemon(), text, &error));
    answer = scene_ask(request, &ok);
    g_assert_cmpstr(answer, ==, "");
    g_assert_true(ok);
}

/* The right-hand column: what is wrong for one is wrong for all (case 4). */
static void test_refuse_all(void)
{
    static const struct {
        enum who who;
        const char *recipients[5];
        const char *outcome;
    } rows[] = {
        {BO, {AN, NI}, "550 5.7.1 ni@agency.gov.cn may not receive mail marked confidential"},
        {BO_NULL, {AN, NI}, NEUTRAL},
        {BO, {AN, WAITING}, "discard"},
        {BO_NULL, {AN, WAITING}, "discard"},
        {BO, {NI, WAITING, AN}, "550 5.7.1 ni@agency.gov.cn may not receive mail marked confidential"},
        {BO, {AN, MI}, HEADERS_ONLY "accept"},
    };

    reload("some recipients not cleared refuse all\n");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *outcome = send_marked(rows[i].who, "confidential", rows[i].recipients);
        g_test_message("row %zu", i);
        g_assert_cmpstr(outcome, ==, rows[i].outcome);
    }
    reload("");
}

/* ENVID goes on, all else stays as MAIL had it; a client's own RET gives way. */
static void test_parameters(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;
    g_autofree char *text = NULL;

    message.sender = "<bo@agency.gov.cn> SIZE=1000 RET=FULL ENVID=QQ314159 BODY=8BITMIME";
    text = scene_edits(mta, &message);
    g_assert_cmpstr(text, ==, "chgfrom <bo@agency.gov.cn> RET=HDRS ENVID=QQ314159; accept");
    scene_quit(mta);
}

/* Never a 5xx there, nothing is lost: the copy is kept, whoever sent it (cases 34, 35). */
static void test_local(void)
{
    struct mta *mta = scene_session(&(struct mta_client){.is_local = true});
    struct mta_message message = {
        .sender = "x@example.net",
        .recipients = TEXTS("bo@agency.gov.cn", "Bo@agency.gov.cn"),
        .fields = TEXTS("From: x@example.net", "Message-ID: <local-1@host>",
                        "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures"),
        .body = "done\r\n",
    };
    g_autofree char *marked = scene_edits(mta, &message), *cron = NULL;

    g_assert_cmpstr(marked, ==, "discard");
    message.fields = TEXTS("From: root@agency.gov.cn", "Message-ID: <local-2@host>", "Subject: backup");
    cron = scene_edits(mta, &message);
    g_assert_cmpstr(cron, ==, "accept");
    scene_quit(mta);
}

/* Case 59: from port 25 it is a field like any other, taken off and noted. */
static void test_forged_field(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *line = NULL;

    message.queue_id = "4ForgedQ1";
    message.fields = TEXTS("X-Miji-Release: v1 abc 0 def", "From: bo@agency.gov.cn", "To: an@agency.gov.cn",
                           "Subject: figures", "x-miji-release: another", "X-Classification: secret");
    text = scene_edits(mta, &message);
    g_assert_cmpstr(text, ==,
                    HEADERS_ONLY "chgheader 2 X-Miji-Release: ; chgheader 1 X-Miji-Release: ; accept");
    line = daemon_wait_line(scene_daemon(), TEXTS("4ForgedQ1: verdict=deliver", "forged-token"), &error);
    g_assert_no_error(error);
    scene_quit(mta);
}

/* The same message again is the same hold: answered as before, and nothing is kept twice (7.4, case 31). */
static void test_retry(void)
{
    struct mta *mta = scene_session(&scene_bo);
    struct mta_message message = scene_fine;
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL, *second = NULL, *line = NULL;

    message.fields = TEXTS("From: bo@agency.gov.cn", "Message-ID: <retry@pc7>",
                           "X-Classification: confidential", "Subject: =?UTF-8?B?44CQ5py65a+G44CR?= figures");
    message.queue_id = "4RetryQ1";
    first = scene_edits(mta, &message);
    message.queue_id = "4RetryQ2";
    second = scene_edits(mta, &message);
    g_assert_cmpstr(first, ==, "discard");
    g_assert_cmpstr(second, ==, "discard");
    line = daemon_wait_line(scene_daemon(),
                            TEXTS("4RetryQ1: verdict=hold", "reason=label-conflict", " hold="), &error);
    g_assert_no_error(error);
    g_clear_pointer(&line, g_free);
    line = daemon_wait_line(scene_daemon(), TEXTS("4RetryQ2: verdict=hold"), &error);
    g_assert_no_error(error);
    scene_quit(mta);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    scene_open_keeping("inet:9@127.0.0.1", zones);
    g_test_add_func("/wire/mixture/table", test_table);
    g_test_add_func("/wire/mixture/refuse-all", test_refuse_all);
    g_test_add_func("/wire/mixture/parameters", test_parameters);
    g_test_add_func("/wire/mixture/local", test_local);
    g_test_add_func("/wire/mixture/forged-field", test_forged_field);
    g_test_add_func("/wire/mixture/retry", test_retry);
    return scene_run("/wire/mixture");
}
