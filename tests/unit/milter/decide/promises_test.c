/*
 * What a decision promises for each recipient: the invariants 9–13, 15, 16, 19 and 23 of semantics.md 13 as
 * far as decide can show them, and the table of its section 12, over drawn worlds (tests/support/draw.h).
 * Each was seen to fail with a bug planted for it.
 */
#include "milter/decide/verdict.h"
#include "tests/support/draw.h"

static gboolean is_local(const struct world *world, const struct decision *decision)
{
    return world->session.role == ROLE_LOCAL || decision->sender.zone == world->zones->local;
}

/* 9. Who is left on the message passes every check. */
static void assert_cleared(const struct decision *decision, const struct decided_recipient *recipient)
{
    g_assert_cmpint(recipient->verdict, ==, VERDICT_DELIVER);
    for (enum check_id check = CHECK_VISIBLE; check <= CHECK_RULES; check++)
        g_assert_cmpint(world_recipient_line(recipient, check)->answer, ==, CHECK_PERMIT);
    for (enum check_id check = CHECK_ENVELOPE; check <= CHECK_THREAD; check++)
        g_assert_cmpint(world_message_line(decision, check)->answer, ==, CHECK_PERMIT);
}

static gboolean never_notifies(const struct decided_recipient *recipient)
{
    for (guint i = 0; i < recipient->forms->len; i++)
        if (g_strcmp0(((const struct envelope_recipient *)g_ptr_array_index(recipient->forms, i))->notify,
                      "NEVER") != 0)
            return FALSE;
    return TRUE;
}

/* 10. After a 2xx each recipient is left, held, refused and told, settled, or kept as a local refusal. */
static void assert_fate_taken(struct world *world, const struct decision *decision,
                              const struct decided_recipient *recipient)
{
    switch (recipient->fate) {
    case FATE_STAYS:
        g_assert_cmpint(decision->act, ==, ACT_ACCEPT);
        assert_cleared(decision, recipient);
        break;
    case FATE_HELD:
        g_assert_nonnull(recipient->queue);
        g_assert_nonnull(world->conf->key_file);
        g_assert_nonnull(world->conf->release_through);
        break;
    case FATE_REFUSED:
        g_assert_true(decision->sender.told && world->conf->release_through != NULL);
        g_assert_true(decision->tells || never_notifies(recipient));
        break;
    case FATE_SETTLED:
        g_assert_cmpint(recipient->past->state, ==, PAST_SETTLED);
        break;
    case FATE_KEPT:
        g_assert_true(is_local(world, decision) && decision->keeps_copy && world->conf->key_file != NULL);
        break;
    case FATE_DEFERRED:
        g_assert_not_reached();
    }
}

/* After a 4xx or 5xx nobody's copy is here but those that were before. */
static void assert_fate_returned(const struct decision *decision, const struct decided_recipient *recipient)
{
    if (recipient->fate == FATE_SETTLED)
        g_assert_cmpint(recipient->past->state, ==, PAST_SETTLED);
    else if (recipient->fate == FATE_HELD)
        g_assert_cmpint(recipient->past->state, ==, PAST_HELD);
    else
        g_assert_cmpint(recipient->fate, ==, decision->act == ACT_REFUSE ? FATE_REFUSED : FATE_DEFERRED);
}

/* 9–11. Nobody is lost or gets what is not for them, never all taken off with an accept, never a 5xx on the
 * local socket. */
static void outcome(struct world *world)
{
    g_autoptr(decision) decision = world_decide(world);
    gboolean taken = decision->act == ACT_ACCEPT || decision->act == ACT_DISCARD;
    guint stay = 0;

    g_assert_true(taken == (decision->reply.code / 100 == 2));
    g_assert_true((decision->act == ACT_REFUSE) == (decision->reply.code / 100 == 5));
    g_assert_false(is_local(world, decision) && decision->act == ACT_REFUSE);
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = world_recipient_at(decision, i);
        if (taken)
            assert_fate_taken(world, decision, recipient);
        else
            assert_fate_returned(decision, recipient);
        stay += recipient->fate == FATE_STAYS;
    }
    g_assert_true((stay > 0) == (decision->act == ACT_ACCEPT));
    if (taken && (stay < decision->recipients->len || decision->archives->len > 0))
        g_assert_true(decision_is_recorded(decision));
}

/* The past that a store would tell after this decision: what it promised is kept, what it put off is
 * remembered. */
static void remember(struct world *world, const struct decision *decision, gboolean settled)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = world_recipient_at(decision, i);
        const char *canonical = recipient->first->address->canonical;

        if (recipient->fate == FATE_HELD)
            past_set(world->past, canonical,
                     (struct past_entry){.state = settled ? PAST_SETTLED : PAST_HELD, .hold = 8});
        else if (recipient->fate == FATE_DEFERRED && recipient->past->state == PAST_NOTHING)
            past_set(world->past, canonical,
                     (struct past_entry){.state = PAST_DEFERRED,
                                         .own_since_s = decision->own_trouble ? world->now : 0});
    }
}

/* Who was held has that fate now, whatever is known today; a settled one is not judged again. */
static void assert_kept(const struct decision *first, const struct decision *now, enum fate fate)
{
    for (guint i = 0; i < first->recipients->len; i++) {
        const struct decided_recipient *recipient = world_recipient_at(now, i);
        if (world_recipient_at(first, i)->fate != FATE_HELD || recipient->verdict == VERDICT_REFUSE)
            continue;
        g_assert_cmpint(recipient->fate, ==, fate);
        if (fate == FATE_SETTLED)
            g_assert_null(recipient->leading);
    }
}

