#include "policy/person/directory.h"

#include <glib/gstdio.h>
#include <string.h>

#include "tests/support/asking.h"
#include "tests/support/proxy.h"
#include "tests/support/schemes.h"
#include "tests/support/slapd.h"

/* Servers that are not there, hang, break off, are not who they should be, or do not know us: always
 * unavailable, in time, and over when it is over. */

#define SHORT_MS 300
#define LONG_MS 20000
#define IN_TIME_US (10 * G_USEC_PER_SEC) /* of a busy machine; far below LONG_MS */

static struct schemes *schemes;
static struct slapd *slapd;

static const char TREE[] =
    "dn: ou=open,dc=x\nobjectClass: organizationalUnit\nou: open\n\n"
    "dn: uid=bo,ou=open,dc=x\nobjectClass: inetOrgPerson\nuid: bo\ncn: bo\nsn: bo\nmail: bo@x.cn\n\n"
    "dn: uid=ni,ou=open,dc=x\nobjectClass: inetOrgPerson\nuid: ni\ncn: ni\nsn: ni\nmail: ni@x.cn\n\n"
    "dn: uid=an,dc=x\nobjectClass: inetOrgPerson\nuid: an\ncn: an\nsn: an\nmail: an@x.cn\n";
static const char ACCESS[] = "access to dn.subtree=\"ou=open,dc=x\" by * read\n"
                             "access to * by anonymous auth by * none\n";

/* ---- settings */

static struct directory_settings *settings_for(const char *url, const char *base, gint64 answer_within_ms)
{
    struct directory_settings *settings = directory_settings_new();

    g_ptr_array_add(settings->urls, g_strdup(url));
    settings->base = g_strdup(base);
    settings->answer_within_ms = answer_within_ms;
    settings->connect_within_ms = answer_within_ms;
    settings->refresh_ms = 0; /* every question is asked */
    return settings;
}

static struct directory_settings *to_proxy(struct proxy *proxy, gint64 answer_within_ms)
{
    g_autofree char *url = g_strdup_printf("ldap://127.0.0.1:%u", proxy_port(proxy));

    return settings_for(url, "ou=open,dc=x", answer_within_ms);
}

static void with_password(struct directory_settings *settings, const char *text, int mode)
{
    g_autofree char *path = slapd_file(slapd, "test.password");

    g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, NULL);
    g_chmod(path, (mode_t)mode);
    settings->bind = BIND_SIMPLE;
    settings->bind_dn = g_strdup(SLAPD_ADMIN);
    settings->bind_password_file = g_steal_pointer(&path);
}

static struct directory *open_with(struct directory_settings *settings)
{
    g_autoptr(GError) error = NULL;
    struct directory *directory = directory_open(settings, schemes, &error);

    g_assert_no_error(error);
    return directory;
}

/* ---- expectations */

static void expect_found(struct directory *directory, const char *address)
{
    gint64 start_us = g_get_monotonic_time();

    g_assert_cmpint(ask_state(directory, ASK_ADDRESS, address), ==, ANSWER_FOUND);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, IN_TIME_US);
}

/* Unavailable soon, as an outage of the whole directory or not, with these words in the status. */
static void expect_unavailable(struct directory *directory, gboolean outage, const char *words)
{
    g_autoptr(directory_query) query = NULL;
    gint64 start_us = g_get_monotonic_time();
    g_autofree char *where = NULL;

    g_assert_cmpint(ask_one(directory, &query, ASK_ADDRESS, "bo@x.cn").state, ==, ANSWER_UNAVAILABLE);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, IN_TIME_US);
    g_assert_cmpint(directory_query_outage(query), ==, outage);
    where = asking_where(directory);
    if (words != NULL && strstr(where, words) == NULL)
        g_assert_cmpstr(where, ==, words);
}

/* The status is told by the directory's own thread, perhaps after the answer was given up. */
static void expect_words(struct directory *directory, const char *words)
{
    gint64 deadline_us = g_get_monotonic_time() + IN_TIME_US;

    for (;;) {
        g_autofree char *where = asking_where(directory);

        if (strstr(where, words) != NULL)
            return;
        if (g_get_monotonic_time() > deadline_us) {
            g_assert_cmpstr(where, ==, words);
            return;
        }
        g_usleep(5000);
    }
}

