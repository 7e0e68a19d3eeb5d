/* What the message says of its sender (semantics.md 3.5, 3.6). */
#include "milter/decide/limits.h"
#include "tests/support/world.h"

#include <string.h>

/* One message of bo's: fields as "Name: value" lines. */
struct row {
    const char *name, *from, *fields;
    const char *reasons; /* of check 3, blank-separated, in order; "" none */
};

static void add_fields(struct world *world, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *colon = strchr(lines[i], ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        world_field(world, lines[i], g_strstrip(colon + 1));
    }
}

static char *sender_reasons(const struct decision *decision)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < decision->reasons->len; i++) {
        const struct reason *reason = g_ptr_array_index(decision->reasons, i);
        if (reason->check == CHECK_SENDER)
            g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", reason_name(reason->id));
    }
    return g_string_free(names, FALSE);
}

static void assert_rows(const struct row *rows, guint count, void (*connect)(struct world *))
{
    for (guint i = 0; i < count; i++) {
        g_autoptr(world) world = world_new();
        connect(world);
        world_from(world, rows[i].from);
        add_fields(world, rows[i].fields);
        world_field(world, "X-Classification", "公开");
        world_to(world, "<gu@agency.gov.cn>");
        g_autoptr(decision) decision = world_decide(world);
        g_autofree char *reasons = sender_reasons(decision);
        g_test_message("%s", rows[i].name);
        g_assert_cmpstr(reasons, ==, rows[i].reasons);
    }
}

static void as_bo(struct world *world)
{
    world_office(world, "bo");
    g_ptr_array_add(world_find(world, "bo")->addresses, g_strdup("bo.chen@agency.gov.cn"));
    world->policy->recipient_delimiter = g_strdup("+");
}

