#include "milter/decide/recipients.h"

#include <string.h>

static struct decided_recipient *recipient_new(const struct hearing *hearing,
                                               const struct envelope_recipient *first)
{
    struct decided_recipient *recipient = g_new0(struct decided_recipient, 1);
    const struct snapshot *snapshot = hearing->inputs->snapshot;
    struct person_answer answer = {.state = ANSWER_ABSENT};

    recipient->first = first;
    recipient->forms = g_ptr_array_new();
    recipient->reasons = g_ptr_array_new(); /* those of the message are not its own */
    g_ptr_array_extend(recipient->reasons, hearing->decision->reasons, NULL, NULL);
    recipient->checks = g_array_sized_new(FALSE, FALSE, sizeof(struct check_line), 4);
    recipient->zone = zones_recipient(snapshot->zones, first->address->domain);
    if (!inputs_is_strange(snapshot, first->address))
        answer = inputs_person(hearing->inputs, first->address);
    recipient->past = past_of(hearing->inputs->past, first->address->canonical);
    recipient->person_state = answer.state;
    recipient->person = answer.person;
    return recipient;
}

/* The reasons of the message belong to the decision. */
void recipient_free(struct decided_recipient *recipient)
{
    for (guint i = 0; i < recipient->reasons->len; i++) {
        struct reason *reason = g_ptr_array_index(recipient->reasons, i);
        if (reason->check >= CHECK_VISIBLE)
            reason_free(reason);
    }
    for (guint i = 0; i < recipient->checks->len; i++) {
        g_free(g_array_index(recipient->checks, struct check_line, i).note_en);
        g_free(g_array_index(recipient->checks, struct check_line, i).note_zh);
    }
    g_ptr_array_unref(recipient->reasons);
    g_ptr_array_unref(recipient->forms);
    g_array_unref(recipient->checks);
    g_free(recipient);
}

void recipients_gather(struct hearing *hearing)
{
    const GPtrArray *given = hearing->inputs->envelope->recipients;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < given->len; i++) {
        struct envelope_recipient *form = g_ptr_array_index(given, i);
        struct decided_recipient *recipient = g_hash_table_lookup(seen, form->address->canonical);

        if (recipient == NULL) {
            recipient = recipient_new(hearing, form);
            g_hash_table_insert(seen, form->address->canonical, recipient);
            g_ptr_array_add(hearing->decision->recipients, recipient);
        }
        g_ptr_array_add(recipient->forms, form);
    }
}

/* What {rcpt_addr} and {rcpt_host} hold is error text for a recipient that Postfix refuses, which it also
 * presents. */
static gboolean is_error(const struct envelope_recipient *form)
{
    return form->rcpt_mailer != NULL && strcmp(form->rcpt_mailer, "error") == 0;
}

gboolean recipient_is_rewritten_strangely(const struct snapshot *snapshot,
                                          const struct envelope_recipient *recipient)
{
    if (recipient->rcpt_addr == NULL || is_error(recipient) || strchr(recipient->rcpt_addr, '@') == NULL ||
        strcmp(recipient->rcpt_addr, recipient->address->canonical) == 0)
        return FALSE;
    g_autoptr(address) rewritten = address_parse(recipient->rcpt_addr);
    return inputs_is_strange(snapshot, rewritten);
}

/* Adds a zone unless it is that of the address, or there. */
static void add_zone(GPtrArray **zones, const struct zone *zone, const struct zone *own)
{
    if (zone == own)
        return;
    if (*zones == NULL)
        *zones = g_ptr_array_new();
    if (!g_ptr_array_find(*zones, zone, NULL))
        g_ptr_array_add(*zones, (gpointer)zone);
}

/* The zone of the address that Postfix made of it: wherever it goes now. NULL: still where it went. */
static const struct zone *rewritten_zone(const struct zones *zones, const struct envelope_recipient *form)
{
    const char *at = form->rcpt_addr != NULL ? strrchr(form->rcpt_addr, '@') : NULL;

    if (at == NULL || strcmp(at + 1, form->address->domain) == 0)
        return NULL;
    g_autofree char *domain = domain_canonical(at + 1);
    return zones_recipient(zones, domain);
}

/* The zone of the next hop: "[mx.ministry.gov.cn]:25" and the like. A host that no zone names (a relay, a
 * socket, "localhost") says nothing about a zone; only one that a zone names does. */
static const struct zone *next_hop_zone(const struct zones *zones, const struct envelope_recipient *form)
{
    const char *host = form->rcpt_host;
    g_autofree char *bare = NULL, *domain = NULL;
    const struct zone *zone;

    if (host == NULL || strcmp(host, form->address->domain) == 0)
        return NULL;
    bare = host[0] == '[' ? g_strndup(host + 1, strcspn(host + 1, "]")) : g_strndup(host, strcspn(host, ":"));
    domain = domain_canonical(bare);
    zone = domain != NULL ? zones_recipient(zones, domain) : NULL;
    return zone != NULL && !zone->otherwise ? zone : NULL;
}

GPtrArray *recipient_other_zones(const struct hearing *hearing, const struct decided_recipient *recipient)
{
    const struct zones *all = hearing->inputs->snapshot->zones;
    GPtrArray *others = NULL;

    for (guint i = 0; i < recipient->forms->len; i++) {
        const struct envelope_recipient *form = g_ptr_array_index(recipient->forms, i);
        const struct zone *rewritten = is_error(form) ? NULL : rewritten_zone(all, form);
        const struct zone *next_hop = is_error(form) ? NULL : next_hop_zone(all, form);

        if (rewritten != NULL)
            add_zone(&others, rewritten, recipient->zone);
        if (next_hop != NULL)
            add_zone(&others, next_hop, recipient->zone);
    }
    return others;
}
