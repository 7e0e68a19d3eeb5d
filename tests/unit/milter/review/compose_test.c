/* Who is told what (semantics.md 9), and that nothing gets into a notice that does not belong there. */
#include "milter/review/compose.h"

#include <string.h>

#include "milter/decide/programs.h"
#include "tests/support/draw.h"
#include "tests/support/noticing.h"

struct scene {
    struct world *world;
    struct decision *decision;
    struct notice *notice;
};

static void begin(struct scene *scene, gconstpointer unused)
{
    scene->world = world_new();
    noticing_begin(scene->world);
}

static void finish(struct scene *scene, gconstpointer unused)
{
    g_clear_pointer(&scene->notice, notice_free);
    g_clear_pointer(&scene->decision, decision_free);
    reviewing_end(scene->world);
    world_free(scene->world);
}

/* Decides, carries out as 7.2 would, and composes. The text of what is told, or NULL; borrowed. */
static const char *compose(struct scene *scene)
{
    static char *text;

    g_clear_pointer(&text, g_free);
    g_clear_pointer(&scene->notice, notice_free);
    g_clear_pointer(&scene->decision, decision_free);
    scene->decision = world_decide(scene->world);
    const struct inputs inputs = world_inputs(scene->world);
    scene->notice = compose_outcome(&inputs, scene->decision);
    if (scene->notice == NULL)
        return NULL;
    noticing_check(scene->notice);
    text = noticing_read(scene->notice);
    return text;
}

static void hold_conflicts(struct world *world)
{
    world->policy->label_conflict.kind = OUTCOME_HOLD;
    g_free(world->policy->label_conflict.queue);
    world->policy->label_conflict.queue = g_strdup("labels");
}

static void write_conflict(struct world *world)
{
    hold_conflicts(world);
    world_usual(world, "秘密");
    world_text(world, PLACE_SUBJECT, 0, "【机密】");
    world_to(world, "<an@agency.gov.cn>");
}

/* ---------------------------------------------------------------- to whom */
static void test_main_address(struct scene *scene, gconstpointer unused)
{
    struct person *bo = world_find(scene->world, "bo");

    g_ptr_array_add(bo->addresses, g_strdup("office@agency.gov.cn"));
    world_usual(scene->world, "机密");
    world_from(scene->world, "<office@agency.gov.cn>"); /* a mailbox that others read */
    world_to(scene->world, "<an@agency.gov.cn>");
    world_to(scene->world, "<ni@agency.gov.cn>");
    g_assert_nonnull(compose(scene));
    g_assert_cmpstr(scene->notice->addressee, ==, "bo@agency.gov.cn");
    g_assert_true(scene->notice->is_failure);
    g_assert_cmpint(scene->notice->kind, ==, NOTICE_OUTCOME);
    g_assert_cmpstr(scene->notice->reference, ==, "MIJI-abc234");
}

/* Case 16. */
static void test_peer(struct scene *scene, gconstpointer unused)
{
    world_partner(scene->world);
    world_from(scene->world, "<P@ministry.gov.cn>");
    world_field(scene->world, "X-Classification", "秘密");
    world_to(scene->world, "<mi@agency.gov.cn>");
    world_to(scene->world, "<ni@agency.gov.cn>");
    g_assert_nonnull(compose(scene));
    g_assert_cmpstr(scene->notice->addressee, ==, "P@ministry.gov.cn");
    g_assert_true(scene->notice->is_failure);

    /* What is held is a courtesy, which peers do not get. */
    world_new_message(scene->world);
    world_from(scene->world, "<p@ministry.gov.cn>");
    world_field(scene->world, "X-Classification", "秘密");
    world_text(scene->world, PLACE_SUBJECT, 0, "【内部】");
    world_to(scene->world, "<mi@agency.gov.cn>");
    hold_conflicts(scene->world);
    g_assert_null(compose(scene));
    g_assert_cmpint(world_recipient(scene->decision, "mi@agency.gov.cn")->fate, ==, FATE_HELD);
}

static void test_nobody(struct scene *scene, gconstpointer unused)
{
    world_internet(scene->world);
    world_from(scene->world, "<x@example.net>");
    world_field(scene->world, "X-Classification", "机密");
    world_to(scene->world, "<an@agency.gov.cn>");
    g_assert_null(compose(scene));

    world_new_message(scene->world); /* case 75: never in answer to a null sender */
    world_usual(scene->world, "机密");
    world_from(scene->world, "<>");
    world_to(scene->world, "<ni@agency.gov.cn>");
    g_assert_null(compose(scene));
}