static void test_person(void)
{
    static const struct row rows[] = {
        {"own", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn", ""},
        {"own in capitals", "<BO@Agency.gov.cn>", "From: Bo@AGENCY.gov.cn", ""},
        {"own second address", "<bo@agency.gov.cn>", "From: bo.chen@agency.gov.cn", ""},
        {"own with a tag", "<bo+lists@agency.gov.cn>", "From: bo+news@agency.gov.cn", ""},
        {"another tag", "<bo@agency.gov.cn>", "From: bo-news@agency.gov.cn", "from-not-own"},
        {"null envelope", "<>", "From: bo@agency.gov.cn", ""},
        {"null envelope of another", "<>", "From: an@agency.gov.cn", "from-not-own"},
        {"no From", "<bo@agency.gov.cn>", "To: x@agency.gov.cn", "from-missing"},
        {"From without mailbox", "<bo@agency.gov.cn>", "From: undisclosed", "from-invalid"},
        {"From of another", "<bo@agency.gov.cn>", "From: an@agency.gov.cn", "from-not-own"},
        {"two From, own", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn\nFrom: bo@agency.gov.cn",
         "from-several"},
        {"two From, one foreign", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn\nFrom: an@agency.gov.cn",
         "from-several from-not-own"},
        {"Sender own", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn\nSender: bo@agency.gov.cn", ""},
        {"Sender of another", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn\nSender: an@agency.gov.cn",
         "sender-not-own"},
        {"Sender without mailbox", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn\nSender: bo",
         "sender-not-own"},
        {"envelope of another", "<an@agency.gov.cn>", "From: bo@agency.gov.cn", "envelope-not-own"},
        {"envelope outside", "<bo@elsewhere.example>", "From: bo@agency.gov.cn", "envelope-not-own"},
        {"envelope strange", "<\"bo\"@agency.gov.cn>", "From: bo@agency.gov.cn", "envelope-not-own"},
        {"From quoted", "<bo@agency.gov.cn>", "From: \"bo\"@agency.gov.cn", "from-not-own"},
        {"all at once", "<an@agency.gov.cn>", "From: an@agency.gov.cn\nSender: an@agency.gov.cn",
         "from-not-own sender-not-own envelope-not-own"},
    };

    assert_rows(rows, G_N_ELEMENTS(rows), as_bo);
}

/* So many tagged authors are not looked up, and nobody's own. */
static void test_many_tags(void)
{
    for (guint count = TAGGED_AUTHORS; count <= TAGGED_AUTHORS + 1; count++) {
        g_autoptr(world) world = world_new();
        as_bo(world);
        world_from(world, "<bo@agency.gov.cn>");
        world_field(world, "From", "bo@agency.gov.cn");
        for (guint i = 0; i < count; i++) {
            g_autofree char *tagged = g_strdup_printf("bo+%u@agency.gov.cn", i);
            world_field(world, "Sender", tagged);
        }
        world_field(world, "X-Classification", "公开");
        world_to(world, "<gu@agency.gov.cn>");
        g_autoptr(decision) decision = world_decide(world);
        g_autofree char *reasons = sender_reasons(decision);
        g_assert_cmpstr(reasons, ==, count <= TAGGED_AUTHORS ? "" : "sender-not-own");
    }
}

static void test_resent(void)
{
    static const struct row rows[] = {
        {"own", "<bo@agency.gov.cn>", "Resent-From: bo@agency.gov.cn\nFrom: x@elsewhere.example", ""},
        {"From and Sender are free", "<bo@agency.gov.cn>",
         "Resent-From: bo@agency.gov.cn\nFrom: x@elsewhere.example\nSender: y@elsewhere.example", ""},
        {"of another", "<bo@agency.gov.cn>", "Resent-From: an@agency.gov.cn\nFrom: x@elsewhere.example",
         "resent-not-own"},
        {"without mailbox", "<bo@agency.gov.cn>", "Resent-From: -\nFrom: x@elsewhere.example",
         "resent-not-own"},
        {"only the topmost counts", "<bo@agency.gov.cn>",
         "Resent-From: bo@agency.gov.cn\nResent-From: an@agency.gov.cn\nFrom: x@elsewhere.example", ""},
        {"own below another's", "<bo@agency.gov.cn>",
         "Resent-From: an@agency.gov.cn\nResent-From: bo@agency.gov.cn\nFrom: x@elsewhere.example",
         "resent-not-own"},
        {"Resent-Sender of another", "<bo@agency.gov.cn>",
         "Resent-Sender: an@agency.gov.cn\nResent-From: bo@agency.gov.cn\nFrom: x@elsewhere.example",
         "resent-not-own"},
        {"Resent-Sender of an older block", "<bo@agency.gov.cn>",
         "Resent-From: bo@agency.gov.cn\nResent-From: an@agency.gov.cn\n"
         "Resent-Sender: an@agency.gov.cn\nFrom: x@elsewhere.example",
         ""},
        {"Resent-Sender alone frees nothing", "<bo@agency.gov.cn>",
         "Resent-Sender: bo@agency.gov.cn\nFrom: x@elsewhere.example", "from-not-own"},
        {"From must still be one", "<bo@agency.gov.cn>", "Resent-From: bo@agency.gov.cn", "from-missing"},
    };

    assert_rows(rows, G_N_ELEMENTS(rows), as_bo);
}

static void test_outside(void)
{
    static const struct row rows[] = {
        {"foreign", "<x@elsewhere.example>", "From: x@elsewhere.example", ""},
        {"inside envelope", "<bo@agency.gov.cn>", "From: x@elsewhere.example",
         "inside-envelope-from-outside"},
        {"inside envelope, nobody's", "<nobody-here@sub.agency.gov.cn>", "From: x@elsewhere.example",
         "inside-envelope-from-outside"},
        {"inside From: a list", "<list@elsewhere.example>", "From: bo@agency.gov.cn", "inside-from-outside"},
        {"inside Sender", "<x@elsewhere.example>", "From: x@elsewhere.example\nSender: bo@agency.gov.cn",
         "inside-from-outside"},
        {"a report", "<>", "From: bo@agency.gov.cn", "inside-from-outside"},
        {"no From at all is none of our business", "<x@elsewhere.example>", "To: y@agency.gov.cn", ""},
        {"both", "<bo@agency.gov.cn>", "From: bo@agency.gov.cn",
         "inside-envelope-from-outside inside-from-outside"},
    };

    assert_rows(rows, G_N_ELEMENTS(rows), world_internet);
}

static void test_peer(void)
{
    static const struct row rows[] = {
        {"own", "<chen@ministry.gov.cn>", "From: chen@ministry.gov.cn", ""},
        {"inside From", "<chen@ministry.gov.cn>", "From: bo@agency.gov.cn", "inside-from-outside"},
    };

    assert_rows(rows, G_N_ELEMENTS(rows), world_partner);
}

/* Only the two that are meant for outsiders are neutral; what a site says of them counts. */
static void test_forged_outcomes(void)
{
    g_autoptr(world) world = world_new();
    world_internet(world);
    world_from(world, "<list@elsewhere.example>");
    world_field(world, "From", "bo@agency.gov.cn");
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) recorded = world_decide(world);
    g_assert_cmpint(recorded->verdict, ==, VERDICT_DELIVER);
    g_assert_true(world_has_reason(recorded->reasons, REASON_INSIDE_FROM));

    world->policy->forged_from.kind = OUTCOME_REFUSE;
    g_autoptr(decision) refused = world_decide(world);
    g_assert_cmpint(refused->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpstr(refused->reply.text, ==,
                    "Message not accepted under the security policy of this site [MIJI-abc234]");
    g_assert_cmpuint(refused->reply.code, ==, 550);

    /* a From that nobody can read may name somebody inside, too */
    world->policy->forged_from.kind = OUTCOME_REFUSE;
    world->facts->mailboxes[0].address = (struct bytes){.data = "x@elsewhere.example", .length = 19};
    g_autoptr(decision) foreign = world_decide(world);
    g_assert_cmpint(foreign->verdict, ==, VERDICT_DELIVER);
    world->facts->bad_from = TRUE;
    g_autoptr(decision) unreadable = world_decide(world);
    g_assert_cmpint(unreadable->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(unreadable->leading->id, ==, REASON_FROM_INVALID);
    g_assert_cmpint(unreadable->reply.code, ==, 550);
    world->facts->bad_from = FALSE;
    world_field(world, "Sender", "x@elsewhere.example");
    world->facts->fields[world->facts->field_count - 1].flags = FIELD_BAD_MAILBOXES;
    g_autoptr(decision) bad_sender = world_decide(world);
    g_assert_cmpint(bad_sender->leading->id, ==, REASON_FROM_INVALID);
    world->policy->forged_from.kind = OUTCOME_UNSET;
    g_autoptr(decision) usual = world_decide(world);
    g_assert_cmpint(usual->verdict, ==, VERDICT_DELIVER);

    world->policy->forged_from.kind = OUTCOME_RECORD;
    world->policy->forged_envelope.kind = OUTCOME_RECORD;
    world_from(world, "<bo@agency.gov.cn>");
    g_autoptr(decision) lenient = world_decide(world);
    g_assert_cmpint(lenient->verdict, ==, VERDICT_DELIVER);
    g_assert_true(world_has_reason(lenient->reasons, REASON_INSIDE_ENVELOPE));
}

/* A NUL in a mailbox ends a C string, not the address. */
static void test_nul(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    world_to(world, "<gu@agency.gov.cn>");
    static const char bytes[] = "bo@agency.gov.cn\0@evil.example";
    world->facts->mailboxes[0].address = (struct bytes){.data = bytes, .length = sizeof bytes - 1};
    g_autoptr(decision) decision = world_decide(world);
    g_assert_true(world_has_reason(decision->reasons, REASON_FROM_NOT_OWN));
}

static void test_bad_from(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    world->facts->bad_from = TRUE;
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);
    g_autofree char *reasons = sender_reasons(decision);
    g_assert_cmpstr(reasons, ==, "from-invalid");
}

/* What is read of a field is own, and what is not may be anybody: the reason that says what is wrong. */
static void test_bad_others(void)
{
    static const struct {
        const char *fields[3], *reasons;
        guint bad; /* which of them */
    } rows[] = {
        {{"Sender"}, "sender-not-own", 0},
        {{"Resent-From"}, "resent-not-own", 0},
        {{"Resent-From", "Resent-Sender"}, "resent-not-own", 1},
        {{"Resent-From", "Resent-From"}, "", 1}, /* not the topmost block */
        {{"Resent-From", "Sender"}, "", 1},      /* nobody asks it in a resent message */
        {{"To"}, "", 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        world_usual(world, "公开");
        world_to(world, "<gu@agency.gov.cn>");
        guint first = world->facts->field_count;
        for (guint n = 0; rows[i].fields[n] != NULL; n++)
            world_field(world, rows[i].fields[n], "bo@agency.gov.cn");
        world->facts->fields[first + rows[i].bad].flags |= FIELD_BAD_MAILBOXES;
        g_autoptr(decision) decision = world_decide(world);
        g_autofree char *reasons = sender_reasons(decision);
        g_assert_cmpstr(reasons, ==, rows[i].reasons);
    }
}

/* Nobody has read the fields: no identity is taken for granted, and what the envelope says still counts. */
static void test_without_facts(void)
{
    g_autoptr(world) world = world_new();
    world_usual(world, "公开");
    world_to(world, "<gu@agency.gov.cn>");
    world_no_facts(world, FACTS_NONE_TRANSIENT);
    g_autoptr(decision) deferred = world_decide(world);
    g_assert_cmpint(deferred->verdict, ==, VERDICT_DEFER);
    g_assert_cmpint(g_array_index(deferred->checks, struct check_line, 2).answer, ==,
                    CHECK_UNKNOWN_TRANSIENT);
    world_from(world, "<an@agency.gov.cn>");
    g_autoptr(decision) refused = world_decide(world);
    g_assert_cmpint(refused->leading->id, ==, REASON_ENVELOPE_NOT_OWN);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/identity/person", test_person);
    g_test_add_func("/identity/many-tags", test_many_tags);
    g_test_add_func("/identity/resent", test_resent);
    g_test_add_func("/identity/outside", test_outside);
    g_test_add_func("/identity/peer", test_peer);
    g_test_add_func("/identity/forged-outcomes", test_forged_outcomes);
    g_test_add_func("/identity/nul", test_nul);
    g_test_add_func("/identity/bad-from", test_bad_from);
    g_test_add_func("/identity/bad-others", test_bad_others);
    g_test_add_func("/identity/without-facts", test_without_facts);
    return g_test_run();
}
