/* queue_id: the MTA's name of a message, as far as it may be believed. Pure. */
#ifndef MILTER_DAEMON_QUEUE_ID_H
#define MILTER_DAEMON_QUEUE_ID_H

#include <glib.h>

/* As MTAs make them. It stands first in a line of the log: another word could pretend to be a line of its
 * own. */
gboolean queue_id_is_good(const char *text);
/* As Postfix makes them, short or long (postconf(5) enable_long_queue_ids): letters and digits only, 5 at
 * least. */
gboolean queue_id_is_of_postfix(const char *text);

#endif
