/* What the statements say together. */
#include <string.h>

#include "milter/conf/statement.h"
#include "milter/conf/value.h"

static void report_missing_at(struct reading *reading, struct span place, enum message_id message,
                              enum message_id help)
{
    struct diagnostic *diagnostic =
        diagnostics_report(reading->diagnostics, DIAG_MISSING, place, message_make(message, NULL));

    diagnostic_help(diagnostic, message_make(help, NULL));
}

static void report_missing(struct reading *reading, enum message_id message, enum message_id help)
{
    report_missing_at(reading, reading->end, message, help);
}

/* What was not understood may be what is missed. */
static gboolean may_miss(const struct reading *reading)
{
    return !reading->files_bad && diagnostics_count(reading->diagnostics, DIAG_UNKNOWN_STATEMENT) == 0;
}

static void check_needed(struct reading *reading)
{
    static const struct {
        enum setting setting;
        enum message_id message, help;
    } needed[] = {{SETTING_SCHEME, MSG_SCHEME_MISSING, MSG_SCHEME_MISSING_HELP},
                  {SETTING_DIRECTORY, MSG_DIRECTORY_MISSING, MSG_DIRECTORY_MISSING_HELP},
                  {SETTING_ZONE, MSG_ZONE_MISSING, MSG_ZONE_MISSING_HELP}};

    if (!may_miss(reading))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
        if (reading->written[needed[i].setting] == NULL)
            report_missing(reading, needed[i].message, needed[i].help);
}

static struct span name_of(const struct reading *reading, const struct zone *zone)
{
    for (guint i = 0; i < reading->zone_names->len; i++) {
        const struct item *name = g_ptr_array_index(reading->zone_names, i);
        if (strcmp(name->text, zone->name) == 0)
            return name->span;
    }
    g_assert_not_reached(); /* every zone of the list was read */
}

/* The zone that takes what is left is the last, and there is one. */
static void check_otherwise(struct reading *reading)
{
    const GPtrArray *list = reading->zones->list;
    const struct zone *otherwise = NULL;

    for (guint i = 0; i < list->len; i++) {
        const struct zone *zone = g_ptr_array_index(list, i);
        if (otherwise != NULL) {
            struct diagnostic *diagnostic =
                diagnostics_report(reading->diagnostics, DIAG_UNREACHABLE, name_of(reading, zone),
                                   message_make(MSG_ZONE_UNREACHABLE, zone->name, NULL));
            diagnostic_note(diagnostic, name_of(reading, otherwise),
                            message_make(MSG_ZONE_TAKES_ALL, otherwise->name, NULL));
            diagnostic_help(diagnostic, message_make(MSG_ZONE_UNREACHABLE_HELP, NULL));
        } else if (zone->otherwise) {
            otherwise = zone;
        }
    }
    if (otherwise != NULL || reading->zones_bad || reading->files_bad)
        return;
    struct diagnostic *diagnostic = diagnostics_report(reading->diagnostics, DIAG_NO_OTHERWISE, reading->end,
                                                       message_make(MSG_NO_ZONE_OTHERWISE, NULL));
    diagnostic_help(diagnostic, message_make(MSG_NO_ZONE_OTHERWISE_HELP, NULL));
}

static void check_inside(struct reading *reading)
{
    for (guint i = 0; i < reading->zones->list->len; i++) {
        const struct zone *zone = g_ptr_array_index(reading->zones->list, i);
        if (zone->inside && zone->recipients != NULL)
            return;
    }
    if (!reading->zones_bad && !reading->files_bad)
        report_missing(reading, MSG_INSIDE_MISSING, MSG_INSIDE_MISSING_HELP);
}

/* A deadline that leads from queue to queue comes to an end. Each circle is reported once, at the queue
 * written first in it. */
static void check_circle(struct reading *reading, const char *start)
{
    const struct item *next = g_hash_table_lookup(reading->queue_after, start);
    const struct item *at = next;

    for (guint steps = g_hash_table_size(reading->queue_after); at != NULL && steps > 0; steps--) {
        if (strcmp(at->text, start) == 0) {
            diagnostics_report(reading->diagnostics, DIAG_QUEUE_CIRCLE, next->span,
                               message_make(MSG_QUEUE_CIRCLE, start, NULL));
            return;
        }
        const struct statement *here = g_hash_table_lookup(reading->queues, start);
        const struct statement *there = g_hash_table_lookup(reading->queues, at->text);
        if (there->span.source == here->span.source && there->span.offset < here->span.offset)
            return;
        at = g_hash_table_lookup(reading->queue_after, at->text);
    }
}

static void check_circles(struct reading *reading)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, reading->queue_after);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        check_circle(reading, name);
}

