/* decision_explain and decision_json (issue: a page for administrators, in English and Chinese; one JSON
 * object). */
#include "tests/support/world.h"

#include <string.h>

#include "milter/decide/page.h"
#include "tests/support/json_check.h"

typedef char *(*teller)(const struct decision *, const struct inputs *, enum language);

static char *tell(struct world *world, teller how, enum language language)
{
    world->explain = TRUE;
    struct inputs inputs = world_inputs(world);
    g_autoptr(decision) decision = decide(&inputs, "abc234");

    return how(decision, &inputs, language);
}

static struct world *mixture(void)
{
    struct world *world = world_new();

    world_usual(world, "机密");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<Mi@agency.gov.cn>");
    world_to(world, "<mi@agency.gov.cn>");
    return world;
}

static void assert_has(const char *text, const char *const *parts)
{
    for (; *parts != NULL; parts++) {
        if (strstr(text, *parts) == NULL)
            g_test_message("not there: %s", *parts);
        g_assert_nonnull(strstr(text, *parts));
    }
}

static void assert_page(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        g_assert_cmpuint(page_cells(lines[i]), <=, 80);
}

static void test_english(void)
{
    static const char *const parts[] = {
        "  MAIL FROM         bo@agency.gov.cn\n",
        "  comes from        zone \"office\", client 10.1.2.3, no TLS\n",
        "  may be told       yes, with addresses and levels\n",
        "  in force          机密\n",
        "  seen              the field X-Classification: 机密\n",
        "   1 envelope                       permit\n",
        "  10 recipient is visible           permit\n",
        "  an@agency.gov.cn                  deliver\n",
        "  mi@agency.gov.cn                  refuse\n",
        "    given as                        <Mi@agency.gov.cn>\n",
        "mi@agency.gov.cn is cleared for 秘密;",
        "[not-cleared] mi@agency.gov.cn may not",
        "    becomes of it                   is delivered\n",
        "    becomes of it                   does not get it\n",
        "  verdict           refuse\n",
        "  what happens      delivered to those who stay; the others are taken off\n",
        "  notice            the sender is told by mail\n",
        "  bounces           carry the fields only (RET=HDRS)\n",
        "  the sender reads  250 2.0.0 Accepted\n",
        NULL};
    g_autoptr(world) world = mixture();
    g_autofree char *text = tell(world, decision_explain, LANGUAGE_EN);

    assert_page(text);
    assert_has(text, parts);
    for (guint check = CHECK_ENVELOPE; check <= CHECK_RULES; check++)
        g_assert_nonnull(strstr(text, check_title(check, LANGUAGE_EN)));
}

static void test_chinese(void)
{
    static const char *const parts[] = {"  信封发件人        bo@agency.gov.cn\n",
                                        "  有效密级          机密\n",
                                        "  判定              拒收\n",
                                        "[not-cleared] mi@agency.gov.cn 无权接收",
                                        "不通过：mi@agency.gov.cn 的涉密等级：秘密",
                                        NULL};
    g_autoptr(world) world = mixture();
    g_autofree char *text = tell(world, decision_explain, LANGUAGE_ZH);

    assert_page(text);
    assert_has(text, parts);
}

/* Every class of sender, with and without facts, is described. */
static void test_senders(void)
{
    g_autoptr(world) world = world_new();
    world_partner(world);
    world_from(world, "<chen@ministry.gov.cn>");
    world_to(world, "<gu@agency.gov.cn>");
    g_autofree char *peer = tell(world, decision_explain, LANGUAGE_EN);
    g_assert_nonnull(strstr(peer, "a peer, proven"));
    g_assert_nonnull(strstr(peer, "TLS 1.3"));
    world_office(world, "stranger");
    g_autofree char *unknown = tell(world, decision_explain, LANGUAGE_EN);
    g_assert_nonnull(strstr(unknown, "the directory does not say who: stranger"));
    world_internet(world);
    world_no_facts(world, FACTS_NONE_TRANSIENT);
    g_autofree char *outside = tell(world, decision_explain, LANGUAGE_EN);
    g_assert_nonnull(strstr(outside, "somebody outside"));
    g_assert_nonnull(strstr(outside, "unknown: the message could not be read"));
    g_assert_nonnull(strstr(outside, "cannot tell now"));
    world->session.role = ROLE_LOCAL;
    g_autofree char *local = tell(world, decision_explain, LANGUAGE_EN);
    g_assert_nonnull(strstr(local, "a program on this host"));
}

static void test_invalid_claim(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机秘");
    world_to(world, "<gu@agency.gov.cn>");
    g_autofree char *text = tell(world, decision_explain, LANGUAGE_EN);

    g_assert_nonnull(strstr(text, "the field X-Classification: not understood ("));
    /* What other checks cannot tell because of it names it. */
    g_assert_nonnull(strstr(text, "  11 recipient is cleared           cannot tell: "));
    g_assert_nonnull(strstr(text, "                                    [label-invalid]\n"));
}

/* Notes cost time: they are made only when somebody will read them. */
static void test_notes_only_when_asked(void)
{
    g_autoptr(world) world = mixture();
    g_autoptr(decision) decision = world_decide(world);

    for (guint i = 0; i < decision->checks->len; i++)
        g_assert_null(g_array_index(decision->checks, struct check_line, i).note_en);
}

