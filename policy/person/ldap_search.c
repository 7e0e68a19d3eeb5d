#include "policy/person/ldap_backend.h"

#include "policy/person/address.h"
#include "policy/person/limits.h"

/* Enough to see that two entries answer one question; more than this is a directory that answers with
 * everybody. */
#define ENTRIES_PER_QUESTION 2
#define ENTRIES_TO_SPARE 2

/* The one entry that a search for a group reads; NULL: it looks for people. */
static const char *group_dn(const struct search *search)
{
    const struct slot *slot = search->questions[0].slot;

    return slot->kind == ASK_MEMBERS ? slot->value : NULL;
}

int ldap_backend_send(struct ldap_backend *ldap, struct search *search)
{
    const struct directory_settings *settings = ldap->mapping.settings;
    const char *group = group_dn(search), *base = group != NULL ? group : settings->base;
    const char *const *attributes = group != NULL ? group_attributes : (const char *const *)ldap->attributes;
    g_autofree char *filter =
        group != NULL ? g_strdup("(objectClass=*)") : person_filter_search(ldap->filter, settings, search);
    struct timeval limit = {.tv_sec = (settings->answer_within_ms + 999) / 1000};
    int id = -1, result;

    result = ldap_search_ext(ldap->server, base != NULL ? base : "",
                             group != NULL ? LDAP_SCOPE_BASE : LDAP_SCOPE_SUBTREE, filter,
                             (char **)attributes, 0, NULL, NULL, &limit,
                             (int)(search->length * ENTRIES_PER_QUESTION + ENTRIES_TO_SPARE), &id);
    search->attempts += result != LDAP_BUSY;
    if (result != LDAP_SUCCESS)
        return result;
    search->sent_us = g_get_monotonic_time();
    g_hash_table_insert(ldap->open, GINT_TO_POINTER(id), search);
    directory_count_search(ldap->backend.directory);
    return LDAP_SUCCESS;
}

static void add_values(struct entry *entry, const struct berval *name, const struct berval *values)
{
    g_autofree char *text = g_strndup(name->bv_val, name->bv_len);

    for (guint i = 0; values != NULL && values[i].bv_val != NULL; i++)
        entry_add(entry, text, values[i].bv_val, values[i].bv_len);
}

/* The entry of a message; NULL if it cannot be read. */
static struct entry *read_entry(LDAP *server, LDAPMessage *message)
{
    g_autoptr(entry) entry = NULL;
    BerElement *rest = NULL;
    struct berval name, *values = NULL;
    int result = ldap_get_dn_ber(server, message, &rest, &name);

    if (result == LDAP_SUCCESS) {
        g_autofree char *dn = g_strndup(name.bv_val, name.bv_len);

        entry = entry_new(dn);
        if (!g_utf8_validate(dn, -1, NULL))
            result = LDAP_DECODING_ERROR;
    }
    while (result == LDAP_SUCCESS) {
        result = ldap_get_attribute_ber(server, message, rest, &name, &values);
        if (result != LDAP_SUCCESS || name.bv_val == NULL)
            break;
        add_values(entry, &name, values);
        ber_memfree(values);
        values = NULL;
    }
    ber_memfree(values);
    ber_free(rest, 0);
    return result == LDAP_SUCCESS ? g_steal_pointer(&entry) : NULL;
}

static void take_entry(struct ldap_backend *ldap, struct search *search, LDAPMessage *message)
{
    g_autoptr(entry) entry = read_entry(ldap->server, message);
    g_autoptr(person) person = NULL;

    if (entry == NULL) {
        search->incomplete = TRUE;
        return;
    }
    person = person_of_entry(&ldap->mapping, entry);
    for (guint i = 0; i < search->length; i++) {
        const struct slot *slot = search->questions[i].slot;

        if (person_answers(person, slot->kind, slot->value))
            search_question_found(&search->questions[i], person);
    }
}

/* Was everything sent that belongs to the answer? Then who was not found is not there. */
static void settle(struct search *search, gboolean whole)
{
    for (guint i = 0; i < search->length; i++) {
        struct search_question *question = &search->questions[i];

        if (whole && question->state == ANSWER_UNAVAILABLE)
            question->state = ANSWER_ABSENT;
        if (!whole)
            search_question_forget(question);
    }
}

/* What the server said, fit for logs and terminals. */
static char *refusal_text(int result, const char *words)
{
    g_autofree char *shown = address_printable(words != NULL ? words : "");

    return g_strdup_printf("%s%s%s", ldap_err2string(result), shown[0] != '\0' ? ": " : "", shown);
}

/* What the status says of the server in use; takes `problem` over, NULL for none. */
static void note(struct ldap_backend *ldap, char *problem)
{
    const char *url = g_ptr_array_index(ldap->mapping.settings->urls, ldap->url);

    if (problem == NULL && !ldap->troubled)
        return;
    ldap->troubled = problem != NULL;
    pthread_mutex_lock(&ldap->lock);
    g_free(ldap->where);
    ldap->where = problem != NULL ? g_strdup_printf("%s: %s", url, problem) : g_strdup(url);
    pthread_mutex_unlock(&ldap->lock);
    g_free(problem);
}

/* A server may give fewer entries than a full search has questions: those are asked again in smaller
 * searches. */
static gboolean is_over_limit(const struct search *search, int result)
{
    return (result == LDAP_SIZELIMIT_EXCEEDED || result == LDAP_ADMINLIMIT_EXCEEDED) && search->length > 1;
}

/* One question, more entries than can be right, and two of them answered it. */
static gboolean is_crowded(const struct search *search, int result)
{
    return result == LDAP_SIZELIMIT_EXCEEDED && search->length == 1 &&
           search->questions[0].state == ANSWER_AMBIGUOUS;
}

static void take_result(struct ldap_backend *ldap, struct search *search, LDAPMessage *message)
{
    int result = LDAP_DECODING_ERROR;
    char *words = NULL;

    if (ldap_parse_result(ldap->server, message, &result, NULL, &words, NULL, NULL, 0) != LDAP_SUCCESS)
        result = LDAP_DECODING_ERROR;
    if (result == LDAP_NO_SUCH_OBJECT && group_dn(search) != NULL)
        result = LDAP_SUCCESS; /* that is the answer: there is no such group */
    search->over_limit = is_over_limit(search, result);
    if (!is_crowded(search, result)) {
        settle(search, result == LDAP_SUCCESS && !search->incomplete);
        if (search->incomplete)
            note(ldap, g_strdup("the answer is not whole: parts of the base lie on other servers, or an "
                                "entry cannot be read"));
        else if (result == LDAP_SUCCESS || search->over_limit)
            note(ldap, NULL);
        else
            note(ldap, refusal_text(result, words));
    }
    ldap_memfree(words);
}

struct search *ldap_backend_take(struct ldap_backend *ldap, LDAPMessage *message)
{
    gpointer id = GINT_TO_POINTER(ldap_msgid(message));
    struct search *search = g_hash_table_lookup(ldap->open, id);

    if (search == NULL)
        return NULL; /* given up meanwhile */
    switch (ldap_msgtype(message)) {
    case LDAP_RES_SEARCH_ENTRY:
        take_entry(ldap, search, message);
        return NULL;
    case LDAP_RES_SEARCH_REFERENCE:
        search->incomplete = TRUE;
        return NULL;
    case LDAP_RES_SEARCH_RESULT:
        take_result(ldap, search, message);
        g_hash_table_remove(ldap->open, id);
        return search;
    default:
        return NULL; /* libldap's numbers: nothing else answers a search */
    }
}
