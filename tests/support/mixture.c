#include "tests/support/mixture.h"

const struct mixture_part mixture_parts[MIXTURE_PARTS] = {{D, "an@agency.gov.cn", VERDICT_DELIVER},
                                                          {H, "held@hold.example", VERDICT_HOLD},
                                                          {F, "zz@agency.gov.cn", VERDICT_DEFER},
                                                          {R, "ni@agency.gov.cn", VERDICT_REFUSE}};

void mixture_add_queue(struct world *world)
{
    struct zone *zone = zone_new("waiting");

    zone_add_limit(zone, label_new(schemes_home(world->schemes), world_level(world, "内部")));
    zone->limit_otherwise.kind = OUTCOME_HOLD;
    zone->limit_otherwise.queue = g_strdup("labels");
    names_add(&zone->recipients, "hold.example");
    g_ptr_array_insert(world->zones->list, 0, zone);
    world_add_queue(world, "labels");
    g_hash_table_add(world->down, g_strdup("zz@agency.gov.cn"));
}

void mixture_from_person(struct world *world)
{
    world_usual(world, "秘密");
}

void mixture_from_person_null(struct world *world)
{
    world_usual(world, "秘密");
    world_from(world, "<>");
}

void mixture_from_peer(struct world *world)
{
    world_partner(world);
    world_from(world, "<chen@ministry.gov.cn>");
    world_field(world, "X-Classification", "秘密");
}

/* The partner's network may carry it, but the sender is none of the partner's. */
void mixture_from_outside(struct world *world)
{
    world_partner(world);
    world_from(world, "<somebody@elsewhere.example>");
    world_field(world, "X-Classification", "秘密");
}

void mixture_from_outside_holding(struct world *world)
{
    mixture_from_outside(world);
    world->policy->outside_hold_refused = TRUE;
}

void mixture_from_device(struct world *world)
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

void mixture_from_local(struct world *world)
{
    struct zone_limit *limit = g_ptr_array_index(world->zones->local->limits, 0);

    limit->label->level = world_level(world, "机密");
    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    world_from(world, "an@agency.gov.cn");
    world_field(world, "X-Classification", "秘密");
}

/* Nothing can be kept: whoever would be held is refused, and a 4xx leaves the file in maildrop. */
void mixture_from_local_keyless(struct world *world)
{
    mixture_from_local(world);
    g_clear_pointer(&world->conf->key_file, g_free);
}

/* Nobody can be told, nor anything released. */
void mixture_from_person_mute(struct world *world)
{
    mixture_from_person(world);
    g_clear_pointer(&world->conf->release_through, g_free);
}

static char act_letter(enum act act)
{
    static const char letters[] = {
        [ACT_ACCEPT] = 'a', [ACT_DISCARD] = 'x', [ACT_REFUSE] = 'r', [ACT_DEFER] = 'd'};

    return letters[act];
}

static char fate_letter(enum fate fate)
{
    static const char letters[] = {[FATE_STAYS] = 's',    [FATE_HELD] = 'h',    [FATE_REFUSED] = 'r',
                                   [FATE_DEFERRED] = 'd', [FATE_SETTLED] = 't', [FATE_KEPT] = 'k'};

    return letters[fate];
}

char *mixture_outcome(const struct decision *decision)
{
    GString *letters = g_string_new(NULL);

    g_string_append_c(letters, act_letter(decision->act));
    for (guint i = 0; i < decision->recipients->len; i++)
        g_string_append_c(
            letters,
            fate_letter(
                ((const struct decided_recipient *)g_ptr_array_index(decision->recipients, i))->fate));
    return g_string_free(letters, FALSE);
}