/* Two sockets at one place. */
static void check_sockets(struct reading *reading)
{
    g_autoptr(GHashTable) addresses = g_hash_table_new(g_str_hash, g_str_equal);
    const struct conf *conf = reading->conf;

    g_hash_table_add(addresses, conf->control.address);
    for (guint i = 0; i < conf->listeners->len; i++) {
        const struct listener *listener = g_ptr_array_index(conf->listeners, i);
        if (g_hash_table_add(addresses, listener->address))
            continue;
        const struct statement *statement = reading->listen_statements[listener->role];
        struct span place = statement != NULL ? statement->span : reading->end;
        diagnostics_report(reading->diagnostics, DIAG_DUPLICATE, place,
                           message_make(MSG_SOCKET_TWICE, listener->address, NULL));
    }
    if (conf->release_through != NULL && g_hash_table_contains(addresses, conf->release_through))
        diagnostics_report(reading->diagnostics, DIAG_DUPLICATE,
                           reading->written[SETTING_RELEASE_THROUGH]->span,
                           message_make(MSG_SOCKET_TWICE, conf->release_through, NULL));
}

/* Where the first block of its kind has its name; `fallback` if there is none. */
static struct span first_name(const struct reading *reading, enum setting setting, enum keyword keyword,
                              struct span fallback)
{
    const struct statement *statement = reading->written[setting];

    if (statement == NULL)
        return fallback;
    guint at = keyword_match(keyword, statement, 0);
    return at < statement->items->len ? statement_item(statement, at)->span : statement->span;
}

static void check_roles(struct reading *reading, struct span place)
{
    static const enum message_id words[] = {[ROLE_ADMINISTRATOR] = MSG_ROLE_ADMINISTRATOR,
                                            [ROLE_OFFICER] = MSG_ROLE_OFFICER,
                                            [ROLE_AUDITOR] = MSG_ROLE_AUDITOR};

    for (guint i = 0; i < ROLE_COUNT; i++) {
        if (reading->conf->roles[i]->len > 0 || reading->roles_bad)
            continue;
        diagnostic_help(diagnostics_report(reading->diagnostics, DIAG_MISSING, place,
                                           message_make(MSG_ROLE_MISSING, message_arg(words[i]), NULL)),
                        message_make(MSG_ROLE_MISSING_HELP, message_arg(words[i]), NULL));
    }
}

/* What a queue or archive needs (language.md section 3), said where the first of them stands. */
static void check_kept(struct reading *reading)
{
    struct span archive = first_name(reading, SETTING_ARCHIVE, KW_ARCHIVE, reading->end);
    struct span place = first_name(reading, SETTING_QUEUE, KW_QUEUE, archive);
    gboolean queue = reading->written[SETTING_QUEUE] != NULL;

    if (!may_miss(reading) || (!queue && reading->written[SETTING_ARCHIVE] == NULL))
        return;
    if (reading->written[SETTING_KEY_FILE] == NULL && reading->written[SETTING_KEY_CREDENTIAL] == NULL)
        report_missing_at(reading, place, MSG_KEY_MISSING, MSG_KEY_MISSING_HELP);
    if (queue && reading->written[SETTING_RELEASE_THROUGH] == NULL)
        report_missing_at(reading, place, MSG_WAY_OUT_MISSING, MSG_WAY_OUT_MISSING_HELP);
    if (queue && reading->listen_statements[ROLE_RELEASE] == NULL && !reading->listen_bad)
        report_missing_at(reading, place, MSG_RELEASE_SOCKET_MISSING, MSG_RELEASE_SOCKET_MISSING_HELP);
    check_roles(reading, place);
}

static void check_hold_refused(struct reading *reading)
{
    if (reading->policy->outside_hold_refused && reading->written[SETTING_QUEUE] == NULL && may_miss(reading))
        report_missing_at(reading, reading->written[SETTING_OUTSIDE_MIXED]->span, MSG_HOLD_WITHOUT_QUEUE,
                          MSG_HOLD_WITHOUT_QUEUE_HELP);
}

/* Zone "local", when it is not written: up to the lowest level. */
static void fill_local_zone(struct reading *reading)
{
    if (reading->zones->local->limits->len > 0 || reading->schemes == NULL)
        return;
    const struct scheme *home = schemes_home(reading->schemes);
    zone_add_limit(reading->zones->local, label_new(home, scheme_lowest(home)));
}

void cross_check(struct reading *reading)
{
    check_needed(reading);
    if (reading->written[SETTING_ZONE] != NULL) {
        check_otherwise(reading);
        check_inside(reading);
    }
    check_circles(reading);
    check_sockets(reading);
    check_kept(reading);
    check_hold_refused(reading);
    fill_local_zone(reading);
    if (reading->conf->time_zone != NULL) {
        g_clear_pointer(&reading->conf->directory->time_zone, g_time_zone_unref);
        reading->conf->directory->time_zone = g_time_zone_ref(reading->conf->time_zone);
    }
}
