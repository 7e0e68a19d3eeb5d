#include "policy/person/directory.h"

#include <pthread.h>
#include <string.h>

#include "policy/person/limits.h"
#include "tests/support/asking.h"
#include "tests/support/schemes.h"
#include "tests/support/slapd.h"

/* What a real server answers. What it does not answer, and when, is in ldap_failure_test.c. */

#define MANY 120

static struct schemes *schemes;
static struct slapd *slapd;

static const char LIMITS[] = "limits dn.exact=\"cn=limited,dc=x\" size.soft=7 size.hard=7\n";

static char *tree(void)
{
    GString *out = g_string_new(
        "dn: ou=财务处,dc=x\nobjectClass: organizationalUnit\nou: 财务处\n\n"
        "dn: uid=bo,ou=财务处,dc=x\nobjectClass: inetOrgPerson\nobjectClass: mijiPerson\nuid: bo\ncn: "
        "柏松\nsn: 柏\n"
        "mail: Bo@x.cn\nmail: bo.song@x.cn\nmijiClearance: 机密\nmijiClearance: 绝密 专项 密码 until "
        "2099-12-31\n"
        "mijiVerified: TRUE\ndescription: not asked for\n\n"
        "dn: uid=ni,dc=x\nobjectClass: inetOrgPerson\nobjectClass: mijiPerson\nuid: ni\ncn: ni\nsn: "
        "ni\nmail: ni@x.cn\n"
        "mijiClearance: 机秘\n\n"
        "dn: uid=t1,dc=x\nobjectClass: inetOrgPerson\nuid: t1\ncn: t\nsn: t\nmail: twin@x.cn\nmail: "
        "t1@x.cn\n\n"
        "dn: uid=t2,dc=x\nobjectClass: inetOrgPerson\nuid: t2\ncn: t\nsn: t\nmail: TWIN@x.cn\n\n"
        "dn: cn=all,dc=x\nobjectClass: groupOfNames\nobjectClass: mijiGroup\ncn: all\nmember: "
        "uid=ni,dc=x\nmail: all@x.cn\n\n"
        "dn: cn=limited,dc=x\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: "
        "limited\n"
        "userPassword: secret\n\n"
        "dn: ou=partial,dc=x\nobjectClass: organizationalUnit\nou: partial\n\n"
        "dn: uid=pa,ou=partial,dc=x\nobjectClass: inetOrgPerson\nuid: pa\ncn: pa\nsn: pa\nmail: pa@x.cn\n\n"
        "dn: ou=away,ou=partial,dc=x\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\n"
        "ref: ldap://127.0.0.1:1/ou=away,dc=y\n\n"
        "dn: ou=many,dc=x\nobjectClass: organizationalUnit\nou: many\n\n");

    for (guint i = 0; i < MANY; i++)
        g_string_append_printf(out,
                               "dn: uid=m%u,ou=many,dc=x\nobjectClass: inetOrgPerson\nuid: m%u\ncn: m\nsn: "
                               "m\nmail: m%u@x.cn\n\n",
                               i, i, i);
    return g_string_free(out, FALSE);
}

static struct directory_settings *settings_new(const char *base)
{
    struct directory_settings *settings = directory_settings_new();

    g_ptr_array_add(settings->urls, g_strdup(slapd_url(slapd, "ldap")));
    settings->base = g_strdup(base);
    settings->verified_attribute = g_strdup("mijiVerified");
    settings->answer_within_ms = 10000;
    settings->connect_within_ms = 10000;
    return settings;
}

static struct directory *open_with(struct directory_settings *settings)
{
    g_autoptr(GError) error = NULL;
    struct directory *directory = directory_open(settings, schemes, &error);

    g_assert_no_error(error);
    return directory;
}

/* The base of most tests: without the referral below ou=partial, which would make every absence unclear. */
static void test_people(void)
{
    g_autoptr(directory) directory = open_with(settings_new("ou=财务处,dc=x"));
    struct directory_query *query = NULL;
    const struct person *bo = ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").person;

    g_assert_nonnull(bo);
    g_assert_cmpstr(bo->id, ==, "uid=bo,ou=财务处,dc=x");
    g_assert_cmpstr(bo->name, ==, "柏松");
    g_assert_cmpstr(bo->unit, ==, "ou=财务处,dc=x");
    g_assert_cmpint(bo->kind, ==, PERSON_PERSON);
    g_assert_true(bo->verified);
    g_assert_cmpuint(bo->addresses->len, ==, 2);
    g_assert_true(person_has_address(bo, "bo@x.cn") && person_has_address(bo, "bo.song@x.cn"));
    g_assert_cmpuint(bo->clearances->len, ==, 2);
    g_assert_null(bo->clearance_unreadable);
    g_assert_true(ask_one(directory, &query, ASK_LOGIN, "BO").person != NULL);
    g_assert_true(ask_one(directory, &query, ASK_CERTIFICATE, "bo").person != NULL);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "nobody@x.cn"), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "bo"), ==, ANSWER_ABSENT);
    g_assert_cmpint(ask_state(directory, ASK_LOGIN, "bo@x.cn"), ==, ANSWER_ABSENT);
    directory_query_free(query);
}

