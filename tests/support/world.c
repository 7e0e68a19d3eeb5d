#include "tests/support/world.h"

#include <string.h>

#include "tests/support/scheme_text.h"

/* 2026-06-01 12:00 UTC */
#define WORLD_NOW G_GINT64_CONSTANT(1780315200)

static char *keep(struct world *world, const char *text)
{
    char *copy = g_strdup(text);

    g_ptr_array_add(world->strings, copy);
    return copy;
}

static struct bytes bytes_of(struct world *world, const char *text)
{
    return (struct bytes){.data = keep(world, text), .length = strlen(text)};
}

const struct level *world_level(const struct world *world, const char *name)
{
    return level_called(world->schemes, name);
}

void networks_add(GArray **networks, const char *text)
{
    struct network network;

    if (!network_parse(text, &network))
        g_error("no network: %s", text);
    if (*networks == NULL)
        *networks = g_array_new(FALSE, FALSE, sizeof(struct network));
    g_array_append_val(*networks, network);
}

void names_add(GPtrArray **names, const char *name)
{
    if (*names == NULL)
        *names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(*names, g_strdup(name));
}

struct zone *world_add_zone(struct world *world, const char *name, const char *level)
{
    struct zone *zone = zone_new(name);

    zone->index = world->zones->list->len;
    zone_add_limit(zone, label_new(schemes_home(world->schemes), world_level(world, level)));
    g_ptr_array_add(world->zones->list, zone);
    return zone;
}

struct queue *world_add_queue(struct world *world, const char *name)
{
    struct queue *queue = queue_new(name);

    g_ptr_array_add(world->conf->queues, queue);
    g_ptr_array_add(world->policy->queues, g_strdup(name));
    return queue;
}

struct archive *world_add_archive(struct world *world, const char *name, gint takes, const char *level)
{
    struct archive *archive = archive_new(name);

    archive->takes = takes;
    if (level != NULL) {
        archive->scheme = schemes_home(world->schemes);
        archive->level = world_level(world, level);
    }
    g_ptr_array_add(world->conf->archives, archive);
    return archive;
}

static void make_zones(struct world *world)
{
    struct zone *office = world_add_zone(world, "office", "机密");
    struct zone *travellers = world_add_zone(world, "travellers", "内部");
    struct zone *partner = world_add_zone(world, "partner ministry", "秘密");
    struct zone *by_network = world_add_zone(world, "partner by network", "秘密");
    struct zone *internet = world_add_zone(world, "internet", "公开");

    office->inside = TRUE;
    networks_add(&office->clients, "10.0.0.0/8");
    networks_add(&office->relays, "10.0.0.25/32");
    names_add(&office->recipients, "agency.gov.cn");
    names_add(&office->recipients, "*.agency.gov.cn");
    travellers->inside = travellers->login_any = TRUE;
    travellers->requires = (struct zone_requires){.tls = 12, .client_certificate = TRUE};
    names_add(&partner->certificates, "relay.ministry.gov.cn");
    names_add(&partner->recipients, "ministry.gov.cn");
    partner->accepts = g_ptr_array_new();
    g_ptr_array_add(partner->accepts, (gpointer)schemes_home(world->schemes));
    networks_add(&by_network->clients, "192.0.2.7/32");
    networks_add(&by_network->peers, "192.0.2.7/32");
    names_add(&by_network->recipients, "province.gov.cn");
    by_network->requires.tls = 10;
    internet->otherwise = TRUE;
    zone_add_limit(world->zones->local,
                   label_new(schemes_home(world->schemes), scheme_lowest(schemes_home(world->schemes))));
}

struct zone *world_zone(struct world *world, const char *name)
{
    return (struct zone *)zones_find(world->zones, name);
}

