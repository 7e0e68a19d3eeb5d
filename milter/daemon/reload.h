/*
 * reload: a new configuration for the daemon that runs: read aside, checked against what the store keeps,
 * swapped in; if anything is wrong the old one stays (design.md 3). One at a time; who comes meanwhile waits
 * for its turn.
 */
#ifndef MILTER_DAEMON_RELOAD_H
#define MILTER_DAEMON_RELOAD_H

#include "milter/daemon/service.h"

struct reloader;
/* config: path of miji.conf; channel: to the supervisor, borrowed. */
struct reloader *reloader_new(struct service *service, int channel, const char *config);
void reloader_free(struct reloader *reloader);

/* From any thread but one that must not wait. who: for the audit. The findings as text, new; *ok: it is in
 * force. */
char *reload(struct reloader *reloader, const char *who, enum language language, gboolean *ok);

/* The name of a queue that holds mail and that the snapshot does not know: new; NULL there is none. */
char *reload_queue_missing(struct store *store, const struct snapshot *snapshot, GError **error);

#endif