/* Asks until it is found: the way back needs no restart, but may need one more question. */
static void expect_recovery(struct directory *directory)
{
    gint64 deadline_us = g_get_monotonic_time() + IN_TIME_US;

    while (ask_state(directory, ASK_ADDRESS, "bo@x.cn") != ANSWER_FOUND &&
           g_get_monotonic_time() < deadline_us)
        g_usleep(5000);
    g_assert_cmpint(g_get_monotonic_time(), <, deadline_us);
}

/* ---- servers that are not there */

static void test_stopped(void)
{
    g_autoptr(directory) directory =
        open_with(settings_for(slapd_url(slapd, "ldap"), "ou=open,dc=x", LONG_MS));

    g_autofree char *before = asking_where(directory);
    g_assert_cmpstr(before, ==, "not asked yet");
    expect_found(directory, "bo@x.cn");
    slapd_stop(slapd);
    expect_unavailable(directory, TRUE, ": Can't contact LDAP server");
    expect_unavailable(directory, TRUE, ": Can't contact LDAP server");
    slapd_start(slapd);
    expect_found(directory, "bo@x.cn"); /* at once */
}

static void test_next_server(void)
{
    struct directory_settings *settings = settings_for("ldap://127.0.0.1:1", "ou=open,dc=x", LONG_MS);

    g_ptr_array_add(settings->urls, g_strdup(slapd_url(slapd, "ldapi")));
    g_autoptr(directory) directory = open_with(settings);
    expect_found(directory, "bo@x.cn");
    g_autofree char *where = asking_where(directory);
    g_assert_cmpstr(where, ==, slapd_url(slapd, "ldapi"));
}

static void test_frozen(const char *scheme, gboolean bind)
{
    struct directory_settings *settings = settings_for(slapd_url(slapd, scheme), "ou=open,dc=x", SHORT_MS);

    settings->ca_file = strcmp(scheme, "ldaps") == 0 ? slapd_file(slapd, "ca.pem") : NULL;
    if (bind)
        with_password(settings, "admin secret\n", 0600);
    g_autoptr(directory) directory = open_with(settings);
    expect_recovery(directory);
    slapd_freeze(slapd);
    expect_unavailable(directory, TRUE, NULL);
    expect_words(directory, ": does not answer");
    expect_unavailable(directory, TRUE, NULL);
    expect_unavailable(directory, TRUE, NULL);
    slapd_thaw(slapd);
    expect_recovery(directory);
}

static void test_frozen_plain(void)
{
    test_frozen("ldap", FALSE);
}

static void test_frozen_bind(void)
{
    test_frozen("ldapi", TRUE);
}

static void test_frozen_tls(void)
{
    test_frozen("ldaps", TRUE);
}

/* The first server hangs, the second answers the next question. */
static void test_frozen_next_server(void)
{
    struct proxy *proxy = proxy_new(slapd_port(slapd, "ldap"));
    struct directory_settings *settings = to_proxy(proxy, SHORT_MS);

    g_ptr_array_add(settings->urls, g_strdup(slapd_url(slapd, "ldapi")));
    proxy_stall_after(proxy, 0);
    g_autoptr(directory) directory = open_with(settings);
    expect_unavailable(directory, TRUE, NULL);
    expect_recovery(directory);
    g_autofree char *where = asking_where(directory);
    g_assert_cmpstr(where, ==, slapd_url(slapd, "ldapi"));
    proxy_free(proxy);
}

/* A directory may go while its server hangs and searches are on the way. */
static void test_closed_while_frozen(void)
{
    struct directory *directory = open_with(settings_for(slapd_url(slapd, "ldap"), "ou=open,dc=x", LONG_MS));
    gint64 start_us;

    expect_found(directory, "bo@x.cn");
    slapd_freeze(slapd);
    struct directory_query *query = directory_query_new(directory);
    directory_query_add(query, ASK_ADDRESS, "ni@x.cn");
    directory_query_send(query);
    start_us = g_get_monotonic_time();
    directory_query_free(query);
    directory_unref(directory);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, IN_TIME_US);
    slapd_thaw(slapd);
}

