/* The one transaction of a message, and what a retry finds (semantics.md 7.3, 7.4, 12; 13.12, 13.13). */
#include "milter/store/hold.h"

#include <string.h>

#include "milter/conf/clock.h"
#include "milter/store/store_private.h"
#include "tests/support/stored.h"
#include "tests/support/temp_folder.h"

static const char *const AN = "an@agency.gov.cn", *const NI = "ni@agency.gov.cn";

static const struct hold_recipient *recipient_of(const struct hold *hold, const char *canonical)
{
    for (guint i = 0; i < hold->recipients->len; i++) {
        const struct hold_recipient *recipient = g_ptr_array_index(hold->recipients, i);
        if (strcmp(recipient->canonical, canonical) == 0)
            return recipient;
    }
    g_error("no recipient %s", canonical);
}

/* Everything that could be written of it: rows of each table, without times and ids. */
static char *census(struct stored *stored)
{
    static const char *const questions[] = {"SELECT count(*) FROM content",
                                            "SELECT count(*) FROM hold",
                                            "SELECT count(*) FROM hold WHERE closed_ms IS NULL",
                                            "SELECT count(*) FROM hold_recipient",
                                            "SELECT count(*) FROM hold_recipient WHERE state = 0",
                                            "SELECT count(*) FROM slip",
                                            "SELECT count(*) FROM archive_copy",
                                            "SELECT count(*) FROM archive_envelope",
                                            "SELECT count(*) FROM notice",
                                            "SELECT count(*) > 0 FROM journal",
                                            "SELECT count(*) > 0 FROM audit"};
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(questions); i++)
        g_string_append_printf(text, "%" G_GINT64_FORMAT " ", stored_number(stored, questions[i]));
    return g_string_free(text, FALSE);
}

static char *keep_well(struct stored *stored, const struct decision *decision)
{
    g_autoptr(GError) error = NULL;
    char *id = NULL;

    stored_keep(stored, decision, stored_notice(NOTICE_OUTCOME, "bo@agency.gov.cn"), &id, &error);
    g_assert_no_error(error);
    return id;
}

/* Verdicts over what the store knows, kept; TRUE when a new hold was made. */
static gboolean next(struct stored *stored, const char *verdicts)
{
    g_autoptr(decision) decision = stored_decide(stored, verdicts);
    g_autofree char *id = keep_well(stored, decision);

    return id != NULL;
}

static enum past_state standing(struct stored *stored, const char *canonical)
{
    g_autoptr(GError) error = NULL;
    struct inputs inputs = world_inputs(stored->world);
    g_autoptr(past) past = store_past(stored->store, &inputs, stored->digest, 7 * STORED_DAY_MS, &error);

    g_assert_no_error(error);
    return past_of(past, canonical)->state;
}

