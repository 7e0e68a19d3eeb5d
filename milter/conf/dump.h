/*
 * dump: the configuration in force as a miji.conf that means the same: every statement that works, defaults
 * included, in English, paths as they are used, in a fixed order. `miji check --print` shows it; equal dumps
 * are equal configurations. Pure; any thread.
 */
#ifndef MILTER_CONF_DUMP_H
#define MILTER_CONF_DUMP_H

#include "milter/conf/setting.h"
#include "milter/conf/snapshot.h"

/* The whole file; new string. Reading it gives the same dump again. */
char *conf_dump(const struct snapshot *snapshot);
/* One setting: its statements, each with a line end; "" where nothing is in force. New string. */
char *conf_dump_setting(const struct snapshot *snapshot, enum setting setting);

#endif
