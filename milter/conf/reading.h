/*
 * reading: what the readers of miji.conf share while one configuration is read, and the values that several
 * statements have in common. Internal to milter/conf. One thread; everything is borrowed from whoever loads
 * the snapshot.
 *
 * Each reader takes the statement behind its keyword to the end, reports what is wrong and fills conf, policy
 * or zones. After an error in a statement the reader is broken and silent; the snapshot is then thrown away,
 * so half-filled structs do no harm.
 */
#ifndef MILTER_CONF_READING_H
#define MILTER_CONF_READING_H

#include "milter/conf/setting.h"
#include "milter/conf/snapshot.h"
#include "policy/text/include.h"
#include "policy/text/reader.h"

/* Where files and the like are named that host_check looks at; length 0: not named. */
struct file_places {
    struct span url, bind_certificate, password, ca, key;
};

struct reading {
    struct diagnostics *diagnostics;
    enum snapshot_flags flags;
    struct schemes *schemes; /* NULL: they could not be read, so levels are not looked up */
    struct conf *conf;
    struct policy *policy;
    struct zones *zones;
    struct block *file; /* the statements of all files in order */
    struct span end;    /* the end of miji.conf itself: where something is missing */
    const struct statement *written[SETTING_COUNT]; /* the first of its kind; NULL: not written */
    const struct statement *listen_statements[ROLE_RELEASE + 1]; /* by role */
    struct file_places files;
    gboolean files_bad; /* a file could not be read, or not to its end */
    gboolean zones_bad; /* something about a zone was reported: others may be missed only for that */
    gboolean listen_bad,
        roles_bad;                 /* such a statement was not understood: the one that is missed may be it */
    GHashTable *queues, *archives; /* name -> const struct statement *; known before the rest is read */
    GHashTable *queue_after;       /* name of a queue -> const struct item *: where its deadline leads */
    GHashTable *domains;           /* canonical, owned -> const struct item *: where it was given first */
    GPtrArray *zone_names;         /* const struct item *, in the order written, "local" among them */
};

/* files: of miji.conf and what it includes, at least one; borrowed, and must outlive the reading. Conf,
 * policy and zones are made and owned. */
struct reading *reading_new(const struct files *files, enum snapshot_flags flags,
                            struct diagnostics *diagnostics);
void reading_free(struct reading *reading);
DEFINE_AUTOPTR(reading, reading_free)

/* Reads every statement; schemes must be set, or NULL. */
void reading_read(struct reading *reading);

#endif
