/* Past and approvals as values, the key of a reason, and a recheck with votes (semantics.md 7.4, 10.4). */
#include "milter/decide/past.h"

#include "tests/support/world.h"

static void test_past(void)
{
    g_autoptr(past) past = past_new();

    past_set(past, "an@x", (struct past_entry){.state = PAST_HELD, .hold = 3});
    past_set(past, "an@x", (struct past_entry){.state = PAST_SETTLED, .hold = 4});
    g_assert_cmpint(past_of(past, "an@x")->state, ==, PAST_SETTLED);
    g_assert_cmpint(past_of(past, "an@x")->hold, ==, 4);
    g_assert_cmpint(past_of(past, "bo@x")->state, ==, PAST_NOTHING);
    g_assert_cmpint(past_of(NULL, "an@x")->state, ==, PAST_NOTHING);
}

static void test_reason_key(void)
{
    static const struct {
        struct reason reason;
        const char *key;
    } rows[] = {
        {{.id = REASON_LABEL_CONFLICT,
          .check = CHECK_LABEL_STATE,
          .detail_zh = (char *)"机密, 秘密",
          .detail_en = (char *)"secret, confidential"},
         "label-conflict 4 0 机密, 秘密"},
        {{.id = REASON_ENCRYPTED, .check = CHECK_INSPECTION, .part = 2, .detail = (char *)"2"},
         "encrypted 7 2 2"},
        {{.id = REASON_RETURN_PATH_NOT_CLEARED, .check = CHECK_RETURN_PATH, .level = (char *)"机密"},
         "return-path-not-cleared 6 0 机密"},
        {{.id = REASON_UNLABELLED, .check = CHECK_LABEL_STATE}, "unlabelled 4 0"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *key = reason_key(&rows[i].reason);
        g_assert_cmpstr(key, ==, rows[i].key);
    }
}

/* Checks 2, 3, 5, 10, 11, 12 are never waived; what cannot be told now has to be asked again. */
static void test_may_be_waived(void)
{
    for (guint check = CHECK_ENVELOPE; check <= CHECK_RULES; check++) {
        struct reason reason = {.id = REASON_RULE, .check = (enum check_id)check, .answer = CHECK_DENY};
        gboolean never = check == CHECK_ENVELOPE || check == CHECK_ZONE_ORIGIN || check == CHECK_SENDER ||
                         check == CHECK_ORIGINATE || check == CHECK_VISIBLE || check == CHECK_RECIPIENT ||
                         check == CHECK_ZONE_RECIPIENT;
        g_assert_true(reason_may_be_waived(&reason) == !never);
        reason.answer = CHECK_UNKNOWN_TRANSIENT;
        g_assert_false(reason_may_be_waived(&reason));
    }
}

static void test_approvals(void)
{
    g_autoptr(approvals) approvals = approvals_new();
    const struct reason reason = {.id = REASON_UNLABELLED, .check = CHECK_LABEL_STATE};
    const struct reason other = {.id = REASON_ENCRYPTED, .check = CHECK_INSPECTION, .part = 2};

    approvals_add(approvals, "an@x", "unlabelled 4 0");
    g_assert_true(approvals_has(approvals, "an@x", &reason));
    g_assert_false(approvals_has(approvals, "bo@x", &reason));
    g_assert_false(approvals_has(approvals, "an@x", &other));
    g_assert_false(approvals_has(NULL, "an@x", &reason));
}

/* ---------------------------------------------------------------- rechecks */
/* Approves what the decision was held for; `as`: the label that the approvers state, NULL none. */
static void approve(struct world *world, const struct decision *held, const char *as)
{
    g_clear_pointer(&world->approvals, approvals_free);
    world->approvals = approvals_new();
    for (guint i = 0; i < held->recipients->len; i++) {
        const struct decided_recipient *recipient = g_ptr_array_index(held->recipients, i);
        for (guint j = 0; j < recipient->reasons->len; j++) {
            g_autofree char *key = reason_key(g_ptr_array_index(recipient->reasons, j));
            approvals_add(world->approvals, recipient->first->address->canonical, key);
        }
    }
    if (as == NULL)
        return;
    g_autoptr(label) label = label_new(schemes_home(world->schemes), world_level(world, as));
    world->approvals->stated = label_set_new();
    label_set_join(world->approvals->stated, label);
}

static enum verdict verdict_of(const struct decision *decision, const char *canonical)
{
    return world_recipient(decision, canonical)->verdict;
}

static struct world *conflicting_world(void)
{
    struct world *world = world_new();

    world_add_queue(world, "labels");
    world_usual(world, "秘密");
    world_text(world, PLACE_SUBJECT, 0, "【机密】计划");
    world_to(world, "an@agency.gov.cn");
    return world;
}

static void test_approved(void)
{
    g_autoptr(world) world = conflicting_world();
    g_autoptr(decision) held = world_decide(world);
    g_assert_cmpint(verdict_of(held, "an@agency.gov.cn"), ==, VERDICT_HOLD);
    approve(world, held, NULL);
    g_autoptr(decision) approved = world_decide(world);
    g_assert_cmpint(verdict_of(approved, "an@agency.gov.cn"), ==, VERDICT_DELIVER);
    g_assert_cmpint(approved->act, ==, ACT_ACCEPT);
    g_assert_true(approved->headers_only);
}

/* Another value of the same finding, or another finding, counts anew. */
static void test_something_new(void)
{
    g_autoptr(world) world = conflicting_world();
    g_autoptr(decision) held = world_decide(world);
    approve(world, held, NULL);
    world_text(world, PLACE_LINE, 0, "绝密★10年");
    g_autoptr(decision) other_value = world_decide(world);
    g_assert_cmpint(verdict_of(other_value, "an@agency.gov.cn"), !=, VERDICT_DELIVER);

    g_autoptr(world) again = conflicting_world();
    g_autoptr(decision) held_again = world_decide(again);
    approve(again, held_again, NULL);
    world_finding(again, FINDING_ENCRYPTED, 2);
    g_autoptr(decision) other_finding = world_decide(again);
    g_assert_cmpint(verdict_of(other_finding, "an@agency.gov.cn"), ==, VERDICT_HOLD);
    g_assert_cmpint(other_finding->leading->id, ==, REASON_ENCRYPTED);
}

/* Case 55: a clearance revoked since is refused whatever was voted, and so is a sender who may not send it.
 */
static void test_never_waived(void)
{
    g_autoptr(world) world = conflicting_world();
    g_autoptr(decision) held = world_decide(world);
    approve(world, held, NULL);
    world_clear_person(world, world_find(world, "an"), "内部");
    g_autoptr(decision) revoked = world_decide(world);
    g_assert_cmpint(verdict_of(revoked, "an@agency.gov.cn"), ==, VERDICT_REFUSE);
    g_assert_cmpint(revoked->leading->id, ==, REASON_NOT_CLEARED);
    approve(world, revoked, NULL); /* even by name */
    g_autoptr(decision) named = world_decide(world);
    g_assert_cmpint(verdict_of(named, "an@agency.gov.cn"), ==, VERDICT_REFUSE);

    world_clear_person(world, world_find(world, "an"), "绝密");
    world_clear_person(world, world_find(world, "bo"), "公开");
    g_autoptr(decision) sender = world_decide(world);
    g_assert_cmpint(sender->leading->id, ==, REASON_NOT_CLEARED_TO_SEND);
}

/* Case 70: encrypted, approved as 内部: that is then asked of everybody. */
static void test_stated(void)
{
    g_autoptr(world) world = world_new();
    world_add_queue(world, "first");
    world_usual(world, "公开");
    world_finding(world, FINDING_ENCRYPTED, 2);
    world_to(world, "gu@agency.gov.cn");
    world_to(world, "ni@agency.gov.cn");
    g_autoptr(decision) held = world_decide(world);
    g_assert_cmpint(held->act, ==, ACT_DISCARD);
    approve(world, held, "内部");
    g_autoptr(decision) stated = world_decide(world);
    g_assert_cmpint(verdict_of(stated, "gu@agency.gov.cn"), ==, VERDICT_REFUSE);
    g_assert_cmpint(verdict_of(stated, "ni@agency.gov.cn"), ==, VERDICT_DELIVER);

    approve(world, held, NULL); /* what is known of E, then */
    g_autoptr(decision) as_known = world_decide(world);
    g_assert_cmpint(verdict_of(as_known, "gu@agency.gov.cn"), ==, VERDICT_DELIVER);
}

/* It counts in checks 2, 5, 6, 11 and 12, and never lowers what is known. */
static void test_stated_counts_everywhere(void)
{
    static const struct {
        const char *to, *as;
        enum reason_id reason;
    } rows[] = {
        {"an@agency.gov.cn", "绝密", REASON_ZONE_ORIGIN}, /* the office carries 机密, bo as well */
        {"x@elsewhere.example", "内部", REASON_ZONE_RECIPIENT},
        {"ni@agency.gov.cn", "秘密", REASON_NOT_CLEARED},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_add_queue(world, "first");
        world_usual(world, "公开");
        world_finding(world, FINDING_ENCRYPTED, 2);
        world_to(world, rows[i].to);
        g_autoptr(decision) held = world_decide(world);
        approve(world, held, rows[i].as);
        g_autoptr(decision) stated = world_decide(world);
        g_assert_cmpint(stated->verdict, ==, VERDICT_REFUSE);
        g_assert_cmpint(stated->leading->id, ==, rows[i].reason);
        g_assert_true(rows[i].reason != REASON_ZONE_ORIGIN ||
                      (world_has_reason(stated->reasons, REASON_NOT_CLEARED_TO_SEND) &&
                       world_has_reason(stated->reasons, REASON_RETURN_PATH_NOT_CLEARED)));
    }
    g_autoptr(world) world = conflicting_world();
    g_autoptr(decision) held = world_decide(world);
    approve(world, held, "公开");
    world_clear_person(world, world_find(world, "an"), "内部");
    g_autoptr(decision) lowered = world_decide(world);
    g_assert_cmpint(verdict_of(lowered, "an@agency.gov.cn"), ==, VERDICT_REFUSE);
}

/* Nothing was read: only a label that approvers state lets it go, and it is no missing one. */
static void test_nothing_read(void)
{
    g_autoptr(world) world = world_new();
    world_add_queue(world, "first");
    world_usual(world, NULL);
    world_no_facts(world, FACTS_NONE_PERSISTENT);
    world_to(world, "an@agency.gov.cn");
    g_autoptr(decision) held = world_decide(world);
    g_assert_true(held->system_high);
    approve(world, held, NULL);
    g_autoptr(decision) unstated = world_decide(world);
    g_assert_cmpint(verdict_of(unstated, "an@agency.gov.cn"), ==, VERDICT_HOLD);
    approve(world, held, "秘密");
    g_autoptr(decision) stated = world_decide(world);
    g_assert_cmpint(verdict_of(stated, "an@agency.gov.cn"), ==, VERDICT_DELIVER);
    g_assert_false(stated->system_high);
    approve(world, held, "绝密");
    g_autoptr(decision) too_high = world_decide(world);
    g_assert_cmpint(verdict_of(too_high, "an@agency.gov.cn"), ==, VERDICT_REFUSE);

    world_no_facts(world, FACTS_NONE_TRANSIENT); /* the reader died once more, for another reason */
    g_autoptr(decision) transient = world_decide(world);
    g_assert_cmpint(verdict_of(transient, "an@agency.gov.cn"), !=, VERDICT_DELIVER);
}

/* Invalid marks are answered like the unreadable. */
static void test_invalid_approved(void)
{
    g_autoptr(world) world = world_new();
    world_add_queue(world, "first");
    world_usual(world, "机秘");
    world_to(world, "an@agency.gov.cn");
    world_to(world, "ni@agency.gov.cn");
    g_autoptr(decision) held = world_decide(world);
    g_assert_cmpint(held->act, ==, ACT_DISCARD);
    approve(world, held, "机密");
    g_autoptr(decision) stated = world_decide(world);
    g_assert_cmpint(verdict_of(stated, "an@agency.gov.cn"), ==, VERDICT_DELIVER);
    g_assert_cmpint(verdict_of(stated, "ni@agency.gov.cn"), ==, VERDICT_REFUSE);
}

/* Of two recipients only one was voted on. */
static void test_approved_for_one(void)
{
    g_autoptr(world) world = conflicting_world();
    g_autoptr(decision) held = world_decide(world);
    approve(world, held, NULL);
    world_to(world, "bo@agency.gov.cn");
    g_autoptr(decision) decision = world_decide(world);
    g_assert_cmpint(verdict_of(decision, "an@agency.gov.cn"), ==, VERDICT_DELIVER);
    g_assert_cmpint(verdict_of(decision, "bo@agency.gov.cn"), ==, VERDICT_HOLD);
}

/* What is put off is not released by a vote (case 56). */
static void test_directory_down(void)
{
    g_autoptr(world) world = conflicting_world();
    g_autoptr(decision) held = world_decide(world);
    approve(world, held, NULL);
    g_hash_table_add(world->down, g_strdup("*"));
    g_autoptr(decision) down = world_decide(world);
    g_assert_cmpint(verdict_of(down, "an@agency.gov.cn"), ==, VERDICT_DEFER);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/past/values", test_past);
    g_test_add_func("/past/reason-key", test_reason_key);
    g_test_add_func("/past/may-be-waived", test_may_be_waived);
    g_test_add_func("/past/approvals", test_approvals);
    g_test_add_func("/recheck/approved", test_approved);
    g_test_add_func("/recheck/something-new", test_something_new);
    g_test_add_func("/recheck/never-waived", test_never_waived);
    g_test_add_func("/recheck/stated", test_stated);
    g_test_add_func("/recheck/stated-counts-everywhere", test_stated_counts_everywhere);
    g_test_add_func("/recheck/nothing-read", test_nothing_read);
    g_test_add_func("/recheck/invalid-approved", test_invalid_approved);
    g_test_add_func("/recheck/approved-for-one", test_approved_for_one);
    g_test_add_func("/recheck/directory-down", test_directory_down);
    return g_test_run();
}
