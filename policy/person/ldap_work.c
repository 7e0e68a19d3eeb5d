#include "policy/person/ldap_backend.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "policy/person/limits.h"
#include "policy/person/server.h"

/* A search goes to a second connection when the first is lost under it, but to no third: it may be what kills
 * them. */
#define MAX_ATTEMPTS 2

static const char *url_in_use(const struct ldap_backend *ldap)
{
    return g_ptr_array_index(ldap->mapping.settings->urls, ldap->url);
}

static gboolean is_stopped(struct ldap_backend *ldap)
{
    gboolean stop;

    pthread_mutex_lock(&ldap->lock);
    stop = ldap->stop;
    pthread_mutex_unlock(&ldap->lock);
    return stop;
}

/* What the status says; takes `where` over. */
static void set_state(struct ldap_backend *ldap, gboolean connected, gboolean outage, char *where)
{
    pthread_mutex_lock(&ldap->lock);
    ldap->connected = connected;
    ldap->outage = outage;
    g_free(ldap->where);
    ldap->where = where;
    pthread_mutex_unlock(&ldap->lock);
}

static struct search *pop_waiting(struct ldap_backend *ldap)
{
    struct search *search;

    pthread_mutex_lock(&ldap->lock);
    search = g_queue_pop_head(&ldap->waiting);
    pthread_mutex_unlock(&ldap->lock);
    return search;
}

static void push_back(struct ldap_backend *ldap, struct search *search)
{
    pthread_mutex_lock(&ldap->lock);
    g_queue_push_head(&ldap->waiting, search);
    pthread_mutex_unlock(&ldap->lock);
}

/* Nothing is known of any of its questions. */
static void answer_unavailable(struct ldap_backend *ldap, struct search *search)
{
    for (guint i = 0; i < search->length; i++)
        search_question_forget(&search->questions[i]);
    directory_answer(ldap->backend.directory, search);
}

static void fail_waiting(struct ldap_backend *ldap)
{
    struct search *search;

    while ((search = pop_waiting(ldap)) != NULL)
        answer_unavailable(ldap, search);
}

/* ---- connecting */

/* An outage is over when a search is answered: a stopped server still accepts connections. */
static void set_connected(struct ldap_backend *ldap)
{
    pthread_mutex_lock(&ldap->lock);
    ldap->connected = TRUE;
    g_free(ldap->where);
    ldap->where = g_strdup(url_in_use(ldap));
    pthread_mutex_unlock(&ldap->lock);
}

/* Tries each server once, beginning with the one that worked last. */
static gboolean connect_any(struct ldap_backend *ldap)
{
    guint count = ldap->mapping.settings->urls->len;
    g_autofree char *problem = NULL;

    for (guint tried = 0; tried < count && !is_stopped(ldap); tried++) {
        g_autoptr(GError) error = NULL;

        ldap->server = server_open(ldap->mapping.settings, url_in_use(ldap), &error);
        if (ldap->server != NULL) {
            set_connected(ldap);
            return TRUE;
        }
        g_free(problem);
        problem = g_strdup(error->message);
        ldap->url = (ldap->url + 1) % count;
    }
    set_state(ldap, FALSE, TRUE, g_steal_pointer(&problem));
    return FALSE;
}

/* The connection is of no use any more. What was on the way waits again, first in the queue; what was already
 * sent twice is unavailable. */
static void disconnect(struct ldap_backend *ldap, gboolean outage, char *problem)
{
    GHashTableIter each;
    gpointer value;

    server_close(g_steal_pointer(&ldap->server));
    ldap->congested = FALSE;
    g_hash_table_iter_init(&each, ldap->open);
    while (g_hash_table_iter_next(&each, NULL, &value)) {
        struct search *search = value;

        g_hash_table_iter_steal(&each);
        for (guint i = 0; i < search->length; i++)
            search_question_forget(&search->questions[i]);
        search->incomplete = FALSE; /* it begins anew */
        if (search->attempts < MAX_ATTEMPTS)
            push_back(ldap, search);
        else
            answer_unavailable(ldap, search);
    }
    set_state(ldap, FALSE, outage, problem);
}

/* ---- time */

static void give_up_waiting(struct ldap_backend *ldap, gint64 now_us)
{
    GQueue late = G_QUEUE_INIT;
    struct search *search;

    pthread_mutex_lock(&ldap->lock);
    for (GList *link = ldap->waiting.head, *next; link != NULL; link = next) {
        next = link->next;
        if (((struct search *)link->data)->due_us > now_us)
            continue;
        g_queue_unlink(&ldap->waiting, link);
        g_queue_push_tail_link(&late, link);
    }
    pthread_mutex_unlock(&ldap->lock);
    while ((search = g_queue_pop_head(&late)) != NULL)
        answer_unavailable(ldap, search);
}

/* A server that said nothing at all since the search was sent is taken for dead, however alive its connection
 * looks (a stopped process still accepts). */
static void give_up_open(struct ldap_backend *ldap, gint64 now_us)
{
    g_autoptr(GPtrArray) late = g_ptr_array_new();
    GHashTableIter each;
    gpointer id, value;
    gboolean silent = FALSE;

    g_hash_table_iter_init(&each, ldap->open);
    while (g_hash_table_iter_next(&each, &id, &value)) {
        struct search *search = value;

        if (search->due_us > now_us)
            continue;
        g_hash_table_iter_steal(&each);
        g_ptr_array_add(late, search);
        silent = silent || ldap->heard_us < search->sent_us;
        if (!silent)
            ldap_abandon_ext(ldap->server, GPOINTER_TO_INT(id), NULL, NULL);
    }
    if (silent) {
        disconnect(ldap, TRUE, g_strdup_printf("%s: does not answer", url_in_use(ldap)));
        ldap->url = (ldap->url + 1) % ldap->mapping.settings->urls->len;
    }
    for (guint i = 0; i < late->len; i++) /* last: who hears of it may ask at once whether it is an outage */
        answer_unavailable(ldap, g_ptr_array_index(late, i));
}

