/* directory TEXT,… { … } */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/limits.h"
#include "milter/conf/value.h"

static struct directory_settings *settings_of(gpointer reading)
{
    return ((struct reading *)reading)->conf->directory;
}

static void read_base(struct reader *reader, gpointer reading)
{
    const struct item *item = reader_text(reader, MSG_A_DN);

    if (item != NULL && value_end(reader))
        value_set(&settings_of(reading)->base, g_strdup(item->text));
}

/* certificate TEXT | sasl external | simple TEXT password file TEXT */
static void read_bind(struct reader *reader, gpointer context)
{
    static const enum keyword ways[] = {KW_CERTIFICATE, KW_SASL_EXTERNAL, KW_SIMPLE, KW_COUNT};
    struct reading *reading = context;
    struct directory_settings *settings = reading->conf->directory;
    enum keyword way = reader_one_of(reader, ways);

    if (way == KW_SASL_EXTERNAL) {
        settings->bind = BIND_EXTERNAL;
    } else if (way == KW_CERTIFICATE) {
        settings->bind = BIND_CERTIFICATE;
        value_set(&settings->bind_certificate_file,
                  value_path(reader, MSG_A_FILE, &reading->files.bind_certificate));
    } else if (way == KW_SIMPLE) {
        const struct item *dn = reader_text(reader, MSG_A_DN);
        settings->bind = BIND_SIMPLE;
        if (dn == NULL || !reader_need(reader, KW_PASSWORD_FILE))
            return;
        value_set(&settings->bind_dn, g_strdup(dn->text));
        value_set(&settings->bind_password_file, value_path(reader, MSG_A_FILE, &reading->files.password));
    } else {
        reader_expected(reader, MSG_A_BIND, NULL);
    }
    value_end(reader);
}

static void read_person_filter(struct reader *reader, gpointer reading)
{
    const struct item *item = reader_text(reader, MSG_A_FILTER);

    if (item == NULL || !value_end(reader))
        return;
    g_autofree char *problem = directory_filter_problem(item->text);
    if (problem == NULL) {
        value_set(&settings_of(reading)->person_filter, g_strdup(item->text));
        return;
    }
    struct diagnostic *diagnostic =
        reader_fail(reader, DIAG_FILTER, item->span, message_make(MSG_NOT_A_FILTER, problem, NULL));
    diagnostic_help(diagnostic, message_make(MSG_FILTER_HELP, NULL));
}

/* An attribute's name or OID (RFC 4512 2.5), without options. */
static gboolean is_attribute(const char *name)
{
    if (!g_ascii_isalnum(name[0]))
        return FALSE;
    for (; *name != '\0'; name++)
        if (!g_ascii_isalnum(*name) && *name != '-' && *name != '.')
            return FALSE;
    return TRUE;
}

static void read_attribute(struct reader *reader, char **attribute)
{
    const struct item *item = reader_name(reader, MSG_AN_ATTRIBUTE);

    if (item == NULL || !value_end(reader))
        return;
    if (is_attribute(item->text))
        value_set(attribute, g_strdup(item->text));
    else
        reader_fail(reader, DIAG_FILTER, item->span, message_make(MSG_NOT_AN_ATTRIBUTE, item->text, NULL));
}

static void read_clearance_attribute(struct reader *reader, gpointer reading)
{
    read_attribute(reader, &settings_of(reading)->clearance_attribute);
}

static void read_category_attribute(struct reader *reader, gpointer reading)
{
    read_attribute(reader, &settings_of(reading)->category_attribute);
}

static void read_clearance_until_attribute(struct reader *reader, gpointer reading)
{
    read_attribute(reader, &settings_of(reading)->clearance_until_attribute);
}

static void read_verified_attribute(struct reader *reader, gpointer reading)
{
    read_attribute(reader, &settings_of(reading)->verified_attribute);
}

static void read_login_attribute(struct reader *reader, gpointer reading)
{
    read_attribute(reader, &settings_of(reading)->login_attribute);
}

static void read_certificate_attribute(struct reader *reader, gpointer reading)
{
    read_attribute(reader, &settings_of(reading)->certificate_attribute);
}

static void read_ca_file(struct reader *reader, gpointer context)
{
    struct reading *reading = context;
    char *path = value_path(reader, MSG_A_FILE, &reading->files.ca);

    if (path != NULL)
        value_set(&reading->conf->directory->ca_file, path);
    value_end(reader);
}

static void read_unit(struct reader *reader, gpointer reading)
{
    if (reader_keyword(reader, KW_FROM_DN))
        value_end(reader);
    else if (reader_keyword(reader, KW_ATTRIBUTE))
        read_attribute(reader, &settings_of(reading)->unit_attribute);
    else
        reader_expected(reader, MSG_FROM_DN_OR_ATTRIBUTE, NULL);
}

static void read_groups(struct reader *reader, gpointer reading)
{
    if (reader_keyword(reader, KW_EXPAND)) {
        value_end_not_yet(reader, value_taken(reader), MSG_GROUPS_HELP);
        return;
    }
    if (!reader_keyword(reader, KW_KEEP_CLOSED))
        reader_expected(reader, MSG_EXPAND_OR_KEEP_CLOSED, NULL);
    value_end(reader);
}

