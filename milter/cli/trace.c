#include "milter/cli/asking.h"

/* `miji trace WHAT`: what happened to a message. */
int command_trace(const struct invocation *invocation)
{
    static const struct asked_option options[] = {{NULL, NULL, NULL}};
    struct asking asking;

    if (!asking_take(invocation, options, 1, 1, &asking))
        return EXIT_CANNOT;
    return asking_end(invocation, &asking);
}
