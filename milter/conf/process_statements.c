/* The statements about processes, sockets and files. */
#include "milter/conf/statement.h"

#include <string.h>
#include <sys/un.h>

#include "milter/conf/value.h"

static const struct {
    const char *text;
    enum log_kind kind;
    const char *facility;
} logs[] = {
    {"journal", LOG_TO_JOURNAL, NULL},          {"stderr", LOG_TO_STDERR, NULL},
    {"syslog:mail", LOG_TO_SYSLOG, "mail"},     {"syslog:daemon", LOG_TO_SYSLOG, "daemon"},
    {"syslog:auth", LOG_TO_SYSLOG, "auth"},     {"syslog:authpriv", LOG_TO_SYSLOG, "authpriv"},
    {"syslog:user", LOG_TO_SYSLOG, "user"},     {"syslog:local0", LOG_TO_SYSLOG, "local0"},
    {"syslog:local1", LOG_TO_SYSLOG, "local1"}, {"syslog:local2", LOG_TO_SYSLOG, "local2"},
    {"syslog:local3", LOG_TO_SYSLOG, "local3"}, {"syslog:local4", LOG_TO_SYSLOG, "local4"},
    {"syslog:local5", LOG_TO_SYSLOG, "local5"}, {"syslog:local6", LOG_TO_SYSLOG, "local6"},
    {"syslog:local7", LOG_TO_SYSLOG, "local7"},
};

static void not_an_endpoint(struct reader *reader, const struct item *item, enum message_id what)
{
    reader_fail(reader, DIAG_ENDPOINT, item->span,
                message_make(MSG_NOT_AN_ENDPOINT, item->text, message_arg(what), NULL));
}

/* Digits alone, 1–65535. */
static gboolean is_port(const char *text)
{
    guint64 port;

    return g_ascii_isdigit(text[0]) && g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL);
}

static gboolean is_host(const char *host)
{
    return strcmp(host, "localhost") == 0 || ip_parse(host).known;
}

static void warn_not_loopback(struct reader *reader, const struct item *item, const char *host)
{
    if (host_is_loopback(host))
        return;
    struct diagnostic *diagnostic = diagnostics_report(reader->diagnostics, DIAG_NOT_LOOPBACK, item->span,
                                                       message_make(MSG_NOT_LOOPBACK, host, NULL));
    diagnostic_help(diagnostic, message_make(MSG_NOT_LOOPBACK_HELP, NULL));
}

/* unix:PATH; new: the same with the path seen from the file. */
static char *unix_address(struct reader *reader, const struct item *item)
{
    g_autofree char *path = path_from(item->span.source, item->text + strlen("unix:"));

    if (path[0] != '\0' && strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return g_strconcat("unix:", path, NULL);
    g_autofree char *longest = g_strdup_printf("%zu", sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
    reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_SOCKET_PATH, longest, NULL));
    return NULL;
}

/* inet:PORT@HOST, as Postfix and libmilter write it: the host; new. */
static char *inet_host(struct reader *reader, const struct item *item, enum message_id what)
{
    g_auto(GStrv) halves = g_str_has_prefix(item->text, "inet:")
                               ? g_strsplit(item->text + strlen("inet:"), "@", 2)
                               : g_new0(char *, 1);

    if (g_strv_length(halves) == 2 && is_port(halves[0]) && is_host(halves[1]))
        return g_strdup(halves[1]);
    not_an_endpoint(reader, item, what);
    return NULL;
}

static char *inet_address(struct reader *reader, const struct item *item)
{
    g_autofree char *host = inet_host(reader, item, MSG_A_LISTEN_ADDRESS);

    if (host == NULL)
        return NULL;
    warn_not_loopback(reader, item, host);
    return g_strdup(item->text);
}

static gboolean read_mode(struct reader *reader, guint *mode)
{
    const struct item *item = reader_word(reader, MSG_A_MODE);
    guint64 octal;

    if (item == NULL)
        return FALSE;
    if (g_ascii_isdigit(item->text[0]) && g_ascii_string_to_unsigned(item->text, 8, 0, 0777, &octal, NULL)) {
        *mode = (guint)octal;
        return TRUE;
    }
    reader_fail(reader, DIAG_RANGE, item->span, message_make(MSG_NOT_A_MODE, item->text, NULL));
    return FALSE;
}

/* [role …] [group TEXT] [mode N] in this order. */
static gboolean read_rights(struct reader *reader, struct listener *listener)
{
    guint first = reader->next;

    if (reader_keyword(reader, KW_GROUP)) {
        const struct item *item = reader_name(reader, MSG_A_GROUP);
        if (item == NULL)
            return FALSE;
        value_set(&listener->group, g_strdup(item->text));
    }
    if (reader_keyword(reader, KW_MODE) && !read_mode(reader, &listener->mode))
        return FALSE;
    if (reader->next > first && !reader->broken && g_str_has_prefix(listener->address, "inet:"))
        diagnostics_report(reader->diagnostics, DIAG_NO_EFFECT, value_since(reader, first),
                           message_make(MSG_RIGHTS_OF_INET, NULL));
    return !reader->broken;
}

static char *read_endpoint(struct reader *reader, enum message_id what, gboolean inet)
{
    const struct item *item = reader_text(reader, what);

    if (item == NULL)
        return NULL;
    if (g_str_has_prefix(item->text, "unix:"))
        return unix_address(reader, item);
    if (inet && g_str_has_prefix(item->text, "inet:"))
        return inet_address(reader, item);
    not_an_endpoint(reader, item, what);
    return NULL;
}

