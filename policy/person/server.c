#include "policy/person/server.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "policy/person/address.h"
#include "policy/person/ldap_tls.h"
#include "policy/person/limits.h"
#include "policy/person/password.h"

#define KEEPALIVE_IDLE_SECONDS 60
#define KEEPALIVE_INTERVAL_SECONDS 10
#define KEEPALIVE_PROBES 3
/* One read or write of a server that stopped in the middle of a message; libldap goes on with it later. */
#define SOCKET_STALL_MS 250

static const char EXTERNAL[] = "EXTERNAL";

static gboolean fail(const char *url, const char *problem, GError **error)
{
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_SERVER, "%s: %s", url, problem);
    return FALSE;
}

char *server_problem(LDAP *server, int result)
{
    char *words = NULL;
    g_autofree char *text = NULL;

    ldap_get_option(server, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
    if (words != NULL && words[0] != '\0') {
        g_autofree char *shown = address_printable(words); /* the server's: for logs and terminals */
        text = g_strdup_printf("%s (%s)", ldap_err2string(result), shown);
    } else
        text = g_strdup(ldap_err2string(result));
    ldap_memfree(words);
    return g_steal_pointer(&text);
}

static gboolean failed(LDAP *server, const char *url, int result, GError **error)
{
    g_autofree char *problem = server_problem(server, result);

    return fail(url, problem, error);
}

/* Did a socket reach the server that this thread is opening? libldap gives TLS problems the words of a server
 * that is not there. */
static __thread gboolean reached;

/* The result of a step in which TLS may have begun. */
static gboolean failed_with_tls(LDAP *server, const struct directory_settings *settings, const char *url,
                                int result, GError **error)
{
    if (!reached || (result != LDAP_SERVER_DOWN && result != LDAP_CONNECT_ERROR))
        return failed(server, url, result, error);
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_SERVER,
                "%s: no TLS with this server: its certificate is not signed by %s, is out of date or names "
                "another host, or it "
                "does not take ours",
                url, ldap_tls_ca_file(settings));
    return FALSE;
}

/* ---- URLs */

static gboolean is_loopback(const char *host)
{
    return g_ascii_strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           g_str_has_prefix(host, "127.");
}

static gboolean wants_start_tls(const struct directory_settings *settings, const LDAPURLDesc *parts)
{
    if (g_ascii_strcasecmp(parts->lud_scheme, "ldap") != 0)
        return FALSE;
    return !is_loopback(parts->lud_host != NULL ? parts->lud_host : "localhost") ||
           settings->ca_file != NULL || settings->bind == BIND_CERTIFICATE;
}

static gboolean uses_tls(const struct directory_settings *settings, const LDAPURLDesc *parts)
{
    return g_ascii_strcasecmp(parts->lud_scheme, "ldaps") == 0 || wants_start_tls(settings, parts);
}

static gboolean check_url(const struct directory_settings *settings, const char *url, GError **error)
{
    LDAPURLDesc *parts = NULL;
    gboolean good;

    if (ldap_url_parse(url, &parts) != LDAP_URL_SUCCESS)
        return fail(url, "is no URL of an LDAP server (ldaps://HOST, ldapi://PATH, ldap://HOST)", error);
    good = parts->lud_next == NULL || fail(url, "is more than one URL", error);
    if (good && ((parts->lud_dn != NULL && parts->lud_dn[0] != '\0') || parts->lud_attrs != NULL ||
                 parts->lud_filter != NULL || parts->lud_exts != NULL))
        good = fail(url, "names more than a server; base and filter have statements of their own", error);
    if (good && settings->bind == BIND_CERTIFICATE && !uses_tls(settings, parts))
        good = fail(url, "a certificate needs TLS (ldaps: or ldap:)", error);
    if (good && settings->bind == BIND_EXTERNAL && g_ascii_strcasecmp(parts->lud_scheme, "ldapi") != 0)
        good = fail(url, "sasl external needs a socket on this host (ldapi:)", error);
    ldap_free_urldesc(parts);
    return good;
}

gboolean server_check(const struct directory_settings *settings, GError **error)
{
    if (settings->urls->len == 0) {
        g_set_error_literal(error, DIRECTORY_ERROR, DIRECTORY_ERROR_SETTING, "the directory has no server");
        return FALSE;
    }
    for (guint i = 0; i < settings->urls->len; i++)
        if (!check_url(settings, g_ptr_array_index(settings->urls, i), error))
            return FALSE;
    return TRUE;
}

/* ---- options */

