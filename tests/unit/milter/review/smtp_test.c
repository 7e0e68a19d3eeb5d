/* SMTP to a server that behaves, refuses, hangs and hangs up at every step. */
#include "milter/review/smtp.h"

#include <pthread.h>
#include <string.h>

#include "milter/conf/clock.h"
#include "milter/review/limits.h"
#include "tests/support/smtp_server.h"

#define MESSAGE "Subject: x\r\n\r\nbody\r\n"

static const struct smtp_recipient an_and_bo[] = {{"<an@agency.gov.cn>", "SUCCESS,DELAY", "rfc822;an+2Bx@y"},
                                                  {"<Bo@agency.gov.cn>", NULL, NULL}};

struct setting {
    struct smtp_server *server;
    struct smtp_piece piece;
    struct smtp_message message;
    struct smtp_result result;
};

static void begin(struct setting *setting)
{
    *setting = (struct setting){.server = smtp_server_new(), .piece = {MESSAGE, strlen(MESSAGE)}};
    setting->message = (struct smtp_message){.through = smtp_server_address(setting->server),
                                             .helo = "host.example",
                                             .sender = "<bo@agency.gov.cn>",
                                             .recipients = an_and_bo,
                                             .recipient_count = 2,
                                             .pieces = &setting->piece,
                                             .piece_count = 1};
}

static void end(struct setting *setting)
{
    smtp_server_free(setting->server);
}

static const struct server_message *last(struct setting *setting)
{
    return smtp_server_message(setting->server, smtp_server_count(setting->server) - 1);
}

static void expect(struct setting *setting, enum smtp_end how, const char *text)
{
    guint before = smtp_server_count(setting->server);

    smtp_send(&setting->message, &setting->result);
    g_assert_cmpint(setting->result.end, ==, how);
    if (how == SMTP_TAKEN) {
        g_assert_cmpuint(smtp_server_count(setting->server), ==, before + 1);
        g_assert_cmpstr(setting->result.queue_id, ==, last(setting)->queue_id);
        g_assert_true(g_str_has_prefix(setting->result.text, text));
    } else {
        g_assert_cmpuint(smtp_server_count(setting->server), ==, before);
        g_assert_null(setting->result.queue_id);
        g_assert_cmpstr(setting->result.text, ==, text);
    }
    smtp_result_clear(&setting->result);
}

#define TAKEN "250 2.0.0 Ok: queued as 4Q"

static void expect_mail(struct setting *setting, const char *parameters, const char *line)
{
    setting->message.parameters = parameters;
    expect(setting, SMTP_TAKEN, TAKEN);
    g_assert_cmpstr(last(setting)->mail, ==, line);
}

/* ---------------------------------------------------------------- all is well */

static void test_plain(void)
{
    struct setting setting;

    begin(&setting);
    expect_mail(&setting, NULL, "MAIL FROM:<bo@agency.gov.cn> SIZE=20");
    g_assert_cmpstr(last(&setting)->rcpts->pdata[0], ==,
                    "RCPT TO:<an@agency.gov.cn> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;an+2Bx@y");
    g_assert_cmpstr(last(&setting)->rcpts->pdata[1], ==, "RCPT TO:<Bo@agency.gov.cn>");
    g_assert_cmpmem(last(&setting)->octets->data, last(&setting)->octets->len, MESSAGE, strlen(MESSAGE));
    end(&setting);
}

static void test_parameters(void)
{
    struct setting setting;

    begin(&setting);
    expect_mail(&setting, "RET=FULL ENVID=a+2Bb BODY=8BITMIME SIZE=7 AUTH=bo XVERP",
                "MAIL FROM:<bo@agency.gov.cn> SIZE=20 RET=FULL ENVID=a+2Bb BODY=8BITMIME");
    expect_mail(&setting, "smtputf8 ret=hdrs", "MAIL FROM:<bo@agency.gov.cn> SIZE=20 ret=hdrs SMTPUTF8");
    setting.message.headers_only = TRUE;
    expect_mail(&setting, "RET=FULL ENVID=x", "MAIL FROM:<bo@agency.gov.cn> SIZE=20 ENVID=x RET=HDRS");
    setting.message.sender = "<>";
    expect_mail(&setting, NULL, "MAIL FROM:<> SIZE=20 RET=HDRS");
    setting.message.headers_only = FALSE;
    setting.message.sender = "<薄@agency.gov.cn>";
    expect_mail(&setting, NULL, "MAIL FROM:<薄@agency.gov.cn> SIZE=20 SMTPUTF8");
    end(&setting);
}

