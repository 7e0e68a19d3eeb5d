/* Classes of senders and zones of origin (semantics.md 3). */
#include "tests/support/world.h"

static struct decision *decide_for(struct world *world, const char *from)
{
    world_from(world, from);
    world_field(world, "From", "bo@agency.gov.cn");
    world_field(world, "X-Classification", "公开");
    world_to(world, "<gu@agency.gov.cn>");
    return world_decide(world);
}

static void assert_class(struct world *world, const char *from, enum sender_class class, const char *zone)
{
    g_autoptr(decision) decision = decide_for(world, from);

    g_assert_cmpstr(sender_class_name(decision->sender.class), ==, sender_class_name(class));
    g_assert_cmpstr(decision->sender.zone->name, ==, zone);
    g_assert_true(decision->sender.told == ((class == SENDER_PERSON || class == SENDER_PEER) &&
                                            world->envelope->sender->form != ADDRESS_NULL));
}

/* The reason of check 3 that leads; deliver when REASON_COUNT. */
static void assert_refused(struct world *world, const char *from, enum reason_id reason)
{
    g_autoptr(decision) decision = decide_for(world, from);

    g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpstr(reason_name(decision->leading->id), ==, reason_name(reason));
    g_assert_cmpint(decision->leading->check, ==, CHECK_SENDER);
}

static void test_login(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, "bo");
    assert_class(world, "<bo@agency.gov.cn>", SENDER_PERSON, "office");
    world_new_message(world);
    world_office(world, "bo@agency.gov.cn"); /* an inside domain is taken off */
    assert_class(world, "<bo@agency.gov.cn>", SENDER_PERSON, "office");
    world_new_message(world);
    world_office(world, "bo@elsewhere.example");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_UNKNOWN);
    world_new_message(world);
    world_internet(world);
    world->session.login = g_strdup("bo");
    assert_class(world, "<bo@agency.gov.cn>", SENDER_PERSON, "travellers");
}

static void test_null_sender(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, "bo");
    assert_class(world, "<>", SENDER_PERSON, "office");
}

static void test_certificate(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, NULL);
    world->session.tls = 13;
    world->session.cert_subject = g_strdup("bo");
    assert_class(world, "<bo@agency.gov.cn>", SENDER_PERSON, "office");

    world_new_message(world);
    world->policy->certificate_counts = FALSE;
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_REQUIRED);

    world_new_message(world);
    world->policy->certificate_counts = TRUE;
    world->session.login = g_strdup("mi"); /* two persons in one session */
    assert_refused(world, "<bo@agency.gov.cn>", REASON_PERSON_AMBIGUOUS);
}

static void test_login_does_not_count(void)
{
    g_autoptr(world) world = world_new();

    world->policy->login_counts = FALSE;
    world_office(world, "bo");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_REQUIRED);
}

static void test_unknown(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, "stranger");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_UNKNOWN);
    world_new_message(world);
    g_ptr_array_add(world_person(world, "bo2", NULL)->logins, g_strdup("bo"));
    world_office(world, "bo");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_PERSON_AMBIGUOUS);
    world_new_message(world);
    world_person(world, "list", "机密")->kind = PERSON_GROUP; /* a group does not log in */
    world_office(world, "list");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_UNKNOWN);
}

/* The text may be told: whoever logged in is no outsider. */
static void test_unknown_is_told(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, "stranger");
    g_autoptr(decision) decision = decide_for(world, "<stranger@agency.gov.cn>");
    g_assert_cmpstr(decision->reply.text, ==, "Your login has no entry in the directory [MIJI-abc234]");
}

static void assert_deferred(struct world *world, const char *from, enum check_id check)
{
    g_autoptr(decision) decision = decide_for(world, from);

    g_assert_cmpint(decision->verdict, ==, VERDICT_DEFER);
    g_assert_cmpint(decision->leading->id, ==, REASON_DIRECTORY_UNAVAILABLE);
    g_assert_cmpint(decision->leading->check, ==, check);
}

static void test_unavailable(void)
{
    g_autoptr(world) world = world_new();

    g_hash_table_add(world->down, g_strdup("bo"));
    world_office(world, "bo");
    assert_deferred(world, "<bo@agency.gov.cn>", CHECK_SENDER);
    /* A certificate that cannot be asked about: not even the class is sure, so nothing follows from the
     * class. */
    world_new_message(world);
    world_office(world, NULL);
    world->session.cert_subject = g_strdup("bo");
    assert_deferred(world, "<bo@agency.gov.cn>", CHECK_SENDER);
    /* … and a login beside it does not help: the two might be different people. */
    world_new_message(world);
    g_hash_table_remove_all(world->down);
    g_hash_table_add(world->down, g_strdup("an"));
    world_office(world, "bo");
    world->session.cert_subject = g_strdup("an");
    assert_deferred(world, "<bo@agency.gov.cn>", CHECK_SENDER);
}