void world_clear_person(struct world *world, struct person *person, const char *clearances)
{
    g_auto(GStrv) texts = g_strsplit(clearances != NULL ? clearances : "", "|", -1);

    g_ptr_array_set_size(person->clearances, 0);
    for (guint i = 0; texts[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        struct clearance *clearance = clearance_parse(world->schemes, texts[i], utc, &error);
        if (clearance == NULL)
            g_error("%s: %s", texts[i], error->message);
        g_ptr_array_add(person->clearances, clearance);
    }
}

struct person *world_person(struct world *world, const char *name, const char *clearances)
{
    g_autofree char *id = g_strdup_printf("uid=%s,ou=people,dc=agency,dc=gov,dc=cn", name);
    struct person *person = person_new(world->schemes, id);

    person->name = g_strdup(name);
    g_ptr_array_add(person->addresses, g_strdup_printf("%s@agency.gov.cn", name));
    g_ptr_array_add(person->logins, g_strdup(name));
    g_ptr_array_add(person->certificates, g_strdup(name));
    world_clear_person(world, person, clearances);
    g_ptr_array_add(world->people, person);
    return person;
}

struct person *world_find(const struct world *world, const char *name)
{
    for (guint i = 0; i < world->people->len; i++) {
        struct person *person = g_ptr_array_index(world->people, i);
        if (strcmp(person->name, name) == 0)
            return person;
    }
    g_error("no person %s", name);
}

struct world *world_over(struct schemes *schemes)
{
    struct world *world = g_new0(struct world, 1);

    world->schemes = schemes;
    world->zones = zones_new();
    world->policy = policy_new();
    world->conf = conf_new();
    world->conf->key_file = g_strdup("/etc/miji/store.key");
    world->conf->release_through = g_strdup("inet:10026@127.0.0.1");
    world->past = past_new();
    world->people = g_ptr_array_new_with_free_func((GDestroyNotify)person_unref);
    world->down = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    world->strings = g_ptr_array_new_with_free_func(g_free);
    world->now = WORLD_NOW;
    world->snapshot = (struct snapshot){.generation = 1,
                                        .conf = world->conf,
                                        .schemes = world->schemes,
                                        .zones = world->zones,
                                        .policy = world->policy};
    world_new_message(world);
    return world;
}

struct world *world_new(void)
{
    struct world *world = world_over(schemes_cn());

    make_zones(world);
    world_person(world, "an", "绝密");
    world_person(world, "bo", "机密");
    world_person(world, "mi", "秘密");
    world_person(world, "ni", "内部");
    world_person(world, "gu", "公开");
    world_person(world, "nobody", NULL);
    return world;
}

static void forget_query(struct world *world)
{
    g_clear_pointer(&world->query, directory_query_free);
    g_clear_pointer(&world->directory, directory_unref);
}

void world_free(struct world *world)
{
    forget_query(world);
    facts_free(world->facts);
    envelope_free(world->envelope);
    session_clear(&world->session);
    g_ptr_array_unref(world->strings);
    g_ptr_array_unref(world->people);
    g_hash_table_unref(world->down);
    past_free(world->past);
    approvals_free(world->approvals);
    policy_free(world->policy);
    conf_free(world->conf);
    zones_free(world->zones);
    schemes_unref(world->schemes);
    g_free(world);
}

void world_office(struct world *world, const char *login)
{
    session_clear(&world->session);
    world->session.client = ip_parse("10.1.2.3");
    world->session.login = g_strdup(login);
}

void world_internet(struct world *world)
{
    session_clear(&world->session);
    world->session.client = ip_parse("203.0.113.9");
}

void world_partner(struct world *world)
{
    session_clear(&world->session);
    world->session.client = ip_parse("198.51.100.5");
    world->session.tls = 13;
    world->session.cert_subject = g_strdup("relay.ministry.gov.cn");
}

void world_from(struct world *world, const char *given)
{
    envelope_set_sender(world->envelope, given, NULL);
}

struct envelope_recipient *world_to(struct world *world, const char *given)
{
    return envelope_add(world->envelope, given);
}

static void add_mailbox(struct world *world, enum mailbox_field kind, const char *value)
{
    struct facts *facts = world->facts;

    if (strchr(value, '@') == NULL)
        return;
    facts->mailboxes = g_renew(struct fact_mailbox, facts->mailboxes, facts->mailbox_count + 1);
    facts->mailboxes[facts->mailbox_count++] = (struct fact_mailbox){
        .field = kind, .field_index = facts->field_count - 1, .address = bytes_of(world, value)};
}

void world_field(struct world *world, const char *name, const char *value)
{
    static const struct {
        const char *name;
        enum mailbox_field kind;
    } fields[] = {{"From", MAILBOX_FROM},
                  {"Sender", MAILBOX_SENDER},
                  {"Resent-From", MAILBOX_RESENT_FROM},
                  {"Resent-Sender", MAILBOX_RESENT_SENDER}};
    struct facts *facts = world->facts;

    facts->fields = g_renew(struct fact_field, facts->fields, facts->field_count + 1);
    facts->fields[facts->field_count++] = (struct fact_field){
        .name = bytes_of(world, name), .raw = bytes_of(world, value), .decoded = bytes_of(world, value)};
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        if (g_ascii_strcasecmp(fields[i].name, name) == 0)
            add_mailbox(world, fields[i].kind, value);
}

void world_text(struct world *world, enum place_kind kind, guint part, const char *text)
{
    struct facts *facts = world->facts;

    facts->candidates = g_renew(struct fact_candidate, facts->candidates, facts->candidate_count + 1);
    facts->candidates[facts->candidate_count++] = (struct fact_candidate){
        .place = {.kind = kind, .part = part, .line = 1}, .text = bytes_of(world, text)};
}

void world_finding(struct world *world, enum finding_id id, guint part)
{
    struct facts *facts = world->facts;

    facts->findings = g_renew(struct fact_finding, facts->findings, facts->finding_count + 1);
    facts->findings[facts->finding_count++] =
        (struct fact_finding){.id = id, .part = part, .detail = bytes_of(world, "")};
}

void world_no_facts(struct world *world, enum facts_state state)
{
    g_clear_pointer(&world->facts, facts_free);
    world->facts_state = state;
}

void world_new_message(struct world *world)
{
    envelope_free(world->envelope);
    facts_free(world->facts);
    world->envelope = envelope_new();
    world->facts = g_new0(struct facts, 1);
    world->facts_state = FACTS_HERE;
    world->too_large = FALSE;
}

void world_usual(struct world *world, const char *level)
{
    world_office(world, "bo");
    world_from(world, "<bo@agency.gov.cn>");
    world_field(world, "From", "bo@agency.gov.cn");
    if (level != NULL)
        world_field(world, "X-Classification", level);
}

static gboolean is_down(const char *value, gpointer data)
{
    return g_hash_table_contains(data, value) || g_hash_table_contains(data, "*");
}

struct inputs world_inputs(struct world *world)
{
    GPtrArray *people = g_ptr_array_copy(world->people, (GCopyFunc)(void *)person_ref, NULL);

    forget_query(world);
    g_ptr_array_set_free_func(people, (GDestroyNotify)person_unref);
    world->directory = directory_of_people(people, is_down, world->down);
    world->query = directory_query_new(world->directory);
    inputs_ask_sender(world->query, &world->snapshot, &world->session, world->envelope);
    for (guint i = 0; i < world->envelope->recipients->len; i++)
        inputs_ask_recipient(world->query, &world->snapshot,
                             g_ptr_array_index(world->envelope->recipients, i));
    if (world->facts != NULL)
        inputs_ask_authors(world->query, &world->snapshot, &world->session, world->facts);
    directory_query_send(world->query);
    directory_query_wait(world->query, g_get_monotonic_time() + G_USEC_PER_SEC);
    return (struct inputs){.snapshot = &world->snapshot,
                           .session = &world->session,
                           .envelope = world->envelope,
                           .facts = world->facts,
                           .facts_state = world->facts_state,
                           .too_large = world->too_large,
                           .people = world->query,
                           .past = world->past,
                           .approvals = world->approvals,
                           .clock_doubtful = world->clock_doubtful,
                           .now = world->now,
                           .explain = world->explain};
}

struct decision *world_decide(struct world *world)
{
    struct inputs inputs = world_inputs(world);

    return decide(&inputs, "abc234");
}

const struct check_line *world_message_line(const struct decision *decision, enum check_id check)
{
    return &g_array_index(decision->checks, struct check_line, check - CHECK_ENVELOPE);
}

const struct check_line *world_recipient_line(const struct decided_recipient *recipient, enum check_id check)
{
    return &g_array_index(recipient->checks, struct check_line, check - CHECK_VISIBLE);
}

const struct decided_recipient *world_recipient_at(const struct decision *decision, guint i)
{
    return g_ptr_array_index(decision->recipients, i);
}

gboolean world_is_delivered(const struct decided_recipient *recipient)
{
    return recipient->verdict == VERDICT_DELIVER && recipient->fate != FATE_SETTLED;
}

const struct decided_recipient *world_recipient(const struct decision *decision, const char *canonical)
{
    for (guint i = 0; i < decision->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        if (strcmp(recipient->first->address->canonical, canonical) == 0)
            return recipient;
    }
    g_error("no recipient %s", canonical);
}

gboolean world_has_reason(const GPtrArray *reasons, enum reason_id id)
{
    for (guint i = 0; i < reasons->len; i++)
        if (((const struct reason *)g_ptr_array_index(reasons, i))->id == id)
            return TRUE;
    return FALSE;
}
