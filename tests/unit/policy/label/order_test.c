/* Properties of the order among labels, on random schemes and labels. */
#include "policy/label/effective.h"
#include "tests/support/random_label.h"

#define ROUNDS 3000

typedef void (*property)(const struct scheme *scheme, const struct label *a, const struct label *b,
                         const struct label *c);

static void check(property holds)
{
    for (guint i = 0; i < ROUNDS; i++) {
        g_autoptr(schemes) schemes = random_schemes();
        const struct scheme *scheme = schemes_home(schemes);
        g_autoptr(label) a = random_label(scheme);
        g_autoptr(label) b = random_label(scheme);
        g_autoptr(label) c = random_label(scheme);
        holds(scheme, a, b, c);
        if (g_test_failed())
            return;
    }
}

static void covers_is_reflexive(const struct scheme *s, const struct label *a, const struct label *b,
                                const struct label *c)
{
    g_assert_true(label_covers(a, a));
    g_assert_true(label_equal(a, a));
    g_assert_false(label_differs(a, a));
}

static void covers_is_antisymmetric(const struct scheme *s, const struct label *a, const struct label *b,
                                    const struct label *c)
{
    if (label_covers(a, b) && label_covers(b, a))
        g_assert_false(label_differs(a, b));
    if (!label_differs(a, b))
        g_assert_true(label_covers(a, b));
}

/* Random triples are rarely a chain, so one is made by joining. */
static void covers_is_transitive(const struct scheme *s, const struct label *a, const struct label *b,
                                 const struct label *c)
{
    if (label_covers(a, b) && label_covers(b, c))
        g_assert_true(label_covers(a, c));
    g_autoptr(label) high = label_join(a, b);
    g_autoptr(label) top = label_join(high, c);
    g_assert_true(label_covers(top, high) && label_covers(high, a));
    g_assert_true(label_covers(top, a));
}

static void dominates_is_reflexive(const struct scheme *s, const struct label *a, const struct label *b,
                                   const struct label *c)
{
    g_assert_cmpint(label_dominates(a, FALSE, a), ==, !a->nobody);
}

/* Who may see a label may see what it covers. */
static void dominates_goes_down(const struct scheme *s, const struct label *a, const struct label *b,
                                const struct label *c)
{
    g_autoptr(label) high = label_join(b, c);
    for (gint all = FALSE; all <= TRUE; all++) {
        if (label_dominates(a, all, high))
            g_assert_true(label_dominates(a, all, b) && label_dominates(a, all, c));
        if (label_covers(b, c) && label_dominates(a, all, b))
            g_assert_true(label_dominates(a, all, c));
    }
}

static void nobody_is_dominated_by_nobody(const struct scheme *s, const struct label *a,
                                          const struct label *b, const struct label *c)
{
    g_autoptr(label) nobody = label_copy(b);
    nobody->nobody = TRUE;
    g_assert_false(label_dominates(a, FALSE, nobody));
    g_assert_false(label_dominates(a, TRUE, nobody));
}

/* The least one: every bound that covers both covers the join. */
static void join_is_least_upper_bound(const struct scheme *s, const struct label *a, const struct label *b,
                                      const struct label *c)
{
    g_autoptr(label) join = label_join(a, b);
    g_assert_true(label_covers(join, a) && label_covers(join, b));
    g_autoptr(label) bound = label_join(join, c);
    g_assert_true(label_covers(bound, join));
    if (label_covers(c, a) && label_covers(c, b))
        g_assert_true(label_covers(c, join));
}

static void join_has_laws(const struct scheme *s, const struct label *a, const struct label *b,
                          const struct label *c)
{
    g_autoptr(label) ab = label_join(a, b);
    g_autoptr(label) ba = label_join(b, a);
    g_autoptr(label) ab_c = label_join(ab, c);
    g_autoptr(label) bc = label_join(b, c);
    g_autoptr(label) a_bc = label_join(a, bc);
    g_autoptr(label) aa = label_join(a, a);
    g_assert_true(label_equal(ab, ba));
    g_assert_true(label_equal(ab_c, a_bc));
    g_assert_true(label_equal(aa, a));
}

static void copy_is_equal(const struct scheme *s, const struct label *a, const struct label *b,
                          const struct label *c)
{
    g_autoptr(label) copy = label_copy(a);
    g_assert_true(label_equal(copy, a));
    g_autofree char *one = label_format(a);
    g_autofree char *other = label_format(copy);
    g_assert_cmpstr(one, ==, other);
}

