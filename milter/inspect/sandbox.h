/*
 * sandbox: takes from a process everything but computing and answering: files, network, other processes,
 * other users. What a mail that takes a parser over finds afterwards is one socket to the daemon, and memory
 * and time up to their limits.
 *
 * Layers, each of which would do alone for what it covers: rlimits, another user (as root), no new
 * privileges, Landlock with no path allowed, seccomp with a short list of calls. Calls that only an attacker
 * makes (exec, ptrace, socket …) end the process; all others that are not on the list fail with EPERM, since
 * a library may try one for its own reasons. Landlock may be missing (old kernel, not built in): then the
 * others stand; without seccomp there is no sandbox and no worker.
 */
#ifndef MILTER_INSPECT_SANDBOX_H
#define MILTER_INSPECT_SANDBOX_H

#include <glib.h>
#include <sys/types.h>

struct sandbox {
    uid_t uid; /* used when the process is root */
    gid_t gid;
    guint64 memory_bytes; /* address space */
    guint64 file_bytes;   /* of a memfd, the only file there can be */
    guint64 cpu_seconds;  /* of the process, whole life: a limit that it cannot raise */
    pid_t parent;         /* with whom it dies */
};

/* Who workers are when the parent is root: `name`. FALSE if there is no such user or it is root. */
gboolean sandbox_find_user(const char *name, struct sandbox *sandbox);

/* For good. Descriptors above `kept` are closed, and 0 and 1, last 2, lead to /dev/null (2 stays as it is in
 * a build with a sanitizer). FALSE and error if one of the layers that must be there is not. */
gboolean sandbox_enter(int kept, const struct sandbox *sandbox, GError **error);

/* Bonus for a parent before it forks: a network namespace with nothing in it. Not possible everywhere. */
void sandbox_leave_network(void);

#endif
