/*
 * Golden files of notices, as a mail program shows them. An input is one word for a scene of this file, then
 * settings: "language en", "language zh", "contact TEXT", "note TEXT".
 */
#include "tests/support/golden.h"
#include "tests/support/noticing.h"

#include <string.h>

struct scene {
    struct world *world;
    const char *note;
};

/* ---------------------------------------------------------------- N1 */
static char *outcome(struct scene *scene)
{
    g_autoptr(decision) decision = world_decide(scene->world);

    const struct inputs inputs = world_inputs(scene->world);
    struct notice *notice = compose_outcome(&inputs, decision);
    if (notice == NULL)
        return g_strdup("nobody is told\n");
    noticing_check(notice);
    char *text = noticing_read(notice);
    notice_free(notice);
    return text;
}

static void hold_conflicts(struct world *world)
{
    world->policy->label_conflict.kind = OUTCOME_HOLD;
    world->policy->label_conflict.queue = g_strdup("labels");
}

/* Case 18. */
static char *held(struct scene *scene)
{
    hold_conflicts(scene->world);
    world_usual(scene->world, "秘密");
    world_text(scene->world, PLACE_SUBJECT, 0, "【机密】");
    world_field(scene->world, "Subject", "【机密】 never in a notice");
    world_to(scene->world, "<an@agency.gov.cn>");
    return outcome(scene);
}

/* Cases 3 and 5, with everything that DSN parameters can say. */
static char *part_refused(struct scene *scene)
{
    world_usual(scene->world, "机密");
    envelope_set_sender(scene->world->envelope, "<bo@agency.gov.cn>", "RET=FULL ENVID=QQ+2B314");
    world_field(scene->world, "Subject", "never in a notice");
    world_to(scene->world, "<an@agency.gov.cn>");
    struct envelope_recipient *mi = world_to(scene->world, "<Mi@Agency.gov.cn>");
    mi->orcpt = g_strdup("rfc822;Mi+2Bx@agency.gov.cn");
    world_to(scene->world, "<ni@agency.gov.cn>");
    world_to(scene->world, "<p@ministry.gov.cn>");
    return outcome(scene);
}

/* Held for some, refused for others. */
static char *both(struct scene *scene)
{
    hold_conflicts(scene->world);
    world_usual(scene->world, "秘密");
    world_text(scene->world, PLACE_SUBJECT, 0, "【机密】");
    world_to(scene->world, "<an@agency.gov.cn>");
    world_to(scene->world, "<gu@agency.gov.cn>");
    return outcome(scene);
}

/* Case 23: of a public mail the subject may be told, but here it is not known what is in it. */
static char *lowest(struct scene *scene)
{
    g_autofree char *subject = NULL;

    scene->world->policy->unlabelled_inside.kind = OUTCOME_HOLD;
    scene->world->policy->unlabelled_inside.queue = g_strdup("labels");
    world_usual(scene->world, NULL);
    world_field(scene->world, "Subject", "公开会议通知: the meeting is on Friday");
    world_to(scene->world, "<gu@agency.gov.cn>");
    return outcome(scene);
}

/* Case 61: what SMTP cannot say. */
static char *words(struct scene *scene)
{
    scene->world->policy->unlabelled_inside.kind = OUTCOME_REFUSE;
    scene->world->policy->unlabelled_inside.text = g_strdup("请选定密级后重发给 {recipients}。");
    world_usual(scene->world, NULL);
    world_to(scene->world, "<gu@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(scene->world);
    const struct inputs inputs = world_inputs(scene->world);
    struct notice *notice = compose_outcome(&inputs, decision);
    noticing_check(notice);
    char *text = noticing_read(notice);
    notice_free(notice);
    return text;
}

/* ---------------------------------------------------------------- N2 */
static char *end(struct scene *scene, enum sender_class class, enum ending ending)
{
    struct world *world = scene->world;
    g_autoptr(noticing_hold) held = noticing_hold_new(world, class);
    g_autoptr(GPtrArray) notices = compose_end(&world->snapshot, &held->hold, &held->recorded,
                                               held->canonical, ending, scene->note, world->now);
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < notices->len; i++) {
        g_autofree char *text = noticing_read(g_ptr_array_index(notices, i));
        noticing_check(g_ptr_array_index(notices, i));
        g_string_append_printf(out, "%s%s", i > 0 ? "\n========\n" : "", text);
    }
    return notices->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : g_strdup("nobody is told\n");
}

