/* zone TEXT { … } */
#include "milter/conf/statement.h"

#include <string.h>

#include "milter/conf/value.h"
#include "milter/conf/zone_block.h"
#include "policy/person/address.h"

static void read_inside(struct reader *reader, gpointer context)
{
    ((struct zone_reading *)context)->zone->inside = TRUE;
    value_end(reader);
}

static void read_otherwise(struct reader *reader, gpointer context)
{
    ((struct zone_reading *)context)->zone->otherwise = TRUE;
    value_end(reader);
}

static void read_client(struct reader *reader, gpointer context)
{
    if (value_networks(reader, &((struct zone_reading *)context)->zone->clients))
        value_end(reader);
}

static void read_login(struct reader *reader, gpointer context)
{
    struct zone *zone = ((struct zone_reading *)context)->zone;

    if (reader_keyword(reader, KW_ANY))
        zone->login_any = TRUE;
    else if (!value_names(reader, MSG_ANY_OR_A_LOGIN, &zone->logins))
        return;
    value_end(reader);
}

static void read_client_certificate(struct reader *reader, gpointer context)
{
    if (value_names(reader, MSG_A_COMMON_NAME, &((struct zone_reading *)context)->zone->certificates))
        value_end(reader);
}

/* A domain belongs to one zone, the first; a second line for it would say something that is never asked. */
static gboolean domain_is_free(struct reader *reader, struct reading *reading, const struct item *item,
                               char *domain)
{
    const struct item *first = g_hash_table_lookup(reading->domains, domain);

    if (first == NULL) {
        g_hash_table_insert(reading->domains, g_strdup(domain), (gpointer)item);
        return TRUE;
    }
    diagnostic_note(
        reader_fail(reader, DIAG_DUPLICATE, item->span, message_make(MSG_DOMAIN_TWICE, domain, NULL)),
        first->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
    return FALSE;
}

static gboolean read_domain(struct reader *reader, struct reading *reading, GPtrArray *recipients)
{
    const struct item *item = reader_word_or_text(reader, MSG_A_DOMAIN);

    if (item == NULL)
        return FALSE;
    g_autofree char *domain = domain_canonical(item->text);
    if (domain == NULL) {
        reader_fail(reader, DIAG_ADDRESS, item->span, message_make(MSG_NOT_A_DOMAIN, item->text, NULL));
        return FALSE;
    }
    if (!domain_is_free(reader, reading, item, domain))
        return FALSE;
    g_ptr_array_add(recipients, g_steal_pointer(&domain));
    return TRUE;
}

static void read_recipient(struct reader *reader, gpointer context)
{
    struct zone_reading *zone_reading = context;
    struct zone *zone = zone_reading->zone;

    zone->recipients = g_ptr_array_new_with_free_func(g_free);
    do {
        if (!read_domain(reader, zone_reading->reading, zone->recipients))
            return;
    } while (reader_comma(reader));
    value_end(reader);
}

/* tls [1.2|1.3|verified] */
static gboolean read_tls(struct reader *reader, struct zone_requires *requires)
{
    const struct item *item = reader_peek(reader);

    requires->tls = TLS_LOWEST;
    if (item == NULL || item->kind == ITEM_COMMA)
        return !reader->broken;
    if (reader_keyword(reader, KW_VERIFIED)) {
        requires->tls_verified = TRUE;
    } else if (item->kind == ITEM_WORD &&
               (strcmp(item->text, "1.2") == 0 || strcmp(item->text, "1.3") == 0)) {
        requires->tls = item->text[2] == '2' ? 12 : 13;
        reader_take(reader);
    } else {
        reader_expected(reader, MSG_A_TLS_VERSION, NULL);
    }
    return !reader->broken;
}

static void read_requires(struct reader *reader, gpointer context)
{
    static const enum keyword protections[] = {KW_TLS, KW_CLIENT_CERTIFICATE, KW_LOGIN, KW_COUNT};
    struct zone_requires *requires = &((struct zone_reading *)context)->zone->requires;

    do {
        enum keyword protection = reader_one_of(reader, protections);
        if (protection == KW_COUNT)
            reader_expected(reader, MSG_A_PROTECTION, NULL);
        if (reader->broken || (protection == KW_TLS && !read_tls(reader, requires)))
            return;
        requires->client_certificate |= protection == KW_CLIENT_CERTIFICATE;
        requires->login |= protection == KW_LOGIN;
    } while (reader_comma(reader));
    value_end(reader);
}

static void read_hosts(struct reader *reader, struct zone_reading *zone_reading, enum keyword keyword,
                       GArray **networks)
{
    *networks = g_array_new(FALSE, FALSE, sizeof(struct network));
    do {
        struct zone_host host = {.keyword = keyword, .place = reader_here(reader)};
        if (!value_network(reader, &host.network))
            return;
        g_array_append_val(*networks, host.network);
        g_array_append_val(zone_reading->hosts, host);
    } while (reader_comma(reader));
    value_end(reader);
}

static void read_relay(struct reader *reader, gpointer context)
{
    read_hosts(reader, context, KW_RELAY, &((struct zone_reading *)context)->zone->relays);
}

static void read_peer(struct reader *reader, gpointer context)
{
    read_hosts(reader, context, KW_PEER, &((struct zone_reading *)context)->zone->peers);
}

static void read_vouches(struct reader *reader, gpointer context)
{
    read_hosts(reader, context, KW_VOUCHES_FOR_SENDERS, &((struct zone_reading *)context)->zone->vouches);
}

static void unknown_scheme(struct reader *reader, const struct schemes *schemes, const struct item *item)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < schemes->list->len; i++)
        g_hash_table_add(names, ((struct scheme *)g_ptr_array_index(schemes->list, i))->name);
    value_suggest(reader_fail(reader, DIAG_UNKNOWN_SCHEME, item->span,
                              message_make(MSG_UNKNOWN_SCHEME, item->text, NULL)),
                  item->text, names);
}

