/* The listener for released mail: what `miji doctor` says of it, of the roles, and of a silent port. */
#include "milter/cli/doctor.h"

#include <gio/gio.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define MAIN                                                                                       \
    "smtpd_milters = unix:/run/miji/milter.sock\nnon_smtpd_milters = unix:/run/miji/milter.sock\n" \
    "milter_default_action = tempfail\nqueue_directory = /var/spool/postfix\ninet_interfaces = all\n"
#define SMTP "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n"
#define RELEASE "127.0.0.1:10026 inet n - n - - smtpd\n"
#define AT "127.0.0.1:10026/inet/"
#define MILTERS AT "smtpd_milters = unix:/run/miji/release.sock\n"

struct bench {
    struct conf *conf;
    struct snapshot snapshot;
};

static void bench_init(struct bench *bench, const char *through)
{
    memset(bench, 0, sizeof *bench);
    bench->conf = conf_new();
    conf_take_listener(bench->conf, listener_new("unix:/run/miji/release.sock", ROLE_RELEASE));
    bench->conf->release_through = g_strdup(through);
    bench->snapshot.conf = bench->conf;
    bench->snapshot.policy = policy_new();
    bench->snapshot.zones = zones_new();
}

static void bench_clear(struct bench *bench)
{
    conf_free(bench->conf);
    policy_free(bench->snapshot.policy);
    zones_free(bench->snapshot.zones);
}

/* Whether something failed, and the ids of all findings but good ones, in order. */
static char *ids_of(const struct examination *e)
{
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < e->findings->len; i++) {
        const struct doctor_finding *finding = g_ptr_array_index(e->findings, i);
        if (finding->level > DOCTOR_GOOD)
            g_string_append_printf(ids, "%s%s", ids->len ? " " : "", finding->id);
    }
    return g_string_free(ids, FALSE);
}

static void expect(const char *main, const char *services, const char *overrides, const char *ids)
{
    struct bench bench;
    bench_init(&bench, "inet:10026@127.0.0.1");
    g_autoptr(postfix) postfix = postfix_parse(main, services, overrides);
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, FALSE);
    examine_release(e);
    g_autofree char *got = ids_of(e);
    g_assert_cmpstr(got, ==, ids);
    g_assert_cmpint(examination_failed(e), ==, *ids != '\0');
    bench_clear(&bench);
}

static void test_good(void)
{
    static const char chrooted[] = SMTP "127.0.0.1:10026 inet n - y - - smtpd\n";
    expect(MAIN, SMTP RELEASE, MILTERS, "");
    expect(
        MAIN, SMTP RELEASE,
        AT
        "smtpd_milters = { unix:/run/miji/release.sock, default_action=tempfail } unix:/run/opendkim.sock\n",
        "");
    expect(MAIN, SMTP "[::1]:10026 inet n - n - - smtpd\n",
           "[::1]:10026/inet/smtpd_milters = unix:/run/miji/release.sock\n", "");
    expect("inet_interfaces = loopback-only\nmilter_default_action = tempfail\n",
           SMTP "10026 inet n - n - - smtpd\n", "10026/inet/smtpd_milters = unix:/run/miji/release.sock\n",
           "");
    /* in a chroot the same path is another file */
    expect(MAIN, chrooted, MILTERS, "release-milters");
}

static void test_listener(void)
{
    expect(MAIN, SMTP, "", "release-listener");
    expect(MAIN, SMTP "127.0.0.1:10026 unix n - n - - smtpd\n", "", "release-listener");
    expect(MAIN, SMTP "127.0.0.1:10026 inet n - n - - qmqpd\n", MILTERS, "release-listener");
    expect(MAIN, SMTP "10026 inet n - n - - smtpd\n",
           "10026/inet/smtpd_milters = unix:/run/miji/release.sock\n", "release-listener");
    expect(MAIN, SMTP "10.0.0.1:10026 inet n - n - - smtpd\n",
           "10.0.0.1:10026/inet/smtpd_milters = unix:/run/miji/release.sock\n", "release-listener");
    expect("inet_interfaces = localhost, 10.0.0.1\nmilter_default_action = tempfail\n",
           SMTP "10026 inet n - n - - smtpd\n", "10026/inet/smtpd_milters = unix:/run/miji/release.sock\n",
           "release-listener");
}

static void test_milters(void)
{
    expect(MAIN, SMTP RELEASE, "", "release-milters"); /* those of main.cf: mail would be decided again */
    expect(MAIN, SMTP RELEASE, AT "smtpd_milters =\n", "release-milters");
    expect(MAIN, SMTP RELEASE, AT "smtpd_milters = unix:/run/opendkim.sock unix:/run/miji/release.sock\n",
           "release-milters");
    expect(MAIN, SMTP RELEASE, AT "smtpd_milters = unix:/run/miji/release.sock unix:/run/virus.sock\n",
           "release-milters");
    expect(MAIN, SMTP RELEASE, MILTERS AT "milter_default_action = accept\n", "default-action");
    expect(MAIN, SMTP RELEASE, AT "smtpd_milters = { unix:/run/miji/release.sock, default_action=accept }\n",
           "default-action");
}

static void test_filter(void)
{
    expect(MAIN "content_filter = smtp:[127.0.0.1]:10025\n", SMTP RELEASE, MILTERS, "release-filter");
    expect(MAIN "content_filter = smtp:[127.0.0.1]:10025\n", SMTP RELEASE, MILTERS AT "content_filter =\n",
           "");
    expect(MAIN, SMTP RELEASE, MILTERS AT "smtpd_proxy_filter = 127.0.0.1:10025\n", "release-filter");
}

