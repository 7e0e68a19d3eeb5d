#include "milter/conf/conf.h"

#include <string.h>

#include "milter/conf/limits.h"
#include "policy/zone/network.h"

#define DEFAULT_MODE 0660
#define DAY_MS ((gint64)86400 * 1000)

struct listener *listener_new(const char *address, enum socket_role role)
{
    struct listener *listener = g_new0(struct listener, 1);

    listener->address = g_strdup(address);
    listener->role = role;
    listener->mode = DEFAULT_MODE;
    return listener;
}

static void listener_clear(struct listener *listener)
{
    g_free(listener->address);
    g_free(listener->group);
}

void listener_free(struct listener *listener)
{
    if (listener == NULL)
        return;
    listener_clear(listener);
    g_free(listener);
}

static void default_limits(struct conf *conf)
{
    conf->inspect = (struct inspect_limits){.text_size_bytes = 20 * MEGABYTE,
                                            .unpacked_bytes = 500 * MEGABYTE,
                                            .memory_bytes = 512 * MEGABYTE,
                                            .parts = 2000,
                                            .depth = 12,
                                            .helpers = g_get_num_processors(),
                                            .time_ms = 30000,
                                            .cpu_ms = 20000};
    conf->message_size_bytes = 50 * MEGABYTE;
    conf->recipients = 1000;
    conf->time_ms = 30000;
}

static void default_review(struct conf *conf)
{
    conf->queues = g_ptr_array_new_with_free_func((GDestroyNotify)queue_free);
    conf->archives = g_ptr_array_new_with_free_func((GDestroyNotify)archive_free);
    for (guint i = 0; i < ROLE_COUNT; i++)
        conf->roles[i] = g_ptr_array_new_with_free_func((GDestroyNotify)who_free);
    conf->notices = (struct notices){
        .languages = {LANGUAGE_ZH, LANGUAGE_EN}, .language_count = 2, .tell_recipients = TRUE};
    conf->release_within_ms = 7 * DAY_MS;
    conf->keep_closed_ms = 30 * DAY_MS;
    conf->remember_attempts_ms = 7 * DAY_MS;
}

static void review_clear(struct conf *conf)
{
    g_free(conf->key_file);
    g_free(conf->key_credential);
    g_free(conf->release_through);
    g_ptr_array_unref(conf->queues);
    g_ptr_array_unref(conf->archives);
    for (guint i = 0; i < ROLE_COUNT; i++)
        g_ptr_array_unref(conf->roles[i]);
    g_free(conf->notices.from);
    g_free(conf->notices.contact);
}

struct conf *conf_new(void)
{
    struct conf *conf = g_new0(struct conf, 1);

    conf->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)listener_free);
    g_ptr_array_add(conf->listeners, listener_new("unix:/run/miji/milter.sock", ROLE_SMTP));
    conf->control =
        (struct listener){.address = g_strdup("unix:/run/miji/control.sock"), .mode = DEFAULT_MODE};
    conf->state_directory = g_strdup("/var/lib/miji");
    conf->log = LOG_TO_SYSLOG;
    conf->log_facility = g_strdup("mail");
    conf->scheme_files = g_ptr_array_new_with_free_func(g_free);
    conf->directory = directory_settings_new();
    conf->restart_only = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    default_limits(conf);
    default_review(conf);
    return conf;
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    g_free(conf->path);
    g_ptr_array_unref(conf->listeners);
    listener_clear(&conf->control);
    g_free(conf->state_directory);
    g_free(conf->run_as);
    g_free(conf->log_facility);
    g_clear_pointer(&conf->time_zone, g_time_zone_unref);
    g_free(conf->time_zone_name);
    g_ptr_array_unref(conf->scheme_files);
    directory_settings_free(conf->directory);
    g_hash_table_unref(conf->restart_only);
    review_clear(conf);
    g_free(conf);
}

void conf_take_listener(struct conf *conf, struct listener *listener)
{
    for (guint i = 0; i < conf->listeners->len; i++) {
        const struct listener *other = g_ptr_array_index(conf->listeners, i);
        if (other->role != listener->role || other->written)
            continue;
        g_ptr_array_remove_index(conf->listeners, i);
        g_ptr_array_insert(conf->listeners, (gint)i, listener);
        return;
    }
    g_ptr_array_add(conf->listeners, listener);
}

const struct listener *conf_listener(const struct conf *conf, enum socket_role role)
{
    for (guint i = 0; i < conf->listeners->len; i++) {
        const struct listener *listener = g_ptr_array_index(conf->listeners, i);
        if (listener->role == role)
            return listener;
    }
    return NULL;
}

gboolean host_is_loopback(const char *host)
{
    struct network network;

    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return TRUE;
    return network_parse("127.0.0.0/8", &network) && network_contains(&network, ip_parse(host));
}