/* ---------------------------------------------------------------- a hold */
static void test_hold(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gint64 before_ms = clock_wall_ms();

    stored_message(stored, "an ni");
    world_field(stored->world, "List-Id", "x"); /* no courtesies */
    g_autoptr(decision) decision = stored_decide(stored, "dh");
    g_assert_true(decision->holds && decision->act == ACT_ACCEPT);
    g_autofree char *id = keep_well(stored, decision);
    g_assert_cmpuint(strlen(id), ==, 27);
    g_autoptr(hold) hold = stored_find(stored, id);

    g_assert_cmpstr(hold->id, ==, id);
    g_assert_cmpint(hold->kind, ==, KIND_HOLD);
    g_assert_cmpint(hold->state, ==, HOLD_HELD);
    g_assert_cmpint(hold->at_ms, >=, before_ms);
    g_assert_cmpstr(hold->reference, ==, decision->reference);
    g_assert_cmpstr(hold->queue_id, ==, stored->world->envelope->queue_id);
    g_assert_cmpint(hold->class, ==, SENDER_PERSON);
    g_assert_cmpstr(hold->login, ==, "bo");
    g_assert_cmpstr(hold->sender, ==, "bo@agency.gov.cn");
    g_assert_cmpstr(hold->zone, ==, "office");
    g_assert_cmpstr(hold->person, ==, "uid=bo,ou=people,dc=agency,dc=gov,dc=cn");
    g_assert_cmpstr(hold->owner_address, ==, "bo@agency.gov.cn");
    g_assert_cmpstr(hold->authors, ==, "bo@agency.gov.cn");
    g_assert_cmpuint(hold->size, ==, strlen(stored->text));
    g_assert_cmpstr(hold->display, ==, "机密");
    g_assert_cmpstr(hold->label_text, ==, "cn/机密");
    g_assert_true(label_set_equal(hold->label, decision->label->effective));
    g_assert_false(hold->courtesy);
    g_assert_false(hold->answered);
    g_assert_cmpuint(hold->seen_again, ==, 0);
    g_assert_cmpuint(hold->generation, ==, 1);
    g_assert_cmpuint(hold->recipients->len, ==, 1); /* an was delivered */
    g_assert_cmpuint(hold->votes->len, ==, 0);
    const struct hold_recipient *recipient = recipient_of(hold, NI);
    const struct decided_recipient *decided = world_recipient(decision, NI);
    g_assert_cmpstr(recipient->leading, ==, reason_name(decided->leading->id));
    g_assert_cmpuint(recipient->reasons->len, ==, decided->reasons->len);
    for (guint i = 0; i < recipient->reasons->len; i++) {
        g_autofree char *was = reason_text(g_ptr_array_index(decided->reasons, i), LANGUAGE_ZH);
        g_autofree char *is = reason_text(g_ptr_array_index(recipient->reasons, i), LANGUAGE_ZH);
        g_autofree char *was_key = reason_key(g_ptr_array_index(decided->reasons, i));
        g_autofree char *is_key = reason_key(g_ptr_array_index(recipient->reasons, i));
        g_assert_cmpstr(is, ==, was);
        g_assert_cmpstr(is_key, ==, was_key);
    }
    g_assert_cmpstr(hold->slip.queue, ==, "office");
    g_assert_cmpuint(hold->slip.version, ==, 1);
    g_assert_false(hold->slip.approved);
    g_assert_cmpint(hold->slip.deadline_ms, ==, hold->at_ms + 72 * STORED_HOUR_MS);
    store_answered(stored->store, decision->reference);
    stored_again(stored, &hold);
    g_assert_true(hold->answered);
}

static void test_contents_and_record(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    stored_message(stored, "an");
    envelope_set_sender(stored->world->envelope, "<Bo@agency.gov.cn>", "RET=HDRS ENVID=a+2Bb BODY=8BITMIME");
    struct envelope_recipient *ni = world_to(stored->world, "<NI@agency.GOV.cn>");
    ni->notify = g_strdup("SUCCESS,FAILURE");
    ni->orcpt = g_strdup("rfc822;ni+2Bx@agency.gov.cn");
    ni->rcpt_host = g_strdup("[127.0.0.1]:24");
    world_to(stored->world, "<ni@agency.gov.cn>");
    stored->world->session.helo = g_strdup("caf\xe9"); /* octets, not UTF-8 */
    stored->world->session.tls = 13;
    g_autoptr(decision) decision = stored_decide(stored, "dh");
    g_autofree char *id = keep_well(stored, decision);
    g_autoptr(hold) hold = stored_find(stored, id);

    g_autofree guint8 *contents = store_hold_contents(stored->store, hold, &length, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(contents, length, stored->text, strlen(stored->text));
    g_autoptr(recorded) recorded = store_hold_recorded(stored->store, hold, &error);
    g_assert_no_error(error);
    g_assert_cmpint(recorded->at_s, ==, stored->world->now);
    g_assert_cmpstr(recorded->session.login, ==, "bo");
    g_assert_cmpstr(recorded->session.helo, ==, "caf\xe9");
    g_assert_null(recorded->session.cert_subject);
    g_assert_cmpuint(recorded->session.tls, ==, 13);
    g_autofree char *client = ip_format(recorded->session.client);
    g_assert_cmpstr(client, ==, "10.1.2.3");
    const struct envelope *envelope = recorded->envelope;
    g_assert_cmpstr(envelope->sender->given, ==, "<Bo@agency.gov.cn>");
    g_assert_cmpstr(envelope->parameters, ==, "RET=HDRS ENVID=a+2Bb BODY=8BITMIME");
    g_assert_cmpstr(envelope->queue_id, ==, stored->world->envelope->queue_id);
    g_assert_cmpuint(envelope->recipients->len, ==, 2); /* both forms of ni, not an */
    const struct envelope_recipient *first = g_ptr_array_index(envelope->recipients, 0);
    g_assert_cmpstr(first->address->given, ==, "<NI@agency.GOV.cn>");
    g_assert_cmpstr(first->address->canonical, ==, NI);
    g_assert_cmpstr(first->notify, ==, "SUCCESS,FAILURE");
    g_assert_cmpstr(first->orcpt, ==, "rfc822;ni+2Bx@agency.gov.cn");
    g_assert_cmpstr(first->rcpt_host, ==, "[127.0.0.1]:24");
    g_assert_null(first->rcpt_mailer);
    const struct envelope_recipient *second = g_ptr_array_index(envelope->recipients, 1);
    g_assert_cmpstr(second->address->given, ==, "<ni@agency.gov.cn>");
    g_assert_null(second->notify);
}

/* ---------------------------------------------------------------- again */
/* Case 31: killed after the store, before the reply. */
static void test_again(void)
{
    g_autoptr(stored) stored = stored_new();

    stored_message(stored, "ni");
    g_assert_true(next(stored, "h"));
    g_autofree char *once = census(stored);
    g_assert_cmpint(standing(stored, NI), ==, PAST_HELD);
    g_assert_false(next(stored, "h"));
    g_assert_false(next(stored, "f")); /* what cannot be told now: the hold answers for it */
    stored_reopen(stored);
    g_assert_false(next(stored, "h"));
    g_autofree char *twice = census(stored);
    g_assert_cmpstr(twice, ==, once);
    g_assert_cmpint(stored_number(stored, "SELECT seen_again FROM hold"), ==, 3);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit"), ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM journal"), ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count FROM journal"), ==, 4);
}