static void read_accepts(struct reader *reader, gpointer context)
{
    struct zone_reading *zone_reading = context;
    const struct schemes *schemes = zone_reading->reading->schemes;
    struct zone *zone = zone_reading->zone;

    if (zone->accepts == NULL)
        zone->accepts = g_ptr_array_new();
    do {
        const struct item *item = reader_name(reader, MSG_A_SCHEME_NAME);
        if (item == NULL)
            return;
        const struct scheme *scheme = schemes != NULL ? schemes_find(schemes, item->text) : NULL;
        if (scheme != NULL)
            g_ptr_array_add(zone->accepts, (gpointer)scheme);
        else if (schemes != NULL)
            unknown_scheme(reader, schemes, item);
    } while (!reader->broken && reader_comma(reader));
    value_end(reader);
}

static void later_translate(struct reader *reader, gpointer context)
{
    value_end_not_yet(reader, value_taken(reader), MSG_NONE);
}

static void read_encrypted(struct reader *reader, gpointer context)
{
    struct zone_reading *zone_reading = context;

    zone_reading->zone->encrypted_counts = TRUE;
    zone_reading->encrypted = value_taken(reader);
    value_end(reader);
}

static void read_carries(struct reader *reader, gpointer context)
{
    struct zone_reading *zone_reading = context;

    zone_reading->limits = value_taken(reader);
    if (zone_limits_read(reader, zone_reading->reading, zone_reading->zone))
        value_end(reader);
}

static const struct statement_kind kinds[] = {
#define IN_ZONE(keyword, times, fallback, function) KIND(keyword, times, function),
#include "milter/conf/settings.def"
    {KW_COUNT, FALSE, NULL}};

/* The zone to be filled in; NULL, and reported, if its name is taken. */
static struct zone *start_zone(struct reader *reader, struct reading *reading, const struct item *name)
{
    struct zone *zone = NULL;

    for (guint i = 0; i < reading->zone_names->len; i++) {
        const struct item *other = g_ptr_array_index(reading->zone_names, i);
        if (strcmp(other->text, name->text) != 0)
            continue;
        diagnostic_note(
            reader_fail(reader, DIAG_DUPLICATE, name->span, message_make(MSG_ZONE_TWICE, name->text, NULL)),
            other->span, message_make(MSG_FIRST_GIVEN_HERE, NULL));
        return NULL;
    }
    if (strcmp(name->text, ZONE_LOCAL_NAME) == 0) {
        zone = reading->zones->local;
    } else {
        zone = zone_new(name->text);
        zone->index = reading->zones->list->len;
        g_ptr_array_add(reading->zones->list, zone);
    }
    g_ptr_array_add(reading->zone_names, (gpointer)name);
    return zone;
}

static void read_zone_block(struct reader *reader, struct reading *reading)
{
    const struct item *name = reader_name(reader, MSG_A_ZONE_NAME);

    if (name == NULL || !reader_end(reader) || !reader_need_block(reader))
        return;
    struct zone *zone = start_zone(reader, reading, name);
    if (zone == NULL)
        return;
    g_autoptr(GArray) hosts = g_array_new(FALSE, FALSE, sizeof(struct zone_host));
    struct zone_reading zone_reading = {
        .reading = reading, .zone = zone, .is_local = zone == reading->zones->local, .hosts = hosts};
    guint errors = diagnostics_errors(reading->diagnostics);
    block_read(reader->statement->block, kinds, MSG_OF_ZONE, reader->diagnostics, &zone_reading);
    if (diagnostics_errors(reading->diagnostics) == errors)
        zone_check(&zone_reading, name->span);
}

void read_zone(struct reader *reader, struct reading *reading)
{
    guint errors = diagnostics_errors(reading->diagnostics);

    read_zone_block(reader, reading);
    if (reader->broken || diagnostics_errors(reading->diagnostics) > errors)
        reading->zones_bad = TRUE;
}
