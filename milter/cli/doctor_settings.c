#include "milter/cli/doctor.h"

#include <string.h>

/* Postfix waits this long for our answer at the end of a message; we take 60 s at most, then some for the
 * network. */
#define CONTENT_SECONDS 90
#define COMMAND_SECONDS 10

static struct message nothing(void)
{
    return message_make(MSG_NONE, NULL);
}

static void examine_version(struct examination *e)
{
    const char *version = postfix_setting(e->postfix, "mail_version");
    guint major = 0, minor = 0;
    g_auto(GStrv) parts = g_strsplit_set(version, ".-", 3);
    if (g_strv_length(parts) >= 2) {
        major = (guint)g_ascii_strtoull(parts[0], NULL, 10);
        minor = (guint)g_ascii_strtoull(parts[1], NULL, 10);
    }
    gboolean good = major > 3 || (major == 3 && minor >= 3);
    examination_find(e, good ? DOCTOR_GOOD : DOCTOR_FAIL, "version",
                     message_make(MSG_DOC_VERSION, version, NULL),
                     good ? nothing() : message_make(MSG_DOC_VERSION_HELP, NULL));
}

/* SMTP smuggling (CVE-2023-51764): <LF>.<LF> inside a message must not begin another that nobody filtered as
 * what it is. */
static void examine_bare_newline(struct examination *e)
{
    const char *value = postfix_setting(e->postfix, "smtpd_forbid_bare_newline");
    gboolean good =
        strcmp(value, "normalize") == 0 || strcmp(value, "reject") == 0 || strcmp(value, "yes") == 0;
    examination_find(e, good ? DOCTOR_GOOD : DOCTOR_FAIL, "bare-newline",
                     message_make(MSG_DOC_BARE_NEWLINE, *value ? value : "?", NULL),
                     good ? nothing() : message_make(MSG_DOC_BARE_NEWLINE_HELP, NULL));
}

static void examine_protocol(struct examination *e)
{
    const char *value = postfix_setting(e->postfix, "milter_protocol");
    gboolean good = g_ascii_strtoull(value, NULL, 10) >= 6;
    examination_find(e, good ? DOCTOR_GOOD : DOCTOR_FAIL, "protocol",
                     message_make(MSG_DOC_PROTOCOL, value, NULL),
                     good ? nothing() : message_make(MSG_DOC_PROTOCOL_HELP, NULL));
}

static void examine_timeout(struct examination *e, const char *setting, gint64 least)
{
    const char *value = postfix_setting(e->postfix, setting);
    gboolean good = postfix_seconds(value) >= least;
    g_autofree char *wanted = g_strdup_printf("%" G_GINT64_FORMAT "s", least);
    examination_find(e, good ? DOCTOR_GOOD : DOCTOR_FAIL, "timeouts",
                     message_make(MSG_DOC_SETTING, setting, value, NULL),
                     good ? nothing() : message_make(MSG_DOC_TIMEOUT_HELP, setting, wanted, NULL));
}

/* Recipients that no milter sees; the copy stays when its recipient is removed (measured; semantics.md 4.2,
 * case 78). */
static void examine_bcc(struct examination *e)
{
    static const char *const settings[] = {"always_bcc", "sender_bcc_maps", "recipient_bcc_maps"};
    gboolean found = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        const char *value = postfix_setting(e->postfix, settings[i]);
        if (!*value)
            continue;
        found = TRUE;
        examination_find(e, DOCTOR_FAIL, "bcc", message_make(MSG_DOC_SETTING, settings[i], value, NULL),
                         message_make(MSG_DOC_BCC_HELP, NULL));
    }
    if (!found)
        examination_find(e, DOCTOR_GOOD, "bcc", message_make(MSG_DOC_NO_BCC, NULL), nothing());
}

/* Whatever leads an address elsewhere behind our back is a gap that somebody must know by name. */
static void examine_rewriting(struct examination *e)
{
    static const char *const settings[] = {
        "virtual_alias_maps",    "canonical_maps", "recipient_canonical_maps",
        "sender_canonical_maps", "alias_maps",     "relocated_maps",
        "transport_maps"};
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        const char *value = postfix_setting(e->postfix, settings[i]);
        if (*value)
            examination_find(e, DOCTOR_NOTE, "rewriting",
                             message_make(MSG_DOC_SETTING, settings[i], value, NULL),
                             message_make(MSG_DOC_REWRITING_HELP, NULL));
    }
}