static void address_two(struct world *world)
{
    world_usual(world, "公开");
    envelope_set_sender(world->envelope, "<bo@agency.gov.cn>", "ENVID=x1");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<Gu@agency.gov.cn>")->orcpt = g_strdup("rfc822;office@agency.gov.cn");
}

static char *released(struct scene *scene)
{
    address_two(scene->world);
    return end(scene, SENDER_PERSON, ENDING_RELEASED);
}

static char *refused(struct scene *scene)
{
    address_two(scene->world);
    return end(scene, SENDER_PERSON, ENDING_REFUSED);
}

static char *expired(struct scene *scene)
{
    address_two(scene->world);
    return end(scene, SENDER_PERSON, ENDING_EXPIRED);
}

/* Case 71: outside mail that nobody approved; x hears nothing. */
static char *from_outside(struct scene *scene)
{
    world_internet(scene->world);
    world_from(scene->world, "<x@example.net>");
    world_to(scene->world, "<gu@agency.gov.cn>");
    world_to(scene->world, "<y@example.org>");
    return end(scene, SENDER_OUTSIDE, ENDING_EXPIRED);
}

/* ---------------------------------------------------------------- digest */
static char *digest(struct scene *scene)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < 9; i++) {
        struct outbox_entry *entry = g_new0(struct outbox_entry, 1);
        static char references[9][16];
        g_snprintf(references[i], sizeof references[i], "MIJI-abc23%u", i);
        entry->number = i;
        entry->notice = (struct notice){.reference = references[i], .is_failure = i % 4 == 0};
        g_ptr_array_add(entries, entry);
    }
    struct notice *notice =
        compose_digest(&scene->world->snapshot, "bo@agency.gov.cn", entries, scene->world->now);
    noticing_check(notice);
    char *text = noticing_read(notice);
    notice_free(notice);
    return text;
}

/* ---------------------------------------------------------------- inputs */
static const struct {
    const char *name;
    char *(*play)(struct scene *scene);
} scenes[] = {{"held", held},
              {"part-refused", part_refused},
              {"both", both},
              {"lowest", lowest},
              {"words", words},
              {"released", released},
              {"refused", refused},
              {"expired", expired},
              {"from-outside", from_outside},
              {"digest", digest}};

static void set_language(struct conf *conf, const char *name)
{
    conf->notices.languages[0] = strcmp(name, "zh") == 0 ? LANGUAGE_ZH : LANGUAGE_EN;
    conf->notices.language_count = 1;
}

static const char *value_of(const char *line, const char *name)
{
    return g_str_has_prefix(line, name) ? line + strlen(name) : NULL;
}

static char *make(const char *name, const char *input, gsize length, gpointer data)
{
    g_autoptr(world) world = world_new();
    g_auto(GStrv) lines = g_strsplit(input, "\n", -1);
    g_autoptr(GTimeZone) zone = g_time_zone_new_offset(8 * 3600);
    struct scene scene = {.world = world};
    char *text = NULL;

    noticing_begin(world);
    struct conf *conf = world->snapshot.conf;
    conf->time_zone = g_time_zone_ref(zone);
    for (char **line = lines + 1; *line != NULL; line++) {
        if (value_of(*line, "language ") != NULL)
            set_language(conf, value_of(*line, "language "));
        else if (value_of(*line, "contact ") != NULL)
            conf->notices.contact = g_strdup(value_of(*line, "contact "));
        else if (value_of(*line, "note ") != NULL)
            scene.note = value_of(*line, "note ");
    }
    for (guint i = 0; i < G_N_ELEMENTS(scenes); i++)
        if (strcmp(scenes[i].name, lines[0]) == 0)
            text = scenes[i].play(&scene);
    reviewing_end(world);
    return text != NULL ? text : g_strdup_printf("no scene %s\n", lines[0]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    golden_add("tests/golden/notice", make, NULL);
    return g_test_run();
}