/* ---------------------------------------------------------------- of whom */
/* Cases 76 and 74. */
static void test_never(struct scene *scene, gconstpointer unused)
{
    world_usual(scene->world, "机密");
    world_to(scene->world, "<an@agency.gov.cn>");
    world_to(scene->world, "<ni@agency.gov.cn>")->notify = g_strdup("never");
    g_assert_null(compose(scene));

    world_to(scene->world, "<Delme@agency.gov.cn>");
    world_to(scene->world, "<delme@agency.gov.cn>");
    const char *text = compose(scene);
    g_assert_nonnull(strstr(text, "Delme@agency.gov.cn"));
    g_assert_null(strstr(text, "Final-Recipient: rfc822; delme@"));
    g_assert_null(strstr(text, "ni@agency.gov.cn"));
    g_assert_null(strstr(text, "an@agency.gov.cn"));
}

static void test_told_once(struct scene *scene, gconstpointer unused)
{
    struct past_entry open = {.state = PAST_HELD, .hold = 1};

    write_conflict(scene->world);
    g_assert_nonnull(compose(scene));
    for (guint i = 0; i < scene->decision->recipients->len; i++)
        ((struct decided_recipient *)g_ptr_array_index(scene->decision->recipients, i))->past = &open;
    const struct inputs inputs = world_inputs(scene->world);
    g_assert_null(compose_outcome(&inputs, scene->decision));
}

/* ---------------------------------------------------------------- courtesies */
static void test_programs(struct scene *scene, gconstpointer unused)
{
    static const struct {
        const char *name, *value;
        gboolean told;
    } fields[] = {{"Auto-Submitted", "auto-replied", FALSE},
                  {"auto-submitted", "auto-generated; type=x", FALSE},
                  {"Auto-Submitted", "", FALSE},
                  {"Auto-Submitted", "No (a person)", TRUE},
                  {"Precedence", "bulk", FALSE},
                  {"Precedence", "List", FALSE},
                  {"Precedence", "junk;", FALSE},
                  {"Precedence", "first-class", TRUE},
                  {"List-Id", "<x.example.net>", FALSE},
                  {"List-Post", "<mailto:x@example.net>", TRUE}};

    for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
        world_new_message(scene->world);
        write_conflict(scene->world);
        world_field(scene->world, fields[i].name, fields[i].value);
        g_assert_cmpint(compose(scene) != NULL, ==, fields[i].told);
        g_assert_cmpint(facts_are_of_programs(scene->world->facts), ==, !fields[i].told);

        /* What was refused is always told. */
        world_to(scene->world, "<gu@agency.gov.cn>");
        const char *text = compose(scene);
        g_assert_nonnull(strstr(text, "gu@agency.gov.cn"));
        g_assert_cmpint(strstr(text, "an@agency.gov.cn") != NULL, ==, fields[i].told);
    }
    g_assert_false(facts_are_of_programs(NULL));
}

static void test_queue_is_silent(struct scene *scene, gconstpointer unused)
{
    write_conflict(scene->world);
    reviewing_queue(scene->world, "labels")->tell_sender = FALSE;
    g_assert_null(compose(scene));
}

static guint ended(struct scene *scene, struct noticing_hold *held, enum ending ending)
{
    g_autoptr(GPtrArray) notices = compose_end(&scene->world->snapshot, &held->hold, &held->recorded,
                                               held->canonical, ending, NULL, scene->world->now);

    return notices->len;
}

