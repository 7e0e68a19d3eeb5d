/*
 * session_facts: what the connection and the envelope say of the sender before the directory is asked
 * (semantics.md section 3). Inputs, which asks the directory, and sender, which judges the answers, read the
 * session through these and cannot disagree. Pure; results are borrowed.
 */
#ifndef MILTER_DECIDE_SESSION_FACTS_H
#define MILTER_DECIDE_SESSION_FACTS_H

#include "milter/decide/inputs.h"

/* The login or the name of the verified certificate, if there is one and `sender is` lets it count; else
 * NULL. */
const char *session_login(const struct policy *policy, const struct session *session);
const char *session_certificate(const struct policy *policy, const struct session *session);

/* The login with its inside domain taken off; new. NULL if it has none. */
char *session_account(const struct zones *zones, const char *login);

/* Mail from a program on this host: the `local` socket, or (without one) localhost and a MAIL without
 * brackets, which is how Postfix presents sendmail(1) (semantics.md 3.3). */
gboolean session_is_local(const struct session *session, const struct envelope *envelope);

/* A declared host that passes on outside mail: a relay of any zone (3.2). */
gboolean session_is_relay(const struct zones *zones, const struct session *session);

/* A host whose zone says that it binds MAIL FROM to its own logins. */
gboolean session_vouches(const struct zones *zones, const struct session *session);

/* The first `device` line that fits client and MAIL FROM, or NULL. */
const struct device *session_device(const struct policy *policy, const struct session *session,
                                    const struct envelope *envelope);

/* The zone of origin: `local`, that of a relay (the `otherwise` zone), or the first that fits. Never NULL. */
const struct zone *session_zone(const struct zones *zones, const struct session *session,
                                const struct envelope *envelope);

#endif
