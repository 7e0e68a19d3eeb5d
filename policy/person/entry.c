#include "policy/person/entry.h"

#include <string.h>

#include "policy/person/address.h"
#include "policy/person/dn.h"
#include "policy/person/limits.h"

static void attribute_free(gpointer data)
{
    struct attribute *attribute = data;

    g_free(attribute->name);
    g_ptr_array_unref(attribute->values);
    g_free(attribute);
}

struct entry *entry_new(const char *dn)
{
    struct entry *entry = g_new0(struct entry, 1);

    entry->dn = g_strdup(dn);
    entry->attributes = g_ptr_array_new_with_free_func(attribute_free);
    return entry;
}

void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    g_free(entry->dn);
    g_ptr_array_unref(entry->attributes);
    g_free(entry);
}

const char *const group_attributes[] = {"member", "uniqueMember", "memberUid", "objectClass", "cn", NULL};
enum { GROUP_MEMBER, GROUP_UNIQUE_MEMBER, GROUP_MEMBER_UID, GROUP_MEMBER_ATTRIBUTES };

static guint most_values(const char *name)
{
    for (guint i = 0; i < GROUP_MEMBER_ATTRIBUTES; i++)
        if (g_ascii_strcasecmp(name, group_attributes[i]) == 0)
            return ENTRY_MAX_MEMBERS;
    return ENTRY_MAX_VALUES;
}

static struct attribute *find(const struct entry *entry, const char *name)
{
    for (guint i = 0; name != NULL && i < entry->attributes->len; i++) {
        struct attribute *attribute = g_ptr_array_index(entry->attributes, i);

        if (g_ascii_strcasecmp(attribute->name, name) == 0)
            return attribute;
    }
    return NULL;
}

void entry_add(struct entry *entry, const char *name, const char *value, gsize length)
{
    struct attribute *attribute = find(entry, name);

    if (attribute == NULL) {
        attribute = g_new0(struct attribute, 1);
        attribute->name = g_strdup(name);
        attribute->values = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(entry->attributes, attribute);
    }
    if (attribute->values->len >= most_values(name) || length > ENTRY_MAX_VALUE_BYTES ||
        !g_utf8_validate_len(value, length, NULL)) /* refuses NUL, too */
        attribute->broken = TRUE;
    else
        g_ptr_array_add(attribute->values, g_strndup(value, length));
}

static const char *first_value(const struct entry *entry, const char *name)
{
    const struct attribute *attribute = find(entry, name);

    return attribute != NULL && attribute->values->len > 0 ? g_ptr_array_index(attribute->values, 0) : NULL;
}

static gboolean has_value(const struct entry *entry, const char *name, const char *value)
{
    const struct attribute *attribute = find(entry, name);

    for (guint i = 0; attribute != NULL && i < attribute->values->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(attribute->values, i), value) == 0)
            return TRUE;
    return FALSE;
}

static void copy_values(const struct entry *entry, const char *name, GPtrArray *to)
{
    const struct attribute *attribute = find(entry, name);

    for (guint i = 0; attribute != NULL && i < attribute->values->len; i++)
        g_ptr_array_add(to, g_strdup(g_ptr_array_index(attribute->values, i)));
}

/* Addresses that no envelope could name are left out. */
static void read_addresses(struct person *person, const struct entry *entry,
                           const struct address_attribute *source)
{
    const struct attribute *attribute = find(entry, source->name);
    gsize prefix = strlen(source->prefix);

    for (guint i = 0; attribute != NULL && i < attribute->values->len; i++) {
        const char *value = g_ptr_array_index(attribute->values, i);
        g_autoptr(address) address = NULL;

        if (g_ascii_strncasecmp(value, source->prefix, prefix) != 0)
            continue;
        address = address_parse(value + prefix);
        if (address->form == ADDRESS_PLAIN && !person_has_address(person, address->canonical))
            g_ptr_array_add(person->addresses, g_strdup(address->canonical));
    }
}

static void unreadable(struct person *person, const char *attribute, const char *value, const char *why)
{
    g_autofree char *printable = NULL;

    if (person->clearance_unreadable != NULL)
        return;
    if (value == NULL) {
        person->clearance_unreadable = g_strdup_printf("%s: %s", attribute, why);
        return;
    }
    printable = address_printable(value);
    person->clearance_unreadable = g_strdup_printf("%s \"%s\": %s", attribute, printable, why);
}

/* The attribute, or NULL if there is none; a broken one makes the clearance unreadable. */
static const struct attribute *clearance_part(struct person *person, const struct entry *entry,
                                              const char *name, guint max)
{
    const struct attribute *attribute = find(entry, name);

    if (attribute == NULL)
        return NULL;
    if (attribute->broken)
        unreadable(person, name, NULL, "a value is too long, or no UTF-8 text");
    else if (attribute->values->len > max)
        unreadable(person, name, NULL, max == 1 ? "more than one value" : "too many values");
    return attribute;
}