/* Two attempts that both saw nothing: compared where it is written. */
static void test_race(void)
{
    g_autoptr(stored) stored = stored_new();

    stored_message(stored, "an ni");
    g_autoptr(decision) first = stored_decide(stored, "hh");
    g_autoptr(decision) second = stored_decide_blindly(stored, "hh");
    g_autofree char *id = keep_well(stored, first);
    g_autofree char *once = census(stored);
    g_autofree char *none = keep_well(stored, second);
    g_autofree char *twice = census(stored);
    g_assert_nonnull(id);
    g_assert_null(none);
    g_assert_cmpstr(once, ==, twice);
    g_assert_cmpint(stored_number(stored, "SELECT seen_again FROM hold"), ==, 1);
}

/* A second recipient of the same message, held later, has a hold of its own; the first stays in its own. */
static void test_more_recipients(void)
{
    g_autoptr(stored) stored = stored_new();

    stored_message(stored, "an");
    g_assert_true(next(stored, "h"));
    world_to(stored->world, "<ni@agency.gov.cn>");
    g_assert_true(next(stored, "hh"));
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM hold"), ==, 2);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM hold_recipient"), ==, 2);
    g_assert_cmpint(stored_number(stored, "SELECT seen_again FROM hold WHERE number = 1"), ==, 1);
}

/* ---------------------------------------------------------------- later attempts */
static void test_later_delivers(void)
{
    g_autoptr(stored) stored = stored_new();

    stored_message(stored, "an ni");
    g_assert_true(next(stored, "hh"));
    g_assert_false(next(stored, "dh"));
    g_assert_cmpint(standing(stored, AN), ==, PAST_NOTHING); /* Postfix may have failed after our answer */
    g_assert_cmpint(standing(stored, NI), ==, PAST_HELD);
    g_autofree char *id = NULL;
    {
        g_autoptr(GPtrArray) holds =
            store_holds(stored->store, stored->world->schemes, &(struct hold_filter){0}, NULL);
        g_assert_cmpuint(holds->len, ==, 1);
        const struct hold *hold = g_ptr_array_index(holds, 0);
        id = g_strdup(hold->id);
        g_assert_cmpint(hold->state, ==, HOLD_HELD);
        g_assert_cmpint(recipient_of(hold, AN)->state, ==, HOLD_RELEASED);
        g_assert_true(recipient_of(hold, AN)->via_later);
        g_assert_cmpstr(recipient_of(hold, AN)->queue_id, ==, stored->world->envelope->queue_id);
        g_assert_cmpuint(hold->slip.version, ==, 2); /* whoever looked before looks again */
    }
    g_assert_false(next(stored, "dd"));
    g_autoptr(hold) hold = stored_find(stored, id);
    g_assert_cmpint(hold->state, ==, HOLD_RELEASED);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM hold WHERE closed_ms IS NOT NULL"), ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM audit WHERE event = 'later-attempt'"), ==, 2);
    g_assert_true(next(stored, "hd")); /* it is held anew: a hold of its own */
}

