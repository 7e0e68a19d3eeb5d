#include "policy/person/directory.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/person/entry.h"
#include "policy/person/limits.h"
#include "tests/support/asking.h"
#include "tests/support/schemes.h"

static struct schemes *schemes;
static char *directory_path, *path;

static const char PEOPLE[] =
    "dn: uid=bo,ou=财务处,dc=x\nobjectClass: inetOrgPerson\nuid: bo\ncn: 柏松\nmail: Bo@X.cn\nalias: "
    "bo.song@x.cn\n"
    "mijiClearance: 机密\nmijiClearance: 绝密 until 2099-12-31\nverified: true\nserial: CN-1\n\n"
    "dn: uid=ni,ou=people,dc=x\nuid: ni\nmail: ni@x.cn\nmail: no address\nmijiClearance: 机秘\nverified: "
    "FALSE\n\n"
    "dn: cn=all,ou=groups,dc=x\nobjectClass: top\nobjectClass: GROUPOFNAMES\nmail: all@x.cn\nunit: staff\n\n"
    "dn: uid=twin,dc=x\nuid: twin\nmail: bo.song@x.cn\n\n"
    "dn: uid=far,dc=y\nuid: far\nmail: far@x.cn\n";

static void write_people(const char *text)
{
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, text, -1, &error); /* by renaming */
    g_assert_no_error(error);
}

static struct directory_settings *settings_new(void)
{
    struct directory_settings *settings = directory_settings_new();

    g_ptr_array_add(settings->urls, g_strconcat("file:", path, NULL));
    settings->base = g_strdup("dc=x");
    g_free(settings->person_filter);
    settings->person_filter = g_strdup("(|(mail=%s)(alias=%s))");
    settings->verified_attribute = g_strdup("verified");
    g_free(settings->certificate_attribute);
    settings->certificate_attribute = g_strdup("serial");
    return settings;
}

static struct directory *open_directory(struct directory_settings *settings)
{
    g_autoptr(GError) error = NULL;
    struct directory *directory = directory_open(settings, schemes, &error);

    g_assert_no_error(error);
    return directory;
}

static void test_people(void)
{
    struct directory_query *query = NULL;
    const struct person *bo, *ni, *all;

    write_people(PEOPLE);
    g_autoptr(directory) directory = open_directory(settings_new());
    bo = ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").person;
    g_assert_nonnull(bo);
    g_assert_cmpstr(bo->id, ==, "uid=bo,ou=财务处,dc=x");
    g_assert_cmpstr(bo->name, ==, "柏松");
    g_assert_cmpstr(bo->unit, ==, "ou=财务处,dc=x");
    g_assert_cmpint(bo->kind, ==, PERSON_PERSON);
    g_assert_true(bo->verified);
    g_assert_cmpuint(bo->addresses->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(bo->addresses, 0), ==, "bo@x.cn");
    g_assert_cmpstr(g_ptr_array_index(bo->addresses, 1), ==, "bo.song@x.cn");
    g_assert_cmpuint(bo->clearances->len, ==, 2);
    g_assert_null(bo->clearance_unreadable);
    ni = ask_one(directory, &query, ASK_LOGIN, "NI").person;
    g_assert_nonnull(ni);
    g_assert_cmpuint(ni->addresses->len, ==, 1);
    g_assert_cmpuint(ni->clearances->len, ==, 0);
    g_assert_cmpstr(
        ni->clearance_unreadable, ==,
        "mijiClearance \"机秘\": clearance:1:1: error: no scheme has a level 机秘 [unknown-level]");
    g_assert_false(ni->verified);
    all = ask_one(directory, &query, ASK_ADDRESS, "all@x.cn").person;
    g_assert_nonnull(all);
    g_assert_cmpint(all->kind, ==, PERSON_GROUP);
    g_assert_cmpint(ask_one(directory, &query, ASK_CERTIFICATE, "cn-1").state, ==, ANSWER_FOUND);
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "bo.song@x.cn").state, ==, ANSWER_AMBIGUOUS);
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "far@x.cn").state, ==,
                    ANSWER_ABSENT); /* not below the base */
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "staff").state, ==, ANSWER_ABSENT);
    directory_query_free(query);
}

