/* What queues, archives, roles, notices and the statements around them leave in the configuration. */
#include "milter/conf/review.h"

#include <string.h>

#include "tests/support/conf_folder.h"

#define FLAGS (SNAPSHOT_NO_DIRECTORY | SNAPSHOT_NO_HOST)
#define HOUR_MS ((gint64)3600 * 1000)

#define KEPT                                      \
    "key file \"keys/store.key\"\n"               \
    "listen \"unix:release.sock\" role release\n" \
    "release through \"inet:10026@127.0.0.1\"\n"  \
    "role administrator \"root@agency.gov.cn\"\n" \
    "role officer members of \"cn=baomi\"\n"      \
    "role officer \"Wang@Agency.GOV.cn\"\n"       \
    "role auditor \"a@agency.gov.cn\", \"b@agency.gov.cn\"\n"

static const char written[] =
    "queue \"labels\" {\n"
    "    reviewers members of \"cn=baomi, dc=agency\", \"Wang@Agency.GOV.cn\"\n"
    "    deadline 24h then hold in \"last\"; tell sender; recipients may vote no\n"
    "}\n"
    "queue \"last\" { reviewers \"wang@agency.gov.cn\"; tell reviewers }\n"
    "archive \"a\" { keep 3y }\n"
    "archive \"b\" { keep for the label's duration, at least 10y; takes 机密 and above }\n"
    "archive \"c\" { keep 30d; takes everything }\n"
    "notices { from Miji@Agency.gov.cn; language en, zh; contact \"8001\"; tell recipients no }\n"
    "release within 3d\nrelease doubt resend\nkeep closed holds 60d\nremember attempts 5d\ndefer at most 2h\n"
    "outside mixed hold refused\nlabel conflict hold in \"last\"\nsome recipients not cleared split\n"
    "undecidable { label hold in \"labels\"; otherwise refuse }\nunlabelled { from inside hold in \"last\" "
    "}\n"
    "zone \"local\" { carries up to 公开 otherwise hold in \"labels\" }\n" CONF_BASE KEPT;

static const struct who *who_at(const GPtrArray *people, guint i)
{
    g_assert_cmpuint(people->len, >, i);
    return g_ptr_array_index(people, i);
}

static void is_who(const GPtrArray *people, guint i, enum who_kind kind, const char *value)
{
    g_assert_cmpint(who_at(people, i)->kind, ==, kind);
    g_assert_cmpstr(who_at(people, i)->value, ==, value);
}

static void test_queues(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, written, FLAGS, NULL, NULL);

    g_assert_nonnull(snapshot);
    g_assert_cmpuint(snapshot->conf->queues->len, ==, 2);
    const struct queue *labels = g_ptr_array_index(snapshot->conf->queues, 0);
    const struct queue *last = queues_find(snapshot->conf->queues, "last");
    g_assert_true(last == g_ptr_array_index(snapshot->conf->queues, 1));
    g_assert_null(queues_find(snapshot->conf->queues, "Last"));
    g_assert_cmpstr(labels->name, ==, "labels");
    g_assert_cmpuint(labels->reviewers->len, ==, 2);
    is_who(labels->reviewers, 0, WHO_MEMBERS, "cn=baomi, dc=agency");
    is_who(labels->reviewers, 1, WHO_ADDRESS, "wang@agency.gov.cn");
    g_assert_cmpint(labels->deadline_ms, ==, 24 * HOUR_MS);
    g_assert_cmpstr(labels->then_queue, ==, "last");
    g_assert_true(labels->tell_sender && !labels->tell_reviewers && !labels->recipients_may_vote);
    g_assert_cmpint(last->deadline_ms, ==, 72 * HOUR_MS);
    g_assert_null(last->then_queue);
    g_assert_true(!last->tell_sender && last->tell_reviewers && last->recipients_may_vote);
    /* decide has their names in this order: the first is the one that is meant where none is named */
    g_assert_cmpuint(snapshot->policy->queues->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(snapshot->policy->queues, 0), ==, "labels");
    g_assert_cmpstr(g_ptr_array_index(snapshot->policy->queues, 1), ==, "last");
}

static void test_archives(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, written, FLAGS, NULL, NULL);

    g_assert_nonnull(snapshot);
    g_assert_cmpuint(snapshot->conf->archives->len, ==, 3);
    const struct archive *a = g_ptr_array_index(snapshot->conf->archives, 0);
    const struct archive *b = g_ptr_array_index(snapshot->conf->archives, 1);
    const struct archive *c = g_ptr_array_index(snapshot->conf->archives, 2);
    g_assert_cmpstr(a->name, ==, "a");
    g_assert_cmpint(a->takes, ==, TAKES_BY_RULES);
    g_assert_false(a->for_label);
    g_assert_cmpint(a->keep_ms, ==, 3 * 365 * 24 * HOUR_MS);
    g_assert_cmpint(b->takes, ==, TAKES_LEVEL);
    g_assert_true(b->scheme == schemes_home(snapshot->schemes));
    g_assert_cmpstr(b->level->name, ==, "机密");
    g_assert_true(b->for_label);
    g_assert_cmpint(b->keep_ms, ==, (gint64)10 * 365 * 24 * HOUR_MS);
    g_assert_cmpint(c->takes, ==, TAKES_EVERYTHING);
}

