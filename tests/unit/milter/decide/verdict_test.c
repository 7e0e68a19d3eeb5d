/* One recipient with a past: what was held, settled, refused or put off before (semantics.md 7.4), and the
 * clock of what is put off (7.2.4). */
#include "tests/support/mixture.h"

static gint64 hours(gint64 count)
{
    return count * 3600;
}

/* Four of the mixture_parts, and of each what past knows: n nothing, h held, t settled, e ended, y deferred a
 * while ago, o deferred for as long as it may be. */
static void set_past(struct world *world, const char *to, char state)
{
    struct past_entry entry = {.state = PAST_NOTHING};

    switch (state) {
    case 'h':
        entry = (struct past_entry){.state = PAST_HELD, .hold = 7};
        break;
    case 't':
        entry = (struct past_entry){.state = PAST_SETTLED, .hold = 7};
        break;
    case 'e':
        entry = (struct past_entry){.state = PAST_ENDED, .hold = 7, .at_s = world->now - hours(20)};
        break;
    case 'y':
        entry = (struct past_entry){.state = PAST_DEFERRED, .own_since_s = world->now - hours(4) + 1};
        break;
    case 'o':
        entry = (struct past_entry){.state = PAST_DEFERRED, .own_since_s = world->now - hours(4)};
        break;
    default:
        break;
    }
    past_set(world->past, to, entry);
}

static const struct {
    const char *name;
    void (*from)(struct world *);
    const char *mixture_parts, *past; /* "DR", "nt": D without a past, R settled */
    const char *outcome;
    gboolean new_hold;
} pasts[] = {
    {"deliver, held: the hold ends by this", mixture_from_person, "D", "h", "as", FALSE},
    {"deliver, settled", mixture_from_person, "D", "t", "xt", FALSE},
    {"deliver, refused before", mixture_from_person, "D", "e", "rr", FALSE},
    {"deliver, deferred", mixture_from_person, "D", "o", "as", FALSE},
    {"hold, held: no second hold", mixture_from_person, "H", "h", "xh", FALSE},
    {"hold, settled", mixture_from_person, "H", "t", "xt", FALSE},
    {"hold, refused before", mixture_from_person, "H", "e", "rr", FALSE},
    {"hold, deferred", mixture_from_person, "H", "o", "xh", TRUE},
    {"defer, held: the hold answers", mixture_from_person, "F", "h", "xh", FALSE},
    {"defer, settled", mixture_from_person, "F", "t", "xt", FALSE},
    {"defer, refused before: certain", mixture_from_person, "F", "e", "rr", FALSE},
    {"defer, deferred", mixture_from_person, "F", "y", "dd", FALSE},
    {"defer, deferred long enough", mixture_from_person, "F", "o", "xh", TRUE},
    {"refuse, held: the hold ends by this", mixture_from_person, "R", "h", "rr", FALSE},
    {"refuse, settled", mixture_from_person, "R", "t", "xt", FALSE},
    {"refuse, refused before", mixture_from_person, "R", "e", "rr", FALSE},
    {"refuse, deferred", mixture_from_person, "R", "o", "rr", FALSE},
    {"settled is taken off like a hold", mixture_from_person, "DR", "nt", "ast", FALSE},
    {"settled beside a refusal", mixture_from_person, "HR", "tn", "xtr", FALSE},
    {"settled beside a deferral", mixture_from_person, "HF", "tn", "dtd", FALSE},
    {"settled beside a hold", mixture_from_person, "DH", "tn", "xth", TRUE},
    {"held and new", mixture_from_person, "DHR", "hhn", "ashr", FALSE},
    {"deferred long enough beside delivered", mixture_from_person, "DF", "oo", "ash", TRUE},
    {"deferred long enough beside refused", mixture_from_person, "FR", "oo", "xhr", TRUE},
    {"outside: settled beside a refusal", mixture_from_outside, "DR", "tn", "rtr", FALSE},
    {"outside: held beside a refusal", mixture_from_outside, "HR", "hn", "rhr", FALSE},
    {"outside: deferred long enough", mixture_from_outside, "DF", "oo", "ash", TRUE},
    {"outside: refused before beside delivered", mixture_from_outside, "DH", "ne", "rrr", FALSE},
    {"outside, hold refused: not who was refused before", mixture_from_outside_holding, "DR", "ne", "rrr",
     FALSE},
    {"outside, hold refused: settled makes a mixture", mixture_from_outside_holding, "DR", "tn", "xth", TRUE},
    {"outside, hold refused: held already", mixture_from_outside_holding, "DR", "nh", "ash", FALSE},
    {"local: settled beside a refusal", mixture_from_local, "DR", "tn", "xtk", FALSE},
    {"local: refused before", mixture_from_local, "D", "e", "xk", FALSE},
};

static gboolean is_of(const char *letters, guint i)
{
    return strchr(letters, "DHFR"[i]) != NULL;
}

static struct decision *decide_past(struct world *world, guint row)
{
    const char *past = pasts[row].past;

    mixture_add_queue(world);
    pasts[row].from(world);
    for (guint i = 0; i < MIXTURE_PARTS; i++) {
        if (!is_of(pasts[row].mixture_parts, i))
            continue;
        world_to(world, mixture_parts[i].to);
        set_past(world, mixture_parts[i].to, *past++);
    }
    return world_decide(world);
}

static void test_past(void)
{
    for (guint row = 0; row < G_N_ELEMENTS(pasts); row++) {
        g_autoptr(world) world = world_new();
        g_autoptr(decision) decision = decide_past(world, row);
        g_autofree char *outcome = mixture_outcome(decision);

        g_test_message("%s", pasts[row].name);
        g_assert_cmpstr(outcome, ==, pasts[row].outcome);
        g_assert_true(decision->holds == pasts[row].new_hold);
    }
}

