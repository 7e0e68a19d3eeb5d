/* keep: what a reload takes over from the snapshot before. Internal to milter/conf. */
#ifndef MILTER_CONF_KEEP_H
#define MILTER_CONF_KEEP_H

#include "milter/conf/reading.h"

/* Settings that only a restart changes keep the value of `previous` (may be NULL), with a warning
 * [needs-restart] where the new file says something else; notes in conf->restart_only what is in force. */
void keep_restart_only(struct snapshot *snapshot, const struct snapshot *previous,
                       const struct reading *reading);

/* Fills identity: equal text, same directory. Files with secrets count by their last change, so that a new
 * password is a new directory. */
void directory_identity(struct snapshot *snapshot);

#endif
