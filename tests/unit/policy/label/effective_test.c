#include "policy/label/effective.h"
#include "tests/support/scheme_text.h"

#include <string.h>

/* A message under test: what its places say, read as the daemon reads them. */
struct message_text {
    const char *field[3], *subject, *line, *part[3], *quoted;
};

struct fixture {
    struct schemes *schemes;
    GPtrArray *claims;
};

static void read_at(struct fixture *f, struct place place, const char *text)
{
    if (text != NULL)
        claims_read(f->schemes, &place, text, strlen(text), f->claims);
}

static struct fixture read_message(struct message_text message)
{
    struct fixture f = {schemes_cn(), g_ptr_array_new_with_free_func((GDestroyNotify)claim_free)};
    schemes_read_text(f.schemes, "scheme \"au\"\nlevel OFFICIAL rank 0\nlevel SECRET rank 1\n"
                                 "category set \"REL\" permissive open\nmarking field \"X-AU\"\n");
    read_at(&f, (struct place){.kind = PLACE_FIELD, .field = "X-Classification"}, message.field[0]);
    read_at(&f, (struct place){.kind = PLACE_FIELD, .field = "X-Security-Level"}, message.field[1]);
    read_at(&f, (struct place){.kind = PLACE_FIELD, .field = "X-AU"}, message.field[2]);
    read_at(&f, (struct place){.kind = PLACE_SUBJECT}, message.subject);
    read_at(&f, (struct place){.kind = PLACE_LINE, .line = 1}, message.line);
    for (guint i = 0; i < G_N_ELEMENTS(message.part); i++)
        read_at(&f, (struct place){.kind = PLACE_PART_TEXT, .part = i + 1, .line = 1}, message.part[i]);
    read_at(&f, (struct place){.kind = PLACE_QUOTED}, message.quoted);
    return f;
}

static void end(struct fixture *f, struct effective *e)
{
    effective_free(e);
    g_ptr_array_unref(f->claims);
    schemes_unref(f->schemes);
}

static void is_set(const struct label_set *set, const char *expected)
{
    g_autofree char *text = label_set_format(set);
    g_assert_cmpstr(text, ==, expected);
}

static void shows(const struct effective *e, const char *expected)
{
    g_autofree char *text = e->display != NULL ? label_format(e->display) : NULL;
    g_assert_cmpstr(text, ==, expected);
}

static void test_nothing(void)
{
    struct fixture f = read_message((struct message_text){.subject = "会议"});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->effective, "");
    shows(e, NULL);
    g_assert_true(e->missing && !e->labelled && !e->assumed);
    g_assert_true(e->invalid == NULL && e->conflict_a == NULL && e->repeated_field == NULL &&
                  e->above_part == 0);
    end(&f, e);
}

static void test_one(void)
{
    struct fixture f = read_message((struct message_text){.field = {"机密"}});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->own, "机密");
    is_set(e->effective, "机密");
    is_set(e->contained, "");
    shows(e, "机密");
    g_assert_true(e->labelled && !e->missing);
    end(&f, e);
}

/* semantics.md 14, case 18: E keeps the join, and the two that disagree are named. */
static void test_conflict(void)
{
    struct fixture f = read_message((struct message_text){.field = {"秘密"}, .subject = "【机密】"});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->effective, "机密");
    g_assert_cmpint(e->conflict_a->place.kind, ==, PLACE_FIELD);
    g_assert_cmpint(e->conflict_b->place.kind, ==, PLACE_SUBJECT);
    shows(e, "机密");
    end(&f, e);
    /* a missing duration is no conflict; neither are informative values, nor labels of different schemes */
    f = read_message((struct message_text){.field = {"机密", NULL, "SECRET"}, .subject = "机密★5年"});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->effective, "机密 + au/SECRET");
    g_assert_null(e->conflict_a);
    end(&f, e);
    f = read_message((struct message_text){.field = {"机密", "机密 专项:核"}});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_nonnull(e->conflict_a);
    end(&f, e);
}

/* Case 14: an outsider's mark raises, labels nothing, conflicts with nothing. */
static void test_outside(void)
{
    struct fixture f = read_message((struct message_text){.field = {"公开"}, .subject = "【机密】"});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_OUTSIDE, NULL);
    is_set(e->effective, "机密");
    g_assert_true(e->missing && !e->labelled);
    g_assert_null(e->conflict_a);
    shows(e, "机密");
    end(&f, e);
}

