/* daemon: where the running daemon is asked. */
#ifndef MILTER_CLI_DAEMON_H
#define MILTER_CLI_DAEMON_H

#include "milter/cli/command.h"

/* The control socket as the configuration has it; a configuration that cannot be read leaves the default.
 * New.
 */
char *daemon_control_address(const struct invocation *invocation);

#endif