/* The list of the listener is no way around Miji; that of any other service without Miji is one. */
static void test_among_services(void)
{
    struct bench bench;
    bench_init(&bench, "inet:10026@127.0.0.1");
    g_autoptr(postfix) postfix =
        postfix_parse(MAIN, SMTP RELEASE "127.0.0.1:10027 inet n - n - - smtpd\n",
                      MILTERS "127.0.0.1:10027/inet/smtpd_milters = unix:/run/miji/release.sock\n");
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, FALSE);
    examine_milters(e);
    g_autofree char *got = ids_of(e);
    g_assert_cmpstr(got, ==, "service-milters");
    bench_clear(&bench);
}

static void test_nothing_to_release(void)
{
    struct bench bench;
    bench_init(&bench, NULL);
    g_autoptr(postfix) postfix = postfix_parse(MAIN, SMTP, "");
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, TRUE);
    examine_release(e);
    g_assert_cmpuint(e->findings->len, ==, 0);
    bench_clear(&bench);
}

/* Greets one client with a line, or only closes. */
struct greeter {
    GSocket *socket;
    const char *line;
};

static void *greet(void *data)
{
    struct greeter *greeter = data;
    GSocket *client = g_socket_accept(greeter->socket, NULL, NULL);
    if (client && *greeter->line)
        g_socket_send(client, greeter->line, strlen(greeter->line), NULL, NULL);
    g_clear_object(&client);
    return NULL;
}

static char *asked(const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
    struct greeter greeter = {
        .socket = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error),
        .line = line ? line : ""};
    g_assert_no_error(error);
    g_assert_true(g_socket_bind(greeter.socket, any, TRUE, &error));
    g_autoptr(GSocketAddress) bound = g_socket_get_local_address(greeter.socket, &error);
    guint16 port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    pthread_t thread;
    if (line) {
        g_assert_true(g_socket_listen(greeter.socket, &error));
        g_assert_cmpint(pthread_create(&thread, NULL, greet, &greeter), ==, 0);
    }
    g_autofree char *through = g_strdup_printf("inet:%u@127.0.0.1", port);
    g_autofree char *services = g_strdup_printf("127.0.0.1:%u inet n - n - - smtpd\n", port);
    g_autofree char *overrides =
        g_strdup_printf("127.0.0.1:%u/inet/smtpd_milters = unix:/run/miji/release.sock\n", port);
    struct bench bench;
    bench_init(&bench, through);
    g_autoptr(postfix) postfix = postfix_parse(MAIN, services, overrides);
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, TRUE);
    examine_release(e);
    if (line)
        pthread_join(thread, NULL);
    g_object_unref(greeter.socket);
    bench_clear(&bench);
    return ids_of(e);
}

static void test_answer(void)
{
    g_autofree char *good = asked("220 mail.agency.gov.cn ESMTP Postfix\r\n");
    g_autofree char *busy = asked("421 4.3.2 All server ports are busy\r\n");
    g_autofree char *closes = asked("");
    g_autofree char *nobody = asked(NULL);
    g_assert_cmpstr(good, ==, "");
    g_assert_cmpstr(busy, ==, "release-answer");
    g_assert_cmpstr(closes, ==, "release-answer");
    g_assert_cmpstr(nobody, ==, "release-answer");
}

static void test_roles(void)
{
    struct bench bench;
    bench_init(&bench, NULL);
    g_autoptr(postfix) postfix = postfix_parse(MAIN, SMTP, "");
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, FALSE);
    GPtrArray **roles = bench.conf->roles;
    g_ptr_array_add(roles[ROLE_ADMINISTRATOR], who_new(WHO_ADDRESS, "a@agency.gov.cn"));
    g_ptr_array_add(roles[ROLE_ADMINISTRATOR], who_new(WHO_MEMBERS, "cn=officers,dc=agency"));
    g_ptr_array_add(roles[ROLE_OFFICER], who_new(WHO_ADDRESS, "o@agency.gov.cn"));
    g_ptr_array_add(roles[ROLE_AUDITOR], who_new(WHO_MEMBERS, "o@agency.gov.cn")); /* a group of that name */
    examine_roles(e);
    g_assert_cmpuint(e->findings->len, ==, 0);
    g_ptr_array_add(roles[ROLE_OFFICER], who_new(WHO_MEMBERS, "CN=Officers,dc=agency"));
    g_ptr_array_add(roles[ROLE_AUDITOR], who_new(WHO_ADDRESS, "o@agency.gov.cn"));
    g_ptr_array_add(roles[ROLE_AUDITOR], who_new(WHO_ADDRESS, "a@agency.gov.cn"));
    examine_roles(e);
    g_autofree char *ids = ids_of(e);
    g_assert_cmpstr(ids, ==, "roles roles roles");
    g_autofree char *text = examination_render(e, FALSE, LANGUAGE_EN);
    g_assert_nonnull(strstr(text, "o@agency.gov.cn is officer and auditor"));
    bench_clear(&bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/doctor/release/good", test_good);
    g_test_add_func("/doctor/release/listener", test_listener);
    g_test_add_func("/doctor/release/milters", test_milters);
    g_test_add_func("/doctor/release/filter", test_filter);
    g_test_add_func("/doctor/release/among-services", test_among_services);
    g_test_add_func("/doctor/release/nothing", test_nothing_to_release);
    g_test_add_func("/doctor/release/answer", test_answer);
    g_test_add_func("/doctor/roles", test_roles);
    return g_test_run();
}
