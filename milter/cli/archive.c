#include "milter/cli/asking.h"

#include <string.h>

/* `miji archive list|show|export`. */
int command_archive(const struct invocation *invocation)
{
    static const struct asked_option options[] = {{"--archive", "archive", NULL},
                                                  {"--since", "since", NULL},
                                                  {"--until", "until", NULL},
                                                  {"--force", NULL, "yes"},
                                                  {NULL, NULL, NULL}};
    struct asking asking;
    const char *what;

    if (!asking_take(invocation, options, 1, 2, &asking))
        return EXIT_CANNOT;
    what = g_ptr_array_index(asking.request->values, 0);
    if (strcmp(what, "export") == 0 && !asking_may_be_raw(invocation, &asking)) {
        asking_clear(&asking);
        return EXIT_CANNOT;
    }
    return asking_end(invocation, &asking);
}
