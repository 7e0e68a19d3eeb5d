/*
 * conf: the settings of miji.conf that concern processes, sockets, files and limits; what decide needs is in policy/check/policy.h and the zones. Made by
 * conf_read, immutable, owned by the snapshot.
 */
#ifndef MILTER_CONF_CONF_H
#define MILTER_CONF_CONF_H

#include "policy/autoptr.h"
#include "milter/inspect/inspector.h"
#include "policy/check/policy.h"
#include "policy/person/directory.h"

struct listener {
    char *address;            /* as written: unix:/run/… or inet:port@host */
    enum socket_role role;
    char *group;              /* NULL */
    guint mode;               /* 0660 */
    gboolean written;         /* FALSE: the default */
};

enum log_kind { LOG_TO_SYSLOG, LOG_TO_JOURNAL, LOG_TO_STDERR };

struct conf {
    char *path;               /* of miji.conf */
    GPtrArray *listeners;     /* struct listener *, at least one of role smtp */
    struct listener control;
    char *state_directory;
    char *run_as;             /* NULL: not written */
    enum log_kind log;
    char *log_facility;       /* "mail" */
    GTimeZone *time_zone;     /* NULL: the host's */
    char *time_zone_name;
    GPtrArray *scheme_files;  /* char *, as found */
    struct directory_settings *directory; /* taken by directory_open via copy; see directory_settings identity */
    struct inspect_limits inspect;
    guint64 message_size_bytes;
    guint recipients;
    gint64 time_ms;           /* limits time: for the whole end of message */
    GHashTable *restart_only; /* setting -> text as written: what needs a restart */
};

struct conf *conf_new(void);  /* every default */
void conf_free(struct conf *conf);
DEFINE_AUTOPTR(conf, conf_free)

#endif
