#include "tests/support/draw.h"

#include "tests/support/scheme_text.h"

#define PEOPLE 6
#define DRAWS 2500

static const char *const level_names[] = {"alpha", "beta", "gamma", "delta", "epsilon"};

gboolean draw_once_in(gint n)
{
    return g_test_rand_int_range(0, n) == 0;
}

static guint below(guint n)
{
    return (guint)g_test_rand_int_range(0, (gint32)n);
}

static const char *one_of(const char *const *texts, guint count)
{
    return texts[below(count)];
}

/* ---------------------------------------------------------------- schemes, levels, labels as text */
static struct schemes *draw_schemes(void)
{
    g_autoptr(GString) text = g_string_new("scheme \"home\"\n");
    struct schemes *schemes = schemes_new();
    guint levels = 2 + below(4);

    for (guint i = 0; i < levels; i++)
        g_string_append_printf(text, "level %s rank %u\n", level_names[i], i);
    g_string_append(text, "category set \"need\" restrictive { value \"r1\"; value \"r2\" }\n"
                          "category set \"for\" permissive open\n"
                          "marking field \"X-Classification\", \"X-Second\"\n"
                          "marking subject \"[{level}]\"\nmarking first 5 lines\n");
    schemes_read_text(schemes, text->str);
    return schemes;
}

const struct level *draw_level(const struct world *world)
{
    const struct scheme *home = schemes_home(world->schemes);

    return g_ptr_array_index(home->levels, below(home->levels->len));
}

/* Marks are drawn rather low, clearances and zones rather high: or nearly nothing would be delivered, and
 * little could go wrong. */
static const struct level *draw_low(const struct world *world)
{
    const struct level *a = draw_level(world), *b = draw_level(world);

    return a->rank < b->rank ? a : b;
}

static const struct level *draw_high(const struct world *world)
{
    const struct level *a = draw_level(world), *b = draw_level(world);

    return a->rank > b->rank ? a : b;
}

/* "gamma need r1,r2 for x": a mark, or a clearance. */
static char *draw_label(const struct level *level, gint rarely)
{
    static const char *const restrictive[] = {" need r1", " need r2", " need r1,r2"};
    static const char *const permissive[] = {" for x", " for y", " for x,y"};

    return g_strconcat(level->name, draw_once_in(rarely) ? one_of(restrictive, 3) : "",
                       draw_once_in(rarely) ? one_of(permissive, 3) : "", NULL);
}

/* ---------------------------------------------------------------- policy */
static void draw_outcome(const struct world *world, struct outcome *outcome, gboolean assumes)
{
    static const enum outcome_kind kinds[] = {OUTCOME_UNSET, OUTCOME_REFUSE, OUTCOME_HOLD, OUTCOME_DEFER,
                                              OUTCOME_TREAT_AS};

    outcome->kind = kinds[below(assumes ? 5 : 4)];
    if (outcome->kind == OUTCOME_HOLD)
        outcome->queue = g_strdup(draw_once_in(2) ? "first" : "second");
    if (outcome->kind == OUTCOME_REFUSE && draw_once_in(3))
        outcome->text = g_strdup(draw_once_in(2) ? "Refused: {level} to {recipient}" : "拒收");
    if (outcome->kind != OUTCOME_TREAT_AS)
        return;
    outcome->scheme = schemes_home(world->schemes);
    outcome->level = draw_level(world);
}

/* What certain findings may be: refuse, hold, record, or not written. */
static void draw_stop(struct outcome *outcome)
{
    static const enum outcome_kind kinds[] = {OUTCOME_UNSET, OUTCOME_REFUSE, OUTCOME_HOLD, OUTCOME_RECORD};

    outcome->kind = kinds[below(4)];
    if (outcome->kind == OUTCOME_HOLD)
        outcome->queue = g_strdup("first");
}

static void draw_undecidable(struct world *world)
{
    struct undecidable_line *line;

    if (draw_once_in(3))
        return; /* the default */
    g_ptr_array_set_size(world->policy->undecidable, 0);
    if (draw_once_in(2)) {
        line = policy_add_undecidable(world->policy);
        line->causes = draw_once_in(2) ? 0 : UNDECIDABLE_ENCRYPTED;
        line->scheme = schemes_home(world->schemes);
        line->up_to = draw_level(world);
        line->outcome.kind = OUTCOME_DELIVER;
    }
    if (draw_once_in(2)) {
        line = policy_add_undecidable(world->policy);
        line->causes = UNDECIDABLE_DIRECTORY | UNDECIDABLE_OVERLOAD;
        draw_outcome(world, &line->outcome, FALSE);
    }
    draw_outcome(world, &policy_add_undecidable(world->policy)->outcome, FALSE);
}

