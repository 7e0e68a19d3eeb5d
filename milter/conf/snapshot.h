/*
 * snapshot: configuration, schemes, zones, policy (later rules) in force, immutable, with a generation number
 * and a content hash. Reload builds a new one aside and swaps a pointer; the old one is freed when its last
 * transaction ends. Reference counted; any thread may read.
 */
#ifndef MILTER_CONF_SNAPSHOT_H
#define MILTER_CONF_SNAPSHOT_H

#include "policy/autoptr.h"
#include "milter/conf/conf.h"
#include "policy/check/policy.h"
#include "policy/person/directory.h"

struct snapshot {
    gint refs;             /* g_atomic_int */
    guint generation;      /* 1, 2, … in this process; 0: made by a command */
    char schemes_hash[65]; /* the same over the scheme files alone */
    char hash[65];         /* SHA-256 in hex over the texts of all files, in the order read */
    struct sources *sources;
    struct conf *conf; /* settings of processes and sockets */
    struct schemes *schemes;
    struct zones *zones;
    struct policy *policy;
    struct directory *directory; /* NULL if opened with SNAPSHOT_NO_DIRECTORY */
};

enum snapshot_flags {
    SNAPSHOT_NO_DIRECTORY = 1 << 0, /* check only: nothing is opened */
    SNAPSHOT_ANY_OWNER = 1 << 1,    /* files of any owner (explain on a copy, tests) */
    SNAPSHOT_NO_HOST = 1 << 2,      /* do not ask this host (users, paths that must exist): golden tests */
};

/* Reads miji.conf and everything that it names. Every mistake goes to diagnostics, new and empty; NULL if
 * there was an error. previous (may be NULL): its directory and schemes are taken over when their texts are
 * the same (a reload keeps the cache), and settings that only a restart changes (S in language.md 3) are kept
 * and reported [needs-restart]. */
struct snapshot *snapshot_load(const char *path, enum snapshot_flags flags, const struct snapshot *previous,
                               struct diagnostics *diagnostics);
/* May it follow a snapshot of whose queues those of these names (char *) hold mail? FALSE, and [missing]
 * reported at the end of miji.conf for each that is not written any more (language.md section 3). */
gboolean snapshot_keeps_queues(const struct snapshot *snapshot, const GPtrArray *names,
                               struct diagnostics *diagnostics);
struct snapshot *snapshot_ref(const struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);
DEFINE_AUTOPTR(snapshot, snapshot_unref)

#endif
