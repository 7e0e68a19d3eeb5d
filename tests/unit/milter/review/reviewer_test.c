/* Who is at the control socket, and what that person may do with a hold. */
#include "milter/review/reviewer.h"

#include <string.h>

#include "tests/support/reviewing.h"
#include "tests/support/schemes.h"

struct desk {
    struct world *world;
    struct hold hold;
};

static void add_recipient(struct hold *hold, const char *canonical)
{
    struct hold_recipient *recipient = g_new0(struct hold_recipient, 1);

    recipient->canonical = g_strdup(canonical);
    g_ptr_array_add(hold->recipients, recipient);
}

static void recipient_free(gpointer data)
{
    struct hold_recipient *recipient = data;

    g_free(recipient->canonical);
    g_free(recipient);
}

/* A hold of mi's mail to ni in "labels", E 秘密. */
static void begin(struct desk *desk)
{
    g_autoptr(label) label = NULL;

    desk->world = world_new();
    reviewing_begin(desk->world);
    desk->hold = (struct hold){.kind = KIND_HOLD,
                               .sender = (char *)"mi@agency.gov.cn",
                               .login = (char *)"mi",
                               .authors = (char *)"mi@agency.gov.cn",
                               .slip = {.queue = (char *)"labels"}};
    desk->hold.recipients = g_ptr_array_new_with_free_func(recipient_free);
    add_recipient(&desk->hold, "ni@agency.gov.cn");
    desk->hold.label = label_set_new();
    label = support_label(desk->world->schemes, "秘密", NULL);
    label_set_join(desk->hold.label, label);
}

static void end(struct desk *desk)
{
    g_clear_pointer(&desk->hold.label, label_set_free);
    g_ptr_array_unref(desk->hold.recipients);
    reviewing_end(desk->world);
    world_free(desk->world);
}

static void set_label(struct desk *desk, const char *level)
{
    g_autoptr(label) label = level != NULL ? support_label(desk->world->schemes, level, NULL) : NULL;

    g_clear_pointer(&desk->hold.label, label_set_free);
    desk->hold.label = label != NULL ? label_set_new() : NULL;
    if (label != NULL)
        label_set_join(desk->hold.label, label);
}

static struct reviewer *who(const struct desk *desk, const char *login)
{
    return reviewer_of_login(&desk->world->snapshot, 1000, login);
}

static void expect(const struct desk *desk, const char *login, enum may list, enum may read, enum may vote)
{
    g_autoptr(reviewer) reviewer = who(desk, login);
    const struct snapshot *snapshot = &desk->world->snapshot;

    g_test_message("%s", login);
    g_assert_cmpint(reviewer_may_list(snapshot, reviewer, &desk->hold), ==, list);
    g_assert_cmpint(reviewer_may_read(snapshot, reviewer, &desk->hold), ==, read);
    g_assert_cmpint(reviewer_may_vote(snapshot, reviewer, &desk->hold), ==, vote);
}

static void test_who(void)
{
    struct desk desk;

    begin(&desk);
    g_autoptr(reviewer) an = who(&desk, "AN");
    g_assert_cmpstr(reviewer_name(an), ==, "an@agency.gov.cn");
    g_assert_true(an->roles[ROLE_OFFICER] && !an->roles[ROLE_AUDITOR] && !an->roles[ROLE_ADMINISTRATOR]);
    g_assert_cmpuint(an->queues->len, ==, 1);
    g_assert_false(an->unavailable || reviewer_has_two_roles(an));
    g_autoptr(reviewer) cai = who(&desk, "cai");
    g_assert_cmpuint(cai->queues->len, ==, 1);
    g_assert_cmpstr(((struct queue *)g_ptr_array_index(cai->queues, 0))->name, ==, "finance");
    g_autoptr(reviewer) shen = who(&desk, "shen");
    g_assert_true(shen->roles[ROLE_AUDITOR]);
    g_autoptr(reviewer) you = who(&desk, "you");
    g_assert_true(you->roles[ROLE_ADMINISTRATOR] && !you->is_root);
    g_autoptr(reviewer) stranger = who(&desk, "stranger");
    g_assert_true(stranger->person == NULL && !stranger->unavailable);
    g_assert_cmpstr(reviewer_name(stranger), ==, "uid 1000");
    g_autoptr(reviewer) nameless = who(&desk, NULL);
    g_assert_true(nameless->person == NULL && !nameless->unavailable);
    end(&desk);
}