static void draw_device(struct world *world)
{
    struct device *device = g_new0(struct device, 1);

    network_parse("10.9.0.0/16", &device->network);
    device->address = draw_once_in(2) ? g_strdup("p0@agency.gov.cn") : NULL;
    device->scheme = schemes_home(world->schemes);
    device->level = draw_once_in(2) ? draw_level(world) : NULL;
    g_ptr_array_add(world->policy->devices, device);
}

static void draw_policy(struct world *world)
{
    struct policy *policy = world->policy;

    if (draw_once_in(2))
        world_add_queue(world, "first")->tell_sender = !draw_once_in(4);
    draw_outcome(world, &policy->unlabelled_inside, TRUE);
    draw_outcome(world, &policy->unlabelled_outside, TRUE);
    draw_outcome(world, &policy->sender_not_cleared, FALSE);
    draw_outcome(world, &policy->recipient_not_cleared, FALSE);
    draw_stop(&policy->label_conflict);
    draw_stop(&policy->attachment_above);
    draw_stop(&policy->forged_envelope);
    draw_stop(&policy->forged_from);
    policy->refuse_all = draw_once_in(4);
    policy->outside_hold_refused = draw_once_in(4);
    policy->recipient_delimiter = draw_once_in(2) ? g_strdup("+") : NULL;
    policy->certificate_counts = !draw_once_in(8);
    if (draw_once_in(3)) {
        policy->unknown_person_scheme = schemes_home(world->schemes);
        policy->unknown_person = draw_level(world);
    }
    draw_undecidable(world);
    draw_device(world);
}

/* ---------------------------------------------------------------- what is kept */
/* Nearly always it can be; archives of every kind. */
static void draw_keeping(struct world *world)
{
    if (draw_once_in(12))
        g_clear_pointer(&world->conf->key_file, g_free);
    if (draw_once_in(12))
        g_clear_pointer(&world->conf->release_through, g_free);
    if (draw_once_in(4))
        world_add_archive(world, "everything", TAKES_EVERYTHING, NULL);
    if (draw_once_in(3))
        world_add_archive(world, "above", TAKES_LEVEL, draw_level(world)->name);
    if (draw_once_in(4))
        world_add_archive(world, "by rules", TAKES_BY_RULES, NULL);
    world->clock_doubtful = draw_once_in(16);
}

void draw_past(struct world *world)
{
    static const enum past_state states[] = {PAST_HELD, PAST_SETTLED, PAST_ENDED, PAST_DEFERRED};

    for (guint i = 0; i < world->envelope->recipients->len; i++) {
        const struct envelope_recipient *to = g_ptr_array_index(world->envelope->recipients, i);
        enum past_state state = states[below(4)];
        struct past_entry entry = {.state = state,
                                   .hold = state == PAST_DEFERRED ? 0 : 7,
                                   .at_s = world->now - 1000,
                                   .own_since_s = draw_once_in(3) ? 0 : world->now - 3600 * (gint64)below(8)};
        if (draw_once_in(2))
            past_set(world->past, to->address->canonical, entry);
    }
}

/* ---------------------------------------------------------------- zones */
static struct zone_requires draw_requires(gint rarely)
{
    struct zone_requires requires = {.tls = draw_once_in(rarely) ? 12 : 0,
                                     .tls_verified = draw_once_in(2 * rarely),
                                     .client_certificate = draw_once_in(2 * rarely),
                                     .login = draw_once_in(2 * rarely)};

    return requires;
}

static struct zone *draw_zone(struct world *world, const char *name)
{
    struct zone *zone = world_add_zone(world, name, draw_high(world)->name);
    const struct zone_limit *limit = g_ptr_array_index(zone->limits, 0);

    if (draw_once_in(3))
        label_add_value(limit->label, scheme_set(schemes_home(world->schemes), "need"), "r1");
    zone->requires = draw_requires(16);
    if (draw_once_in(4))
        draw_outcome(world, &zone->limit_otherwise, FALSE);
    return zone;
}

static void draw_zones(struct world *world)
{
    struct zone *office = draw_zone(world, "office");
    struct zone *travellers = draw_zone(world, "travellers");
    struct zone *partner = draw_zone(world, "partner");

    office->inside = travellers->inside = travellers->login_any = TRUE;
    networks_add(&office->clients, "10.0.0.0/8");
    networks_add(&office->relays, "10.0.0.25/32");
    networks_add(&office->vouches, "10.0.0.30/32");
    names_add(&office->recipients, "agency.gov.cn");
    networks_add(&partner->clients, "192.0.2.0/24");
    networks_add(&partner->peers, "192.0.2.7/32");
    names_add(&partner->recipients, "partner.example");
    if (draw_once_in(2)) {
        partner->accepts = g_ptr_array_new();
        g_ptr_array_add(partner->accepts, (gpointer)schemes_home(world->schemes));
    }
    draw_zone(world, "internet")->otherwise = TRUE;
    zone_add_limit(
        world->zones->local,
        label_new(schemes_home(world->schemes),
                  draw_once_in(2) ? draw_level(world) : scheme_lowest(schemes_home(world->schemes))));
}

