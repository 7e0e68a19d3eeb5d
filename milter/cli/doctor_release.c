/* The listener of Postfix through which released mail and notices leave (semantics.md 12.4), and the roles.
 */
#include "milter/cli/doctor.h"

#include <gio/gio.h>
#include <string.h>

#define ANSWER_SECONDS 5

static struct message nothing(void)
{
    return message_make(MSG_NONE, NULL);
}

/* "inet:10026@127.0.0.1" taken apart; new strings. */
static void take_apart(const char *address, char **host, char **port)
{
    const char *rest = address + strlen("inet:");
    const char *at = strchr(rest, '@');
    *host = g_strdup(at + 1);
    *port = g_strndup(rest, (gsize)(at - rest));
}

/* The port in the name of a service: "10026", "127.0.0.1:10026", "[::1]:10026". */
static const char *port_of(const struct postfix_service *service)
{
    const char *colon = strrchr(service->name, ':');
    return colon ? colon + 1 : service->name;
}

const struct postfix_service *release_service(const struct examination *e)
{
    g_autofree char *host = NULL, *port = NULL;
    if (!e->snapshot->conf->release_through)
        return NULL;
    take_apart(e->snapshot->conf->release_through, &host, &port);
    for (guint i = 0; i < e->postfix->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(e->postfix->services, i);
        if (strcmp(service->type, "inet") == 0 && strcmp(port_of(service), port) == 0)
            return service;
    }
    return NULL;
}

/* A name without a host listens wherever Postfix does. */
static gboolean is_closed(const struct examination *e, const struct postfix_service *service)
{
    const char *colon = strrchr(service->name, ':');
    if (colon) {
        g_autofree char *host = g_strndup(service->name, (gsize)(colon - service->name));
        if (*host == '[' && g_str_has_suffix(host, "]"))
            host[strlen(host) - 1] = '\0';
        return host_is_loopback(*host == '[' ? host + 1 : host);
    }
    const char *value = postfix_setting(e->postfix, "inet_interfaces");
    g_auto(GStrv) interfaces = postfix_list(value);
    gboolean closed = *interfaces != NULL;
    for (char **each = interfaces; *each; each++)
        closed = closed && (strcmp(*each, "loopback-only") == 0 || host_is_loopback(*each));
    return closed;
}

static void examine_listener(struct examination *e, const struct postfix_service *service)
{
    if (strcmp(service->program, "smtpd") != 0 || !is_closed(e, service))
        examination_find(e, DOCTOR_FAIL, "release-listener",
                         message_make(MSG_DOC_RELEASE_OPEN, service->name, service->program, NULL),
                         message_make(MSG_DOC_RELEASE_OPEN_HELP, port_of(service), NULL));
    else
        examination_find(e, DOCTOR_GOOD, "release-listener",
                         message_make(MSG_DOC_RELEASE_LISTENER, service->name, NULL), nothing());
}

/* Miji's release socket first, then nobody who changes anything: what is released was checked as it is, and
 * the token must be gone before anybody else sees the mail. */
static void examine_list(struct examination *e, const struct postfix_service *service)
{
    const char *value = postfix_service_setting(e->postfix, service, "smtpd_milters");
    const struct listener *listener = conf_listener(e->snapshot->conf, ROLE_RELEASE);
    const char *address = listener ? listener->address : "unix:/run/miji/release.sock";
    g_auto(GStrv) list = postfix_list(value);
    if (milter_position(e, list, service->chroot, ROLE_RELEASE) != 0) {
        examination_find(e, DOCTOR_FAIL, "release-milters",
                         message_make(MSG_DOC_RELEASE_MILTERS, service->name, *value ? value : "-", NULL),
                         message_make(MSG_DOC_RELEASE_MILTERS_HELP, service->name, address, NULL));
        return;
    }
    gboolean alone = TRUE;
    for (guint i = 1; list[i]; i++) {
        if (milter_is_signer(list[i]))
            continue;
        alone = FALSE;
        examination_find(e, DOCTOR_FAIL, "release-milters",
                         message_make(MSG_DOC_RELEASE_OTHER, service->name, list[i], NULL),
                         message_make(MSG_DOC_RELEASE_OTHER_HELP, NULL));
    }
    if (alone)
        examination_find(e, DOCTOR_GOOD, "release-milters",
                         message_make(MSG_DOC_RELEASE_IN_LIST, service->name, address, NULL), nothing());
    examine_default_action(e, service, list[0]);
}

