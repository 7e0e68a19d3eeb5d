#include "milter/conf/review.h"

#include <string.h>

#define DEADLINE_MS ((gint64)72 * 3600 * 1000)

const char *role_name(enum role role)
{
    static const char *const names[] = {
        [ROLE_ADMINISTRATOR] = "administrator", [ROLE_OFFICER] = "officer", [ROLE_AUDITOR] = "auditor"};

    return role < ROLE_COUNT ? names[role] : "?";
}

struct who *who_new(enum who_kind kind, const char *value)
{
    struct who *who = g_new0(struct who, 1);

    who->kind = kind;
    who->value = g_strdup(value);
    return who;
}

void who_free(struct who *who)
{
    if (who == NULL)
        return;
    g_free(who->value);
    g_free(who);
}

struct queue *queue_new(const char *name)
{
    struct queue *queue = g_new0(struct queue, 1);

    queue->name = g_strdup(name);
    queue->reviewers = g_ptr_array_new_with_free_func((GDestroyNotify)who_free);
    queue->deadline_ms = DEADLINE_MS;
    queue->tell_sender = queue->tell_reviewers = TRUE;
    queue->recipients_may_vote = TRUE;
    return queue;
}

void queue_free(struct queue *queue)
{
    if (queue == NULL)
        return;
    g_free(queue->name);
    g_ptr_array_unref(queue->reviewers);
    g_free(queue->then_queue);
    g_free(queue);
}

struct archive *archive_new(const char *name)
{
    struct archive *archive = g_new0(struct archive, 1);

    archive->name = g_strdup(name);
    return archive;
}

void archive_free(struct archive *archive)
{
    if (archive == NULL)
        return;
    g_free(archive->name);
    g_free(archive);
}

const struct queue *queues_find(const GPtrArray *queues, const char *name)
{
    for (guint i = 0; i < queues->len; i++) {
        const struct queue *queue = g_ptr_array_index(queues, i);
        if (strcmp(queue->name, name) == 0)
            return queue;
    }
    return NULL;
}
