#include "milter/conf/zone_block.h"

#include <string.h>

static void report(struct zone_reading *zone_reading, enum diagnostic_id id, struct span span,
                   enum message_id message, enum message_id help)
{
    struct diagnostic *diagnostic = diagnostics_report(zone_reading->reading->diagnostics, id, span,
                                                       message_make(message, zone_reading->zone->name, NULL));

    if (help != MSG_NONE)
        diagnostic_help(diagnostic, message_make(help, NULL));
}

static gboolean network_in(const struct network *network, const GArray *clients)
{
    struct ip base = {.known = TRUE};

    memcpy(base.bytes, network->bytes, sizeof base.bytes);
    for (guint i = 0; i < clients->len; i++) {
        const struct network *client = &g_array_index(clients, struct network, i);
        if (client->prefix <= network->prefix && network_contains(client, base))
            return TRUE;
    }
    return FALSE;
}

/* A relay, peer or voucher counts only when its mail comes from this zone. */
static void check_host(struct zone_reading *zone_reading, const struct zone_host *host)
{
    if (network_in(&host->network, zone_reading->zone->clients))
        return;
    g_autofree char *text = network_format(&host->network);
    diagnostics_report(zone_reading->reading->diagnostics, DIAG_NO_EFFECT, host->place,
                       message_make(MSG_HOST_OUTSIDE_ZONE, keyword_english(host->keyword), text,
                                    zone_reading->zone->name, NULL));
}

void zone_check(struct zone_reading *zone_reading, struct span name)
{
    const struct zone *zone = zone_reading->zone;
    gboolean chooses = zone->clients != NULL || zone->login_any || zone->logins != NULL ||
                       zone->certificates != NULL || zone->recipients != NULL;

    if (zone_reading->limits.length == 0)
        report(zone_reading, DIAG_MISSING, name, MSG_ZONE_WITHOUT_LIMIT, MSG_ZONE_WITHOUT_LIMIT_HELP);
    if (zone_reading->is_local) {
        if (chooses || zone->otherwise)
            report(zone_reading, DIAG_UNREACHABLE, name, MSG_ZONE_LOCAL, MSG_NONE);
    } else if (zone->otherwise && zone->inside) {
        report(zone_reading, DIAG_OPEN_DOOR, name, MSG_ZONE_REST_INSIDE, MSG_ZONE_REST_INSIDE_HELP);
    } else if (zone->otherwise && chooses) {
        report(zone_reading, DIAG_UNREACHABLE, name, MSG_ZONE_REST_CHOOSES, MSG_NONE);
    } else if (!zone->otherwise && !chooses) {
        report(zone_reading, DIAG_UNREACHABLE, name, MSG_ZONE_CHOOSES_NOTHING, MSG_ZONE_CHOOSES_NOTHING_HELP);
    }
    if (zone->encrypted_counts && !zone->inside)
        report(zone_reading, DIAG_OPEN_DOOR, zone_reading->encrypted, MSG_ENCRYPTED_OUTSIDE, MSG_NONE);
    for (guint i = 0; zone->clients != NULL && i < zone_reading->hosts->len; i++)
        check_host(zone_reading, &g_array_index(zone_reading->hosts, struct zone_host, i));
}