static void test_people_and_times(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, written, FLAGS, NULL, NULL);
    g_autofree char *key = g_build_filename(folder->path, "keys/store.key", NULL);

    g_assert_nonnull(snapshot);
    const struct conf *conf = snapshot->conf;
    is_who(conf->roles[ROLE_ADMINISTRATOR], 0, WHO_ADDRESS, "root@agency.gov.cn");
    g_assert_cmpuint(conf->roles[ROLE_OFFICER]->len, ==, 2);
    is_who(conf->roles[ROLE_OFFICER], 0, WHO_MEMBERS, "cn=baomi");
    is_who(conf->roles[ROLE_OFFICER], 1, WHO_ADDRESS, "wang@agency.gov.cn");
    is_who(conf->roles[ROLE_AUDITOR], 1, WHO_ADDRESS, "b@agency.gov.cn");
    g_assert_cmpstr(role_name(ROLE_AUDITOR), ==, "auditor");
    g_assert_cmpstr(conf->key_file, ==, key);
    g_assert_null(conf->key_credential);
    g_assert_cmpstr(conf->release_through, ==, "inet:10026@127.0.0.1");
    g_assert_cmpstr(conf_listener(conf, ROLE_RELEASE)->address + strlen("unix:") + strlen(folder->path), ==,
                    "/release.sock");
    g_assert_null(conf_listener(conf, ROLE_LOCAL));
    g_assert_cmpint(conf->release_within_ms, ==, 72 * HOUR_MS);
    g_assert_true(conf->release_doubt_resend);
    g_assert_cmpint(conf->keep_closed_ms, ==, 60 * 24 * HOUR_MS);
    g_assert_cmpint(conf->remember_attempts_ms, ==, 5 * 24 * HOUR_MS);
    g_assert_cmpstr(conf->notices.from, ==, "miji@agency.gov.cn");
    g_assert_cmpuint(conf->notices.language_count, ==, 2);
    g_assert_cmpint(conf->notices.languages[0], ==, LANGUAGE_EN);
    g_assert_cmpint(conf->notices.languages[1], ==, LANGUAGE_ZH);
    g_assert_cmpstr(conf->notices.contact, ==, "8001");
    g_assert_false(conf->notices.tell_recipients);
}

static void is_hold(const struct outcome *outcome, const char *queue)
{
    g_assert_cmpint(outcome->kind, ==, OUTCOME_HOLD);
    g_assert_cmpstr(outcome->queue, ==, queue);
}

static void test_policy(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, written, FLAGS, NULL, NULL);

    g_assert_nonnull(snapshot);
    const struct policy *policy = snapshot->policy;
    const struct undecidable_line *line = g_ptr_array_index(policy->undecidable, 0);
    is_hold(&policy->label_conflict, "last");
    is_hold(&policy->unlabelled_inside, "last");
    is_hold(&line->outcome, "labels");
    is_hold(&snapshot->zones->local->limit_otherwise, "labels");
    g_assert_true(policy->outside_hold_refused);
    g_assert_false(policy->refuse_all);
    g_assert_cmpint(policy->defer_at_most_ms, ==, 2 * HOUR_MS);
    g_assert_cmpstr(policy->contact, ==, "8001");
}

static void test_defaults(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, CONF_BASE, FLAGS, NULL, NULL);

    g_assert_nonnull(snapshot);
    const struct conf *conf = snapshot->conf;
    g_assert_cmpuint(conf->queues->len + conf->archives->len + snapshot->policy->queues->len, ==, 0);
    for (guint i = 0; i < ROLE_COUNT; i++)
        g_assert_cmpuint(conf->roles[i]->len, ==, 0);
    g_assert_null(conf->key_file);
    g_assert_null(conf->release_through);
    g_assert_cmpint(conf->release_within_ms, ==, 7 * 24 * HOUR_MS);
    g_assert_false(conf->release_doubt_resend);
    g_assert_cmpint(conf->keep_closed_ms, ==, 30 * 24 * HOUR_MS);
    g_assert_cmpint(conf->remember_attempts_ms, ==, 7 * 24 * HOUR_MS);
    g_assert_null(conf->notices.from);
    g_assert_null(conf->notices.contact);
    g_assert_cmpuint(conf->notices.language_count, ==, 2);
    g_assert_cmpint(conf->notices.languages[0], ==, LANGUAGE_ZH);
    g_assert_cmpint(conf->notices.languages[1], ==, LANGUAGE_EN);
    g_assert_true(conf->notices.tell_recipients);
    g_assert_cmpint(snapshot->policy->defer_at_most_ms, ==, 4 * HOUR_MS);
    g_assert_false(snapshot->policy->outside_hold_refused);
}