/* Categories and the end in attributes of their own, and all that makes a clearance unreadable. */
static void test_parts(void)
{
    static const struct {
        const char *attributes, *first, *unreadable;
    } cases[] = {
        {"mijiClearance: 机密\ncategory: 专项 密码\ncategory: 核\n", "机密 专项:密码,核", NULL},
        {"mijiClearance: 机密\nend: 20991231160000Z\n", "机密 before 2100-01-01", NULL},
        {"mijiClearance: 机密\ncategory: 电\n", "机密",
         "category \"电\": not a category set with its values, nor a value of one set alone"},
        {"mijiClearance: 机密\nend: tomorrow\n", "机密",
         "end \"tomorrow\": the end is not a generalized time"},
        {"mijiClearance: 机密\nend: 20991231160000Z\nend: 20981231160000Z\n", NULL,
         "end: more than one value"},
        {"mijiClearance: 机密\nmijiClearance:: /w==\n", "机密",
         "mijiClearance: a value is too long, or no UTF-8 text"},
        {"mijiClearance: 机密\ncategory:: AA==\n", "机密", "category: a value is too long, or no UTF-8 text"},
        {"mijiClearance;x-old: 绝密\n", NULL, NULL}, /* with an option: another attribute */
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct directory_settings *settings = settings_new();
        struct directory_query *query = NULL;
        const struct person *bo;

        g_test_message("case %u", i);
        settings->category_attribute = g_strdup("category");
        settings->clearance_until_attribute = g_strdup("end");
        settings->unit_attribute = g_strdup("uid");
        settings->time_zone = g_time_zone_new_identifier("Asia/Shanghai");
        g_autofree char *text =
            g_strconcat("dn: uid=bo,dc=x\nuid: bo\nmail: bo@x.cn\n", cases[i].attributes, NULL);
        write_people(text);
        g_autoptr(directory) directory = open_directory(settings);
        bo = ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").person;
        g_assert_nonnull(bo);
        g_assert_cmpstr(bo->unit, ==, "bo");
        g_assert_cmpstr(bo->clearance_unreadable, ==, cases[i].unreadable);
        if (cases[i].first != NULL) {
            g_autofree char *first = clearance_format(g_ptr_array_index(bo->clearances, 0));

            g_assert_cmpstr(first, ==, cases[i].first);
        }
        directory_query_free(query);
    }
}

static void test_too_many_clearances(void)
{
    g_autoptr(GString) text = g_string_new("dn: uid=bo,dc=x\nmail: bo@x.cn\n");
    struct directory_query *query = NULL;
    const struct person *bo;

    for (guint i = 0; i <= ENTRY_MAX_CLEARANCES; i++)
        g_string_append_printf(text, "mijiClearance: 机密 until 2%03u-12-31\n", i);
    write_people(text->str);
    g_autoptr(directory) directory = open_directory(settings_new());
    bo = ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").person;
    g_assert_cmpstr(bo->clearance_unreadable, ==, "mijiClearance: too many values");
    directory_query_free(query);
}

/* A changed file counts when the refresh time is over; one that went away or was spoiled is an outage, never
 * an empty directory. */
