/*
 * parent: the process miji-inspect. It holds nothing of a mail: it makes workers, hands the daemon a socket
 * to each over the control channel, replaces what died, and kills what the daemon tells it to. It ends, and
 * its workers with it, when the control channel does; told to drain, its workers may first finish what they
 * have in hand, within the time of one message.
 */
#ifndef MILTER_INSPECT_PARENT_H
#define MILTER_INSPECT_PARENT_H

#include "milter/inspect/inspector.h"

/* Runs until the control channel ends; the program's exit status. user: whom workers become when this is
 * root. */
int parent_run(int control_fd, const struct inspect_limits *limits, const char *user);

#endif