static void test_unavailable_and_unlabelled(void)
{
    g_autoptr(world) world = world_new();

    g_hash_table_add(world->down, g_strdup("bo"));
    world_office(world, NULL);
    world->session.cert_subject = g_strdup("bo");
    world_from(world, "<bo@agency.gov.cn>");
    world_field(world, "From", "bo@agency.gov.cn");
    world_to(world, "<gu@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);
    g_assert_cmpint(decision->verdict, ==, VERDICT_DEFER);
}

static void test_office_without_login(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, NULL);
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_REQUIRED);
    world_new_message(world);
    world_office(world, "");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_REQUIRED);
}

static void test_relay(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, NULL);
    world->session.client = ip_parse("10.0.0.25");
    assert_class(world, "<x@elsewhere.example>", SENDER_OUTSIDE, "internet");
    world_new_message(world);
    world->session.login = g_strdup("bo"); /* a relay speaks for nobody */
    assert_class(world, "<x@elsewhere.example>", SENDER_OUTSIDE, "internet");
}

/* Whatever the zone `otherwise` carries, and whoever logged in at the relay: nothing above the lowest level.
 */
static void test_relay_above_lowest(void)
{
    g_autoptr(world) world = world_new();
    struct zone *internet = (struct zone *)zones_find(world->zones, "internet");

    ((struct zone_limit *)g_ptr_array_index(internet->limits, 0))->label->level = world_level(world, "内部");
    world_office(world, "bo");
    world->session.client = ip_parse("10.0.0.25");
    world->session.cert_subject = g_strdup("gateway.agency.gov.cn");
    world_from(world, "<x@elsewhere.example>");
    world_field(world, "X-Classification", "内部");
    world_to(world, "<an@agency.gov.cn>");
    g_autoptr(decision) decision = world_decide(world);
    g_assert_cmpint(decision->verdict, ==, VERDICT_REFUSE);
    g_assert_cmpint(decision->leading->id, ==, REASON_ZONE_ORIGIN);
}

static void test_peer(void)
{
    g_autoptr(world) world = world_new();

    world_partner(world);
    assert_class(world, "<chen@ministry.gov.cn>", SENDER_PEER, "partner ministry");
    world_new_message(world);
    assert_class(world, "<chen@elsewhere.example>", SENDER_OUTSIDE, "partner ministry");
    world_new_message(world);
    assert_class(world, "<>", SENDER_OUTSIDE, "partner ministry");
    world_new_message(world);
    world_internet(world);
    world->session.client = ip_parse("192.0.2.7");
    assert_class(world, "<li@province.gov.cn>", SENDER_PEER, "partner by network");
    world_new_message(world);
    world_internet(world);
    assert_class(world, "<chen@ministry.gov.cn>", SENDER_OUTSIDE, "internet");
}

static struct device *add_device(struct world *world, const char *address, const char *level)
{
    struct device *device = g_new0(struct device, 1);

    device->address = g_strdup(address);
    g_assert_true(network_parse("10.9.0.0/16", &device->network));
    device->scheme = schemes_home(world->schemes);
    device->level = level != NULL ? world_level(world, level) : NULL;
    g_ptr_array_add(world->policy->devices, device);
    return device;
}

static void test_device(void)
{
    g_autoptr(world) world = world_new();

    add_device(world, "scanner@agency.gov.cn", NULL);
    world_office(world, NULL);
    world->session.client = ip_parse("10.9.0.7");
    assert_class(world, "<Scanner@Agency.gov.cn>", SENDER_DEVICE, "office");
    world_new_message(world);
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_REQUIRED);
    world_new_message(world);
    world->session.client = ip_parse("10.8.0.7");
    assert_refused(world, "<scanner@agency.gov.cn>", REASON_LOGIN_REQUIRED);
    world_new_message(world);
    add_device(world, NULL, "内部");
    world->session.client = ip_parse("10.9.0.7");
    assert_class(world, "<>", SENDER_DEVICE, "office");
}

static void test_device_level(void)
{
    static const struct {
        const char *level;
        enum verdict verdict;
    } rows[] = {{"公开", VERDICT_DELIVER}, {"内部", VERDICT_DELIVER}, {"秘密", VERDICT_REFUSE}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(world) world = world_new();
        add_device(world, "an@agency.gov.cn", "内部");
        world_office(world, NULL);
        world->session.client = ip_parse("10.9.0.7");
        world_from(world, "<an@agency.gov.cn>");
        world_field(world, "X-Classification", rows[i].level);
        world_to(world, "<an@agency.gov.cn>");
        g_autoptr(decision) decision = world_decide(world);
        g_assert_cmpint(decision->verdict, ==, rows[i].verdict);
        if (rows[i].verdict == VERDICT_REFUSE)
            g_assert_cmpint(decision->leading->id, ==, REASON_NOT_CLEARED_TO_SEND);
    }
}