static void read_refresh(struct reader *reader, gpointer reading)
{
    if (reader_keyword(reader, KW_PUSH)) {
        value_end_not_yet(reader, value_taken(reader), MSG_REFRESH_HELP);
        return;
    }
    if (!reader_keyword(reader, KW_EVERY))
        reader_expected(reader, MSG_PUSH_OR_EVERY, NULL);
    if (value_time(reader, REFRESH_MIN_S, REFRESH_MAX_S, &settings_of(reading)->refresh_ms))
        value_end(reader);
}

static void read_answer_within(struct reader *reader, gpointer reading)
{
    if (value_time(reader, ANSWER_MIN_S, ANSWER_MAX_S, &settings_of(reading)->answer_within_ms))
        value_end(reader);
}

/* [use known answers for TIME then] defer; nothing else may stand there. */
static void read_outage(struct reader *reader, gpointer reading)
{
    gboolean known = reader_keyword(reader, KW_USE_KNOWN_ANSWERS_FOR);
    struct span name = value_taken(reader);
    gint64 milliseconds;

    if (known && (!value_time(reader, 1, OUTAGE_MAX_S, &milliseconds) || !reader_need(reader, KW_CONF_THEN)))
        return;
    if (!reader_need(reader, KW_DEFER))
        return;
    if (known)
        value_end_not_yet(reader, name, MSG_OUTAGE_HELP);
    else
        value_end(reader);
}

/* RFC 4516 without base, attributes and filter, which have statements of their own. The host of ldapi: is a
 * path. */
static gboolean is_ldap(const char *url)
{
    g_autofree char *host = NULL, *path = NULL, *query = NULL, *fragment = NULL;

    if (g_str_has_prefix(url, "ldapi://"))
        return strpbrk(url, " ?#") == NULL;
    if (!g_str_has_prefix(url, "ldaps://") && !g_str_has_prefix(url, "ldap://"))
        return FALSE;
    if (!g_uri_split(url, G_URI_FLAGS_NONE, NULL, NULL, &host, NULL, &path, &query, &fragment, NULL))
        return FALSE;
    return host != NULL && host[0] != '\0' && (path[0] == '\0' || strcmp(path, "/") == 0) && query == NULL &&
           fragment == NULL;
}

/* One url; NULL and reported if it is none. */
static char *url_of(struct reader *reader, const struct item *item)
{
    const char *path = item->text + strlen("file:");

    if (is_ldap(item->text))
        return g_strdup(item->text);
    if (g_str_has_prefix(item->text, "file:") && path[0] != '\0') {
        g_autofree char *seen = path_from(item->span.source, path);
        return g_strconcat("file:", seen, NULL);
    }
    struct diagnostic *diagnostic = reader_fail(reader, DIAG_ENDPOINT, item->span,
                                                message_make(MSG_NOT_A_DIRECTORY_URL, item->text, NULL));
    diagnostic_help(diagnostic, message_make(MSG_DIRECTORY_URL_HELP, NULL));
    return NULL;
}

static gboolean read_urls(struct reader *reader, struct reading *reading)
{
    GPtrArray *urls = reading->conf->directory->urls;

    do {
        const struct item *item = reader_text(reader, MSG_A_DIRECTORY_URL);
        char *url = item != NULL ? url_of(reader, item) : NULL;
        if (url == NULL)
            return FALSE;
        if (urls->len == 0)
            reading->files.url = item->span;
        g_ptr_array_add(urls, url);
        if (urls->len > 1 && (g_str_has_prefix(url, "file:") || g_str_has_prefix(urls->pdata[0], "file:"))) {
            reader_fail(reader, DIAG_ENDPOINT, item->span, message_make(MSG_ONE_FILE_URL, NULL));
            return FALSE;
        }
    } while (reader_comma(reader));
    return TRUE;
}

static void check_directory(struct reader *reader, const struct directory_settings *settings,
                            struct span name)
{
    if (settings->base != NULL || g_str_has_prefix(settings->urls->pdata[0], "file:"))
        return;
    struct diagnostic *diagnostic = diagnostics_report(reader->diagnostics, DIAG_MISSING, name,
                                                       message_make(MSG_DIRECTORY_WITHOUT_BASE, NULL));
    diagnostic_help(diagnostic, message_make(MSG_DIRECTORY_WITHOUT_BASE_HELP, NULL));
}

void read_directory(struct reader *reader, struct reading *reading)
{
    static const struct statement_kind kinds[] = {
#define IN_DIRECTORY(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
        {KW_COUNT, FALSE, NULL}};
    struct directory_settings *settings = reading->conf->directory;
    struct span name = value_taken(reader);

    g_ptr_array_set_size(settings->urls, 0);
    if (!read_urls(reader, reading) || !reader_end(reader) || !reader_need_block(reader))
        return;
    guint errors = diagnostics_errors(reading->diagnostics);
    block_read(reader->statement->block, kinds, MSG_OF_DIRECTORY, reader->diagnostics, reading);
    if (diagnostics_errors(reading->diagnostics) == errors)
        check_directory(reader, settings, name);
}
