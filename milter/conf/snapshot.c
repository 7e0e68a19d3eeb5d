#include "milter/conf/snapshot.h"

#include <string.h>

#include "milter/conf/keep.h"
#include "milter/conf/reading.h"
#include "milter/conf/scheme_files.h"
#include "milter/conf/snapshot_hash.h"

/* Texts in the order read, each with its length, so that nothing can move from one to the next. Not their
 * names: `miji check miji.conf` and the daemon, which has the whole path, must come to the same hash. */
void checksum_source(const struct source *source, gpointer checksum)
{
    guint32 length = source->length;

    g_checksum_update(checksum, (const guchar *)&length, sizeof length);
    g_checksum_update(checksum, (const guchar *)source->text, length);
}

static void hash_sources(struct snapshot *snapshot)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    sources_foreach(snapshot->sources, checksum_source, checksum);
    g_strlcpy(snapshot->hash, g_checksum_get_string(checksum), sizeof snapshot->hash);
}

/* The same text makes the same schemes: those of the snapshot before are kept, since the people in its
 * directory's cache point into them. */
static struct schemes *read_schemes(struct snapshot *snapshot, struct reading *reading,
                                    const struct snapshot *previous)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    struct schemes *schemes = scheme_files_read(reading, snapshot->sources, checksum);

    g_strlcpy(snapshot->schemes_hash, g_checksum_get_string(checksum), sizeof snapshot->schemes_hash);
    if (schemes == NULL || previous == NULL || strcmp(snapshot->schemes_hash, previous->schemes_hash) != 0)
        return schemes;
    schemes_unref(schemes);
    return schemes_ref(previous->schemes);
}

static gboolean may_keep_directory(const struct snapshot *snapshot, const struct snapshot *previous)
{
    const struct directory_settings *settings = snapshot->conf->directory;
    const char *url = g_ptr_array_index(settings->urls, 0);

    /* A file is read again: a reload is how its changes come into force. */
    return previous != NULL && previous->directory != NULL && previous->schemes == snapshot->schemes &&
           !g_str_has_prefix(url, "file:") &&
           strcmp(settings->identity, previous->conf->directory->identity) == 0;
}

static enum diagnostic_id why_not_open(const GError *error)
{
    return g_error_matches(error, DIRECTORY_ERROR, DIRECTORY_ERROR_FILE) ? DIAG_NO_FILE : DIAG_ENDPOINT;
}

static void open_directory(struct snapshot *snapshot, const struct snapshot *previous, struct span place,
                           struct diagnostics *diagnostics)
{
    g_autoptr(GError) error = NULL;

    if (may_keep_directory(snapshot, previous)) {
        snapshot->directory = directory_ref(previous->directory);
        return;
    }
    snapshot->directory =
        directory_open(directory_settings_copy(snapshot->conf->directory), snapshot->schemes, &error);
    if (snapshot->directory == NULL)
        diagnostics_report(diagnostics, why_not_open(error), place,
                           message_make(MSG_DIRECTORY_NOT_OPEN, error->message, NULL));
}

/* Reads everything into the snapshot; what is wrong is in the diagnostics. */
static void read_all(struct snapshot *snapshot, const struct files *files, enum snapshot_flags flags,
                     const struct snapshot *previous, struct diagnostics *diagnostics)
{
    guint errors = diagnostics_errors(diagnostics);
    g_autoptr(reading) reading = reading_new(files, flags, diagnostics);

    reading->files_bad = errors > 0;
    reading->schemes = read_schemes(snapshot, reading, previous);
    snapshot->schemes = reading->schemes;
    reading_read(reading);
    snapshot->conf = g_steal_pointer(&reading->conf);
    snapshot->policy = g_steal_pointer(&reading->policy);
    snapshot->zones = g_steal_pointer(&reading->zones);
    if (diagnostics_errors(diagnostics) > 0)
        return;
    directory_identity(snapshot);
    if (!(flags & SNAPSHOT_NO_DIRECTORY))
        open_directory(snapshot, previous, reading->files.url, diagnostics);
    keep_restart_only(snapshot, previous, reading);
}

struct snapshot *snapshot_load(const char *path, enum snapshot_flags flags, const struct snapshot *previous,
                               struct diagnostics *diagnostics)
{
    enum source_trust trust = flags & SNAPSHOT_ANY_OWNER ? SOURCE_ANY : SOURCE_SAFE;
    g_autoptr(snapshot) snapshot = g_new0(struct snapshot, 1);

    snapshot->refs = 1;
    snapshot->generation = previous != NULL ? previous->generation + 1 : 1;
    if (flags & SNAPSHOT_NO_DIRECTORY)
        snapshot->generation = 0;
    snapshot->sources = sources_ref(diagnostics_sources(diagnostics));
    g_autoptr(files) files = files_read(snapshot->sources, path, trust, diagnostics);
    if (files->blocks->len == 0)
        return NULL;
    read_all(snapshot, files, flags, previous, diagnostics);
    if (diagnostics_errors(diagnostics) > 0)
        return NULL;
    snapshot->conf->path = g_strdup(path);
    hash_sources(snapshot);
    return g_steal_pointer(&snapshot);
}

static void take_first(const struct source *source, gpointer first)
{
    if (source->order == 0)
        *(const struct source **)first = source;
}

gboolean snapshot_keeps_queues(const struct snapshot *snapshot, const GPtrArray *names,
                               struct diagnostics *diagnostics)
{
    const struct source *conf = NULL;
    gboolean keeps = TRUE;

    sources_foreach(snapshot->sources, take_first, &conf);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (queues_find(snapshot->conf->queues, name) != NULL)
            continue;
        keeps = FALSE;
        diagnostic_help(diagnostics_report(diagnostics, DIAG_MISSING, (struct span){conf, conf->length, 0},
                                           message_make(MSG_QUEUE_STILL_HOLDS, name, NULL)),
                        message_make(MSG_QUEUE_STILL_HOLDS_HELP, NULL));
    }
    return keeps;
}

struct snapshot *snapshot_ref(const struct snapshot *snapshot)
{
    struct snapshot *counted = (struct snapshot *)snapshot;

    g_atomic_int_inc(&counted->refs);
    return counted;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot == NULL || !g_atomic_int_dec_and_test(&snapshot->refs))
        return;
    directory_unref(snapshot->directory);
    zones_free(snapshot->zones);
    policy_free(snapshot->policy);
    conf_free(snapshot->conf);
    if (snapshot->schemes != NULL)
        schemes_unref(snapshot->schemes); /* after all that borrows levels from them */
    sources_unref(snapshot->sources);
    g_free(snapshot);
}
