/* The recheck: everything of today but what was recorded; what an approval answers, and what it never does.
 */
#include "milter/review/recheck.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "policy/label/label_record.h"
#include "tests/support/liars.h"
#include "tests/support/releasing.h"

static struct recheck *make(struct releasing *releasing, const struct hold *hold)
{
    g_autoptr(GError) error = NULL;
    struct recheck *recheck = recheck_make(&releasing->host, hold, &error);

    if (recheck == NULL)
        g_error("%s", error->message);
    return recheck;
}

/* "deliver", "hold label-conflict", … of the first recipient. */
static void expect(struct releasing *releasing, const struct hold *hold, const char *verdict,
                   gboolean transient)
{
    g_autoptr(recheck) recheck = make(releasing, hold);
    const struct decided_recipient *recipient = g_ptr_array_index(recheck->decision->recipients, 0);
    g_autofree char *is = g_strdup_printf(
        "%s%s%s", verdict_name(recipient->verdict, LANGUAGE_EN), recipient->leading != NULL ? " " : "",
        recipient->leading != NULL ? reason_name(recipient->leading->id) : "");

    g_assert_cmpstr(is, ==, verdict);
    g_assert_cmpint(recheck->transient, ==, transient);
}

static void test_approved(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an", NULL);

    expect(releasing, hold, "hold label-conflict", FALSE);
    releasing_approve(releasing, &hold);
    expect(releasing, hold, "deliver", FALSE);
    hold_free(hold);
    releasing_free(releasing);
}

/* The same octets, session and envelope as when it came. */
static void test_recorded(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_hold(releasing, "an an2", NULL);
    g_autoptr(recheck) recheck = make(releasing, hold);

    g_assert_nonnull(g_strstr_len((const char *)recheck->contents, (gssize)recheck->length, "\r\n\r\nbody "));
    g_assert_cmpuint(recheck->facts->size_bytes, ==, recheck->length);
    g_assert_cmpstr(recheck->recorded->session.login, ==, "bo");
    g_assert_cmpuint(recheck->recorded->envelope->recipients->len, ==, 2);
    g_assert_cmpstr(recheck->decision->reference, ==, hold->reference);
    hold_free(hold);
    releasing_free(releasing);
}

/* Never waived by a vote: checks 5, 11, 12. */
static void test_not_waived(void)
{
    static const char *const today[][2] = {
        {"an 机密|bo 机密|boss 绝密", "deliver"},
        {"an 秘密|bo 机密|boss 绝密", "refuse not-cleared"},
        {"an 绝密|bo 秘密|boss 绝密", "refuse not-cleared-to-send"},
        {"bo 机密|boss 绝密", "refuse not-cleared"},
    };
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    for (gsize i = 0; i < G_N_ELEMENTS(today); i++) {
        releasing_configure(releasing, NULL, today[i][0]);
        expect(releasing, hold, today[i][1], FALSE);
    }
    hold_free(hold);
    releasing_free(releasing);
}

/* What the slip does not name counts anew: another value, another finding. */
static void test_new_reason(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    /* The approval was of a conflict; today's schemes or inspector find another. */
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        for (guint j = 0; j < recipient->reasons->len; j++) {
            struct reason *reason = g_ptr_array_index(recipient->reasons, j);
            g_free(reason->detail);
            reason->detail = g_strdup("another");
        }
    }
    expect(releasing, hold, "hold label-conflict", FALSE);
    hold_free(hold);
    releasing_free(releasing);
}

static void test_transient(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");

    releasing_directory_down(releasing);
    expect(releasing, hold, "defer directory-unavailable", TRUE);
    hold_free(hold);
    releasing_free(releasing);
}

/* The clock stands before what was recorded: nothing that is bound to a time can be told. */
static void test_clock(void)
{
    struct releasing *releasing = releasing_new();

    releasing_configure(releasing, NULL, "an 绝密 until 2099-12-31|bo 机密|boss 绝密");
    struct hold *hold = releasing_approved(releasing, "an");
    expect(releasing, hold, "deliver", FALSE);
    clock_advance(-10 * 60 * 1000);
    expect(releasing, hold, "defer clock-doubtful", TRUE);
    clock_advance(10 * 60 * 1000);
    hold_free(hold);
    releasing_free(releasing);
}

