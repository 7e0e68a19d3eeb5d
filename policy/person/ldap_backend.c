#include "policy/person/ldap_backend.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "policy/person/limits.h"
#include "policy/person/server.h"

static void wake(struct ldap_backend *ldap)
{
    guint64 one = 1;

    /* It can only fail when it is full, and then the thread is awake. */
    if (write(ldap->wake, &one, sizeof one) < 0)
        return;
}

/* With the lock held. Signals are for the threads that wait for them. */
static gboolean start(struct ldap_backend *ldap)
{
    sigset_t all, before;

    if (ldap->started)
        return TRUE;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ldap->started = pthread_create(&ldap->thread, NULL, ldap_backend_work, ldap) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ldap->started;
}

static void ldap_ask(struct backend *backend, struct search *search)
{
    struct ldap_backend *ldap = (struct ldap_backend *)backend;
    gboolean taken;

    pthread_mutex_lock(&ldap->lock);
    taken = ldap->waiting.length < SEARCH_MAX_WAITING && start(ldap);
    if (taken)
        g_queue_push_tail(&ldap->waiting, search);
    pthread_mutex_unlock(&ldap->lock);
    if (taken)
        wake(ldap);
    else
        directory_answer(backend->directory, search);
}

/* A server from which nobody heard anything meanwhile is out of reach, also before the thread found out. */
static gboolean ldap_outage(struct backend *backend, gint64 since_us)
{
    struct ldap_backend *ldap = (struct ldap_backend *)backend;
    gboolean outage;

    pthread_mutex_lock(&ldap->lock);
    outage = ldap->outage || ldap->heard_us < since_us;
    pthread_mutex_unlock(&ldap->lock);
    return outage;
}

static void ldap_status(struct backend *backend, struct directory_status *status)
{
    struct ldap_backend *ldap = (struct ldap_backend *)backend;

    pthread_mutex_lock(&ldap->lock);
    status->connected = ldap->connected;
    status->where = g_strdup(ldap->where != NULL ? ldap->where : "not asked yet");
    pthread_mutex_unlock(&ldap->lock);
}

/* Waits for the thread: at once when it waits itself, else until it has opened the connection or failed to.
 */
static void ldap_close(struct backend *backend)
{
    struct ldap_backend *ldap = (struct ldap_backend *)backend;
    gboolean started;

    pthread_mutex_lock(&ldap->lock);
    ldap->stop = TRUE;
    started = ldap->started;
    pthread_mutex_unlock(&ldap->lock);
    wake(ldap);
    if (started)
        pthread_join(ldap->thread, NULL);
    g_hash_table_unref(ldap->open);
    pthread_mutex_destroy(&ldap->lock);
    close(ldap->wake);
    person_filter_free(ldap->filter);
    g_free(ldap->attributes);
    g_free(ldap->where);
    g_free(ldap);
}

static const struct backend_kind LDAP_BACKEND = {
    .ask = ldap_ask, .outage = ldap_outage, .status = ldap_status, .close = ldap_close};

struct backend *backend_ldap_new(const struct directory_settings *settings, struct schemes *schemes,
                                 GError **error)
{
    g_autoptr(person_filter) filter = person_filter_parse(settings->person_filter, error);
    struct ldap_backend *ldap;
    int descriptor;

    if (filter == NULL || !server_check(settings, error))
        return NULL;
    descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0) {
        g_set_error_literal(error, DIRECTORY_ERROR, DIRECTORY_ERROR_SERVER, "too many open files");
        return NULL;
    }
    ldap = g_new0(struct ldap_backend, 1);
    ldap->backend.kind = &LDAP_BACKEND;
    ldap->filter = g_steal_pointer(&filter);
    ldap->mapping = (struct mapping){settings, ldap->filter, schemes};
    ldap->attributes = mapping_attributes(&ldap->mapping);
    ldap->wake = descriptor;
    ldap->open = g_hash_table_new(NULL, NULL);
    g_queue_init(&ldap->waiting);
    pthread_mutex_init(&ldap->lock, NULL);
    return &ldap->backend;
}