/* A peer's marks count in the schemes that its zone accepts. */
static void test_peer(void)
{
    struct fixture f =
        read_message((struct message_text){.field = {"秘密", NULL, "SECRET"}, .subject = "【机密】"});
    g_autoptr(GPtrArray) accepted = g_ptr_array_new();
    struct effective *none = effective_make(f.schemes, f.claims, TRUST_PEER, accepted);
    g_assert_true(none->missing && none->conflict_a == NULL);
    effective_free(none);
    g_ptr_array_add(accepted, (gpointer)schemes_find(f.schemes, "au"));
    struct effective *au = effective_make(f.schemes, f.claims, TRUST_PEER, accepted);
    g_assert_true(au->labelled && au->conflict_a == NULL);
    effective_free(au);
    struct effective *all = effective_make(f.schemes, f.claims, TRUST_PEER, NULL);
    g_assert_true(all->labelled && all->conflict_a != NULL);
    end(&f, all);
}

/* Case 20. */
static void test_invalid(void)
{
    struct fixture f = read_message((struct message_text){.field = {"机秘"}, .subject = "【秘密】"});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpstr(e->invalid->place.field, ==, "X-Classification");
    is_set(e->effective, "秘密"); /* the other claims still count */
    g_assert_true(e->labelled && !e->missing && e->unmapped == NULL);
    end(&f, e);
    f = read_message((struct message_text){.field = {"机秘"}});
    e = effective_make(f.schemes, f.claims, TRUST_OUTSIDE, NULL);
    g_assert_true(!e->labelled && !e->missing && e->invalid != NULL); /* an unreadable label is not none */
    end(&f, e);
}

static void test_unmapped(void)
{
    struct fixture f = read_message((struct message_text){.part = {"秘密"}});
    struct claim *own = claim_new(&(struct place){.kind = PLACE_SIGNATURE},
                                  label_new(schemes_home(f.schemes), level_called(f.schemes, "公开")));
    struct claim *part = claim_new(&(struct place){.kind = PLACE_PART_PROPERTY, .part = 4},
                                   label_new(schemes_home(f.schemes), level_called(f.schemes, "公开")));
    own->state = part->state = CLAIM_UNMAPPED;
    g_ptr_array_add(f.claims, own);
    g_ptr_array_add(f.claims, part);
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_true(e->unmapped == own && e->part_unreadable == part && e->invalid == NULL);
    g_assert_true(!e->missing && !e->labelled);
    is_set(e->effective, "秘密");
    end(&f, e);
}

/* Case 21: two fields of one name, in any case, even if they say the same. */
static void test_repeated(void)
{
    struct fixture f = read_message((struct message_text){.field = {"公开"}});
    read_at(&f, (struct place){.kind = PLACE_FIELD, .field = "x-classification"}, "公开");
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpstr(e->repeated_field, ==, "X-Classification");
    g_assert_null(e->conflict_a);
    end(&f, e);
    f = read_message((struct message_text){.field = {"公开", "公开"}});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_null(e->repeated_field);
    end(&f, e);
}

/* Case 19: contained against own is no conflict. */
static void test_above(void)
{
    struct fixture f =
        read_message((struct message_text){.field = {"秘密"}, .part = {"秘密", "绝密", "机密"}});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->own, "秘密");
    is_set(e->contained, "绝密");
    is_set(e->effective, "绝密");
    g_assert_cmpuint(e->above_part, ==, 2);
    g_assert_null(e->conflict_a);
    shows(e, "秘密");
    end(&f, e);
    f = read_message((struct message_text){.field = {"绝密"}, .part = {"秘密"}});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpuint(e->above_part, ==, 0);
    end(&f, e);
    f = read_message((struct message_text){.part = {NULL, "内部"}});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpuint(e->above_part, ==, 2); /* no own label covers nothing */
    g_assert_true(e->missing);
    shows(e, "内部");
    end(&f, e);
}

/* Case 22: the parts have no common audience. */
static void test_nobody(void)
{
    struct fixture f = read_message((struct message_text){.field = {"公开"}});
    const struct scheme *cn = schemes_home(f.schemes);
    for (guint i = 0; i < 2; i++) {
        struct label *label = label_new(cn, level_called(f.schemes, "公开"));
        label_add_value(label, scheme_set(cn, "知悉范围"), i == 0 ? "A" : "B");
        g_ptr_array_add(f.claims, claim_new(&(struct place){.kind = PLACE_PART_TEXT, .part = i + 1}, label));
    }
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_true(label_set_of(e->effective, cn)->nobody);
    end(&f, e);
}

/* Quoted marks are kept apart; a part that cannot be read is said, a quoted field is nothing. */
static void test_quoted(void)
{
    struct fixture f = read_message((struct message_text){.field = {"公开"}, .quoted = "绝密★30年"});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->effective, "公开");
    is_set(e->quoted, "绝密");
    end(&f, e);
}

