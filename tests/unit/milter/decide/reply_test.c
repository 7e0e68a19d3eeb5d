/* What senders and outsiders read (semantics.md 8). */
#include "milter/decide/reply.h"

#include <string.h>

#include "tests/support/world.h"

#define NEUTRAL "Message not accepted under the security policy of this site [MIJI-abc234]"

static void assert_reply(const struct decision *decision, guint code, const char *dsn, const char *text)
{
    g_assert_cmpuint(decision->reply.code, ==, code);
    g_assert_cmpstr(decision->reply.dsn, ==, dsn);
    g_assert_cmpstr(decision->reply.text, ==, text);
}

static void test_accept(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 250, "2.0.0", "Accepted");
}

static void test_told(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_to(world, "<mi@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 550, "5.7.1", "mi@agency.gov.cn may not receive mail marked secret [MIJI-abc234]");
}

static void test_outsiders_hear_the_same(void)
{
    static const char *const marks[] = {"公开", "内部", "绝密", "机秘"};

    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        for (int to = 0; to < 2; to++) {
            g_autoptr(world) world = world_new();
            world_internet(world);
            world_from(world, "<bo@agency.gov.cn>");
            world_field(world, "X-Classification", marks[i]);
            world_to(world, to == 0 ? "<an@agency.gov.cn>" : "<gu@agency.gov.cn>");
            g_autoptr(decision) decision = world_decide(world);
            assert_reply(decision, 550, "5.7.1", NEUTRAL);
        }
}

/* Rows that say nothing of people are for everybody. */
static void test_outsiders_hear_what_helps(void)
{
    g_autoptr(world) world = world_new();
    world_office(world, NULL);
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) login = world_decide(world);
    assert_reply(login, 530, "5.7.0", "Log in to send mail from this network [MIJI-abc234]");

    world_new_message(world);
    world_internet(world);
    world_to(world, "<mi%ext@agency.gov.cn>");
    g_autoptr(decision) strange = world_decide(world);
    assert_reply(strange, 553, "5.1.3", "Address form not accepted [MIJI-abc234]");

    world_new_message(world);
    world_internet(world);
    world_zone(world, "internet")->requires.tls = 12;
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) tls = world_decide(world);
    assert_reply(tls, 550, "5.7.10", "This network requires TLS 1.2 [MIJI-abc234]");

    world_zone(world, "internet")->requires.tls = 0;
    g_hash_table_add(world->down, g_strdup("gu@agency.gov.cn"));
    g_autoptr(decision) later = world_decide(world);
    assert_reply(later, 451, "4.4.3", "Directory not available, try again later [MIJI-abc234]");
}

/* A mark above what strangers may send does not hide that a login is missing. */
static void test_login_before_zone(void)
{
    g_autoptr(world) world = world_new();
    world_office(world, NULL);
    world_field(world, "X-Classification", "机密");
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 530, "5.7.0", "Log in to send mail from this network [MIJI-abc234]");
}

/* A null sender cannot be told, not even one who logged in (7.2). */
static void test_null_sender(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_from(world, "<>");
    world_to(world, "<mi@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 550, "5.7.1", NEUTRAL);
}

/* The text of `refuse TEXT`, if it can be said in ASCII; else the row's own. */
static void test_configured(void)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"Choose one.", "Choose one. [MIJI-abc234]"},
        {"请选择密级", "Choose a classification for this message [MIJI-abc234]"},
        {"Ask {contact}", "Choose a classification for this message [MIJI-abc234]"}, /* 保密办 8001 */
        {"{sender} to {recipient} in {zone} ({reference})",
         "bo@agency.gov.cn to an@agency.gov.cn in office (MIJI-abc234) [MIJI-abc234]"},
        {"{recipients}", "an@agency.gov.cn, mi@agency.gov.cn [MIJI-abc234]"},
        {"{{x} {level} {nosuch} {", "{x} - {nosuch} { [MIJI-abc234]"},
        {"{date}", "2026-06-01 [MIJI-abc234]"}, /* in Beijing, a day later than here */
        {"100% sure", "100% sure [MIJI-abc234]"}, /* the daemon doubles it */
        {"two\nlines", "Choose a classification for this message [MIJI-abc234]"},
        {"", "Choose a classification for this message [MIJI-abc234]"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world->policy->contact = g_strdup("保密办 8001");
        world->conf->time_zone = g_time_zone_new_identifier("Asia/Shanghai");
        world->now = G_GINT64_CONSTANT(1780245000); /* 2026-05-31 16:30 UTC */
        world->policy->unlabelled_inside.kind = OUTCOME_REFUSE;
        world->policy->unlabelled_inside.text = g_strdup(rows[i].text);
        world_usual(world, NULL);
        world_to(world, "<an@agency.gov.cn>");
        world_to(world, "<mi@agency.gov.cn>");
        g_autoptr(decision) decision = world_decide(world);
        assert_reply(decision, 550, "5.7.1", rows[i].expected);
    }
}

static void test_configured_with_level(void)
{
    g_autoptr(world) world = world_new();
    world->policy->recipient_not_cleared.kind = OUTCOME_REFUSE;
    world->policy->recipient_not_cleared.text = g_strdup("{recipient} is not cleared for {level}");
    world_usual(world, "机密");
    world_to(world, "<mi@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 550, "5.7.1", "mi@agency.gov.cn is not cleared for secret [MIJI-abc234]");
}

/* Configured texts are for those who may be told; outsiders hear the neutral one. */
static void test_configured_outside(void)
{
    g_autoptr(world) world = world_new();
    world->policy->unlabelled_outside.kind = OUTCOME_REFUSE;
    world->policy->unlabelled_outside.text = g_strdup("We only take labelled mail.");
    world_internet(world);
    world_from(world, "<x@elsewhere.example>");
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 550, "5.7.1", NEUTRAL);
}