/* What came in by one line of Postfix's goes out, and what is not passed on may be as long as it likes. */
static void test_long_parameters(void)
{
    struct setting setting;
    g_autofree char *filler = g_strnfill(1500, 'a');
    g_autofree char *orcpt = g_strconcat("rfc822;", filler, NULL);
    g_autofree char *parameters = g_strconcat("AUTH=", filler, " ENVID=a BODY=8BITMIME", NULL);
    const struct smtp_recipient an = {"<an@agency.gov.cn>", NULL, orcpt};

    begin(&setting);
    setting.message.recipients = &an;
    setting.message.recipient_count = 1;
    expect_mail(&setting, parameters, "MAIL FROM:<bo@agency.gov.cn> SIZE=20 ENVID=a BODY=8BITMIME");
    g_assert_true(g_str_has_suffix(last(&setting)->rcpts->pdata[0], filler));
    setting.message.parameters = "ENVID=a\rb";
    expect(&setting, SMTP_REFUSED, "the sender cannot be said in SMTP");
    end(&setting);
}

/* Only what is offered. Bounces that must be short need DSN. */
static void test_not_offered(void)
{
    struct setting setting;

    begin(&setting);
    smtp_server_offer(setting.server, "");
    expect_mail(&setting, "RET=FULL ENVID=a BODY=8BITMIME SMTPUTF8", "MAIL FROM:<bo@agency.gov.cn>");
    g_assert_cmpstr(last(&setting)->rcpts->pdata[0], ==, "RCPT TO:<an@agency.gov.cn>");
    setting.message.headers_only = TRUE;
    expect(&setting, SMTP_PUT_OFF, "the server offers no DSN, by which bounces are kept short");
    end(&setting);
}

static void test_path(void)
{
    g_autofree char *bare = smtp_path("an@agency.gov.cn"), *given = smtp_path("<An@x>"),
                    *null = smtp_path("");

    g_assert_cmpstr(bare, ==, "<an@agency.gov.cn>");
    g_assert_cmpstr(given, ==, "<An@x>");
    g_assert_cmpstr(null, ==, "<>");
}

/* ---------------------------------------------------------------- octets */

static void expect_octets(struct setting *setting, const char *octets, gsize length, const char *arrives,
                          gsize arrives_length)
{
    setting->piece = (struct smtp_piece){octets, length};
    expect(setting, SMTP_TAKEN, TAKEN);
    g_assert_cmpmem(last(setting)->octets->data, last(setting)->octets->len, arrives, arrives_length);
}

static void test_octets(void)
{
    static const char odd[] = ".\r\n..\r\n.a\r\n\0\xff\x80\r\r\n.", smuggled[] = "a\n.\r\nRSET\r\n";
    struct setting setting;

    begin(&setting);
    expect_octets(&setting, odd, sizeof odd - 1, ".\r\n..\r\n.a\r\n\0\xff\x80\r\r\n.\r\n", sizeof odd + 1);
    expect_octets(&setting, "", 0, "", 0);
    expect_octets(&setting, "no end", 6, "no end\r\n", 8);
    /* A bare line feed never makes an end of the message out of the message. */
    expect_octets(&setting, smuggled, strlen(smuggled), smuggled, strlen(smuggled));
    end(&setting);
}

