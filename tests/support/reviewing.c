#include "tests/support/reviewing.h"

#include <string.h>

static void make_group(struct world *world, const char *name, const char *const *members)
{
    g_autofree char *dn = g_strdup_printf("cn=%s,%s", name, REVIEWING_GROUPS);
    struct person *group = person_new(world->schemes, dn);

    group->kind = PERSON_GROUP;
    for (; *members != NULL; members++)
        person_add_member(group, world_find(world, *members)->id);
    g_ptr_array_add(world->people, group);
}

static struct who *members_of(const char *name)
{
    g_autofree char *dn = g_strdup_printf("CN=%s, %s", name, REVIEWING_GROUPS);

    return who_new(WHO_MEMBERS, dn);
}

static void make_queue(struct world *world, const char *name, struct who *who, gboolean recipients)
{
    struct queue *queue = world_add_queue(world, name);

    g_ptr_array_add(queue->reviewers, who);
    queue->recipients_may_vote = recipients;
}

static gboolean is_down(const char *value, gpointer data)
{
    return g_hash_table_contains(data, value) || g_hash_table_contains(data, "*");
}

void reviewing_begin(struct world *world)
{
    static const char *const baomi[] = {"an", "bo", "gao", "hei", NULL};
    static const char *const shenji[] = {"shen", NULL};
    struct conf *conf = world->conf;

    world_person(world, "gao", "绝密 专项 密码,核");
    world_person(world, "hei", "机密");
    world_person(world, "shen", "绝密 专项 密码,核");
    world_person(world, "you", "绝密 专项 密码,核");
    world_person(world, "cai", "机密");
    make_group(world, "baomi", baomi);
    make_group(world, "shenji", shenji);
    make_queue(world, "labels", members_of("baomi"), TRUE);
    make_queue(world, "finance", who_new(WHO_ADDRESS, "cai@agency.gov.cn"), FALSE);
    g_ptr_array_add(conf->roles[ROLE_OFFICER], members_of("baomi"));
    g_ptr_array_add(conf->roles[ROLE_AUDITOR], members_of("shenji"));
    g_ptr_array_add(conf->roles[ROLE_ADMINISTRATOR], who_new(WHO_ADDRESS, "you@agency.gov.cn"));
    reviewing_directory(world);
}

void reviewing_directory(struct world *world)
{
    GPtrArray *people = g_ptr_array_copy(world->people, (GCopyFunc)(void *)person_ref, NULL);

    g_ptr_array_set_free_func(people, (GDestroyNotify)person_unref);
    g_clear_pointer(&world->snapshot.directory, directory_unref);
    world->snapshot.directory = directory_of_people(people, is_down, world->down);
}

void reviewing_end(struct world *world)
{
    g_clear_pointer(&world->snapshot.directory, directory_unref);
}

struct queue *reviewing_queue(struct world *world, const char *name)
{
    return (struct queue *)queues_find(world->conf->queues, name);
}
