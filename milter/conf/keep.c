#include "milter/conf/keep.h"

#include <string.h>
#include <sys/stat.h>

#include "milter/conf/dump.h"
#include "milter/conf/value.h"

static struct listener *listener_copy(const struct listener *listener)
{
    struct listener *copy = listener_new(listener->address, listener->role);

    copy->group = g_strdup(listener->group);
    copy->mode = listener->mode;
    copy->written = listener->written;
    return copy;
}

static void keep_listeners(struct conf *conf, const struct conf *old)
{
    g_ptr_array_set_size(conf->listeners, 0);
    for (guint i = 0; i < old->listeners->len; i++)
        g_ptr_array_add(conf->listeners, listener_copy(g_ptr_array_index(old->listeners, i)));
}

static void keep_control(struct conf *conf, const struct conf *old)
{
    struct listener *copy = listener_copy(&old->control);

    value_set(&conf->control.address, g_steal_pointer(&copy->address));
    value_set(&conf->control.group, g_steal_pointer(&copy->group));
    conf->control.mode = copy->mode;
    conf->control.written = copy->written;
    listener_free(copy);
}

static void keep_state(struct conf *conf, const struct conf *old)
{
    value_set(&conf->state_directory, g_strdup(old->state_directory));
}

static void keep_run_as(struct conf *conf, const struct conf *old)
{
    value_set(&conf->run_as, g_strdup(old->run_as));
}

static void keep_sandbox(struct conf *conf, const struct conf *old)
{
    conf->inspect.helpers = old->inspect.helpers;
    conf->inspect.memory_bytes = old->inspect.memory_bytes;
    conf->inspect.cpu_ms = old->inspect.cpu_ms;
}

/* One for each setting of settings.def that needs a restart and has a value. */
static const struct {
    enum setting setting;
    void (*keep)(struct conf *conf, const struct conf *old);
} kept[] = {{SETTING_LISTEN, keep_listeners},
            {SETTING_CONTROL, keep_control},
            {SETTING_STATE, keep_state},
            {SETTING_RUN_AS, keep_run_as},
            {SETTING_SANDBOX, keep_sandbox}};

static void keep_one(struct snapshot *snapshot, const struct snapshot *previous,
                     const struct reading *reading, guint i)
{
    enum setting setting = kept[i].setting;
    const char *name = setting_name(setting);
    g_autofree char *now = conf_dump_setting(snapshot, setting);
    const char *before = previous != NULL ? g_hash_table_lookup(previous->conf->restart_only, name) : NULL;

    if (before != NULL && strcmp(before, now) != 0) {
        const struct statement *statement = reading->written[setting];
        diagnostics_report(reading->diagnostics, DIAG_NEEDS_RESTART,
                           statement != NULL ? statement->span : reading->end,
                           message_make(MSG_NEEDS_RESTART, name, NULL));
        kept[i].keep(snapshot->conf, previous->conf);
        value_set(&now, g_strdup(before));
    }
    g_hash_table_insert(snapshot->conf->restart_only, (gpointer)name, g_steal_pointer(&now));
}

void keep_restart_only(struct snapshot *snapshot, const struct snapshot *previous,
                       const struct reading *reading)
{
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        keep_one(snapshot, previous, reading, i);
}

static void append_change(GString *out, const char *path)
{
    struct stat status;

    if (path == NULL || stat(path, &status) != 0)
        return;
    g_string_append_printf(out, "%s %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld %" G_GINT64_FORMAT "\n",
                           path, (guint64)status.st_ino, (gint64)status.st_mtim.tv_sec,
                           status.st_mtim.tv_nsec, (gint64)status.st_size);
}

void directory_identity(struct snapshot *snapshot)
{
    struct directory_settings *settings = snapshot->conf->directory;
    g_autofree char *dump = conf_dump_setting(snapshot, SETTING_DIRECTORY);
    g_autofree char *zone = conf_dump_setting(snapshot, SETTING_TIME_ZONE);
    GString *identity = g_string_new(dump);

    g_string_append(identity, zone);
    append_change(identity, settings->bind_password_file);
    append_change(identity, settings->bind_certificate_file);
    append_change(identity, settings->ca_file);
    value_set(&settings->identity, g_string_free(identity, FALSE));
}
