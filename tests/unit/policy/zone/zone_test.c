#include "policy/zone/zone.h"

#include <string.h>

/* Two schemes made by hand, levels of rank 1–5 and 1–3; the first has a restrictive set, the second a
 * permissive one. */
struct fixture {
    struct scheme home, other;
    struct level home_levels[5], other_levels[3];
    struct category_set restricted, release;
    struct zones *zones;
};

static void scheme_init(struct scheme *scheme, char *name, struct level *levels, guint count,
                        struct category_set *set, enum category_kind kind)
{
    *scheme = (struct scheme){.name = name,
                              .levels = g_ptr_array_new(),
                              .sets = g_ptr_array_new(),
                              .combinations = g_ptr_array_new()};
    for (guint i = 0; i < count; i++) {
        levels[i] =
            (struct level){.name = (char *)"level", .rank = i + 1, .number = -1, .ascii = (char *)"level"};
        g_ptr_array_add(scheme->levels, &levels[i]);
    }
    *set = (struct category_set){.name = (char *)"set",
                                 .kind = kind,
                                 .open = TRUE,
                                 .also = g_ptr_array_new(),
                                 .values = g_ptr_array_new()};
    g_ptr_array_add(scheme->sets, set);
}

static void scheme_clear(struct scheme *scheme)
{
    struct category_set *set = g_ptr_array_index(scheme->sets, 0);

    g_ptr_array_unref(set->also);
    g_ptr_array_unref(set->values);
    g_ptr_array_unref(scheme->levels);
    g_ptr_array_unref(scheme->sets);
    g_ptr_array_unref(scheme->combinations);
}

static struct zone *add_zone(struct fixture *f, const char *name)
{
    struct zone *zone = zone_new(name);

    zone->index = f->zones->list->len;
    g_ptr_array_add(f->zones->list, zone);
    return zone;
}

static void add_network(GArray **networks, const char *text)
{
    struct network network;

    g_assert_true(network_parse(text, &network));
    if (*networks == NULL)
        *networks = g_array_new(FALSE, FALSE, sizeof(struct network));
    g_array_append_val(*networks, network);
}

static void add_name(GPtrArray **names, const char *name)
{
    if (*names == NULL)
        *names = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(*names, g_strdup(name));
}

/* The zones of examples/miji.conf, and one for a certificate from a network. */
static void set_up(struct fixture *f, gconstpointer data)
{
    scheme_init(&f->home, (char *)"cn", f->home_levels, 5, &f->restricted, CATEGORY_RESTRICTIVE);
    scheme_init(&f->other, (char *)"au", f->other_levels, 3, &f->release, CATEGORY_PERMISSIVE);
    f->zones = zones_new();

    struct zone *office = add_zone(f, "office");
    office->inside = TRUE;
    add_network(&office->clients, "10.0.0.0/8");
    add_network(&office->clients, "fd00:10::/32");
    add_name(&office->recipients, "agency.gov.cn");
    add_name(&office->recipients, "*.agency.gov.cn");
    zone_add_limit(office, label_new(&f->home, &f->home_levels[3]));

    struct zone *partner = add_zone(f, "partner");
    add_name(&partner->certificates, "mx.ministry.gov.cn");
    add_network(&partner->clients, "198.51.100.0/24");
    add_name(&partner->recipients, "ministry.gov.cn");
    partner->requires.tls = 13;
    zone_add_limit(partner, label_new(&f->home, &f->home_levels[2]));

    struct zone *guests = add_zone(f, "guests");
    add_name(&guests->logins, "gu");
    add_name(&guests->logins, "Visitor");
    zone_add_limit(guests, label_new(&f->home, &f->home_levels[0]));

    struct zone *travellers = add_zone(f, "travellers");
    travellers->inside = TRUE;
    travellers->login_any = TRUE;
    travellers->requires.tls = 12;
    travellers->requires.client_certificate = TRUE;
    zone_add_limit(travellers, label_new(&f->home, &f->home_levels[1]));

    struct zone *only_to = add_zone(f, "only to");
    add_name(&only_to->recipients, "*.ministry.gov.cn");
    zone_add_limit(only_to, label_new(&f->home, &f->home_levels[1]));

    struct zone *internet = add_zone(f, "internet");
    internet->otherwise = TRUE;
    zone_add_limit(internet, label_new(&f->home, &f->home_levels[0]));
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    zones_free(f->zones);
    scheme_clear(&f->home);
    scheme_clear(&f->other);
}