/* ---------------------------------------------------------------- people */
static void draw_clearances_of(struct world *world, struct person *person)
{
    g_autofree char *one = draw_label(draw_high(world), 2), *two = draw_label(draw_high(world), 2);
    g_autofree char *both = g_strconcat(one, "|", two, draw_once_in(2) ? " until 2030-01-01" : "", NULL);

    world_clear_person(world, person, draw_once_in(5) ? NULL : draw_once_in(3) ? both : one);
    g_clear_pointer(&person->clearance_unreadable, g_free);
    if (draw_once_in(12))
        person->clearance_unreadable = g_strdup("?");
}

void draw_clearances(struct world *world)
{
    for (guint i = 0; i < world->people->len; i++)
        draw_clearances_of(world, g_ptr_array_index(world->people, i));
}

static void draw_people(struct world *world)
{
    for (guint i = 0; i < PEOPLE; i++) {
        char name[] = {'p', (char)('0' + i), '\0'};
        struct person *person = world_person(world, name, NULL);
        if (draw_once_in(8))
            person->kind = PERSON_GROUP;
        if (draw_once_in(30)) /* somebody else's address, too */
            g_ptr_array_add(person->addresses, g_strdup("p0@agency.gov.cn"));
        if (draw_once_in(12))
            g_ptr_array_add(person->addresses, g_strdup("friend@partner.example"));
    }
    draw_clearances(world);
}

/* ---------------------------------------------------------------- session and envelope */
static const struct {
    const char *client, *login, *certificate;
    guint tls;
    enum socket_role role;
    const char *from; /* NULL: of anybody */
} sessions[] = {
    {"10.1.2.3", "p0", NULL, 0, ROLE_SMTP, "<p0@agency.gov.cn>"},
    {"10.1.2.3", "p0", NULL, 13, ROLE_SMTP, "<p0@agency.gov.cn>"},
    {"10.1.2.3", "p1", NULL, 13, ROLE_SMTP, NULL},
    {"10.1.2.3", "stranger", NULL, 0, ROLE_SMTP, NULL},
    {"10.1.2.3", NULL, "p2", 13, ROLE_SMTP, "<p2@agency.gov.cn>"},
    {"10.1.2.3", NULL, NULL, 0, ROLE_SMTP, NULL},
    {"203.0.113.9", "p0", "p0", 13, ROLE_SMTP, "<p0@agency.gov.cn>"},
    {"203.0.113.9", "p0", NULL, 12, ROLE_SMTP, "<p0@agency.gov.cn>"},
    {"203.0.113.9", NULL, NULL, 0, ROLE_SMTP, NULL},
    {"203.0.113.9", NULL, NULL, 13, ROLE_SMTP, "<x@elsewhere.example>"},
    {"192.0.2.7", NULL, NULL, 12, ROLE_SMTP, "<a@partner.example>"},
    {"192.0.2.7", NULL, "relay.partner.example", 13, ROLE_SMTP, NULL},
    {"192.0.2.8", NULL, NULL, 0, ROLE_SMTP, "<a@partner.example>"},
    {"10.9.0.7", NULL, NULL, 0, ROLE_SMTP, "<p0@agency.gov.cn>"},
    {"10.0.0.25", NULL, NULL, 0, ROLE_SMTP, "<x@elsewhere.example>"},
    {"10.0.0.30", NULL, NULL, 0, ROLE_SMTP, NULL},
    {NULL, NULL, NULL, 0, ROLE_LOCAL, "p0@agency.gov.cn"},
    {NULL, NULL, NULL, 0, ROLE_LOCAL, "x@elsewhere.example"},
    {"127.0.0.1", NULL, NULL, 0, ROLE_SMTP, "p0@agency.gov.cn"},
};

void draw_session(struct world *world)
{
    static const char *const froms[] = {
        "<p0@agency.gov.cn>",    "<p1@agency.gov.cn>",  "<>",
        "<x@elsewhere.example>", "<a@partner.example>", "<p0+tag@agency.gov.cn>"};
    guint i = below(G_N_ELEMENTS(sessions));

    session_clear(&world->session);
    world->session.role = sessions[i].role;
    if (sessions[i].client != NULL)
        world->session.client = ip_parse(sessions[i].client);
    world->session.login = g_strdup(sessions[i].login);
    world->session.cert_subject = g_strdup(sessions[i].certificate);
    world->session.tls = sessions[i].tls;
    world_from(world, sessions[i].from != NULL && !draw_once_in(6) ? sessions[i].from
                                                                   : one_of(froms, G_N_ELEMENTS(froms)));
}

