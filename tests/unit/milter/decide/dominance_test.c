/* A clock that cannot be believed: what holds for a time only is not known now (semantics.md 1). */
#include "tests/support/world.h"

static const struct {
    const char *clearances, *level;
    enum verdict verdict; /* of mail with that level to somebody so cleared, with the clock in doubt */
    enum reason_id reason;
} rows[] = {
    {"机密", "机密", VERDICT_DELIVER, 0},
    {"内部", "机密", VERDICT_REFUSE, REASON_NOT_CLEARED},
    {"机密 until 2030-01-01", "机密", VERDICT_DEFER, REASON_CLOCK_DOUBTFUL},
    {"机密 until 2020-01-01", "机密", VERDICT_DEFER, REASON_CLOCK_DOUBTFUL},
    {"机密 from 2020-01-01", "机密", VERDICT_DEFER, REASON_CLOCK_DOUBTFUL},
    {"内部 until 2030-01-01", "机密", VERDICT_REFUSE, REASON_NOT_CLEARED},
    {"机密|绝密 until 2030-01-01", "机密", VERDICT_DELIVER, 0},
    {"内部|机密 until 2030-01-01", "机密", VERDICT_DEFER, REASON_CLOCK_DOUBTFUL},
    {"机密|绝密 from 2028-01-01", "机密", VERDICT_DEFER, REASON_CLOCK_DOUBTFUL},
    {"机密|内部|绝密 until 2030-01-01", "机密", VERDICT_DEFER, REASON_CLOCK_DOUBTFUL},
    {"内部 until 2020-01-01", "公开", VERDICT_DELIVER, 0},
};

static void test_doubtful(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_clear_person(world, world_find(world, "mi"), rows[i].clearances);
        world->clock_doubtful = TRUE;
        world_usual(world, rows[i].level);
        world_to(world, "mi@agency.gov.cn");
        g_autoptr(decision) decision = world_decide(world);
        g_test_message("%s for %s", rows[i].clearances, rows[i].level);
        g_assert_cmpint(decision->verdict, ==, rows[i].verdict);
        if (decision->leading != NULL)
            g_assert_cmpint(decision->leading->id, ==, rows[i].reason);
        g_assert_false(decision->own_trouble); /* no clock of ours runs by a clock in doubt */
        if (rows[i].verdict == VERDICT_DEFER)
            g_assert_cmpuint(decision->reply.code, ==, 451);
    }
}

/* Who sends, too: checks 5 and 6. */
static void test_doubtful_sender(void)
{
    g_autoptr(world) world = world_new();
    world_clear_person(world, world_find(world, "bo"), "内部|机密 until 2030-01-01");
    world_usual(world, "机密");
    world_to(world, "an@agency.gov.cn");
    g_autoptr(decision) before = world_decide(world);
    g_assert_cmpint(before->verdict, ==, VERDICT_DELIVER);
    world->clock_doubtful = TRUE;
    g_autoptr(decision) doubtful = world_decide(world);
    g_assert_cmpint(doubtful->verdict, ==, VERDICT_DEFER);
    g_assert_cmpint(doubtful->leading->id, ==, REASON_CLOCK_DOUBTFUL);
    g_assert_cmpint(doubtful->leading->check, ==, CHECK_ORIGINATE);
}

/* What is recorded in conflict stays so, whatever the clock says. */
static void test_in_conflict(void)
{
    g_autoptr(world) world = world_new();
    world_add_queue(world, "first");
    world_clear_person(world, world_find(world, "mi"), "机密|秘密");
    world->clock_doubtful = TRUE;
    world_usual(world, "机密");
    world_to(world, "mi@agency.gov.cn");
    g_autoptr(decision) decision = world_decide(world);
    g_assert_cmpint(decision->verdict, ==, VERDICT_HOLD);
    g_assert_cmpint(decision->leading->id, ==, REASON_CLEARANCE_AMBIGUOUS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/dominance/clock-doubtful", test_doubtful);
    g_test_add_func("/dominance/clock-doubtful-sender", test_doubtful_sender);
    g_test_add_func("/dominance/in-conflict", test_in_conflict);
    return g_test_run();
}
