#include "milter/daemon/reload.h"

#include <string.h>

#include "milter/conf/key_file.h"
#include "milter/conf/log.h"
#include "milter/daemon/channel.h"
#include "milter/store/audit.h"
#include "milter/store/hold.h"

struct reloader {
    struct service *service;
    int channel;
    char *config;
    pthread_mutex_t lock; /* guards running */
    pthread_cond_t ended;
    gboolean running;
};

struct reloader *reloader_new(struct service *service, int channel, const char *config)
{
    struct reloader *reloader = g_new0(struct reloader, 1);
    reloader->service = service;
    reloader->channel = channel;
    reloader->config = g_strdup(config);
    pthread_mutex_init(&reloader->lock, NULL);
    pthread_cond_init(&reloader->ended, NULL);
    return reloader;
}

void reloader_free(struct reloader *reloader)
{
    if (!reloader)
        return;
    pthread_cond_destroy(&reloader->ended);
    pthread_mutex_destroy(&reloader->lock);
    g_free(reloader->config);
    g_free(reloader);
}

static void take_turn(struct reloader *reloader)
{
    pthread_mutex_lock(&reloader->lock);
    while (reloader->running)
        pthread_cond_wait(&reloader->ended, &reloader->lock);
    reloader->running = TRUE;
    pthread_mutex_unlock(&reloader->lock);
}

static void end_turn(struct reloader *reloader)
{
    pthread_mutex_lock(&reloader->lock);
    reloader->running = FALSE;
    pthread_cond_signal(&reloader->ended);
    pthread_mutex_unlock(&reloader->lock);
}

static gboolean same_limits(const struct inspect_limits *a, const struct inspect_limits *b)
{
    return a->text_size_bytes == b->text_size_bytes && a->unpacked_bytes == b->unpacked_bytes &&
           a->memory_bytes == b->memory_bytes && a->parts == b->parts && a->depth == b->depth &&
           a->helpers == b->helpers && a->time_ms == b->time_ms && a->cpu_ms == b->cpu_ms;
}

char *reload_queue_missing(struct store *store, const struct snapshot *snapshot, GError **error)
{
    const struct hold_filter open = {0};
    g_autoptr(GPtrArray) holds = store_holds(store, snapshot->schemes, &open, error);
    for (guint i = 0; holds && i < holds->len; i++) {
        const struct hold *hold = g_ptr_array_index(holds, i);
        if (hold->kind == KIND_HOLD && !queues_find(snapshot->conf->queues, hold->slip.queue))
            return g_strdup(hold->slip.queue);
    }
    return NULL;
}

static char *refusal(enum message_id id, const char *what, enum language language)
{
    const char *arguments[] = {what, NULL};
    g_autofree char *english = message_fill(message_text(id, LANGUAGE_EN), arguments, LANGUAGE_EN);
    log_line(LOG_LEVEL_ERROR, "reload: %s", g_strchomp(english));
    return message_fill(message_text(id, language), arguments, language);
}

/* The key of the new configuration becomes that of new contents; what is kept stays readable. */
static char *change_key(struct store *store, const struct conf *conf, enum language language)
{
    guint8 key[STORE_KEY_BYTES];
    g_autoptr(GError) error = NULL;
    if (!conf->key_file) /* the next start would refuse what this reload took */
        return store_has_key(store) ? refusal(MSG_RELOAD_KEY_GONE, conf->state_directory, language) : NULL;
    gboolean changed = key_file_read(conf->key_file, key, &error) && store_change_key(store, key, &error);
    explicit_bzero(key, sizeof key);
    return changed ? NULL : refusal(MSG_RELOAD_KEY, error->message, language);
}

/* What the store has to say against the new configuration; NULL nothing. */
static char *objection(struct store *store, const struct snapshot *new, enum language language)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *queue = reload_queue_missing(store, new, &error);
    if (error)
        return refusal(MSG_RELOAD_STORE, error->message, language);
    if (queue)
        return refusal(MSG_RELOAD_QUEUE, queue, language);
    return change_key(store, new->conf, language);
}

static void audit(struct store *store, const char *who, const struct snapshot *new)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *detail = g_strdup_printf("generation=%u hash=%s", new->generation, new->hash);
    const struct audit_entry entry = {.event = "reload", .who = who, .detail = detail};
    /* A store in trouble must not stand in the way of a configuration that mends it. */
    if (!store_audit(store, &entry, &error))
        log_line(LOG_LEVEL_WARNING, "reload: not in the audit: %s", error->message);
}

static void swap(struct reloader *reloader, const struct snapshot *old, struct snapshot *new, gint64 start)
{
    if (!same_limits(&old->conf->inspect, &new->conf->inspect))
        channel_send(
            reloader->channel,
            &(struct channel_message){.word = CHANNEL_INSPECTOR, .limits = new->conf->inspect, .fd = -1});
    log_line(LOG_LEVEL_INFO, "reload: generation=%u hash=%.12s ms=%" G_GINT64_FORMAT, new->generation,
             new->hash, (g_get_monotonic_time() - start) / 1000);
    service_count(reloader->service, COUNT_RELOADS);
    service_swap(reloader->service, new);
}

static char *load(struct reloader *reloader, const struct snapshot *old, enum language language,
                  struct snapshot **new)
{
    g_autoptr(sources) sources = sources_new();
    g_autoptr(diagnostics) diagnostics = diagnostics_new(sources);
    *new = snapshot_load(reloader->config, 0, old, diagnostics);
    g_autofree char *lines = diagnostics_render(diagnostics, DIAGNOSTIC_LINE, LANGUAGE_EN);
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    for (char **line = each; *line; line++)
        if (**line)
            log_line(*new ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "reload: %s", *line);
    return diagnostics_render(diagnostics, DIAGNOSTIC_TEXT, language);
}

static char *reload_now(struct reloader *reloader, const char *who, enum language language, gboolean *ok)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(snapshot) old = service_snapshot(reloader->service);
    struct snapshot *new = NULL;
    char *text = load(reloader, old, language, &new);
    struct store *store = new ? service_borrow_store(reloader->service) : NULL;
    char *against = store ? objection(store, new, language) : NULL;
    *ok = new && !against;
    if (*ok && store)
        audit(store, who, new);
    if (store)
        service_return_store(reloader->service);
    if (*ok) {
        swap(reloader, old, new, start);
        return text;
    }
    log_line(LOG_LEVEL_ERROR, "reload: nothing was changed, generation %u stays in force", old->generation);
    snapshot_unref(new);
    if (!against)
        return text;
    char *both = g_strconcat(text, against, NULL);
    g_free(text);
    g_free(against);
    return both;
}

char *reload(struct reloader *reloader, const char *who, enum language language, gboolean *ok)
{
    take_turn(reloader);
    char *text = reload_now(reloader, who, language, ok);
    end_turn(reloader);
    return text;
}
