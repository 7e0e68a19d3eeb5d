#include "tests/wire/mta_message.h"
#include "tests/wire/mta_macros.h"
#include "tests/wire/mta_private.h"

#include <arpa/inet.h>
#include <string.h>

static struct mta_state *state_of(struct mta *mta)
{
    static const struct mta_client defaults;

    if (mta->state == NULL) {
        mta->state = mta_state_new(&defaults);
        mta->free_state = mta_state_free;
    }
    return mta->state;
}

/* Macros, then the event. Postfix sends the macros even where the event itself is not wanted. */
static bool play(struct mta *mta, const struct mta_packet *event, struct mta_reply **reply, GError **error)
{
    bool is_terse =
        state_of(mta)->client.is_terse && (event->command == SMFIC_HEADER || event->command == SMFIC_BODY);
    g_auto(GStrv) macros = is_terse ? NULL : mta_state_macros(mta->state, &mta->terms, event->command);

    if (reply != NULL)
        *reply = NULL;
    if (mta->owes_abort) {
        mta->owes_abort = false;
        if (!mta_send_packet(mta, SMFIC_ABORT, NULL, 0, error))
            return false;
    }
    if (!is_terse && !mta_send_macros(mta, event->command, (const char *const *)macros, error))
        return false;
    return mta_event(mta, event, reply, error);
}

static bool play_bytes(struct mta *mta, char event, const GByteArray *data, struct mta_reply **reply,
                       GError **error)
{
    struct mta_packet packet = {event, (const char *)data->data, data->len};

    return play(mta, &packet, reply, error);
}

static void add_text(GByteArray *data, const char *text)
{
    g_byte_array_append(data, (const guint8 *)text, (guint)strlen(text) + 1);
}

/* ---- session */

struct mta *mta_open_session(const char *address, const struct mta_client *client, GError **error)
{
    g_autoptr(mta) mta = mta_open(address, error);
    g_autoptr(mta_reply) reply = NULL;

    if (mta == NULL || !mta_negotiate(mta, &mta_offer_postfix, error) ||
        !mta_start(mta, client, &reply, error))
        return NULL;
    if (!mta_reply_is_positive(reply)) {
        g_autofree char *text = mta_reply_format(reply);

        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "client refused at '%c': %s", reply->stage, text);
        return NULL;
    }
    return g_steal_pointer(&mta);
}

static bool play_connect(struct mta *mta, struct mta_reply **reply, GError **error)
{
    const struct mta_client *client = &mta->state->client;
    bool is_ipv6 = strchr(client->address, ':') != NULL;
    uint16_t port = htons((uint16_t)client->port);
    g_autoptr(GByteArray) data = g_byte_array_new();

    add_text(data, client->name);
    g_byte_array_append(data, (const guint8 *)(is_ipv6 ? "6" : "4"), 1);
    g_byte_array_append(data, (const guint8 *)&port, sizeof port);
    add_text(data, client->address);
    return play_bytes(mta, SMFIC_CONNECT, data, reply, error);
}

bool mta_helo(struct mta *mta, const char *name, struct mta_reply **reply, GError **error)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    add_text(data, name);
    return play_bytes(mta, SMFIC_HELO, data, reply, error);
}

/* STARTTLS: Postfix forgets the first HELO, which it says with an ABORT, and hears another one. */
static bool play_helo(struct mta *mta, struct mta_reply **reply, GError **error)
{
    struct mta_state *state = mta->state;
    g_autoptr(mta_reply) first = NULL;

    if (!mta_helo(mta, state->client.helo, &first, error))
        return false;
    if (state->client.tls_version == NULL || !mta_reply_is_positive(first)) {
        *reply = g_steal_pointer(&first);
        return true;
    }
    state->is_tls = true;
    return mta_abort(mta, error) && mta_helo(mta, state->client.helo, reply, error);
}

bool mta_start(struct mta *mta, const struct mta_client *client, struct mta_reply **reply, GError **error)
{
    g_autoptr(mta_reply) own = NULL;
    bool ok;

    if (mta->state != NULL)
        mta_state_free(mta->state);
    mta->state = mta_state_new(client);
    mta->free_state = mta_state_free;
    ok = play_connect(mta, &own, error);
    if (ok && mta_reply_is_positive(own)) {
        g_clear_pointer(&own, mta_reply_free);
        ok = play_helo(mta, &own, error);
    }
    if (reply != NULL)
        *reply = g_steal_pointer(&own);
    return ok;
}

/* ---- message */

/* "<a@x> RET=HDRS" → "<a@x>" NUL "RET=HDRS" NUL */
static bool play_command(struct mta *mta, char event, const char *text, struct mta_reply **reply,
                         GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autoptr(GByteArray) data = g_byte_array_new();

    for (char **word = words; *word != NULL; word++)
        add_text(data, *word);
    if (data->len == 0)
        add_text(data, "");
    return play_bytes(mta, event, data, reply, error);
}

bool mta_mail(struct mta *mta, const struct mta_message *message, struct mta_reply **reply, GError **error)
{
    g_autofree char *sender = mta_canonical_address(message->sender);

    mta_state_begin(state_of(mta), sender, message->queue_id);
    return play_command(mta, SMFIC_MAIL, message->sender, reply, error);
}