static void test_part_unreadable(void)
{
    struct fixture f = read_message((struct message_text){.field = {"公开"}});
    read_at(&f, (struct place){.kind = PLACE_PART_FIELD, .part = 2, .field = "X-Classification"}, "机秘");
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpuint(e->part_unreadable->place.part, ==, 2);
    g_assert_null(e->invalid);
    end(&f, e);
}

/* Near may raise, never lower: it joins, labels nothing, conflicts with nothing. */
static void test_near(void)
{
    struct fixture f = read_message((struct message_text){.field = {"公开"}, .subject = "【机密"});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    is_set(e->effective, "机密");
    g_assert_true(e->labelled && e->conflict_a == NULL);
    end(&f, e);
    f = read_message((struct message_text){.subject = "【公开"});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_true(e->missing && !e->labelled);
    end(&f, e);
}

/* The first of the fields in the scheme's order, the subject, a line that equals O, with its term. */
static void test_display(void)
{
    struct fixture f = read_message((struct message_text){.subject = "机密★3年", .line = "机密★4年"});
    read_at(&f, (struct place){.kind = PLACE_FIELD, .field = "X-Miji-Label"}, "机密★2年");
    read_at(&f, (struct place){.kind = PLACE_FIELD, .field = "X-Security-Level"}, "机密★1年");
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpstr(e->display->duration.text, ==, "1年");
    end(&f, e);
    f = read_message((struct message_text){.subject = "机密★3年", .line = "机密★4年"});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_cmpstr(e->display->duration.text, ==, "3年");
    end(&f, e);
    f = read_message((struct message_text){.field = {"内部", NULL, "SECRET"}, .subject = "机密★3年"});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    shows(e, "机密");                                      /* the home scheme before others */
    g_assert_cmpstr(e->display->duration.text, ==, "3年"); /* the claim that equals O */
    end(&f, e);
    f = read_message((struct message_text){.field = {NULL, NULL, "SECRET"}});
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    shows(e, "au/SECRET");
    end(&f, e);
}

/* unlabelled … treat as LEVEL: joins, is marked, and what is said about parts and display follows. */
static void test_assume(void)
{
    struct fixture f = read_message((struct message_text){.part = {"内部", "机密"}});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_OUTSIDE, NULL);
    const struct scheme *cn = schemes_home(f.schemes);
    g_assert_cmpuint(e->above_part, ==, 1);
    effective_assume(e, cn, level_called(f.schemes, "内部"), f.claims);
    is_set(e->own, "内部");
    is_set(e->effective, "机密");
    shows(e, "内部");
    g_assert_cmpuint(e->above_part, ==, 2);
    g_assert_true(e->assumed && e->missing && !e->labelled);
    end(&f, e);
    f = read_message((struct message_text){.subject = "【机密】"});
    e = effective_make(f.schemes, f.claims, TRUST_OUTSIDE, NULL);
    effective_assume(e, schemes_home(f.schemes), level_called(f.schemes, "公开"), f.claims);
    is_set(e->effective, "机密"); /* nothing lowers */
    shows(e, "机密");
    end(&f, e);
    effective_free(NULL);
}

static void test_ambiguous(void)
{
    struct fixture f = read_message((struct message_text){.field = {"机密"}});
    struct effective *e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_false(e->scheme_ambiguous);
    effective_free(e);
    ((struct claim *)g_ptr_array_index(f.claims, 0))->scheme_ambiguous = TRUE;
    e = effective_make(f.schemes, f.claims, TRUST_INSIDE, NULL);
    g_assert_true(e->scheme_ambiguous);
    end(&f, e);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/effective/nothing", test_nothing);
    g_test_add_func("/effective/one", test_one);
    g_test_add_func("/effective/conflict", test_conflict);
    g_test_add_func("/effective/outside", test_outside);
    g_test_add_func("/effective/peer", test_peer);
    g_test_add_func("/effective/invalid", test_invalid);
    g_test_add_func("/effective/unmapped", test_unmapped);
    g_test_add_func("/effective/repeated", test_repeated);
    g_test_add_func("/effective/above", test_above);
    g_test_add_func("/effective/nobody", test_nobody);
    g_test_add_func("/effective/quoted", test_quoted);
    g_test_add_func("/effective/part-unreadable", test_part_unreadable);
    g_test_add_func("/effective/near", test_near);
    g_test_add_func("/effective/display", test_display);
    g_test_add_func("/effective/assume", test_assume);
    g_test_add_func("/effective/ambiguous", test_ambiguous);
    return g_test_run();
}