static void test_many_recipients(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    for (guint i = 0; i < 203; i++) {
        g_autofree char *address = g_strdup_printf("<u%u@agency.gov.cn>", i);
        world_to(world, address);
    }
    g_autofree char *text = tell(world, decision_explain, LANGUAGE_EN);

    g_assert_nonnull(strstr(text, "u199@agency.gov.cn"));
    g_assert_null(strstr(text, "u200@agency.gov.cn"));
    g_assert_nonnull(strstr(text, "… and 3 more\n"));
}

static void test_json(void)
{
    static const char *const parts[] = {
        "\"verdict\":\"refuse\"",
        "\"act\":\"accept\",\"holds\":false,\"keeps_copy\":false,\"tells\":true,\"own_trouble\":false,"
        "\"headers_only\":true,\"forged_token\":false,\"system_high\":false,\"archives\":[],",
        "\"reply\":{\"code\":250,\"status\":\"2.0.0\"",
        "\"verdict\":\"refuse\",\"queue\":null,\"fate\":\"refused\",\"past\":null",
        "\"given\":[\"<Mi@agency.gov.cn>\",\"<mi@agency.gov.cn>\"]",
        "\"effective\":\"机密\"",
        "{\"number\":11,\"check\":\"recipient\",\"answer\":\"deny\",\"reason\":\"not-cleared\"",
        "\"snapshot\":{\"generation\":1",
        NULL};
    g_autoptr(world) world = mixture();
    g_autofree char *text = tell(world, decision_json, LANGUAGE_EN);

    g_assert_true(json_is_valid(text));
    assert_has(text, parts);
}

/* Everything that may become of a recipient, and what is asked beside, has its words. */
static void test_fates(void)
{
    static const struct {
        enum past_state past;
        const char *json, *english;
    } rows[] = {{PAST_NOTHING, "\"fate\":\"held\",\"past\":null", "waits for a reviewer"},
                {PAST_HELD, "\"fate\":\"held\",\"past\":\"held\"", "waits in the hold that is open"},
                {PAST_SETTLED, "\"fate\":\"settled\",\"past\":\"settled\"", "has been taken care of"},
                {PAST_ENDED, "\"fate\":\"refused\",\"past\":\"ended\"", "held, and refused or expired"},
                {PAST_DEFERRED, "\"fate\":\"held\",\"past\":\"deferred\"", "put off"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_add_queue(world, "labels");
        world_add_archive(world, "all mail", TAKES_EVERYTHING, NULL);
        world_usual(world, "秘密");
        world_text(world, PLACE_SUBJECT, 0, "【机密】计划");
        world_to(world, "<an@agency.gov.cn>");
        past_set(world->past, "an@agency.gov.cn", (struct past_entry){.state = rows[i].past});
        g_autofree char *json = tell(world, decision_json, LANGUAGE_EN);
        g_autofree char *page = tell(world, decision_explain, LANGUAGE_EN);
        gboolean held = strstr(json, "\"fate\":\"held\"") != NULL;

        g_assert_true(json_is_valid(json));
        g_assert_nonnull(strstr(json, rows[i].json));
        g_assert_nonnull(strstr(page, rows[i].english));
        g_assert_true((strstr(json, "\"archives\":[\"all mail\"]") != NULL) == held);
        g_assert_true((strstr(page, "  archives          \"all mail\"\n") != NULL) == held);
    }
}

/* Whatever a message holds, it is one valid JSON value in one line. */
static void test_json_any_octets(void)
{
    g_autoptr(world) world = world_new();
    world_office(world, "a\"\\\x01\xff\n");
    world_from(world, "<\"a\\\"\x02\xfe\"@agency.gov.cn>");
    world_field(world, "X-Classification", "\"}{\\\n机秘");
    world_to(world, "<\"]\\\x03\"@agency.gov.cn>");
    g_autofree char *text = tell(world, decision_json, LANGUAGE_ZH);

    g_assert_true(json_is_valid(text));
    g_assert_cmpuint(strcspn(text, "\n"), ==, strlen(text) - 1);
}

static void test_json_check(void)
{
    static const char *const valid[] = {"{}", "[1,-2,true,null,\"a\\u0001\\\"\"]\n", "{\"a\":{\"b\":[]}}"};
    static const char *const invalid[] = {"",      "{",        "{\"a\"}",  "[1,]",
                                          "{} {}", "\"\x01\"", "\"\xff\"", "[\"a\" \"b\"]"};

    for (guint i = 0; i < G_N_ELEMENTS(valid); i++)
        g_assert_true(json_is_valid(valid[i]));
    for (guint i = 0; i < G_N_ELEMENTS(invalid); i++)
        g_assert_false(json_is_valid(invalid[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/explain/english", test_english);
    g_test_add_func("/explain/chinese", test_chinese);
    g_test_add_func("/explain/senders", test_senders);
    g_test_add_func("/explain/invalid-claim", test_invalid_claim);
    g_test_add_func("/explain/notes-only-when-asked", test_notes_only_when_asked);
    g_test_add_func("/explain/many-recipients", test_many_recipients);
    g_test_add_func("/explain/fates", test_fates);
    g_test_add_func("/json/decision", test_json);
    g_test_add_func("/json/any-octets", test_json_any_octets);
    g_test_add_func("/json/check", test_json_check);
    return g_test_run();
}