static const char *origin(struct fixture *f, const char *client, const char *login, const char *certificate)
{
    struct session session = {.client = ip_parse(client),
                              .login = (char *)login,
                              .tls = certificate != NULL ? 13 : 0,
                              .cert_subject = (char *)certificate};

    return zones_origin(f->zones, &session, NULL)->name;
}

static void test_origin(struct fixture *f, gconstpointer data)
{
    g_assert_cmpstr(origin(f, "10.1.2.3", NULL, NULL), ==, "office");
    g_assert_cmpstr(origin(f, "IPv6:::ffff:10.1.2.3", NULL, NULL), ==, "office");
    g_assert_cmpstr(origin(f, "fd00:10::77", NULL, NULL), ==, "office");
    g_assert_cmpstr(origin(f, "203.0.113.5", NULL, NULL), ==, "internet");
    g_assert_cmpstr(origin(f, "unknown", NULL, NULL), ==, "internet");
    /* the first that fits, also for somebody who is logged in */
    g_assert_cmpstr(origin(f, "10.1.2.3", "bo", "bo"), ==, "office");
    g_assert_cmpstr(origin(f, "203.0.113.5", "bo", NULL), ==, "travellers");
    g_assert_cmpstr(origin(f, "203.0.113.5", "", NULL), ==, "internet");
    /* kinds are joined by and */
    g_assert_cmpstr(origin(f, "198.51.100.7", NULL, "mx.ministry.gov.cn"), ==, "partner");
    g_assert_cmpstr(origin(f, "198.51.100.7", NULL, "MX.Ministry.gov.cn"), ==, "partner");
    g_assert_cmpstr(origin(f, "198.51.100.7", NULL, "mx.example"), ==, "internet");
    g_assert_cmpstr(origin(f, "198.51.100.7", NULL, NULL), ==, "internet");
    g_assert_cmpstr(origin(f, "203.0.113.5", NULL, "mx.ministry.gov.cn"), ==, "internet");
}

static void test_origin_login(struct fixture *f, gconstpointer data)
{
    static const char *const forms[] = {"gu@agency.gov.cn", "gu", NULL};
    struct session session = {.client = ip_parse("203.0.113.5"), .login = (char *)"gu@agency.gov.cn"};

    /* values of a kind are joined by or; capitals do not lead past a line */
    g_assert_cmpstr(origin(f, "203.0.113.5", "gu", NULL), ==, "guests");
    g_assert_cmpstr(origin(f, "203.0.113.5", "GU", NULL), ==, "guests");
    g_assert_cmpstr(origin(f, "203.0.113.5", "visitor", NULL), ==, "guests");
    g_assert_cmpstr(origin(f, "203.0.113.5", "gu2", NULL), ==, "travellers");
    g_assert_cmpstr(zones_origin(f->zones, &session, NULL)->name, ==, "travellers");
    g_assert_cmpstr(zones_origin(f->zones, &session, forms)->name, ==, "guests");
    session.login = NULL; /* forms without a login count for nothing */
    g_assert_cmpstr(zones_origin(f->zones, &session, forms)->name, ==, "internet");
}

/* Invariant 13.25: what is taken from the session never leads to another zone by `requires`. */
static void test_requires_never_selects(struct fixture *f, gconstpointer data)
{
    const struct zone *travellers = zones_find(f->zones, "travellers");
    struct session session = {.client = ip_parse("203.0.113.5"), .login = (char *)"bo"};
    enum message_id what;

    g_assert_true(zones_origin(f->zones, &session, NULL) == travellers);
    g_assert_false(zone_protected(travellers, &session, &what));
    session.tls = 13;
    session.cert_subject = (char *)"bo";
    g_assert_true(zones_origin(f->zones, &session, NULL) == travellers);
    g_assert_true(zone_protected(travellers, &session, &what));
}

static void test_local(struct fixture *f, gconstpointer data)
{
    struct session session = {.role = ROLE_LOCAL, .client = ip_parse("10.1.2.3"), .login = (char *)"bo"};
    g_autoptr(label_set) lowest = label_set_new();
    g_autoptr(label) label = label_new(&f->home, &f->home_levels[0]);

    g_assert_true(zones_origin(f->zones, &session, NULL) == f->zones->local);
    g_assert_true(zones_find(f->zones, "local") == f->zones->local);
    label_set_join(lowest, label);
    g_assert_false(zone_carries(f->zones->local, lowest, NULL)); /* not filled in: nothing */
}

static void test_of_network(struct fixture *f, gconstpointer data)
{
    g_assert_cmpstr(zones_of_network(f->zones, ip_parse("10.1.2.3"))->name, ==, "office");
    g_assert_cmpstr(zones_of_network(f->zones, ip_parse("198.51.100.7"))->name, ==, "internet");
    g_assert_cmpstr(zones_of_network(f->zones, ip_parse(NULL))->name, ==, "internet");
}