bool mta_rcpt(struct mta *mta, const char *recipient, struct mta_reply **reply, GError **error)
{
    struct mta_state *state = state_of(mta);

    g_free(state->recipient);
    state->recipient = mta_canonical_address(recipient);
    if (!play_command(mta, SMFIC_RCPT, recipient, reply, error))
        return false;
    if (state->queue_id == NULL)
        state->queue_id = g_strdup(state->coming_queue_id);
    return true;
}

bool mta_data(struct mta *mta, struct mta_reply **reply, GError **error)
{
    struct mta_packet event = {.command = SMFIC_DATA};
    bool ok = play(mta, &event, reply, error);

    state_of(mta)->is_content = true;
    return ok;
}

bool mta_field(struct mta *mta, const char *field, struct mta_reply **reply, GError **error)
{
    const char *colon = strchr(field, ':');
    g_autofree char *name = g_strndup(field, colon != NULL ? (gsize)(colon - field) : strlen(field));
    const char *value = colon != NULL ? colon + 1 : "";
    g_autoptr(GByteArray) data = g_byte_array_new();

    if (*value == ' ' && (mta->terms.protocol & SMFIP_HDR_LEADSPC) == 0)
        value++;
    add_text(data, name);
    add_text(data, value);
    return play_bytes(mta, SMFIC_HEADER, data, reply, error);
}

bool mta_eoh(struct mta *mta, struct mta_reply **reply, GError **error)
{
    struct mta_packet event = {.command = SMFIC_EOH};

    return play(mta, &event, reply, error);
}

bool mta_body(struct mta *mta, const struct mta_message *message, struct mta_reply **reply, GError **error)
{
    const char *at = message->body != NULL ? message->body : "";
    size_t left = message->body_length != 0 ? message->body_length : strlen(at);
    g_autoptr(mta_reply) own = NULL;

    while (left > 0 && (own == NULL || mta_reply_is_positive(own))) {
        size_t length = MIN(left, MILTER_CHUNK_SIZE);
        struct mta_packet event = {SMFIC_BODY, at, length};

        g_clear_pointer(&own, mta_reply_free);
        if (!play(mta, &event, &own, error))
            return false;
        at += length;
        left -= length;
    }
    if (reply != NULL)
        *reply = own != NULL ? g_steal_pointer(&own) : mta_reply_new(SMFIC_BODY);
    return true;
}

bool mta_eom(struct mta *mta, struct mta_reply **reply, GError **error)
{
    struct mta_packet event = {.command = SMFIC_BODYEOB};
    bool ok = play(mta, &event, reply, error);

    mta_state_end(state_of(mta));
    return ok;
}

/* Continues only after a reply that lets the message go on: not after accept, discard and refusals. */
static bool goes_on(struct mta_reply **reply)
{
    if ((*reply)->kind != MTA_NONE && (*reply)->kind != MTA_CONTINUE && (*reply)->kind != MTA_SKIP)
        return false;
    g_clear_pointer(reply, mta_reply_free);
    return true;
}

/* All recipients. `reply` is set only if the message ends here; `refused` collects what was refused singly.
 */
static bool play_recipients(struct mta *mta, const struct mta_message *message, GPtrArray *refused,
                            struct mta_reply **reply, GError **error)
{
    unsigned taken = 0;

    for (const char *const *recipient = message->recipients; *recipient != NULL; recipient++) {
        g_autoptr(mta_reply) one = NULL;

        if (!mta_rcpt(mta, *recipient, &one, error))
            return false;
        if (mta_reply_is_positive(one)) {
            taken++;
        } else {
            g_autofree char *text = mta_reply_format(one);

            g_ptr_array_add(refused, g_strdup_printf("%s %s", *recipient, text));
        }
        if (one->kind == MTA_ACCEPT || one->kind == MTA_DISCARD || (taken == 0 && recipient[1] == NULL)) {
            *reply = g_steal_pointer(&one);
            return true;
        }
    }
    return true;
}

static bool play_content(struct mta *mta, const struct mta_message *message, struct mta_reply **reply,
                         GError **error)
{
    if (!mta_data(mta, reply, error))
        return false;
    if (!goes_on(reply))
        return true;
    for (const char *const *field = message->fields; field != NULL && *field != NULL; field++) {
        if (!mta_field(mta, *field, reply, error))
            return false;
        if (!goes_on(reply))
            return true;
    }
    if (!mta_eoh(mta, reply, error))
        return false;
    if (!goes_on(reply))
        return true;
    if (!mta_body(mta, message, reply, error))
        return false;
    return !goes_on(reply) || mta_eom(mta, reply, error);
}

bool mta_send_message(struct mta *mta, const struct mta_message *message, struct mta_reply **reply,
                      GError **error)
{
    g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(mta_reply) own = NULL;
    bool ok = mta_mail(mta, message, &own, error);

    if (ok && goes_on(&own))
        ok = play_recipients(mta, message, refused, &own, error) &&
             (own != NULL || play_content(mta, message, &own, error));
    if (!ok)
        return false;
    g_ptr_array_unref(own->refused);
    own->refused = g_steal_pointer(&refused);
    mta_state_end(mta->state);
    if (reply != NULL)
        *reply = g_steal_pointer(&own);
    mta->skipping = 0;
    mta->owes_abort = true;
    return true;
}
