/*
 * Attack surface: what anybody in the world writes into a field, a subject, a line or a file name, as the
 * daemon reads it for labels: folding, the search for marks, plain fields with categories, joining the
 * claims. The first octet chooses the place; the rest, octets of any kind, is the text. Beyond not crashing:
 * claims are whole, E covers every claim, and what is passed over without folding holds no mark.
 */
#include "policy/label/effective.h"
#include "policy/label/mark.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SCHEME[] = "scheme \"cn\"\n"
                             "level 公开 rank 0 also \"open\"\nlevel 秘密 rank 1 also \"祕密\" lasts "
                             "10y\nlevel 机密 rank 2 also \"secret\" lasts 20y\n"
                             "category set \"范围\" permissive open\ncategory set \"专项\" restrictive { "
                             "value \"核\"; value \"密码\" also \"crypto\" }\n"
                             "combination \"专项\" from 秘密\n"
                             "marking duration \"★\", \"//\"\nmarking field \"X-Label\"\n"
                             "marking subject \"【{level}】\", \"[{level}]\", \"({level})\", "
                             "\"密级{level}\"\nmarking file name \"[{level}]\"\n"
                             "marking first 50 lines\nmarking except \"非密\", \"已解密\"\n";
static const char OTHER[] = "scheme \"hk\"\nlevel 機密 rank 1\nlevel Éclair rank 2\nmarking duration "
                            "\"★\"\nmarking field \"X-Label\"\n"
                            "marking subject \"【{level}】\"\nmarking last 3 lines\n";

static void add_scheme(struct schemes *schemes, const char *text)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    g_autoptr(block) block = tree_parse(sources_add(sources, "x", text, strlen(text)), diagnostics);
    g_assert_true(scheme_read(schemes, block, diagnostics));
}

static const struct schemes *both_schemes(void)
{
    static struct schemes *schemes;
    if (schemes == NULL) {
        schemes = schemes_new();
        add_scheme(schemes, SCHEME);
        add_scheme(schemes, OTHER);
    }
    return schemes;
}

static void check_claim(const struct claim *claim, const struct effective *effective)
{
    g_assert_true(g_utf8_validate(claim->raw, -1, NULL));
    g_assert_cmpint(claim->state == CLAIM_VALUE, ==, claim->label != NULL);
    g_assert_cmpint(claim->state == CLAIM_VALUE, ==, claim->why == NULL);
    if (claim->label == NULL)
        return;
    const struct label *all = label_set_of(effective->quoted, claim->scheme);
    if (place_class(claim->place.kind) != PLACE_IN_QUOTE)
        all = label_set_of(effective->effective, claim->scheme);
    g_assert_true(label_covers(all, claim->label));
    g_autofree char *text = label_format(claim->label);
    g_assert_true(g_utf8_validate(text, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct place places[] = {
        {.kind = PLACE_FIELD, .field = "X-Label"}, {.kind = PLACE_SUBJECT}, {.kind = PLACE_LINE, .line = 1},
        {.kind = PLACE_PART_NAME, .part = 1},      {.kind = PLACE_QUOTED},
    };
    if (size == 0 || size > 65536)
        return 0;
    const struct schemes *schemes = both_schemes();
    const struct place *place = &places[data[0] % G_N_ELEMENTS(places)];
    g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
    claims_read(schemes, place, (const char *)data + 1, size - 1, claims);
    g_autoptr(effective) effective = effective_make(schemes, claims, TRUST_INSIDE, NULL);
    for (guint i = 0; i < claims->len; i++)
        check_claim(g_ptr_array_index(claims, i), effective);
    g_autoptr(folded) folded = fold_text((const char *)data + 1, size - 1, FOLD_MARK);
    g_assert_true(g_utf8_validate(folded->text, (gssize)folded->length, NULL));
    for (gsize at = 0; at <= folded->length; at++)
        g_assert_cmpuint(folded_origin(folded, at), <=, size - 1);
    return 0;
}
