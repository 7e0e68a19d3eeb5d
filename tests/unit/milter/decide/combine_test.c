/* The whole table of semantics.md 7.2: every mixture of verdicts for every kind of sender. */
#include "tests/support/world.h"

/* A message marked 秘密 goes to some of an (deliver), held@hold.example (hold), zz (defer: cannot be asked),
 * ni (refuse). */
enum { D = 1, H = 2, F = 4, R = 8, MIXTURES = 16 };

static const struct {
    int part;
    const char *to;
    enum verdict verdict;
} parts[] = {{D, "an@agency.gov.cn", VERDICT_DELIVER},
             {H, "held@hold.example", VERDICT_HOLD},
             {F, "zz@agency.gov.cn", VERDICT_DEFER},
             {R, "ni@agency.gov.cn", VERDICT_REFUSE}};

static void add_holding_zone(struct world *world)
{
    struct zone *zone = zone_new("waiting");

    zone_add_limit(zone, label_new(schemes_home(world->schemes), world_level(world, "内部")));
    zone->limit_otherwise.kind = OUTCOME_HOLD;
    zone->limit_otherwise.queue = g_strdup("labels");
    zone->recipients = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(zone->recipients, g_strdup("hold.example"));
    g_ptr_array_insert(world->zones->list, 0, zone);
    g_ptr_array_add(world->policy->queues, g_strdup("labels"));
}

static void from_person(struct world *world)
{
    world_usual(world, "秘密");
}

static void from_person_null(struct world *world)
{
    world_usual(world, "秘密");
    world_from(world, "<>");
}

static void from_peer(struct world *world)
{
    world_partner(world);
    world_from(world, "<chen@ministry.gov.cn>");
    world_field(world, "X-Classification", "秘密");
}

/* The partner's network may carry it, but the sender is none of the partner's. */
static void from_outside(struct world *world)
{
    world_partner(world);
    world_from(world, "<somebody@elsewhere.example>");
    world_field(world, "X-Classification", "秘密");
}

static void from_outside_holding(struct world *world)
{
    from_outside(world);
    world->policy->outside_hold_refused = TRUE;
}

static void from_device(struct world *world)
{
    struct device *device = g_new0(struct device, 1);

    device->address = g_strdup("an@agency.gov.cn");
    network_parse("10.9.0.7/32", &device->network);
    device->scheme = schemes_home(world->schemes);
    device->level = world_level(world, "秘密");
    g_ptr_array_add(world->policy->devices, device);
    world_office(world, NULL);
    world->session.client = ip_parse("10.9.0.7");
    world_from(world, "<an@agency.gov.cn>");
    world_field(world, "X-Classification", "秘密");
}

static void from_local(struct world *world)
{
    struct zone_limit *limit = g_ptr_array_index(world->zones->local->limits, 0);

    limit->label->level = world_level(world, "机密");
    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    world_from(world, "an@agency.gov.cn");
    world_field(world, "X-Classification", "秘密");
}

/* a accept, r refuse, d defer; one letter for each mixture, counted in binary:
 * D H DH F DF HF DHF R DR HR DHR FR DFR HFR DHFR. */
static const struct {
    const char *name;
    void (*from)(struct world *);
    const char *split, *all; /* some recipients not cleared split | refuse all */
} rows[] = {
    {"person", from_person, "arrddddrrrrdddd", "arrddddrrrrrrrr"},
    {"person, null sender", from_person_null, "arrddddrrrrrrrr", "arrddddrrrrrrrr"},
    {"peer", from_peer, "arrddddrrrrdddd", "arrddddrrrrrrrr"},
    {"outside", from_outside, "arrddddrrrrrrrr", "arrddddrrrrrrrr"},
    {"outside, hold refused", from_outside_holding, "arrddddrrrrrrrr", "arrddddrrrrrrrr"},
    {"device", from_device, "arrddddrrrrrrrr", "arrddddrrrrrrrr"},
    {"local", from_local, "adddddddddddddd", "adddddddddddddd"},
};

static enum act act_of(char letter)
{
    switch (letter) {
    case 'a':
        return ACT_ACCEPT;
    case 'r':
        return ACT_REFUSE;
    case 'd':
        return ACT_DEFER;
    }
    return ACT_DISCARD;
}

static struct decision *decide_mixture(struct world *world, guint row, int mixture, gboolean all)
{
    add_holding_zone(world);
    g_hash_table_add(world->down, g_strdup("zz@agency.gov.cn"));
    world->policy->refuse_all = all;
    rows[row].from(world);
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (mixture & parts[i].part)
            world_to(world, parts[i].to);
    return world_decide(world);
}

/* Every recipient its own verdict; with `refuse all` everybody the strictest. */
static void assert_verdicts(const struct decision *decision, int mixture, gboolean all)
{
    enum verdict strictest = VERDICT_DELIVER;

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (mixture & parts[i].part)
            strictest = MAX(strictest, parts[i].verdict);
    g_assert_cmpint(decision->verdict, ==, strictest);
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        if ((mixture & parts[i].part) == 0)
            continue;
        const struct decided_recipient *recipient = world_recipient(decision, parts[i].to);
        g_assert_cmpint(recipient->verdict, ==, all ? strictest : parts[i].verdict);
        g_assert_true((recipient->leading == NULL) == (recipient->verdict == VERDICT_DELIVER));
        g_assert_true((recipient->queue != NULL) == (recipient->verdict == VERDICT_HOLD));
    }
}

