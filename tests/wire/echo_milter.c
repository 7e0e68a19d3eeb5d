#include "tests/wire/echo_milter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct echo_options options;

struct session {
    GString *seen;
    GPtrArray *orders;
    unsigned long protocol; /* as agreed */
    gsize body_bytes;
    gboolean is_skipped;
};

static struct session *session_of(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (session == NULL) {
        session = g_new0(struct session, 1);
        session->seen = g_string_new(NULL);
        session->orders = g_ptr_array_new_with_free_func(g_free);
        smfi_setpriv(ctx, session);
    }
    return session;
}

/* One line of X-Seen, with those of the macros that are defined. */
G_GNUC_PRINTF(3, 4)
static void note(SMFICTX *ctx, const char *macros, const char *format, ...)
{
    GString *seen = session_of(ctx)->seen;
    g_auto(GStrv) names = g_strsplit(macros, " ", -1);
    va_list arguments;

    if (seen->len > 0)
        g_string_append(seen, "\n\t");
    va_start(arguments, format);
    g_string_append_vprintf(seen, format, arguments);
    va_end(arguments);
    for (char **name = names; *name != NULL; name++) {
        const char *value = smfi_getsymval(ctx, *name);

        if (value != NULL)
            g_string_append_printf(seen, " %s=%s", *name, value);
    }
}

static sfsistat quiet(SMFICTX *ctx, unsigned long bit)
{
    return (session_of(ctx)->protocol & bit) != 0 && !options.is_loud ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* ---- callbacks */

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                             unsigned long unused2, unsigned long unused3, unsigned long *my_actions,
                             unsigned long *my_protocol, unsigned long *my2, unsigned long *my3)
{
    session_of(ctx)->protocol = protocol & options.protocol;
    *my_actions = actions;
    *my_protocol = protocol & options.protocol;
    *my2 = *my3 = 0;
    if (options.mail_macros != NULL && (actions & SMFIF_SETSYMLIST) != 0)
        smfi_setsymlist(ctx, SMFIM_ENVFROM, (char *)options.mail_macros);
    if (options.eom_macros != NULL && (actions & SMFIF_SETSYMLIST) != 0)
        smfi_setsymlist(ctx, SMFIM_EOM, (char *)options.eom_macros);
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;

    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;

        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        port = ntohs(in->sin_port);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        port = ntohs(in6->sin6_port);
    }
    note(ctx, "j v _ {daemon_name} {client_addr}", "connect %s [%s]:%u", name, text, port);
    return quiet(ctx, SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    note(ctx, "{tls_version} {cert_subject} {cert_issuer}", "helo %s", name);
    return quiet(ctx, SMFIP_NR_HELO);
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
    g_autofree char *text = g_strjoinv(" ", argv);

    note(ctx, "i {auth_type} {auth_authen} {mail_addr} {mail_host} {client_addr} {tls_version}", "mail %s",
         text);
    if (strstr(text, "early-reject@") != NULL)
        return SMFIS_REJECT;
    if (strstr(text, "early-accept@") != NULL)
        return SMFIS_ACCEPT;
    if (strstr(text, "early-discard@") != NULL)
        return SMFIS_DISCARD;
    return quiet(ctx, SMFIP_NR_MAIL);
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
    g_autofree char *text = g_strjoinv(" ", argv);

    note(ctx, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}", "rcpt %s", text);
    if (strstr(text, "refuse@") != NULL) {
        smfi_setreply(ctx, "550", "5.1.1", "no such person");
        return SMFIS_REJECT;
    }
    if (strstr(text, "defer@") != NULL)
        return SMFIS_TEMPFAIL;
    return quiet(ctx, SMFIP_NR_RCPT);
}

static sfsistat on_data(SMFICTX *ctx)
{
    note(ctx, "i", "data");
    return quiet(ctx, SMFIP_NR_DATA);
}

static sfsistat on_unknown(SMFICTX *ctx, const char *command)
{
    note(ctx, "i", "unknown %s", command);
    return quiet(ctx, SMFIP_NR_UNKN);
}