/* ---------------------------------------------------------------- messages */
static struct claim *random_claim(const struct scheme *scheme)
{
    static const enum place_kind kinds[] = {PLACE_FIELD,     PLACE_SUBJECT,   PLACE_LINE,
                                            PLACE_PART_TEXT, PLACE_PART_NAME, PLACE_QUOTED};
    struct place place = {.kind = kinds[g_test_rand_int_range(0, G_N_ELEMENTS(kinds))],
                          .field = "X-Classification"};
    place.part = place_class(place.kind) == PLACE_CONTAINED ? (guint)g_test_rand_int_range(1, 4) : 0;
    struct claim *claim = claim_new(&place, random_label(scheme));
    claim->near = g_test_rand_int_range(0, 4) == 0;
    return claim;
}

static gboolean dominates_set(const struct label *person, const struct label_set *set)
{
    for (guint i = 0; i < set->labels->len; i++)
        if (!label_dominates(person, FALSE, g_ptr_array_index(set->labels, i)))
            return FALSE;
    return TRUE;
}

/* semantics.md 13.3 and 13.6: adding a claim never widens the set of people who dominate E; the order of
 * claims has no effect. */
static void adding_a_claim_never_widens(void)
{
    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(schemes) schemes = random_schemes();
        const struct scheme *scheme = schemes_home(schemes);
        g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
        enum trust trust = (enum trust)g_test_rand_int_range(TRUST_OUTSIDE, TRUST_INSIDE + 1);
        for (gint i = g_test_rand_int_range(0, 4); i > 0; i--)
            g_ptr_array_add(claims, random_claim(scheme));
        g_autoptr(effective) before = effective_make(schemes, claims, trust, NULL);
        g_ptr_array_insert(claims, g_test_rand_int_range(0, (gint32)claims->len + 1), random_claim(scheme));
        g_autoptr(effective) after = effective_make(schemes, claims, trust, NULL);
        for (guint i = 0; i < 5; i++) {
            g_autoptr(label) person = random_label(scheme);
            g_assert_true(!dominates_set(person, after->effective) ||
                          dominates_set(person, before->effective));
        }
        g_assert_true(label_set_covers(after->effective, before->effective));
        g_assert_true(!before->labelled || after->labelled);
        g_assert_true(before->conflict_a == NULL || after->conflict_a != NULL);
        if (g_test_failed())
            return;
    }
}

static void order_of_claims_has_no_effect(void)
{
    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(schemes) schemes = random_schemes();
        g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func((GDestroyNotify)claim_free);
        for (guint i = 0; i < 4; i++)
            g_ptr_array_add(claims, random_claim(schemes_home(schemes)));
        g_autoptr(effective) one = effective_make(schemes, claims, TRUST_INSIDE, NULL);
        gpointer held = claims->pdata[0];
        guint with = (guint)g_test_rand_int_range(1, 4);
        claims->pdata[0] = claims->pdata[with];
        claims->pdata[with] = held;
        g_autoptr(effective) other = effective_make(schemes, claims, TRUST_INSIDE, NULL);
        g_assert_true(label_set_equal(one->effective, other->effective));
        g_assert_true(label_set_equal(one->quoted, other->quoted));
        g_assert_cmpint(one->labelled, ==, other->labelled);
        g_assert_cmpint(one->conflict_a != NULL, ==, other->conflict_a != NULL);
        g_assert_cmpuint(one->above_part, ==, other->above_part);
        if (g_test_failed())
            return;
    }
}

static void run_property(gconstpointer data)
{
    check((property)data);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_data_func("/order/covers-reflexive", covers_is_reflexive, run_property);
    g_test_add_data_func("/order/covers-antisymmetric", covers_is_antisymmetric, run_property);
    g_test_add_data_func("/order/covers-transitive", covers_is_transitive, run_property);
    g_test_add_data_func("/order/dominates-reflexive", dominates_is_reflexive, run_property);
    g_test_add_data_func("/order/dominates-goes-down", dominates_goes_down, run_property);
    g_test_add_data_func("/order/nobody", nobody_is_dominated_by_nobody, run_property);
    g_test_add_data_func("/order/join-least-upper-bound", join_is_least_upper_bound, run_property);
    g_test_add_data_func("/order/join-laws", join_has_laws, run_property);
    g_test_add_data_func("/order/copy", copy_is_equal, run_property);
    g_test_add_func("/order/adding-a-claim-never-widens", adding_a_claim_never_widens);
    g_test_add_func("/order/order-of-claims", order_of_claims_has_no_effect);
    return g_test_run();
}
