/* The way out: what goes, what stays, and what becomes of it when the other side refuses, hangs up or is
 * silent at any step. */
#include "milter/review/release.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/review/limits.h"
#include "tests/support/releasing.h"

#define HOUR_MS ((gint64)3600 * 1000)

static const struct server_message *taken(struct releasing *releasing, guint index)
{
    return smtp_server_message(releasing->server, index);
}

static void expect_taken(struct releasing *releasing, guint count)
{
    g_assert_cmpuint(smtp_server_count(releasing->server), ==, count);
}

/* ---------------------------------------------------------------- what goes out */

/* An envelope with everything in it, a body with everything in it: all of it comes out again. */
static void test_octets(void)
{
    static const char octets[] =
        "X-Miji-Release: v1 forged\r\nFrom: bo@agency.gov.cn\r\nSubject: =?utf-8?B?44CQ5py6"
        "5a+G44CR?=\r\nX-Odd :  folded\r\n\t again  \r\nX-Classification: "
        "=?utf-8?B?56eY5a+G?=\r\n\r\n.\r\n..\r\nFrom x\r\n\0\xff\x80 no end";
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold_octets(
        releasing, "an an2", "RET=FULL ENVID=q+2B7 BODY=8BITMIME SIZE=9", octets, sizeof octets - 1);

    releasing_approve(releasing, &hold);
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    const struct server_message *message = taken(releasing, 0);
    g_assert_true(g_str_has_prefix(message->mail, "MAIL FROM:<bo@agency.gov.cn> SIZE="));
    g_assert_true(g_str_has_suffix(message->mail, " ENVID=q+2B7 BODY=8BITMIME RET=HDRS"));
    g_assert_cmpstr(message->rcpts->pdata[0], ==,
                    "RCPT TO:<an@agency.gov.cn> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;an+2Bx");
    g_assert_cmpuint(message->rcpts->len, ==, 2);

    const char *sent = (const char *)message->octets->data;
    g_assert_true(g_str_has_prefix(sent, "Received: from desk (desk.agency.gov.cn [10.1.2.3])\r\n\tby "));
    const char *token = g_strstr_len(sent, message->octets->len, "\r\nX-Miji-Release: v1 ");
    g_assert_nonnull(token);
    const char *rest = strstr(token + 2, "\r\n") + 2;
    const char *blob = octets + strlen("X-Miji-Release: v1 forged\r\n");
    gsize length = sizeof octets - 1 - strlen("X-Miji-Release: v1 forged\r\n");
    g_assert_cmpuint(message->octets->len - (gsize)(rest - sent), ==, length + 2);
    g_assert_cmpmem(rest, length, blob, length);
    g_assert_cmpmem(rest + length, 2, "\r\n", 2);
    expect_state(releasing, &hold, "an released 4Q1, an2 released 4Q1");
    hold_free(hold);
    releasing_free(releasing);
}

/* Only who is to get it stands in "for". */
static void test_for(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *one = releasing_approved(releasing, "an"), *two = releasing_approved(releasing, "an an2");

    releasing_look(releasing, 1);
    expect_taken(releasing, 2);
    for (guint i = 0; i < 2; i++)
        g_byte_array_append(taken(releasing, i)->octets, (const guint8 *)"", 1);
    g_assert_nonnull(
        strstr((const char *)taken(releasing, 0)->octets->data, "\r\n\tfor <an@agency.gov.cn>; "));
    g_assert_null(strstr((const char *)taken(releasing, 1)->octets->data, "for <"));
    g_assert_null(strstr((const char *)taken(releasing, 1)->octets->data, "an2"));
    hold_free(one);
    hold_free(two);
    releasing_free(releasing);
}

/* Somebody whom Postfix does not know any more keeps nobody else waiting; who is to be done about it, is
 * said. */
