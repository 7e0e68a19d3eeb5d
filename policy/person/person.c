#include "policy/person/directory.h"

#include <string.h>

#include "policy/person/backend.h"
#include "policy/person/dn.h"

struct person *person_new(struct schemes *schemes, const char *id)
{
    struct person *person = g_new0(struct person, 1);

    person->refs = 1;
    person->schemes = schemes_ref(schemes);
    person->id = g_strdup(id);
    person->addresses = g_ptr_array_new_with_free_func(g_free);
    person->logins = g_ptr_array_new_with_free_func(g_free);
    person->certificates = g_ptr_array_new_with_free_func(g_free);
    person->members = g_ptr_array_new_with_free_func(g_free);
    person->member_logins = g_ptr_array_new_with_free_func(g_free);
    person->clearances = g_ptr_array_new_with_free_func((GDestroyNotify)clearance_free);
    return person;
}

struct person *person_ref(struct person *person)
{
    g_atomic_int_inc(&person->refs);
    return person;
}

void person_unref(struct person *person)
{
    if (person == NULL || !g_atomic_int_dec_and_test(&person->refs))
        return;
    g_free(person->id);
    g_free(person->name);
    g_free(person->unit);
    g_free(person->clearance_unreadable);
    g_ptr_array_unref(person->addresses);
    g_ptr_array_unref(person->logins);
    g_ptr_array_unref(person->certificates);
    g_ptr_array_unref(person->members);
    g_ptr_array_unref(person->member_logins);
    g_ptr_array_unref(person->clearances); /* before the schemes that they point into */
    schemes_unref(person->schemes);
    g_free(person);
}

gboolean person_has_address(const struct person *person, const char *canonical)
{
    for (guint i = 0; i < person->addresses->len; i++)
        if (strcmp(g_ptr_array_index(person->addresses, i), canonical) == 0)
            return TRUE;
    return FALSE;
}

char *login_folded(const char *login)
{
    return g_utf8_validate(login, -1, NULL) ? g_utf8_casefold(login, -1) : g_ascii_strdown(login, -1);
}

static gboolean has_login(const GPtrArray *logins, const char *login)
{
    g_autofree char *folded = login_folded(login);

    for (guint i = 0; i < logins->len; i++) {
        g_autofree char *other = login_folded(g_ptr_array_index(logins, i));

        if (strcmp(folded, other) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean person_has_login(const struct person *person, const char *login)
{
    return has_login(person->logins, login);
}

void person_add_member(struct person *group, const char *dn)
{
    char *key = dn_key(dn);

    if (key != NULL)
        g_ptr_array_add(group->members, key);
}

gboolean person_is_member(const struct person *group, const struct person *person)
{
    g_autofree char *key = dn_key(person->id);

    for (guint i = 0; key != NULL && i < group->members->len; i++)
        if (strcmp(g_ptr_array_index(group->members, i), key) == 0)
            return TRUE;
    for (guint i = 0; i < group->member_logins->len; i++)
        if (has_login(person->logins, g_ptr_array_index(group->member_logins, i)))
            return TRUE;
    return FALSE;
}

static gboolean is_group_called(const struct person *person, const char *dn)
{
    g_autofree char *key = dn_key(dn), *own = dn_key(person->id);

    return person->kind == PERSON_GROUP && g_strcmp0(key, own) == 0 && key != NULL;
}

gboolean person_answers(const struct person *person, enum question_kind kind, const char *value)
{
    switch (kind) {
    case ASK_ADDRESS:
        return person_has_address(person, value);
    case ASK_LOGIN:
        return has_login(person->logins, value);
    case ASK_CERTIFICATE:
        return has_login(person->certificates, value);
    case ASK_MEMBERS:
        return is_group_called(person, value);
    }
    return FALSE;
}
