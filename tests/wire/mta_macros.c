#include "tests/wire/mta_macros.h"

#include <string.h>

/* Default lists of main.cf (global/mail_params.h), by SMFIM_*. */
static const char *const default_lists[MTA_STAGES] = {
    [SMFIM_CONNECT] = "j {daemon_name} {daemon_addr} v _",
    [SMFIM_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    [SMFIM_ENVFROM] = "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    [SMFIM_ENVRCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    [SMFIM_DATA] = "i",
    [SMFIM_EOM] = "i",
    [SMFIM_EOH] = "i",
};

/* The list that Postfix looks at for an event; -1 = none (unknown commands). */
static int stage_of(char event)
{
    switch (event) {
    case SMFIC_CONNECT:
        return SMFIM_CONNECT;
    case SMFIC_HELO:
        return SMFIM_HELO;
    case SMFIC_MAIL:
        return SMFIM_ENVFROM;
    case SMFIC_RCPT:
        return SMFIM_ENVRCPT;
    case SMFIC_DATA:
        return SMFIM_DATA;
    case SMFIC_HEADER:
    case SMFIC_EOH:
        return SMFIM_EOH;
    case SMFIC_BODY:
    case SMFIC_BODYEOB:
        return SMFIM_EOM;
    }
    return -1;
}

struct mta_state *mta_state_new(const struct mta_client *client)
{
    struct mta_state *state = g_new0(struct mta_state, 1);
    struct mta_client *own = &state->client;

    *own = *client;
    own->name = g_strdup(client->is_local       ? "localhost"
                         : client->name != NULL ? client->name
                                                : "client.example");
    own->address = g_strdup(client->is_local          ? "127.0.0.1"
                            : client->address != NULL ? client->address
                                                      : "192.0.2.1");
    own->port = client->is_local ? 0 : client->port != 0 ? client->port : 40000;
    own->helo = g_strdup(client->is_local       ? "localhost"
                         : client->helo != NULL ? client->helo
                                                : "client.example");
    own->login = g_strdup(client->login);
    own->tls_version = g_strdup(client->tls_version);
    own->cert_subject = g_strdup(client->cert_subject);
    own->cert_issuer = g_strdup(client->cert_issuer);
    own->daemon_name = g_strdup(client->daemon_name != NULL ? client->daemon_name : "mx.example");
    return state;
}

void mta_state_free(void *data)
{
    struct mta_state *state = data;

    if (state == NULL)
        return;
    mta_state_end(state);
    g_free((char *)state->client.name);
    g_free((char *)state->client.address);
    g_free((char *)state->client.helo);
    g_free((char *)state->client.login);
    g_free((char *)state->client.tls_version);
    g_free((char *)state->client.cert_subject);
    g_free((char *)state->client.cert_issuer);
    g_free((char *)state->client.daemon_name);
    g_free(state);
}

void mta_state_begin(struct mta_state *state, const char *sender, const char *queue_id)
{
    mta_state_end(state);
    state->messages++;
    state->sender = g_strdup(sender);
    state->coming_queue_id =
        queue_id != NULL ? g_strdup(queue_id) : g_strdup_printf("4W%04X%p", state->messages, (void *)state);
    if (state->client.is_local)
        state->queue_id = g_strdup(state->coming_queue_id);
}

void mta_state_end(struct mta_state *state)
{
    g_clear_pointer(&state->sender, g_free);
    g_clear_pointer(&state->recipient, g_free);
    g_clear_pointer(&state->queue_id, g_free);
    g_clear_pointer(&state->coming_queue_id, g_free);
    state->is_content = false;
}

char *mta_canonical_address(const char *argument)
{
    const char *end;

    if (argument[0] == '<') {
        argument++;
        end = strrchr(argument, '>');
    } else {
        end = strchr(argument, ' ');
    }
    return g_ascii_strdown(argument, end != NULL ? end - argument : -1);
}

static char *domain_of(const char *address)
{
    const char *at = address != NULL ? strrchr(address, '@') : NULL;

    return at != NULL && at[1] != '\0' ? g_strdup(at + 1) : NULL;
}

static char *connection_macro(const struct mta_state *state, const char *name)
{
    const struct mta_client *client = &state->client;

    if (strcmp(name, "j") == 0)
        return g_strdup("mx.example");
    if (strcmp(name, "v") == 0)
        return g_strdup("Postfix 3.7.11");
    if (strcmp(name, "_") == 0)
        return g_strdup_printf("%s [%s]", client->name, client->address);
    if (strcmp(name, "daemon_name") == 0)
        return g_strdup(client->daemon_name);
    if (strcmp(name, "daemon_addr") == 0)
        return client->is_local ? NULL : g_strdup("192.0.2.25");
    if (strcmp(name, "daemon_port") == 0)
        return client->is_local ? NULL : g_strdup("25");
    if (strcmp(name, "client_addr") == 0) /* RFC 2821 form, other than in CONNECT and in _ */
        return g_strdup_printf("%s%s", strchr(client->address, ':') != NULL ? "IPv6:" : "", client->address);
    if (strcmp(name, "client_name") == 0 || strcmp(name, "client_ptr") == 0)
        return g_strdup(client->name);
    if (strcmp(name, "client_port") == 0)
        return g_strdup_printf("%u", client->port);
    if (strcmp(name, "client_resolve") == 0)
        return g_strdup("OK");
    if (strcmp(name, "client_connections") == 0)
        return g_strdup(client->is_local ? "0" : "1");
    return NULL;
}

/* What only smtpd(8) knows; cleanup(8), which speaks from the first field on, does not. */
static char *login_macro(const struct mta_state *state, const char *name)
{
    const struct mta_client *client = &state->client;

    if (state->is_content || client->is_local)
        return NULL;
    if (strcmp(name, "auth_type") == 0)
        return client->login != NULL ? g_strdup("plain") : NULL;
    if (strcmp(name, "auth_authen") == 0)
        return g_strdup(client->login);
    if (!state->is_tls)
        return NULL;
    if (strcmp(name, "tls_version") == 0)
        return g_strdup(client->tls_version);
    if (strcmp(name, "cipher") == 0)
        return g_strdup("TLS_AES_256_GCM_SHA384");
    if (strcmp(name, "cipher_bits") == 0)
        return g_strdup("256");
    if (strcmp(name, "cert_subject") == 0)
        return g_strdup(client->cert_subject);
    if (strcmp(name, "cert_issuer") == 0)
        return g_strdup(client->cert_issuer);
    return NULL;
}

static char *message_macro(const struct mta_state *state, const char *name)
{
    if (strcmp(name, "i") == 0)
        return g_strdup(state->queue_id);
    if (strcmp(name, "mail_addr") == 0)
        return g_strdup(state->sender);
    if (strcmp(name, "mail_host") == 0)
        return domain_of(state->sender);
    if (strcmp(name, "mail_mailer") == 0)
        return state->sender != NULL ? g_strdup("smtp") : NULL;
    if (strcmp(name, "rcpt_addr") == 0)
        return g_strdup(state->recipient);
    if (strcmp(name, "rcpt_host") == 0)
        return domain_of(state->recipient);
    if (strcmp(name, "rcpt_mailer") == 0)
        return state->recipient != NULL && !state->client.is_local ? g_strdup("virtual") : NULL;
    return NULL;
}

char **mta_state_macros(const struct mta_state *state, const struct mta_terms *terms, char event)
{
    int stage = stage_of(event);
    const char *list = stage < 0                      ? ""
                       : terms->macros[stage] != NULL ? terms->macros[stage]
                                                      : default_lists[stage];
    g_auto(GStrv) names = g_strsplit_set(list, ", \t\r\n", -1);
    GPtrArray *pairs = g_ptr_array_new();

    for (char **name = names; *name != NULL; name++) {
        size_t length = strlen(*name);
        bool has_braces = length > 2 && (*name)[0] == '{' && (*name)[length - 1] == '}';
        g_autofree char *bare = has_braces ? g_strndup(*name + 1, length - 2) : g_strdup(*name);
        char *value = connection_macro(state, bare);

        if (value == NULL)
            value = login_macro(state, bare);
        if (value == NULL)
            value = message_macro(state, bare);
        if (value == NULL)
            continue;
        g_ptr_array_add(pairs, g_strdup(*name));
        g_ptr_array_add(pairs, value);
    }
    g_ptr_array_add(pairs, NULL);
    return (char **)g_ptr_array_free(pairs, FALSE);
}
