/*
 * The invariants of semantics.md 13 that hold without rules and threads, as far as decide can show them: 1–5,
 * 8, 17, 18, 20, 22, 24, 25, over drawn worlds (tests/support/draw.h). Each was seen to fail with a bug
 * planted for it.
 */
#include <string.h>

#include "tests/support/draw.h"

/* 1. Adding a recipient never weakens another's verdict, and changes it only under `refuse all` or by a
 * strange address. */
static void add_recipient(struct world *world)
{
    g_autoptr(decision) before = world_decide(world);
    draw_recipient(world);
    g_autoptr(decision) after = world_decide(world);
    gboolean one_more = after->recipients->len > before->recipients->len;
    gboolean strange = world_has_reason(after->reasons, REASON_STRANGE_ADDRESS) !=
                       world_has_reason(before->reasons, REASON_STRANGE_ADDRESS);

    for (guint i = 0; i < before->recipients->len; i++) {
        const struct decided_recipient *a = world_recipient_at(before, i), *b = world_recipient_at(after, i);
        g_assert_cmpint(b->verdict, >=, a->verdict);
        if (!one_more || strange || world->policy->refuse_all)
            continue;
        g_assert_cmpint(b->verdict, ==, a->verdict);
        if (a->verdict != VERDICT_REFUSE) /* `outside mixed hold refused` keeps it, refused all the same */
            g_assert_cmpstr(b->queue, ==, a->queue);
        if (a->leading != NULL)
            g_assert_cmpint(b->leading->id, ==, a->leading->id);
    }
}

/* Checks 2, 5, 6, 11, 12: what did not permit does not permit afterwards. */
static void assert_no_opening(const struct decision *before, const struct decision *after)
{
    static const enum check_id checks[] = {CHECK_ZONE_ORIGIN, CHECK_ORIGINATE, CHECK_RETURN_PATH};

    for (guint i = 0; i < G_N_ELEMENTS(checks); i++)
        if (world_message_line(before, checks[i])->answer != CHECK_PERMIT)
            g_assert_cmpint(world_message_line(after, checks[i])->answer, !=, CHECK_PERMIT);
    for (guint i = 0; i < before->recipients->len; i++)
        for (enum check_id check = CHECK_RECIPIENT; check <= CHECK_ZONE_RECIPIENT; check++)
            if (world_recipient_line(world_recipient_at(before, i), check)->answer != CHECK_PERMIT)
                g_assert_cmpint(world_recipient_line(world_recipient_at(after, i), check)->answer, !=,
                                CHECK_PERMIT);
}

static enum place_kind drawn_place(void)
{
    static const enum place_kind kinds[] = {PLACE_FIELD, PLACE_SUBJECT, PLACE_LINE, PLACE_PART_TEXT};

    return kinds[g_test_rand_int_range(0, G_N_ELEMENTS(kinds))];
}

/* 2. Raising E opens none of the checks that ask for it. A label that was not there is not raised but found:
 * only what is labelled counts. */
static void raise_label(struct world *world)
{
    if (world->facts == NULL)
        return;
    g_autoptr(decision) before = world_decide(world);
    if (!before->label->labelled)
        return;
    draw_claim(world, drawn_place());
    g_autoptr(decision) after = world_decide(world);
    assert_no_opening(before, after);
}

static gboolean dominates(const struct world *world, const struct person *person, const struct label_set *set)
{
    const struct label *which;

    return clearances_check_set(person->clearances, person->clearance_unreadable != NULL, world->schemes, set,
                                world->now, &which) == CLEARED_YES;
}

/* 3. Adding a claim never widens the set of people who dominate E. */
static void add_claim(struct world *world)
{
    if (world->facts == NULL)
        return;
    g_autoptr(decision) before = world_decide(world);
    draw_claim(world, drawn_place());
    g_autoptr(decision) after = world_decide(world);
    if (before->label->assumed && !after->label->assumed)
        return; /* an assumption gives way to what is written */
    for (guint i = 0; i < world->people->len; i++) {
        const struct person *person = g_ptr_array_index(world->people, i);
        if (dominates(world, person, after->label->effective))
            g_assert_true(dominates(world, person, before->label->effective));
    }
}

/* 4. Replacing a known input by unknown never turns non-deliver into deliver … */
static void assert_not_weaker_than_stopped(const struct decision *before, const struct decision *after)
{
    for (guint i = 0; i < before->recipients->len; i++)
        if (!world_is_delivered(world_recipient_at(before, i)))
            g_assert_false(world_is_delivered(world_recipient_at(after, i)));
}

