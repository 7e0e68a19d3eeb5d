#include "milter/decide/inputs.h"

#include <string.h>

#include "milter/decide/limits.h"
#include "milter/decide/session_facts.h"

struct envelope *envelope_new(void)
{
    struct envelope *envelope = g_new0(struct envelope, 1);

    envelope->sender = address_parse("<>");
    envelope->brackets = TRUE;
    envelope->recipients = g_ptr_array_new();
    return envelope;
}

static void recipient_free(struct envelope_recipient *recipient)
{
    address_free(recipient->address);
    g_free(recipient->rcpt_addr);
    g_free(recipient->rcpt_host);
    g_free(recipient->rcpt_mailer);
    g_free(recipient->notify);
    g_free(recipient->orcpt);
    g_free(recipient);
}

void envelope_free(struct envelope *envelope)
{
    if (envelope == NULL)
        return;
    address_free(envelope->sender);
    g_free(envelope->parameters);
    for (guint i = 0; i < envelope->recipients->len; i++)
        recipient_free(g_ptr_array_index(envelope->recipients, i));
    g_ptr_array_unref(envelope->recipients);
    g_free(envelope->queue_id);
    g_free(envelope);
}

struct envelope_recipient *envelope_add(struct envelope *envelope, const char *given)
{
    struct envelope_recipient *recipient = g_new0(struct envelope_recipient, 1);

    recipient->address = address_parse(given);
    g_ptr_array_add(envelope->recipients, recipient);
    return recipient;
}

void envelope_set_sender(struct envelope *envelope, const char *given, const char *parameters)
{
    address_free(envelope->sender);
    envelope->sender = address_parse(given);
    envelope->brackets = given[0] == '<';
    g_free(envelope->parameters);
    envelope->parameters = g_strdup(parameters);
}

/* Is it only a % or ! that makes the address strange? */
static gboolean is_routed_by_mark_only(const struct address *address)
{
    g_autofree char *without = g_strdup(address->given);

    g_strdelimit(without, "%!", 'x');
    g_autoptr(address) plain = address_parse(without);
    return plain->form == ADDRESS_PLAIN;
}

gboolean inputs_is_strange(const struct snapshot *snapshot, const struct address *address)
{
    if (address->form == ADDRESS_PLAIN)
        return FALSE;
    if (address->form == ADDRESS_NULL || !is_routed_by_mark_only(address))
        return TRUE;
    return zones_is_inside(snapshot->zones, address->domain);
}

static void ask_address(struct directory_query *query, const struct snapshot *snapshot,
                        const struct address *address)
{
    g_autofree char *untagged = address_untagged(address, snapshot->policy->recipient_delimiter);

    directory_query_add(query, ASK_ADDRESS, address->canonical);
    if (untagged != NULL)
        directory_query_add(query, ASK_ADDRESS, untagged);
}

void inputs_ask_sender(struct directory_query *query, const struct snapshot *snapshot,
                       const struct session *session, const struct envelope *envelope)
{
    const struct policy *policy = snapshot->policy;
    const char *login = session_login(policy, session), *certificate = session_certificate(policy, session);
    g_autofree char *account = login != NULL ? session_account(snapshot->zones, login) : NULL;

    if (login != NULL)
        directory_query_add(query, ASK_LOGIN, login);
    if (account != NULL)
        directory_query_add(query, ASK_LOGIN, account);
    if (certificate != NULL)
        directory_query_add(query, ASK_CERTIFICATE, certificate);
    if (envelope->sender->form == ADDRESS_PLAIN &&
        (login != NULL || certificate != NULL || session_is_local(session, envelope) ||
         session_vouches(snapshot->zones, session) || session_device(policy, session, envelope) != NULL))
        ask_address(query, snapshot, envelope->sender);
}

void inputs_ask_recipient(struct directory_query *query, const struct snapshot *snapshot,
                          const struct envelope_recipient *recipient)
{
    if (!inputs_is_strange(snapshot, recipient->address))
        ask_address(query, snapshot, recipient->address);
}

struct address *inputs_mailbox(const struct fact_mailbox *mailbox)
{
    if (memchr(mailbox->address.data, '\0', mailbox->address.length) != NULL)
        return NULL;
    return address_parse(mailbox->address.data);
}

/* The canonical addresses of the authors that have a tag, as often as they stand there; one more than the
 * limit tells that there are too many. */
static GPtrArray *tagged_authors(const struct snapshot *snapshot, const struct facts *facts)
{
    GPtrArray *tagged = g_ptr_array_new_with_free_func(g_free);

    if (snapshot->policy->recipient_delimiter == NULL)
        return tagged;
    for (guint i = 0; i < facts->mailbox_count && tagged->len <= TAGGED_AUTHORS; i++) {
        g_autoptr(address) address = inputs_mailbox(&facts->mailboxes[i]);
        g_autofree char *untagged =
            address != NULL ? address_untagged(address, snapshot->policy->recipient_delimiter) : NULL;
        if (untagged != NULL)
            g_ptr_array_add(tagged, g_strdup(address->canonical));
    }
    return tagged;
}

gboolean inputs_tagged_authors_asked(const struct snapshot *snapshot, const struct facts *facts)
{
    g_autoptr(GPtrArray) tagged = tagged_authors(snapshot, facts);

    return tagged->len <= TAGGED_AUTHORS;
}

void inputs_ask_authors(struct directory_query *query, const struct snapshot *snapshot,
                        const struct session *session, const struct facts *facts)
{
    const struct policy *policy = snapshot->policy;

    if (session_login(policy, session) == NULL && session_certificate(policy, session) == NULL &&
        !session_vouches(snapshot->zones, session))
        return; /* nobody's own anyway */
    g_autoptr(GPtrArray) tagged = tagged_authors(snapshot, facts);
    for (guint i = 0; i < tagged->len && tagged->len <= TAGGED_AUTHORS; i++)
        directory_query_add(query, ASK_ADDRESS, g_ptr_array_index(tagged, i));
}

struct person_answer inputs_person(const struct inputs *inputs, const struct address *address)
{
    struct person_answer answer = directory_query_answer(inputs->people, ASK_ADDRESS, address->canonical);

    if (answer.state == ANSWER_ABSENT) {
        g_autofree char *untagged = address_untagged(address, inputs->snapshot->policy->recipient_delimiter);
        if (untagged != NULL)
            return directory_query_answer(inputs->people, ASK_ADDRESS, untagged);
    }
    return answer;
}
