#include "policy/person/directory.h"

#include <string.h>

#include "policy/person/directory_private.h"
#include "policy/person/dn.h"
#include "policy/person/limits.h"

/* A question of one query. Until it is answered the slot is shared with other threads, so the answer is
 * copied here. */
struct question {
    struct slot *slot; /* held; also the key in query->questions */
    gboolean answered;
    enum answer_state state;
    const struct person *person; /* of the slot */
};

struct directory_query {
    struct directory *directory; /* held */
    GHashTable *questions;       /* struct question *, by kind and value of its slot */
    GPtrArray *unsent;           /* struct question *, borrowed */
    GPtrArray *open;             /* sent, not answered; borrowed */
    gboolean unavailable;        /* an answer was, or did not come in time */
    gint64 since_us;             /* when the first of those was asked; 0: none was sent */
    gboolean late;               /* some did not come in time */
};

static guint question_hash(gconstpointer question)
{
    return slot_hash(((const struct question *)question)->slot);
}

static gboolean question_equal(gconstpointer a, gconstpointer b)
{
    return slot_equal(((const struct question *)a)->slot, ((const struct question *)b)->slot);
}

static void question_free(gpointer data)
{
    struct question *question = data;

    slot_unref(question->slot);
    g_free(question);
}

/* ---- searches */

struct search *search_new(guint length, gint64 due_us)
{
    struct search *search = g_new0(struct search, 1);

    search->length = length;
    search->questions = g_new0(struct search_question, length);
    search->due_us = due_us;
    for (guint i = 0; i < length; i++)
        search->questions[i].state = ANSWER_UNAVAILABLE;
    return search;
}

void search_free(struct search *search)
{
    for (guint i = 0; i < search->length; i++) {
        g_clear_pointer(&search->questions[i].slot, slot_unref);
        g_clear_pointer(&search->questions[i].person, person_unref);
    }
    g_free(search->questions);
    g_free(search);
}

void search_question_found(struct search_question *question, struct person *person)
{
    if (question->state == ANSWER_FOUND || question->state == ANSWER_AMBIGUOUS) {
        question->state = ANSWER_AMBIGUOUS;
        g_clear_pointer(&question->person, person_unref);
        return;
    }
    question->state = ANSWER_FOUND;
    question->person = person_ref(person);
}

void search_question_forget(struct search_question *question)
{
    question->state = ANSWER_UNAVAILABLE;
    g_clear_pointer(&question->person, person_unref);
}

/* ---- the query */

struct directory_query *directory_query_new(struct directory *directory)
{
    struct directory_query *query = g_new0(struct directory_query, 1);

    query->directory = directory_ref(directory);
    query->questions = g_hash_table_new_full(question_hash, question_equal, question_free, NULL);
    query->unsent = g_ptr_array_new();
    query->open = g_ptr_array_new();
    return query;
}

void directory_query_free(struct directory_query *query)
{
    if (query == NULL)
        return;
    g_ptr_array_unref(query->unsent);
    g_ptr_array_unref(query->open);
    g_hash_table_unref(query->questions);
    directory_unref(query->directory);
    g_free(query);
}

static void take_answer(struct directory_query *query, struct question *question, enum answer_state state)
{
    question->answered = TRUE;
    question->state = state;
    question->person = state == ANSWER_FOUND ? question->slot->person : NULL;
    if (state != ANSWER_UNAVAILABLE)
        return;
    query->unavailable = TRUE;
    if (query->since_us == 0 || question->slot->asked_us < query->since_us)
        query->since_us = question->slot->asked_us;
}

static gboolean can_be_known(enum question_kind kind, const char *value)
{
    return value[0] != '\0' && strlen(value) <= QUESTION_MAX_BYTES &&
           (kind != ASK_MEMBERS || dn_is_valid(value));
}

/* The slot that answers without asking: from the cache, from a backend that looks at once, or absent if
 * nobody can have such a name. */
static struct slot *answer_at_once(struct directory *directory, enum question_kind kind, const char *value)
{
    const struct backend_kind *backend = directory->backend->kind;
    struct slot *slot;

    if (backend->look == NULL && can_be_known(kind, value))
        return cache_find(directory->cache, kind, value, g_get_monotonic_time());
    slot = slot_new(kind, value);
    slot->state =
        backend->look != NULL ? backend->look(directory->backend, kind, value, &slot->person) : ANSWER_ABSENT;
    slot->answered = TRUE;
    return slot;
}

void directory_query_add(struct directory_query *query, enum question_kind kind, const char *value)
{
    struct slot probe = slot_probe(kind, value);
    struct question key = {.slot = &probe};
    struct question *question;
    struct slot *slot;

    if (g_hash_table_contains(query->questions, &key))
        return;
    slot = answer_at_once(query->directory, kind, value);
    question = g_new0(struct question, 1);
    question->slot = slot != NULL ? slot : slot_new(kind, value);
    question->state = ANSWER_UNAVAILABLE;
    g_hash_table_add(query->questions, question);
    directory_count(slot != NULL ? &query->directory->hits : &query->directory->misses, 1);
    if (slot != NULL)
        take_answer(query, question, slot->state);
    else
        g_ptr_array_add(query->unsent, question);
}

