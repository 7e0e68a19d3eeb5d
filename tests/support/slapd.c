#include "tests/support/slapd.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_SECONDS 20

struct slapd {
    char *directory;
    guint port, tls_port;
    char *ldap, *ldaps, *ldapi;
    char *socket;
    GPid pid; /* 0: not running */
};

/* ---- files and commands */

static void write_file(struct slapd *slapd, const char *name, const char *text)
{
    g_autofree char *path = slapd_file(slapd, name);
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
        g_error("%s", error->message);
}

char *slapd_file(struct slapd *slapd, const char *name)
{
    return g_build_filename(slapd->directory, name, NULL);
}

/* Runs a shell command in the folder; the program ends if it fails. */
static void run(struct slapd *slapd, const char *command)
{
    const char *argv[] = {"/bin/sh", "-ec", command, NULL};
    g_autofree char *output = NULL, *errors = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_sync(slapd->directory, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors,
                      &status, &error))
        g_error("%s", error->message);
    if (!g_spawn_check_wait_status(status, NULL))
        g_error("%s: %s%s", command, output, errors);
}

/* A symbolic link is removed itself, not what it leads to. */
static void remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);

    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_all(child);
    }
    g_remove(path);
}

/* A port that is free now. */
static guint free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        g_error("no free port");
    close(fd);
    return ntohs(address.sin_port);
}

/* ---- making one */

static const char CERTIFICATES[] =
    "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }\n"
    "for ca in ca other-ca; do\n"
    "    key $ca; openssl req -x509 -new -key $ca.key -subj /CN=$ca -days 2 -out $ca.pem\n"
    "done\n"
    "sign() {\n"
    "    key $1; openssl req -new -key $1.key -subj /CN=$2 -out $1.csr\n"
    "    printf '%s\\n' \"$3\" >$1.ext\n"
    "    openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out "
    "$1.crt\n"
    "}\n"
    "sign server localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1'\n"
    "sign client miji 'extendedKeyUsage=clientAuth'\n"
    "cat client.crt client.key >client.pem; chmod 600 client.pem\n";

static void write_configuration(struct slapd *slapd, const char *more)
{
    const char *top = g_getenv("MIJI_TOP") != NULL ? g_getenv("MIJI_TOP") : ".";
    g_autofree char *schema = g_build_filename(top, "ldap-schema/miji.schema", NULL), *schema_text = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf(
        "include /etc/ldap/schema/core.schema\n"
        "include /etc/ldap/schema/cosine.schema\n"
        "include /etc/ldap/schema/inetorgperson.schema\n"
        "include %1$s/miji.schema\n" /* a copy: names are words here, and the source may lie anywhere */
        "modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        "pidfile %1$s/slapd.pid\n"
        "TLSCACertificateFile %1$s/ca.pem\nTLSCertificateFile %1$s/server.crt\nTLSCertificateKeyFile "
        "%1$s/server.key\n"
        "TLSVerifyClient try\n"
        "authz-regexp ^cn=miji$ " SLAPD_ADMIN "\n"
        "authz-regexp ^gidNumber=[^,]*\\\\+uidNumber=[^,]*,cn=peercred,cn=external,cn=auth$ " SLAPD_ADMIN "\n"
        "database mdb\nsuffix " SLAPD_BASE "\nrootdn " SLAPD_ADMIN "\nrootpw \"admin secret\"\n"
        "directory %1$s/db\ndbnosync\nindex uid,mail eq\n%2$s\n",
        slapd->directory, more != NULL ? more : "");

    if (!g_file_get_contents(schema, &schema_text, NULL, &error))
        g_error("%s", error->message);
    write_file(slapd, "miji.schema", schema_text);
    write_file(slapd, "slapd.conf", text);
}

struct slapd *slapd_new(const char *ldif, const char *more_configuration)
{
    struct slapd *slapd = g_new0(struct slapd, 1);
    g_autofree char *tree = g_strconcat(
        "dn: " SLAPD_BASE "\nobjectClass: dcObject\nobjectClass: organization\ndc: x\no: x\n\n", ldif, NULL);
    g_autofree char *escaped = NULL;

