/* findings: how diagnostics.c keeps what render.c prints; of these two files only. */
#ifndef POLICY_TEXT_FINDINGS_H
#define POLICY_TEXT_FINDINGS_H

#include "policy/text/diagnostic.h"

struct note {
    struct span span;
    struct message message;
};

struct diagnostic {
    enum diagnostic_id id;
    struct span span; /* source NULL: of no place in a file */
    struct message message;
    struct message help;
    GArray *notes; /* struct note */
    guint number;  /* in the order of reporting */
};

/* How much was reported about one file. */
struct tally {
    guint errors, warnings;
};

struct diagnostics {
    struct sources *sources;
    GPtrArray *kept;     /* struct diagnostic *, at most DIAGNOSTIC_MAX_KEPT of each severity and file */
    GHashTable *tallies; /* const struct source * (or NULL) -> struct tally * */
    struct diagnostic *surplus; /* takes what is not kept */
    guint errors, warnings;
    guint counts[DIAG_COUNT]; /* by id */
};

/* What is printed, in the order of files and places; borrowed elements. */
GPtrArray *diagnostics_sorted(const struct diagnostics *diagnostics);

#endif
