/*
 * case_world: the agency in which a case plays: tests/cases/miji.conf with the case's own lines, and the
 * people of tests/data/people.ldif in memory, so that a case can take the directory away from under some of
 * them.
 */
#ifndef TESTS_CASES_CASE_WORLD_H
#define TESTS_CASES_CASE_WORLD_H

#include "tests/cases/case_file.h"

struct case_world {
    struct snapshot *snapshot;
    GPtrArray *people;           /* struct person * */
    struct directory *directory; /* of them, in memory */
    GHashTable *down;            /* values that cannot be asked about, of the mail at hand */
};

/* Ends the program with what is wrong with the configuration, if anything is. top: the source tree. */
struct case_world *case_world_new(const struct case_file *file, const char *top);
void case_world_free(struct case_world *world);
DEFINE_AUTOPTR(case_world, case_world_free)

/* Everything that decide is told about one mail; owned. */
struct case_inputs {
    struct inputs inputs;
    struct envelope *envelope;
    struct facts *facts;
    struct directory_query *people;
    struct past *past;
    struct approvals *approvals; /* of a recheck; NULL */
};
/* held: of which a recheck decides; borrowed for the call. */
struct case_inputs *case_inputs_new(struct case_world *world, const struct case_mail *mail,
                                    const struct decision *held);
void case_inputs_free(struct case_inputs *inputs);
DEFINE_AUTOPTR(case_inputs, case_inputs_free)

#endif