static void test_recipient(struct fixture *f, gconstpointer data)
{
    static const struct {
        const char *domain, *zone;
        gboolean inside;
    } rows[] = {
        {"agency.gov.cn", "office", TRUE},
        {"a.agency.gov.cn", "office", TRUE},
        {"c.b.a.agency.gov.cn", "office", TRUE},
        {"notagency.gov.cn", "internet", FALSE},
        {"ministry.gov.cn", "partner", FALSE},
        {"x.ministry.gov.cn", "only to", FALSE},
        {"y.x.ministry.gov.cn", "only to", FALSE},
        {"example.com", "internet", FALSE},
        {"", "internet", FALSE},
        {NULL, "internet", FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpstr(zones_recipient(f->zones, rows[i].domain)->name, ==, rows[i].zone);
        g_assert_cmpint(zones_is_inside(f->zones, rows[i].domain), ==, rows[i].inside);
    }
}

static void test_find(struct fixture *f, gconstpointer data)
{
    g_assert_cmpstr(zones_find(f->zones, "only to")->name, ==, "only to");
    g_assert_null(zones_find(f->zones, "Office"));
    g_assert_null(zones_find(f->zones, ""));
}

/* Without the zone that takes the rest, which the configuration does not let happen, nothing is let through.
 */
static void test_no_otherwise(void)
{
    struct zones *zones = zones_new();
    struct session session = {.client = ip_parse("203.0.113.5")};

    g_assert_true(zones_origin(zones, &session, NULL) == zones->local);
    g_assert_true(zones_recipient(zones, "example.com") == zones->local);
    g_assert_false(zones_is_inside(zones, "example.com"));
    zones_free(zones);
}

static struct label_set *set_of(const struct scheme *scheme, const struct level *level, const char *category)
{
    struct label_set *set = label_set_new();
    g_autoptr(label) label = label_new(scheme, level);

    if (category != NULL)
        label_add_value(label, g_ptr_array_index(scheme->sets, 0), category);
    label_set_join(set, label);
    return set;
}

static gboolean carries(struct fixture *f, const char *zone, const struct scheme *scheme,
                        const struct level *level, const char *category)
{
    g_autoptr(label_set) set = set_of(scheme, level, category);
    const struct label *which;
    gboolean answer = zone_carries(zones_find(f->zones, zone), set, &which);

    g_assert_true(answer ? which == NULL : which == g_ptr_array_index(set->labels, 0));
    return answer;
}

static void test_carries(struct fixture *f, gconstpointer data)
{
    g_autoptr(label_set) empty = label_set_new();

    g_assert_true(carries(f, "office", &f->home, &f->home_levels[3], NULL));
    g_assert_false(carries(f, "office", &f->home, &f->home_levels[4], NULL));
    g_assert_true(carries(f, "internet", &f->home, &f->home_levels[0], NULL));
    g_assert_false(carries(f, "internet", &f->home, &f->home_levels[1], NULL));
    g_assert_true(zone_carries(zones_find(f->zones, "internet"), empty, NULL));
    g_assert_true(zone_carries(f->zones->local, empty, NULL));
}

static void test_carries_categories(struct fixture *f, gconstpointer data)
{
    struct zone *partner = g_ptr_array_index(f->zones->list, 1);
    struct zone_limit *limit = g_ptr_array_index(partner->limits, 0);

    g_assert_true(carries(f, "office", &f->home, &f->home_levels[3], "crypto"));
    g_assert_false(carries(f, "partner", &f->home, &f->home_levels[2], "crypto"));
    g_assert_false(carries(f, "internet", &f->home, &f->home_levels[0], "crypto"));
    label_add_value(limit->label, &f->restricted, "crypto");
    g_assert_true(carries(f, "partner", &f->home, &f->home_levels[2], "crypto"));
    g_assert_false(carries(f, "partner", &f->home, &f->home_levels[3], "crypto"));
    g_assert_false(carries(f, "partner", &f->home, &f->home_levels[2], "nuclear"));
}

static void test_carries_other_scheme(struct fixture *f, gconstpointer data)
{
    struct zone *office = g_ptr_array_index(f->zones->list, 0);
    g_autoptr(label_set) both = set_of(&f->home, &f->home_levels[0], NULL);
    g_autoptr(label) foreign = label_new(&f->other, &f->other_levels[0]);
    const struct label *which;

    /* not even the lowest level of a scheme that is not stated, inside neither */
    g_assert_false(carries(f, "office", &f->other, &f->other_levels[0], NULL));
    label_set_join(both, foreign);
    g_assert_false(zone_carries(office, both, &which));
    g_assert_true(which->scheme == &f->other);
    zone_add_limit(office, label_new(&f->other, &f->other_levels[1]));
    g_assert_true(zone_carries(office, both, &which));
    g_assert_null(which);
    g_assert_true(carries(f, "office", &f->other, &f->other_levels[1], "AUSTEO"));
    g_assert_false(carries(f, "office", &f->other, &f->other_levels[2], NULL));
}

static void test_nobody(struct fixture *f, gconstpointer data)
{
    g_autoptr(label_set) set = set_of(&f->home, &f->home_levels[0], NULL);

    ((struct label *)g_ptr_array_index(set->labels, 0))->nobody = TRUE;
    g_assert_false(zone_carries(zones_find(f->zones, "office"), set, NULL));
}

/* Invariant 13.2: raising a label never makes a zone carry it. */
static void test_carries_monotone(struct fixture *f, gconstpointer data)
{
    for (guint z = 0; z < f->zones->list->len; z++) {
        const struct zone *zone = g_ptr_array_index(f->zones->list, z);
        for (guint i = 1; i < 5; i++) {
            if (!carries(f, zone->name, &f->home, &f->home_levels[i], NULL))
                continue;
            g_assert_true(carries(f, zone->name, &f->home, &f->home_levels[i - 1], NULL));
        }
    }
}

static void test_protected(void)
{
    static const struct {
        struct zone_requires requires;
        guint tls;
        const char *certificate, *login;
        enum message_id what;
    } rows[] = {
        {{0}, 0, NULL, NULL, MSG_NONE},
        {{.tls = 10}, 0, NULL, NULL, MSG_PROTECTION_TLS},
        {{.tls = 10}, 9, NULL, NULL, MSG_PROTECTION_TLS},
        {{.tls = 10}, 10, NULL, NULL, MSG_NONE},
        {{.tls = 12}, 11, NULL, NULL, MSG_PROTECTION_TLS_12},
        {{.tls = 12}, 13, NULL, NULL, MSG_NONE},
        {{.tls = 13}, 12, NULL, NULL, MSG_PROTECTION_TLS_13},
        {{.client_certificate = TRUE}, 13, NULL, NULL, MSG_PROTECTION_CERTIFICATE},
        {{.client_certificate = TRUE}, 13, "bo", NULL, MSG_NONE},
        {{.tls = 10, .tls_verified = TRUE}, 13, NULL, NULL, MSG_PROTECTION_CERTIFICATE},
        {{.tls_verified = TRUE}, 0, "bo", NULL, MSG_PROTECTION_TLS},
        {{.tls_verified = TRUE}, 12, "bo", NULL, MSG_NONE},
        {{.login = TRUE}, 13, "bo", NULL, MSG_PROTECTION_LOGIN},
        {{.login = TRUE}, 13, NULL, "", MSG_PROTECTION_LOGIN},
        {{.login = TRUE}, 0, NULL, "bo", MSG_NONE},
        {{.tls = 12, .client_certificate = TRUE, .login = TRUE}, 0, NULL, NULL, MSG_PROTECTION_TLS_12},
        {{.tls = 12, .client_certificate = TRUE, .login = TRUE}, 12, "bo", "bo", MSG_NONE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct zone zone = {.requires = rows[i].requires};
        struct session session = {
            .tls = rows[i].tls, .cert_subject = (char *)rows[i].certificate, .login = (char *)rows[i].login};
        enum message_id what;
        g_test_message("row %u", i);
        g_assert_cmpint(zone_protected(&zone, &session, &what), ==, rows[i].what == MSG_NONE);
        g_assert_cmpint(what, ==, rows[i].what);
    }
}

#define ADD(path, function) g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    ADD("/zone/origin", test_origin);
    ADD("/zone/origin-login", test_origin_login);
    ADD("/zone/requires-never-selects", test_requires_never_selects);
    ADD("/zone/local", test_local);
    ADD("/zone/of-network", test_of_network);
    ADD("/zone/recipient", test_recipient);
    ADD("/zone/find", test_find);
    g_test_add_func("/zone/no-otherwise", test_no_otherwise);
    ADD("/zone/carries", test_carries);
    ADD("/zone/carries-categories", test_carries_categories);
    ADD("/zone/carries-other-scheme", test_carries_other_scheme);
    ADD("/zone/nobody", test_nobody);
    ADD("/zone/carries-monotone", test_carries_monotone);
    g_test_add_func("/zone/protected", test_protected);
    return g_test_run();
}
