#include "policy/zone/session.h"

static void test_tls_version(void)
{
    static const struct {
        const char *text;
        guint version;
    } rows[] = {
        {NULL, 0},       {"", 0},      {"TLSv1", 10},   {"TLSv1.1", 11}, {"TLSv1.2", 12},
        {"TLSv1.3", 13}, {"SSLv3", 9}, {"TLSv1.30", 9}, {"tlsv1.3", 9},  {"unknown", 9},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(session_tls_version(rows[i].text), ==, rows[i].version);
}

static struct session full_session(void)
{
    return (struct session){.role = ROLE_LOCAL,
                            .client = ip_parse("10.1.2.3"),
                            .client_name = g_strdup("pc7.agency.gov.cn"),
                            .helo = g_strdup("pc7"),
                            .login = g_strdup("bo"),
                            .auth_type = g_strdup("PLAIN"),
                            .tls = 13,
                            .cipher = g_strdup("TLS_AES_256_GCM_SHA384"),
                            .cert_subject = g_strdup("bo"),
                            .cert_issuer = g_strdup("Agency CA")};
}

static void test_clear_tls(void)
{
    struct session session = full_session();

    session_clear_tls(&session);
    g_assert_cmpuint(session.tls, ==, 0);
    g_assert_null(session.cipher);
    g_assert_null(session.cert_subject);
    g_assert_null(session.cert_issuer);
    g_assert_cmpstr(session.login, ==, "bo");
    g_assert_true(session.client.known);
    session_clear(&session);
}

static void test_clear(void)
{
    struct session session = full_session();

    session_clear(&session);
    g_assert_cmpint(session.role, ==, ROLE_SMTP);
    g_assert_false(session.client.known);
    g_assert_null(session.client_name);
    g_assert_null(session.helo);
    g_assert_null(session.login);
    g_assert_null(session.auth_type);
    g_assert_cmpuint(session.tls, ==, 0);
    g_assert_null(session.cert_subject);
    session_clear(&session); /* a second CONNECT, by XCLIENT */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/zone/session/tls-version", test_tls_version);
    g_test_add_func("/zone/session/clear-tls", test_clear_tls);
    g_test_add_func("/zone/session/clear", test_clear);
    return g_test_run();
}
