/*
 * Attack surface: the LDIF file of a directory, and the entries that a server sends (the same entries are
 * made people). Any octets end in entries or in an error that names its line; every person that comes of them
 * is whole.
 */
#include "policy/person/ldif.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SCHEME[] = "scheme \"cn\"\nlevel 公开 rank 0\nlevel 机密 rank 3 also \"secret\"\n"
                             "category set \"专项\" restrictive { value \"密码\" }\n";

static void make_mapping(struct mapping *mapping)
{
    struct directory_settings *settings = directory_settings_new();
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "x", SCHEME, strlen(SCHEME)), diagnostics);

    settings->category_attribute = g_strdup("mijiCategory");
    settings->clearance_until_attribute = g_strdup("mijiClearanceUntil");
    settings->verified_attribute = g_strdup("mijiVerified");
    mapping->schemes = schemes_new();
    g_assert_true(scheme_read(mapping->schemes, block, diagnostics));
    mapping->settings = settings;
    mapping->filter = person_filter_parse("(|(mail=%s)(proxyAddresses=smtp:%s))", NULL);
}

static void check_person(const struct mapping *mapping, const struct entry *entry)
{
    g_autoptr(person) person = person_of_entry(mapping, entry);

    g_assert_nonnull(person->id);
    for (guint i = 0; i < person->addresses->len; i++)
        g_assert_nonnull(strchr(g_ptr_array_index(person->addresses, i), '@'));
    for (guint i = 0; i < person->clearances->len; i++) {
        g_autofree char *text = clearance_format(g_ptr_array_index(person->clearances, i));

        g_assert_true(g_utf8_validate(text, -1, NULL));
    }
    if (person->clearance_unreadable != NULL)
        g_assert_true(g_utf8_validate(person->clearance_unreadable, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mapping mapping;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = ldif_parse("fuzz", (const char *)data, size, &error);

    if (mapping.settings == NULL)
        make_mapping(&mapping);
    g_assert_true((entries == NULL) == (error != NULL));
    if (error != NULL)
        g_assert_true(g_str_has_prefix(error->message, "fuzz:"));
    for (guint i = 0; entries != NULL && i < entries->len; i++)
        check_person(&mapping, g_ptr_array_index(entries, i));
    return 0;
}
