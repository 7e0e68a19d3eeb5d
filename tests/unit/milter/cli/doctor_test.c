#include "milter/cli/doctor.h"

#include <string.h>

/* A Postfix in order, from which each test takes one thing away. */
static const char GOOD_MAIN[] = "mail_version = 3.7.11\n"
                                "smtpd_milters = unix:/run/miji/milter.sock, unix:/run/opendkim.sock\n"
                                "non_smtpd_milters = unix:/run/miji/local.sock\n"
                                "milter_default_action = tempfail\n"
                                "milter_protocol = 6\n"
                                "milter_content_timeout = 300s\n"
                                "milter_command_timeout = 30s\n"
                                "smtpd_forbid_bare_newline = normalize\n"
                                "queue_directory = /var/spool/postfix\n"
                                "mydestination = localhost, agency.gov.cn\n"
                                "message_size_limit = 10240000\n"
                                "recipient_delimiter =\n";
static const char GOOD_SERVICES[] = "smtp       inet  n       -       n       -       -       smtpd\n"
                                    "cleanup    unix  n       -       n       -       0       cleanup\n";

struct bench {
    struct snapshot snapshot;
    struct conf conf;
};

static struct listener *listener(const char *address, enum socket_role role)
{
    struct listener *made = g_new0(struct listener, 1);
    made->address = g_strdup(address);
    made->role = role;
    return made;
}

static void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->conf.listeners = g_ptr_array_new_with_free_func((GDestroyNotify)listener_free);
    g_ptr_array_add(bench->conf.listeners, listener("unix:/run/miji/milter.sock", ROLE_SMTP));
    g_ptr_array_add(bench->conf.listeners, listener("unix:/run/miji/local.sock", ROLE_LOCAL));
    bench->conf.message_size_bytes = 50 * 1024 * 1024;
    bench->snapshot.conf = &bench->conf;
    bench->snapshot.policy = policy_new();
    bench->snapshot.zones = zones_new();
    struct zone *office = g_new0(struct zone, 1);
    office->name = g_strdup("office");
    office->inside = TRUE;
    office->recipients = g_ptr_array_new_with_free_func(g_free);
    office->limits = g_ptr_array_new();
    g_ptr_array_add(office->recipients, g_strdup("agency.gov.cn"));
    g_ptr_array_add(bench->snapshot.zones->list, office);
    for (guint i = 0; i < ROLE_COUNT; i++)
        bench->conf.roles[i] = g_ptr_array_new_with_free_func((GDestroyNotify)who_free);
}

static void bench_clear(struct bench *bench)
{
    g_ptr_array_unref(bench->conf.listeners);
    g_free(bench->conf.release_through);
    for (guint i = 0; i < ROLE_COUNT; i++)
        g_ptr_array_unref(bench->conf.roles[i]);
    policy_free(bench->snapshot.policy);
    zones_free(bench->snapshot.zones);
}

/* The ids of everything worse than a note, in order, joined by blanks. */
static char *complaints(const char *main, const char *services, const char *overrides)
{
    struct bench bench;
    bench_init(&bench);
    g_autoptr(postfix) postfix = postfix_parse(main, services, overrides);
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, FALSE);
    examination_run(e);
    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < e->findings->len; i++) {
        const struct doctor_finding *finding = g_ptr_array_index(e->findings, i);
        if (finding->level >= DOCTOR_WARNING)
            g_string_append_printf(ids, "%s%s", ids->len ? " " : "", finding->id);
    }
    g_assert_cmpint(examination_failed(e), ==,
                    strstr(ids->str, "milter-maps") == NULL && ids->len > 0 &&
                        strcmp(ids->str, "domains") != 0 && strcmp(ids->str, "delimiter") != 0 &&
                        strcmp(ids->str, "milter-order") != 0);
    bench_clear(&bench);
    return g_string_free(ids, FALSE);
}

/* The good main.cf with one line replaced, or a new one. */
static char *with(const char *line)
{
    g_autofree char *name = g_strndup(line, strcspn(line, " "));
    g_auto(GStrv) lines = g_strsplit(GOOD_MAIN, "\n", -1);
    GString *out = g_string_new(NULL);
    for (char **each = lines; *each; each++)
        if (!(g_str_has_prefix(*each, name) && (*each)[strlen(name)] == ' '))
            g_string_append_printf(out, "%s\n", *each);
    g_string_append_printf(out, "%s\n", line);
    return g_string_free(out, FALSE);
}