/* A filter behind the listener would see, hold or send once more what was decided. */
static void examine_filter(struct examination *e, const struct postfix_service *service)
{
    static const char *const settings[] = {"content_filter", "smtpd_proxy_filter"};
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        const char *value = postfix_service_setting(e->postfix, service, settings[i]);
        if (*value)
            examination_find(e, DOCTOR_FAIL, "release-filter",
                             message_make(MSG_DOC_RELEASE_FILTER, service->name, settings[i], value, NULL),
                             message_make(MSG_DOC_RELEASE_FILTER_HELP, settings[i], NULL));
    }
}

/* The first line that the listener says; NULL and error when it says nothing. New. */
static char *greeting_of(const char *host, guint16 port, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, ANSWER_SECONDS);
    g_socket_client_set_enable_proxy(client, FALSE);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, host, port, NULL, error);
    if (!connection)
        return NULL;
    g_autoptr(GDataInputStream) in =
        g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    char *line = g_data_input_stream_read_line_utf8(in, NULL, NULL, error);
    return line || (error && *error) ? line : g_strdup("");
}

static void examine_answer(struct examination *e)
{
    const char *through = e->snapshot->conf->release_through;
    g_autofree char *host = NULL, *port = NULL;
    g_autoptr(GError) error = NULL;
    take_apart(through, &host, &port);
    g_autofree char *line = greeting_of(host, (guint16)g_ascii_strtoull(port, NULL, 10), &error);
    if (line && g_str_has_prefix(line, "220"))
        examination_find(e, DOCTOR_GOOD, "release-answer",
                         message_make(MSG_DOC_RELEASE_ANSWERS, through, NULL), nothing());
    else
        examination_find(e, DOCTOR_FAIL, "release-answer",
                         message_make(MSG_DOC_RELEASE_SILENT, through, error ? error->message : line, NULL),
                         message_make(MSG_DOC_RELEASE_SILENT_HELP, NULL));
}

void examine_release(struct examination *e)
{
    const struct postfix_service *service = release_service(e);
    g_autofree char *host = NULL, *port = NULL;
    if (!e->snapshot->conf->release_through)
        return;
    take_apart(e->snapshot->conf->release_through, &host, &port);
    if (!service) {
        examination_find(e, DOCTOR_FAIL, "release-listener",
                         message_make(MSG_DOC_NO_RELEASE, e->snapshot->conf->release_through, NULL),
                         message_make(MSG_DOC_NO_RELEASE_HELP, port, NULL));
        return;
    }
    examine_listener(e, service);
    examine_list(e, service);
    examine_filter(e, service);
    if (e->host)
        examine_answer(e);
}

/* Written in two roles; who is so by two groups only the directory knows. */
static void examine_pair(struct examination *e, enum role a, enum role b)
{
    GPtrArray *const *roles = e->snapshot->conf->roles;
    for (guint i = 0; i < roles[a]->len; i++)
        for (guint j = 0; j < roles[b]->len; j++) {
            const struct who *one = g_ptr_array_index(roles[a], i), *other = g_ptr_array_index(roles[b], j);
            if (one->kind == other->kind && g_ascii_strcasecmp(one->value, other->value) == 0)
                examination_find(
                    e, DOCTOR_WARNING, "roles",
                    message_make(MSG_DOC_TWO_ROLES, one->value, role_name(a), role_name(b), NULL),
                    message_make(MSG_DOC_TWO_ROLES_HELP, NULL));
        }
}

void examine_roles(struct examination *e)
{
    examine_pair(e, ROLE_ADMINISTRATOR, ROLE_OFFICER);
    examine_pair(e, ROLE_ADMINISTRATOR, ROLE_AUDITOR);
    examine_pair(e, ROLE_OFFICER, ROLE_AUDITOR);
}
