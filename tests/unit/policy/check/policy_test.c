#include "policy/check/policy.h"

#include <string.h>

enum {
    CAUSE_WORDLESS = 0,
    CAUSE_OF_DIRECTORY,
    CAUSE_OF_OVERLOAD,
    CAUSE_OF_ENCRYPTED,
    CAUSE_OF_DAMAGED,
    CAUSE_OF_LIMIT,
    CAUSE_OF_LABEL,
    CAUSE_OF_STRUCTURE,
    CAUSE_END
};

struct fixture {
    struct scheme home, other;
    struct level levels[5], foreign;
    struct policy *policy;
};

static void scheme_init(struct scheme *scheme, struct level *levels, guint count)
{
    *scheme = (struct scheme){.levels = g_ptr_array_new(), .sets = g_ptr_array_new()};
    for (guint i = 0; i < count; i++) {
        levels[i] = (struct level){.name = (char *)"level", .rank = i + 1, .ascii = (char *)"level"};
        g_ptr_array_add(scheme->levels, &levels[i]);
    }
}

static void set_up(struct fixture *f, gconstpointer data)
{
    scheme_init(&f->home, f->levels, 5);
    scheme_init(&f->other, &f->foreign, 1);
    f->policy = policy_new();
    g_ptr_array_set_size(f->policy->undecidable, 0);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    policy_free(f->policy);
    g_ptr_array_unref(f->home.levels);
    g_ptr_array_unref(f->home.sets);
    g_ptr_array_unref(f->other.levels);
    g_ptr_array_unref(f->other.sets);
}

static struct label_set *at(const struct scheme *scheme, const struct level *level)
{
    struct label_set *set = label_set_new();
    g_autoptr(label) label = label_new(scheme, level);

    label_set_join(set, label);
    return set;
}

static void add_line(struct fixture *f, guint causes, const struct level *up_to, enum outcome_kind kind)
{
    struct undecidable_line *line = policy_add_undecidable(f->policy);

    line->causes = causes;
    line->scheme = up_to != NULL ? &f->home : NULL;
    line->up_to = up_to;
    line->outcome.kind = kind;
}

static void test_defaults(void)
{
    g_autoptr(policy) policy = policy_new();

    g_assert_true(policy->login_counts);
    g_assert_true(policy->certificate_counts);
    g_assert_false(policy->certificate_first);
    g_assert_false(policy->refuse_all);
    g_assert_false(policy->outside_hold_refused);
    g_assert_null(policy->unknown_person);
    g_assert_null(policy->recipient_delimiter);
    g_assert_cmpuint(policy->devices->len, ==, 0);
    g_assert_cmpuint(policy->queues->len, ==, 0);
    g_assert_cmpuint(policy->max_recipients, ==, 1000);
    g_assert_cmpuint(policy->max_message_bytes, ==, 52428800);
    g_assert_cmpint(policy->defer_at_most_ms, ==, 14400000);
    for (gint cause = CAUSE_WORDLESS; cause < CAUSE_END; cause++) {
        gboolean transient = cause == CAUSE_OF_DIRECTORY || cause == CAUSE_OF_OVERLOAD;
        const struct outcome *outcome = policy_undecidable(policy, cause, NULL, NULL);
        g_assert_cmpint(outcome->kind, ==, transient ? OUTCOME_DEFER : OUTCOME_UNSET);
    }
}

/* The block of examples/miji.conf. */
static void test_first_fits(struct fixture *f, gconstpointer data)
{
    g_autoptr(label_set) low = at(&f->home, &f->levels[1]);
    g_autoptr(label_set) high = at(&f->home, &f->levels[2]);

    add_line(f, UNDECIDABLE_DIRECTORY | UNDECIDABLE_OVERLOAD, NULL, OUTCOME_DEFER);
    add_line(f, UNDECIDABLE_LABEL, NULL, OUTCOME_HOLD);
    add_line(f, 0, &f->levels[1], OUTCOME_HOLD);
    add_line(f, 0, NULL, OUTCOME_REFUSE);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_DIRECTORY, NULL, &f->home)->kind, ==,
                    OUTCOME_DEFER);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_OVERLOAD, high, &f->home)->kind, ==,
                    OUTCOME_DEFER);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_LABEL, high, &f->home)->kind, ==, OUTCOME_HOLD);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_ENCRYPTED, low, &f->home)->kind, ==, OUTCOME_HOLD);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_ENCRYPTED, high, &f->home)->kind, ==,
                    OUTCOME_REFUSE);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_WORDLESS, low, &f->home)->kind, ==, OUTCOME_HOLD);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_WORDLESS, high, &f->home)->kind, ==, OUTCOME_REFUSE);
}