/* A mail system that binds MAIL FROM to its own logins. */
static void test_vouches(void)
{
    g_autoptr(world) world = world_new();

    networks_add(&world_zone(world, "office")->vouches, "10.0.0.30/32");
    world_office(world, NULL);
    world->session.client = ip_parse("10.0.0.30");
    assert_class(world, "<bo@agency.gov.cn>", SENDER_PERSON, "office");
    world_new_message(world);
    assert_refused(world, "<stranger@agency.gov.cn>", REASON_LOGIN_UNKNOWN);
    world_new_message(world);
    assert_refused(world, "<bo@elsewhere.example>", REASON_LOGIN_UNKNOWN);
    world_new_message(world);
    assert_refused(world, "<>", REASON_LOGIN_REQUIRED);
    world_new_message(world);
    g_hash_table_add(world->down, g_strdup("bo@agency.gov.cn"));
    assert_deferred(world, "<bo@agency.gov.cn>", CHECK_SENDER);
    world_new_message(world);
    world->session.client = ip_parse("10.0.0.31");
    assert_refused(world, "<bo@agency.gov.cn>", REASON_LOGIN_REQUIRED);
}

static void test_local(void)
{
    g_autoptr(world) world = world_new();

    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    assert_class(world, "bo@agency.gov.cn", SENDER_DEVICE, "local");
    /* Without a socket of its own: localhost, and MAIL as sendmail(1) gives it. */
    world_new_message(world);
    session_clear(&world->session);
    world->session.client = ip_parse("127.0.0.1");
    assert_class(world, "bo@agency.gov.cn", SENDER_DEVICE, "local");
    world_new_message(world);
    world->session.client = ip_parse("::1");
    assert_class(world, "bo@agency.gov.cn", SENDER_DEVICE, "local");
    world_new_message(world);
    assert_class(world, "<x@elsewhere.example>", SENDER_OUTSIDE, "internet");
    world_new_message(world);
    world_internet(world);
    assert_class(world, "x@elsewhere.example", SENDER_OUTSIDE, "internet");
    world_new_message(world);
    session_clear(&world->session);
    world->session.client = ip_parse("127.0.0.1");
    world->session.login = g_strdup("bo"); /* webmail that logs in */
    assert_class(world, "bo@agency.gov.cn", SENDER_PERSON, "travellers");
}

/* What stands before the recipient in the identity key (7.4): the same as decide says, and no more. */
static void assert_identity(struct world *world, const char *from, const char *expected)
{
    world_from(world, from);
    struct inputs inputs = world_inputs(world);
    g_autofree char *identity = inputs_identity(&inputs);
    g_autoptr(decision) decision = decide(&inputs, "abc234");

    g_assert_cmpstr(identity, ==, expected);
    g_assert_true(g_str_has_prefix(identity, sender_class_name(decision->sender.class)));
}

static void test_identity(void)
{
    g_autoptr(world) world = world_new();

    world_office(world, "bo");
    assert_identity(world, "<Bo@Agency.gov.cn>", "person\nbo\nbo@agency.gov.cn");
    world_no_facts(world, FACTS_NONE_TRANSIENT);
    assert_identity(world, "<bo@agency.gov.cn>", "person\nbo\nbo@agency.gov.cn");
    g_hash_table_add(world->down, g_strdup("bo"));
    assert_identity(world, "<bo@agency.gov.cn>", "person\nbo\nbo@agency.gov.cn");
    world_office(world, "b\nperson\\o");
    assert_identity(world, "<>", "person\nb\\nperson\\\\o\n");
    world_office(world, NULL);
    world->session.tls = 13;
    world->session.cert_subject = g_strdup("mi");
    assert_identity(world, "<mi@agency.gov.cn>", "person\nmi\nmi@agency.gov.cn");
    world_internet(world);
    assert_identity(world, "<x@elsewhere.example>", "outside\ninternet\nx@elsewhere.example");
    world_partner(world);
    assert_identity(world, "<chen@ministry.gov.cn>", "peer\npartner ministry\nchen@ministry.gov.cn");
    session_clear(&world->session);
    world->session.role = ROLE_LOCAL;
    assert_identity(world, "root@agency.gov.cn", "device\nlocal\nroot@agency.gov.cn");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/sender/login", test_login);
    g_test_add_func("/sender/null-sender", test_null_sender);
    g_test_add_func("/sender/certificate", test_certificate);
    g_test_add_func("/sender/login-does-not-count", test_login_does_not_count);
    g_test_add_func("/sender/unknown", test_unknown);
    g_test_add_func("/sender/unknown-is-told", test_unknown_is_told);
    g_test_add_func("/sender/unavailable", test_unavailable);
    g_test_add_func("/sender/unavailable-and-unlabelled", test_unavailable_and_unlabelled);
    g_test_add_func("/sender/office-without-login", test_office_without_login);
    g_test_add_func("/sender/relay", test_relay);
    g_test_add_func("/sender/relay-above-lowest", test_relay_above_lowest);
    g_test_add_func("/sender/peer", test_peer);
    g_test_add_func("/sender/device", test_device);
    g_test_add_func("/sender/device-level", test_device_level);
    g_test_add_func("/sender/vouches", test_vouches);
    g_test_add_func("/sender/local", test_local);
    g_test_add_func("/sender/identity", test_identity);
    return g_test_run();
}
