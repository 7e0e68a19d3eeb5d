#include "policy/person/people.h"

#include "policy/person/dn.h"

struct people {
    gint refs;       /* g_atomic_int */
    GPtrArray *list; /* struct person *, held */
    /* by question_kind: value as it is compared -> struct person *, or NULL if several have it */
    GHashTable *index[QUESTION_KINDS];
};

static void enter(GHashTable *index, char *value, struct person *person)
{
    gpointer other;

    if (!g_hash_table_lookup_extended(index, value, NULL, &other))
        g_hash_table_insert(index, value, person);
    else if (other != person)
        g_hash_table_insert(index, value, NULL);
    else
        g_free(value);
}

/* A value as it is compared; new. NULL: nobody can have it. */
static char *compared(enum question_kind kind, const char *value)
{
    switch (kind) {
    case ASK_ADDRESS:
        return g_strdup(value);
    case ASK_LOGIN:
    case ASK_CERTIFICATE:
        return login_folded(value);
    case ASK_MEMBERS:
        return dn_key(value);
    }
    return NULL;
}

static void enter_person(struct people *people, struct person *person)
{
    for (guint i = 0; i < person->addresses->len; i++)
        enter(people->index[ASK_ADDRESS], g_strdup(g_ptr_array_index(person->addresses, i)), person);
    for (guint i = 0; i < person->logins->len; i++)
        enter(people->index[ASK_LOGIN], login_folded(g_ptr_array_index(person->logins, i)), person);
    for (guint i = 0; i < person->certificates->len; i++)
        enter(people->index[ASK_CERTIFICATE], login_folded(g_ptr_array_index(person->certificates, i)),
              person);
    char *dn = person->kind == PERSON_GROUP ? dn_key(person->id) : NULL;
    if (dn != NULL)
        enter(people->index[ASK_MEMBERS], dn, person);
}

struct people *people_new(GPtrArray *list)
{
    struct people *people = g_new0(struct people, 1);

    people->refs = 1;
    people->list = list;
    for (guint i = 0; i < G_N_ELEMENTS(people->index); i++)
        people->index[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < list->len; i++)
        enter_person(people, g_ptr_array_index(list, i));
    return people;
}

struct people *people_ref(struct people *people)
{
    g_atomic_int_inc(&people->refs);
    return people;
}

void people_unref(struct people *people)
{
    if (people == NULL || !g_atomic_int_dec_and_test(&people->refs))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(people->index); i++)
        g_hash_table_unref(people->index[i]);
    for (guint i = 0; i < people->list->len; i++)
        person_unref(g_ptr_array_index(people->list, i));
    g_ptr_array_set_free_func(people->list, NULL);
    g_ptr_array_unref(people->list);
    g_free(people);
}

enum answer_state people_find(const struct people *people, enum question_kind kind, const char *value,
                              struct person **person)
{
    g_autofree char *key = compared(kind, value);
    gpointer found;

    if (key == NULL || !g_hash_table_lookup_extended(people->index[kind], key, NULL, &found))
        return ANSWER_ABSENT;
    if (found == NULL)
        return ANSWER_AMBIGUOUS;
    *person = person_ref(found);
    return ANSWER_FOUND;
}

guint people_count(const struct people *people)
{
    return people->list->len;
}
