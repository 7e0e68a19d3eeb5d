#include "milter/cli/doctor.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

/* The address in one element of a milter list: "unix:/x", "inet:h:1", "{ unix:/x, default_action=accept }".
 * New. */
static char *milter_address(const char *element)
{
    if (*element != '{')
        return g_strdup(element);
    g_auto(GStrv) parts = postfix_list(element + 1);
    return g_strdup(parts[0] ? parts[0] : "");
}

/* A socket address in one form for both languages: "/real/path" or "inet:host:port". New. */
static char *real_address(const char *address, gboolean chroot, const char *queue_directory)
{
    if (g_str_has_prefix(address, "unix:") || g_str_has_prefix(address, "local:") || *address == '/') {
        const char *path = *address == '/' ? address : strchr(address, ':') + 1;
        if (chroot || *path != '/')
            return g_strdup_printf("%s%s%s", queue_directory, *path == '/' ? "" : "/", path);
        return g_strdup(path);
    }
    const char *rest = g_str_has_prefix(address, "inet:") ? address + 5 : address;
    const char *at = strchr(rest, '@');
    if (at)
        return g_strdup_printf("inet:%s:%.*s", at + 1, (int)(at - rest), rest);
    return g_strdup_printf("inet:%s", rest);
}

int milter_position(const struct examination *e, char **list, gboolean chroot, enum socket_role role)
{
    const struct listener *listener = conf_listener(e->snapshot->conf, role);
    if (!listener)
        return -1;
    g_autofree char *ours = real_address(listener->address, FALSE, "");
    for (int i = 0; list[i]; i++) {
        g_autofree char *address = milter_address(list[i]);
        g_autofree char *real = real_address(address, chroot, postfix_setting(e->postfix, "queue_directory"));
        if (strcmp(ours, real) == 0)
            return i;
    }
    return -1;
}

gboolean milter_is_signer(const char *element)
{
    static const char *const names[] = {"dkim", "arc", "rspamd", "8891"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strstr(element, names[i]))
            return TRUE;
    return FALSE;
}

/* What Miji writes must be signed, and what others write must be seen: signers behind us, everybody else
 * before. */
static void examine_order(struct examination *e, char **list, int ours)
{
    for (int i = 0; list[i]; i++) {
        if (i < ours && milter_is_signer(list[i]))
            examination_find(e, DOCTOR_FAIL, "milter-order",
                             message_make(MSG_DOC_SIGNER_BEFORE, list[i], NULL),
                             message_make(MSG_DOC_SIGNER_BEFORE_HELP, NULL));
        else if (i > ours && !milter_is_signer(list[i]))
            examination_find(e, DOCTOR_WARNING, "milter-order",
                             message_make(MSG_DOC_MILTER_AFTER, list[i], NULL),
                             message_make(MSG_DOC_MILTER_AFTER_HELP, NULL));
    }
}

void examine_default_action(struct examination *e, const struct postfix_service *service, const char *element)
{
    const char *own = strstr(element, "default_action");
    const char *value = postfix_service_setting(e->postfix, service, "milter_default_action");
    g_autofree char *word = NULL;
    if (own) {
        g_auto(GStrv) parts = g_strsplit_set(own, "=,} \t", -1);
        for (char **part = parts + 1; *part; part++)
            if (**part) {
                word = g_strdup(*part);
                break;
            }
    }
    value = word ? word : value;
    if (strcmp(value, "tempfail") == 0 || strcmp(value, "shutdown") == 0 || strcmp(value, "reject") == 0)
        examination_find(e, DOCTOR_GOOD, "default-action", message_make(MSG_DOC_DEFAULT_ACTION, value, NULL),
                         message_make(MSG_NONE, NULL));
    else
        examination_find(e, DOCTOR_FAIL, "default-action", message_make(MSG_DOC_DEFAULT_ACTION, value, NULL),
                         message_make(MSG_DOC_DEFAULT_ACTION_HELP, NULL));
}

/* May Postfix's user write to the socket? */
static gboolean may_connect(const char *user, const struct stat *st)
{
    const struct passwd *passwd = getpwnam(user);
    if (!passwd)
        return FALSE;
    if (st->st_uid == passwd->pw_uid)
        return (st->st_mode & S_IWUSR) != 0;
    gboolean in_group = st->st_gid == passwd->pw_gid;
    const struct group *group = getgrgid(st->st_gid);
    for (char **member = group ? group->gr_mem : NULL; member && *member; member++)
        in_group = in_group || strcmp(*member, user) == 0;
    return (st->st_mode & (in_group ? S_IWGRP : S_IWOTH)) != 0;
}