void draw_recipient(struct world *world)
{
    static const char *const addresses[] = {
        "<p0@agency.gov.cn>",      "<p1@agency.gov.cn>",    "<P1@agency.gov.cn>",  "<p2@agency.gov.cn>",
        "<p3@agency.gov.cn>",      "<p4@agency.gov.cn>",    "<p5@agency.gov.cn>",  "<p5+tag@agency.gov.cn>",
        "<unknown@agency.gov.cn>", "<x@elsewhere.example>", "<a@partner.example>", "<friend@partner.example>",
        "<小明@agency.gov.cn>",    "<p1%x@agency.gov.cn>"};
    gboolean strange = draw_once_in(60);
    struct envelope_recipient *recipient =
        world_to(world, strange ? addresses[G_N_ELEMENTS(addresses) - 1]
                                : one_of(addresses, G_N_ELEMENTS(addresses) - 1));

    if (draw_once_in(10))
        recipient->rcpt_host = g_strdup("[partner.example]:25");
    if (draw_once_in(8))
        recipient->notify = g_strdup(draw_once_in(2) ? "NEVER" : "SUCCESS,FAILURE");
    if (draw_once_in(20))
        recipient->rcpt_addr = g_strdup("x@elsewhere.example");
}

/* ---------------------------------------------------------------- message */
void draw_claim(struct world *world, enum place_kind kind)
{
    g_autofree char *mark = draw_label(draw_low(world), 6);
    g_autofree char *subject = g_strdup_printf("[%s] %s", draw_level(world)->name, DRAW_CANARY);

    if (kind == PLACE_FIELD)
        world_field(world, draw_once_in(3) ? "X-Second" : "X-Classification", mark);
    else if (kind == PLACE_SUBJECT)
        world_text(world, kind, 0, subject);
    else
        world_text(world, kind, kind == PLACE_PART_TEXT ? 2 + below(3) : 0, mark);
}

static void draw_marks(struct world *world)
{
    if (!draw_once_in(6))
        draw_claim(world, PLACE_FIELD);
    if (draw_once_in(8))
        draw_claim(world, PLACE_FIELD);
    if (draw_once_in(6))
        draw_claim(world, PLACE_SUBJECT);
    if (draw_once_in(6))
        draw_claim(world, PLACE_PART_TEXT);
    if (draw_once_in(6))
        draw_claim(world, PLACE_PART_TEXT);
    if (draw_once_in(12))
        world_field(world, "X-Classification", DRAW_CANARY);
    world_text(world, PLACE_LINE, 0, DRAW_CANARY " of a line");
    world_text(world, PLACE_SUBJECT, 0, DRAW_CANARY " of a subject");
}

static void draw_message(struct world *world)
{
    static const enum facts_state none[] = {FACTS_NONE_TRANSIENT, FACTS_NONE_PERSISTENT, FACTS_NONE_BUSY};
    static const enum finding_id findings[] = {FINDING_ENCRYPTED, FINDING_DAMAGED,   FINDING_TOO_DEEP,
                                               FINDING_MALFORMED, FINDING_FIELD_CUT, FINDING_BAD_QP};

    if (!draw_once_in(10))
        world_field(world, "From", draw_once_in(5) ? "p1@agency.gov.cn" : world->envelope->sender->canonical);
    if (draw_once_in(12))
        world_field(world, "Sender", "p1@agency.gov.cn");
    draw_marks(world);
    if (draw_once_in(6))
        world_finding(world, findings[below(G_N_ELEMENTS(findings))], below(3));
    if (draw_once_in(16))
        world_field(world, draw_once_in(2) ? "X-Miji-Release" : "x-miji-release", DRAW_CANARY);
    world->facts->is_report = draw_once_in(4);
    if (draw_once_in(16))
        world_no_facts(world, none[below(G_N_ELEMENTS(none))]);
}

static void draw_down(struct world *world)
{
    static const char *const values[] = {
        "p0", "p2", "p0@agency.gov.cn", "p1@agency.gov.cn", "x@elsewhere.example", "relay.partner.example"};

    for (guint i = 0; i < G_N_ELEMENTS(values); i++)
        if (draw_once_in(16))
            g_hash_table_add(world->down, g_strdup(values[i]));
}

struct world *draw_world(void)
{
    struct world *world = world_over(draw_schemes());
    guint recipients = 1 + below(4);

    draw_zones(world);
    draw_policy(world);
    draw_keeping(world);
    draw_people(world);
    draw_session(world);
    draw_message(world);
    for (guint i = 0; i < recipients; i++)
        draw_recipient(world);
    if (draw_once_in(3))
        draw_past(world);
    draw_down(world);
    return world;
}

void draw_each_world(void (*test)(struct world *))
{
    for (guint i = 0; i < DRAWS && !g_test_failed(); i++) {
        g_autoptr(world) world = draw_world();
        test(world);
    }
}