static void test_changes(void)
{
    struct directory_settings *settings = settings_new();
    struct directory_query *query = NULL;
    struct directory_status status;

    settings->refresh_ms = 0;
    write_people("dn: uid=bo,dc=x\nmail: bo@x.cn\n");
    g_autoptr(directory) directory = open_directory(settings);
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").state, ==, ANSWER_FOUND);
    write_people("dn: uid=gu,dc=x\nmail: gu@x.cn\n");
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").state, ==, ANSWER_ABSENT);
    g_assert_false(directory_query_outage(query));
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "gu@x.cn").state, ==, ANSWER_UNAVAILABLE);
    g_assert_true(directory_query_outage(query));
    write_people("no ldif\n");
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "gu@x.cn").state, ==, ANSWER_UNAVAILABLE);
    directory_get_status(directory, &status);
    g_assert_false(status.connected);
    g_assert_true(g_str_has_suffix(status.where, "people.ldif:1: expected ATTRIBUTE: value"));
    directory_status_clear(&status);
    write_people("dn: uid=gu,dc=x\nmail: gu@x.cn\n");
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "gu@x.cn").state, ==, ANSWER_FOUND);
    directory_get_status(directory, &status);
    g_assert_true(status.connected);
    g_assert_true(g_str_has_prefix(status.where, "1 entries of "));
    directory_status_clear(&status);
    directory_query_free(query);
}

static void test_not_refreshed_early(void)
{
    struct directory_query *query = NULL;

    write_people("dn: uid=bo,dc=x\nmail: bo@x.cn\n");
    g_autoptr(directory) directory = open_directory(settings_new());
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").state, ==, ANSWER_FOUND);
    directory_query_free(query);
}

/* A server is asked for nothing that is not needed, and for nothing twice. */
static void test_attributes(void)
{
    struct directory_settings *settings = settings_new();
    g_autoptr(person_filter) filter = person_filter_parse(settings->person_filter, NULL);
    struct mapping mapping = {settings, filter, schemes};
    const char **names = mapping_attributes(&mapping);
    g_autofree char *plain = g_strjoinv(" ", (char **)names);

    g_assert_cmpstr(plain, ==, "objectClass cn mail alias uid serial mijiClearance verified");
    g_free(names);
    settings->category_attribute = g_strdup("category");
    settings->clearance_until_attribute = g_strdup("end");
    settings->unit_attribute = g_strdup("UID");
    names = mapping_attributes(&mapping);
    g_autofree char *all = g_strjoinv(" ", (char **)names);
    g_assert_cmpstr(all, ==, "objectClass cn mail alias uid serial mijiClearance category end verified");
    g_free(names);
    directory_settings_free(settings);
}

/* ---- the files that come with Miji */

static struct directory *open_shipped(const char *name)
{
    const char *top = g_getenv("MIJI_TOP") != NULL ? g_getenv("MIJI_TOP") : ".";
    struct directory_settings *settings = settings_new();

    g_free(g_ptr_array_index(settings->urls, 0));
    settings->urls->pdata[0] = g_strdup_printf("file:%s/%s", top, name);
    g_free(settings->base);
    settings->base = g_strdup("dc=agency,dc=gov,dc=cn");
    return open_directory(settings);
}