/* `refuse all` does not touch who is taken care of. */
static void test_past_refuse_all(void)
{
    g_autoptr(world) world = world_new();
    mixture_add_queue(world);
    world->policy->refuse_all = TRUE;
    mixture_from_person(world);
    world_to(world, mixture_parts[0].to);
    world_to(world, mixture_parts[1].to);
    set_past(world, mixture_parts[0].to, 't');
    g_autoptr(decision) decision = world_decide(world);
    g_autofree char *outcome = mixture_outcome(decision);

    g_assert_cmpstr(outcome, ==, "xth");
    g_assert_null(world_recipient(decision, mixture_parts[0].to)->leading);
}

/* Nobody shops for another reviewer; when it was refused is told, in the time zone of the configuration. */
static void test_refused_before(void)
{
    g_autoptr(world) world = world_new();
    mixture_from_person(world);
    world->conf->time_zone = g_time_zone_new_identifier("Asia/Shanghai");
    world_to(world, mixture_parts[0].to);
    /* 2026-05-31 16:30 UTC is the next day in Beijing */
    past_set(world->past, mixture_parts[0].to,
             (struct past_entry){.state = PAST_ENDED, .at_s = G_GINT64_CONSTANT(1780245000)});
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(decision->leading->id, ==, REASON_REFUSED_BEFORE);
    g_assert_cmpuint(decision->reply.code, ==, 550);
    g_assert_cmpstr(decision->reply.text, ==, "Refused on 2026-06-01, see reference [MIJI-abc234]");
}

/* ---------------------------------------------------------------- the defer clock (7.2.4) */
/* While it is everybody's trouble, F stays F, and no clock runs. */
static void test_general_trouble(void)
{
    g_autoptr(world) world = world_new();
    mixture_add_queue(world);
    mixture_from_person(world);
    world_to(world, mixture_parts[0].to);
    world_to(world, mixture_parts[2].to);
    set_past(world, mixture_parts[2].to, 'o');
    g_hash_table_add(world->down, g_strdup("*"));
    g_autoptr(decision) outage = world_decide(world);
    g_assert_cmpint(outage->act, ==, ACT_DEFER);
    g_assert_false(outage->own_trouble);

    g_hash_table_remove_all(world->down);
    world_no_facts(world, FACTS_NONE_BUSY);
    g_autoptr(decision) busy = world_decide(world);
    g_assert_cmpint(busy->act, ==, ACT_DEFER);
    g_assert_false(busy->own_trouble);

    world_no_facts(world, FACTS_NONE_TRANSIENT);
    g_autoptr(decision) own = world_decide(world);
    g_assert_cmpint(own->act, ==, ACT_DEFER);
    g_assert_true(own->own_trouble);
}

/* Held where `undecidable` says, behind what else holds it; `defer at most` is the configuration's. */
static void test_after_waiting(void)
{
    g_autoptr(world) world = world_new();
    struct undecidable_line *line;

    mixture_add_queue(world);
    world_add_queue(world, "unreadable");
    line = policy_add_undecidable(world->policy);
    line->outcome.kind = OUTCOME_HOLD;
    line->outcome.queue = g_strdup("unreadable");
    mixture_from_person(world);
    world_to(world, mixture_parts[2].to);
    set_past(world, mixture_parts[2].to, 'o');
    g_autoptr(decision) held = world_decide(world);
    g_assert_cmpint(held->leading->id, ==, REASON_DIRECTORY_UNAVAILABLE);
    g_assert_cmpstr(world_recipient(held, mixture_parts[2].to)->queue, ==, "unreadable");

    world_text(world, PLACE_SUBJECT, 0, "【机密】计划");
    g_autoptr(decision) conflict = world_decide(world);
    g_assert_cmpint(conflict->leading->id, ==, REASON_LABEL_CONFLICT);
    g_assert_cmpstr(world_recipient(conflict, mixture_parts[2].to)->queue, ==, "labels");

    world->policy->defer_at_most_ms = hours(5) * 1000;
    g_autoptr(decision) later = world_decide(world);
    g_assert_cmpint(later->act, ==, ACT_DEFER);
}

/* `recipient not cleared defer`: what is put off by the configuration is held in the end, too. */
static void test_defer_as_configured(void)
{
    g_autoptr(world) world = world_new();
    mixture_add_queue(world);
    mixture_from_person(world);
    world->policy->recipient_not_cleared.kind = OUTCOME_DEFER;
    world_to(world, mixture_parts[3].to);
    g_autoptr(decision) first = world_decide(world);
    g_assert_cmpint(first->act, ==, ACT_DEFER);
    g_assert_true(first->own_trouble);
    set_past(world, mixture_parts[3].to, 'o');
    g_autoptr(decision) last = world_decide(world);
    g_assert_cmpint(last->act, ==, ACT_DISCARD);
    g_assert_cmpstr(world_recipient(last, mixture_parts[3].to)->queue, ==, "labels");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/verdict/past", test_past);
    g_test_add_func("/verdict/past-refuse-all", test_past_refuse_all);
    g_test_add_func("/verdict/refused-before", test_refused_before);
    g_test_add_func("/verdict/general-trouble", test_general_trouble);
    g_test_add_func("/verdict/after-waiting", test_after_waiting);
    g_test_add_func("/verdict/defer-as-configured", test_defer_as_configured);
    return g_test_run();
}
