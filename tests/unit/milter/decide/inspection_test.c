/* What the inspector could not read, and what the configuration says of it (semantics.md 1, 2.13, 7.1; check
 * 7). */
#include "tests/support/world.h"

static const struct check_line *line_of(const struct decision *decision, enum check_id check)
{
    return &g_array_index(decision->checks, struct check_line, check - CHECK_ENVELOPE);
}

/* bo to an (who may see everything), one mark. */
static struct decision *decide_marked(struct world *world, const char *level)
{
    world_usual(world, level);
    world_to(world, "<an@agency.gov.cn>");
    return world_decide(world);
}

static struct undecidable_line *only_line(struct world *world, guint causes, const char *up_to,
                                          enum outcome_kind kind)
{
    struct undecidable_line *line;

    g_ptr_array_set_size(world->policy->undecidable, 0);
    line = policy_add_undecidable(world->policy);
    line->causes = causes;
    line->outcome.kind = kind;
    if (up_to != NULL) {
        line->scheme = schemes_home(world->schemes);
        line->up_to = world_level(world, up_to);
    }
    policy_add_undecidable(world->policy)->outcome.kind = OUTCOME_REFUSE;
    return line;
}

static void test_findings(void)
{
    static const struct {
        enum finding_id finding;
        enum reason_id reason;
    } rows[] = {{FINDING_ENCRYPTED, REASON_ENCRYPTED},
                {FINDING_DAMAGED, REASON_DAMAGED},
                {FINDING_BAD_BASE64, REASON_DAMAGED},
                {FINDING_TOO_DEEP, REASON_LIMIT_REACHED},
                {FINDING_MALFORMED, REASON_AMBIGUOUS_STRUCTURE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_finding(world, rows[i].finding, 2);
        g_autoptr(decision) decision = decide_marked(world, "公开");
        g_assert_cmpint(decision->leading->id, ==, rows[i].reason);
        g_assert_cmpint(decision->leading->check, ==, CHECK_INSPECTION);
        g_assert_cmpuint(decision->leading->part, ==, 2);
        g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE);
    }
}

static void test_harmless_finding(void)
{
    g_autoptr(world) world = world_new();
    world_finding(world, FINDING_BAD_QP, 2);
    g_autoptr(decision) decision = decide_marked(world, "公开");

    g_assert_cmpint(decision->verdict, ==, VERDICT_DELIVER);
}

static void test_deliver_unread(void)
{
    static const struct {
        enum finding_id finding;
        const char *level;
        enum verdict verdict;
    } rows[] = {{FINDING_ENCRYPTED, "公开", VERDICT_DELIVER},    {FINDING_ENCRYPTED, "内部", VERDICT_DELIVER},
                {FINDING_ENCRYPTED, "秘密", VERDICT_REFUSE},     {FINDING_DAMAGED, "内部", VERDICT_DELIVER},
                {FINDING_TOO_DEEP, "内部", VERDICT_DELIVER},     {FINDING_MALFORMED, "公开", VERDICT_REFUSE},
                {FINDING_ENCRYPTED, "机秘", VERDICT_REFUSE},     {FINDING_ENCRYPTED, NULL, VERDICT_REFUSE},
                {FINDING_FIELDS_IN_BODY, "公开", VERDICT_REFUSE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        only_line(world, 0, "内部", OUTCOME_DELIVER);
        world_finding(world, rows[i].finding, 2);
        g_autoptr(decision) decision = decide_marked(world, rows[i].level);
        g_test_message("row %u", i);
        g_assert_cmpint(decision->verdict, ==, rows[i].verdict);
        if (rows[i].verdict == VERDICT_DELIVER)
            g_assert_cmpint(line_of(decision, CHECK_INSPECTION)->answer, ==, CHECK_PERMIT);
    }
}

static void test_deliver_one_of_two(void)
{
    g_autoptr(world) world = world_new();
    only_line(world, UNDECIDABLE_ENCRYPTED, "内部", OUTCOME_DELIVER);
    world_finding(world, FINDING_ENCRYPTED, 2);
    world_finding(world, FINDING_DAMAGED, 3);
    g_autoptr(decision) decision = decide_marked(world, "公开");

    g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(decision->leading->id, ==, REASON_DAMAGED);
}

static void test_persistent_never_defers(void)
{
    g_autoptr(world) world = world_new();
    only_line(world, 0, NULL, OUTCOME_DEFER);
    world_finding(world, FINDING_ENCRYPTED, 2);
    g_autoptr(decision) refused = decide_marked(world, "公开");
    g_assert_cmpint(refused->verdict, ==, VERDICT_REFUSE);

    g_ptr_array_add(world->policy->queues, g_strdup("first"));
    g_autoptr(decision) held = world_decide(world);
    g_assert_cmpint(held->verdict, ==, VERDICT_HOLD);
    g_assert_cmpstr(world_recipient(held, "an@agency.gov.cn")->queue, ==, "first");

    struct undecidable_line *line = policy_add_undecidable(world->policy);
    line->outcome.kind = OUTCOME_HOLD;
    line->outcome.queue = g_strdup("unreadable");
    g_autoptr(decision) in_block = world_decide(world);
    g_assert_cmpstr(world_recipient(in_block, "an@agency.gov.cn")->queue, ==, "unreadable");
}

static void test_no_facts(void)
{
    static const struct {
        enum facts_state state;
        enum reason_id reason;
        enum verdict verdict;
        guint code;
    } rows[] = {{FACTS_NONE_TRANSIENT, REASON_INSPECTOR_FAILED, VERDICT_DEFER, 451},
                {FACTS_NONE_BUSY, REASON_BUSY, VERDICT_DEFER, 451},
                {FACTS_NONE_PERSISTENT, REASON_INSPECTOR_FAILED, VERDICT_REFUSE, 550}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "公开");
        world_to(world, "<an@agency.gov.cn>");
        world_no_facts(world, rows[i].state);
        g_autoptr(decision) decision = world_decide(world);
        g_assert_null(decision->label);
        g_assert_cmpint(decision->leading->id, ==, rows[i].reason);
        g_assert_cmpint(decision->verdict, ==, rows[i].verdict);
        g_assert_cmpuint(decision->reply.code, ==, rows[i].code);
    }
}

