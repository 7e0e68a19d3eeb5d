/* The label in force, what is missing, and how sure it is (semantics.md 2; check 4). */
#include "tests/support/world.h"

static const struct check_line *line_of(const struct decision *decision, enum check_id check)
{
    return &g_array_index(decision->checks, struct check_line, check - CHECK_ENVELOPE);
}

static void assert_effective(const struct decision *decision, const char *expected)
{
    g_autofree char *text = label_set_format(decision->label->effective);

    g_assert_cmpstr(text, ==, expected);
}

/* bo to an (who may see everything), one mark. */
static struct decision *decide_marked(struct world *world, const char *level)
{
    world_usual(world, level);
    world_to(world, "<an@agency.gov.cn>");
    return world_decide(world);
}

static void test_labelled(void)
{
    g_autoptr(world) world = world_new();
    g_autoptr(decision) decision = decide_marked(world, "机密");

    assert_effective(decision, "机密");
    g_assert_true(decision->label->labelled);
    g_assert_cmpint(decision->verdict, ==, VERDICT_DELIVER);
}

static void test_missing_inside(void)
{
    static const struct {
        struct outcome outcome;
        enum verdict verdict;
        const char *effective;
    } rows[] = {
        {{.kind = OUTCOME_UNSET}, VERDICT_REFUSE, ""},
        {{.kind = OUTCOME_REFUSE}, VERDICT_REFUSE, ""},
        {{.kind = OUTCOME_HOLD, .queue = (char *)"labels"}, VERDICT_HOLD, ""},
        {{.kind = OUTCOME_DEFER}, VERDICT_DEFER, ""},
        {{.kind = OUTCOME_DELIVER}, VERDICT_DELIVER, "公开"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world->policy->unlabelled_inside = rows[i].outcome;
        world->policy->unlabelled_inside.queue = g_strdup(rows[i].outcome.queue);
        g_autoptr(decision) decision = decide_marked(world, NULL);
        g_assert_cmpint(decision->verdict, ==, rows[i].verdict);
        assert_effective(decision, rows[i].effective);
        if (rows[i].verdict != VERDICT_DELIVER)
            g_assert_cmpint(decision->leading->id, ==, REASON_UNLABELLED);
    }
}

static void test_treat_as(void)
{
    g_autoptr(world) world = world_new();
    world->policy->unlabelled_inside = (struct outcome){.kind = OUTCOME_TREAT_AS,
                                                        .scheme = schemes_home(world->schemes),
                                                        .level = world_level(world, "秘密")};
    world_to(world, "<ni@agency.gov.cn>");
    g_autoptr(decision) decision = decide_marked(world, NULL);

    assert_effective(decision, "秘密");
    g_assert_true(decision->label->assumed);
    g_assert_cmpint(world_recipient(decision, "an@agency.gov.cn")->verdict, ==, VERDICT_DELIVER);
    g_assert_cmpint(world_recipient(decision, "ni@agency.gov.cn")->verdict, ==, VERDICT_REFUSE);
}

static void test_missing_outside(void)
{
    g_autoptr(world) world = world_new();
    world_internet(world);
    world_from(world, "<x@elsewhere.example>");
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_effective(decision, "公开");
    g_assert_true(decision->label->assumed);
    g_assert_cmpint(decision->verdict, ==, VERDICT_DELIVER);
}

/* What a stranger writes makes nothing labelled, but raises (2.4). */
static void test_outside_raises(void)
{
    g_autoptr(world) world = world_new();
    world_internet(world);
    world_from(world, "<x@elsewhere.example>");
    world_text(world, PLACE_SUBJECT, 0, "【机密】年度计划");
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    assert_effective(decision, "机密");
    g_assert_false(decision->label->labelled);
    g_assert_cmpint(decision->leading->id, ==, REASON_ZONE_ORIGIN);
}

static struct decision *decide_report(struct world *world, gboolean is_report, const char *from)
{
    world_office(world, "bo");
    world_from(world, from);
    world_field(world, "From", "bo@agency.gov.cn");
    world->facts->is_report = is_report;
    world_to(world, "<gu@agency.gov.cn>");
    return world_decide(world);
}

/* Of a login only a report with null sender is automatic: anybody can write Auto-Submitted (2.9). */
static void test_automatic(void)
{
    g_autoptr(world) world = world_new();
    g_autoptr(decision) report = decide_report(world, TRUE, "<>");
    g_assert_cmpint(report->verdict, ==, VERDICT_DELIVER);
    assert_effective(report, "公开");
    world_new_message(world);
    g_autoptr(decision) with_sender = decide_report(world, TRUE, "<bo@agency.gov.cn>");
    g_assert_cmpint(with_sender->leading->id, ==, REASON_UNLABELLED);
    world_new_message(world);
    g_autoptr(decision) no_report = decide_report(world, FALSE, "<>");
    g_assert_cmpint(no_report->leading->id, ==, REASON_UNLABELLED);
}

/* Automatic mail is raised by what it contains; the attachment is then not above it. */
static void test_automatic_contained(void)
{
    g_autoptr(world) world = world_new();
    world_text(world, PLACE_PART_TEXT, 3, "机密★10年");
    g_autoptr(decision) decision = decide_report(world, TRUE, "<>");

    assert_effective(decision, "机密");
    g_assert_cmpint(line_of(decision, CHECK_ATTACHMENT)->answer, ==, CHECK_PERMIT);
    g_assert_cmpint(decision->leading->id, ==, REASON_NOT_CLEARED);
}

static void test_repeated(void)
{
    g_autoptr(world) world = world_new();
    world_field(world, "x-classification", "公开");
    g_autoptr(decision) decision = decide_marked(world, "公开");

    g_assert_cmpint(decision->leading->id, ==, REASON_LABEL_REPEATED);
    g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE); /* hold, and there is no queue */
    g_assert_cmpstr(decision->reply.text, ==, "More than one x-classification [MIJI-abc234]");
}

