/* Who is addressed, in which zones, and whether it may be read there (semantics.md 4; checks 1, 11, 12). */
#include "tests/support/world.h"

#include <string.h>

static const struct check_line *line_of(const struct decided_recipient *recipient, enum check_id check)
{
    return &g_array_index(recipient->checks, struct check_line, check - CHECK_VISIBLE);
}

/* Two RCPT of one canonical address are one recipient; every given form is kept for deletion (4.1). */
static void test_doubles(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_to(world, "<Delme@agency.gov.cn>");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<delme@AGENCY.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpuint(decision->recipients->len, ==, 2);
    const struct decided_recipient *first = g_ptr_array_index(decision->recipients, 0);
    g_assert_cmpuint(first->forms->len, ==, 2);
    g_assert_cmpstr(((struct envelope_recipient *)g_ptr_array_index(first->forms, 0))->address->given, ==,
                    "<Delme@agency.gov.cn>");
    g_assert_cmpstr(((struct envelope_recipient *)g_ptr_array_index(first->forms, 1))->address->given, ==,
                    "<delme@AGENCY.gov.cn>");
    g_assert_cmpint(first->verdict, ==, VERDICT_REFUSE);
}

static void test_tag(void)
{
    g_autoptr(world) world = world_new();
    world->policy->recipient_delimiter = g_strdup("+");
    world_person(world, "mi+own", "机密"); /* the exact address is asked first */
    world_usual(world, "机密");
    world_to(world, "<an+lists@agency.gov.cn>");
    world_to(world, "<mi+lists@agency.gov.cn>");
    world_to(world, "<mi+own@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(world_recipient(decision, "an+lists@agency.gov.cn")->verdict, ==, VERDICT_DELIVER);
    g_assert_cmpint(world_recipient(decision, "mi+lists@agency.gov.cn")->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(world_recipient(decision, "mi+own@agency.gov.cn")->verdict, ==, VERDICT_DELIVER);
}

/* Any strange form refuses the whole message; % and ! matter with an inside domain only (4.2). */
static void test_strange(void)
{
    static const struct {
        const char *address;
        gboolean strange;
    } rows[] = {{"<mi%ext@agency.gov.cn>", TRUE},
                {"<ext!mi@agency.gov.cn>", TRUE},
                {"<mi%ext@elsewhere.example>", FALSE},
                {"<ext!mi@elsewhere.example>", FALSE},
                {"<\"mi\"@agency.gov.cn>", TRUE},
                {"<\"mi\"@elsewhere.example>", TRUE},
                {"<@relay.example:mi@agency.gov.cn>", TRUE},
                {"<mi@[192.0.2.1]>", TRUE},
                {"<mi@>", TRUE},
                {"<mi>", TRUE},
                {"<>", TRUE},
                {"<\"a%b\"@elsewhere.example>", TRUE},
                {"<mi@agency.gov.cn>", FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "公开");
        world_to(world, "<an@agency.gov.cn>");
        world_to(world, rows[i].address);
        g_autoptr(decision) decision = world_decide(world);
        g_test_message("%s", rows[i].address);
        g_assert_true(world_has_reason(decision->reasons, REASON_STRANGE_ADDRESS) == rows[i].strange);
        g_assert_cmpint(world_recipient(decision, "an@agency.gov.cn")->verdict, ==,
                        rows[i].strange ? VERDICT_REFUSE : VERDICT_DELIVER);
        if (!rows[i].strange)
            continue;
        g_assert_cmpuint(decision->reply.code, ==, 553);
        g_assert_cmpstr(decision->reply.dsn, ==, "5.1.3");
    }
}

/* Postfix's own reading of a plain address may be strange. */
static void test_rewritten_strangely(void)
{
    static const struct {
        const char *rcpt_addr, *mailer;
        gboolean strange;
    } rows[] = {{"an@agency.gov.cn", "smtp", FALSE},
                {"an%ext@agency.gov.cn", "smtp", TRUE},
                {"an%ext@agency.gov.cn", "error", FALSE}, /* error text, and Postfix refuses it itself */
                {"an", "local", FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "公开");
        struct envelope_recipient *recipient = world_to(world, "<an@agency.gov.cn>");
        recipient->rcpt_addr = g_strdup(rows[i].rcpt_addr);
        recipient->rcpt_mailer = g_strdup(rows[i].mailer);
        g_autoptr(decision) decision = world_decide(world);
        g_assert_true(world_has_reason(decision->reasons, REASON_STRANGE_ADDRESS) == rows[i].strange);
    }
}

/* Where Postfix says it goes counts beside the address (4.3). */
static void test_other_zones(void)
{
    static const struct {
        const char *to, *rcpt_addr, *rcpt_host;
        enum reason_id reason; /* REASON_COUNT: delivered */
    } rows[] = {
        {"<an@agency.gov.cn>", NULL, NULL, REASON_COUNT},
        {"<an@agency.gov.cn>", "an@agency.gov.cn", "agency.gov.cn", REASON_COUNT},
        {"<an@agency.gov.cn>", "an@AGENCY.gov.cn", "mx7.internal", REASON_COUNT}, /* no zone's host */
        {"<an@agency.gov.cn>", "an@agency.gov.cn", "private/dovecot-lmtp", REASON_COUNT},
        {"<an@agency.gov.cn>", "an@elsewhere.example", NULL, REASON_ZONE_RECIPIENT},
        {"<an@agency.gov.cn>", "an@bad domain", NULL, REASON_ZONE_RECIPIENT},
        {"<an@agency.gov.cn>", NULL, "[province.gov.cn]:25", REASON_PROTECTION_UNPROVEN},
        {"<an@agency.gov.cn>", NULL, "province.gov.cn:25", REASON_PROTECTION_UNPROVEN},
        {"<an@agency.gov.cn>", "an@province.gov.cn", "agency.gov.cn", REASON_PROTECTION_UNPROVEN},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "秘密");
        struct envelope_recipient *recipient = world_to(world, rows[i].to);
        recipient->rcpt_addr = g_strdup(rows[i].rcpt_addr);
        recipient->rcpt_host = g_strdup(rows[i].rcpt_host);
        g_autoptr(decision) decision = world_decide(world);
        g_test_message("row %u", i);
        if (rows[i].reason == REASON_COUNT)
            g_assert_cmpint(decision->verdict, ==, VERDICT_DELIVER);
        else if (!world_has_reason(decision->reasons, REASON_STRANGE_ADDRESS))
            g_assert_cmpint(decision->leading->id, ==, rows[i].reason);
    }
}

/* Every given form of one recipient is looked at. */
static void test_other_zone_of_second_form(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "秘密");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<An@agency.gov.cn>")->rcpt_addr = g_strdup("an@elsewhere.example");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpuint(decision->recipients->len, ==, 1);
    g_assert_cmpint(decision->leading->id, ==, REASON_ZONE_RECIPIENT);
}