/* 12, 13. The same message again after a crash: the same outcome, and nothing is held twice. Released in the
 * meantime: settled. */
static void again(struct world *world)
{
    g_autoptr(decision) first = world_decide(world);

    if (first->act == ACT_REFUSE)
        return; /* the client has been told; nothing was kept */
    remember(world, first, FALSE);
    g_autoptr(decision) second = world_decide(world);
    g_assert_cmpint(second->act, ==, first->act);
    g_assert_false(second->holds);
    g_assert_true(second->tells == first->tells);
    for (guint i = 0; i < first->recipients->len; i++)
        g_assert_cmpint(world_recipient_at(second, i)->fate, ==, world_recipient_at(first, i)->fate);

    g_hash_table_add(world->down, g_strdup("*"));
    g_autoptr(decision) outage = world_decide(world);
    assert_kept(first, outage, FATE_HELD);
    g_hash_table_remove(world->down, "*");

    remember(world, first, TRUE);
    g_autoptr(decision) third = world_decide(world);
    assert_kept(first, third, FATE_SETTLED);
    g_assert_false(third->holds);
    for (guint i = 0; i < third->recipients->len; i++)
        if (recipient_is_settled(world_recipient_at(third, i)))
            g_assert_cmpint(world_recipient_at(third, i)->verdict, ==, VERDICT_DELIVER);
}

/* 15. Time alone never leads to deliver (nobody's clearance begins in these worlds). */
static void time_alone(struct world *world)
{
    g_autoptr(decision) before = world_decide(world);
    world->now += 3600 * (gint64)g_test_rand_int_range(1, 10000);
    g_autoptr(decision) after = world_decide(world);

    for (guint i = 0; i < before->recipients->len; i++)
        if (!world_is_delivered(world_recipient_at(before, i)))
            g_assert_false(world_is_delivered(world_recipient_at(after, i)));
}

/* 16. What is kept for somebody to look at is asked for system high unless E is known from below; 3.7:
 * bounces of what is above L0 carry fields only. */
static void unknown_is_high(struct world *world)
{
    const struct scheme *home = schemes_home(world->schemes);
    g_autoptr(decision) decision = world_decide(world);
    g_autoptr(label) lowest = label_new(home, scheme_lowest(home));
    const struct effective *label = decision->label;

    g_assert_true(decision->system_high || label != NULL);
    if (label == NULL)
        return;
    g_assert_true(decision->system_high || (label->invalid == NULL && label->unmapped == NULL));
    for (guint i = 0; i < label->effective->labels->len; i++)
        g_assert_true(decision->headers_only ||
                      label_dominates(lowest, FALSE, g_ptr_array_index(label->effective->labels, i)));
}

/* 19. Nobody without an address of their own is told, and nothing is told twice: a 5xx says it itself unless
 * its words are lost. */
static void notices(struct world *world)
{
    g_autoptr(decision) decision = world_decide(world);

    if (!decision->tells)
        return;
    g_assert_true(decision->sender.class == SENDER_PERSON || decision->sender.class == SENDER_PEER);
    g_assert_cmpint(world->envelope->sender->form, !=, ADDRESS_NULL);
    g_assert_cmpint(decision->act, !=, ACT_DEFER);
    g_assert_nonnull(decision->leading);
}

/* 23. A token from elsewhere is taken off, whatever is decided. */
static void forged_token(struct world *world)
{
    g_autoptr(decision) decision = world_decide(world);
    gboolean there = world->facts != NULL && facts_field_count(world->facts, "X-Miji-Release") > 0;

    g_assert_true(decision->forged_token == there);
    g_assert_true(world_has_reason(decision->reasons, REASON_FORGED_TOKEN) == there);
}

/* Taken from the client, and somebody has it or waits for it. */
static gboolean goes_on_or_waits(const struct decision *decision)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        enum fate fate = world_recipient_at(decision, i)->fate;
        if (decision->reply.code / 100 == 2 && (fate == FATE_STAYS || fate == FATE_HELD))
            return TRUE;
    }
    return FALSE;
}

/* 12 of semantics.md: that is archived, by level with what may be above it; nothing else is. */
static void archives(struct world *world)
{
    const struct scheme *home = schemes_home(world->schemes);
    g_autoptr(decision) decision = world_decide(world);
    const struct label *label =
        decision->label != NULL ? label_set_of(decision->label->effective, home) : NULL;

    for (guint i = 0; i < world->conf->archives->len; i++) {
        struct archive *archive = g_ptr_array_index(world->conf->archives, i);
        gboolean taken = g_ptr_array_find(decision->archives, archive, NULL);

        if (archive->takes == TAKES_BY_RULES || !goes_on_or_waits(decision))
            g_assert_false(taken);
        else if (archive->takes == TAKES_EVERYTHING || decision->label == NULL ||
                 (label != NULL && label->level->rank >= archive->level->rank))
            g_assert_true(taken);
    }
}

static const struct {
    const char *path;
    void (*test)(struct world *);
} promises[] = {
    {"/promises/9-11/outcome", outcome},     {"/promises/12+13/again", again},
    {"/promises/15/time-alone", time_alone}, {"/promises/16/unknown-is-high", unknown_is_high},
    {"/promises/19/notices", notices},       {"/promises/23/forged-token", forged_token},
    {"/promises/archives", archives},
};

static void run_one(gconstpointer test)
{
    draw_each_world(*(void (*const *)(struct world *))test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (guint i = 0; i < G_N_ELEMENTS(promises); i++)
        g_test_add_data_func(promises[i].path, &promises[i].test, run_one);
    return g_test_run();
}
