#include "milter/daemon/callbacks.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "milter/daemon/apply.h"
#include "milter/daemon/connection.h"
#include "milter/daemon/limits.h"
#include "milter/conf/log.h"
#include "milter/daemon/socket.h"

/* libmilter hands no pointer of ours to the callbacks of a new connection. Set once before it runs. */
static struct service *the_service;
static char *the_address;

#define WAKE_US (10 * 1000)

#define ALL_NO_REPLY                                                                                 \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_UNKN | \
     SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)

/* What a callback returns that decides nothing: silence where it was negotiated, CONTINUE for an MTA that
 * knows no silence. */
static sfsistat go_on(const struct connection *connection, unsigned long step)
{
    return connection->no_reply & step ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* The connection of a context; made here for MTAs that do not negotiate. */
static struct connection *connection_of(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (!connection) {
        connection = connection_new(the_service);
        smfi_setpriv(context, connection);
    }
    return connection;
}

static const char *symbol(SMFICTX *context, const char *name)
{
    const char *value = smfi_getsymval(context, (char *)name);
    return value && *value ? value : NULL;
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long unused0, unsigned long unused1, unsigned long *want_actions,
                             unsigned long *want_steps, unsigned long *want0, unsigned long *want1)
{
    struct connection *connection = connection_of(context);
    if (!connection_is_admitted(connection))
        return SMFIS_REJECT;
    connection->no_reply = steps & ALL_NO_REPLY;
    connection->leading_space = (steps & SMFIP_HDR_LEADSPC) != 0;
    connection->skip = (steps & SMFIP_SKIP) != 0;
    *want_steps = connection->no_reply | (steps & (SMFIP_HDR_LEADSPC | SMFIP_SKIP | SMFIP_NOUNKNOWN));
    *want_actions = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR |
                               SMFIF_DELRCPT | SMFIF_CHGFROM | SMFIF_SETSYMLIST);
    *want0 = *want1 = 0;
    if (!(actions & SMFIF_SETSYMLIST))
        return SMFIS_CONTINUE;
    /* Asked for here, so that main.cf needs no lists of macros. */
    static const struct {
        int stage;
        const char *symbols;
    } asked[] = {{SMFIM_CONNECT, "{client_addr} {client_name} {daemon_name} " ROLE_SYMBOL},
                 {SMFIM_HELO, "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"},
                 {SMFIM_ENVFROM, "i {auth_type} {auth_authen} {mail_addr}"},
                 {SMFIM_ENVRCPT, "{rcpt_addr} {rcpt_host} {rcpt_mailer}"},
                 {SMFIM_DATA, "i"},
                 {SMFIM_EOM, "i"}};
    for (gsize i = 0; i < G_N_ELEMENTS(asked); i++)
        if (smfi_setsymlist(context, asked[i].stage, (char *)asked[i].symbols) != MI_SUCCESS)
            log_line(LOG_LEVEL_WARNING, "the MTA does not take the list of macros for stage %d",
                     asked[i].stage);
    return SMFIS_CONTINUE;
}

static struct ip ip_of(SMFICTX *context, const _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    const struct sockaddr *any = (const struct sockaddr *)address;
    if (any && any->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)any)->sin_addr, text, sizeof text);
    else if (any && any->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)any)->sin6_addr, text, sizeof text);
    const char *told = symbol(context, "{client_addr}");
    return ip_parse(*text ? text : told ? told : "");
}

/* The relay of the other sockets says so once, right after the negotiation; nobody else knows the words
 * (role_relay.h). */
static void learn_role(struct connection *connection, SMFICTX *context)
{
    static const enum socket_role relayed[] = {ROLE_LOCAL, ROLE_RELEASE};
    if (connection->role_known)
        return;
    connection->role_known = TRUE;
    const char *told = symbol(context, ROLE_SYMBOL);
    for (gsize i = 0; told && i < G_N_ELEMENTS(relayed); i++)
        if (strcmp(told, connection->service->role_words[relayed[i]]) == 0)
            connection->session.role = relayed[i];
}

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
    struct connection *connection = connection_of(context);
    learn_role(connection, context);
    enum socket_role role = connection->session.role;
    /* XCLIENT brings a second CONNECT: everything of the first client is forgotten but the socket it came
     * through. */
    connection_drop_message(connection);
    session_clear(&connection->session);
    connection->session.role = role;
    connection->session.client = ip_of(context, address);
    connection->session.client_name = g_strdup(name);
    return go_on(connection, SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *context, char *helo)
{
    struct connection *connection = connection_of(context);
    struct session *session = &connection->session;
    /* Comes twice with STARTTLS, the second time with what TLS brought. */
    session_clear_tls(session);
    g_free(session->helo);
    session->helo = g_strdup(helo);
    session->tls = session_tls_version(symbol(context, "{tls_version}"));
    session->cipher = g_strdup(symbol(context, "{cipher}"));
    session->cert_subject = g_strdup(symbol(context, "{cert_subject}"));
    session->cert_issuer = g_strdup(symbol(context, "{cert_issuer}"));
    return go_on(connection, SMFIP_NR_HELO);
}