static void test_one_language(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot =
        conf_folder_load(folder, CONF_BASE "notices { language ZH }\n", FLAGS, NULL, NULL);

    g_assert_nonnull(snapshot);
    g_assert_cmpuint(snapshot->conf->notices.language_count, ==, 1);
    g_assert_cmpint(snapshot->conf->notices.languages[0], ==, LANGUAGE_ZH);
}

/* A credential lies in the folder that systemd names to the service, and that root finds while the service
 * runs. */
static void test_credential(void)
{
    static const char text[] = CONF_BASE "key credential \"store\"\n";
    g_autoptr(conf_folder) folder = conf_folder_new();

    g_setenv("CREDENTIALS_DIRECTORY", "/run/credentials/other", TRUE);
    g_autoptr(snapshot) within = conf_folder_load(folder, text, FLAGS, NULL, NULL);
    g_unsetenv("CREDENTIALS_DIRECTORY");
    g_autoptr(snapshot) without = conf_folder_load(folder, text, FLAGS, NULL, NULL);
    g_assert_cmpstr(within->conf->key_file, ==, "/run/credentials/other/store");
    g_assert_cmpstr(within->conf->key_credential, ==, "store");
    g_assert_cmpstr(without->conf->key_file, ==, "/run/credentials/miji.service/store");
    g_assert_cmpstr(without->conf->key_credential, ==, "store");
}

/* A queue in which mail waits does not go away unseen. */
static void test_keeps_queues(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();
    g_autoptr(snapshot) snapshot = conf_folder_load(folder, written, FLAGS, NULL, NULL);
    g_autoptr(diagnostics) good = diagnostics_new(snapshot->sources);
    g_autoptr(diagnostics) bad = diagnostics_new(snapshot->sources);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    g_assert_true(snapshot_keeps_queues(snapshot, names, good));
    g_ptr_array_add(names, "last");
    g_ptr_array_add(names, "labels");
    g_assert_true(snapshot_keeps_queues(snapshot, names, good));
    g_assert_cmpuint(diagnostics_errors(good), ==, 0);
    g_ptr_array_add(names, "个人信息");
    g_ptr_array_add(names, "old");
    g_assert_false(snapshot_keeps_queues(snapshot, names, bad));
    g_assert_cmpuint(diagnostics_errors(bad), ==, 2);
    g_autofree char *text = diagnostics_render(bad, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_autofree char *chinese = diagnostics_render(bad, DIAGNOSTIC_LINE, LANGUAGE_ZH);
    g_assert_nonnull(strstr(text, "/miji.conf:"));
    g_assert_nonnull(
        strstr(text, "error: mail still waits in queue \"old\", which is no longer written [missing]"));
    g_assert_nonnull(
        strstr(chinese, "错误：审核队列 \"个人信息\" 中仍有待审邮件，配置中却已没有该队列 [missing]"));
}

/* The order is that of the text, with what it includes in its place. */
static void test_order_over_files(void)
{
    g_autoptr(conf_folder) folder = conf_folder_new();

    conf_folder_write(folder, "queues.conf",
                      "queue \"one\" { reviewers \"x@agency.gov.cn\" }\n"
                      "queue \"two\" { reviewers \"x@agency.gov.cn\"; deadline 1d then hold in \"zero\" }\n",
                      0644);
    g_autoptr(snapshot) snapshot = conf_folder_load(
        folder,
        CONF_BASE KEPT "label conflict hold in \"two\"\nqueue \"zero\" { reviewers \"x@agency.gov.cn\" }\n"
                       "include \"queues.conf\"\n",
        FLAGS, NULL, NULL);
    g_assert_nonnull(snapshot);
    g_assert_cmpuint(snapshot->policy->queues->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(snapshot->policy->queues, 0), ==, "zero");
    g_assert_cmpstr(g_ptr_array_index(snapshot->policy->queues, 1), ==, "one");
    g_assert_cmpstr(g_ptr_array_index(snapshot->policy->queues, 2), ==, "two");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/conf/review/queues", test_queues);
    g_test_add_func("/conf/review/archives", test_archives);
    g_test_add_func("/conf/review/people-and-times", test_people_and_times);
    g_test_add_func("/conf/review/policy", test_policy);
    g_test_add_func("/conf/review/defaults", test_defaults);
    g_test_add_func("/conf/review/one-language", test_one_language);
    g_test_add_func("/conf/review/credential", test_credential);
    g_test_add_func("/conf/review/keeps-queues", test_keeps_queues);
    g_test_add_func("/conf/review/order-over-files", test_order_over_files);
    return g_test_run();
}