/* ---- slow and broken connections */

static void test_slow(void)
{
    struct proxy *proxy = proxy_new(slapd_port(slapd, "ldap"));
    g_autoptr(directory) directory = open_with(to_proxy(proxy, SHORT_MS));

    expect_recovery(directory);
    proxy_delay(proxy, 4 * SHORT_MS);
    expect_unavailable(directory, TRUE, NULL);
    expect_unavailable(directory, TRUE, NULL);
    proxy_delay(proxy, 0);
    expect_recovery(directory);
    proxy_free(proxy);
}

/* An answer that stops in its middle holds up neither the question nor the thread. */
static void test_stalled(void)
{
    struct proxy *proxy = proxy_new(slapd_port(slapd, "ldap"));
    g_autoptr(directory) directory = open_with(to_proxy(proxy, SHORT_MS));

    expect_recovery(directory);
    proxy_stall_after(proxy, 20);
    expect_unavailable(directory, TRUE, NULL);
    expect_unavailable(directory, TRUE, NULL);
    proxy_flow(proxy);
    expect_recovery(directory);
    proxy_free(proxy);
}

static void test_cut(void)
{
    struct proxy *proxy = proxy_new(slapd_port(slapd, "ldap"));
    g_autoptr(directory) directory = open_with(to_proxy(proxy, LONG_MS));

    expect_found(directory, "bo@x.cn");
    g_assert_cmpuint(proxy_connections(proxy), ==, 1);
    proxy_cut(proxy); /* between two questions */
    expect_found(directory, "ni@x.cn");
    g_assert_cmpuint(proxy_connections(proxy), ==, 2);
    g_autoptr(directory_query) query = directory_query_new(directory);
    guint64 before = asking_searches(directory);
    proxy_stall_after(proxy, 0);
    directory_query_add(query, ASK_ADDRESS, "bo@x.cn");
    directory_query_send(query);
    while (asking_searches(directory) == before)
        g_usleep(1000);
    proxy_cut(proxy); /* while one is on the way: it is asked again */
    proxy_flow(proxy);
    g_assert_true(directory_query_wait(query, g_get_monotonic_time() + IN_TIME_US));
    g_assert_cmpint(directory_query_answer(query, ASK_ADDRESS, "bo@x.cn").state, ==, ANSWER_FOUND);
    g_assert_cmpuint(asking_searches(directory), ==, before + 2);
    proxy_free(proxy);
}

/* ---- TLS */

#define NO_TLS ": no TLS with this server: "

static struct directory *open_tls(const char *url, const char *ca)
{
    struct directory_settings *settings = settings_for(url, "ou=open,dc=x", LONG_MS);

    settings->ca_file = ca != NULL ? slapd_file(slapd, ca) : NULL;
    return open_with(settings);
}

static void test_tls(void)
{
    g_autoptr(directory) right = open_tls(slapd_url(slapd, "ldaps"), "ca.pem");
    g_autoptr(directory) wrong = open_tls(slapd_url(slapd, "ldaps"), "other-ca.pem");
    g_autoptr(directory) system = open_tls(slapd_url(slapd, "ldaps"), NULL);
    g_autoptr(directory) missing = open_tls(slapd_url(slapd, "ldaps"), "no-such.pem");
    /* the right server under a name that its certificate has not */
    g_autofree char *other_name = g_strdup_printf("ldaps://0.0.0.0:%u", slapd_port(slapd, "ldaps"));
    g_autofree char *plain_port = g_strdup_printf("ldaps://127.0.0.1:%u", slapd_port(slapd, "ldap"));
    g_autoptr(directory) no_tls = open_tls(plain_port, "ca.pem");
    g_autoptr(directory) other = open_tls(other_name, "ca.pem");

    expect_found(right, "bo@x.cn");
    expect_unavailable(wrong, TRUE, NO_TLS);
    expect_unavailable(system, TRUE, NO_TLS);
    expect_unavailable(missing, TRUE, "no-such.pem: No such file or directory");
    expect_unavailable(other, TRUE, NO_TLS);
    expect_unavailable(no_tls, TRUE, NO_TLS);
}