static char *joined(char **arguments)
{
    return arguments && *arguments ? g_strjoinv(" ", arguments) : NULL;
}

/*
 * libmilter drops a CONNECT where it expects none (behind QUIT_NC when the message before was accepted or
 * refused) without a word, but keeps its macros. When they name another client than the one we know, nothing
 * known of that one may count.
 */
static void follow_client(struct connection *connection, SMFICTX *context)
{
    const char *told = symbol(context, "{client_addr}");
    struct ip client = ip_parse(told);
    struct ip known = connection->session.client;
    if (!told || (client.known == known.known && memcmp(client.bytes, known.bytes, sizeof client.bytes) == 0))
        return;
    enum socket_role role = connection->session.role;
    session_clear(&connection->session);
    connection->session.role = role;
    connection->session.client = client;
    connection->session.client_name = g_strdup(symbol(context, "{client_name}"));
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    struct connection *connection = connection_of(context);
    struct session *session = &connection->session;
    connection_drop_message(connection);
    connection_tell_answered(connection);
    follow_client(connection, context);
    if (session->role == ROLE_RELEASE) {
        connection->offer = offer_new(connection->service);
        return go_on(connection, SMFIP_NR_MAIL);
    }
    g_free(session->login);
    g_free(session->auth_type);
    session->login = g_strdup(symbol(context, "{auth_authen}"));
    session->auth_type = g_strdup(symbol(context, "{auth_type}"));
    g_autofree char *parameters = joined(arguments + 1);
    connection->transaction = transaction_new(connection->service, session, arguments[0], parameters);
    return go_on(connection, SMFIP_NR_MAIL);
}

/* The value of NAME=value among ESMTP arguments, or NULL. */
static const char *argument(char **arguments, const char *name)
{
    gsize length = strlen(name);
    for (; *arguments; arguments++)
        if (g_ascii_strncasecmp(*arguments, name, length) == 0 && (*arguments)[length] == '=')
            return *arguments + length + 1;
    return NULL;
}

static sfsistat on_rcpt(SMFICTX *context, char **arguments)
{
    struct connection *connection = connection_of(context);
    struct rcpt rcpt = {.given = arguments[0],
                        .address = symbol(context, "{rcpt_addr}"),
                        .host = symbol(context, "{rcpt_host}"),
                        .mailer = symbol(context, "{rcpt_mailer}"),
                        .notify = argument(arguments + 1, "NOTIFY"),
                        .orcpt = argument(arguments + 1, "ORCPT")};
    if (connection->offer)
        offer_add_recipient(connection->offer, arguments[0]);
    else if (connection->transaction)
        transaction_add_recipient(connection->transaction, &rcpt);
    return go_on(connection, SMFIP_NR_RCPT);
}

static sfsistat on_data(SMFICTX *context)
{
    struct connection *connection = connection_of(context);
    if (connection->transaction)
        transaction_begin_data(connection->transaction, symbol(context, "i"));
    return go_on(connection, SMFIP_NR_DATA);
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    struct connection *connection = connection_of(context);
    if (connection->offer)
        offer_add_field(connection->offer, name, value, connection->leading_space);
    else if (connection->transaction)
        transaction_add_field(connection->transaction, name, value, connection->leading_space);
    return go_on(connection, SMFIP_NR_HDR);
}

/* The body would tell, too; but without this event libmilter drops the end of a message that has neither
 * fields nor a body. */
