/*
 * conf: the settings of miji.conf that concern processes, sockets, files and limits; what decide needs is in
 * policy/check/policy.h and the zones. Filled by the readers of milter/conf (settings.def), immutable, owned
 * by the snapshot.
 */
#ifndef MILTER_CONF_CONF_H
#define MILTER_CONF_CONF_H

#include "policy/autoptr.h"
#include "milter/conf/review.h"
#include "milter/inspect/inspector.h"
#include "policy/check/policy.h"
#include "policy/person/directory.h"

struct listener {
    char *address; /* unix:/run/… or inet:port@host; a path seen from where the daemon stands */
    enum socket_role role;
    char *group;      /* NULL */
    guint mode;       /* 0660 */
    gboolean written; /* FALSE: the default */
};

struct listener *listener_new(const char *address, enum socket_role role); /* 0660, no group */
void listener_free(struct listener *listener);

enum log_kind { LOG_TO_SYSLOG, LOG_TO_JOURNAL, LOG_TO_STDERR };

struct conf {
    char *path;           /* of miji.conf */
    GPtrArray *listeners; /* struct listener *, at least one of role smtp; at most one of each role */
    struct listener control;
    char *state_directory;
    char *run_as; /* NULL: not written */
    enum log_kind log;
    char *log_facility;   /* "mail" */
    GTimeZone *time_zone; /* NULL: the host's */
    char *time_zone_name;
    GPtrArray *scheme_files;              /* char *, as found */
    struct directory_settings *directory; /* directory_open takes a copy; identity is filled */
    struct inspect_limits inspect;
    guint64 message_size_bytes;
    guint recipients;
    gint64 time_ms; /* limits time: for the whole end of message */
    /* what is kept, and who looks at it */
    char *key_file;        /* path of the store key (of a credential: key_credential_path); NULL: no
                              contents can be kept */
    char *key_credential;  /* its name, where `key credential` is written; else NULL */
    char *release_through; /* "inet:10026@127.0.0.1"; NULL: nothing can be released, nobody can be told */
    GPtrArray *queues;     /* struct queue *, in the order written; policy->queues has their names */
    GPtrArray *archives;   /* struct archive * */
    GPtrArray *roles[ROLE_COUNT]; /* struct who * */
    struct notices notices;
    gint64 release_within_ms, keep_closed_ms, remember_attempts_ms;
    gboolean release_doubt_resend;
    GHashTable *restart_only; /* setting -> its value as a statement: what needs a restart */
};

struct conf *conf_new(void); /* every default */
void conf_free(struct conf *conf);
/* Takes the listener over; it replaces that of its role which was not written. */
void conf_take_listener(struct conf *conf, struct listener *listener);
/* The listener of a role, or NULL. */
const struct listener *conf_listener(const struct conf *conf, enum socket_role role);
/* localhost, 127.0.0.0/8, ::1: nobody but this host reaches what listens there. */
gboolean host_is_loopback(const char *host);
DEFINE_AUTOPTR(conf, conf_free)

#endif
