/*
 * launch: the command line of miji-inspect, written by inspector_start_parent and read by its main: one table
 * for both.
 */
#ifndef MILTER_INSPECT_LAUNCH_H
#define MILTER_INSPECT_LAUNCH_H

#include "milter/inspect/inspector.h"

/* FALSE if it is not what inspector_start_parent writes. user is borrowed from argv. */
gboolean launch_read_arguments(int argc, char **argv, int *control_fd, struct inspect_limits *limits,
                               const char **user);

#endif