static void test_undecidable_text(void)
{
    g_autoptr(world) world = world_new();
    g_ptr_array_set_size(world->policy->undecidable, 0);
    struct undecidable_line *line = policy_add_undecidable(world->policy);
    line->outcome.kind = OUTCOME_REFUSE;
    line->outcome.text = g_strdup("This message cannot be checked.");
    world_usual(world, "公开");
    world_finding(world, FINDING_DAMAGED, 2);
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 554, "5.6.0", "This message cannot be checked. [MIJI-abc234]");
}

/* Never a 5xx on the local socket (7.2.3): taken, with a copy for the officers, or left in maildrop. */
static void test_local(void)
{
    g_autoptr(world) world = world_new();
    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    world_from(world, "bo@agency.gov.cn");
    world_field(world, "X-Classification", "机密");
    world_to(world, "an@agency.gov.cn");
    g_autoptr(decision) kept = world_decide(world);

    g_assert_cmpint(kept->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(kept->act, ==, ACT_DISCARD);
    assert_reply(kept, 250, "2.0.0", "Accepted");

    g_clear_pointer(&world->conf->key_file, g_free);
    g_autoptr(decision) decision = world_decide(world);
    g_assert_cmpint(decision->act, ==, ACT_DEFER);
    assert_reply(decision, 451, "4.7.1",
                 "Mail marked secret may not be sent from this network [MIJI-abc234]");
}

/* `sender not cleared defer`: the same reason as a 4xx. */
static void test_softened(void)
{
    g_autoptr(world) world = world_new();
    world->policy->recipient_not_cleared.kind = OUTCOME_DEFER;
    world_usual(world, "机密");
    world_to(world, "<mi@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 451, "4.7.1", "mi@agency.gov.cn may not receive mail marked secret [MIJI-abc234]");
}

/* A refusal never says "try again later". */
static void test_persistent_inspector(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    world_to(world, "<an@agency.gov.cn>");
    world_no_facts(world, FACTS_NONE_PERSISTENT);
    g_autoptr(decision) told = world_decide(world);
    assert_reply(told, 550, "5.7.1", "This message cannot be checked [MIJI-abc234]");
    world_internet(world);
    world_from(world, "<x@elsewhere.example>");
    g_autoptr(decision) outside = world_decide(world);
    assert_reply(outside, 550, "5.7.1", NEUTRAL);
}

static void test_length(void)
{
    g_autoptr(world) world = world_new();
    g_autofree char *local = g_strnfill(64, 'm');
    g_autofree char *label = g_strnfill(60, 'd');
    g_autofree char *to = g_strdup_printf("<%s@%s.%s.%s.agency.gov.cn>", local, label, label, label);
    world->policy->recipient_not_cleared.kind = OUTCOME_REFUSE;
    world->policy->recipient_not_cleared.text = g_strdup("{recipient} {recipient} {recipient} {recipient}");
    world_usual(world, "机密");
    world_to(world, to);
    g_autoptr(decision) decision = world_decide(world);
    gsize line = strlen("550 5.7.1 ") + strlen(decision->reply.text) + strlen("\r\n");

    g_assert_cmpuint(line, ==, 512);
    g_assert_true(g_str_has_suffix(decision->reply.text, " [MIJI-abc234]"));
}

/* An address in UTF-8 (SMTPUTF8) in an ASCII reply: a mark for each character. */
static void test_ascii(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_to(world, "<小明@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_reply(decision, 550, "5.7.1", "??@agency.gov.cn may not receive mail marked secret [MIJI-abc234]");
}

static void test_plain(void)
{
    struct reply busy = reply_plain(REASON_BUSY, "k3x9qa");
    struct reply store = reply_plain(REASON_STORE_UNAVAILABLE, "k3x9qa");

    g_assert_cmpuint(busy.code, ==, 451);
    g_assert_cmpstr(busy.dsn, ==, "4.3.2");
    g_assert_cmpstr(busy.text, ==, "Too busy, try again later [MIJI-k3x9qa]");
    g_assert_cmpuint(store.code, ==, 452);
    reply_clear(&busy);
    reply_clear(&store);
    g_assert_null(busy.text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/reply/accept", test_accept);
    g_test_add_func("/reply/told", test_told);
    g_test_add_func("/reply/outsiders-hear-the-same", test_outsiders_hear_the_same);
    g_test_add_func("/reply/outsiders-hear-what-helps", test_outsiders_hear_what_helps);
    g_test_add_func("/reply/login-before-zone", test_login_before_zone);
    g_test_add_func("/reply/null-sender", test_null_sender);
    g_test_add_func("/reply/configured", test_configured);
    g_test_add_func("/reply/configured-with-level", test_configured_with_level);
    g_test_add_func("/reply/configured-outside", test_configured_outside);
    g_test_add_func("/reply/undecidable-text", test_undecidable_text);
    g_test_add_func("/reply/local", test_local);
    g_test_add_func("/reply/softened", test_softened);
    g_test_add_func("/reply/persistent-inspector", test_persistent_inspector);
    g_test_add_func("/reply/length", test_length);
    g_test_add_func("/reply/ascii", test_ascii);
    g_test_add_func("/reply/plain", test_plain);
    return g_test_run();
}