static void test_other_answers(void)
{
    g_autoptr(directory) directory = open_with(settings_new("dc=x"));
    struct directory_query *query = NULL;
    const struct person *person;

    /* Below dc=x lies ou=away, of another server: nobody can be said to be absent, or found alone. */
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "nobody@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "bo@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_autofree char *where = asking_where(directory);
    g_assert_true(strstr(where, "parts of the base lie on other servers") != NULL);
    slapd_modify(slapd,
                 "dn: ou=away,ou=partial,dc=x\ncontrol: 2.16.840.1.113730.3.4.2 true\nchangetype: delete\n");
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "nobody@x.cn"), ==, ANSWER_ABSENT);
    g_autofree char *now = asking_where(directory);
    g_assert_cmpstr(now, ==, slapd_url(slapd, "ldap"));
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "twin@x.cn"), ==, ANSWER_AMBIGUOUS);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "t1@x.cn"), ==, ANSWER_FOUND);
    person = ask_one(directory, &query, ASK_ADDRESS, "all@x.cn").person;
    g_assert_nonnull(person);
    g_assert_cmpint(person->kind, ==, PERSON_GROUP);
    person = ask_one(directory, &query, ASK_ADDRESS, "ni@x.cn").person;
    g_assert_nonnull(person);
    g_assert_true(g_str_has_prefix(person->clearance_unreadable, "mijiClearance \"机秘\": "));
    directory_query_free(query);
}

static void test_no_such_base(void)
{
    g_autoptr(directory) directory = open_with(settings_new("dc=y"));

    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "bo@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_autofree char *where = asking_where(directory);
    g_autofree char *expected = g_strconcat(slapd_url(slapd, "ldap"), ": No such object", NULL);
    g_assert_cmpstr(where, ==, expected);
}

/* Values are data, whatever they look like in a filter. */
static void test_injection(void)
{
    static const char *const values[] = {
        "*",    "*@x.cn", "bo@x.c*",    "*)(uid=*", "bo@x.cn)(mail=*", "\\2a",         "bo)(|(uid=*",
        "bo\\", "%s",     "(|(uid=*))", "bo@x.cn*", "bo@x.cn\x01\x7f", "\xff\xfe@x.cn"};
    g_autoptr(directory) directory = open_with(settings_new("ou=财务处,dc=x"));
    g_autoptr(directory_query) query = directory_query_new(directory);

    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        directory_query_add(query, ASK_ADDRESS, values[i]);
        directory_query_add(query, ASK_LOGIN, values[i]);
        directory_query_add(query, ASK_CERTIFICATE, values[i]);
    }
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    g_assert_true(directory_query_wait(query, g_get_monotonic_time() + 20 * G_USEC_PER_SEC));
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_test_message("value %u", i);
        g_assert_cmpint(directory_query_answer(query, ASK_ADDRESS, values[i]).state, ==, ANSWER_ABSENT);
        g_assert_cmpint(directory_query_answer(query, ASK_LOGIN, values[i]).state, ==, ANSWER_ABSENT);
        g_assert_cmpint(directory_query_answer(query, ASK_CERTIFICATE, values[i]).state, ==, ANSWER_ABSENT);
    }
    g_assert_cmpint(directory_query_answer(query, ASK_ADDRESS, "bo@x.cn").state, ==, ANSWER_FOUND);
}

/* Asks for m0 … and as many strangers; how many of each came out right. */
static guint ask_many(struct directory *directory, guint count)
{
    g_autoptr(directory_query) query = directory_query_new(directory);
    guint right = 0;

    for (guint i = 0; i < count; i++) {
        g_autofree char *member = g_strdup_printf("m%u@x.cn", i);
        g_autofree char *stranger = g_strdup_printf("s%u@x.cn", i);

        directory_query_add(query, ASK_ADDRESS, member);
        directory_query_add(query, ASK_ADDRESS, stranger);
    }
    directory_query_send(query);
    g_assert_true(directory_query_wait(query, g_get_monotonic_time() + 20 * G_USEC_PER_SEC));
    for (guint i = 0; i < count; i++) {
        g_autofree char *member = g_strdup_printf("m%u@x.cn", i);
        g_autofree char *stranger = g_strdup_printf("s%u@x.cn", i);
        struct person_answer answer = directory_query_answer(query, ASK_ADDRESS, member);

        right += answer.state == ANSWER_FOUND && person_has_address(answer.person, member);
        right += directory_query_answer(query, ASK_ADDRESS, stranger).state == ANSWER_ABSENT;
    }
    return right;
}