static void read_clearances(struct person *person, const struct mapping *mapping, const struct entry *entry)
{
    const struct directory_settings *settings = mapping->settings;
    const char *name = settings->clearance_attribute;
    const struct attribute *attribute = clearance_part(person, entry, name, ENTRY_MAX_CLEARANCES);

    for (guint i = 0; attribute != NULL && i < MIN(attribute->values->len, ENTRY_MAX_CLEARANCES); i++) {
        const char *value = g_ptr_array_index(attribute->values, i);
        g_autoptr(GError) error = NULL;
        struct clearance *clearance = clearance_parse(mapping->schemes, value, settings->time_zone, &error);

        if (clearance != NULL)
            g_ptr_array_add(person->clearances, clearance);
        else
            unreadable(person, name, value, error->message);
    }
}

static void read_categories(struct person *person, const struct mapping *mapping, const struct entry *entry)
{
    const char *name = mapping->settings->category_attribute;
    const struct attribute *attribute = clearance_part(person, entry, name, ENTRY_MAX_CLEARANCES);

    for (guint i = 0; attribute != NULL && i < MIN(attribute->values->len, ENTRY_MAX_CLEARANCES); i++) {
        const char *value = g_ptr_array_index(attribute->values, i);
        g_autoptr(GError) error = NULL;

        if (!clearances_add_category(person->clearances, mapping->schemes, value, &error))
            unreadable(person, name, value, error->message);
    }
}

static void read_end(struct person *person, const struct mapping *mapping, const struct entry *entry)
{
    const char *name = mapping->settings->clearance_until_attribute;
    const struct attribute *attribute = clearance_part(person, entry, name, 1);
    g_autoptr(GError) error = NULL;

    if (attribute != NULL && attribute->values->len > 0 &&
        !clearances_end_at(person->clearances, g_ptr_array_index(attribute->values, 0), &error))
        unreadable(person, name, g_ptr_array_index(attribute->values, 0), error->message);
}

static gboolean is_group(const struct entry *entry)
{
    static const char *const classes[] = {"groupOfNames", "groupOfUniqueNames", "groupOfURLs", "posixGroup",
                                          "group",        "mijiGroup"};

    for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
        if (has_value(entry, "objectClass", classes[i]))
            return TRUE;
    return FALSE;
}

/* A uniqueMember may end in #'0101'B (RFC 4517 3.3.21), which tells apart who had the same name once. */
static void add_unique_member(struct person *group, const char *value)
{
    const char *hash = strrchr(value, '#');
    gsize bits = hash != NULL && hash[1] == '\'' ? strspn(hash + 2, "01") : 0;
    gboolean tagged = hash != NULL && hash[1] == '\'' && strcmp(hash + 2 + bits, "'B") == 0;
    g_autofree char *dn = tagged ? g_strndup(value, (gsize)(hash - value)) : g_strdup(value);

    person_add_member(group, dn);
}

static void read_members(struct person *group, const struct entry *entry)
{
    for (guint which = 0; which < GROUP_MEMBER_ATTRIBUTES; which++) {
        const struct attribute *attribute = find(entry, group_attributes[which]);

        group->members_cut = group->members_cut || (attribute != NULL && attribute->broken);
        for (guint i = 0; attribute != NULL && i < attribute->values->len; i++) {
            const char *value = g_ptr_array_index(attribute->values, i);

            if (which == GROUP_MEMBER)
                person_add_member(group, value);
            else if (which == GROUP_UNIQUE_MEMBER)
                add_unique_member(group, value);
            else
                g_ptr_array_add(group->member_logins, g_strdup(value));
        }
    }
}

struct person *person_of_entry(const struct mapping *mapping, const struct entry *entry)
{
    const struct directory_settings *settings = mapping->settings;
    struct person *person = person_new(mapping->schemes, entry->dn);

    person->kind = is_group(entry) ? PERSON_GROUP : PERSON_PERSON;
    person->name = g_strdup(first_value(entry, "cn"));
    for (guint i = 0; i < mapping->filter->addresses->len; i++)
        read_addresses(person, entry, g_ptr_array_index(mapping->filter->addresses, i));
    copy_values(entry, settings->login_attribute, person->logins);
    copy_values(entry, settings->certificate_attribute, person->certificates);
    person->unit = settings->unit_attribute != NULL ? g_strdup(first_value(entry, settings->unit_attribute))
                                                    : dn_unit(entry->dn);
    person->verified =
        settings->verified_attribute != NULL && has_value(entry, settings->verified_attribute, "TRUE");
    read_clearances(person, mapping, entry);
    read_categories(person, mapping, entry);
    read_end(person, mapping, entry);
    if (person->kind == PERSON_GROUP)
        read_members(person, entry);
    return person;
}

static void add_name(GPtrArray *names, const char *name)
{
    if (name == NULL)
        return;
    for (guint i = 0; i < names->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(names, i), name) == 0)
            return;
    g_ptr_array_add(names, (gpointer)name);
}

const char **mapping_attributes(const struct mapping *mapping)
{
    const struct directory_settings *settings = mapping->settings;
    GPtrArray *names = g_ptr_array_new();

    add_name(names, "objectClass");
    add_name(names, "cn");
    for (guint i = 0; i < mapping->filter->addresses->len; i++)
        add_name(names, ((struct address_attribute *)g_ptr_array_index(mapping->filter->addresses, i))->name);
    add_name(names, settings->login_attribute);
    add_name(names, settings->certificate_attribute);
    add_name(names, settings->clearance_attribute);
    add_name(names, settings->category_attribute);
    add_name(names, settings->clearance_until_attribute);
    add_name(names, settings->verified_attribute);
    add_name(names, settings->unit_attribute);
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}