/* Lines longer than a block, dots at every border between pieces and blocks. */
static void test_large(void)
{
    struct setting setting;
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    g_autoptr(GByteArray) all = g_byte_array_new();
    struct smtp_piece pieces[50];

    for (guint i = 0; i < 400000; i++) {
        static const char *const words[] = {".", "\r\n", "\r\n.", "a", "..\r\n"};
        const char *word = words[g_rand_int_range(rand, 0, G_N_ELEMENTS(words))];
        g_byte_array_append(all, (const guint8 *)word, (guint)strlen(word));
        if (i == 200000)
            for (guint j = 0; j < 100000; j++)
                g_byte_array_append(all, (const guint8 *)".", 1);
    }
    g_byte_array_append(all, (const guint8 *)"\r\n", 2);
    begin(&setting);
    gsize part = all->len / G_N_ELEMENTS(pieces);
    for (guint i = 0; i < G_N_ELEMENTS(pieces); i++)
        pieces[i] = (struct smtp_piece){all->data + i * part,
                                        i + 1 < G_N_ELEMENTS(pieces) ? part : all->len - i * part};
    setting.message.pieces = pieces;
    setting.message.piece_count = G_N_ELEMENTS(pieces);
    expect(&setting, SMTP_TAKEN, TAKEN);
    g_assert_cmpmem(last(&setting)->octets->data, last(&setting)->octets->len, all->data, all->len);
    end(&setting);
}

/* ---------------------------------------------------------------- refusals */

static void expect_reply(struct setting *setting, enum server_step step, const char *reply, enum smtp_end how,
                         const char *text)
{
    smtp_server_plan_none(setting->server);
    smtp_server_plan(setting->server, step, reply);
    expect(setting, how, text);
}

static void test_replies(void)
{
    struct setting setting;

    begin(&setting);
    expect_reply(&setting, STEP_CONNECT, "554 no", SMTP_PUT_OFF, "554 no to the connection");
    expect_reply(&setting, STEP_CONNECT, "421 later", SMTP_PUT_OFF, "421 later to the connection");
    expect_reply(&setting, STEP_EHLO, "550 who", SMTP_PUT_OFF, "550 who");
    expect_reply(&setting, STEP_MAIL, "452 4.3.1 full", SMTP_PUT_OFF, "452 4.3.1 full to MAIL");
    expect_reply(&setting, STEP_MAIL, "552 5.3.4 large", SMTP_REFUSED, "552 5.3.4 large to MAIL");
    expect_reply(&setting, STEP_DATA, "451 4.3.0 x", SMTP_PUT_OFF, "451 4.3.0 x to DATA");
    expect_reply(&setting, STEP_DATA, "554-5.5.1 two\r\n554 5.5.1 lines", SMTP_REFUSED,
                 "554 5.5.1 two 5.5.1 lines to DATA");
    expect_reply(&setting, STEP_DOT, "451 4.7.1 x", SMTP_PUT_OFF, "451 4.7.1 x");
    expect_reply(&setting, STEP_DOT, "550 5.7.1 x", SMTP_REFUSED, "550 5.7.1 x");
    expect_reply(&setting, STEP_MAIL, "nonsense", SMTP_PUT_OFF, "what it answers is no SMTP");
    expect_reply(&setting, STEP_DOT, "nonsense", SMTP_UNKNOWN, "what it answers is no SMTP");
    end(&setting);
}

/* One of two refused: none gets it. */
static void test_rcpt(void)
{
    struct setting setting;

    begin(&setting);
    smtp_server_plan_rcpt(setting.server, "<Bo@", "550 5.1.1 unknown");
    expect(&setting, SMTP_REFUSED, "550 5.1.1 unknown to <Bo@agency.gov.cn>");
    smtp_server_plan_rcpt(setting.server, "<an@", "450 4.2.1 later");
    expect(&setting, SMTP_PUT_OFF, "450 4.2.1 later to <an@agency.gov.cn>");
    end(&setting);
}

