/*
 * entry: one entry of a directory as it came, and the person that is made of it. Attributes are compared
 * without case; of a broken value (NUL, invalid UTF-8, too long, one of too many) only the fact is kept. Not
 * shared between threads. Private to policy/person.
 */
#ifndef POLICY_PERSON_ENTRY_H
#define POLICY_PERSON_ENTRY_H

#include "policy/person/filter.h"

struct entry {
    char *dn;
    GPtrArray *attributes; /* struct attribute * */
};

struct attribute {
    char *name;
    GPtrArray *values; /* char * */
    gboolean broken;   /* some value could not be kept */
};

struct entry *entry_new(const char *dn);
void entry_free(struct entry *entry);
DEFINE_AUTOPTR(entry, entry_free)
/* Adds one value. Attributes with options (;lang-zh, ;binary) are others than the plain one. */
void entry_add(struct entry *entry, const char *name, const char *value, gsize length);

/* Which attributes mean what: the settings of a directory and its person filter. Borrowed. */
struct mapping {
    const struct directory_settings *settings;
    const struct person_filter *filter;
    struct schemes *schemes;
};

/* The person of an entry; never NULL, but perhaps without any address, login or certificate. */
struct person *person_of_entry(const struct mapping *mapping, const struct entry *entry);
/* Where a group lists its members (RFC 4519 2.17, 2.40; RFC 2307 memberUid), and what else is asked of a
 * group that is named by its DN; NULL-terminated. */
extern const char *const group_attributes[];
/* The attributes to ask a server for, NULL-terminated, without doubles; g_free the array only. */
const char **mapping_attributes(const struct mapping *mapping);

#endif