static void examine_domain(struct examination *e, const char *setting, const char *domain)
{
    static const char *const no_domain[] = {"localhost", "localhost.localdomain"};
    for (gsize i = 0; i < G_N_ELEMENTS(no_domain); i++)
        if (strcmp(domain, no_domain[i]) == 0)
            return;
    /* Tables and names of files cannot be listed. */
    if (strpbrk(domain, ":/$") || !strchr(domain, '.') || zones_is_inside(e->snapshot->zones, domain))
        return;
    examination_find(e, DOCTOR_WARNING, "domains", message_make(MSG_DOC_DOMAIN, domain, setting, NULL),
                     message_make(MSG_DOC_DOMAIN_HELP, domain, NULL));
}

static void examine_domains(struct examination *e)
{
    static const char *const settings[] = {"mydestination", "virtual_mailbox_domains",
                                           "virtual_alias_domains", "relay_domains"};
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_auto(GStrv) domains = postfix_list(postfix_setting(e->postfix, settings[i]));
        for (char **domain = domains; *domain; domain++)
            examine_domain(e, settings[i], *domain);
    }
}

static void examine_delimiter(struct examination *e)
{
    const char *theirs = postfix_setting(e->postfix, "recipient_delimiter");
    const char *ours =
        e->snapshot->policy->recipient_delimiter ? e->snapshot->policy->recipient_delimiter : "";
    gboolean good = strcmp(theirs, ours) == 0;
    examination_find(e, good ? DOCTOR_GOOD : DOCTOR_WARNING, "delimiter",
                     message_make(MSG_DOC_DELIMITER, theirs, ours, NULL),
                     good ? nothing() : message_make(MSG_DOC_DELIMITER_HELP, theirs, NULL));
}

static void examine_size(struct examination *e)
{
    guint64 theirs = g_ascii_strtoull(postfix_setting(e->postfix, "message_size_limit"), NULL, 10);
    guint64 ours = e->snapshot->conf->message_size_bytes;
    g_autofree char *a = g_strdup_printf("%" G_GUINT64_FORMAT, theirs);
    g_autofree char *b = g_strdup_printf("%" G_GUINT64_FORMAT, ours);
    if (theirs == 0 || theirs > ours)
        examination_find(e, DOCTOR_NOTE, "size", message_make(MSG_DOC_SIZE, a, b, NULL),
                         message_make(MSG_DOC_SIZE_HELP, b, NULL));
}

static void examine_certificates(struct examination *e)
{
    gboolean wanted = FALSE;
    for (guint i = 0; i < e->snapshot->zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(e->snapshot->zones->list, i);
        wanted = wanted || zone->requires.client_certificate || zone->certificates;
    }
    gboolean asked = strcmp(postfix_setting(e->postfix, "smtpd_tls_ask_ccert"), "yes") == 0 ||
                     strcmp(postfix_setting(e->postfix, "smtpd_tls_req_ccert"), "yes") == 0;
    for (guint i = 0; i < e->postfix->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(e->postfix->services, i);
        asked = asked ||
                g_strcmp0(g_hash_table_lookup(service->overrides, "smtpd_tls_ask_ccert"), "yes") == 0 ||
                g_strcmp0(g_hash_table_lookup(service->overrides, "smtpd_tls_req_ccert"), "yes") == 0;
    }
    if (wanted)
        examination_find(e, asked ? DOCTOR_GOOD : DOCTOR_FAIL, "certificates",
                         message_make(asked ? MSG_DOC_CERTIFICATES : MSG_DOC_NO_CERTIFICATES, NULL),
                         asked ? nothing() : message_make(MSG_DOC_NO_CERTIFICATES_HELP, NULL));
}

/* What only a person can know. */
static void examine_zones(struct examination *e)
{
    for (guint i = 0; i < e->snapshot->zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(e->snapshot->zones->list, i);
        if (zone->inside && zone->clients && !zone->relays)
            examination_find(e, DOCTOR_NOTE, "relays", message_make(MSG_DOC_NO_RELAY, zone->name, NULL),
                             message_make(MSG_DOC_NO_RELAY_HELP, NULL));
        if (!zone->inside && zone->recipients && (zone->requires.tls || zone->requires.tls_verified))
            examination_find(e, DOCTOR_NOTE, "outgoing-tls", message_make(MSG_DOC_OUTGOING, zone->name, NULL),
                             message_make(MSG_DOC_OUTGOING_HELP, NULL));
    }
}

void examination_run(struct examination *e)
{
    examine_version(e);
    examine_milters(e);
    examine_release(e);
    examine_roles(e);
    examine_protocol(e);
    examine_timeout(e, "milter_content_timeout", CONTENT_SECONDS);
    examine_timeout(e, "milter_command_timeout", COMMAND_SECONDS);
    examine_bare_newline(e);
    examine_bcc(e);
    examine_certificates(e);
    examine_domains(e);
    examine_delimiter(e);
    examine_size(e);
    examine_rewriting(e);
    examine_zones(e);
}