/* A second field that says nothing (a negation) is a second field all the same. */
static void test_repeated_with_negation(void)
{
    g_autoptr(world) world = world_new();
    world_field(world, "X-Classification", "非密");
    g_autoptr(decision) decision = decide_marked(world, "公开");

    g_assert_true(world_has_reason(decision->reasons, REASON_LABEL_REPEATED));
}

static void test_conflict(void)
{
    g_autoptr(world) world = world_new();
    world_text(world, PLACE_SUBJECT, 0, "【机密】年度计划");
    g_autoptr(decision) decision = decide_marked(world, "秘密");

    assert_effective(decision, "机密");
    g_assert_cmpint(decision->leading->id, ==, REASON_LABEL_CONFLICT);
    g_assert_cmpstr(decision->reply.text, ==,
                    "The message carries differing markings: confidential, secret [MIJI-abc234]");
    world->policy->label_conflict.kind = OUTCOME_RECORD;
    g_autoptr(decision) recorded = world_decide(world);
    g_assert_cmpint(recorded->verdict, ==, VERDICT_DELIVER);
    g_assert_true(world_has_reason(recorded->reasons, REASON_LABEL_CONFLICT));
    g_assert_cmpint(line_of(recorded, CHECK_LABEL_STATE)->answer, ==, CHECK_PERMIT);
}

/* 机秘: a mark that nobody understands. E is then only a lower bound. */
static void test_invalid(void)
{
    g_autoptr(world) world = world_new();
    g_autoptr(decision) decision = decide_marked(world, "机秘");
    const struct decided_recipient *an = world_recipient(decision, "an@agency.gov.cn");

    g_assert_cmpint(decision->leading->id, ==, REASON_LABEL_INVALID);
    g_assert_cmpint(decision->leading->answer, ==, CHECK_UNKNOWN_PERSISTENT);
    g_assert_cmpint(g_array_index(an->checks, struct check_line, 1).answer, ==, CHECK_UNKNOWN_PERSISTENT);
    g_assert_cmpstr(decision->reply.text, ==,
                    "The marking in the field X-Classification is not understood [MIJI-abc234]");
}

static struct undecidable_line *only_line(struct world *world, guint causes, const char *up_to,
                                          enum outcome_kind kind)
{
    struct undecidable_line *line;

