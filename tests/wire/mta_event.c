/* Negotiation, and single events under the terms negotiated. */
#include "tests/wire/mta.h"
#include "tests/wire/mta_private.h"

#include <arpa/inet.h>
#include <string.h>

#define ALL_ACTIONS SMFI_CURR_ACTS
#define SILENCE                                                                                     \
    (SMFIP_NR_HDR | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | \
     SMFIP_NR_UNKN | SMFIP_NR_EOH | SMFIP_NR_BODY)

const struct mta_offer mta_offer_postfix = {6, ALL_ACTIONS, SMFI_CURR_PROT};
const struct mta_offer mta_offer_plain = {6, ALL_ACTIONS,
                                          SMFI_CURR_PROT & ~(SMFIP_SKIP | SMFIP_HDR_LEADSPC | SILENCE)};
const struct mta_offer mta_offer_v2 = {2, SMFI_V2_ACTS, SMFI_V2_PROT};

/* What each event is called in the protocol bits. */
static const struct {
    char event;
    uint32_t unwanted, silent;
    uint32_t since; /* protocol version */
} events[] = {
    {SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, 1}, {SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, 1},
    {SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL, 1},       {SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, 1},
    {SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, 4},       {SMFIC_UNKNOWN, SMFIP_NOUNKNOWN, SMFIP_NR_UNKN, 3},
    {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, 1},      {SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, 2},
    {SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, 1},
};

static uint32_t unwanted_bit(char event)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        if (events[i].event == event)
            return events[i].unwanted;
    return 0;
}

/* ---- negotiation */

static uint32_t get_u32(const char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return ntohl(value);
}

/* {u32 stage, list, NUL} … behind the three words: what smfi_setsymlist asked for. */
static bool read_macro_lists(struct mta *mta, const struct mta_packet *packet, GError **error)
{
    size_t at = 3 * sizeof(uint32_t);

    while (at < packet->length) {
        uint32_t stage = packet->length - at > sizeof stage ? get_u32(packet->data + at) : MTA_STAGES;
        const char *list = packet->data + at + sizeof stage;

        if (stage >= MTA_STAGES || mta->terms.macros[stage] != NULL) {
            g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "a macro list that cannot be read");
            return false;
        }
        mta->terms.macros[stage] = g_strdup(list);
        at += sizeof stage + strlen(list) + 1;
    }
    return true;
}

static bool check_terms(struct mta *mta, const struct mta_offer *offer, GError **error)
{
    const struct mta_terms *terms = &mta->terms;

    if (terms->version > offer->version || (terms->actions & ~offer->actions) != 0 ||
        (terms->protocol & ~offer->protocol) != 0) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL,
                    "the filter answers %u %#x %#x to an offer of %u %#x %#x", terms->version, terms->actions,
                    terms->protocol, offer->version, offer->actions, offer->protocol);
        return false;
    }
    mta->unwanted = terms->protocol;
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        if (events[i].since > terms->version)
            mta->unwanted |= events[i].unwanted;
    return true;
}

bool mta_negotiate(struct mta *mta, const struct mta_offer *offer, GError **error)
{
    uint32_t words[3] = {htonl(offer->version), htonl(offer->actions), htonl(offer->protocol)};
    struct mta_packet packet;

    if (!mta_send_packet(mta, SMFIC_OPTNEG, words, sizeof words, error) || !mta_receive(mta, &packet, error))
        return false;
    if (packet.command != SMFIC_OPTNEG || packet.length < sizeof words) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "'%c' in answer to the negotiation",
                    packet.command);
        return false;
    }
    mta->terms.version = get_u32(packet.data);
    mta->terms.actions = get_u32(packet.data + 4);
    mta->terms.protocol = get_u32(packet.data + 8);
    return read_macro_lists(mta, &packet, error) && check_terms(mta, offer, error);
}

const struct mta_terms *mta_terms(const struct mta *mta)
{
    return &mta->terms;
}

bool mta_is_event_wanted(const struct mta *mta, char event)
{
    return (mta->unwanted & unwanted_bit(event)) == 0;
}

bool mta_is_reply_awaited(const struct mta *mta, char event)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        if (events[i].event == event)
            return (mta->terms.protocol & events[i].silent) == 0;
    return true;
}

/* ---- events */

bool mta_send_macros(struct mta *mta, char event, const char *const *pairs, GError **error)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    g_byte_array_append(data, (const guint8 *)&event, 1);
    for (; pairs != NULL && *pairs != NULL; pairs++)
        g_byte_array_append(data, (const guint8 *)*pairs, (guint)strlen(*pairs) + 1);
    return mta_send_packet(mta, SMFIC_MACRO, data->data, data->len, error);
}

static struct mta_reply *read_reply(struct mta *mta, char stage, GError **error)
{
    g_autoptr(mta_reply) reply = mta_reply_new(stage);
    struct mta_packet packet;

    while (!mta_reply_is_final(reply))
        if (!mta_receive(mta, &packet, error) || !mta_reply_add(reply, &packet, mta->terms.actions, error))
            return NULL;
    if (reply->kind == MTA_SKIP)
        mta->skipping = stage;
    return g_steal_pointer(&reply);
}

bool mta_event(struct mta *mta, const struct mta_packet *event, struct mta_reply **reply, GError **error)
{
    g_autoptr(mta_reply) own = NULL;

    if (reply != NULL)
        *reply = NULL;
    if (mta_has_unread(mta)) {
        g_set_error(error, MTA_ERROR, MTA_ERROR_PROTOCOL, "a reply before '%c' that nobody waits for",
                    event->command);
        return false;
    }
    if (mta->skipping != event->command)
        mta->skipping = 0;
    if (mta->skipping == 0 && mta_is_event_wanted(mta, event->command)) {
        if (!mta_send_packet(mta, event->command, event->data, event->length, error))
            return false;
        if (mta_is_reply_awaited(mta, event->command) &&
            (own = read_reply(mta, event->command, error)) == NULL)
            return false;
    }
    if (own == NULL)
        own = mta_reply_new(event->command);
    if (reply != NULL)
        *reply = g_steal_pointer(&own);
    return true;
}

bool mta_abort(struct mta *mta, GError **error)
{
    mta->skipping = 0;
    mta->owes_abort = false;
    return mta_send_packet(mta, SMFIC_ABORT, NULL, 0, error) && mta_flush(mta, error);
}

bool mta_quit(struct mta *mta, GError **error)
{
    return (!mta->owes_abort || mta_abort(mta, error)) && mta_send_packet(mta, SMFIC_QUIT, NULL, 0, error) &&
           mta_wait_closed(mta, error);
}

bool mta_quit_keeping(struct mta *mta, GError **error)
{
    mta->skipping = 0;
    mta->owes_abort = false;
    return mta_send_packet(mta, SMFIC_QUIT_NC, NULL, 0, error) && mta_flush(mta, error);
}