static struct timeval interval(gint64 ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* Called by libldap for each new socket. */
static int on_connect(LDAP *server, Sockbuf *socket, LDAPURLDesc *url, struct sockaddr *address,
                      struct ldap_conncb *callback)
{
    struct timeval stall = interval(SOCKET_STALL_MS);
    ber_len_t limit = LDAP_MAX_ANSWER_BYTES;
    ber_socket_t fd = -1;

    reached = TRUE;
    ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &limit);
    if (ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &fd) == 1) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return LDAP_SUCCESS;
}

static void on_disconnect(LDAP *server, Sockbuf *socket, struct ldap_conncb *callback)
{
}

/* What ldap.conf and the environment may have set is set again, so that they decide nothing. */
static gboolean set_options(LDAP *server, const struct directory_settings *settings)
{
    static struct ldap_conncb callbacks = {on_connect, on_disconnect, NULL};
    int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER, none = LDAP_NO_LIMIT;
    int idle = KEEPALIVE_IDLE_SECONDS, between = KEEPALIVE_INTERVAL_SECONDS, probes = KEEPALIVE_PROBES;
    unsigned int stuck_ms = (unsigned int)settings->answer_within_ms;
    struct timeval within = interval(MIN(settings->connect_within_ms, settings->answer_within_ms));

    return ldap_set_option(server, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_NETWORK_TIMEOUT, &within) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_TIMEOUT, &within) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_DEREF, &deref) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_SIZELIMIT, &none) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_TIMELIMIT, &none) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_RESTART, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_X_KEEPALIVE_IDLE, &idle) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_X_KEEPALIVE_INTERVAL, &between) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_X_KEEPALIVE_PROBES, &probes) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_TCP_USER_TIMEOUT, &stuck_ms) == LDAP_OPT_SUCCESS &&
           ldap_set_option(server, LDAP_OPT_CONNECT_CB, &callbacks) == LDAP_OPT_SUCCESS;
}

/* ---- opening */

static gboolean bind_simple(LDAP *server, const struct directory_settings *settings, const char *url,
                            GError **error)
{
    char *password = password_read(settings->bind_password_file, error);
    struct berval secret;
    int result;

    if (password == NULL)
        return FALSE;
    secret = (struct berval){.bv_len = strlen(password), .bv_val = password};
    result = ldap_sasl_bind_s(server, settings->bind_dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
    password_free(password);
    return result == LDAP_SUCCESS || failed(server, url, result, error);
}

static gboolean bind_external(LDAP *server, const char *url, GError **error)
{
    struct berval nobody_else = {.bv_len = 0, .bv_val = (char *)""};
    int result = ldap_sasl_bind_s(server, NULL, EXTERNAL, &nobody_else, NULL, NULL, NULL);

    return result == LDAP_SUCCESS || failed(server, url, result, error);
}

static gboolean bind_as(LDAP *server, const struct directory_settings *settings, const char *url,
                        GError **error)
{
    switch (settings->bind) {
    case BIND_NONE:
        return TRUE;
    case BIND_SIMPLE:
        return bind_simple(server, settings, url, error);
    case BIND_EXTERNAL:
    case BIND_CERTIFICATE:
        return bind_external(server, url, error);
    }
    return FALSE;
}

static gboolean secure_and_bind(LDAP *server, const struct directory_settings *settings, const char *url,
                                GError **error)
{
    LDAPURLDesc *parts = NULL;
    gboolean tls, start_tls;
    int result;

    if (ldap_url_parse(url, &parts) != LDAP_URL_SUCCESS)
        return fail(url, "is no URL of an LDAP server", error);
    tls = uses_tls(settings, parts);
    start_tls = wants_start_tls(settings, parts);
    ldap_free_urldesc(parts);
    if (!set_options(server, settings))
        return fail(url, "libldap refuses an option", error);
    if (tls && !ldap_tls_set(server, settings, error))
        return FALSE;
    reached = FALSE;
    result = start_tls ? ldap_start_tls_s(server, NULL, NULL) : ldap_connect(server);
    if (result != LDAP_SUCCESS)
        return tls ? failed_with_tls(server, settings, url, result, error)
                   : failed(server, url, result, error);
    return bind_as(server, settings, url, error);
}

LDAP *server_open(const struct directory_settings *settings, const char *url, GError **error)
{
    LDAP *server = NULL;
    int result = ldap_initialize(&server, url);

    if (result != LDAP_SUCCESS) {
        fail(url, ldap_err2string(result), error);
        return NULL;
    }
    if (secure_and_bind(server, settings, url, error))
        return server;
    server_close(server);
    return NULL;
}

void server_close(LDAP *server)
{
    if (server != NULL)
        ldap_unbind_ext(server, NULL, NULL);
}