static void test_endless_replies(void)
{
    struct setting setting;
    g_autofree char *line = g_strnfill(100000, 'a');
    g_autofree char *endless = g_strconcat("250 ", line, NULL);
    GString *many = g_string_new(NULL);

    begin(&setting);
    expect_reply(&setting, STEP_MAIL, endless, SMTP_PUT_OFF, "a line of the reply is too long");
    for (guint i = 0; i < 200; i++)
        g_string_append(many, "250-x\r\n");
    g_string_append(many, "250 x");
    expect_reply(&setting, STEP_MAIL, many->str, SMTP_PUT_OFF, "what it answers is no SMTP");
    expect_reply(&setting, STEP_MAIL, "550 \x1b[2J\xff", SMTP_REFUSED, "550 ?[2J? to MAIL");
    g_string_free(many, TRUE);
    end(&setting);
}

/* What no SMTP line can have carried goes nowhere. */
static void test_unsayable(void)
{
    static const struct smtp_recipient evil[] = {{"<a@x>\r\nRCPT TO:<evil@x>", NULL, NULL},
                                                 {"<a@x>", "NEVER\r\nRSET", NULL},
                                                 {"<a@x>", NULL, "rfc822;a b"}};
    struct setting setting;

    begin(&setting);
    setting.message.recipient_count = 1;
    for (gsize i = 0; i < G_N_ELEMENTS(evil); i++) {
        setting.message.recipients = &evil[i];
        expect(&setting, SMTP_REFUSED, "a recipient cannot be said in SMTP");
    }
    setting.message.sender = "<a@x>\nDATA";
    expect(&setting, SMTP_REFUSED, "the sender cannot be said in SMTP");
    end(&setting);
}

/* ---------------------------------------------------------------- losses */

static void test_lost(void)
{
    struct setting setting;

    begin(&setting);
    for (guint step = STEP_CONNECT; step <= STEP_DATA; step++)
        expect_reply(&setting, step, NULL, SMTP_PUT_OFF, "the connection was closed");
    expect_reply(&setting, STEP_DOT, NULL, SMTP_UNKNOWN, "the connection was closed");
    end(&setting);
}

/* Lost while the octets go out: the last dot was never heard, whatever this side can tell. */
static void test_lost_in_octets(void)
{
    struct setting setting;
    g_autofree char *large = g_strnfill(8 << 20, 'a');

    begin(&setting);
    smtp_server_plan(setting.server, STEP_OCTETS, NULL);
    setting.piece = (struct smtp_piece){large, 8 << 20};
    smtp_send(&setting.message, &setting.result);
    g_assert_cmpint(setting.result.end, ==, SMTP_PUT_OFF);
    g_assert_true(g_str_has_prefix(setting.result.text, "lost: "));
    smtp_result_clear(&setting.result);
    end(&setting);
}

/* Taken, and the answer lost. */
static void test_lost_answer(void)
{
    struct setting setting;

    begin(&setting);
    smtp_server_plan(setting.server, STEP_TAKEN, NULL);
    smtp_send(&setting.message, &setting.result);
    g_assert_cmpint(setting.result.end, ==, SMTP_UNKNOWN);
    g_assert_cmpuint(smtp_server_count(setting.server), ==, 1);
    smtp_result_clear(&setting.result);
    end(&setting);
}

static void test_nobody(void)
{
    static const char *const nowhere[] = {"inet:1@127.0.0.1", "unix:/nonexistent/socket", "inet:25", "25",
                                          "inet:x@127.0.0.1", "inet:25@host.example"};
    struct setting setting;

    begin(&setting);
    for (gsize i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        setting.message.through = nowhere[i];
        smtp_send(&setting.message, &setting.result);
        g_assert_cmpint(setting.result.end, ==, SMTP_PUT_OFF);
        g_assert_cmpstr(setting.result.text, !=, "");
        smtp_result_clear(&setting.result);
    }
    end(&setting);
}

/* ---------------------------------------------------------------- time */

static void *send_it(void *data)
{
    struct setting *setting = data;

    smtp_send(&setting->message, &setting->result);
    return NULL;
}

/* The wait may only begin when the server hangs already: the clock moves on until it ends. */
static void join_patiently(pthread_t thread, gint64 limit_ms)
{
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        clock_advance(limit_ms);
        g_usleep(1000);
    }
}