    g_ptr_array_set_size(world->policy->undecidable, 0);
    line = policy_add_undecidable(world->policy);
    line->causes = causes;
    line->outcome.kind = kind;
    if (up_to != NULL) {
        line->scheme = schemes_home(world->schemes);
        line->up_to = world_level(world, up_to);
    }
    policy_add_undecidable(world->policy)->outcome.kind = OUTCOME_REFUSE;
    return line;
}

/* Insiders: as `undecidable` says; outsiders cannot put it right, so it is refused (semantics.md 8). */
static void test_invalid_outside(void)
{
    g_autoptr(world) world = world_new();
    only_line(world, UNDECIDABLE_LABEL, NULL, OUTCOME_HOLD)->outcome.queue = g_strdup("labels");
    g_autoptr(decision) inside = decide_marked(world, "机秘");
    g_assert_cmpint(inside->verdict, ==, VERDICT_HOLD);
    world_new_message(world);
    world_internet(world);
    world_from(world, "<x@elsewhere.example>");
    world_field(world, "X-Classification", "机秘");
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) outside = world_decide(world);
    g_assert_cmpint(outside->verdict, ==, VERDICT_REFUSE);
}

/* A value of which only a part is known, or of which nobody knows what it says, is none; its beginning
 * raises. */
static void test_cut_value(void)
{
    static const struct {
        enum field_flag flag;
        const char *why;
    } rows[] = {
        {FIELD_SHORTENED, "the value is too long"},
        {FIELD_CUT, "the value is too long"},
        {FIELD_UNDECODABLE, "the value cannot be decoded"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "机密");
        world->facts->fields[world->facts->field_count - 1].flags = rows[i].flag;
        world_to(world, "<an@agency.gov.cn>");
        g_autoptr(decision) decision = world_decide(world);
        assert_effective(decision, "机密");
        g_assert_false(decision->label->labelled);
        g_assert_false(decision->label->missing);
        g_assert_nonnull(decision->label->invalid);
        g_assert_cmpstr(decision->label->invalid->why, ==, rows[i].why);
        g_assert_cmpint(decision->leading->id, ==, REASON_LABEL_INVALID);
        g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE);
    }
}

/* Other fields may be as long as they like. */
static void test_cut_field_of_no_scheme(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "机密");
    world_field(world, "X-Other", "机密");
    world->facts->fields[world->facts->field_count - 1].flags = FIELD_SHORTENED | FIELD_UNDECODABLE;
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);

    g_assert_cmpint(decision->verdict, ==, VERDICT_DELIVER);
}

/* A doubtful header: nothing may be called missing, for anybody. */
static void test_doubtful_header(void)
{
    static const enum finding_id findings[] = {FINDING_FIELDS_IN_BODY,  FINDING_NUL_IN_HEADER,
                                               FINDING_FIELD_CUT,       FINDING_BAD_FIELD,
                                               FINDING_TOO_MANY_FIELDS, FINDING_HEADER_TOO_LARGE};

    for (guint i = 0; i < G_N_ELEMENTS(findings); i++) {
        g_autoptr(world) world = world_new();
        world_finding(world, findings[i], 0);
        g_autoptr(decision) inside = decide_marked(world, NULL);
        g_assert_cmpint(inside->leading->id, ==, REASON_AMBIGUOUS_STRUCTURE);
        g_assert_false(world_has_reason(inside->reasons, REASON_UNLABELLED));
        world_new_message(world);
        world_internet(world);
        world_from(world, "<x@elsewhere.example>");
        world_finding(world, findings[i], 0);
        world_to(world, "<gu@agency.gov.cn>");
        g_autoptr(decision) outside = world_decide(world);
        g_assert_false(outside->label->assumed);
        g_assert_cmpint(outside->verdict, !=, VERDICT_DELIVER);
    }
}

/* A body that programs read differently loses no field: what is missing is missing. */
static void test_doubtful_body(void)
{
    g_autoptr(world) world = world_new();
    world_finding(world, FINDING_DUPLICATE_BOUNDARY, 1);
    g_autoptr(decision) decision = decide_marked(world, NULL);

    g_assert_true(world_has_reason(decision->reasons, REASON_UNLABELLED));
}

/* The one door that a site can open itself: only for what cannot be read, only up to a level that is known
 * (7.1). */