/* … and deliver stays deliver only for those about whom nothing became unknown. */
static void ask_in_vain(struct world *world)
{
    static const char *const values[] = {
        "p0", "p1", "p0@agency.gov.cn", "p1@agency.gov.cn", "unknown@agency.gov.cn", "x@elsewhere.example"};
    const char *value = values[g_test_rand_int_range(0, G_N_ELEMENTS(values))];
    g_autoptr(decision) before = world_decide(world);
    g_hash_table_add(world->down, g_strdup(value));
    g_autoptr(decision) after = world_decide(world);

    assert_not_weaker_than_stopped(before, after);
    for (guint i = 0; i < after->recipients->len; i++)
        if (strcmp(world_recipient_at(after, i)->first->address->canonical, value) == 0)
            g_assert_false(world_is_delivered(world_recipient_at(after, i)));
    if (world->session.role == ROLE_SMTP && g_strcmp0(world->session.login, value) == 0 &&
        before->sender.class == SENDER_PERSON)
        for (guint i = 0; i < after->recipients->len; i++)
            g_assert_false(world_is_delivered(world_recipient_at(after, i)));
}

static void read_in_vain(struct world *world)
{
    static const enum facts_state states[] = {FACTS_NONE_TRANSIENT, FACTS_NONE_PERSISTENT, FACTS_NONE_BUSY};
    g_autoptr(decision) before = world_decide(world);

    if (world->facts != NULL && draw_once_in(2)) {
        world_finding(world, FINDING_ENCRYPTED, 2);
        g_autoptr(decision) after = world_decide(world);
        assert_not_weaker_than_stopped(before, after);
        return;
    }
    world_no_facts(world, states[g_test_rand_int_range(0, G_N_ELEMENTS(states))]);
    g_autoptr(decision) none = world_decide(world);
    for (guint i = 0; i < none->recipients->len; i++)
        g_assert_false(world_is_delivered(world_recipient_at(none, i)));
}

/* 5. Lowering a clearance or a zone's limit opens nothing. */
static void lower(struct world *world)
{
    g_autoptr(decision) before = world_decide(world);
    const struct level *lowest = scheme_lowest(schemes_home(world->schemes));

    if (draw_once_in(2)) {
        struct person *person =
            g_ptr_array_index(world->people, g_test_rand_int_range(0, (gint32)world->people->len));
        for (guint i = 0; i < person->clearances->len; i++)
            ((struct clearance *)g_ptr_array_index(person->clearances, i))->label->level = lowest;
    } else {
        struct zone *zone =
            g_ptr_array_index(world->zones->list, g_test_rand_int_range(0, (gint32)world->zones->list->len));
        ((struct zone_limit *)g_ptr_array_index(zone->limits, 0))->label->level = lowest;
    }
    g_autoptr(decision) after = world_decide(world);
    assert_no_opening(before, after);
}

/* 5, second sentence: without login and certificate nothing above L0 is delivered, but from a peer or a
 * device. */
static void anonymous(struct world *world)
{
    const struct scheme *home = schemes_home(world->schemes);
    gboolean named = world->session.login != NULL || world->session.cert_subject != NULL;
    g_autoptr(decision) decision = world_decide(world);
    g_autoptr(label) lowest = label_new(home, scheme_lowest(home));

    if (named || decision->act != ACT_ACCEPT || decision->sender.class != SENDER_OUTSIDE ||
        networks_contain(decision->sender.zone->peers, world->session.client))
        return;
    for (guint i = 0; i < decision->label->effective->labels->len; i++)
        g_assert_true(
            label_dominates(lowest, FALSE, g_ptr_array_index(decision->label->effective->labels, i)));
}

static char *everything(struct world *world)
{
    struct inputs inputs = world_inputs(world);
    g_autoptr(decision) decision = decide(&inputs, "abc234");
    g_autofree char *json = decision_json(decision, &inputs, LANGUAGE_ZH);
    g_autofree char *page = decision_explain(decision, &inputs, LANGUAGE_EN);
    g_autofree char *line = decision_log(decision, &inputs);

    return g_strconcat(json, page, line, NULL);
}

/* 8, 24. Same inputs, same decision, byte for byte; another query over another directory of the same people
 * changes nothing. */
static void twice(struct world *world)
{
    world->explain = TRUE;
    g_autofree char *first = everything(world), *second = everything(world);
    g_assert_cmpstr(first, ==, second);
}

/* 17. No byte of subject, body or a mark that is not understood in a reply or log line; a reply is one line
 * of ASCII. */