static void test_no_facts_no_level(void)
{
    g_autoptr(world) world = world_new();
    only_line(world, 0, "绝密", OUTCOME_DELIVER);
    world_usual(world, "公开");
    world_to(world, "<an@agency.gov.cn>");
    world_no_facts(world, FACTS_NONE_PERSISTENT);
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE);
}

static void test_transient_refused(void)
{
    static const struct {
        guint causes;
        enum outcome_kind kind;
        enum verdict verdict;
    } rows[] = {{0, OUTCOME_REFUSE, VERDICT_DEFER},
                {UNDECIDABLE_DIRECTORY, OUTCOME_REFUSE, VERDICT_REFUSE},
                {UNDECIDABLE_OVERLOAD, OUTCOME_REFUSE, VERDICT_DEFER},
                {UNDECIDABLE_DIRECTORY, OUTCOME_HOLD, VERDICT_DEFER},
                {UNDECIDABLE_DIRECTORY, OUTCOME_DELIVER, VERDICT_DEFER}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        only_line(world, rows[i].causes, rows[i].kind == OUTCOME_DELIVER ? "绝密" : NULL, rows[i].kind);
        g_hash_table_add(world->down, g_strdup("an@agency.gov.cn"));
        g_autoptr(decision) decision = decide_marked(world, "公开");
        g_test_message("row %u", i);
        g_assert_cmpint(decision->verdict, ==, rows[i].verdict);
    }
}

static void add_root_part(struct world *world, const char *type)
{
    world->facts->parts = g_new0(struct fact_part, 1);
    world->facts->parts[0] = (struct fact_part){.number = 1, .type = {.data = type, .length = 1}};
    world->facts->part_count = 1;
}

static void test_encrypted_counts(void)
{
    g_autoptr(world) world = world_new();
    world_zone(world, "office")->encrypted_counts = TRUE;
    world_finding(world, FINDING_ENCRYPTED, 1);
    add_root_part(world, "application/pkcs7-mime");
    g_autoptr(decision) marked = decide_marked(world, "内部");
    g_assert_cmpint(marked->verdict, ==, VERDICT_DELIVER);

    world_new_message(world);
    world_finding(world, FINDING_ENCRYPTED, 1);
    add_root_part(world, "application/pkcs7-mime");
    g_autoptr(decision) unmarked = decide_marked(world, NULL);
    g_assert_cmpint(unmarked->verdict, ==, VERDICT_REFUSE);

    world_new_message(world);
    world_finding(world, FINDING_ENCRYPTED, 1);
    add_root_part(world, "application/zip");
    g_autoptr(decision) archive = decide_marked(world, "内部");
    g_assert_cmpint(archive->leading->id, ==, REASON_ENCRYPTED);
}

/* The people of such zones encrypt for each other: nobody else gets what nobody could check. */
static void test_encrypted_for_others(void)
{
    g_autoptr(world) world = world_new();
    world_zone(world, "office")->encrypted_counts = TRUE;
    world_usual(world, "公开");
    world_finding(world, FINDING_ENCRYPTED, 1);
    add_root_part(world, "application/pkcs7-mime");
    world_to(world, "<gu@agency.gov.cn>");
    world_to(world, "<x@elsewhere.example>");
    world_to(world, "<chen@ministry.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);
    g_assert_cmpint(world_recipient(decision, "gu@agency.gov.cn")->verdict, ==, VERDICT_DELIVER);
    g_assert_cmpint(world_recipient(decision, "x@elsewhere.example")->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(world_recipient(decision, "x@elsewhere.example")->leading->id, ==, REASON_ENCRYPTED);
    g_assert_cmpint(world_recipient(decision, "chen@ministry.gov.cn")->verdict, ==, VERDICT_REFUSE);

    /* what `undecidable` lets pass unread, it lets pass to them, too */
    struct undecidable_line *line = g_ptr_array_index(world->policy->undecidable, 0);
    line->causes = UNDECIDABLE_ENCRYPTED;
    line->scheme = schemes_home(world->schemes);
    line->up_to = world_level(world, "公开");
    line->outcome.kind = OUTCOME_DELIVER;
    g_autoptr(decision) unread = world_decide(world);
    g_assert_cmpint(unread->verdict, ==, VERDICT_DELIVER);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/inspection/findings", test_findings);
    g_test_add_func("/inspection/harmless-finding", test_harmless_finding);
    g_test_add_func("/inspection/deliver-unread", test_deliver_unread);
    g_test_add_func("/inspection/deliver-one-of-two", test_deliver_one_of_two);
    g_test_add_func("/inspection/persistent-never-defers", test_persistent_never_defers);
    g_test_add_func("/inspection/no-facts", test_no_facts);
    g_test_add_func("/inspection/no-facts-no-level", test_no_facts_no_level);
    g_test_add_func("/inspection/transient-refused", test_transient_refused);
    g_test_add_func("/inspection/encrypted-counts", test_encrypted_counts);
    g_test_add_func("/inspection/encrypted-for-others", test_encrypted_for_others);
    return g_test_run();
}