/* Two causes, one of them let through: the other still stops it. */
/* Asking again changes nothing: `defer` for a persistent unknown waits in the first queue that the block
 * names, else is refused. */
/* The first death of a reader is transient, the second persistent; a full pool is transient and has its own
 * text. */
/* … and with nothing known no line with `up to` fits. */
/* Only a line that names the cause refuses what cannot be told now. */
/* `encrypted mail counts as labelled`: the whole message, with outer marks, from a person of that zone. */
static void test_attachment(void)
{
    g_autoptr(world) world = world_new();
    world_text(world, PLACE_PART_TEXT, 3, "机密★10年");
    g_autoptr(decision) decision = decide_marked(world, "内部");

    g_assert_cmpint(decision->leading->id, ==, REASON_ATTACHMENT_ABOVE);
    g_assert_cmpuint(decision->leading->part, ==, 3);
    assert_effective(decision, "机密");
    world->policy->attachment_above.kind = OUTCOME_RECORD;
    g_autoptr(decision) recorded = world_decide(world);
    g_assert_cmpint(recorded->verdict, ==, VERDICT_DELIVER);
}

/* Audiences that have nobody in common: no clearance, zone or device dominates it (2.6). */
static void test_nobody(void)
{
    g_autoptr(world) world = world_new();
    world_text(world, PLACE_PART_TEXT, 2, "密级：秘密 知悉范围 甲");
    world_text(world, PLACE_PART_TEXT, 3, "密级：秘密 知悉范围 乙");
    world_clear_person(world, world_find(world, "an"), "绝密 知悉范围 甲,乙");
    world_clear_person(world, world_find(world, "bo"), "绝密 知悉范围 甲,乙");
    world_field(world, "X-Security-Level", "秘密 知悉范围 甲");
    world_text(world, PLACE_SUBJECT, 0, "通知");
    g_autoptr(decision) decision = decide_marked(world, "秘密 知悉范围 乙");

    g_assert_true(label_set_of(decision->label->effective, schemes_home(world->schemes))->nobody);
    g_assert_cmpint(decision->leading->id, ==, REASON_NOBODY_MAY_READ);
    g_assert_cmpint(decision->leading->check, ==, CHECK_ZONE_ORIGIN);
}

static void test_peer(void)
{
    g_autoptr(world) world = world_new();
    world_partner(world);
    world_from(world, "<chen@ministry.gov.cn>");
    world_field(world, "X-Classification", "秘密");
    world_to(world, "<mi@agency.gov.cn>");
    g_autoptr(decision) accepted = world_decide(world);
    g_assert_true(accepted->label->labelled);
    /* A zone that accepts the labels of no scheme: the mark raises, but labels nothing. */
    g_clear_pointer(&world_zone(world, "partner ministry")->accepts, g_ptr_array_unref);
    g_autoptr(decision) other = world_decide(world);
    g_assert_false(other->label->labelled);
    g_assert_true(other->label->assumed);
    assert_effective(other, "秘密");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/marks/labelled", test_labelled);
    g_test_add_func("/marks/missing-inside", test_missing_inside);
    g_test_add_func("/marks/treat-as", test_treat_as);
    g_test_add_func("/marks/missing-outside", test_missing_outside);
    g_test_add_func("/marks/outside-raises", test_outside_raises);
    g_test_add_func("/marks/automatic", test_automatic);
    g_test_add_func("/marks/automatic-contained", test_automatic_contained);
    g_test_add_func("/marks/repeated", test_repeated);
    g_test_add_func("/marks/repeated-with-negation", test_repeated_with_negation);
    g_test_add_func("/marks/conflict", test_conflict);
    g_test_add_func("/marks/invalid", test_invalid);
    g_test_add_func("/marks/invalid-outside", test_invalid_outside);
    g_test_add_func("/marks/cut-value", test_cut_value);
    g_test_add_func("/marks/cut-field-of-no-scheme", test_cut_field_of_no_scheme);
    g_test_add_func("/marks/doubtful-header", test_doubtful_header);
    g_test_add_func("/marks/doubtful-body", test_doubtful_body);
    g_test_add_func("/marks/attachment", test_attachment);
    g_test_add_func("/marks/nobody", test_nobody);
    g_test_add_func("/marks/peer", test_peer);
    return g_test_run();
}
