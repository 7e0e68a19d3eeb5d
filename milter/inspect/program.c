#include "milter/inspect/program.h"

#include <glib.h>
#include <limits.h>
#include <unistd.h>

char *inspect_program(void)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return g_strdup("/usr/sbin/miji-inspect");
    self[length] = '\0';
    g_autofree char *folder = g_path_get_dirname(self);
    g_autofree char *above = g_path_get_dirname(folder);
    char *beside = g_build_filename(folder, "miji-inspect", NULL);
    if (access(beside, X_OK) == 0)
        return beside;
    g_free(beside);
    return g_build_filename(above, "sbin", "miji-inspect", NULL);
}