static void test_up_to_needs_a_known_label(struct fixture *f, gconstpointer data)
{
    g_autoptr(label_set) empty = label_set_new();
    g_autoptr(label_set) foreign = at(&f->other, &f->foreign);
    g_autoptr(label_set) mixed = at(&f->home, &f->levels[0]);
    g_autoptr(label_set) highest = at(&f->home, &f->levels[4]);

    label_set_join_all(mixed, foreign);
    add_line(f, 0, &f->levels[4], OUTCOME_HOLD);
    add_line(f, 0, NULL, OUTCOME_REFUSE);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_LIMIT, highest, &f->home)->kind, ==, OUTCOME_HOLD);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_LIMIT, NULL, &f->home)->kind, ==, OUTCOME_REFUSE);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_LIMIT, empty, &f->home)->kind, ==, OUTCOME_HOLD);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_LIMIT, foreign, &f->home)->kind, ==,
                    OUTCOME_REFUSE);
    g_assert_cmpint(policy_undecidable(f->policy, CAUSE_OF_LIMIT, mixed, &f->home)->kind, ==, OUTCOME_REFUSE);
}

static void test_deliver_only_what_cannot_be_read(struct fixture *f, gconstpointer data)
{
    g_autoptr(label_set) low = at(&f->home, &f->levels[0]);
    g_autoptr(label_set) empty = label_set_new();

    add_line(f, 0, &f->levels[1], OUTCOME_DELIVER);
    add_line(f, UNDECIDABLE_LABEL, &f->levels[1], OUTCOME_DELIVER);
    add_line(f, 0, NULL, OUTCOME_DELIVER); /* refused by the configuration; no door here either */
    add_line(f, 0, NULL, OUTCOME_REFUSE);
    for (gint cause = CAUSE_WORDLESS; cause < CAUSE_END; cause++) {
        gboolean content =
            cause == CAUSE_OF_ENCRYPTED || cause == CAUSE_OF_DAMAGED || cause == CAUSE_OF_LIMIT;
        const struct outcome *outcome = policy_undecidable(f->policy, cause, low, &f->home);
        g_assert_cmpint(outcome->kind, ==, content ? OUTCOME_DELIVER : OUTCOME_REFUSE);
        g_assert_cmpint(policy_undecidable(f->policy, cause, NULL, &f->home)->kind, ==, OUTCOME_REFUSE);
        g_assert_cmpint(policy_undecidable(f->policy, cause, empty, &f->home)->kind, ==, OUTCOME_REFUSE);
    }
}

static guint random_causes(void)
{
    return g_test_rand_bit() ? 0 : (guint)g_test_rand_int_range(1, 128) << 1;
}

static void random_block(struct fixture *f)
{
    guint lines = (guint)g_test_rand_int_range(0, 6);

    g_ptr_array_set_size(f->policy->undecidable, 0);
    for (guint i = 0; i < lines; i++) {
        const struct level *up_to = g_test_rand_bit() ? &f->levels[g_test_rand_int_range(0, 5)] : NULL;
        add_line(f, random_causes(), up_to,
                 (enum outcome_kind)g_test_rand_int_range(OUTCOME_REFUSE, OUTCOME_TREAT_AS));
    }
    add_line(f, 0, NULL, OUTCOME_REFUSE);
}

/* Whatever the block says: there is always an answer; what is delivered is content whose label is known, by a
 * line that reaches up to it; nothing is delivered when the label is not known. */
static void test_property(struct fixture *f, gconstpointer data)
{
    for (guint round = 0; round < 2000; round++) {
        gint cause = g_test_rand_int_range(CAUSE_WORDLESS, CAUSE_END);
        guint level = (guint)g_test_rand_int_range(0, 5);
        g_autoptr(label_set) known = at(&f->home, &f->levels[level]);
        random_block(f);
        const struct outcome *outcome = policy_undecidable(f->policy, cause, known, &f->home);
        const struct outcome *unknown = policy_undecidable(f->policy, cause, NULL, &f->home);
        gboolean open_door = FALSE;

        g_assert_nonnull(outcome);
        g_assert_nonnull(unknown);
        g_assert_cmpint(unknown->kind, !=, OUTCOME_DELIVER);
        for (guint i = 0; i < f->policy->undecidable->len; i++) {
            const struct undecidable_line *line = g_ptr_array_index(f->policy->undecidable, i);
            open_door |= line->outcome.kind == OUTCOME_DELIVER && line->up_to != NULL &&
                         line->up_to->rank >= f->levels[level].rank;
        }
        if (outcome->kind == OUTCOME_DELIVER)
            g_assert_true(open_door && cause >= CAUSE_OF_ENCRYPTED && cause <= CAUSE_OF_LIMIT);
    }
}

#define ADD(path, function) g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/check/policy/defaults", test_defaults);
    ADD("/check/policy/first-fits", test_first_fits);
    ADD("/check/policy/up-to-needs-a-known-label", test_up_to_needs_a_known_label);
    ADD("/check/policy/deliver-only-what-cannot-be-read", test_deliver_only_what_cannot_be_read);
    ADD("/check/policy/property", test_property);
    return g_test_run();
}