static void replace_slot(struct question *question, struct slot *slot)
{
    slot_unref(question->slot);
    question->slot = slot;
}

/* With the lock held: joins a question that is under way, takes an answer that came meanwhile, or gives
 * FALSE: it is now ours to ask. */
static gboolean join(struct directory_query *query, struct question *question, gint64 now_us)
{
    struct directory *directory = query->directory;
    struct slot *other = g_hash_table_lookup(directory->under_way, question->slot);

    if (other != NULL) {
        replace_slot(question, slot_ref(other));
        g_ptr_array_add(query->open, question);
        return TRUE;
    }
    other = cache_find(directory->cache, question->slot->kind, question->slot->value, now_us);
    if (other != NULL) {
        replace_slot(question, other);
        take_answer(query, question, other->state);
        return TRUE;
    }
    question->slot->asked_us = now_us;
    question->slot->due_us = now_us + directory->settings->answer_within_ms * 1000;
    g_hash_table_add(directory->under_way, slot_ref(question->slot));
    g_ptr_array_add(query->open, question);
    return FALSE;
}

/* The slots in searches of so many questions at most. */
static void ask_backend(struct directory *directory, const GPtrArray *slots, guint most, gint64 due_us)
{
    for (guint start = 0; start < slots->len; start += most) {
        guint length = MIN(slots->len - start, most);
        struct search *search = search_new(length, due_us);

        for (guint i = 0; i < length; i++)
            search->questions[i].slot = slot_ref(g_ptr_array_index(slots, start + i));
        directory->backend->kind->ask(directory->backend, search);
    }
}

void directory_query_send(struct directory_query *query)
{
    struct directory *directory = query->directory;
    gint64 now_us = g_get_monotonic_time();
    gint64 due_us = now_us + directory->settings->answer_within_ms * 1000;
    g_autoptr(GPtrArray) people = NULL, groups = NULL; /* ours to ask: struct slot * */

    if (query->unsent->len == 0)
        return;
    people = g_ptr_array_new();
    groups = g_ptr_array_new();
    pthread_mutex_lock(&directory->lock);
    for (guint i = 0; i < query->unsent->len; i++) {
        struct question *question = g_ptr_array_index(query->unsent, i);

        if (!join(query, question, now_us))
            g_ptr_array_add(question->slot->kind == ASK_MEMBERS ? groups : people, question->slot);
    }
    pthread_mutex_unlock(&directory->lock);
    g_ptr_array_set_size(query->unsent, 0);
    ask_backend(directory, people, SEARCH_MAX_QUESTIONS, due_us);
    ask_backend(directory, groups, 1, due_us); /* each by its DN */
}

/* With the lock held: takes the answers that are there, gives up what is late. The next moment at which
 * something is late, or 0 if nothing is open any more. */
static gint64 collect(struct directory_query *query, gint64 deadline_us)
{
    gint64 now_us = g_get_monotonic_time(), next_us = deadline_us;

    for (guint i = 0; i < query->open->len;) {
        struct question *question = g_ptr_array_index(query->open, i);

        if (!question->slot->answered && now_us < MIN(deadline_us, question->slot->due_us)) {
            next_us = MIN(next_us, question->slot->due_us);
            i++;
            continue;
        }
        query->late = query->late || !question->slot->answered;
        take_answer(query, question, question->slot->answered ? question->slot->state : ANSWER_UNAVAILABLE);
        g_ptr_array_remove_index_fast(query->open, i);
    }
    return query->open->len > 0 ? next_us : 0;
}

gboolean directory_query_wait(struct directory_query *query, gint64 deadline_us)
{
    struct directory *directory = query->directory;
    gint64 until_us;

    directory_query_send(query);
    if (query->open->len == 0)
        return TRUE;
    pthread_mutex_lock(&directory->lock);
    while ((until_us = collect(query, deadline_us)) != 0) {
        struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};

        pthread_cond_timedwait(&directory->answered, &directory->lock, &until);
    }
    pthread_mutex_unlock(&directory->lock);
    return !query->late;
}

struct person_answer directory_query_answer(const struct directory_query *query, enum question_kind kind,
                                            const char *value)
{
    struct slot probe = slot_probe(kind, value);
    struct question key = {.slot = &probe};
    const struct question *question = g_hash_table_lookup(query->questions, &key);

    if (question == NULL || !question->answered)
        return (struct person_answer){ANSWER_UNAVAILABLE, NULL};
    return (struct person_answer){question->state, question->person};
}

gboolean directory_query_outage(const struct directory_query *query)
{
    struct backend *backend = query->directory->backend;

    return query->unavailable && backend->kind->outage(backend, query->since_us);
}
