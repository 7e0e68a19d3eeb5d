/* The whole table of semantics.md 7.2: every mixture of verdicts for every kind of sender. */
#include <string.h>

#include "tests/support/mixture.h"

/*
 * For each mixture, counted in binary, D H DH F DF HF DHF R DR HR DHR FR DFR HFR DHFR: the act (a accept, x
 * discard, r refuse, d defer), then the fate of each recipient (s stays, h held, r refused, d deferred, k
 * kept).
 */
#define TOLD "as xh ash dd ddd ddd dddd rr asr xhr ashr ddd dddd dddd ddddd"
#define UNTOLD "as xh ash dd ddd ddd dddd rr rrr rrr rrrr rrr rrrr rrrr rrrrr"
#define ALL "as xh xhh dd ddd ddd dddd rr rrr rrr rrrr rrr rrrr rrrr rrrrr"
static const struct {
    const char *name;
    void (*from)(struct world *);
    const char *split, *all; /* some recipients not cleared split | refuse all */
    gboolean holds_nothing, holds_refused;
} rows[] = {
    {"person", mixture_from_person, TOLD, ALL, FALSE, FALSE},
    {"person, null sender", mixture_from_person_null, UNTOLD, ALL, FALSE, FALSE},
    {"peer", mixture_from_peer, TOLD, ALL, FALSE, FALSE},
    {"outside", mixture_from_outside, UNTOLD, ALL, FALSE, FALSE},
    {"outside, hold refused", mixture_from_outside_holding,
     "as xh ash dd ddd ddd dddd rr ash xhh ashh rrr dddd dddd ddddd", ALL, FALSE, TRUE},
    {"device", mixture_from_device, UNTOLD, ALL, FALSE, FALSE},
    {"local", mixture_from_local, "as xh ash dd ddd ddd dddd xk xkk xkk xkkk xkk xkkk xkkk xkkkk",
     "as xh xhh dd ddd ddd dddd xk xkk xkk xkkk xkk xkkk xkkk xkkkk", FALSE, FALSE},
    {"local, nothing is kept", mixture_from_local_keyless,
     "as dd ddd dd ddd ddd dddd dd ddd ddd dddd ddd dddd dddd ddddd",
     "as dd ddd dd ddd ddd dddd dd ddd ddd dddd ddd dddd dddd ddddd", TRUE, FALSE},
    {"person, no way out", mixture_from_person_mute,
     "as rr rrr dd ddd ddd dddd rr rrr rrr rrrr ddd dddd dddd ddddd",
     "as rr rrr dd ddd rrr rrrr rr rrr rrr rrrr rrr rrrr rrrr rrrrr", TRUE, FALSE},
};

static struct decision *decide_mixture(struct world *world, guint row, int mixture, gboolean all)
{
    mixture_add_queue(world);
    world->policy->refuse_all = all;
    rows[row].from(world);
    for (guint i = 0; i < MIXTURE_PARTS; i++)
        if (mixture & mixture_parts[i].part)
            world_to(world, mixture_parts[i].to);
    return world_decide(world);
}

/* Each by itself, as the table's letters call them. */
static enum verdict verdict_alone(guint row, int part)
{
    for (guint i = 0; i < MIXTURE_PARTS; i++) {
        if (mixture_parts[i].part != part)
            continue;
        if (part == H && rows[row].holds_nothing)
            return VERDICT_REFUSE;
        return mixture_parts[i].verdict;
    }
    g_assert_not_reached();
}

/* Every recipient its own verdict; with `refuse all` everybody the strictest. */
static void assert_verdicts(const struct decision *decision, guint row, int mixture, gboolean all)
{
    enum verdict strictest = VERDICT_DELIVER;

    for (guint i = 0; i < MIXTURE_PARTS; i++)
        if (mixture & mixture_parts[i].part)
            strictest = MAX(strictest, verdict_alone(row, mixture_parts[i].part));
    g_assert_cmpint(decision->verdict, ==, strictest);
    for (guint i = 0; i < MIXTURE_PARTS; i++) {
        if ((mixture & mixture_parts[i].part) == 0)
            continue;
        const struct decided_recipient *recipient = world_recipient(decision, mixture_parts[i].to);
        g_assert_cmpint(recipient->verdict, ==, all ? strictest : verdict_alone(row, mixture_parts[i].part));
        g_assert_true((recipient->leading == NULL) == (recipient->verdict == VERDICT_DELIVER));
        gboolean held_refused = rows[row].holds_refused && recipient->verdict == VERDICT_REFUSE && !all &&
                                (mixture & (D | H)) != 0;
        g_assert_true((recipient->queue != NULL) == (recipient->verdict == VERDICT_HOLD || held_refused));
    }
}

