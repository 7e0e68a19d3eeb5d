/* Groups by their DN: who are their direct members. A real server, a file, people in memory. */
#include "policy/person/directory.h"

#include <glib/gstdio.h>
#include <string.h>

#include "policy/person/dn.h"
#include "policy/person/limits.h"
#include "tests/support/asking.h"
#include "tests/support/schemes.h"
#include "tests/support/slapd.h"

#define BO "uid=bo,ou=财务处,dc=x"
#define MANY 1200 /* more than other attributes may have values */

static struct schemes *schemes;

static const char TREE[] =
    "dn: ou=财务处,dc=x\nobjectClass: organizationalUnit\nou: 财务处\n\n"
    "dn: " BO "\nobjectClass: inetOrgPerson\nuid: bo\ncn: bo\nsn: bo\nmail: bo@x.cn\n\n"
    "dn: uid=ni,dc=x\nobjectClass: inetOrgPerson\nuid: ni\ncn: ni\nsn: ni\nmail: ni@x.cn\n\n"
    "dn: ou=groups,dc=x\nobjectClass: organizationalUnit\nou: groups\n\n"
    "dn: cn=baomi,ou=groups,dc=x\nobjectClass: groupOfNames\ncn: baomi\n"
    "member: UID=Bo, ou=财务处, dc=x\nmember: uid=gone,dc=x\n\n"
    "dn: cn=unique,ou=groups,dc=x\nobjectClass: groupOfUniqueNames\ncn: unique\n"
    "uniqueMember: uid=ni,dc=x#'0101'B\n\n";

/* Of the base: people only, so that groups lie outside. */
static struct directory *open_at(const char *url)
{
    struct directory_settings *settings = directory_settings_new();
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(settings->urls, g_strdup(url));
    settings->base = g_strdup("ou=财务处,dc=x");
    settings->answer_within_ms = settings->connect_within_ms = 10000;
    struct directory *directory = directory_open(settings, schemes, &error);
    g_assert_no_error(error);
    return directory;
}

static struct person *somebody(const char *dn, const char *login)
{
    struct person *person = person_new(schemes, dn);

    if (login != NULL)
        g_ptr_array_add(person->logins, g_strdup(login));
    return person;
}

static gboolean has_member(const struct person *group, const char *dn, const char *login)
{
    g_autoptr(person) person = somebody(dn, login);

    return person_is_member(group, person);
}

static void expect_groups(struct directory *directory)
{
    struct directory_query *query = NULL;
    const struct person *group;

    group = ask_one(directory, &query, ASK_MEMBERS, "cn=baomi,ou=groups,dc=x").person;
    g_assert_nonnull(group);
    g_assert_cmpint(group->kind, ==, PERSON_GROUP);
    g_assert_cmpuint(group->members->len, ==, 2);
    g_assert_false(group->members_cut);
    g_assert_true(has_member(group, BO, NULL));
    g_assert_false(has_member(group, "uid=bo,dc=x", NULL));
    g_assert_false(has_member(group, "uid=ni,dc=x", "ni"));
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "CN=Baomi, OU=groups, dc=x"), ==, ANSWER_FOUND);
    group = ask_one(directory, &query, ASK_MEMBERS, "cn=unique,ou=groups,dc=x").person;
    g_assert_nonnull(group);
    g_assert_true(has_member(group, "uid=ni,dc=x", NULL));
    /* nobody, no group, no DN, and no way to ask for more than one entry */
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "cn=nobody,ou=groups,dc=x"), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, BO), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "baomi"), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, ""), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "*"), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "ou=groups,dc=x"), ==, ANSWER_ABSENT);
    directory_query_free(query);
}

/* With people in one query: one search for them, one for each group; then the cache. */
static void expect_searches(struct directory *directory)
{
    static const char *const groups[] = {"cn=baomi,ou=groups,dc=x", "cn=unique,ou=groups,dc=x"};
    guint64 before = asking_searches(directory);

    for (guint round = 0; round < 2; round++) {
        g_autoptr(directory_query) query = directory_query_new(directory);
        directory_query_add(query, ASK_LOGIN, "bo");
        directory_query_add(query, ASK_MEMBERS, groups[0]);
        directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
        directory_query_add(query, ASK_MEMBERS, groups[1]);
        directory_query_add(query, ASK_ADDRESS, "nobody@x.cn");
        g_assert_true(directory_query_wait(query, g_get_monotonic_time() + 20 * G_USEC_PER_SEC));
        struct person_answer bo = directory_query_answer(query, ASK_LOGIN, "bo");
        struct person_answer baomi = directory_query_answer(query, ASK_MEMBERS, groups[0]);
        g_assert_cmpint(bo.state, ==, ANSWER_FOUND);
        g_assert_cmpint(baomi.state, ==, ANSWER_FOUND);
        g_assert_true(bo.person && baomi.person && person_is_member(baomi.person, bo.person));
        g_assert_cmpint(directory_query_answer(query, ASK_MEMBERS, groups[1]).state, ==, ANSWER_FOUND);
        g_assert_cmpint(directory_query_answer(query, ASK_ADDRESS, "nobody@x.cn").state, ==, ANSWER_ABSENT);
    }
    g_assert_cmpuint(asking_searches(directory) - before, ==, 3);
}

