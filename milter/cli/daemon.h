/* daemon: where the running daemon is asked. */
#ifndef MILTER_CLI_DAEMON_H
#define MILTER_CLI_DAEMON_H

#include "milter/cli/command.h"

/* The control socket as the configuration has it; a configuration that cannot be read leaves the default.
 * New. NULL, and said: -c names a file that is not there. */
char *daemon_control_address(const struct invocation *invocation);

/* Says why control_ask got no answer; the exit status. */
int daemon_no_answer(const struct invocation *invocation, const GError *error);

#endif