void examine_socket(struct examination *e, enum socket_role role)
{
    const struct listener *listener = conf_listener(e->snapshot->conf, role);
    g_autofree char *path = listener ? real_address(listener->address, FALSE, "") : NULL;
    struct stat st;
    if (!e->host || !path || *path != '/')
        return;
    const char *owner = postfix_setting(e->postfix, "mail_owner");
    if (stat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        examination_find(e, DOCTOR_FAIL, "socket", message_make(MSG_DOC_NO_SOCKET, path, NULL),
                         message_make(MSG_DOC_NO_SOCKET_HELP, NULL));
    else if (!may_connect(owner, &st))
        examination_find(e, DOCTOR_FAIL, "socket", message_make(MSG_DOC_SOCKET_RIGHTS, owner, path, NULL),
                         message_make(MSG_DOC_SOCKET_RIGHTS_HELP, owner, NULL));
    else
        examination_find(e, DOCTOR_GOOD, "socket", message_make(MSG_DOC_SOCKET, owner, path, NULL),
                         message_make(MSG_NONE, NULL));
}

static gboolean any_chroot(const struct examination *e, const char *program)
{
    for (guint i = 0; i < e->postfix->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(e->postfix->services, i);
        if (service->chroot && strcmp(service->program, program) == 0)
            return TRUE;
    }
    return FALSE;
}

static void examine_list(struct examination *e, const char *setting, const char *program,
                         enum socket_role role)
{
    const char *value = postfix_setting(e->postfix, setting);
    g_auto(GStrv) list = postfix_list(value);
    gboolean chroot = any_chroot(e, program);
    int ours = milter_position(e, list, chroot, role);
    /* Without a local socket the smtp one serves both. */
    if (ours < 0 && role == ROLE_LOCAL && !conf_listener(e->snapshot->conf, ROLE_LOCAL))
        ours = milter_position(e, list, chroot, ROLE_SMTP);
    const struct listener *listener = conf_listener(e->snapshot->conf, role);
    const char *address = listener ? listener->address : conf_listener(e->snapshot->conf, ROLE_SMTP)->address;
    if (ours < 0) {
        examination_find(e, DOCTOR_FAIL, setting,
                         message_make(MSG_DOC_NOT_IN_LIST, setting, *value ? value : "(empty)", NULL),
                         chroot ? message_make(MSG_DOC_NOT_IN_LIST_CHROOT, program,
                                               postfix_setting(e->postfix, "queue_directory"), NULL)
                                : message_make(MSG_DOC_NOT_IN_LIST_HELP, setting, address, NULL));
        return;
    }
    examination_find(e, DOCTOR_GOOD, setting, message_make(MSG_DOC_IN_LIST, setting, address, NULL),
                     message_make(MSG_NONE, NULL));
    examine_order(e, list, ours);
    examine_default_action(e, NULL, list[ours]);
}

/* A service that has a list of its own, or none, passes Miji by. The release listener has one that is looked
 * at elsewhere. */
static void examine_services(struct examination *e)
{
    const struct postfix_service *release = release_service(e);
    for (guint i = 0; i < e->postfix->services->len; i++) {
        const struct postfix_service *service = g_ptr_array_index(e->postfix->services, i);
        const char *milters = g_hash_table_lookup(service->overrides, "smtpd_milters");
        const char *options = g_hash_table_lookup(service->overrides, "receive_override_options");
        g_autofree char *name = g_strdup_printf("%s/%s", service->name, service->type);
        g_auto(GStrv) list = postfix_list(milters ? milters : "");
        if (milters && service != release && milter_position(e, list, service->chroot, ROLE_SMTP) < 0)
            examination_find(e, DOCTOR_FAIL, "service-milters",
                             message_make(MSG_DOC_SERVICE_MILTERS, name, milters, NULL),
                             message_make(MSG_DOC_SERVICE_MILTERS_HELP, NULL));
        if (options && strstr(options, "no_milters"))
            examination_find(e, DOCTOR_FAIL, "no-milters",
                             message_make(MSG_DOC_SERVICE_NO_MILTERS, name, NULL),
                             message_make(MSG_DOC_NO_MILTERS_HELP, NULL));
    }
    if (strstr(postfix_setting(e->postfix, "receive_override_options"), "no_milters"))
        examination_find(e, DOCTOR_FAIL, "no-milters", message_make(MSG_DOC_NO_MILTERS, NULL),
                         message_make(MSG_DOC_NO_MILTERS_HELP, NULL));
    const char *maps = postfix_setting(e->postfix, "smtpd_milter_maps");
    if (*maps)
        examination_find(e, DOCTOR_WARNING, "milter-maps", message_make(MSG_DOC_MILTER_MAPS, maps, NULL),
                         message_make(MSG_DOC_MILTER_MAPS_HELP, NULL));
}

void examine_milters(struct examination *e)
{
    examine_list(e, "smtpd_milters", "smtpd", ROLE_SMTP);
    examine_list(e, "non_smtpd_milters", "cleanup", ROLE_LOCAL);
    examine_services(e);
    examine_socket(e, ROLE_SMTP);
    examine_socket(e, ROLE_LOCAL);
    examine_socket(e, ROLE_RELEASE);
}