static char *many_members(void)
{
    GString *out = g_string_new("dn: cn=many,ou=groups,dc=x\nobjectClass: groupOfNames\ncn: many\n");

    for (guint i = 0; i < MANY; i++)
        g_string_append_printf(out, "member: uid=m%u,dc=x\n", i);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

static void expect_many(struct directory *directory)
{
    struct directory_query *query = NULL;
    const struct person *group = ask_one(directory, &query, ASK_MEMBERS, "cn=many,ou=groups,dc=x").person;

    g_assert_nonnull(group);
    g_assert_cmpuint(group->members->len, ==, MANY);
    g_assert_false(group->members_cut);
    g_assert_true(has_member(group, "uid=m1199,dc=x", NULL));
    directory_query_free(query);
}

static void test_server(void)
{
    g_autofree char *many = many_members();
    g_autofree char *ldif = g_strconcat(TREE, many, NULL);
    struct slapd *slapd = slapd_new(ldif, NULL);

    slapd_start(slapd);
    struct directory *fresh = open_at(slapd_url(slapd, "ldap"));
    expect_searches(fresh);
    directory_unref(fresh);
    struct directory *directory = open_at(slapd_url(slapd, "ldap"));
    expect_groups(directory);
    expect_many(directory);
    directory_unref(directory);
    directory = open_at(slapd_url(slapd, "ldap"));
    slapd_stop(slapd);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "cn=baomi,ou=groups,dc=x"), ==, ANSWER_UNAVAILABLE);
    directory_unref(directory);
    slapd_free(slapd);
}

static struct directory *open_file(const char *path, const char *ldif)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = g_strconcat("file:", path, NULL);

    g_file_set_contents(path, ldif, -1, &error);
    g_assert_no_error(error);
    return open_at(url);
}

static void test_file(void)
{
    g_autofree char *folder = g_dir_make_tmp("miji-group-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "people.ldif", NULL);
    g_autofree char *many = many_members();
    g_autofree char *ldif = g_strconcat(
        TREE, many,
        "dn: cn=unix,dc=x\nobjectClass: posixGroup\nmemberUid: Bo\nmemberUid: root\nmail: unix@x.cn\n", NULL);
    g_autoptr(directory) directory = open_file(path, ldif);
    struct directory_query *query = NULL;

    expect_groups(directory);
    expect_many(directory);
    const struct person *group = ask_one(directory, &query, ASK_MEMBERS, "cn=unix,dc=x").person;
    g_assert_nonnull(group);
    g_assert_true(has_member(group, "uid=any,dc=y", "bO"));
    g_assert_false(has_member(group, "uid=bo,dc=x", NULL));
    /* outside the base it is no recipient */
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "unix@x.cn"), ==, ANSWER_ABSENT);
    directory_query_free(query);
    g_unlink(path);
    g_rmdir(folder);
}

/* Those above the limit are no members, and the group says that it was cut. */
static void test_too_many(void)
{
    g_autofree char *folder = g_dir_make_tmp("miji-group-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "people.ldif", NULL);
    g_autoptr(GString) ldif = g_string_new("dn: cn=all,dc=x\nobjectClass: groupOfNames\n");
    struct directory_query *query = NULL;

    for (guint i = 0; i <= ENTRY_MAX_MEMBERS; i++)
        g_string_append_printf(ldif, "member: uid=m%u,dc=x\n", i);
    g_autoptr(directory) directory = open_file(path, ldif->str);
    const struct person *group = ask_one(directory, &query, ASK_MEMBERS, "cn=all,dc=x").person;
    g_assert_nonnull(group);
    g_assert_true(group->members_cut);
    g_assert_cmpuint(group->members->len, ==, ENTRY_MAX_MEMBERS);
    g_assert_true(has_member(group, "uid=m4999,dc=x", NULL));
    g_assert_false(has_member(group, "uid=m5000,dc=x", NULL));
    directory_query_free(query);
    g_unlink(path);
    g_rmdir(folder);
}

static gboolean is_down(const char *value, gpointer data)
{
    return strcmp(value, data) == 0;
}

static void test_memory(void)
{
    GPtrArray *people = g_ptr_array_new();
    char down[] = "cn=down,dc=x";

    for (guint i = 0; i < 4; i++) {
        static const char *const names[] = {"cn=baomi,dc=x", "cn=down,dc=x", "cn=twin,dc=x", "CN=Twin,dc=x"};
        struct person *group = somebody(names[i], NULL);
        group->kind = PERSON_GROUP;
        person_add_member(group, BO);
        g_ptr_array_add(people, group);
    }
    g_ptr_array_add(people, somebody(BO, "bo"));
    g_autoptr(directory) directory = directory_of_people(people, is_down, down);
    struct directory_query *query = NULL;
    const struct person *group = ask_one(directory, &query, ASK_MEMBERS, "cn=BAOMI,dc=x").person;
    g_assert_true(group && has_member(group, BO, NULL));
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "cn=down,dc=x"), ==, ANSWER_UNAVAILABLE);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "cn=twin,dc=x"), ==, ANSWER_AMBIGUOUS);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, "cn=none,dc=x"), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_MEMBERS, BO), ==, ANSWER_ABSENT);
    directory_query_free(query);
}

static void expect_key(const char *dn, const char *expected)
{
    g_autofree char *key = dn_key(dn);

    g_assert_cmpstr(key, ==, expected);
}

static void test_key(void)
{
    expect_key("UID=Bo, OU=财务处 ,dc=X", "uid=bo,ou=财务处,dc=x");
    expect_key("cn=a\\2Cb,dc=x", "cn=a\\2cb,dc=x");
    expect_key("cn=a\\,b,dc=x", "cn=a\\2cb,dc=x");
    expect_key("", NULL);
    expect_key("bo", NULL);
    expect_key("cn=a,,dc=x", NULL);
}

int main(int argc, char **argv)
{
    int failed;

    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    schemes = support_schemes();
    g_test_add_func("/person/group/server", test_server);
    g_test_add_func("/person/group/file", test_file);
    g_test_add_func("/person/group/too-many", test_too_many);
    g_test_add_func("/person/group/memory", test_memory);
    g_test_add_func("/person/group/key", test_key);
    failed = g_test_run();
    schemes_unref(schemes);
    return failed;
}
