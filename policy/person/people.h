/*
 * people: a set of people that is wholly in memory, found by address, login or certificate, groups by DN. Immutable after
 * people_new and reference counted; any thread. Private to policy/person.
 */
#ifndef POLICY_PERSON_PEOPLE_H
#define POLICY_PERSON_PEOPLE_H

#include "policy/person/backend.h"

struct people;

/* Takes over the array of struct person * (each reference of it). */
struct people *people_new(GPtrArray *list);
struct people *people_ref(struct people *people);
void people_unref(struct people *people);
DEFINE_AUTOPTR(people, people_unref)

/* FOUND (person held for the caller), ABSENT, or AMBIGUOUS when two have the value. */
enum answer_state people_find(const struct people *people, enum question_kind kind, const char *value,
                              struct person **person);
guint people_count(const struct people *people);

#endif
