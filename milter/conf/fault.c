#include "milter/conf/fault.h"

#ifdef MIJI_FAULTS
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Counts visits of the one point that the file names; another name begins anew. */
static gint visits;

static gboolean act(const char *what, const char *file)
{
    unlink(file);
    __atomic_store_n(&visits, 0, __ATOMIC_RELAXED);
    if (strcmp(what, "kill-all") == 0)
        kill(getppid(), SIGKILL);
    if (g_str_has_prefix(what, "kill"))
        kill(getpid(), SIGKILL);
    return strcmp(what, "fail") == 0;
}

gboolean fault_point(const char *name)
{
    const char *file = g_getenv("MIJI_FAULT");
    g_autofree char *text = NULL;

    if (file == NULL || !g_file_get_contents(file, &text, NULL, NULL))
        return FALSE;
    g_auto(GStrv) words = g_strsplit_set(g_strchomp(text), " \n", 4);
    guint count = g_strv_length(words);
    if (count < 2 || strcmp(words[0], name) != 0)
        return FALSE;
    if (strcmp(words[1], "stop") == 0 && count > 2) {
        unlink(file);
        g_usleep(1000 * (gulong)g_ascii_strtoull(words[2], NULL, 10));
        return FALSE;
    }
    gint wanted = count > 2 ? (gint)g_ascii_strtoll(words[2], NULL, 10) : 1;
    return __atomic_add_fetch(&visits, 1, __ATOMIC_RELAXED) >= wanted && act(words[1], file);
}
#endif