/* Hangs at a step; the clock moves on; the wait ends. */
static void expect_patience(enum server_step step, gint64 limit_ms, enum smtp_end how)
{
    struct setting setting;
    pthread_t thread;

    begin(&setting);
    smtp_server_plan(setting.server, step, "");
    g_assert_cmpint(pthread_create(&thread, NULL, send_it, &setting), ==, 0);
    while (!smtp_server_hangs(setting.server))
        g_usleep(1000);
    join_patiently(thread, limit_ms);
    g_assert_cmpint(setting.result.end, ==, how);
    g_assert_cmpstr(setting.result.text, ==, "no answer in time");
    smtp_result_clear(&setting.result);
    end(&setting);
}

static void test_hangs(void)
{
    for (guint step = STEP_CONNECT; step <= STEP_DATA; step++)
        expect_patience(step, LIMIT_SMTP_COMMAND_MS, SMTP_PUT_OFF);
    expect_patience(STEP_DOT, LIMIT_SMTP_END_MS, SMTP_UNKNOWN);
    expect_patience(STEP_TAKEN, LIMIT_SMTP_END_MS, SMTP_UNKNOWN);
}

/* Nobody reads what is written. */
static void test_no_reader(void)
{
    struct setting setting;
    pthread_t thread;
    g_autofree char *large = g_strnfill(64 << 20, 'a');

    begin(&setting);
    setting.piece = (struct smtp_piece){large, 64 << 20};
    smtp_server_plan(setting.server, STEP_OCTETS, "");
    g_assert_cmpint(pthread_create(&thread, NULL, send_it, &setting), ==, 0);
    while (!smtp_server_hangs(setting.server))
        g_usleep(1000);
    join_patiently(thread, LIMIT_SMTP_BLOCK_MS);
    g_assert_cmpint(setting.result.end, ==, SMTP_PUT_OFF);
    g_assert_cmpstr(setting.result.text, ==, "no answer in time");
    smtp_result_clear(&setting.result);
    end(&setting);
}

static void test_stopped(void)
{
    struct setting setting;
    pthread_t thread;
    gint stop = 0;

    begin(&setting);
    setting.message.stop = &stop;
    smtp_server_plan(setting.server, STEP_DOT, "");
    g_assert_cmpint(pthread_create(&thread, NULL, send_it, &setting), ==, 0);
    while (!smtp_server_hangs(setting.server))
        g_usleep(1000);
    g_atomic_int_set(&stop, 1);
    pthread_join(thread, NULL);
    g_assert_cmpint(setting.result.end, ==, SMTP_UNKNOWN);
    g_assert_cmpstr(setting.result.text, ==, "stopped");
    smtp_result_clear(&setting.result);
    end(&setting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/smtp/plain", test_plain);
    g_test_add_func("/review/smtp/parameters", test_parameters);
    g_test_add_func("/review/smtp/long-parameters", test_long_parameters);
    g_test_add_func("/review/smtp/not-offered", test_not_offered);
    g_test_add_func("/review/smtp/path", test_path);
    g_test_add_func("/review/smtp/octets", test_octets);
    g_test_add_func("/review/smtp/large", test_large);
    g_test_add_func("/review/smtp/replies", test_replies);
    g_test_add_func("/review/smtp/rcpt", test_rcpt);
    g_test_add_func("/review/smtp/endless-replies", test_endless_replies);
    g_test_add_func("/review/smtp/unsayable", test_unsayable);
    g_test_add_func("/review/smtp/lost", test_lost);
    g_test_add_func("/review/smtp/lost-in-octets", test_lost_in_octets);
    g_test_add_func("/review/smtp/lost-answer", test_lost_answer);
    g_test_add_func("/review/smtp/nobody", test_nobody);
    g_test_add_func("/review/smtp/hangs", test_hangs);
    g_test_add_func("/review/smtp/no-reader", test_no_reader);
    g_test_add_func("/review/smtp/stopped", test_stopped);
    return g_test_run();
}