static void assert_reply(const struct decision *decision)
{
    guint digit = decision->reply.code / 100;

    switch (decision->act) {
    case ACT_ACCEPT:
        g_assert_cmpuint(digit, ==, 2);
        g_assert_null(decision->leading);
        return;
    case ACT_REFUSE:
        g_assert_cmpuint(digit, ==, 5);
        break;
    case ACT_DEFER:
        g_assert_cmpuint(digit, ==, 4);
        break;
    case ACT_DISCARD:
        g_assert_not_reached();
    }
    g_assert_nonnull(decision->leading);
    g_assert_cmpint(decision->reply.dsn[0] - '0', ==, (int)digit);
    g_assert_true(g_str_has_suffix(decision->reply.text, "[MIJI-abc234]"));
}

static void test_table(void)
{
    for (guint row = 0; row < G_N_ELEMENTS(rows); row++)
        for (int mixture = 1; mixture < MIXTURES; mixture++)
            for (int all = 0; all < 2; all++) {
                g_autoptr(world) world = world_new();
                g_autoptr(decision) decision = decide_mixture(world, row, mixture, all);
                char letter = (all ? rows[row].all : rows[row].split)[mixture - 1];

                g_test_message("%s, mixture %d, refuse all %d", rows[row].name, mixture, all);
                g_assert_cmpint(decision->act, ==, act_of(letter));
                assert_verdicts(decision, mixture, all);
                assert_reply(decision);
            }
}

/* An outsider must not learn from a mixture who was refused; others hear of the refused one. */
static void test_leading_of_mixture(void)
{
    static const struct {
        guint row;
        enum reason_id reason;
    } expected[] = {{0, REASON_NOT_CLEARED}, {3, REASON_MIXED_REFUSAL}, {5, REASON_NOT_CLEARED}};

    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(world) world = world_new();
        g_autoptr(decision) decision = decide_mixture(world, expected[i].row, D | R, FALSE);
        g_assert_cmpint(decision->leading->id, ==, expected[i].reason);
    }
}

/* What is put off is put off for the reason that may pass, not for the refusal beside it. */
static void test_leading_of_deferred(void)
{
    g_autoptr(world) world = world_new();
    g_autoptr(decision) decision = decide_mixture(world, 0, D | F | R, FALSE);

    g_assert_cmpint(decision->leading->id, ==, REASON_DIRECTORY_UNAVAILABLE);
    g_assert_cmpuint(decision->reply.code, ==, 451);
    g_assert_cmpstr(decision->reply.dsn, ==, "4.4.3");
}

/* No queue: a default of hold is a refusal (semantics.md 8); what the configuration says is a hold stays one.
 */
static void test_hold_without_queue(void)
{
    for (int with_queue = 0; with_queue < 2; with_queue++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "公开");
        world_text(world, PLACE_SUBJECT, 0, "【内部】通知");
        world_to(world, "an@agency.gov.cn");
        if (with_queue)
            g_ptr_array_add(world->policy->queues, g_strdup("first"));
        g_autoptr(decision) decision = world_decide(world);
        g_assert_cmpint(decision->leading->id, ==, REASON_LABEL_CONFLICT);
        g_assert_cmpint(decision->verdict, ==, with_queue ? VERDICT_HOLD : VERDICT_REFUSE);
        g_assert_cmpint(decision->act, ==, ACT_REFUSE);
        if (with_queue)
            g_assert_cmpstr(world_recipient(decision, "an@agency.gov.cn")->queue, ==, "first");
    }
}

/* Certain refusal does not wait for what cannot be told now; a hold does, since it may become one (7.1). */
static void test_transient_beside(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, NULL);
    world_to(world, "zz@agency.gov.cn");
    g_hash_table_add(world->down, g_strdup("zz@agency.gov.cn"));
    g_autoptr(decision) refused = world_decide(world);
    g_assert_cmpint(refused->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(refused->leading->id, ==, REASON_UNLABELLED);

    world->policy->unlabelled_inside.kind = OUTCOME_HOLD;
    world->policy->unlabelled_inside.queue = g_strdup("labels");
    g_autoptr(decision) deferred = world_decide(world);
    g_assert_cmpint(deferred->verdict, ==, VERDICT_DEFER);
    g_assert_cmpint(deferred->act, ==, ACT_DEFER);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/combine/table", test_table);
    g_test_add_func("/combine/leading-of-mixture", test_leading_of_mixture);
    g_test_add_func("/combine/leading-of-deferred", test_leading_of_deferred);
    g_test_add_func("/combine/hold-without-queue", test_hold_without_queue);
    g_test_add_func("/combine/transient-beside", test_transient_beside);
    return g_test_run();
}