/* New certificates count with the next connection. */
static void test_renewed(void)
{
    g_autofree char *path = slapd_file(slapd, "renewed-ca.pem"), *right = slapd_file(slapd, "ca.pem");
    g_autofree char *wrong = slapd_file(slapd, "other-ca.pem"), *right_text = NULL, *wrong_text = NULL;

    g_file_get_contents(right, &right_text, NULL, NULL);
    g_file_get_contents(wrong, &wrong_text, NULL, NULL);
    g_file_set_contents(path, "no certificate\n", -1, NULL);
    g_autoptr(directory) directory = open_tls(slapd_url(slapd, "ldaps"), "renewed-ca.pem");
    expect_unavailable(directory, TRUE, NO_TLS);
    g_file_set_contents(path, wrong_text, -1, NULL);
    expect_unavailable(directory, TRUE, NO_TLS);
    g_file_set_contents(path, right_text, -1, NULL);
    expect_found(directory, "bo@x.cn");
}

static void test_start_tls(void)
{
    g_autofree char *elsewhere = g_strdup_printf(
        "ldap://0.0.0.0:%u", slapd_port(slapd, "ldap")); /* no loopback address by its looks */
    g_autoptr(directory) right = open_tls(slapd_url(slapd, "ldap"), "ca.pem");
    g_autoptr(directory) wrong = open_tls(slapd_url(slapd, "ldap"), "other-ca.pem");
    g_autoptr(directory) plain = open_tls(slapd_url(slapd, "ldap"), NULL);
    g_autoptr(directory) other = open_tls(elsewhere, "ca.pem"); /* it names another host */
    g_autoptr(directory) demanded = open_tls(elsewhere, NULL);

    expect_found(right, "bo@x.cn");
    expect_unavailable(wrong, TRUE, NO_TLS);
    expect_found(plain, "bo@x.cn");
    expect_unavailable(other, TRUE, NO_TLS);
    expect_unavailable(demanded, TRUE, NO_TLS);
}

/* ---- who we are */

static struct directory *open_bound(struct directory_settings *settings)
{
    g_free(settings->base);
    settings->base = g_strdup("dc=x");
    return open_with(settings);
}

