/* What a decision asks beside its act: archives, notice, RET=HDRS, who may look (semantics.md 3.7, 7.2,
 * 9, 10.3, 12). */
#include "tests/support/mixture.h"

/* ---------------------------------------------------------------- archives */
static void add_archives(struct world *world)
{
    world_add_archive(world, "by rules", TAKES_BY_RULES, NULL);
    world_add_archive(world, "everything", TAKES_EVERYTHING, NULL);
    world_add_archive(world, "lowest", TAKES_LEVEL, "公开");
    world_add_archive(world, "secret", TAKES_LEVEL, "机密");
}

/* "everything lowest" */
static char *archives_of(const struct decision *decision)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < decision->archives->len; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? " " : "",
                               ((const struct archive *)g_ptr_array_index(decision->archives, i))->name);
    return g_string_free(names, FALSE);
}

static void test_archives_by_level(void)
{
    static const struct {
        const char *level, *archives;
    } rows[] = {
        {"公开", "everything lowest"}, {"秘密", "everything lowest"}, {"机密", "everything lowest secret"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        add_archives(world);
        world_usual(world, rows[i].level);
        world_to(world, "an@agency.gov.cn");
        g_autoptr(decision) decision = world_decide(world);
        g_autofree char *archives = archives_of(decision);
        g_assert_cmpstr(archives, ==, rows[i].archives);
        g_assert_true(decision_is_recorded(decision));
    }
}

/* What is delivered or waits; what is refused, put off, kept as a refusal or settled is not. */
static void test_archives_by_outcome(void)
{
    static const struct {
        int mixture;
        const char *archives;
    } rows[] = {{D, "everything lowest"},
                {H, "everything lowest"},
                {F, ""},
                {R, ""},
                {D | R, "everything lowest"},
                {D | F, ""},
                {D | H, "everything lowest"},
                {H | R, "everything lowest"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        add_archives(world);
        mixture_add_queue(world);
        mixture_from_person(world);
        for (guint j = 0; j < MIXTURE_PARTS; j++)
            if (rows[i].mixture & mixture_parts[j].part)
                world_to(world, mixture_parts[j].to);
        g_autoptr(decision) decision = world_decide(world);
        g_autofree char *archives = archives_of(decision);
        g_test_message("mixture %d", rows[i].mixture);
        g_assert_cmpstr(archives, ==, rows[i].archives);
    }
}

static void test_archives_not_again(void)
{
    g_autoptr(world) world = world_new();
    add_archives(world);
    mixture_from_person(world);
    world_to(world, "an@agency.gov.cn");
    past_set(world->past, "an@agency.gov.cn", (struct past_entry){.state = PAST_SETTLED});
    g_autoptr(decision) settled = world_decide(world);
    g_assert_cmpuint(settled->archives->len, ==, 0);

    mixture_from_local(world);
    past_set(world->past, "an@agency.gov.cn", (struct past_entry){.state = PAST_ENDED});
    g_autoptr(decision) kept = world_decide(world);
    g_assert_true(kept->keeps_copy);
    g_assert_cmpuint(kept->archives->len, ==, 0);
}

/* Held, and nobody knows of what level it is: every archive by level takes it. */
static void test_archives_unknown(void)
{
    g_autoptr(world) world = world_new();
    add_archives(world);
    world_add_queue(world, "first");
    world_usual(world, "公开");
    world_to(world, "an@agency.gov.cn");
    world_finding(world, FINDING_ENCRYPTED, 1);
    g_autoptr(decision) encrypted = world_decide(world);
    g_autofree char *of_encrypted = archives_of(encrypted);
    g_assert_cmpstr(of_encrypted, ==, "everything lowest secret");
    g_assert_false(encrypted->system_high);

    world_no_facts(world, FACTS_NONE_PERSISTENT);
    g_autoptr(decision) unread = world_decide(world);
    g_autofree char *of_unread = archives_of(unread);
    g_assert_cmpint(unread->act, ==, ACT_DISCARD);
    g_assert_cmpstr(of_unread, ==, "everything lowest secret");
}

/* ---------------------------------------------------------------- who may look */
static void test_system_high(void)
{
    g_autoptr(world) world = world_new();
    world_add_queue(world, "first");
    world_usual(world, "机秘"); /* which nobody understands */
    world_to(world, "an@agency.gov.cn");
    g_autoptr(decision) invalid = world_decide(world);
    g_assert_cmpint(invalid->act, ==, ACT_DISCARD);
    g_assert_true(invalid->system_high);

    world_new_message(world);
    world_usual(world, NULL); /* and a field was cut: a label may have stood there */
    world_to(world, "an@agency.gov.cn");
    world_finding(world, FINDING_FIELD_CUT, 0);
    g_autoptr(decision) cut = world_decide(world);
    g_assert_cmpint(cut->act, ==, ACT_DISCARD);
    g_assert_true(cut->system_high);

    world_new_message(world);
    world_usual(world, "秘密");
    world_text(world, PLACE_SUBJECT, 0, "【机密】计划");
    world_to(world, "an@agency.gov.cn");
    g_autoptr(decision) conflict = world_decide(world);
    g_assert_cmpint(conflict->act, ==, ACT_DISCARD);
    g_assert_false(conflict->system_high);
}

/* ---------------------------------------------------------------- RET=HDRS */
static void test_headers_only(void)
{
    static const struct {
        const char *level, *parameters;
        gboolean headers_only;
    } rows[] = {{"公开", NULL, FALSE},
                {"内部", NULL, TRUE},
                {"内部", "RET=FULL ENVID=a", TRUE},
                {"内部", "ENVID=a ret=hdrs BODY=8BITMIME", FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, rows[i].level);
        envelope_set_sender(world->envelope, "<bo@agency.gov.cn>", rows[i].parameters);
        world_to(world, "an@agency.gov.cn");
        g_autoptr(decision) decision = world_decide(world);
        g_assert_cmpint(decision->act, ==, ACT_ACCEPT);
        g_assert_true(decision->headers_only == rows[i].headers_only);
    }
}

/* ---------------------------------------------------------------- N1 */
/* y: due; one letter for each mixture, D H DH F DF HF DHF R DR HR DHR FR DFR HFR DHFR. */
static const struct {
    const char *name;
    void (*from)(struct world *);
    const char *due;
} tells[] = {
    {"person", mixture_from_person, "-yy-----yyy----"},
    {"peer: of refusals only", mixture_from_peer, "--------yyy----"},
    {"null sender", mixture_from_person_null, "---------------"},
    {"outside", mixture_from_outside, "---------------"},
    {"outside, hold refused", mixture_from_outside_holding, "---------------"},
    {"device", mixture_from_device, "---------------"},
    {"local", mixture_from_local, "---------------"},
    {"no way out", mixture_from_person_mute, "---------------"},
};

static void test_tells(void)
{
    for (guint row = 0; row < G_N_ELEMENTS(tells); row++)
        for (int mixture = 1; mixture < MIXTURES; mixture++) {
            g_autoptr(world) world = world_new();
            mixture_add_queue(world);
            tells[row].from(world);
            for (guint i = 0; i < MIXTURE_PARTS; i++)
                if (mixture & mixture_parts[i].part)
                    world_to(world, mixture_parts[i].to);
            g_autoptr(decision) decision = world_decide(world);
            g_test_message("%s, mixture %d", tells[row].name, mixture);
            g_assert_true(decision->tells == (tells[row].due[mixture - 1] == 'y'));
        }
}

/* `tell reviewers` switches off what is said of a hold, never of a refusal. */
static void test_queue_does_not_tell(void)
{
    for (int with_refusal = 0; with_refusal < 2; with_refusal++) {
        g_autoptr(world) world = world_new();
        mixture_add_queue(world);
        ((struct queue *)g_ptr_array_index(world->conf->queues, 0))->tell_sender = FALSE;
        mixture_from_person(world);
        world_to(world, mixture_parts[1].to);
        if (with_refusal)
            world_to(world, mixture_parts[3].to);
        g_autoptr(decision) decision = world_decide(world);
        g_assert_true(decision->tells == with_refusal);
    }
}

/* Every form that was given says NEVER, or there is something to say. */
static void test_notify_never(void)
{
    static const struct {
        const char *one, *two;
        gboolean tells;
    } rows[] = {{"NEVER", "never", FALSE}, {"NEVER", "FAILURE", TRUE}, {NULL, NULL, TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "机密");
        world_to(world, "<an@agency.gov.cn>");
        world_to(world, "<ni@agency.gov.cn>")->notify = g_strdup(rows[i].one);
        world_to(world, "<Ni@agency.gov.cn>")->notify = g_strdup(rows[i].two);
        g_autoptr(decision) decision = world_decide(world);
        g_assert_cmpint(decision->act, ==, ACT_ACCEPT);
        g_assert_true(decision->tells == rows[i].tells);
    }
}

/* Case 61: a 5xx is ASCII; what the officers wrote in Chinese comes by mail. */
static void test_lost_words(void)
{
    static const struct {
        const char *text;
        gboolean tells;
    } rows[] = {{NULL, FALSE}, {"Choose a classification.", FALSE}, {"请选定密级。", TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world->policy->unlabelled_inside.kind = OUTCOME_REFUSE;
        world->policy->unlabelled_inside.text = g_strdup(rows[i].text);
        world_usual(world, NULL);
        world_to(world, "gu@agency.gov.cn");
        g_autoptr(decision) decision = world_decide(world);
        g_assert_cmpint(decision->act, ==, ACT_REFUSE);
        g_assert_true(decision->tells == rows[i].tells);
    }
}

/* ---------------------------------------------------------------- forged tokens */
static void test_forged_token(void)
{
    g_autoptr(world) world = world_new();
    world_internet(world);
    world_from(world, "<x@elsewhere.example>");
    world_field(world, "x-miji-RELEASE", "v1 1 2 3");
    world_to(world, "gu@agency.gov.cn");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(decision->act, ==, ACT_ACCEPT);
    g_assert_true(decision->forged_token);
    g_assert_true(world_has_reason(decision->reasons, REASON_FORGED_TOKEN));
    g_assert_true(decision_is_recorded(decision));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/duties/archives-by-level", test_archives_by_level);
    g_test_add_func("/duties/archives-by-outcome", test_archives_by_outcome);
    g_test_add_func("/duties/archives-not-again", test_archives_not_again);
    g_test_add_func("/duties/archives-unknown", test_archives_unknown);
    g_test_add_func("/duties/system-high", test_system_high);
    g_test_add_func("/duties/headers-only", test_headers_only);
    g_test_add_func("/duties/tells", test_tells);
    g_test_add_func("/duties/queue-does-not-tell", test_queue_does_not_tell);
    g_test_add_func("/duties/notify-never", test_notify_never);
    g_test_add_func("/duties/lost-words", test_lost_words);
    g_test_add_func("/duties/forged-token", test_forged_token);
    return g_test_run();
}