static void test_later_refuses(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;

    stored_message(stored, "an ni");
    g_autoptr(decision) blind = stored_decide_blindly(stored, "hh");
    g_assert_true(next(stored, "hh"));
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 1);
    g_assert_false(next(stored, "dr"));
    g_assert_cmpint(standing(stored, NI), ==, PAST_ENDED);
    g_assert_cmpint(stored_number(stored, "SELECT state FROM hold_recipient WHERE position = 1"), ==,
                    HOLD_REFUSED);
    /* "held" was told before: that it is refused now is news, once */
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 2);
    g_assert_false(next(stored, "dh")); /* nobody shops for another reviewer */
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 2);
    /* what was decided before the end, comes too late */
    g_assert_false(stored_keep(stored, blind, NULL, NULL, &error));
    assert_store_error(error, CHANGED);
}

/* Who was taken off is told of, whatever was told of others before (13.10). */
static void test_notice_of_each_part(void)
{
    g_autoptr(stored) stored = stored_new();

    stored_message(stored, "an mi");
    next(stored, "dr");
    next(stored, "dr"); /* the same again */
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 1);
    next(stored, "rr"); /* the directory knows more now */
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 2);
    /* the same octets to others: a client divides an envelope */
    envelope_free(stored->world->envelope);
    stored->world->envelope = envelope_new();
    world_from(stored->world, "<bo@agency.gov.cn>");
    world_to(stored->world, "<ni@agency.gov.cn>");
    world_to(stored->world, "<gu@agency.gov.cn>");
    next(stored, "dr");
    next(stored, "dr");
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM notice"), ==, 3);
}

/* Refused as a whole because of somebody else: the hold of the others stays. */
static void test_mixed_refusal(void)
{
    g_autoptr(stored) stored = stored_new();

    stored_message(stored, "an ni");
    g_assert_true(next(stored, "hh"));
    g_autoptr(decision) decision = stored_decide(stored, "dr");
    decision->act = ACT_REFUSE;
    for (guint i = 0; i < 2; i++)
        ((struct decided_recipient *)g_ptr_array_index(decision->recipients, i))->fate = FATE_REFUSED;
    g_autofree char *id = keep_well(stored, decision);
    g_assert_cmpint(standing(stored, AN), ==, PAST_HELD);
    g_assert_cmpint(standing(stored, NI), ==, PAST_ENDED);
}

/* ---------------------------------------------------------------- way out and retry */
static void release(struct stored *stored, const char *canonical, gboolean ends)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    guint8 digest[32] = {0};

    g_autoptr(GPtrArray) holds =
        store_holds(stored->store, stored->world->schemes, &(struct hold_filter){0}, NULL);
    struct hold *hold = g_ptr_array_index(holds, 0);
    g_autofree char *id = g_strdup(hold->id);
    store_answered(stored->store, hold->reference);
    writer_flush(stored->store->writer);
    if (!hold->slip.approved)
        store_hold_approve(stored->store, hold, "an@agency.gov.cn", NULL, NULL, &error);
    g_assert_no_error(error);
    g_ptr_array_add(list, (gpointer)canonical);
    g_autoptr(hold) now = stored_find(stored, id);
    g_autoptr(attempt) attempt =
        store_attempt_begin(stored->store, now, list, list, digest, clock_wall_ms() + 600000, &error);
    g_assert_no_error(error);
    if (ends)
        store_attempt_released(stored->store, attempt, "4R1", NULL, NULL, &error);
    g_assert_no_error(error);
}

/* Case 32. */
static void test_settled(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;

    stored_message(stored, "an ni");
    g_assert_true(next(stored, "hh"));
    g_autoptr(decision) deliver = stored_decide(stored, "dd"); /* over an open hold */
    release(stored, AN, FALSE);
    g_assert_cmpint(standing(stored, AN), ==, PAST_SETTLED);
    /* it is on its way already: to deliver it now would double it */
    g_assert_false(stored_keep(stored, deliver, NULL, NULL, &error));
    assert_store_error(error, CHANGED);
    g_assert_cmpint(standing(stored, NI), ==, PAST_HELD); /* nothing of it was done */
    release(stored, NI, TRUE);
    g_assert_false(next(stored, "dd"));
    g_assert_cmpint(standing(stored, AN), ==, PAST_SETTLED);
    g_assert_cmpint(standing(stored, NI), ==, PAST_SETTLED);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM hold_recipient WHERE via_later = 1"), ==, 0);
}

