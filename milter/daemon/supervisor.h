/*
 * supervisor: the process that administrators see. It reads the configuration, starts the inspector's parent
 * and the daemon proper, owns HUP (reload) and TERM (drain, then stop), and restarts what died. It has no
 * threads and does not know libmilter, which ends on HUP (facts 3.5).
 */
#ifndef MILTER_DAEMON_SUPERVISOR_H
#define MILTER_DAEMON_SUPERVISOR_H

#include <glib.h>

struct supervisor_options {
    const char *config;    /* path of miji.conf */
    gboolean foreground;   /* stay attached; else detach once the daemon serves */
    const char *inspector; /* path of miji-inspect */
};

/* Runs until told to stop. Exit status: 0 stopped as told, 1 the configuration is wrong, 2 could not run. */
int supervisor_run(const struct supervisor_options *options);

#endif