static void test_one_refused(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an an2 boss");

    smtp_server_plan_rcpt(releasing->server, "<an@", "550 5.1.1 unknown");
    releasing_look(releasing, 2);
    expect_taken(releasing, 1);
    g_assert_cmpuint(taken(releasing, 0)->rcpts->len, ==, 2);
    releasing_look(releasing, 20);
    expect_state(releasing, &hold,
                 "an held, an2 released 4Q2, boss released 4Q2 | release-failed 550 5.1.1 unknown to "
                 "<an@agency.gov.cn>");
    g_assert_true(hold->slip.failing);
    smtp_server_plan_none(releasing->server);
    g_assert_true(release_again(releasing->review, hold, "boss@agency.gov.cn", NULL));
    releasing_look(releasing, 2);
    expect_taken(releasing, 2);
    expect_state(releasing, &hold, "an released 4Q4, an2 released 4Q2, boss released 4Q2");
    hold_free(hold);
    releasing_free(releasing);
}

/* Nobody of them is known: it ends, and says so. */
static void test_all_refused(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an an2");

    for (guint i = 0; i < 2; i++) {
        smtp_server_plan_rcpt(releasing->server, "<an", "550 5.1.1 unknown");
        releasing_look(releasing, 20);
        expect_taken(releasing, 0);
        releasing_again(releasing, &hold);
        g_assert_true(hold->slip.failing);
        g_assert_cmpuint(smtp_server_sessions(releasing->server), ==, 2 * (i + 1));
        g_assert_true(release_again(releasing->review, hold, "boss@agency.gov.cn", NULL));
    }
    smtp_server_plan_none(releasing->server);
    releasing_look(releasing, 2);
    expect_state(releasing, &hold, "an released 4Q5, an2 released 4Q5");
    hold_free(hold);
    releasing_free(releasing);
}

/* More than one envelope takes. */
static void test_many(void)
{
    struct releasing *releasing = releasing_new();
    g_autoptr(GString) names = g_string_new("an");

    releasing_configure(releasing, "recipient delimiter \"+\"\n", NULL);
    for (guint i = 0; i < RELEASE_RECIPIENTS; i++)
        g_string_append_printf(names, " an+%u", i);
    struct hold *hold = releasing_approved(releasing, names->str);
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    g_assert_cmpuint(taken(releasing, 0)->rcpts->len, ==, RELEASE_RECIPIENTS);
    releasing_look(releasing, 1);
    expect_taken(releasing, 2);
    g_assert_cmpuint(taken(releasing, 1)->rcpts->len, ==, 1);
    releasing_again(releasing, &hold);
    g_assert_cmpint(hold->state, ==, HOLD_RELEASED);
    hold_free(hold);
    releasing_free(releasing);
}

/* ---------------------------------------------------------------- when it goes */

static void test_not_approved(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    releasing_look(releasing, 3);
    clock_advance(100 * HOUR_MS);
    releasing_look(releasing, 3);
    expect_taken(releasing, 0);
    expect_state(releasing, &hold, "an held");
    hold_free(hold);
    releasing_free(releasing);
}