/* Larger than what today's configuration takes. */
static void test_too_large(void)
{
    struct releasing *releasing = releasing_new();
    g_autofree char *body = g_strnfill(3000, 'a');
    g_autofree char *more = g_strdup_printf("X-Long: %s\r\n", body);
    struct hold *hold = releasing_hold(releasing, "an", more);

    releasing_approve(releasing, &hold);
    releasing_configure(releasing, "limits { message size 1KB }\n", NULL);
    expect(releasing, hold, "refuse too-large", FALSE);
    hold_free(hold);
    releasing_free(releasing);
}

/* Row 14. */
static void test_damaged(void)
{
    struct releasing *releasing = releasing_new();
    struct hold *hold = releasing_approved(releasing, "an");
    g_autoptr(GError) error = NULL;

    releasing_change(releasing, "UPDATE content SET digest = zeroblob(32)");
    g_assert_null(recheck_make(&releasing->host, hold, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_DAMAGED);
    releasing_look(releasing, 100);
    expect_state(releasing, &hold, "an held | recheck-failed unreadable");
    g_assert_cmpuint(smtp_server_sessions(releasing->server), ==, 0);
    hold_free(hold);
    releasing_free(releasing);
}

static struct label_set *level(struct releasing *releasing, const char *name)
{
    g_autofree char *record = g_strdup_printf("cn/%s", name);
    struct label_set *label = label_set_recall(releasing->snapshot->schemes, record);

    g_assert_nonnull(label);
    return label;
}

static void approve_as(struct releasing *releasing, struct hold **hold, const char *name)
{
    g_autoptr(label_set) stated = level(releasing, name);
    g_autoptr(GError) error = NULL;

    g_assert_true(store_hold_approve(releasing->store, *hold, "boss@agency.gov.cn", stated, NULL, &error));
    releasing_again(releasing, hold);
}

/* Nobody can read it, today as when it came: what the vote states is what it is (10.4). */
static void test_unreadable(void)
{
    struct releasing *releasing = releasing_new();
    struct inspector *good = releasing->host.inspector;
    struct liars liars;

    releasing->unreadable = TRUE;
    struct hold *silent = releasing_hold(releasing, "an", NULL);
    struct hold *stated = releasing_hold(releasing, "an", NULL);
    struct hold *above = releasing_hold(releasing, "an", NULL);
    liars_begin(&liars, 2 * 4); /* two for each recheck: it tries twice */
    releasing->host.inspector = liars.inspector;
    expect(releasing, silent, "hold inspector-failed", FALSE);
    releasing_approve(releasing, &silent);
    approve_as(releasing, &stated, "机密");
    approve_as(releasing, &above, "绝密");
    expect(releasing, silent, "hold inspector-failed", FALSE);
    expect(releasing, stated, "deliver", FALSE);
    expect(releasing, above, "refuse zone-origin", FALSE);
    /* One that can read it now finds what nobody approved. */
    releasing->host.inspector = good;
    expect(releasing, stated, "hold label-conflict", FALSE);
    liars_end(&liars);
    hold_free(silent);
    hold_free(stated);
    hold_free(above);
    releasing_free(releasing);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/review/recheck/approved", test_approved);
    g_test_add_func("/review/recheck/recorded", test_recorded);
    g_test_add_func("/review/recheck/not-waived", test_not_waived);
    g_test_add_func("/review/recheck/new-reason", test_new_reason);
    g_test_add_func("/review/recheck/transient", test_transient);
    g_test_add_func("/review/recheck/clock", test_clock);
    g_test_add_func("/review/recheck/too-large", test_too_large);
    g_test_add_func("/review/recheck/damaged", test_damaged);
    g_test_add_func("/review/recheck/unreadable", test_unreadable);
    return g_test_run();
}
