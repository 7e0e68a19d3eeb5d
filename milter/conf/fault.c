#include "milter/conf/fault.h"

#ifdef MIJI_FAULTS
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Counts visits of the one point that the file names; another name begins anew. */
static gint visits;

/* Takes the first line away, before anything is done: what stands behind it is for the next life. */
static void pass_on(const char *file, const char *rest)
{
    g_autofree char *temporary = g_strconcat(file, ".next", NULL);

    __atomic_store_n(&visits, 0, __ATOMIC_RELAXED);
    if (*rest == '\0' || !g_file_set_contents(temporary, rest, -1, NULL) || rename(temporary, file) != 0)
        unlink(file);
}

static gboolean act(const char *what)
{
    if (strcmp(what, "kill") == 0)
        kill(getpid(), SIGKILL);
    return strcmp(what, "fail") == 0;
}

/* One write each, so that threads do not mix their lines. */
static void record(const char *file, const char *name)
{
    g_autofree char *list = g_strconcat(file, ".visited", NULL);
    g_autofree char *line = g_strconcat(name, "\n", NULL);
    int fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        g_printerr("miji-milter: warning: %s cannot be written\n", list);
    if (fd >= 0)
        close(fd);
}

gboolean fault_point(const char *name)
{
    const char *file = g_getenv("MIJI_FAULT");
    g_autofree char *text = NULL;

    if (file == NULL || !g_file_get_contents(file, &text, NULL, NULL))
        return FALSE;
    char *rest = text + strcspn(text, "\n");
    if (*rest == '\n')
        *rest++ = '\0';
    g_auto(GStrv) words = g_strsplit(text, " ", 3);
    guint count = g_strv_length(words);
    if (strcmp(text, "record") == 0)
        record(file, name);
    if (count < 2 || strcmp(words[0], name) != 0)
        return FALSE;
    if (strcmp(words[1], "stop") == 0 && count > 2) {
        pass_on(file, rest);
        g_usleep(1000 * (gulong)g_ascii_strtoull(words[2], NULL, 10));
        return FALSE;
    }
    gint wanted = count > 2 ? (gint)g_ascii_strtoll(words[2], NULL, 10) : 1;
    if (__atomic_add_fetch(&visits, 1, __ATOMIC_RELAXED) < wanted)
        return FALSE;
    pass_on(file, rest);
    return act(words[1]);
}
#endif