static void expect(const char *line, const char *ids)
{
    g_autofree char *main = with(line);
    g_autofree char *got = complaints(main, GOOD_SERVICES, "");
    g_assert_cmpstr(got, ==, ids);
}

static void test_good(void)
{
    g_autofree char *got = complaints(GOOD_MAIN, GOOD_SERVICES, "");
    g_assert_cmpstr(got, ==, "");
}

static void test_main_cf(void)
{
    expect("mail_version = 3.2.0", "version");
    expect("smtpd_milters = unix:/run/opendkim.sock", "smtpd_milters");
    expect("smtpd_milters =", "smtpd_milters");
    expect("non_smtpd_milters =", "non_smtpd_milters");
    expect("smtpd_milters = { unix:/run/miji/milter.sock, default_action=accept }", "default-action");
    expect("smtpd_milters = unix:/run/miji/milter.sock unix:/run/virus.sock", "milter-order");
    expect("milter_protocol = 2", "protocol");
    expect("milter_content_timeout = 30s", "timeouts");
    expect("milter_content_timeout = 5m", "");
    expect("milter_command_timeout = 2s", "timeouts");
    expect("smtpd_forbid_bare_newline = no", "bare-newline");
    expect("always_bcc = archive@agency.gov.cn", "bcc");
    expect("recipient_bcc_maps = hash:/etc/postfix/bcc", "bcc"); /* semantics.md case 78 */
    expect("sender_bcc_maps = hash:/etc/postfix/bcc", "bcc");
    expect("mydestination = other.example", "domains");
    expect("recipient_delimiter = +", "delimiter");
    expect("receive_override_options = no_milters", "no-milters");
    expect("smtpd_milter_maps = cidr:/etc/postfix/maps", "milter-maps");
}

static void test_signer_before(void)
{
    g_autofree char *main = with("smtpd_milters = unix:/run/opendkim.sock unix:/run/miji/milter.sock");
    struct bench bench;
    bench_init(&bench);
    g_autoptr(postfix) postfix = postfix_parse(main, GOOD_SERVICES, "");
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, FALSE);
    examine_milters(e);
    g_assert_true(examination_failed(e));
    bench_clear(&bench);
}

static void test_default_action_of_all(void)
{
    g_autofree char *main = with("milter_default_action = accept");
    g_autofree char *got = complaints(main, GOOD_SERVICES, "");
    g_assert_cmpstr(got, ==, "default-action default-action");
}

static void test_chroot(void)
{
    static const char chrooted[] = "smtp inet n - y - - smtpd\ncleanup unix n - n - 0 cleanup\n";
    g_autofree char *got = complaints(GOOD_MAIN, chrooted, "");
    g_assert_cmpstr(got, ==, "smtpd_milters");
}

static void test_services(void)
{
    static const char services[] =
        "smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n";
    g_autofree char *own = complaints(GOOD_MAIN, services, "submission/inet/smtpd_milters = \n");
    g_assert_cmpstr(own, ==, "service-milters");
    g_autofree char *off =
        complaints(GOOD_MAIN, services, "submission/inet/receive_override_options = no_milters\n");
    g_assert_cmpstr(off, ==, "no-milters");
}

/* No line of the text is wider than a terminal, in either language. */
static void test_width(void)
{
    struct bench bench;
    bench_init(&bench);
    g_autoptr(postfix) postfix = postfix_parse("mail_version = 2.9\n", "", "");
    g_autoptr(examination) e = examination_new(&bench.snapshot, postfix, FALSE);
    examination_run(e);
    for (int language = LANGUAGE_EN; language <= LANGUAGE_ZH; language++) {
        g_autofree char *text = examination_render(e, FALSE, (enum language)language);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
            guint cells = 0;
            for (const char *p = *line; *p; p = g_utf8_next_char(p))
                cells += g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1;
            g_assert_cmpuint(cells, <=, 80);
        }
    }
    bench_clear(&bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/doctor/good", test_good);
    g_test_add_func("/doctor/main.cf", test_main_cf);
    g_test_add_func("/doctor/signer", test_signer_before);
    g_test_add_func("/doctor/default-action", test_default_action_of_all);
    g_test_add_func("/doctor/chroot", test_chroot);
    g_test_add_func("/doctor/services", test_services);
    g_test_add_func("/doctor/width", test_width);
    return g_test_run();
}
