#include "policy/person/directory.h"

#include <string.h>

static struct person *make_person(struct schemes *schemes, const char *address, const char *login)
{
    g_autofree char *dn = g_strdup_printf("uid=%s,dc=x", login);
    struct person *person = person_new(schemes, dn);

    g_ptr_array_add(person->addresses, g_strdup(address));
    g_ptr_array_add(person->logins, g_strdup(login));
    return person;
}

static enum answer_state state_of(const struct directory_query *query, const char *address)
{
    return directory_query_answer(query, ASK_ADDRESS, address).state;
}

static gboolean is_down(const char *value, gpointer data)
{
    const char *who = data;

    return strcmp(who, "all") == 0 || strcmp(value, who) == 0;
}

static void test_memory(void)
{
    g_autoptr(schemes) schemes = schemes_new();
    GPtrArray *people = g_ptr_array_new();
    char who[32] = "ni@x.cn";

    g_ptr_array_add(people, make_person(schemes, "bo@x.cn", "bo"));
    g_ptr_array_add(people, make_person(schemes, "ni@x.cn", "ni"));
    g_ptr_array_add(people, make_person(schemes, "twin@x.cn", "twin"));
    g_ptr_array_add(people, make_person(schemes, "twin@x.cn", "Twin"));
    g_autoptr(directory) directory = directory_of_people(people, is_down, who);
    g_autoptr(directory_query) query = directory_query_new(directory);
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(query, ASK_ADDRESS, "ni@x.cn");
    directory_query_add(query, ASK_ADDRESS, "no@x.cn");
    directory_query_add(query, ASK_ADDRESS, "twin@x.cn");
    directory_query_add(query, ASK_LOGIN, "Bo");
    directory_query_add(query, ASK_LOGIN, "TWIN");
    g_assert_true(directory_query_wait(query, 0));
    g_assert_cmpint(state_of(query, "bo@x.cn"), ==, ANSWER_FOUND);
    g_assert_cmpint(state_of(query, "ni@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_assert_cmpint(state_of(query, "no@x.cn"), ==, ANSWER_ABSENT);
    g_assert_cmpint(state_of(query, "twin@x.cn"), ==, ANSWER_AMBIGUOUS);
    g_assert_cmpstr(directory_query_answer(query, ASK_LOGIN, "Bo").person->id, ==, "uid=bo,dc=x");
    g_assert_cmpint(directory_query_answer(query, ASK_LOGIN, "TWIN").state, ==, ANSWER_AMBIGUOUS);
    g_assert_false(directory_query_outage(query));
    g_strlcpy(who, "all", sizeof who);
    g_assert_true(directory_query_outage(query));
    g_autoptr(directory_query) second = directory_query_new(directory);
    directory_query_add(second, ASK_ADDRESS, "bo@x.cn");
    g_assert_cmpint(state_of(second, "bo@x.cn"), ==, ANSWER_UNAVAILABLE);
}

static void test_nobody_in_memory(void)
{
    g_autoptr(directory) directory = directory_of_people(g_ptr_array_new(), NULL, NULL);
    g_autoptr(directory_query) query = directory_query_new(directory);

    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    g_assert_cmpint(state_of(query, "bo@x.cn"), ==, ANSWER_ABSENT);
    g_assert_false(directory_query_outage(query));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/memory/answers", test_memory);
    g_test_add_func("/person/memory/nobody", test_nobody_in_memory);
    return g_test_run();
}
