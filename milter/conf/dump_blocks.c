/* The dump of directory, zones and undecidable. */
#include "milter/conf/print.h"
#include "milter/conf/value.h"

static void print_bind(GString *out, const struct directory_settings *settings)
{
    switch (settings->bind) {
    case BIND_NONE:
        break;
    case BIND_EXTERNAL:
        g_string_append(out, "    bind sasl external\n");
        break;
    case BIND_CERTIFICATE:
        print_named(out, "    bind certificate", settings->bind_certificate_file);
        break;
    case BIND_SIMPLE:
        g_string_append(out, "    bind simple ");
        print_text(out, settings->bind_dn);
        g_string_append(out, " password file ");
        print_text(out, settings->bind_password_file);
        g_string_append_c(out, '\n');
        break;
    }
}

void print_directory(GString *out, const struct snapshot *snapshot)
{
    const struct directory_settings *settings = snapshot->conf->directory;

    g_string_append(out, "directory");
    for (guint i = 0; i < settings->urls->len; i++) {
        g_string_append(out, i > 0 ? ", " : " ");
        print_text(out, g_ptr_array_index(settings->urls, i));
    }
    g_string_append(out, " {\n");
    print_named(out, "    base", settings->base);
    print_bind(out, settings);
    print_named(out, "    person filter", settings->person_filter);
    print_named(out, "    clearance attribute", settings->clearance_attribute);
    print_named(out, "    category attribute", settings->category_attribute);
    print_named(out, "    clearance until attribute", settings->clearance_until_attribute);
    print_named(out, "    ca file", settings->ca_file);
    print_named(out, "    verified attribute", settings->verified_attribute);
    print_named(out, "    login attribute", settings->login_attribute);
    print_named(out, "    certificate attribute", settings->certificate_attribute);
    if (settings->unit_attribute != NULL)
        print_named(out, "    unit attribute", settings->unit_attribute);
    else
        g_string_append(out, "    unit from dn\n");
    g_string_append(out, "    groups keep closed\n");
    print_time(out, "    refresh every", settings->refresh_ms);
    print_time(out, "    answer within", settings->answer_within_ms);
    g_string_append(out, "    outage defer\n}\n");
}

static void print_requires(GString *out, const struct zone_requires *requires)
{
    const char *separator = "    requires ";

    if (requires->tls > 0) {
        static const char *const versions[] = {"tls", "tls", "tls 1.2", "tls 1.3"};
        const char *tls = requires->tls_verified ? "tls verified" : versions[requires->tls - TLS_LOWEST];
        g_string_append_printf(out, "%s%s", separator, tls);
        separator = ", ";
    }
    if (requires->client_certificate) {
        g_string_append_printf(out, "%sclient certificate", separator);
        separator = ", ";
    }
    if (requires->login)
        g_string_append_printf(out, "%slogin", separator);
    if (requires->tls > 0 || requires->client_certificate || requires->login)
        g_string_append_c(out, '\n');
}

static void print_with(GString *out, const struct label *label)
{
    const char *separator = " with ";

    for (guint i = 0; i < label->scheme->sets->len; i++) {
        const struct category_set *set = g_ptr_array_index(label->scheme->sets, i);
        for (guint j = 0; label->values[i] != NULL && j < label->values[i]->len; j++) {
            g_autofree char *value =
                g_strdup_printf("%s:%s", set->name, (char *)g_ptr_array_index(label->values[i], j));
            g_string_append(out, separator);
            print_text(out, value);
            separator = ", ";
        }
    }
}

static void print_limits_of_zone(GString *out, const struct zone *zone)
{
    g_string_append(out, "    carries up to ");
    for (guint i = 0; i < zone->limits->len; i++) {
        const struct zone_limit *limit = g_ptr_array_index(zone->limits, i);
        g_string_append(out, i > 0 ? ", " : "");
        print_level(out, limit->label->scheme, limit->label->level);
        print_with(out, limit->label);
    }
    g_string_append(out, " otherwise ");
    print_outcome(out, &zone->limit_otherwise, "refuse");
    g_string_append_c(out, '\n');
}

static void print_accepts(GString *out, const GPtrArray *schemes)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < schemes->len; i++)
        g_ptr_array_add(names, ((const struct scheme *)g_ptr_array_index(schemes, i))->name);
    print_texts(out, "    accepts labels of", names);
}

static void print_one_zone(GString *out, const struct zone *zone)
{
    g_string_append(out, "zone ");
    print_text(out, zone->name);
    g_string_append(out, " {\n");
    if (zone->inside)
        g_string_append(out, "    inside\n");
    if (zone->otherwise)
        g_string_append(out, "    otherwise\n");
    print_networks(out, "    client", zone->clients);
    if (zone->login_any)
        g_string_append(out, "    login any\n");
    print_texts(out, "    login", zone->logins);
    print_texts(out, "    client certificate", zone->certificates);
    print_texts(out, "    recipient", zone->recipients);
    print_requires(out, &zone->requires);
    print_limits_of_zone(out, zone);
    print_networks(out, "    relay", zone->relays);
    print_networks(out, "    peer", zone->peers);
    print_networks(out, "    vouches for senders", zone->vouches);
    if (zone->accepts != NULL)
        print_accepts(out, zone->accepts);
    if (zone->encrypted_counts)
        g_string_append(out, "    encrypted mail counts as labelled\n");
    g_string_append(out, "}\n");
}

void print_zone(GString *out, const struct snapshot *snapshot)
{
    print_one_zone(out, snapshot->zones->local);
    for (guint i = 0; i < snapshot->zones->list->len; i++)
        print_one_zone(out, g_ptr_array_index(snapshot->zones->list, i));
}

static void print_causes(GString *out, guint causes)
{
    static const struct {
        guint bit;
        const char *word;
    } words[] = {{UNDECIDABLE_DIRECTORY, "directory"}, {UNDECIDABLE_OVERLOAD, "overload"},
                 {UNDECIDABLE_ENCRYPTED, "encrypted"}, {UNDECIDABLE_DAMAGED, "damaged"},
                 {UNDECIDABLE_LIMIT, "limit"},         {UNDECIDABLE_LABEL, "label"}};
    const char *separator = "";

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!(causes & words[i].bit))
            continue;
        g_string_append_printf(out, "%s%s", separator, words[i].word);
        separator = ", ";
    }
    if (causes != 0)
        g_string_append_c(out, ' ');
}

void print_undecidable(GString *out, const struct snapshot *snapshot)
{
    const GPtrArray *lines = snapshot->policy->undecidable;
    g_autofree char *hold = hold_unwritten(snapshot->policy);

    g_string_append(out, "undecidable {\n");
    for (guint i = 0; i < lines->len; i++) {
        const struct undecidable_line *line = g_ptr_array_index(lines, i);
        g_string_append(out, i + 1 < lines->len ? "    " : "    otherwise ");
        print_causes(out, line->causes);
        if (line->up_to != NULL) {
            g_string_append(out, "up to ");
            print_level(out, line->scheme, line->up_to);
            g_string_append_c(out, ' ');
        }
        print_outcome(out, &line->outcome, hold);
        g_string_append_c(out, '\n');
    }
    g_string_append(out, "}\n");
}