static void test_clearance(void)
{
    static const struct {
        const char *to, *level;
        enum reason_id reason; /* REASON_COUNT: delivered */
    } rows[] = {
        {"<an@agency.gov.cn>", "机密", REASON_COUNT},
        {"<mi@agency.gov.cn>", "秘密", REASON_COUNT},
        {"<mi@agency.gov.cn>", "机密", REASON_NOT_CLEARED},
        {"<nobody@agency.gov.cn>", "公开", REASON_COUNT}, /* none recorded: L0 */
        {"<nobody@agency.gov.cn>", "内部", REASON_NOT_CLEARED},
        {"<unknown@agency.gov.cn>", "公开", REASON_COUNT}, /* inside, absent: L0 */
        {"<unknown@agency.gov.cn>", "内部", REASON_NOT_CLEARED},
        {"<x@elsewhere.example>", "公开", REASON_COUNT}, /* outside, absent: as the zone carries */
        {"<x@elsewhere.example>", "内部", REASON_ZONE_RECIPIENT},
        {"<an@agency.gov.cn>", "绝密", REASON_ZONE_ORIGIN},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, rows[i].level);
        world_to(world, rows[i].to);
        g_autoptr(decision) decision = world_decide(world);
        g_test_message("%s %s", rows[i].to, rows[i].level);
        if (rows[i].reason == REASON_COUNT)
            g_assert_cmpint(decision->verdict, ==, VERDICT_DELIVER);
        else
            g_assert_cmpint(decision->leading->id, ==, rows[i].reason);
    }
}