/* The uids of this host: root is no person, whatever the directory has; nobody is the person "nobody". */
static void test_uids(void)
{
    struct desk desk;

    begin(&desk);
    g_autoptr(reviewer) root = reviewer_find(&desk.world->snapshot, 0);
    g_assert_true(root->is_root && root->person == NULL && root->roles[ROLE_ADMINISTRATOR]);
    g_assert_cmpstr(reviewer_name(root), ==, "root");
    g_assert_cmpint(reviewer_may_list(&desk.world->snapshot, root, &desk.hold), ==, MAY);
    g_assert_cmpint(reviewer_may_read(&desk.world->snapshot, root, &desk.hold), ==, MAY_NOT_REVIEWER);
    g_assert_cmpint(reviewer_may_vote(&desk.world->snapshot, root, &desk.hold), ==, MAY_NOT_REVIEWER);
    g_assert_cmpint(reviewer_may_settle(&desk.world->snapshot, root, &desk.hold), ==, MAY_NOT_REVIEWER);
    g_assert_cmpint(reviewer_may_read_label(&desk.world->snapshot, root, desk.hold.label), ==,
                    MAY_NOT_REVIEWER);
    g_autoptr(reviewer) nobody = reviewer_find(&desk.world->snapshot, 65534);
    g_assert_cmpstr(nobody->user, ==, "nobody");
    g_assert_cmpstr(reviewer_name(nobody), ==, "nobody@agency.gov.cn");
    g_autoptr(reviewer) nameless = reviewer_find(&desk.world->snapshot, 4211111);
    g_assert_null(nameless->user);
    g_assert_cmpstr(reviewer_name(nameless), ==, "uid 4211111");
    end(&desk);
}

