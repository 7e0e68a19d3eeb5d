#include "milter/daemon/trouble.h"

#include <string.h>

#include "milter/conf/log.h"

#define SAY_AGAIN_US (60 * G_USEC_PER_SEC)

void trouble_init(struct trouble *trouble)
{
    *trouble = (struct trouble){0};
    pthread_mutex_init(&trouble->lock, NULL);
}

void trouble_begins(struct trouble *trouble, struct directory *directory)
{
    struct directory_status status;
    directory_get_status(directory, &status);
    /* Connected, `where` is the server only, or what is wrong with its answers. */
    gboolean silent = !status.where || !strchr(status.where, ' ');
    g_autofree char *what =
        g_strdup_printf("%s%s", status.where ? status.where : "-", silent ? ": no answer in time" : "");
    gint64 now = g_get_monotonic_time();
    pthread_mutex_lock(&trouble->lock);
    gboolean say = g_strcmp0(trouble->said, what) != 0 || now - trouble->said_us >= SAY_AGAIN_US;
    if (say) {
        g_free(trouble->said);
        trouble->said = g_strdup(what);
        trouble->said_us = now;
        g_atomic_int_set(&trouble->there, 1);
    }
    pthread_mutex_unlock(&trouble->lock);
    if (say)
        log_line(LOG_LEVEL_WARNING, "directory: %s", what);
    directory_status_clear(&status);
}

void trouble_ends(struct trouble *trouble, struct directory *directory)
{
    if (!g_atomic_int_get(&trouble->there))
        return;
    struct directory_status status;
    directory_get_status(directory, &status);
    pthread_mutex_lock(&trouble->lock);
    /* A message whose people were all known proves nothing. */
    gboolean over = trouble->said && status.connected;
    if (over) {
        g_clear_pointer(&trouble->said, g_free);
        g_atomic_int_set(&trouble->there, 0);
    }
    pthread_mutex_unlock(&trouble->lock);
    if (over)
        log_line(LOG_LEVEL_INFO, "directory: answers again: %s", status.where ? status.where : "-");
    directory_status_clear(&status);
}