/* ---------------------------------------------------------------- archive, kept copies */
static void test_archive_and_hold(void)
{
    g_autoptr(stored) stored = stored_new();

    world_add_archive(stored->world, "all", TAKES_EVERYTHING, NULL);
    world_add_archive(stored->world, "more", TAKES_EVERYTHING, NULL);
    stored_message(stored, "an ni");
    for (guint i = 0; i < 3; i++) {
        g_autoptr(decision) decision = stored_decide(stored, "dh");
        g_assert_cmpuint(decision->archives->len, ==, 2);
        g_autofree char *id = keep_well(stored, decision);
        g_assert_true((id != NULL) == (i == 0));
    }
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM content"), ==, 1);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_copy"), ==, 2);
    g_assert_cmpint(stored_number(stored, "SELECT count(*) FROM archive_envelope"), ==, 2);
}

static void test_refused_copy(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL;

    stored_message(stored, "an ni");
    for (guint i = 0; i < 2; i++) {
        g_autoptr(decision) decision = stored_decide(stored, "rr");
        decision->act = ACT_DISCARD;
        decision->keeps_copy = TRUE;
        for (guint r = 0; r < 2; r++)
            ((struct decided_recipient *)g_ptr_array_index(decision->recipients, r))->fate = FATE_KEPT;
        g_autofree char *id = keep_well(stored, decision);
        g_assert_true((id != NULL) == (i == 0));
        if (i == 0)
            first = g_steal_pointer(&id);
    }
    g_autoptr(GPtrArray) open =
        store_holds(stored->store, stored->world->schemes, &(struct hold_filter){0}, &error);
    g_assert_cmpuint(open->len, ==, 0);
    g_autoptr(hold) copy = stored_find(stored, first);
    g_assert_cmpint(copy->kind, ==, KIND_REFUSED);
    g_assert_cmpint(copy->state, ==, HOLD_REFUSED);
    g_assert_cmpuint(copy->recipients->len, ==, 2);
    g_assert_cmpuint(copy->seen_again, ==, 1);
    g_assert_cmpint(standing(stored, AN), ==, PAST_NOTHING); /* refused at once is decided afresh */
    g_assert_false(store_hold_approve(stored->store, copy, AN, NULL, NULL, &error));
    assert_store_error(error, CHANGED);
}

/* ---------------------------------------------------------------- failing */
static void test_no_key(void)
{
    g_autoptr(stored) stored = stored_new();
    g_autoptr(GError) error = NULL;

    store_close(stored->store);
    g_autofree char *other = temp_folder_new();
    stored->store = store_open(other, NULL, NULL, &error);
    g_assert_no_error(error);
    stored_message(stored, "ni");
    g_autoptr(decision) decision = stored_decide(stored, "h");
    g_autofree char *before = census(stored);
    g_assert_false(stored_keep(stored, decision, NULL, NULL, &error));
    assert_store_error(error, UNAVAILABLE);
    g_autofree char *after = census(stored);
    g_assert_cmpstr(before, ==, after);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/keep/hold", test_hold);
    g_test_add_func("/keep/contents-and-record", test_contents_and_record);
    g_test_add_func("/keep/again", test_again);
    g_test_add_func("/keep/race", test_race);
    g_test_add_func("/keep/more-recipients", test_more_recipients);
    g_test_add_func("/keep/later-delivers", test_later_delivers);
    g_test_add_func("/keep/later-refuses", test_later_refuses);
    g_test_add_func("/keep/notice-of-each-part", test_notice_of_each_part);
    g_test_add_func("/keep/mixed-refusal", test_mixed_refusal);
    g_test_add_func("/keep/settled", test_settled);
    g_test_add_func("/keep/archive-and-hold", test_archive_and_hold);
    g_test_add_func("/keep/refused-copy", test_refused_copy);
    g_test_add_func("/keep/no-key", test_no_key);
    int failed = g_test_run();
    temp_folders_remove();
    return failed;
}
