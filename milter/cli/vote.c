/* vote: what a reviewer says of a hold. */
#include "milter/cli/asking.h"

static int vote(const struct invocation *invocation, const struct asked_option *options, guint values)
{
    struct asking asking;

    if (!asking_take(invocation, options, values, values, &asking))
        return EXIT_CANNOT;
    return asking_end(invocation, &asking);
}

int command_approve(const struct invocation *invocation)
{
    static const struct asked_option options[] = {
        {"--as", "as", NULL}, {"--note", "note", NULL}, {NULL, NULL, NULL}};

    return vote(invocation, options, 1);
}

int command_refuse(const struct invocation *invocation)
{
    static const struct asked_option options[] = {{"--note", "note", NULL}, {NULL, NULL, NULL}};

    return vote(invocation, options, 1);
}

int command_note(const struct invocation *invocation)
{
    static const struct asked_option options[] = {{NULL, NULL, NULL}};

    return vote(invocation, options, 2);
}

/* What became of a release of which nobody knows: again, or done. The daemon says if neither is there. */
int command_release(const struct invocation *invocation)
{
    static const struct asked_option options[] = {
        {"--again", "again", "yes"}, {"--done", "done", "yes"}, {NULL, NULL, NULL}};

    return vote(invocation, options, 1);
}
