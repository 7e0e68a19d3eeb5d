#include "policy/person/ldap_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/person/password.h"

/* What Debian's libldap trusts when its own configuration is not asked. */
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"
/* GnuTLS still speaks TLS 1.0 by itself. */
#define GNUTLS_CIPHERS "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* A context of libldap and the files that it was made of. Never freed: nothing public of libldap does. */
struct context {
    char *ca_file, *certificate_file; /* the latter may be NULL */
    struct stat ca, certificate;
    void *context;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *contexts; /* struct context *; guarded by lock */

const char *ldap_tls_ca_file(const struct directory_settings *settings)
{
    return settings->ca_file != NULL ? settings->ca_file : SYSTEM_CA_FILE;
}

static gboolean fail(const char *path, const char *problem, GError **error)
{
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE, "%s: %s", path, problem);
    return FALSE;
}

static gboolean is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The files that a context for these settings is made of, as they are now. The one with the key keeps a
 * secret. */
static gboolean look(struct context *context, const struct directory_settings *settings, GError **error)
{
    int fd;
    gboolean good;

    *context = (struct context){.ca_file = (char *)ldap_tls_ca_file(settings)};
    if (stat(context->ca_file, &context->ca) != 0)
        return fail(context->ca_file, g_strerror(errno), error);
    if (settings->bind != BIND_CERTIFICATE)
        return TRUE;
    context->certificate_file = settings->bind_certificate_file;
    fd = open(context->certificate_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail(context->certificate_file, g_strerror(errno), error);
    good = secret_file_check(fd, context->certificate_file, error);
    if (good && fstat(fd, &context->certificate) != 0)
        good = fail(context->certificate_file, g_strerror(errno), error);
    close(fd);
    return good;
}

/* The context that was made of just these files, or NULL. */
static void *find(const struct context *wanted)
{
    void *found = NULL;

    pthread_mutex_lock(&lock);
    for (guint i = 0; contexts != NULL && found == NULL && i < contexts->len; i++) {
        const struct context *context = g_ptr_array_index(contexts, i);

        if (g_strcmp0(context->ca_file, wanted->ca_file) == 0 &&
            g_strcmp0(context->certificate_file, wanted->certificate_file) == 0 &&
            is_same_file(&context->ca, &wanted->ca) &&
            is_same_file(&context->certificate, &wanted->certificate))
            found = context->context;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void keep(const struct context *context)
{
    struct context *copy = g_new(struct context, 1);

    *copy = *context;
    copy->ca_file = g_strdup(context->ca_file);
    copy->certificate_file = g_strdup(context->certificate_file);
    pthread_mutex_lock(&lock);
    if (contexts == NULL)
        contexts = g_ptr_array_new();
    g_ptr_array_add(contexts, copy);
    pthread_mutex_unlock(&lock);
}

static gboolean is_gnutls(void)
{
    char *package = NULL;
    gboolean gnutls;

    ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &package);
    gnutls = g_strcmp0(package, "GnuTLS") == 0;
    ldap_memfree(package);
    return gnutls;
}

/* Makes a context in the handle. The new context, to keep. */
static void *make(LDAP *server, const struct context *files, GError **error)
{
    int minimum = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
    void *context = NULL;

    if (ldap_set_option(server, LDAP_OPT_X_TLS_PROTOCOL_MIN, &minimum) == LDAP_OPT_SUCCESS &&
        ldap_set_option(server, LDAP_OPT_X_TLS_CACERTDIR, NULL) == LDAP_OPT_SUCCESS &&
        ldap_set_option(server, LDAP_OPT_X_TLS_CACERTFILE, files->ca_file) == LDAP_OPT_SUCCESS &&
        ldap_set_option(server, LDAP_OPT_X_TLS_CERTFILE, files->certificate_file) == LDAP_OPT_SUCCESS &&
        ldap_set_option(server, LDAP_OPT_X_TLS_KEYFILE, files->certificate_file) == LDAP_OPT_SUCCESS &&
        (!is_gnutls() ||
         ldap_set_option(server, LDAP_OPT_X_TLS_CIPHER_SUITE, GNUTLS_CIPHERS) == LDAP_OPT_SUCCESS) &&
        ldap_set_option(server, LDAP_OPT_X_TLS_NEWCTX, &client) ==
            LDAP_OPT_SUCCESS && /* last: of all options before */
        ldap_get_option(server, LDAP_OPT_X_TLS_CTX, &context) == LDAP_OPT_SUCCESS &&
        context != NULL)
        return context;
    g_set_error(error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE, "the certificates of %s%s%s cannot be used",
                files->ca_file, files->certificate_file != NULL ? " and " : "",
                files->certificate_file != NULL ? files->certificate_file : "");
    return NULL;
}

gboolean ldap_tls_set(LDAP *server, const struct directory_settings *settings, GError **error)
{
    int demand = LDAP_OPT_X_TLS_DEMAND;
    struct context context;
    void *known;

    if (!look(&context, settings, error))
        return FALSE;
    if (ldap_set_option(server, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != LDAP_OPT_SUCCESS)
        return fail(context.ca_file, "libldap refuses to demand a certificate", error);
    known = find(&context);
    if (known != NULL)
        return ldap_set_option(server, LDAP_OPT_X_TLS_CTX, known) == LDAP_OPT_SUCCESS ||
               fail(context.ca_file, "libldap refuses a TLS context", error);
    context.context = make(server, &context, error);
    if (context.context == NULL)
        return FALSE;
    keep(&context);
    return TRUE;
}
