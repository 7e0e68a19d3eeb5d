/* The log line: fixed keys, one line, nothing that a message can break (style.md "Logs"). */
#include "tests/support/world.h"

#include <string.h>

static char *log_of(struct world *world)
{
    struct inputs inputs = world_inputs(world);
    g_autoptr(decision) decision = decide(&inputs, "abc234");

    return decision_log(decision, &inputs);
}

static void test_accept(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_to(world, "<An@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_cmpstr(line, ==,
                    "verdict=deliver to=<an@agency.gov.cn> label=机密 act=accept from=<bo@agency.gov.cn> "
                    "class=person login=\"bo\" zone=\"office\"");
}

static void test_mixture(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<mi@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_cmpstr(line, ==,
                    "verdict=refuse to=<mi@agency.gov.cn> also=<an@agency.gov.cn> label=机密 "
                    "reason=not-cleared check=recipient act=accept "
                    "ref=MIJI-abc234 from=<bo@agency.gov.cn> class=person login=\"bo\" zone=\"office\"");
}

/* Who is held, and who was taken care of before; nothing is said to the sender. */
static void test_held(void)
{
    g_autoptr(world) world = world_new();
    world_add_queue(world, "labels");
    world_add_archive(world, "all", TAKES_EVERYTHING, NULL);
    world_usual(world, "秘密");
    world_text(world, PLACE_SUBJECT, 0, "【机密】计划");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<bo@agency.gov.cn>");
    past_set(world->past, "bo@agency.gov.cn", (struct past_entry){.state = PAST_SETTLED});
    g_autofree char *line = log_of(world);

    g_assert_cmpstr(line, ==,
                    "verdict=hold to=<an@agency.gov.cn> also=<bo@agency.gov.cn> label=机密 "
                    "reason=label-conflict check=label held=1 settled=1 archive=1 act=discard "
                    "ref=MIJI-abc234 from=<bo@agency.gov.cn> class=person login=\"bo\" zone=\"office\"");
}

static void test_forged_token(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_field(world, "X-Miji-Release", "v1 SECRETTOKEN");
    world_to(world, "<an@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_nonnull(strstr(line, " act=accept recorded=forged-token from="));
    g_assert_null(strstr(line, "SECRET"));
}

static void test_outside(void)
{
    g_autoptr(world) world = world_new();
    world_internet(world);
    world_to(world, "<gu@agency.gov.cn>");
    world_no_facts(world, FACTS_NONE_TRANSIENT);
    g_autofree char *line = log_of(world);

    g_assert_cmpstr(line, ==,
                    "verdict=defer to=<gu@agency.gov.cn> label=? reason=inspector-failed check=inspection "
                    "act=defer reply=451 ref=MIJI-abc234 from=<> class=outside zone=\"internet\"");
}

/* An outsider hears nothing of it, the log says who was refused and why. */
static void test_mixture_from_outside(void)
{
    g_autoptr(world) world = world_new();
    world_partner(world);
    world_from(world, "<somebody@elsewhere.example>");
    world_field(world, "X-Classification", "秘密");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<ni@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_nonnull(strstr(line, "verdict=refuse to=<ni@agency.gov.cn> also=<an@agency.gov.cn> label=秘密 "
                                  "reason=not-cleared check=recipient told=mixed-refusal act=refuse "
                                  "reply=550 ref="));
}

static void test_no_label(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, NULL);
    world_to(world, "<gu@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_nonnull(strstr(line, " label=- reason=unlabelled "));
}

static void test_categories(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密 专项 密码");
    world_to(world, "<an@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_nonnull(strstr(line, " label=\"机密 专项:密码\" "));
}

static void test_many(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    for (guint i = 0; i < 12; i++) {
        g_autofree char *address = g_strdup_printf("<u%u@agency.gov.cn>", i);
        world_to(world, address);
    }
    g_autofree char *line = log_of(world);

    g_assert_nonnull(strstr(line, "<u9@agency.gov.cn>,+2 label="));
    g_assert_null(strstr(line, "u10@"));
}

/* Whatever a client says, it stays inside its < > or quotes, in one line. */
static void test_forging(void)
{
    static const char *const texts[] = {"x\n4Xk3: verdict=deliver to=<y@z>",
                                        "a> verdict=deliver from=<b",
                                        "a\" zone=\"office",
                                        "a\\\" zone=\\\"office",
                                        "\xff\xfe\x01\x1b[31m",
                                        "\u202e\u200bx"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(world) world = world_new();
        world_office(world, texts[i]);
        world_from(world, texts[i]);
        g_autofree char *to = g_strdup_printf("<%s@agency.gov.cn>", texts[i]);
        world_to(world, to);
        g_autofree char *line = log_of(world);
        guint quotes = 0;

        for (const char *p = line; *p != '\0'; p++) {
            g_assert_cmpint((guchar)*p, >=, ' ');
            quotes += *p == '"' && p[-1] != '\\';
        }
        g_assert_true(g_utf8_validate(line, -1, NULL));
        g_assert_cmpuint(quotes, ==, 4); /* login, zone */
        g_assert_null(strstr(line, "\u202e"));
        g_assert_true(g_str_has_suffix(line, " zone=\"office\""));
        *strstr(line, " login=") = '\0'; /* what stands before the quotes */
        g_assert_null(strstr(line + 1, "verdict=deliver "));
    }
}

/* Never a subject or a body. */
static void test_no_content(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, NULL);
    world_text(world, PLACE_SUBJECT, 0, "SECRETSUBJECT");
    world_text(world, PLACE_LINE, 0, "SECRETLINE");
    world_field(world, "X-Security-Level", "SECRETFIELD");
    world_to(world, "<gu@agency.gov.cn>");
    g_autofree char *line = log_of(world);

    g_assert_null(strstr(line, "SECRET"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/log/accept", test_accept);
    g_test_add_func("/log/mixture", test_mixture);
    g_test_add_func("/log/held", test_held);
    g_test_add_func("/log/forged-token", test_forged_token);
    g_test_add_func("/log/outside", test_outside);
    g_test_add_func("/log/mixture-from-outside", test_mixture_from_outside);
    g_test_add_func("/log/no-label", test_no_label);
    g_test_add_func("/log/categories", test_categories);
    g_test_add_func("/log/many", test_many);
    g_test_add_func("/log/forging", test_forging);
    g_test_add_func("/log/no-content", test_no_content);
    return g_test_run();
}