static sfsistat on_field(SMFICTX *ctx, char *name, char *value)
{
    g_autofree char *text = g_strescape(value, NULL);

    note(ctx, "i", "field %s:%s", name, text);
    if (strcmp(name, "X-Do") == 0)
        g_ptr_array_add(session_of(ctx)->orders, g_strdup(g_strchug(value)));
    return quiet(ctx, SMFIP_NR_HDR);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    note(ctx, "i", "eoh");
    return quiet(ctx, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t length)
{
    struct session *session = session_of(ctx);

    session->body_bytes += length;
    note(ctx, "i", "body %zu", length);
    if (length >= 4 && memcmp(chunk, "SKIP", 4) == 0 && (session->protocol & SMFIP_SKIP) != 0)
        return SMFIS_SKIP;
    return quiet(ctx, SMFIP_NR_BODY);
}

/* ---- orders */

static sfsistat reply(SMFICTX *ctx, char **words, gboolean is_long)
{
    if (is_long)
        smfi_setmlreply(ctx, words[1], words[2], words[3], "and more", NULL);
    else
        smfi_setreply(ctx, words[1], words[2], words[3]);
    return words[1][0] == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

/* One edit; FALSE if the order is none. */
static gboolean edit(SMFICTX *ctx, char **words, const char *rest)
{
    if (strcmp(words[0], "addrcpt") == 0)
        smfi_addrcpt(ctx, words[1]);
    else if (strcmp(words[0], "addrcpt_par") == 0)
        smfi_addrcpt_par(ctx, words[1], words[2]);
    else if (strcmp(words[0], "delrcpt") == 0)
        smfi_delrcpt(ctx, words[1]);
    else if (strcmp(words[0], "chgfrom") == 0)
        smfi_chgfrom(ctx, words[1], words[2]);
    else if (strcmp(words[0], "addheader") == 0)
        smfi_addheader(ctx, words[1], words[2]);
    else if (strcmp(words[0], "insheader") == 0)
        smfi_insheader(ctx, atoi(words[1]), words[2], words[3]);
    else if (strcmp(words[0], "chgheader") == 0)
        smfi_chgheader(ctx, words[2], atoi(words[1]), words[3]);
    else if (strcmp(words[0], "replbody") == 0)
        smfi_replacebody(ctx, (unsigned char *)rest, (int)strlen(rest));
    else if (strcmp(words[0], "quarantine") == 0)
        smfi_quarantine(ctx, (char *)rest);
    else if (strcmp(words[0], "progress") == 0)
        smfi_progress(ctx);
    else
        return FALSE;
    return TRUE;
}

static sfsistat carry_out(SMFICTX *ctx, const char *order)
{
    g_auto(GStrv) words = g_strsplit(order, " ", 4);
    const char *rest = strchr(order, ' ') != NULL ? strchr(order, ' ') + 1 : "";

    if (edit(ctx, words, rest))
        return SMFIS_CONTINUE;
    if (strcmp(words[0], "accept") == 0)
        return SMFIS_ACCEPT;
    if (strcmp(words[0], "discard") == 0)
        return SMFIS_DISCARD;
    if (strcmp(words[0], "reject") == 0)
        return SMFIS_REJECT;
    if (strcmp(words[0], "tempfail") == 0)
        return SMFIS_TEMPFAIL;
    if (strcmp(words[0], "reply") == 0 || strcmp(words[0], "reply2") == 0)
        return reply(ctx, words, strcmp(words[0], "reply2") == 0);
    if (strcmp(words[0], "close") == 0)
        _exit(0);
    return SMFIS_CONTINUE;
}

static void forget_message(SMFICTX *ctx)
{
    struct session *session = session_of(ctx);

    g_string_truncate(session->seen, 0);
    g_ptr_array_set_size(session->orders, 0);
    session->body_bytes = 0;
}

static sfsistat on_eom(SMFICTX *ctx)
{
    struct session *session = session_of(ctx);
    sfsistat answer = SMFIS_CONTINUE;

    note(ctx, "i {mail_addr} {auth_authen}", "eom of %zu", session->body_bytes);
    smfi_addheader(ctx, "X-Seen", session->seen->str);
    for (guint i = 0; i < session->orders->len && answer == SMFIS_CONTINUE; i++)
        answer = carry_out(ctx, session->orders->pdata[i]);
    forget_message(ctx);
    return answer;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    forget_message(ctx);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct session *session = smfi_getpriv(ctx);

    if (session != NULL) {
        g_string_free(session->seen, TRUE);
        g_ptr_array_unref(session->orders);
        g_free(session);
        smfi_setpriv(ctx, NULL);
    }
    return SMFIS_CONTINUE;
}

/* ---- process */

void echo_milter_run(const char *address, const struct echo_options *wanted, int ready_fd)
{
    struct smfiDesc filter = {
        .xxfi_name = "echo",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFI_CURR_ACTS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_field,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_unknown = on_unknown,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };

    options = *wanted;
    if (smfi_setconn((char *)address) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS || write(ready_fd, "+", 1) != 1)
        _exit(1);
    close(ready_fd);
    _exit(smfi_main() == MI_SUCCESS ? 0 : 1);
}

pid_t echo_milter_start(const char *address, const struct echo_options *wanted, GError **error)
{
    int ready[2];
    char byte = 0;
    pid_t pid = -1;

    if (pipe(ready) == 0)
        pid = fork();
    if (pid < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "fork: %s", g_strerror(errno));
        return -1;
    }
    if (pid == 0) {
        close(ready[0]);
        echo_milter_run(address, wanted, ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        waitpid(pid, NULL, 0);
        pid = -1;
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "the filter cannot listen on %s", address);
    }
    close(ready[0]);
    return pid;
}

void echo_milter_stop(pid_t pid)
{
    if (pid > 0 && kill(pid, SIGKILL) == 0)
        waitpid(pid, NULL, 0);
}
