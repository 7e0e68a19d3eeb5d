#include "milter/cli/asking.h"

/* `miji held`: what waits for a decision. */
int command_held(const struct invocation *invocation)
{
    static const struct asked_option options[] = {
        {"--all", "all", "yes"}, {"--queue", "queue", NULL}, {"--since", "since", NULL}, {NULL, NULL, NULL}};
    struct asking asking;

    if (!asking_take(invocation, options, 0, 0, &asking))
        return EXIT_CANNOT;
    return asking_end(invocation, &asking);
}