static void silence(struct world *world)
{
    struct inputs inputs = world_inputs(world);
    g_autoptr(decision) decision = decide(&inputs, "abc234");
    g_autofree char *line = decision_log(decision, &inputs);

    g_assert_null(strstr(line, DRAW_CANARY));
    g_assert_null(strstr(decision->reply.text, DRAW_CANARY));
    g_assert_cmpuint(strlen(decision->reply.text) + strlen(decision->reply.dsn) + strlen("550  \r\n"), <=,
                     512);
    for (const char *p = decision->reply.text; *p != '\0'; p++)
        g_assert_true(*p >= ' ' && *p <= '~');
}

/* 18. Outsiders above what their zone carries cannot tell who is cleared, nor who exists. */
static void oracle(struct world *world)
{
    g_autoptr(decision) before = world_decide(world);

    if (before->sender.class != SENDER_OUTSIDE ||
        world_message_line(before, CHECK_ZONE_ORIGIN)->answer != CHECK_DENY)
        return;
    draw_clearances(world);
    if (draw_once_in(2))
        g_ptr_array_remove_index(world->people, (guint)g_test_rand_int_range(2, (gint32)world->people->len));
    g_autoptr(decision) after = world_decide(world);
    g_assert_cmpuint(before->reply.code, ==, after->reply.code);
    g_assert_cmpstr(before->reply.dsn, ==, after->reply.dsn);
    g_assert_cmpstr(before->reply.text, ==, after->reply.text);
}

/* 20. Persistent unknown never gives defer, transient unknown never gives hold before `defer at most`. */
static void kinds_of_unknown(struct world *world)
{
    g_autoptr(decision) decision = world_decide(world);

    for (guint i = 0; i < decision->recipients->len && !world->policy->refuse_all; i++) {
        const struct decided_recipient *recipient = world_recipient_at(decision, i);
        if (recipient->verdict == VERDICT_DEFER)
            g_assert_cmpint(recipient->leading->answer, !=, CHECK_UNKNOWN_PERSISTENT);
        if (recipient->verdict != VERDICT_HOLD || recipient->leading->answer != CHECK_UNKNOWN_TRANSIENT)
            continue;
        if (recipient->past->state == PAST_HELD)
            continue; /* the hold that is open answers */
        g_assert_cmpint(recipient->past->state, ==, PAST_DEFERRED);
        g_assert_cmpint(recipient->past->own_since_s, >, 0);
        g_assert_cmpint(world->now - recipient->past->own_since_s, >=, 4 * 3600);
    }
}

/* 22. Nothing that a stranger sends makes a message labelled or an identity own. */
static void stranger(struct world *world)
{
    g_autoptr(decision) decision = world_decide(world);

    if (decision->sender.class != SENDER_OUTSIDE)
        return;
    g_assert_null(decision->sender.person);
    g_assert_false(decision->sender.told);
    if (decision->label != NULL)
        g_assert_false(decision->label->labelled);
}

/* 25. What a zone requires never selects it: without TLS the same zone answers, and nobody gets what was
 * stopped before. */
static void without_tls(struct world *world)
{
    g_autoptr(decision) before = world_decide(world);
    world->session.tls = 0;
    g_autoptr(decision) after = world_decide(world);

    g_assert_true(after->sender.zone == before->sender.zone);
    for (guint i = 0; i < before->recipients->len; i++)
        g_assert_cmpint(world_recipient_at(after, i)->verdict, >=, world_recipient_at(before, i)->verdict);
}

static const struct {
    const char *path;
    void (*test)(struct world *);
} invariants[] = {
    {"/invariants/1/add-recipient", add_recipient},
    {"/invariants/2/raise-label", raise_label},
    {"/invariants/3/add-claim", add_claim},
    {"/invariants/4/ask-in-vain", ask_in_vain},
    {"/invariants/4/read-in-vain", read_in_vain},
    {"/invariants/5/lower", lower},
    {"/invariants/5/anonymous", anonymous},
    {"/invariants/8+24/twice", twice},
    {"/invariants/17/silence", silence},
    {"/invariants/18/oracle", oracle},
    {"/invariants/20/kinds-of-unknown", kinds_of_unknown},
    {"/invariants/22/stranger", stranger},
    {"/invariants/25/without-tls", without_tls},
};

static void run_one(gconstpointer test)
{
    draw_each_world(*(void (*const *)(struct world *))test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (guint i = 0; i < G_N_ELEMENTS(invariants); i++)
        g_test_add_data_func(invariants[i].path, &invariants[i].test, run_one);
    return g_test_run();
}