static void test_password(void)
{
    static const struct {
        const char *text;
        int mode;
        const char *problem; /* NULL: it is the right one */
    } cases[] = {
        {"admin secret", 0600, NULL},
        {"admin secret\n", 0640, NULL},
        {"admin secret\r\n", 0400, NULL},
        {"admin secret ", 0600, "Invalid credentials"},
        {"\n", 0600, "is empty"},
        {"admin secret\n", 0644, "others may read or write it (chmod 0640 or less)"},
        {"admin secret\n", 0660, "others may read or write it (chmod 0640 or less)"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct directory_settings *settings = settings_for(slapd_url(slapd, "ldap"), NULL, LONG_MS);

        g_test_message("case %u", i);
        with_password(settings, cases[i].text, cases[i].mode);
        g_autoptr(directory) directory = open_bound(settings);
        if (cases[i].problem == NULL)
            expect_found(directory, "an@x.cn");
        else
            expect_unavailable(directory, TRUE, cases[i].problem);
    }
}

static void test_other_binds(void)
{
    struct directory_settings *external = settings_for(slapd_url(slapd, "ldapi"), NULL, LONG_MS);
    struct directory_settings *certificate = settings_for(slapd_url(slapd, "ldaps"), NULL, LONG_MS);
    struct directory_settings *start_tls = settings_for(slapd_url(slapd, "ldap"), NULL, LONG_MS);
    struct directory_settings *readable = settings_for(slapd_url(slapd, "ldaps"), NULL, LONG_MS);
    g_autofree char *path = slapd_file(slapd, "readable.pem");
    g_autofree char *pem = NULL, *client = slapd_file(slapd, "client.pem");

    g_file_get_contents(client, &pem, NULL, NULL);
    g_file_set_contents_full(path, pem, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, NULL);
    external->bind = BIND_EXTERNAL;
    certificate->bind = start_tls->bind = readable->bind = BIND_CERTIFICATE;
    certificate->bind_certificate_file = g_strdup(client);
    start_tls->bind_certificate_file = g_strdup(client);
    readable->bind_certificate_file = g_strdup(path);
    certificate->ca_file = slapd_file(slapd, "ca.pem");
    start_tls->ca_file = slapd_file(slapd, "ca.pem");
    readable->ca_file = slapd_file(slapd, "ca.pem");
    g_autoptr(directory) by_socket = open_bound(external);
    g_autoptr(directory) by_certificate = open_bound(certificate);
    g_autoptr(directory) by_start_tls = open_bound(start_tls);
    g_autoptr(directory) by_readable = open_bound(readable);
    g_autoptr(directory) nobody = open_bound(settings_for(slapd_url(slapd, "ldap"), NULL, LONG_MS));

    expect_found(by_socket, "an@x.cn");
    expect_found(by_certificate, "an@x.cn");
    expect_found(by_start_tls, "an@x.cn");
    expect_unavailable(by_readable, TRUE, "others may read or write it");
    expect_unavailable(nobody, FALSE,
                       "Insufficient access"); /* what may not be seen is not there: no answer, not nobody */
}

static void test_refused_settings(void)
{
    static const struct {
        const char *url, *problem;
        int bind;
    } cases[] = {
        {"http://x", "is no URL of an LDAP server (ldaps://HOST, ldapi://PATH, ldap://HOST)", BIND_NONE},
        {"ldap://a ldap://b", "is no URL of an LDAP server (ldaps://HOST, ldapi://PATH, ldap://HOST)",
         BIND_NONE},
        {"ldap://x/dc=y", "names more than a server; base and filter have statements of their own",
         BIND_NONE},
        {"ldaps://x", "sasl external needs a socket on this host (ldapi:)", BIND_EXTERNAL},
        {"ldapi://%2Fx", "a certificate needs TLS (ldaps: or ldap:)", BIND_CERTIFICATE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct directory_settings *settings = settings_for(cases[i].url, "dc=x", LONG_MS);
        g_autofree char *expected = g_strdup_printf("%s: %s", cases[i].url, cases[i].problem);
        g_autoptr(GError) error = NULL;

        settings->bind = cases[i].bind;
        g_assert_null(directory_open(settings, schemes, &error));
        g_assert_nonnull(error);
        if (error != NULL)
            g_assert_cmpstr(error->message, ==, expected);
    }
    struct directory_settings *settings = settings_for("ldap://127.0.0.1", "dc=x", LONG_MS);
    g_autoptr(GError) error = NULL;
    g_free(settings->person_filter);
    settings->person_filter = g_strdup("(mail=bo)");
    g_assert_null(directory_open(settings, schemes, &error));
    g_assert_cmpstr(error->message, ==, "the filter has no %s where the address belongs");
}

int main(int argc, char **argv)
{
    int failed;

    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    schemes = support_schemes();
    slapd = slapd_new(TREE, ACCESS);
    slapd_start(slapd);
    g_test_add_func("/person/ldap/failure/stopped", test_stopped);
    g_test_add_func("/person/ldap/failure/next-server", test_next_server);
    g_test_add_func("/person/ldap/failure/frozen-plain", test_frozen_plain);
    g_test_add_func("/person/ldap/failure/frozen-bind", test_frozen_bind);
    g_test_add_func("/person/ldap/failure/frozen-tls", test_frozen_tls);
    g_test_add_func("/person/ldap/failure/frozen-next-server", test_frozen_next_server);
    g_test_add_func("/person/ldap/failure/closed-while-frozen", test_closed_while_frozen);
    g_test_add_func("/person/ldap/failure/slow", test_slow);
    g_test_add_func("/person/ldap/failure/stalled", test_stalled);
    g_test_add_func("/person/ldap/failure/cut", test_cut);
    g_test_add_func("/person/ldap/failure/tls", test_tls);
    g_test_add_func("/person/ldap/failure/renewed", test_renewed);
    g_test_add_func("/person/ldap/failure/start-tls", test_start_tls);
    g_test_add_func("/person/ldap/failure/password", test_password);
    g_test_add_func("/person/ldap/failure/other-binds", test_other_binds);
    g_test_add_func("/person/ldap/failure/refused-settings", test_refused_settings);
    failed = g_test_run();
    slapd_free(slapd);
    schemes_unref(schemes);
    return failed;
}