static gboolean role_is_free(struct reader *reader, struct reading *reading, enum socket_role role)
{
    if (reading->listen_statements[role] == NULL)
        return TRUE;
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_DUPLICATE, value_taken(reader), message_make(MSG_LISTEN_TWICE, NULL));
    diagnostic_note(diagnostic, reading->listen_statements[role]->span,
                    message_make(MSG_FIRST_GIVEN_HERE, NULL));
    return FALSE;
}

void read_listen(struct reader *reader, struct reading *reading)
{
    struct listener *listener = listener_new(NULL, ROLE_SMTP);

    listener->written = TRUE;
    listener->address = read_endpoint(reader, MSG_A_LISTEN_ADDRESS, TRUE);
    if (reader_keyword(reader, KW_ROLE_LOCAL))
        listener->role = ROLE_LOCAL;
    else if (reader_keyword(reader, KW_ROLE_RELEASE))
        listener->role = ROLE_RELEASE;
    if (listener->address != NULL && read_rights(reader, listener) && value_end(reader) &&
        role_is_free(reader, reading, listener->role)) {
        reading->listen_statements[listener->role] = reader->statement;
        conf_take_listener(reading->conf, g_steal_pointer(&listener));
    }
    reading->listen_bad |= reader->broken;
    listener_free(listener);
}

/* The Postfix listener behind the release socket; only this host may speak to it (semantics.md 12.4). */
void read_release_through(struct reader *reader, struct reading *reading)
{
    const struct item *item = reader_text(reader, MSG_A_RELEASE_ADDRESS);
    g_autofree char *host = item != NULL ? inet_host(reader, item, MSG_A_RELEASE_ADDRESS) : NULL;

    if (host == NULL || !value_end(reader))
        return;
    if (host_is_loopback(host)) {
        value_set(&reading->conf->release_through, g_strdup(item->text));
        return;
    }
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_RELEASE_NOT_LOOPBACK, host, NULL));
    diagnostic_help(diagnostic, message_make(MSG_RELEASE_NOT_LOOPBACK_HELP, NULL));
}

void read_control(struct reader *reader, struct reading *reading)
{
    struct listener *control = &reading->conf->control;
    char *address = read_endpoint(reader, MSG_A_CONTROL_ADDRESS, FALSE);

    if (address == NULL)
        return;
    value_set(&control->address, address);
    control->written = TRUE;
    if (read_rights(reader, control))
        value_end(reader);
}

/* HOST:PORT, [::1]:PORT */
void read_metrics(struct reader *reader, struct reading *reading)
{
    struct span name = value_taken(reader);

    if (reader_keyword(reader, KW_OFF)) {
        value_end(reader);
        return;
    }
    const struct item *item = reader_text(reader, MSG_A_METRICS_ADDRESS);
    const char *colon = item != NULL ? strrchr(item->text, ':') : NULL;
    if (item == NULL)
        return;
    g_autofree char *host = g_strndup(item->text, colon != NULL ? (gsize)(colon - item->text) : 0);
    if (host[0] == '[' && g_str_has_suffix(host, "]")) {
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = '\0';
    }
    if (colon == NULL || !is_port(colon + 1) || !is_host(host)) {
        not_an_endpoint(reader, item, MSG_A_METRICS_ADDRESS);
        return;
    }
    warn_not_loopback(reader, item, host);
    value_end_not_yet(reader, name, MSG_METRICS_HELP);
}

void read_state(struct reader *reader, struct reading *reading)
{
    char *path = value_path(reader, MSG_A_FOLDER, NULL);

    if (path != NULL)
        value_set(&reading->conf->state_directory, path);
    value_end(reader);
}

void read_run_as(struct reader *reader, struct reading *reading)
{
    const struct item *item = reader_name(reader, MSG_A_USER);

    if (item == NULL || !value_end(reader))
        return;
    if (strcmp(item->text, "root") == 0)
        reader_fail(reader, DIAG_USER, item->span, message_make(MSG_NOT_ROOT, NULL));
    else
        value_set(&reading->conf->run_as, g_strdup(item->text));
}

void read_time_zone(struct reader *reader, struct reading *reading)
{
    const struct item *item = reader_name(reader, MSG_A_TIME_ZONE);

    if (item == NULL || !value_end(reader))
        return;
    GTimeZone *zone = g_time_zone_new_identifier(item->text);
    if (zone == NULL) {
        struct diagnostic *diagnostic = reader_fail(reader, DIAG_TIME_ZONE, item->span,
                                                    message_make(MSG_NOT_A_TIME_ZONE, item->text, NULL));
        diagnostic_help(diagnostic, message_make(MSG_TIME_ZONE_HELP, NULL));
        return;
    }
    g_clear_pointer(&reading->conf->time_zone, g_time_zone_unref);
    reading->conf->time_zone = zone;
    value_set(&reading->conf->time_zone_name, g_strdup(item->text));
}

void read_log(struct reader *reader, struct reading *reading)
{
    const struct item *item = reader_text(reader, MSG_A_LOG);

    if (item == NULL || !value_end(reader))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(logs); i++) {
        if (strcmp(item->text, logs[i].text) != 0)
            continue;
        reading->conf->log = logs[i].kind;
        value_set(&reading->conf->log_facility, g_strdup(logs[i].facility));
        return;
    }
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_NOT_A_LOG, item->text, NULL));
    diagnostic_help(diagnostic, message_make(MSG_LOG_HELP, NULL));
}

/* The files were read before, since levels must be known (scheme_files.c); here only the form counts. */
void read_scheme(struct reader *reader, struct reading *reading)
{
    do {
        if (reader_text(reader, MSG_A_FILE) == NULL)
            return;
    } while (reader_comma(reader));
    value_end(reader);
}