/* N2: released is a courtesy, the others are not. */
static void test_end_courtesies(struct scene *scene, gconstpointer unused)
{
    write_conflict(scene->world);
    g_autoptr(noticing_hold) of_bo = noticing_hold_new(scene->world, SENDER_PERSON);
    g_autoptr(noticing_hold) of_peer = noticing_hold_new(scene->world, SENDER_PEER);
    g_autoptr(noticing_hold) of_device = noticing_hold_new(scene->world, SENDER_DEVICE);

    g_assert_cmpuint(ended(scene, of_bo, ENDING_RELEASED), ==, 1);
    g_assert_cmpuint(ended(scene, of_peer, ENDING_RELEASED), ==, 0);
    g_assert_cmpuint(ended(scene, of_peer, ENDING_REFUSED), ==, 1);
    g_assert_cmpuint(ended(scene, of_device, ENDING_REFUSED), ==, 0);
    of_bo->hold.courtesy = FALSE;
    g_assert_cmpuint(ended(scene, of_bo, ENDING_RELEASED), ==, 0);
    g_assert_cmpuint(ended(scene, of_bo, ENDING_EXPIRED), ==, 1);
    of_bo->hold.courtesy = TRUE;
    reviewing_queue(scene->world, "labels")->tell_sender = FALSE;
    g_assert_cmpuint(ended(scene, of_bo, ENDING_RELEASED), ==, 0);
    g_assert_cmpuint(ended(scene, of_bo, ENDING_REFUSED), ==, 1);
    of_bo->hold.sender = (char *)"";
    g_assert_cmpuint(ended(scene, of_bo, ENDING_REFUSED), ==, 0);
}

/* Case 71: those inside who may know of it, and only if it did not arrive. */
static void test_end_outside(struct scene *scene, gconstpointer unused)
{
    struct world *world = scene->world;

    world_internet(world);
    world_from(world, "<x@example.net>");
    world_to(world, "<gu@agency.gov.cn>");
    world_to(world, "<Gu@agency.gov.cn>");
    world_to(world, "<an@agency.gov.cn>");
    world_to(world, "<new@agency.gov.cn>"); /* nobody knows: up to the lowest level */
    world_to(world, "<y@example.org>");
    g_autoptr(noticing_hold) held = noticing_hold_new(world, SENDER_OUTSIDE);
    g_assert_cmpuint(ended(scene, held, ENDING_RELEASED), ==, 0);
    g_assert_cmpuint(ended(scene, held, ENDING_EXPIRED), ==, 3);
    g_ptr_array_set_size(held->canonical, 1);
    g_assert_cmpuint(ended(scene, held, ENDING_REFUSED), ==, 1);
    g_ptr_array_add(held->canonical, (gpointer) "an@agency.gov.cn");

    g_autoptr(label) secret = label_new(schemes_home(world->schemes), world_level(world, "秘密"));
    label_set_join(held->label, secret);
    g_assert_cmpuint(ended(scene, held, ENDING_REFUSED), ==, 1); /* an */
    held->hold.label = NULL;                                     /* not known: system high, which an is not */
    g_assert_cmpuint(ended(scene, held, ENDING_REFUSED), ==, 0);
    world_to(world, "<gao@agency.gov.cn>");
    g_ptr_array_add(held->canonical, (gpointer) "gao@agency.gov.cn");
    g_assert_cmpuint(ended(scene, held, ENDING_REFUSED), ==, 1);

    g_hash_table_add(world->down, g_strdup("gao@agency.gov.cn")); /* what cannot be told is no */
    g_assert_cmpuint(ended(scene, held, ENDING_REFUSED), ==, 0);
    held->hold.label = held->label;
    world->snapshot.conf->notices.tell_recipients = FALSE;
    g_assert_cmpuint(ended(scene, held, ENDING_REFUSED), ==, 0);
}

/* ---------------------------------------------------------------- what is not said */
/* Of the lowest level only, and only where nothing is in doubt. */
static void test_subject(struct scene *scene, gconstpointer unused)
{
    static const struct {
        const char *level;
        gboolean said;
    } levels[] = {{"公开", TRUE}, {"内部", FALSE}, {"机密", FALSE}, {"机秘", FALSE}, {NULL, TRUE}};

    scene->world->policy->unlabelled_inside.kind = OUTCOME_HOLD;
    scene->world->policy->unlabelled_inside.queue = g_strdup("labels");
    for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
        world_new_message(scene->world);
        world_usual(scene->world, levels[i].level);
        if (levels[i].level != NULL) /* repeated: held */
            world_field(scene->world, "X-Classification", levels[i].level);
        world_field(scene->world, "Subject", "lunch on Friday");
        world_to(scene->world, "<an@agency.gov.cn>");
        const char *text = compose(scene);
        g_assert_nonnull(text);
        g_assert_cmpint(strstr(text, "lunch on Friday") != NULL, ==, levels[i].said);
    }
    world_finding(scene->world, FINDING_ENCRYPTED, 1); /* what is in it, nobody knows */
    g_assert_null(strstr(compose(scene), "lunch on Friday"));
}