static void test_rights(void)
{
    struct desk desk;

    begin(&desk);
    expect(&desk, "an", MAY, MAY, MAY);
    expect(&desk, "gao", MAY, MAY, MAY);
    expect(&desk, "shen", MAY, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    expect(&desk, "you", MAY, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    expect(&desk, "cai", MAY_NOT_REVIEWER, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    expect(&desk, "gu", MAY_NOT_REVIEWER, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    expect(&desk, "stranger", MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN);
    set_label(&desk, "绝密");
    expect(&desk, "an", MAY, MAY, MAY);
    expect(&desk, "hei", MAY, MAY_NOT_CLEARED, MAY_NOT_CLEARED);
    set_label(&desk, NULL);
    expect(&desk, "an", MAY, MAY_NOT_CLEARED, MAY_NOT_CLEARED);
    expect(&desk, "gao", MAY, MAY, MAY);
    desk.hold.label = label_set_new();
    expect(&desk, "an", MAY, MAY_NOT_CLEARED, MAY_NOT_CLEARED);
    /* another queue: officers see and read, but do not vote; a queue that is gone has no reviewers */
    set_label(&desk, "秘密");
    desk.hold.slip.queue = (char *)"finance";
    expect(&desk, "an", MAY, MAY, MAY_NOT_REVIEWER);
    expect(&desk, "cai", MAY, MAY, MAY);
    desk.hold.slip.queue = (char *)"gone";
    expect(&desk, "cai", MAY_NOT_REVIEWER, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    /* a copy that was kept of a refusal: officers only, and nothing to vote on */
    desk.hold.slip.queue = (char *)"finance";
    desk.hold.kind = KIND_REFUSED;
    expect(&desk, "cai", MAY_NOT_REVIEWER, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    expect(&desk, "an", MAY, MAY, MAY_NOT_REVIEWER);
    end(&desk);
}

static void test_own(void)
{
    struct desk desk;

    begin(&desk);
    desk.world->policy->recipient_delimiter = g_strdup("+");
    desk.hold.login = (char *)"An";
    expect(&desk, "an", MAY, MAY, MAY_NOT_OWN);
    desk.hold.login = NULL;
    desk.hold.sender = (char *)"an+x@agency.gov.cn";
    expect(&desk, "an", MAY, MAY, MAY_NOT_OWN);
    desk.hold.sender = (char *)"";
    desk.hold.authors = (char *)"mi@agency.gov.cn an@agency.gov.cn";
    expect(&desk, "an", MAY, MAY, MAY_NOT_OWN);
    desk.hold.authors = (char *)"";
    desk.hold.person = world_find(desk.world, "an")->id;
    expect(&desk, "an", MAY, MAY, MAY_NOT_OWN);
    g_autoptr(reviewer) an = who(&desk, "an");
    g_assert_cmpint(reviewer_may_settle(&desk.world->snapshot, an, &desk.hold), ==, MAY_NOT_OWN);
    desk.hold.person = NULL;
    desk.hold.owner_address = (char *)"an@agency.gov.cn";
    expect(&desk, "an", MAY, MAY, MAY_NOT_OWN);
    desk.hold.owner_address = NULL;
    expect(&desk, "an", MAY, MAY, MAY);
    g_assert_cmpint(reviewer_may_settle(&desk.world->snapshot, an, &desk.hold), ==, MAY);
    add_recipient(&desk.hold, "an+list@agency.gov.cn");
    expect(&desk, "an", MAY, MAY, MAY_NOT_RECIPIENT);
    end(&desk);
}

/* What the directory cannot say is no; and so is a role that it cannot tell. */
static void test_unavailable(void)
{
    struct desk desk;
    const char *group = "CN=baomi, " REVIEWING_GROUPS, *auditors = "CN=shenji, " REVIEWING_GROUPS;

    begin(&desk);
    g_hash_table_add(desk.world->down, g_strdup("an"));
    expect(&desk, "an", MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN);
    g_autoptr(reviewer) an = who(&desk, "an");
    g_assert_true(an->unavailable && an->person == NULL);
    g_hash_table_remove_all(desk.world->down);
    g_hash_table_add(desk.world->down, g_strdup(group));
    expect(&desk, "an", MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN);
    g_hash_table_remove_all(desk.world->down);
    g_hash_table_add(desk.world->down, g_strdup(auditors));
    expect(&desk, "an", MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN, MAY_NOT_UNKNOWN);
    g_hash_table_remove_all(desk.world->down);
    expect(&desk, "an", MAY, MAY, MAY);
    end(&desk);
}

static void test_two_roles(void)
{
    struct desk desk;

    begin(&desk);
    g_ptr_array_add(desk.world->conf->roles[ROLE_AUDITOR], who_new(WHO_ADDRESS, "an@agency.gov.cn"));
    g_autoptr(reviewer) an = who(&desk, "an");
    g_assert_true(reviewer_has_two_roles(an));
    expect(&desk, "an", MAY_NOT_REVIEWER, MAY_NOT_REVIEWER, MAY_NOT_REVIEWER);
    g_assert_cmpint(reviewer_may_settle(&desk.world->snapshot, an, &desk.hold), ==, MAY_NOT_REVIEWER);
    end(&desk);
}

static void test_archive(void)
{
    static const struct {
        const char *login, *level;
        enum may may;
    } cases[] = {{"an", "绝密", MAY},
                 {"hei", "绝密", MAY_NOT_CLEARED},
                 {"hei", "机密", MAY},
                 {"an", NULL, MAY_NOT_CLEARED},
                 {"gao", NULL, MAY},
                 {"cai", "公开", MAY_NOT_REVIEWER},
                 {"shen", "公开", MAY_NOT_REVIEWER},
                 {"you", "公开", MAY_NOT_REVIEWER},
                 {"stranger", "公开", MAY_NOT_UNKNOWN}};
    struct desk desk;

    begin(&desk);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(reviewer) reviewer = who(&desk, cases[i].login);
        g_test_message("case %u", i);
        set_label(&desk, cases[i].level);
        g_assert_cmpint(reviewer_may_read_label(&desk.world->snapshot, reviewer, desk.hold.label), ==,
                        cases[i].may);
    }
    end(&desk);
}

/* A clearance that ended a moment ago is none. */
static void test_ended_clearance(void)
{
    struct desk desk;

    begin(&desk);
    world_clear_person(desk.world, world_find(desk.world, "an"), "公开|绝密 until 2020-01-01");
    expect(&desk, "an", MAY, MAY_NOT_CLEARED, MAY_NOT_CLEARED);
    end(&desk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/reviewer/who", test_who);
    g_test_add_func("/review/reviewer/uids", test_uids);
    g_test_add_func("/review/reviewer/rights", test_rights);
    g_test_add_func("/review/reviewer/own", test_own);
    g_test_add_func("/review/reviewer/unavailable", test_unavailable);
    g_test_add_func("/review/reviewer/two-roles", test_two_roles);
    g_test_add_func("/review/reviewer/archive", test_archive);
    g_test_add_func("/review/reviewer/ended-clearance", test_ended_clearance);
    return g_test_run();
}