static gint64 next_due(struct ldap_backend *ldap)
{
    gint64 due_us = G_MAXINT64;
    GHashTableIter each;
    gpointer value;

    pthread_mutex_lock(&ldap->lock);
    for (GList *link = ldap->waiting.head; link != NULL; link = link->next)
        due_us = MIN(due_us, ((struct search *)link->data)->due_us);
    pthread_mutex_unlock(&ldap->lock);
    g_hash_table_iter_init(&each, ldap->open);
    while (g_hash_table_iter_next(&each, NULL, &value))
        due_us = MIN(due_us, ((struct search *)value)->due_us);
    return due_us;
}

/* ---- searches */

/* A search that libldap did not take. What is wrong with the search itself is no fault of the connection. */
static void not_sent(struct ldap_backend *ldap, struct search *search, int result)
{
    gboolean hopeless =
        result == LDAP_FILTER_ERROR || result == LDAP_ENCODING_ERROR || result == LDAP_PARAM_ERROR;

    if (hopeless || search->attempts >= MAX_ATTEMPTS)
        answer_unavailable(ldap, search);
    else
        push_back(ldap, search);
    if (result == LDAP_BUSY)
        ldap->congested = TRUE;
    else if (!hopeless)
        disconnect(ldap, FALSE, g_strdup_printf("%s: connection lost", url_in_use(ldap)));
}

static void send_waiting(struct ldap_backend *ldap)
{
    struct search *search;

    ldap->congested = FALSE;
    while (ldap->server != NULL && !ldap->congested && g_hash_table_size(ldap->open) < SEARCH_MAX_OPEN &&
           (search = pop_waiting(ldap)) != NULL) {
        int result = ldap_backend_send(ldap, search);

        if (result != LDAP_SUCCESS)
            not_sent(ldap, search, result);
    }
}

static void split(struct ldap_backend *ldap, struct search *search)
{
    guint first = search->length / 2;

    for (guint part = 0; part < 2; part++) {
        guint start = part == 0 ? 0 : first, length = part == 0 ? first : search->length - first;
        struct search *half = search_new(length, search->due_us);

        for (guint i = 0; i < length; i++)
            half->questions[i].slot = g_steal_pointer(&search->questions[start + i].slot);
        push_back(ldap, half);
    }
    search_free(search);
}

static void take_message(struct ldap_backend *ldap, LDAPMessage *message)
{
    struct search *ended = ldap_backend_take(ldap, message);

    if (ended == NULL)
        return;
    if (ended->over_limit)
        split(ldap, ended);
    else
        directory_answer(ldap->backend.directory, ended);
}

static void heard(struct ldap_backend *ldap)
{
    pthread_mutex_lock(&ldap->lock);
    ldap->heard_us = g_get_monotonic_time();
    ldap->outage = FALSE;
    pthread_mutex_unlock(&ldap->lock);
}

/* Everything that is there; libldap may hold messages that the socket no longer shows. */
static void receive(struct ldap_backend *ldap)
{
    struct timeval at_once = {0, 0};

    while (ldap->server != NULL) {
        LDAPMessage *message = NULL;
        int type = ldap_result(ldap->server, LDAP_RES_ANY, LDAP_MSG_ONE, &at_once, &message);

        if (type == 0)
            return;
        if (type < 0 ||
            ldap_msgid(message) == LDAP_RES_UNSOLICITED) { /* lost, or said to be closed (RFC 4511 4.4.1) */
            ldap_msgfree(message);
            disconnect(ldap, FALSE, g_strdup_printf("%s: connection lost", url_in_use(ldap)));
            return;
        }
        heard(ldap);
        take_message(ldap, message);
        ldap_msgfree(message);
    }
}

/* Until the server or a query says something, or something is late. */
static void await(struct ldap_backend *ldap)
{
    struct pollfd fds[2] = {{.fd = ldap->wake, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    gint64 due_us = next_due(ldap), now_us = g_get_monotonic_time();
    gint64 left_ms = due_us == G_MAXINT64 ? -1 : MAX((due_us - now_us + 999) / 1000, 0);
    guint64 count;

    if (ldap->server != NULL)
        ldap_get_option(ldap->server, LDAP_OPT_DESC, &fds[1].fd);
    if (ldap->congested)
        fds[1].events |= POLLOUT;
    if (poll(fds, 2, (int)MIN(left_ms, G_MAXINT)) > 0 && (fds[0].revents & POLLIN) != 0 &&
        read(ldap->wake, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
}

static gboolean has_waiting(struct ldap_backend *ldap)
{
    gboolean waiting;

    pthread_mutex_lock(&ldap->lock);
    waiting = ldap->waiting.length > 0;
    pthread_mutex_unlock(&ldap->lock);
    return waiting;
}

void *ldap_backend_work(void *backend)
{
    struct ldap_backend *ldap = backend;

    while (!is_stopped(ldap)) {
        receive(ldap);
        give_up_waiting(ldap, g_get_monotonic_time());
        give_up_open(ldap, g_get_monotonic_time());
        if (has_waiting(ldap) && ldap->server == NULL && !connect_any(ldap))
            fail_waiting(ldap);
        send_waiting(ldap);
        if (ldap->server != NULL || !has_waiting(ldap))
            await(ldap); /* else the connection was lost while sending: again, at once */
    }
    disconnect(ldap, FALSE, NULL);
    fail_waiting(ldap);
    return NULL;
}