/* A reason that is told without level hides the label, too (8, told n). */
static void test_without_level(struct scene *scene, gconstpointer unused)
{
    write_conflict(scene->world);
    g_assert_nonnull(strstr(compose(scene), "Classification: 机密"));
    struct decided_recipient *an = g_ptr_array_index(scene->decision->recipients, 0);
    struct reason below = {.id = REASON_THREAD_DOWNGRADE, .check = CHECK_THREAD, .answer = CHECK_DENY};
    an->leading = &below;
    const struct inputs inputs = world_inputs(scene->world);
    struct notice *notice = compose_outcome(&inputs, scene->decision);
    g_autofree char *text = noticing_read(notice);
    g_assert_nonnull(strstr(text, "Marked below the message it answers"));
    g_assert_null(strstr(text, "机密"));
    notice_free(notice);
}

static void test_neutral(struct scene *scene, gconstpointer unused)
{
    static const enum reason_id ids[] = {REASON_MIXED_REFUSAL, REASON_INSPECTOR_FAILED};
    static const char *const said[] = {"Not accepted under the security policy", "cannot be checked"};

    write_conflict(scene->world);
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_assert_nonnull(compose(scene));
        struct decided_recipient *an = g_ptr_array_index(scene->decision->recipients, 0);
        struct reason reason = {.id = ids[i], .check = CHECK_SENDER, .answer = CHECK_DENY};
        an->leading = &reason;
        an->verdict = VERDICT_REFUSE;
        an->fate = FATE_REFUSED;
        const struct inputs inputs = world_inputs(scene->world);
        struct notice *notice = compose_outcome(&inputs, scene->decision);
        g_autofree char *text = noticing_read(notice);
        g_assert_nonnull(strstr(text, said[i]));
        g_assert_nonnull(strstr(text, "Status: 5.7.1"));
        g_assert_null(strstr(text, "later"));
        notice_free(notice);
    }
}

/* ---------------------------------------------------------------- how large */
static void test_many(struct scene *scene, gconstpointer unused)
{
    world_usual(scene->world, "机密");
    world_to(scene->world, "<an@agency.gov.cn>");
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *to = g_strdup_printf("<r%03u@agency.gov.cn>", i);
        world_to(scene->world, to);
    }
    scene->world->snapshot.conf->notices.language_count = 1;
    const char *text = compose(scene);
    guint listed = 0;
    for (const char *p = text; (p = strstr(p, "Final-Recipient:")) != NULL; p++)
        listed++;
    g_assert_cmpuint(listed, >=, 15);
    g_assert_cmpuint(listed, <=, 50);
    g_autofree char *more = g_strdup_printf("另有 %u 个收件人", 1000 - listed);
    g_assert_nonnull(strstr(text, more));
}

/* No name, no value, however it is made, makes a field or a part of its own, or more than 8 KiB. */
static char *draw_octets(gsize longest)
{
    static const char *const pieces[] = {"\r\nBcc: <evil@example.net>\r\n",
                                         "\n\nbody",
                                         "\r",
                                         "\0x",
                                         "机密",
                                         "\xff\xfe",
                                         "\xe2\x80\xae",
                                         "=?UTF-8?B?eA==?=",
                                         " ",
                                         "\t",
                                         "<",
                                         ">",
                                         "\"",
                                         "%s%n",
                                         "{0}",
                                         "\001none",
                                         ";",
                                         "+0A",
                                         "+0D+0A",
                                         "a",
                                         "@",
                                         "--=_",
                                         "."};
    gsize length = (gsize)g_test_rand_int_range(0, (gint)longest);
    GString *out = g_string_new(NULL);

    while (out->len < length)
        g_string_append(out, pieces[g_test_rand_int_range(0, G_N_ELEMENTS(pieces))]);
    return g_string_free(out, FALSE);
}

static char *draw_address(void)
{
    g_autofree char *local = draw_octets(g_test_rand_bit() ? 300 : 20);

    return g_strdup_printf("<%s@agency.gov.cn>", local);
}

static void draw_message(struct world *world)
{
    guint count = (guint)g_test_rand_int_range(1, g_test_rand_bit() ? 80 : 4);
    g_autofree char *parameters = draw_octets(60), *subject = draw_octets(400);
    g_autofree char *mail = g_strconcat("ENVID=", parameters, " ", NULL);

    world_new_message(world);
    world_usual(world, g_test_rand_bit() ? "机密" : "公开");
    envelope_set_sender(world->envelope, "<bo@agency.gov.cn>", mail);
    world_field(world, "Subject", subject);
    for (guint i = 0; i < count; i++) {
        g_autofree char *given = draw_address(), *orcpt = draw_octets(100);
        struct envelope_recipient *recipient = world_to(world, given);
        recipient->orcpt = g_strconcat(g_test_rand_bit() ? "rfc822;" : "utf-8;", orcpt, NULL);
    }
}