/* 7.3: approved before the client had its answer. */
static void test_not_answered(void)
{
    struct releasing *releasing = releasing_new();

    releasing->unanswered = TRUE;
    struct hold *hold = releasing_approved(releasing, "an");
    releasing_look(releasing, 3);
    expect_taken(releasing, 0);
    clock_advance(HOUR_MS);
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

static void test_no_way(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    g_clear_pointer(&releasing->snapshot->conf->release_through, g_free);
    releasing_look(releasing, 2);
    expect_state(releasing, &hold, "an held");
    hold_free(hold);
    releasing_free(releasing);
}

/* Row 6: after that the sweeper ends it; nothing goes out meanwhile. */
static void test_release_within(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    clock_advance(7 * 24 * HOUR_MS);
    releasing_look(releasing, 2);
    expect_taken(releasing, 0);
    hold_free(hold);
    releasing_free(releasing);
}

/* ---------------------------------------------------------------- who goes */

static void test_some(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an an2 an3");

    releasing_configure(releasing, NULL, "an 绝密|an2 内部|an3 绝密|bo 机密|boss 绝密");
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    g_assert_cmpuint(taken(releasing, 0)->rcpts->len, ==, 2);
    expect_state(releasing, &hold,
                 "an released 4Q1, an2 held, an3 released 4Q1 | recheck-failed not-cleared");
    releasing_look(releasing, 100); /* a person's matter now */
    expect_taken(releasing, 1);

    releasing_configure(releasing, NULL, NULL); /* cleared again, and an officer says so */
    g_autoptr(GError) error = NULL;
    g_assert_true(release_again(releasing->review, hold, "boss@agency.gov.cn", &error));
    releasing_look(releasing, 1);
    expect_taken(releasing, 2);
    g_assert_cmpstr(taken(releasing, 1)->rcpts->pdata[0], ==, "RCPT TO:<an2@agency.gov.cn>");
    expect_state(releasing, &hold, "an released 4Q1, an2 released 4Q2, an3 released 4Q1");
    hold_free(hold);
    releasing_free(releasing);
}

static void test_refuse_all(void)
{
    static const char all[] = "some recipients not cleared refuse all\n";
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an an2");

    releasing_configure(releasing, all, "an 绝密|an2 内部|bo 机密|boss 绝密");
    releasing_look(releasing, 2);
    expect_taken(releasing, 0);
    expect_state(releasing, &hold, "an held, an2 held | recheck-failed not-cleared");
    hold_free(hold);
    releasing_free(releasing);
}

/* The sender may no longer write this, or is gone. */
static void test_sender(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");
    struct hold *other = releasing_approved(releasing, "an");

    releasing_configure(releasing, NULL, "an 绝密|bo 内部|boss 绝密");
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an held | recheck-failed not-cleared-to-send");
    releasing_configure(releasing, NULL, "an 绝密|boss 绝密");
    releasing_again(releasing, &other);
    g_assert_true(release_again(releasing->review, other, "boss@agency.gov.cn", NULL));
    releasing_look(releasing, 1);
    expect_state(releasing, &other, "an held | recheck-failed login-unknown");
    expect_taken(releasing, 0);
    hold_free(hold);
    hold_free(other);
    releasing_free(releasing);
}

static void test_directory_down(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing_directory_down(releasing);
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an held | recheck-put-off directory-unavailable");
    guint tries = 1;
    gint64 next_ms = hold->slip.next_try_ms, pause_ms = 0;
    g_assert_cmpint(next_ms - clock_wall_ms(), <=, RELEASE_PAUSE_MIN_MS);
    for (guint minutes = 0; minutes < 120; minutes++) {
        releasing_look(releasing, 1);
        releasing_again(releasing, &hold);
        if (hold->slip.next_try_ms == next_ms)
            continue;
        next_ms = hold->slip.next_try_ms;
        pause_ms = next_ms - (clock_wall_ms() - 60 * 1000);
        tries++;
    }
    g_assert_cmpuint(tries, <, 15);
    g_assert_cmpint(pause_ms, >, 5 * RELEASE_PAUSE_MIN_MS);
    g_assert_cmpint(pause_ms, <=, RELEASE_PAUSE_MAX_MS);
    releasing_configure(releasing, NULL, NULL);
    clock_advance(HOUR_MS);
    releasing_look(releasing, 1);
    expect_taken(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1");
    hold_free(hold);
    releasing_free(releasing);
}

/* Held for something that the slip did not name: it can be voted on, and then goes. */
static void test_held_anew(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an an2");

    releasing_change(releasing, "UPDATE hold_recipient SET reasons = x'', leading = ''");
    releasing_look(releasing, 2);
    expect_taken(releasing, 0);
    expect_state(releasing, &hold, "an held, an2 held | recheck-failed label-conflict");
    g_assert_false(hold->slip.approved);
    g_assert_cmpint(hold->slip.deadline_ms, >, clock_wall_ms() + HOUR_MS);
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        g_assert_cmpstr(recipient->leading, ==, "label-conflict");
        g_assert_cmpuint(recipient->reasons->len, >, 0);
    }
    releasing_approve(releasing, &hold);
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q1, an2 released 4Q1");
    hold_free(hold);
    releasing_free(releasing);
}

/* Today's readers or schemes find more than was recorded: who may look is asked of that, whatever comes of
 * it. */
static void test_raised(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing_change(releasing, "UPDATE hold SET label = 'cn/内部', display = '内部'");
    releasing_configure(releasing, NULL, "an 内部|bo 机密|boss 绝密");
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an held | recheck-failed not-cleared");
    g_assert_cmpstr(hold->label_text, ==, "cn/机密");
    g_assert_cmpstr(hold->display, ==, "机密");
    releasing_change(releasing, "UPDATE hold SET label = 'cn/绝密', display = '绝密'"); /* never down */
    g_assert_true(release_again(releasing->review, hold, "boss@agency.gov.cn", NULL));
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an held | recheck-failed not-cleared");
    g_assert_cmpstr(hold->label_text, ==, "cn/绝密");
    hold_free(hold);
    releasing_free(releasing);
}

/* ---------------------------------------------------------------- refusals */

static void test_refused(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an an2");

    smtp_server_plan(releasing->server, STEP_MAIL, "550 5.7.1 no");
    releasing_look(releasing, 100);
    expect_state(releasing, &hold, "an held, an2 held | release-failed 550 5.7.1 no to MAIL");
    g_assert_true(hold->slip.failing);
    g_assert_cmpuint(smtp_server_sessions(releasing->server), ==, 1);
    smtp_server_plan_none(releasing->server);
    g_assert_true(release_again(releasing->review, hold, "boss@agency.gov.cn", NULL));
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q2, an2 released 4Q2");
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

static void test_put_off(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    smtp_server_plan(releasing->server, STEP_MAIL, "452 4.3.1 full");
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an held | put-off 452 4.3.1 full to MAIL");
    smtp_server_plan_none(releasing->server);
    releasing_look(releasing, 2);
    expect_state(releasing, &hold, "an released 4Q2");
    expect_taken(releasing, 1);
    hold_free(hold);
    releasing_free(releasing);
}

/* The release socket has let it in, and the filter behind it refuses it for now: its token is worth nothing
 * from then on. */
static void test_filter(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing_filter(releasing, "451 4.7.1 signer");
    releasing_look(releasing, 1);
    expect_state(releasing, &hold, "an held | put-off 451 4.7.1 signer");
    releasing_filter(releasing, NULL);
    releasing_look(releasing, 2);
    expect_taken(releasing, 1);
    expect_state(releasing, &hold, "an released 4Q2");
    hold_free(hold);
    releasing_free(releasing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/release/octets", test_octets);
    g_test_add_func("/review/release/for", test_for);
    g_test_add_func("/review/release/one-refused", test_one_refused);
    g_test_add_func("/review/release/all-refused", test_all_refused);
    g_test_add_func("/review/release/many", test_many);
    g_test_add_func("/review/release/not-approved", test_not_approved);
    g_test_add_func("/review/release/not-answered", test_not_answered);
    g_test_add_func("/review/release/no-way", test_no_way);
    g_test_add_func("/review/release/release-within", test_release_within);
    g_test_add_func("/review/release/some", test_some);
    g_test_add_func("/review/release/refuse-all", test_refuse_all);
    g_test_add_func("/review/release/sender", test_sender);
    g_test_add_func("/review/release/directory-down", test_directory_down);
    g_test_add_func("/review/release/held-anew", test_held_anew);
    g_test_add_func("/review/release/raised", test_raised);
    g_test_add_func("/review/release/refused", test_refused);
    g_test_add_func("/review/release/put-off", test_put_off);
    g_test_add_func("/review/release/filter", test_filter);
    return g_test_run();
}