/* What they may see, as one word for each person. */
static char *show_clearances(const struct person *person)
{
    g_autoptr(GString) out = g_string_new(person->clearance_unreadable != NULL ? "?" : "");

    for (guint i = 0; i < person->clearances->len; i++) {
        g_autofree char *text = clearance_format(g_ptr_array_index(person->clearances, i));

        g_string_append_printf(out, "%s%s", out->len > 0 ? "; " : "", text);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void test_shipped(void)
{
    static const struct {
        const char *address, *clearances;
        gboolean in_example;
    } people[] = {
        {"an@agency.gov.cn", "绝密", TRUE},
        {"bo@agency.gov.cn", "机密", TRUE},
        {"mi@agency.gov.cn", "秘密", TRUE},
        {"ni@agency.gov.cn", "内部", TRUE},
        {"gu@agency.gov.cn", "公开", TRUE},
        {"ra@agency.gov.cn", "机密", TRUE},
        {"boss@agency.gov.cn", "机密", TRUE},
        {"pa@agency.gov.cn", "秘密", TRUE},
        {"gao@agency.gov.cn", "绝密 专项:密码,核", TRUE},
        {"wu@agency.gov.cn", "", TRUE},
        {"li@agency.gov.cn", "内部", TRUE},
        {"p@ministry.gov.cn", "秘密", TRUE},
        {"al@agency.gov.cn", "内部", FALSE},
        {"hid@agency.gov.cn", "机密", FALSE},
        {"ma.mi@agency.gov.cn", "机密 知悉范围:一处 专项:密码", FALSE},
        {"lin@agency.gov.cn", "内部; 机密 before 2027-01-01", FALSE},
        {"shuang@agency.gov.cn", "秘密; 机密", FALSE},
        {"cuo@agency.gov.cn", "?", FALSE},
    };
    g_autoptr(directory) people_file = open_shipped("tests/data/people.ldif");
    g_autoptr(directory) example = open_shipped("ldap-schema/example.ldif");
    struct directory_query *query = NULL, *other = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(people); i++) {
        const struct person *person = ask_one(people_file, &query, ASK_ADDRESS, people[i].address).person;
        g_autofree char *clearances = person != NULL ? show_clearances(person) : NULL;

        g_test_message("%s", people[i].address);
        g_assert_cmpstr(clearances, ==, people[i].clearances);
        if (!people[i].in_example)
            continue;
        const struct person *same = ask_one(example, &other, ASK_ADDRESS, people[i].address).person;
        g_autofree char *same_clearances = same != NULL ? show_clearances(same) : NULL;
        g_assert_cmpstr(same_clearances, ==, people[i].clearances);
        g_assert_cmpstr(same->id, ==, person->id);
        g_assert_cmpstr(same->name, ==, person->name);
        g_assert_cmpint(same->kind, ==, person->kind);
    }
    g_assert_cmpint(ask_state(people_file, ASK_ADDRESS, "twin@agency.gov.cn"), ==, ANSWER_AMBIGUOUS);
    directory_query_free(query);
    directory_query_free(other);
}

static void expect_refused(struct directory_settings *settings, const char *problem)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(directory_open(settings, schemes, &error));
    g_assert_nonnull(error);
    if (error != NULL)
        g_assert_true(g_str_has_suffix(error->message, problem));
}

static void test_refused(void)
{
    struct directory_settings *settings = settings_new();

    g_unlink(path);
    expect_refused(settings, "people.ldif: cannot be opened: No such file or directory");
    write_people("cn: a\n");
    expect_refused(settings_new(), "people.ldif:1: an entry begins with dn:");
    write_people("");
    settings = settings_new();
    g_ptr_array_add(settings->urls, g_strdup("ldaps://x"));
    expect_refused(settings, "a directory in a file is one file");
    settings = settings_new();
    g_free(settings->person_filter);
    settings->person_filter = g_strdup("(&(mail=%s)(status=active))");
    expect_refused(settings, "or several of them in (|…)");
    settings = settings_new();
    g_free(g_ptr_array_index(settings->urls, 0));
    settings->urls->pdata[0] = g_strconcat("file:", directory_path, NULL);
    expect_refused(settings, "is no regular file of at most 64 MB");
    g_unlink(path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    expect_refused(settings_new(), "is no regular file of at most 64 MB");
    g_unlink(path);
}

int main(int argc, char **argv)
{
    int failed;

    g_setenv("TZ", "Asia/Shanghai", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    schemes = support_schemes();
    directory_path = g_dir_make_tmp("miji-file-XXXXXX", NULL);
    path = g_build_filename(directory_path, "people.ldif", NULL);
    g_test_add_func("/person/file/people", test_people);
    g_test_add_func("/person/file/parts", test_parts);
    g_test_add_func("/person/file/too-many-clearances", test_too_many_clearances);
    g_test_add_func("/person/file/changes", test_changes);
    g_test_add_func("/person/file/not-refreshed-early", test_not_refreshed_early);
    g_test_add_func("/person/file/attributes", test_attributes);
    g_test_add_func("/person/file/shipped", test_shipped);
    g_test_add_func("/person/file/refused", test_refused);
    failed = g_test_run();
    g_unlink(path);
    g_rmdir(directory_path);
    g_free(path);
    g_free(directory_path);
    schemes_unref(schemes);
    return failed;
}