/* As if the message could have been split whatever the addresses are: decide refuses strange ones as a whole.
 */
static void refuse_some(struct decision *decision)
{
    decision->tells = TRUE;
    decision->act = ACT_ACCEPT;
    for (guint i = 0; i < decision->recipients->len; i++) {
        struct decided_recipient *recipient = g_ptr_array_index(decision->recipients, i);
        recipient->fate = recipient->leading == NULL ? FATE_STAYS : i % 3 == 2 ? FATE_HELD : FATE_REFUSED;
    }
}

static void test_property(struct scene *scene, gconstpointer unused)
{
    struct conf *conf = scene->world->snapshot.conf;
    guint told = 0;

    for (guint n = 0; n < 150; n++) {
        g_free(conf->notices.contact);
        conf->notices.contact = draw_octets(500);
        conf->notices.language_count = (guint)g_test_rand_int_range(1, 3);
        draw_message(scene->world);
        g_autoptr(decision) decision = world_decide(scene->world);
        refuse_some(decision);
        const struct inputs inputs = world_inputs(scene->world);
        struct notice *notice = compose_outcome(&inputs, decision);
        if (notice == NULL)
            continue;
        told++;
        noticing_check(notice);
        struct notice *again = compose_outcome(&inputs, decision);
        g_assert_cmpmem(notice->text, notice->length, again->text, again->length);
        notice_free(again);
        notice_free(notice);
    }
    g_assert_cmpuint(told, >=, 50);
}

static void test_property_end(struct scene *scene, gconstpointer unused)
{
    for (guint n = 0; n < 150; n++) {
        g_autofree char *note = draw_octets(2000), *display = draw_octets(300), *sender = draw_octets(400);
        draw_message(scene->world);
        enum sender_class class = g_test_rand_bit() ? SENDER_PERSON : SENDER_OUTSIDE;
        g_autoptr(noticing_hold) held = noticing_hold_new(scene->world, class);
        held->hold.display = display;
        if (class == SENDER_OUTSIDE)
            held->hold.sender = sender;
        g_autoptr(GPtrArray) notices =
            compose_end(&scene->world->snapshot, &held->hold, &held->recorded, held->canonical,
                        (enum ending)g_test_rand_int_range(0, 3), note, scene->world->now);
        for (guint i = 0; i < notices->len; i++)
            noticing_check(g_ptr_array_index(notices, i));
    }
}

/* Invariant 17: no octet of subject, text or mark that was found; of the lowest level the subject itself. */
static void test_canary(void)
{
    guint told = 0;

    for (guint n = 0; n < 300; n++) {
        g_autoptr(world) world = draw_world();
        g_autoptr(decision) decision = world_decide(world);
        refuse_some(decision);
        const struct inputs inputs = world_inputs(world);
        struct notice *notice = compose_outcome(&inputs, decision);
        if (notice != NULL) {
            g_autofree char *text = noticing_read(notice);
            char *title = strstr(text, "主题 / Subject: ");
            if (title != NULL)
                title[0] = '\0'; /* behind it is the contact at most */
            told++;
            g_assert_null(strstr(text, DRAW_CANARY));
        }
        notice_free(notice);
    }
    g_assert_cmpuint(told, >=, 30);
}

#define ADD(name, function) g_test_add("/review/compose/" name, struct scene, NULL, begin, function, finish)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    ADD("main-address", test_main_address);
    ADD("peer", test_peer);
    ADD("nobody", test_nobody);
    ADD("never", test_never);
    ADD("told-once", test_told_once);
    ADD("programs", test_programs);
    ADD("queue-is-silent", test_queue_is_silent);
    ADD("end-courtesies", test_end_courtesies);
    ADD("end-outside", test_end_outside);
    ADD("subject", test_subject);
    ADD("without-level", test_without_level);
    ADD("neutral", test_neutral);
    ADD("many", test_many);
    ADD("property", test_property);
    ADD("property-end", test_property_end);
    g_test_add_func("/review/compose/canary", test_canary);
    return g_test_run();
}