static void test_batches(void)
{
    g_autoptr(directory) directory = open_with(settings_new("ou=many,dc=x"));

    g_assert_cmpuint(ask_many(directory, 25), ==, 50);
    g_assert_cmpuint(asking_searches(directory), ==, 1); /* fifty questions, one search */
    g_assert_cmpuint(ask_many(directory, 25), ==, 50);
    g_assert_cmpuint(asking_searches(directory), ==, 1); /* the cache knows them all */
    g_assert_cmpuint(ask_many(directory, MANY), ==, 2 * MANY);
    g_assert_cmpuint(asking_searches(directory), ==, 1 + 4); /* 190 more in searches of fifty */
}

/* A server that gives seven entries at most still answers for fifty people, and says so when two have one
 * address. */
static void test_size_limit(void)
{
    struct directory_settings *settings = settings_new("dc=x");
    g_autofree char *path = slapd_file(slapd, "limited.password");

    g_file_set_contents_full(path, "secret\n", -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
    settings->bind = BIND_SIMPLE;
    settings->bind_dn = g_strdup("cn=limited,dc=x");
    settings->bind_password_file = g_strdup(path);
    g_autoptr(directory) directory = open_with(settings);
    g_assert_cmpuint(ask_many(directory, 60), ==, 120);
    g_assert_cmpuint(asking_searches(directory), >, 3);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "twin@x.cn"), ==, ANSWER_AMBIGUOUS);
}

/* A filter that finds everybody: more than two entries answer no question, but the one that is asked for is
 * clear. */
static void test_wide_filter(void)
{
    struct directory_settings *settings = settings_new("ou=many,dc=x");

    g_free(settings->person_filter);
    settings->person_filter = g_strdup("(|(objectClass=inetOrgPerson)(mail=%s))");
    g_autoptr(directory) directory = open_with(settings);
    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, "nobody@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_autofree char *where = asking_where(directory);
    g_assert_true(strstr(where, "Size limit exceeded") != NULL);
}

static void test_expiry(void)
{
    struct directory_settings *settings = settings_new("ou=many,dc=x");
    gint64 deadline_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    settings->refresh_ms = 100;
    g_autoptr(directory) directory = open_with(settings);
    g_assert_cmpint(ask_state(directory, ASK_LOGIN, "fresh"), ==, ANSWER_ABSENT);
    slapd_modify(slapd,
                 "dn: uid=fresh,ou=many,dc=x\nchangetype: add\nobjectClass: inetOrgPerson\ncn: f\nsn: f\n");
    while (ask_state(directory, ASK_LOGIN, "fresh") != ANSWER_FOUND && g_get_monotonic_time() < deadline_us)
        g_usleep(5000);
    slapd_modify(slapd, "dn: uid=fresh,ou=many,dc=x\nchangetype: delete\n");
    while (ask_state(directory, ASK_LOGIN, "fresh") != ANSWER_ABSENT && g_get_monotonic_time() < deadline_us)
        g_usleep(5000);
    g_assert_cmpint(g_get_monotonic_time(), <, deadline_us);
}

/* ---- eight threads, one directory */

static void *ask_in_thread(void *data)
{
    struct directory *directory = data;
    guint wrong = 0;

    for (guint i = 0; i < 100; i++) {
        g_autoptr(directory_query) query = directory_query_new(directory);
        g_autofree char *member = g_strdup_printf("m%u@x.cn", i % 30);
        g_autofree char *stranger = g_strdup_printf("s%u@x.cn", i % 20);

        directory_query_add(query, ASK_ADDRESS, member);
        directory_query_send(query);
        directory_query_add(query, ASK_ADDRESS, stranger);
        directory_query_wait(query, g_get_monotonic_time() + 20 * G_USEC_PER_SEC);
        wrong += directory_query_answer(query, ASK_ADDRESS, member).state != ANSWER_FOUND;
        wrong += directory_query_answer(query, ASK_ADDRESS, stranger).state != ANSWER_ABSENT;
    }
    return GUINT_TO_POINTER(wrong);
}

static void test_threads(void)
{
    struct directory_settings *settings = settings_new("ou=many,dc=x");
    pthread_t threads[8];

    settings->refresh_ms = 20;
    g_autoptr(directory) directory = open_with(settings);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, ask_in_thread, directory);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        g_assert_cmpuint(GPOINTER_TO_UINT(wrong), ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_autofree char *ldif = tree();
    int failed;

    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    schemes = support_schemes();
    slapd = slapd_new(ldif, LIMITS);
    slapd_start(slapd);
    g_test_add_func("/person/ldap/answers/people", test_people);
    g_test_add_func("/person/ldap/answers/other", test_other_answers);
    g_test_add_func("/person/ldap/answers/no-such-base", test_no_such_base);
    g_test_add_func("/person/ldap/answers/injection", test_injection);
    g_test_add_func("/person/ldap/answers/batches", test_batches);
    g_test_add_func("/person/ldap/answers/size-limit", test_size_limit);
    g_test_add_func("/person/ldap/answers/wide-filter", test_wide_filter);
    g_test_add_func("/person/ldap/answers/expiry", test_expiry);
    g_test_add_func("/person/ldap/answers/threads", test_threads);
    failed = g_test_run();
    slapd_free(slapd);
    schemes_unref(schemes);
    return failed;
}