static void assert_reply(const struct decision *decision)
{
    static const guint digits[] = {[ACT_ACCEPT] = 2, [ACT_DISCARD] = 2, [ACT_REFUSE] = 5, [ACT_DEFER] = 4};
    guint digit = digits[decision->act];

    g_assert_cmpuint(decision->reply.code / 100, ==, digit);
    g_assert_cmpint(decision->reply.dsn[0] - '0', ==, (int)digit);
    g_assert_true((decision->leading == NULL) == (decision->verdict == VERDICT_DELIVER));
    if (digit != 2)
        g_assert_true(g_str_has_suffix(decision->reply.text, "[MIJI-abc234]"));
}

/* What stands in the outcome's letters, once more as flags. */
static void assert_flags(const struct decision *decision, const char *expected)
{
    g_assert_true(decision->holds == (strchr(expected + 1, 'h') != NULL));
    g_assert_true(decision->keeps_copy == (strchr(expected + 1, 'k') != NULL));
    g_assert_true(decision_is_recorded(decision) == (expected[0] != 'd' && strcmp(expected, "as") != 0));
    g_assert_true(decision->own_trouble ==
                  (expected[0] == 'd' && decision->leading->id == REASON_DIRECTORY_UNAVAILABLE));
}

static void test_table(void)
{
    for (guint row = 0; row < G_N_ELEMENTS(rows); row++)
        for (int all = 0; all < 2; all++) {
            g_auto(GStrv) expected = g_strsplit(all ? rows[row].all : rows[row].split, " ", -1);

            g_assert_cmpuint(g_strv_length(expected), ==, MIXTURES - 1);
            for (int mixture = 1; mixture < MIXTURES; mixture++) {
                g_autoptr(world) world = world_new();
                g_autoptr(decision) decision = decide_mixture(world, row, mixture, all);
                g_autofree char *outcome = mixture_outcome(decision);

                g_test_message("%s, mixture %d, refuse all %d", rows[row].name, mixture, all);
                g_assert_cmpstr(outcome, ==, expected[mixture - 1]);
                assert_verdicts(decision, row, mixture, all);
                assert_reply(decision);
                assert_flags(decision, expected[mixture - 1]);
            }
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

/* No queue: a default of hold is a refusal (semantics.md 8). Where nothing can be kept, or released, so is
 * every hold. */
static void test_hold_impossible(void)
{
    for (int lacks = 0; lacks < 4; lacks++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "公开");
        world_text(world, PLACE_SUBJECT, 0, "【内部】通知");
        world_to(world, "an@agency.gov.cn");
        if (lacks != 1)
            world_add_queue(world, "first");
        if (lacks == 2)
            g_clear_pointer(&world->conf->key_file, g_free);
        if (lacks == 3)
            g_clear_pointer(&world->conf->release_through, g_free);
        g_autoptr(decision) decision = world_decide(world);
        g_assert_cmpint(decision->leading->id, ==, REASON_LABEL_CONFLICT);
        g_assert_cmpint(decision->verdict, ==, lacks == 0 ? VERDICT_HOLD : VERDICT_REFUSE);
        g_assert_cmpint(decision->act, ==, lacks == 0 ? ACT_DISCARD : ACT_REFUSE);
        g_assert_cmpstr(world_recipient(decision, "an@agency.gov.cn")->queue, ==,
                        lacks == 0 ? "first" : NULL);
    }
}

/* From this host and to nobody, as no Postfix does: it stays where it is. */
static void test_nobody(void)
{
    g_autoptr(world) world = world_new();
    mixture_from_local(world);
    g_autoptr(decision) local = world_decide(world);
    g_assert_cmpint(local->act, ==, ACT_DEFER);
    g_assert_cmpint(local->leading->id, ==, REASON_NO_RECIPIENT);
    world_new_message(world);
    mixture_from_person(world);
    g_autoptr(decision) person = world_decide(world);
    g_assert_cmpint(person->act, ==, ACT_REFUSE);
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
    g_test_add_func("/combine/hold-impossible", test_hold_impossible);
    g_test_add_func("/combine/nobody", test_nobody);
    g_test_add_func("/combine/transient-beside", test_transient_beside);
    return g_test_run();
}