static void test_unknown_person_up_to(void)
{
    g_autoptr(world) world = world_new();
    world->policy->unknown_person_scheme = schemes_home(world->schemes);
    world->policy->unknown_person = world_level(world, "内部");
    world_usual(world, "内部");
    world_to(world, "<unknown@agency.gov.cn>");
    g_autoptr(decision) allowed = world_decide(world);
    g_assert_cmpint(allowed->verdict, ==, VERDICT_DELIVER);
    world_new_message(world);
    world_usual(world, "秘密");
    world_to(world, "<unknown@agency.gov.cn>");
    g_autoptr(decision) refused = world_decide(world);
    g_assert_cmpint(refused->verdict, ==, VERDICT_REFUSE);
}

/* A contact outside counts with its own clearance, and its zone as well. */
static void test_contact(void)
{
    g_autoptr(world) world = world_new();
    g_ptr_array_add(world_person(world, "contact", "内部")->addresses, g_strdup("c@province.gov.cn"));
    world_usual(world, "秘密");
    world_to(world, "<c@province.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);
    const struct decided_recipient *contact = world_recipient(decision, "c@province.gov.cn");

    g_assert_cmpint(line_of(contact, CHECK_RECIPIENT)->reason, ==, REASON_NOT_CLEARED);
    g_assert_cmpint(line_of(contact, CHECK_ZONE_RECIPIENT)->reason, ==, REASON_PROTECTION_UNPROVEN);
    g_assert_cmpint(decision->leading->id, ==, REASON_NOT_CLEARED);
}

/* A zone that asks for protection on the way out gets the lowest level only; a login is nothing on the way
 * out. */
static void test_unproven(void)
{
    static const struct {
        struct zone_requires requires;
        const char *level;
        gboolean delivered;
    } rows[] = {{{.tls = 10}, "公开", TRUE},
                {{.tls = 10}, "内部", FALSE},
                {{.tls_verified = TRUE}, "内部", FALSE},
                {{.client_certificate = TRUE}, "内部", FALSE},
                {{.login = TRUE}, "内部", TRUE},
                {{.tls = 0}, "内部", TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_zone(world, "partner ministry")->requires = rows[i].requires;
        world_usual(world, rows[i].level);
        world_to(world, "<x@ministry.gov.cn>");
        g_autoptr(decision) decision = world_decide(world);
        g_test_message("row %u", i);
        g_assert_cmpint(decision->verdict, ==, rows[i].delivered ? VERDICT_DELIVER : VERDICT_REFUSE);
        if (!rows[i].delivered) {
            g_assert_cmpint(decision->leading->id, ==, REASON_PROTECTION_UNPROVEN);
            g_assert_cmpstr(decision->reply.dsn, ==, "5.7.10");
        }
    }
}

static void test_answers(void)
{
    g_autoptr(world) world = world_new();
    g_ptr_array_add(world_person(world, "an2", "绝密")->addresses, g_strdup("an@agency.gov.cn"));
    world_clear_person(world, world_find(world, "mi"), "机密|秘密"); /* two permanent ones that differ */
    world_find(world, "ni")->clearance_unreadable = g_strdup("机秘");
    g_hash_table_add(world->down, g_strdup("gu@agency.gov.cn"));
    world_usual(world, "机密");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<mi@agency.gov.cn>");
    world_to(world, "<ni@agency.gov.cn>");
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(world_recipient(decision, "an@agency.gov.cn")->leading->id, ==, REASON_PERSON_AMBIGUOUS);
    g_assert_cmpint(world_recipient(decision, "ni@agency.gov.cn")->leading->id, ==,
                    REASON_CLEARANCE_AMBIGUOUS);
    g_assert_cmpint(world_recipient(decision, "gu@agency.gov.cn")->leading->id, ==,
                    REASON_DIRECTORY_UNAVAILABLE);
    g_assert_cmpint(world_recipient(decision, "gu@agency.gov.cn")->verdict, ==, VERDICT_DEFER);
    g_assert_cmpint(world_recipient(decision, "mi@agency.gov.cn")->verdict, !=, VERDICT_DELIVER);
}

static void test_valid_until(void)
{
    /* The clearance of the world is read in UTC: the day 2026-12-31 ends at this second. */
    static const gint64 end = G_GINT64_CONSTANT(1798761600);
    g_autoptr(world) world = world_new();
    world_clear_person(world, world_find(world, "an"), "机密 until 2026-12-31");
    world_usual(world, "机密");
    world_to(world, "<an@agency.gov.cn>");
    world->now = end - 1;
    g_autoptr(decision) before = world_decide(world);
    g_assert_cmpint(before->verdict, ==, VERDICT_DELIVER);
    world->now = end;
    g_autoptr(decision) after = world_decide(world);
    g_assert_cmpint(after->verdict, ==, VERDICT_REFUSE);
}

static void test_outcomes(void)
{
    g_autoptr(world) world = world_new();
    world->policy->recipient_not_cleared.kind = OUTCOME_HOLD;
    world->policy->recipient_not_cleared.queue = g_strdup("labels");
    world_zone(world, "internet")->limit_otherwise.kind = OUTCOME_DEFER;
    world_usual(world, "秘密");
    world_to(world, "<ni@agency.gov.cn>");
    world_to(world, "<x@elsewhere.example>");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(world_recipient(decision, "ni@agency.gov.cn")->verdict, ==, VERDICT_HOLD);
    g_assert_cmpstr(world_recipient(decision, "ni@agency.gov.cn")->queue, ==, "labels");
    g_assert_cmpint(world_recipient(decision, "x@elsewhere.example")->verdict, ==, VERDICT_DEFER);
}

static void test_limits(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    world_to(world, "<an@agency.gov.cn>");
    world->envelope->too_many = TRUE;
    g_autoptr(decision) many = world_decide(world);
    g_assert_cmpint(many->leading->id, ==, REASON_TOO_MANY_RECIPIENTS);
    g_assert_cmpuint(many->reply.code, ==, 550);

    world->envelope->too_many = FALSE;
    world->too_large = TRUE;
    world_no_facts(world, FACTS_NONE_PERSISTENT);
    g_autoptr(decision) large = world_decide(world);
    g_assert_cmpint(large->leading->id, ==, REASON_TOO_LARGE);
    g_assert_cmpuint(large->reply.code, ==, 552);
    g_assert_false(world_has_reason(large->reasons, REASON_INSPECTOR_FAILED));
}

static void test_nobody_left(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(decision->leading->id, ==, REASON_NO_RECIPIENT);
    g_assert_cmpint(decision->act, ==, ACT_REFUSE);
    g_assert_cmpuint(decision->reply.code, ==, 554);
}

/* Bounces carry the message to MAIL FROM, past the filter (3.7). */
static void test_return_path(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_to(world, "<an@agency.gov.cn>");
    world->policy->sender_not_cleared.kind = OUTCOME_REFUSE;
    world_clear_person(world, world_find(world, "mi"), "秘密");
    /* A second address of bo's that the directory gives to somebody else as well. */
    g_ptr_array_add(world_find(world, "bo")->addresses, g_strdup("desk@agency.gov.cn"));
    world_from(world, "<desk@agency.gov.cn>");
    g_autoptr(decision) own = world_decide(world);
    g_assert_cmpint(own->verdict, ==, VERDICT_DELIVER);
    g_ptr_array_add(world_find(world, "mi")->addresses, g_strdup("desk@agency.gov.cn"));
    g_autoptr(decision) shared = world_decide(world);
    g_assert_cmpint(shared->leading->id, ==, REASON_PERSON_AMBIGUOUS);
    g_assert_cmpint(shared->leading->check, ==, CHECK_RETURN_PATH);
    g_hash_table_add(world->down, g_strdup("desk@agency.gov.cn"));
    g_autoptr(decision) unknown = world_decide(world);
    g_assert_cmpint(unknown->verdict, ==, VERDICT_DEFER);
}

static void test_return_path_of_device(void)
{
    g_autoptr(world) world = world_new();
    struct zone_limit *limit = g_ptr_array_index(world->zones->local->limits, 0);

    limit->label->level = world_level(world, "内部");
    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    world_from(world, "gu@agency.gov.cn");
    world_field(world, "X-Classification", "内部");
    world_to(world, "an@agency.gov.cn");
    g_autoptr(decision) low = world_decide(world);
    g_assert_cmpint(low->leading->id, ==, REASON_RETURN_PATH_NOT_CLEARED);
    world_from(world, "x@elsewhere.example"); /* outside: what its zone carries */
    g_autoptr(decision) outside = world_decide(world);
    g_assert_cmpint(outside->leading->id, ==, REASON_RETURN_PATH_NOT_CLEARED);
    world_from(world, "ni@agency.gov.cn");
    g_autoptr(decision) cleared = world_decide(world);
    g_assert_cmpint(cleared->verdict, ==, VERDICT_DELIVER);
}

/* A group is one recipient with its own clearance until groups are expanded. */
static void test_group(void)
{
    g_autoptr(world) world = world_new();
    world_person(world, "list", "秘密")->kind = PERSON_GROUP;
    world_usual(world, "秘密");
    world_to(world, "<list@agency.gov.cn>");
    g_autoptr(decision) within = world_decide(world);
    g_assert_cmpint(within->verdict, ==, VERDICT_DELIVER);
    world_new_message(world);
    world_usual(world, "机密");
    world_to(world, "<list@agency.gov.cn>");
    g_autoptr(decision) above = world_decide(world);
    g_assert_cmpint(above->leading->id, ==, REASON_NOT_CLEARED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/recipients/doubles", test_doubles);
    g_test_add_func("/recipients/tag", test_tag);
    g_test_add_func("/recipients/strange", test_strange);
    g_test_add_func("/recipients/rewritten-strangely", test_rewritten_strangely);
    g_test_add_func("/recipients/other-zones", test_other_zones);
    g_test_add_func("/recipients/other-zone-of-second-form", test_other_zone_of_second_form);
    g_test_add_func("/recipients/clearance", test_clearance);
    g_test_add_func("/recipients/unknown-person-up-to", test_unknown_person_up_to);
    g_test_add_func("/recipients/contact", test_contact);
    g_test_add_func("/recipients/unproven", test_unproven);
    g_test_add_func("/recipients/answers", test_answers);
    g_test_add_func("/recipients/valid-until", test_valid_until);
    g_test_add_func("/recipients/outcomes", test_outcomes);
    g_test_add_func("/recipients/limits", test_limits);
    g_test_add_func("/recipients/nobody-left", test_nobody_left);
    g_test_add_func("/recipients/return-path", test_return_path);
    g_test_add_func("/recipients/return-path-of-device", test_return_path_of_device);
    g_test_add_func("/recipients/group", test_group);
    return g_test_run();
}