static sfsistat on_end_of_header(SMFICTX *context)
{
    struct connection *connection = connection_of(context);
    if (connection->offer)
        offer_end_header(connection->offer);
    else if (connection->transaction)
        transaction_end_header(connection->transaction);
    return go_on(connection, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *context, unsigned char *octets, size_t length)
{
    struct connection *connection = connection_of(context);
    if (connection->offer) {
        offer_add_body(connection->offer, octets, length);
        return go_on(connection, SMFIP_NR_BODY);
    }
    gboolean more = connection->transaction && transaction_add_body(connection->transaction, octets, length);
    if (!more && connection->skip)
        return SMFIS_SKIP;
    return go_on(connection, SMFIP_NR_BODY);
}

static void tell_progress(gpointer context)
{
    smfi_progress(context);
}

/* On the release socket: let in with its token taken off, or refused. */
static sfsistat answer_offer(struct connection *connection, SMFICTX *context)
{
    struct reply refusal = {0};
    sfsistat answer = SMFIS_TEMPFAIL;
    if (!offer_is_admitted(connection->offer, symbol(context, "i"), &refusal))
        answer = apply_reply(context, &refusal);
    else if (apply_strip(context, 1))
        answer = SMFIS_ACCEPT;
    else
        log_line(LOG_LEVEL_ERROR, "the token of a released message cannot be taken off");
    reply_clear(&refusal);
    return answer;
}

static sfsistat answer_transaction(struct connection *connection, SMFICTX *context)
{
    const struct transaction *transaction = connection->transaction;
    struct reply refusal = {0};
    gboolean done;
    const struct decision *decision =
        transaction_decide(connection->transaction, symbol(context, "i"), tell_progress, context, &refusal);
    if (!decision) {
        sfsistat answer = apply_reply(context, &refusal);
        reply_clear(&refusal);
        return answer;
    }
    struct application application = {.decision = decision,
                                      .envelope = transaction_envelope(transaction),
                                      .release_fields = transaction_release_fields(transaction),
                                      .queue_id = transaction_queue_id(transaction)};
    sfsistat answer = apply_decision(context, &application, &done);
    if (done && decision->holds)
        connection->answered = g_strdup(decision->reference);
    return answer;
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    struct connection *connection = connection_of(context);
    sfsistat answer = SMFIS_TEMPFAIL;
    if (connection->offer)
        answer = answer_offer(connection, context);
    else if (connection->transaction)
        answer = answer_transaction(connection, context);
    connection_drop_message(connection);
    return answer;
}

static sfsistat on_abort(SMFICTX *context)
{
    struct connection *connection = smfi_getpriv(context);
    if (connection)
        connection_drop_message(connection);
    return SMFIS_CONTINUE;
}

/* May be the only callback that ever comes, without a connection: health checks. */
static sfsistat on_close(SMFICTX *context)
{
    connection_free(smfi_getpriv(context));
    smfi_setpriv(context, NULL);
    return SMFIS_CONTINUE;
}

static struct smfiDesc description = {
    .xxfi_name = (char *)"miji",
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT |
                  SMFIF_CHGFROM | SMFIF_SETSYMLIST,
    .xxfi_connect = on_connect,
    .xxfi_helo = on_helo,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_rcpt,
    .xxfi_header = on_header,
    .xxfi_eoh = on_end_of_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_end_of_message,
    .xxfi_abort = on_abort,
    .xxfi_close = on_close,
    .xxfi_data = on_data,
    .xxfi_negotiate = on_negotiate,
};

gboolean callbacks_open(struct service *service, const char *address, GError **error)
{
    the_service = service;
    the_address = g_strdup(address);
    /* libmilter itself would take away the socket of a daemon that serves. */
    if (!socket_clear(address, error))
        return FALSE;
    /* libmilter logs its own complaints to syslog; what matters of them comes back as a return value. */
    if (smfi_setconn((char *)address) == MI_SUCCESS && smfi_settimeout(LIMIT_SILENCE_SECONDS) == MI_SUCCESS &&
        smfi_register(description) == MI_SUCCESS && smfi_opensocket(1) == MI_SUCCESS)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot listen on %s: %s", address,
                g_strerror(errno));
    return FALSE;
}

gboolean callbacks_run(void)
{
    return smfi_main() == MI_SUCCESS;
}

void callbacks_wake(void)
{
    int fd = socket_connect(the_address, NULL);
    if (fd >= 0)
        close(fd);
}

/* libmilter looks whether it shall stop only when a connection comes, or every five seconds: smfi_stop itself
 * waits for that. */
static void *wake_listener(void *stopped)
{
    while (!g_atomic_int_get((gint *)stopped)) {
        callbacks_wake();
        g_usleep(WAKE_US);
    }
    return NULL;
}

void callbacks_stop(void)
{
    gint stopped = 0;
    pthread_t waker;
    gboolean waking = pthread_create(&waker, NULL, wake_listener, &stopped) == 0;
    smfi_stop();
    g_atomic_int_set(&stopped, 1);
    if (waking)
        pthread_join(waker, NULL);
}