    slapd->directory = g_dir_make_tmp("miji-slapd-XXXXXX", NULL);
    slapd->port = free_port();
    slapd->tls_port = free_port();
    slapd->socket = slapd_file(slapd, "ldapi");
    escaped = g_uri_escape_string(slapd->socket, NULL, FALSE);
    slapd->ldap = g_strdup_printf("ldap://127.0.0.1:%u", slapd->port);
    slapd->ldaps = g_strdup_printf("ldaps://127.0.0.1:%u", slapd->tls_port);
    slapd->ldapi = g_strdup_printf("ldapi://%s", escaped);
    run(slapd, CERTIFICATES);
    run(slapd, "mkdir db");
    write_configuration(slapd, more_configuration);
    write_file(slapd, "tree.ldif", tree);
    run(slapd, "/usr/sbin/slapadd -q -f slapd.conf -l tree.ldif");
    return slapd;
}

void slapd_free(struct slapd *slapd)
{
    if (slapd->pid != 0)
        slapd_stop(slapd);
    remove_all(slapd->directory);
    g_free(slapd->directory);
    g_free(slapd->socket);
    g_free(slapd->ldap);
    g_free(slapd->ldaps);
    g_free(slapd->ldapi);
    g_free(slapd);
}

/* ---- running */

static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean accepts(int family, const struct sockaddr *address, socklen_t length)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean accepted = connect(fd, address, length) == 0;

    close(fd);
    return accepted;
}

static gboolean is_ready(struct slapd *slapd)
{
    struct sockaddr_in tls = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons((guint16)slapd->tls_port)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};

    g_strlcpy(local.sun_path, slapd->socket, sizeof local.sun_path);
    return accepts(AF_INET, (struct sockaddr *)&tls, sizeof tls) &&
           accepts(AF_UNIX, (struct sockaddr *)&local, sizeof local);
}

void slapd_start(struct slapd *slapd)
{
    g_autofree char *urls = g_strjoin(" ", slapd->ldap, slapd->ldaps, slapd->ldapi, NULL);
    g_autofree char *configuration = slapd_file(slapd, "slapd.conf");
    const char *argv[] = {"/usr/sbin/slapd", "-d", "0", "-f", configuration, "-h", urls, NULL};
    gint64 deadline_us = g_get_monotonic_time() + READY_SECONDS * G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;

    if (!g_spawn_async(slapd->directory, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent,
                       NULL, &slapd->pid, &error))
        g_error("%s", error->message);
    while (!is_ready(slapd)) {
        if (g_get_monotonic_time() > deadline_us || waitpid(slapd->pid, NULL, WNOHANG) != 0)
            g_error("slapd does not start");
        g_usleep(10000);
    }
}

void slapd_stop(struct slapd *slapd)
{
    kill(slapd->pid, SIGKILL);
    kill(slapd->pid, SIGCONT);
    waitpid(slapd->pid, NULL, 0);
    slapd->pid = 0;
}

void slapd_freeze(struct slapd *slapd)
{
    int status;

    kill(slapd->pid, SIGSTOP);
    waitpid(slapd->pid, &status, WUNTRACED);
}

void slapd_thaw(struct slapd *slapd)
{
    kill(slapd->pid, SIGCONT);
}

const char *slapd_url(struct slapd *slapd, const char *scheme)
{
    return strcmp(scheme, "ldaps") == 0   ? slapd->ldaps
           : strcmp(scheme, "ldapi") == 0 ? slapd->ldapi
                                          : slapd->ldap;
}

guint slapd_port(struct slapd *slapd, const char *scheme)
{
    return strcmp(scheme, "ldaps") == 0 ? slapd->tls_port : slapd->port;
}

void slapd_modify(struct slapd *slapd, const char *ldif)
{
    g_autofree char *command = g_strdup_printf(
        "ldapmodify -x -H %s -D " SLAPD_ADMIN " -w 'admin secret' -f change.ldif", slapd->ldap);

    write_file(slapd, "change.ldif", ldif);
    run(slapd, command);
}
