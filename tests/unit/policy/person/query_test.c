#include "policy/person/directory.h"

#include <pthread.h>
#include <string.h>

#include "policy/person/backend.h"
#include "policy/person/limits.h"

#define SECOND G_USEC_PER_SEC

/* A backend that keeps the searches until the test answers them. */
struct fake {
    struct backend backend;
    GPtrArray *searches; /* struct search * */
    gboolean outage;
};

static void fake_ask(struct backend *backend, struct search *search)
{
    directory_count_search(backend->directory);
    g_ptr_array_add(((struct fake *)backend)->searches, search);
}

static gboolean fake_outage(struct backend *backend, gint64 since_us)
{
    return ((struct fake *)backend)->outage;
}

static void fake_status(struct backend *backend, struct directory_status *status)
{
    status->where = g_strdup("fake");
}

static void fake_close(struct backend *backend)
{
    struct fake *fake = (struct fake *)backend;

    for (guint i = 0; i < fake->searches->len; i++)
        directory_answer(backend->directory, g_ptr_array_index(fake->searches, i));
    g_ptr_array_unref(fake->searches);
    g_free(fake);
}

static const struct backend_kind FAKE = {
    .ask = fake_ask, .outage = fake_outage, .status = fake_status, .close = fake_close};

struct fixture {
    struct schemes *schemes;
    struct directory *directory;
    struct fake *fake;
    struct person *bo;
};

static struct person *make_person(struct schemes *schemes, const char *address, const char *login)
{
    g_autofree char *dn = g_strdup_printf("uid=%s,dc=x", login);
    struct person *person = person_new(schemes, dn);

    g_ptr_array_add(person->addresses, g_strdup(address));
    g_ptr_array_add(person->logins, g_strdup(login));
    return person;
}

static void set_up(struct fixture *f, gint64 refresh_ms, gint64 answer_within_ms)
{
    struct directory_settings *settings = directory_settings_new();

    settings->refresh_ms = refresh_ms;
    settings->answer_within_ms = answer_within_ms;
    f->schemes = schemes_new();
    f->fake = g_new0(struct fake, 1);
    f->fake->backend.kind = &FAKE;
    f->fake->searches = g_ptr_array_new();
    f->directory = directory_over(settings, f->schemes, &f->fake->backend);
    f->bo = make_person(f->schemes, "bo@x.cn", "bo");
}

static void tear_down(struct fixture *f)
{
    person_unref(f->bo);
    directory_unref(f->directory);
    schemes_unref(f->schemes);
}

/* Answers the oldest search: bo is found, everybody else is what `others` says. */
static void answer_next(struct fixture *f, enum answer_state others)
{
    struct search *search = g_ptr_array_remove_index(f->fake->searches, 0);

    for (guint i = 0; i < search->length; i++) {
        search->questions[i].state = others;
        if (person_answers(f->bo, search->questions[i].slot->kind, search->questions[i].slot->value)) {
            search->questions[i].state = ANSWER_ABSENT;
            search_question_found(&search->questions[i], f->bo);
        }
    }
    directory_answer(f->directory, search);
}

static enum answer_state ask(const struct directory_query *query, const char *address)
{
    return directory_query_answer(query, ASK_ADDRESS, address).state;
}

static gint64 in(gint64 us)
{
    return g_get_monotonic_time() + us;
}

