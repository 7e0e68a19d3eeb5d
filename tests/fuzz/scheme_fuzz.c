/*
 * Attack surface: a scheme file, which an officer writes or is given by another agency, from its first octet
 * to the tables that are made of it. Octets of any kind. Beyond not crashing: a scheme that loads has levels,
 * and reads a text without harm; one that does not says why.
 */
#include "policy/label/claim.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_with(const struct schemes *schemes)
{
    static const char text[] = "[A] 密级：机密★10年【机密】 (B)";
    static const enum place_kind kinds[] = {PLACE_SUBJECT, PLACE_LINE, PLACE_PART_NAME};
    g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct place place = {.kind = kinds[i], .line = 1};
        claims_read(schemes, &place, text, strlen(text), claims);
    }
    const struct scheme *scheme = schemes_home(schemes);
    for (guint i = 0; i < scheme->fields->len; i++) {
        struct place place = {.kind = PLACE_FIELD,
                              .field = ((struct marking_field *)g_ptr_array_index(scheme->fields, i))->name};
        claims_read(schemes, &place, "机密★10年 x:y", strlen("机密★10年 x:y"), claims);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "x", (const char *)data, size), diagnostics);
    guint before = diagnostics_errors(diagnostics);
    g_autoptr(schemes) schemes = schemes_new();
    gboolean good = scheme_read(schemes, block, diagnostics);
    g_assert_cmpint(good, ==, diagnostics_errors(diagnostics) == before);
    g_autofree char *english = diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, LANGUAGE_EN);
    g_autofree char *chinese = diagnostics_render(diagnostics, DIAGNOSTIC_JSON, LANGUAGE_ZH);
    g_assert_true(g_utf8_validate(english, -1, NULL) && g_utf8_validate(chinese, -1, NULL));
    if (before > 0 || !good)
        return 0;
    g_assert_nonnull(scheme_lowest(schemes_home(schemes)));
    read_with(schemes);
    return 0;
}
