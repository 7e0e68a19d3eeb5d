/*
 * asking: a command that asks the daemon: its options and values become a request, the answer is printed as
 * it is. What is wrong with the arguments is said with what would be right.
 */
#ifndef MILTER_CLI_ASKING_H
#define MILTER_CLI_ASKING_H

#include "milter/cli/command.h"
#include "milter/conf/control.h"

/* One option of a command and the argument of the request that it becomes. */
struct asked_option {
    const char *option; /* "--queue" */
    const char *name;   /* "queue"; NULL: --force, which is not sent */
    const char *value;  /* what a flag stands for; NULL: the next word is the value */
};

struct asking {
    struct control_request *request;
    char *control; /* --control; NULL: as the configuration has it */
    gboolean forced;
};

/* Takes the command's arguments: options of the table (it ends with a NULL option; --control is always one)
 * and least to most values. FALSE: said on standard error, the command ends with EXIT_CANNOT. */
gboolean asking_take(const struct invocation *invocation, const struct asked_option *options, guint least,
                     guint most, struct asking *asking);
void asking_clear(struct asking *asking);

/* The answer, new, *length octets; NULL: said on standard error, and *status is what the command ends with.
 */
char *asking_answer(const struct invocation *invocation, struct asking *asking, gsize *length, int *status);
/* Prints the answer and clears the asking; the command's exit status. */
int asking_end(const struct invocation *invocation, struct asking *asking);
/* The octets to standard output; the exit status. */
int asking_print(const struct invocation *invocation, const char *octets, gsize length);
/* Octets of a mail are not for a terminal, unless --force: FALSE and said. */
gboolean asking_may_be_raw(const struct invocation *invocation, const struct asking *asking);

#endif