static void test_four_answers(void)
{
    struct fixture f;

    set_up(&f, 60000, 2000);
    g_autoptr(directory_query) query = directory_query_new(f.directory);
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn"); /* a double is one question */
    directory_query_add(query, ASK_LOGIN, "BO");
    directory_query_add(query, ASK_ADDRESS, "nobody@x.cn");
    g_assert_cmpint(ask(query, "bo@x.cn"), ==, ANSWER_UNAVAILABLE); /* not answered yet */
    directory_query_send(query);
    g_assert_cmpuint(f.fake->searches->len, ==, 1);
    g_assert_cmpuint(((struct search *)g_ptr_array_index(f.fake->searches, 0))->length, ==, 3);
    answer_next(&f, ANSWER_ABSENT);
    g_assert_true(directory_query_wait(query, in(SECOND)));
    g_assert_cmpint(ask(query, "bo@x.cn"), ==, ANSWER_FOUND);
    g_assert_true(directory_query_answer(query, ASK_ADDRESS, "bo@x.cn").person == f.bo);
    g_assert_true(directory_query_answer(query, ASK_LOGIN, "BO").person == f.bo);
    g_assert_cmpint(ask(query, "nobody@x.cn"), ==, ANSWER_ABSENT);
    g_assert_null(directory_query_answer(query, ASK_ADDRESS, "nobody@x.cn").person);
    g_assert_cmpint(ask(query, "never-asked@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_assert_cmpint(directory_query_answer(query, ASK_LOGIN, "bo@x.cn").state, ==, ANSWER_UNAVAILABLE);
    g_assert_false(directory_query_outage(query));
    tear_down(&f);
}

static void test_ambiguous_and_unavailable(void)
{
    struct fixture f;

    set_up(&f, 60000, 2000);
    g_autoptr(directory_query) query = directory_query_new(f.directory);
    struct person *other = make_person(f.schemes, "bo@x.cn", "other");
    struct search *search;

    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(query, ASK_ADDRESS, "ni@x.cn");
    directory_query_send(query);
    search = g_ptr_array_remove_index(f.fake->searches, 0);
    for (guint i = 0; i < search->length; i++) {
        if (strcmp(search->questions[i].slot->value, "bo@x.cn") == 0) {
            search_question_found(&search->questions[i], f.bo);
            search_question_found(&search->questions[i], other);
            search_question_found(&search->questions[i], f.bo); /* a third one does not make it clear again */
        }
    }
    directory_answer(f.directory, search);
    g_assert_true(directory_query_wait(query, in(SECOND)));
    g_assert_cmpint(ask(query, "bo@x.cn"), ==, ANSWER_AMBIGUOUS);
    g_assert_cmpint(ask(query, "ni@x.cn"), ==, ANSWER_UNAVAILABLE);
    g_assert_false(directory_query_outage(query));
    f.fake->outage = TRUE;
    g_assert_true(directory_query_outage(query));
    person_unref(other);
    tear_down(&f);
}

/* What was answered is not asked again while it is fresh; what could not be answered is. */
static void test_cache(void)
{
    struct fixture f;
    struct directory_status status;

    set_up(&f, 60000, 2000);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(directory_query) query = directory_query_new(f.directory);

        directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
        directory_query_add(query, ASK_ADDRESS, "ni@x.cn");
        directory_query_send(query);
        if (i < 2) {
            g_assert_cmpuint(f.fake->searches->len, ==, 1);
            answer_next(&f, i == 0 ? ANSWER_UNAVAILABLE : ANSWER_ABSENT);
        }
        g_assert_cmpuint(f.fake->searches->len, ==, 0);
        g_assert_true(directory_query_wait(query, in(SECOND)));
        g_assert_cmpint(ask(query, "bo@x.cn"), ==, ANSWER_FOUND);
        g_assert_cmpint(ask(query, "ni@x.cn"), ==, i == 0 ? ANSWER_UNAVAILABLE : ANSWER_ABSENT);
    }
    directory_get_status(f.directory, &status);
    g_assert_cmpuint(status.searches, ==, 2);
    g_assert_cmpuint(status.failures, ==, 1);
    g_assert_cmpuint(status.hits, ==, 3);
    g_assert_cmpuint(status.misses, ==, 3);
    g_assert_cmpuint(status.cached, ==, 2);
    g_assert_cmpstr(status.where, ==, "fake");
    directory_status_clear(&status);
    tear_down(&f);
}

/* A found answer holds for the refresh time, others for a quarter of it, counted from the question. */
static void test_expiry(void)
{
    struct fixture f;

    set_up(&f, 200, 2000);
    g_autoptr(directory_query) first = directory_query_new(f.directory);
    gint64 asked_us = g_get_monotonic_time();

    directory_query_add(first, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(first, ASK_ADDRESS, "ni@x.cn");
    directory_query_send(first);
    answer_next(&f, ANSWER_ABSENT);
    g_assert_true(directory_query_wait(first, in(SECOND)));
    gint64 age_us = 0;
    for (gboolean found_gone = FALSE, other_gone = FALSE; !found_gone && age_us < 10 * SECOND;) {
        g_autoptr(directory_query) query = directory_query_new(f.directory);

        directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
        directory_query_add(query, ASK_ADDRESS, "ni@x.cn");
        age_us = g_get_monotonic_time() - asked_us;
        found_gone = ask(query, "bo@x.cn") == ANSWER_UNAVAILABLE;
        if (!other_gone && ask(query, "ni@x.cn") == ANSWER_UNAVAILABLE) {
            other_gone = TRUE;
            g_assert_cmpint(age_us, >=, 50000);
            g_assert_false(found_gone && age_us < 200000);
        }
        g_assert_true(!found_gone || age_us >= 200000);
        g_usleep(1000);
    }
    g_assert_cmpint(age_us, <, 10 * SECOND);
    tear_down(&f);
}

static void test_asked_once(void)
{
    struct fixture f;

    set_up(&f, 60000, 2000);
    g_autoptr(directory_query) one = directory_query_new(f.directory);
    g_autoptr(directory_query) two = directory_query_new(f.directory);
    directory_query_add(one, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(two, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(two, ASK_ADDRESS, "ni@x.cn");
    directory_query_send(one);
    directory_query_send(two);
    g_assert_cmpuint(f.fake->searches->len, ==, 2);
    g_assert_cmpuint(((struct search *)g_ptr_array_index(f.fake->searches, 1))->length, ==, 1);
    answer_next(&f, ANSWER_ABSENT);
    answer_next(&f, ANSWER_ABSENT);
    g_assert_true(directory_query_wait(one, in(SECOND)));
    g_assert_true(directory_query_wait(two, in(SECOND)));
    g_assert_cmpint(ask(one, "bo@x.cn"), ==, ANSWER_FOUND);
    g_assert_cmpint(ask(two, "bo@x.cn"), ==, ANSWER_FOUND);
    g_assert_cmpint(ask(two, "ni@x.cn"), ==, ANSWER_ABSENT);
    tear_down(&f);
}

/* Somebody else's answer that came between adding and sending is taken. */
static void test_answered_meanwhile(void)
{
    struct fixture f;

    set_up(&f, 60000, 2000);
    g_autoptr(directory_query) one = directory_query_new(f.directory);
    g_autoptr(directory_query) two = directory_query_new(f.directory);
    directory_query_add(one, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(two, ASK_ADDRESS, "bo@x.cn");
    directory_query_send(one);
    answer_next(&f, ANSWER_ABSENT);
    g_assert_true(directory_query_wait(two, in(SECOND)));
    g_assert_cmpuint(f.fake->searches->len, ==, 0);
    g_assert_cmpint(ask(two, "bo@x.cn"), ==, ANSWER_FOUND);
    tear_down(&f);
}

static void test_batches(void)
{
    struct fixture f;

    set_up(&f, 60000, 2000);
    g_autoptr(directory_query) query = directory_query_new(f.directory);
    for (guint i = 0; i < 2 * SEARCH_MAX_QUESTIONS + 1; i++) {
        g_autofree char *address = g_strdup_printf("a%u@x.cn", i);

        directory_query_add(query, ASK_ADDRESS, address);
    }
    directory_query_send(query);
    g_assert_cmpuint(f.fake->searches->len, ==, 3);
    for (guint i = 0; i < 3; i++)
        answer_next(&f, ANSWER_ABSENT);
    g_assert_true(directory_query_wait(query, in(SECOND)));
    g_assert_cmpint(ask(query, "a100@x.cn"), ==, ANSWER_ABSENT);
    tear_down(&f);
}

/* Nothing waits longer than its deadline or the answer's time; the late answer serves the next one. */
static void test_deadlines(void)
{
    struct fixture f;
    gint64 start_us;

    set_up(&f, 60000, 100);
    g_autoptr(directory_query) query = directory_query_new(f.directory);
    g_autoptr(directory_query) impatient = directory_query_new(f.directory);
    g_autoptr(directory_query) later = directory_query_new(f.directory);
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    directory_query_add(impatient, ASK_ADDRESS, "bo@x.cn");
    g_assert_false(directory_query_wait(impatient, 0));
    g_assert_cmpint(ask(impatient, "bo@x.cn"), ==, ANSWER_UNAVAILABLE);
    start_us = g_get_monotonic_time();
    g_assert_false(directory_query_wait(query, in(60 * SECOND)));
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 30 * SECOND);
    g_assert_cmpint(ask(query, "bo@x.cn"), ==, ANSWER_UNAVAILABLE);
    answer_next(&f, ANSWER_ABSENT);
    directory_query_add(later, ASK_ADDRESS, "bo@x.cn");
    g_assert_cmpint(ask(later, "bo@x.cn"), ==, ANSWER_FOUND);
    tear_down(&f);
}

static void test_freed_under_way(void)
{
    struct fixture f;

    set_up(&f, 60000, 2000);
    struct directory_query *query = directory_query_new(f.directory);
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    directory_query_send(query);
    directory_query_free(query);
    answer_next(&f, ANSWER_ABSENT);
    query = directory_query_new(f.directory);
    directory_query_add(query, ASK_ADDRESS, "ni@x.cn");
    directory_query_send(query);
    directory_query_free(query);
    tear_down(&f); /* with a search that nobody answered */
}

static void test_impossible_values(void)
{
    struct fixture f;
    g_autofree char *huge = g_strnfill(QUESTION_MAX_BYTES + 1, 'a');

    set_up(&f, 60000, 2000);
    g_autoptr(directory_query) query = directory_query_new(f.directory);
    directory_query_add(query, ASK_ADDRESS, "");
    directory_query_add(query, ASK_LOGIN, huge);
    g_assert_true(directory_query_wait(query, in(SECOND)));
    g_assert_cmpuint(f.fake->searches->len, ==, 0);
    g_assert_cmpint(ask(query, ""), ==, ANSWER_ABSENT);
    g_assert_cmpint(directory_query_answer(query, ASK_LOGIN, huge).state, ==, ANSWER_ABSENT);
    tear_down(&f);
}

/* ---- many threads: eight ask, one answers */

struct crowd {
    struct fixture f;
    pthread_mutex_t lock; /* guards f.fake->searches */
    gint stop;
};

static struct crowd crowd;

static void crowd_ask(struct backend *backend, struct search *search)
{
    pthread_mutex_lock(&crowd.lock);
    g_ptr_array_add(((struct fake *)backend)->searches, search);
    pthread_mutex_unlock(&crowd.lock);
}

static const struct backend_kind CROWD = {
    .ask = crowd_ask, .outage = fake_outage, .status = fake_status, .close = fake_close};

static void *answer_all(void *data)
{
    while (!g_atomic_int_get(&crowd.stop)) {
        struct search *search = NULL;

        pthread_mutex_lock(&crowd.lock);
        if (crowd.f.fake->searches->len > 0)
            search = g_ptr_array_remove_index(crowd.f.fake->searches, 0);
        pthread_mutex_unlock(&crowd.lock);
        if (search == NULL) {
            g_usleep(50);
            continue;
        }
        for (guint i = 0; i < search->length; i++) {
            search->questions[i].state = ANSWER_ABSENT;
            if (person_answers(crowd.f.bo, ASK_ADDRESS, search->questions[i].slot->value))
                search_question_found(&search->questions[i], crowd.f.bo);
        }
        directory_answer(crowd.f.directory, search);
    }
    return data;
}

static void *ask_often(void *data)
{
    guint wrong = 0;

    for (guint i = 0; i < 300; i++) {
        g_autoptr(directory_query) query = directory_query_new(crowd.f.directory);
        g_autofree char *stranger = g_strdup_printf("a%u@x.cn", i % 7);

        directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
        directory_query_add(query, ASK_ADDRESS, stranger);
        directory_query_wait(query, in(20 * SECOND));
        wrong += ask(query, "bo@x.cn") != ANSWER_FOUND || ask(query, stranger) != ANSWER_ABSENT;
    }
    return GUINT_TO_POINTER(wrong);
}

static void test_threads(void)
{
    pthread_t askers[8], answerer;

    pthread_mutex_init(&crowd.lock, NULL);
    set_up(&crowd.f, 4, 30000); /* answers grow old all the time */
    crowd.f.fake->backend.kind = &CROWD;
    pthread_create(&answerer, NULL, answer_all, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(askers); i++)
        pthread_create(&askers[i], NULL, ask_often, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(askers); i++) {
        void *wrong;

        pthread_join(askers[i], &wrong);
        g_assert_cmpuint(GPOINTER_TO_UINT(wrong), ==, 0);
    }
    g_atomic_int_set(&crowd.stop, 1);
    pthread_join(answerer, NULL);
    tear_down(&crowd.f);
    pthread_mutex_destroy(&crowd.lock);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/person/query/four-answers", test_four_answers);
    g_test_add_func("/person/query/ambiguous-and-unavailable", test_ambiguous_and_unavailable);
    g_test_add_func("/person/query/cache", test_cache);
    g_test_add_func("/person/query/expiry", test_expiry);
    g_test_add_func("/person/query/asked-once", test_asked_once);
    g_test_add_func("/person/query/answered-meanwhile", test_answered_meanwhile);
    g_test_add_func("/person/query/batches", test_batches);
    g_test_add_func("/person/query/deadlines", test_deadlines);
    g_test_add_func("/person/query/freed-under-way", test_freed_under_way);
    g_test_add_func("/person/query/impossible-values", test_impossible_values);
    g_test_add_func("/person/query/threads", test_threads);
    return g_test_run();
}
